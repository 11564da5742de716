import os
from collections.abc import Iterator
from pathlib import Path

from arcferry import text
from arcferry.bundle import blocks, manifest
from arcferry.errors import BundleRefusedError

_DEEPEST = 8


def read_small(folder: Path, name: str, limit: int) -> bytes:
    """A file that is read before anything vouches for it.

    Raises:
        BundleRefusedError: it is missing, larger than `limit`, or not a plain file.
    """
    try:
        with blocks.open_regular(folder / name) as stream:
            data = b"".join(bytes(block) for block in blocks.blocks(stream, limit=limit + 1))
    except blocks.NotRegularError as error:
        raise BundleRefusedError(f"{name}: is a {error}, not a file") from error
    except FileNotFoundError as error:
        raise BundleRefusedError(f"{name}: missing, so {folder} is not a whole bundle") from error
    except OSError as error:
        raise BundleRefusedError(f"{name}: {error.strerror or 'cannot be read'}") from error
    if len(data) > limit:
        raise BundleRefusedError(f"{name}: larger than the {limit:,} bytes that one may have")
    return data


def found(folder: Path) -> dict[str, int | None]:
    """Everything that lies in the folder: relative names with `/`, a length for files, None for folders.

    Raises:
        BundleRefusedError: something is neither file nor folder, or there is too much.
    """
    seen: dict[str, int | None] = {}
    try:
        for entry, name in _walk(folder, ""):
            mode = entry.stat(follow_symlinks=False)
            kind = blocks.kind_of(mode.st_mode)
            if kind not in {"file", "folder"}:
                raise BundleRefusedError(f"{name}: is a {kind}; a bundle holds files and folders only")
            seen[name] = mode.st_size if kind == "file" else None
            if len(seen) > 2 * manifest.MOST_FILES:
                raise BundleRefusedError(f"{folder}: holds more than {manifest.MOST_FILES:,} files")
    except OSError as error:
        raise BundleRefusedError(
            f"{error.filename or folder}: {error.strerror or 'cannot be read'}"
        ) from error
    return seen


def _walk(folder: Path, prefix: str) -> Iterator[tuple[os.DirEntry[str], str]]:
    with os.scandir(folder) as entries:
        for entry in entries:
            name = f"{prefix}{_printable(entry.name)}"
            yield entry, name
            if not entry.is_dir(follow_symlinks=False):
                continue
            if name.count("/") >= _DEEPEST:
                raise BundleRefusedError(f"{name}: lies deeper than any file of a bundle")
            yield from _walk(Path(entry.path), f"{name}/")


def _printable(name: str) -> str:
    """A name from the disk, safe to show; one that had to be altered cannot be in a manifest."""
    shown = text.one_line(os.fsencode(name))
    return shown if shown == name else f"{shown} (shown altered)"
