import sys

from arcferry_lab.errors import LabError


def require_linux() -> None:
    """Refuse a system on which the loopback network cannot be.

    Raises:
        LabError: this is no Linux.
    """
    if not sys.platform.startswith("linux"):
        raise LabError(
            f"the lab needs Linux, where all of 127.0.0.0/8 is local; this is {sys.platform}",
            hint="Run it in a Linux machine or container; WSL 2 will do.",
        )
