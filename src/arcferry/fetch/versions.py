import re

from arcferry.errors import InputError
from arcferry.text import quoted

_WANTED = re.compile(r"[1-9]\d?(?:\.\d{1,6}){1,3}")
_NUMBERS = re.compile(r"\d+")


def read_wanted(text: str) -> str:
    """The version that is asked for, `1.61` or a longer one; empty for the newest (`latest`).

    Raises:
        InputError: it is no version of the agent.
    """
    wanted = text.strip().lower().removeprefix("v")
    if wanted in ("", "latest"):
        return ""
    if not _WANTED.fullmatch(wanted):
        raise InputError(f"--agent-version {quoted(text)} is no version", hint="Such as 1.61, or latest.")
    return wanted


def order(version: str) -> tuple[int, ...]:
    """What agent versions are sorted by: their numbers.

    Enough for the agent, whose published versions differ in numbers alone (`1.64.03414.1079`, earlier
    `1.48.02646.952-ubuntu22.04`, `1.9.21208-007`).
    """
    return tuple(map(int, _NUMBERS.findall(version[:100])))


def fits(version: str, wanted: str) -> bool:
    """Whether a package's version is the one asked for: its numbers begin with those; any where empty.

    An MSI writes `3319` where a package's name has `03319`.
    """
    asked = order(wanted)
    return order(version)[: len(asked)] == asked


def release_of(wanted: str) -> str:
    """`1.61` of `1.61.03319.859`: what Microsoft's addresses of Windows packages know."""
    return ".".join(wanted.split(".")[:2])
