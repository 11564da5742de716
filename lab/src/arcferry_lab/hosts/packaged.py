"""What goes into a package of either kind, and the moment that all of it carries."""

import os
from dataclasses import dataclass
from typing import Literal

PackageKind = Literal["deb", "rpm"]
_EARLIEST = 1_767_225_600  # 2026-01-01, where SOURCE_DATE_EPOCH says nothing


@dataclass(frozen=True, slots=True)
class PackagedFile:
    """A file's content and mode."""

    data: bytes
    mode: int = 0o644


def source_moment() -> int:
    """The time of every file in a package, in seconds since 1970."""
    return int(os.environ.get("SOURCE_DATE_EPOCH", _EARLIEST))
