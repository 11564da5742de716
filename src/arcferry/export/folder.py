"""Writing an export's folder: whole or not at all, and never over something that lies there."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import resources
from pathlib import Path

from arcferry import files
from arcferry.bundle import copy_bundle
from arcferry.bundle.place import staging
from arcferry.errors import FileInputError
from arcferry.export.model import ExportOrder, Tool
from arcferry.export.settings import settings

BUNDLE = "bundle"
SETTINGS = "settings.json"
WINDOWS, LINUX = "onboard.ps1", "onboard.sh"


def wrapper(name: str) -> str:
    """The text of a wrapper script that comes with arcferry."""
    return resources.files("arcferry.export").joinpath("wrappers", name).read_text(encoding="ascii")


def write_content(order: ExportOrder, tool: Tool, folder: Path, wrappers: tuple[str, ...]) -> None:
    """Write what every server runs: wrapper scripts, settings and the bundle, into a folder of its own.

    Raises:
        BundleRefusedError: the bundle changed since it was opened.
        FileInputError: the disk.
    """
    for name in wrappers:
        files.write_whole(
            folder / name, wrapper(name).encode("ascii"), mode=0o755 if name == LINUX else 0o644
        )
    files.write_whole(folder / SETTINGS, settings(order, tool))
    copy_bundle(order.bundle, folder / BUNDLE)


def pins(order: ExportOrder, tool: Tool, name: str) -> dict[str, str]:
    """SHA-256 of a wrapper script and of what it reads, in hexadecimal: what a start has to compare first."""
    held = {name: wrapper(name).encode("ascii"), SETTINGS: settings(order, tool)}
    return {file: hashlib.sha256(data).hexdigest() for file, data in held.items()}


def write_text(path: Path, text: str) -> None:
    """Write a text as Windows PowerShell 5.1 reads it: a byte order mark where it is not ASCII."""
    files.write_whole(path, text.encode("ascii" if text.isascii() else "utf-8-sig"))


@contextmanager
def fresh(out: Path) -> Iterator[Path]:
    """A folder to write into that gets the name `out` when the body ends well, and is gone where it does not.

    Raises:
        FileInputError: the name is taken, or the disk is full.
    """
    out = out.absolute()
    _refuse_taken(out)
    with staging(out) as workshop:
        folder = workshop / "export"
        folder.mkdir(mode=0o755)
        yield folder
        _refuse_taken(out)
        folder.rename(out)


def _refuse_taken(out: Path) -> None:
    if out.exists() or out.is_symlink():
        raise FileInputError(out, "exists already", hint="Give another name, or remove it first.")
