import sys
from collections.abc import Iterable
from dataclasses import dataclass

from arcferry.errors import InputError, UnknownNameError

PYTHONS = ("3.11", "3.12", "3.13")
PLATFORMS = ("linux_x86_64", "win_amd64")
# RHEL 8, Debian 10 and Ubuntu 18.10 began with glibc 2.28; no older system ships Python 3.11.
_NEWEST_GLIBC = 28
_OLDEST_GLIBC = 5
_NAMED = {5: "manylinux1_x86_64", 12: "manylinux2010_x86_64", 17: "manylinux2014_x86_64"}


@dataclass(frozen=True, slots=True, order=True)
class Target:
    """A Python on a kind of machine that wheels are packed for.

    Attributes:
        python: CPython's version, one of `PYTHONS`.
        platform: one of `PLATFORMS`.
    """

    python: str
    platform: str

    @property
    def abi(self) -> str:
        """As wheels spell the interpreter: `cp311`."""
        return f"cp{self.python.replace('.', '')}"

    @property
    def tag(self) -> str:
        """For file names: `cp311-win_amd64`."""
        return f"{self.abi}-{self.platform}"

    @property
    def wheel_platforms(self) -> tuple[str, ...]:
        """The platform tags of wheels that run there, preferred first: the oldest glibc runs on most systems.

        Source: PEP 600, with the older names of PEP 513, 571 and 599.
        """
        if self.platform != "linux_x86_64":
            return (self.platform,)
        versions = range(_OLDEST_GLIBC, _NEWEST_GLIBC + 1)
        numbered = ((f"manylinux_2_{minor}_x86_64", _NAMED.get(minor)) for minor in versions)
        return tuple(tag for pair in numbered for tag in pair if tag)


def targets(pythons: Iterable[str] = (), platforms: Iterable[str] = ()) -> tuple[Target, ...]:
    """Every pair of these, without repetition; by default the running Python, and all platforms.

    Raises:
        UnknownNameError: a platform or a Python that arcferry isn't packed for.
        InputError: the running Python is such a one, and none was named.
    """
    running = f"{sys.version_info.major}.{sys.version_info.minor}"
    wanted = tuple(pythons)
    if not wanted and running not in PYTHONS:
        raise InputError(
            f"this is Python {running}, for which no wheels are locked",
            hint=f"Name the jump host's with --python: {', '.join(PYTHONS)}.",
        )
    for kind, known, given in (("Python", PYTHONS, wanted), ("platform", PLATFORMS, tuple(platforms))):
        if unknown := next((name for name in given if name not in known), None):
            raise UnknownNameError(kind, unknown, known)
    pairs = {Target(python, one) for python in wanted or (running,) for one in tuple(platforms) or PLATFORMS}
    return tuple(sorted(pairs))
