"""The wheels that arcferry's dependencies are locked to, one file of pip's requirements a target.

Each line names one version, its one wheel for the target, and that wheel's SHA-256, so what is packed doesn't
depend on what an index holds today. `scripts/self_lock.py` writes these files from `uv.lock`.
"""

import re
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from importlib import resources

from arcferry.errors import InputError, UnknownNameError

PYTHONS = ("3.11", "3.12", "3.13")
PLATFORMS = ("linux_x86_64", "win_amd64")
# RHEL 8, Debian 10 and Ubuntu 18.10 began with glibc 2.28; no older system ships Python 3.11.
_NEWEST_GLIBC = 28
_OLDEST_GLIBC = 5
_NAMED = {5: "manylinux1_x86_64", 12: "manylinux2010_x86_64", 17: "manylinux2014_x86_64"}
_LINE = re.compile(r"([a-z0-9-]+)==(\S+) --hash=sha256:([0-9a-f]{64})  # (\S+\.whl)")
HEAD = "# Written by scripts/self_lock.py from uv.lock. pip reads this file as it is.\n"


@dataclass(frozen=True, slots=True, order=True)
class WheelTarget:
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
        numbered = (
            (f"manylinux_2_{minor}_x86_64", _NAMED.get(minor))
            for minor in range(_OLDEST_GLIBC, _NEWEST_GLIBC + 1)
        )
        return tuple(tag for pair in numbered for tag in pair if tag)


def targets(pythons: Iterable[str] = (), platforms: Iterable[str] = ()) -> tuple[WheelTarget, ...]:
    """Every pair of these, without repetition; by default the running Python, and all platforms.

    Raises:
        UnknownNameError: a platform or a Python that arcferry isn't packed for.
        InputError: the running Python is such a one, and none was named.
    """
    running = f"{sys.version_info.major}.{sys.version_info.minor}"
    wanted, on = tuple(pythons), tuple(platforms)
    if not wanted and running not in PYTHONS:
        raise InputError(
            f"this is Python {running}, for which no wheels are locked",
            hint=f"Name the jump host's with --python: {', '.join(PYTHONS)}.",
        )
    for kind, known, given in (("Python", PYTHONS, wanted), ("platform", PLATFORMS, on)):
        if unknown := next((name for name in given if name not in known), None):
            raise UnknownNameError(kind, unknown, known)
    pairs = {WheelTarget(python, one) for python in wanted or (running,) for one in on or PLATFORMS}
    return tuple(sorted(pairs))


@dataclass(frozen=True, slots=True, order=True)
class LockedWheel:
    """One wheel, and what pip is to take it for.

    Attributes:
        name: the distribution's normalised name.
        file: the wheel's file name.
    """

    name: str
    version: str
    file: str
    sha256: str

    def __str__(self) -> str:
        """A line of a requirements file; pip ignores what follows the number sign."""
        return f"{self.name}=={self.version} --hash=sha256:{self.sha256}  # {self.file}"


def locked(target: WheelTarget) -> tuple[LockedWheel, ...]:
    """Every wheel that arcferry needs on the target besides its own, by name."""
    held = resources.files("arcferry").joinpath("bundle/itself/locks", f"{target.tag}.txt")
    return read_requirements(held.read_text(encoding="ascii"))


def read_requirements(text: str) -> tuple[LockedWheel, ...]:
    """The wheels of a file that `to_requirements` wrote.

    Raises:
        ValueError: a line is neither one of its lines nor a comment.
    """
    wheels = []
    for line in text.splitlines():
        if line.startswith("#"):
            continue
        if not (match := _LINE.fullmatch(line)):
            raise ValueError(f"no locked wheel: {line}")
        name, version, sha256, file = match.groups()
        wheels.append(LockedWheel(name, version, file, sha256))
    return tuple(wheels)


def to_requirements(wheels: Iterable[LockedWheel]) -> str:
    """A requirements file of these wheels, by name."""
    return HEAD + "".join(f"{wheel}\n" for wheel in sorted(wheels))
