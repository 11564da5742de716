import os
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from arcferry import text
from arcferry.bundle import blocks, manifest, names, seal
from arcferry.bundle.keys import PublicKey, key_id_text, load_public_key
from arcferry.bundle.manifest import Manifest
from arcferry.bundle.opened import Bundle, length_problem, located
from arcferry.errors import BundleRefusedError, FileInputError

_DEEPEST = 8


def open_bundle(path: Path, public_key: Path | PublicKey, *, now: datetime) -> Bundle:
    """Open a bundle after verifying everything in it.

    The order is fixed: the seal before anything the manifest says, then its dates, then the exact set of
    files with their lengths, then every hash.

    Raises:
        BundleRefusedError: something is not as sealed; the message begins with the file's name.
        FileInputError: `path` is no folder, or `public_key` no public key.
    """
    key = load_public_key(public_key) if isinstance(public_key, Path) else public_key
    _require_folder(path)
    data = _small(path, names.MANIFEST, manifest.LIMIT)
    sealed = seal.read_seal(_small(path, names.SEAL, seal.LIMIT))
    seal.check_seal(sealed, data, key)
    content = manifest.read_manifest(data)
    if sealed.comment != content.trusted_comment:
        raise BundleRefusedError(f"{names.SEAL}: its trusted comment is not about this manifest")
    manifest.check_dates(content, now)
    _check_set(path, content)
    for file in content.files:
        located(path, file).check()
    return Bundle(path, content)


def read_unverified(path: Path) -> Manifest:
    """What a bundle says about itself, for looking at only: nothing vouches for it.

    Raises:
        BundleRefusedError: there is no manifest, or it is not one.
        FileInputError: `path` is no folder.
    """
    _require_folder(path)
    return manifest.read_manifest(_small(path, names.MANIFEST, manifest.LIMIT))


def claimed_key(path: Path) -> str:
    """The id of the key that the seal names, for looking at only.

    Raises:
        BundleRefusedError: there is no seal, or it is not one.
    """
    return key_id_text(seal.read_seal(_small(path, names.SEAL, seal.LIMIT)).key_id)


def unlisted(path: Path, content: Manifest) -> list[str]:
    """Names of files and folders in the bundle's folder that the manifest does not account for.

    Raises:
        BundleRefusedError: something in it is neither file nor folder, or there is too much of it.
    """
    found = _found(path)
    return sorted(set(found) - _accounted(content))


def _require_folder(path: Path) -> None:
    if not path.is_dir():
        raise FileInputError(path, "is not a folder" if path.exists() else "no such folder")


def _small(folder: Path, name: str, limit: int) -> bytes:
    """One of the two files that are read before anything vouches for them."""
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


def _check_set(path: Path, content: Manifest) -> None:
    found = _found(path)
    extra = sorted(set(found) - _accounted(content))
    for file in content.files:
        if file.name not in found:
            raise BundleRefusedError(f"{file.name}: missing{_renamed(file.length, extra, found)}")
        length = found[file.name]
        if length is None:
            raise BundleRefusedError(f"{file.name}: is a folder, not a file")
        if length != file.length:
            raise BundleRefusedError(f"{file.name}: {length_problem(length, file.length)}")
    if extra:
        others = f" ({len(extra) - 1:,} more such files and folders)" if len(extra) > 1 else ""
        raise BundleRefusedError(
            f"{extra[0]}: is not in the manifest{others}",
            hint="Nothing may be added to a sealed bundle. Did the copying program leave it there?",
        )


def _renamed(length: int, extra: list[str], found: dict[str, int | None]) -> str:
    twin = next((name for name in extra if found[name] == length), None)
    return f"; {twin} is not in the manifest and has its length: was it renamed?" if twin else ""


def _accounted(content: Manifest) -> set[str]:
    accounted = {names.MANIFEST, names.SEAL}
    for file in content.files:
        parts = file.name.split("/")
        accounted.update("/".join(parts[: count + 1]) for count in range(len(parts)))
    return accounted


def _found(folder: Path) -> dict[str, int | None]:
    """Everything that lies in the folder: relative names with `/`, a length for files, None for folders."""
    found: dict[str, int | None] = {}
    try:
        for entry, name in _walk(folder, ""):
            mode = entry.stat(follow_symlinks=False)
            kind = blocks.kind_of(mode.st_mode)
            if kind not in {"file", "folder"}:
                raise BundleRefusedError(f"{name}: is a {kind}; a bundle holds files and folders only")
            found[name] = mode.st_size if kind == "file" else None
            if len(found) > 2 * manifest.MOST_FILES:
                raise BundleRefusedError(f"{folder}: holds more than {manifest.MOST_FILES:,} files")
    except OSError as error:
        raise BundleRefusedError(
            f"{error.filename or folder}: {error.strerror or 'cannot be read'}"
        ) from error
    return found


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
