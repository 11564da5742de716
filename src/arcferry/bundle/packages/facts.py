from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PackageFacts:
    """What a package says about itself; empty if it cannot be read."""

    version: str = ""
    architecture: str = ""


class UnusablePackageError(Exception):
    """A file's content is not a whole agent package; the text completes "FILE …"."""
