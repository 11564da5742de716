"""The wheels that arcferry's dependencies are locked to, one file of pip's requirements a target.

Each line names one version, its one wheel for the target, and that wheel's SHA-256, so what is packed doesn't
depend on what an index holds today. `scripts/self_lock.py` writes these files from `uv.lock`.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from importlib import resources

from arcferry.bundle.itself.target import Target

_LINE = re.compile(r"([a-z0-9-]+)==(\S+) --hash=sha256:([0-9a-f]{64})  # (\S+\.whl)")
HEAD = "# Written by scripts/self_lock.py from uv.lock. pip reads this file as it is.\n"


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


def locked(target: Target) -> tuple[LockedWheel, ...]:
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
