import os
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from arcferry import files, text
from arcferry.bundle import blocks, manifest
from arcferry.bundle.archive import LOCAL, ArchiveEntry
from arcferry.bundle.archive_read import read_index
from arcferry.bundle.file import BundleFile, opened
from arcferry.bundle.manifest import ManifestFile
from arcferry.errors import BundleRefusedError, FileInputError

SUFFIX = ".zip"
# Far deeper than any bundle. Links are never followed, but a folder mounted in itself has no end either.
_DEEPEST = 8


@dataclass(frozen=True, slots=True)
class FolderForm:
    """A bundle whose files lie in a folder. `ZipForm` has the same methods."""

    path: Path

    def small(self, name: str, limit: int) -> bytes:
        """A file that is read before anything vouches for it.

        Raises:
            BundleRefusedError: it is missing, larger than `limit`, or not a plain file.
        """
        with opened(self.path / name, name, _incomplete(self.path)) as stream:
            data = blocks.whole(stream, limit=limit + 1)
        if len(data) > limit:
            raise _too_large(name, limit)
        return data

    def found(self) -> dict[str, int | None]:
        """The name of everything that is there, with `/`: a length for files, and None for folders.

        Raises:
            BundleRefusedError: something is neither file nor folder, or there is too much.
        """
        seen: dict[str, int | None] = {}
        try:
            for entry, name in _walk(self.path, ""):
                mode = entry.stat(follow_symlinks=False)
                kind = blocks.kind_of(mode.st_mode)
                if kind not in {"file", "folder"}:
                    raise BundleRefusedError(f"{name}: is a {kind}; a bundle holds files and folders only")
                seen[name] = mode.st_size if kind == "file" else None
                # As many folders as files: more entries than that are no bundle, and not worth a longer look.
                if len(seen) > 2 * manifest.MOST_FILES:
                    raise BundleRefusedError(f"{self.path}: holds more than {manifest.MOST_FILES:,} files")
        except OSError as error:
            raise BundleRefusedError(
                f"{error.filename or self.path}: {error.strerror or 'cannot be read'}"
            ) from error
        return seen

    def located(self, file: ManifestFile) -> BundleFile:
        """A manifest's entry with the place where it should lie."""
        path = self.path.joinpath(*file.name.split("/"))
        return BundleFile(file.name, path, file.length, file.sha256, file.role)


@dataclass(frozen=True, slots=True)
class ZipForm:
    """A bundle in one zip. Its files are read in place: nothing is unpacked, so nothing is left behind."""

    path: Path
    entries: Mapping[str, ArchiveEntry] = field(repr=False)

    def small(self, name: str, limit: int) -> bytes:
        """As `FolderForm.small` says."""
        entry = self.entries.get(name)
        if entry is None:
            raise BundleRefusedError(f"{name}: {_incomplete(self.path)}")
        if entry.length > limit:
            raise _too_large(name, limit)
        with opened(self.path, str(self.path)) as stream:
            stream.seek(entry.content)
            data = blocks.whole(stream, limit=entry.length)
        # Not needed to trust it, which the seal decides; a program that unpacks the zip would refuse it.
        if zlib.crc32(data) != entry.crc:
            raise BundleRefusedError(f"{name}: the zip states another checksum for it")
        return data

    def found(self) -> dict[str, int | None]:
        """As `FolderForm.found` says."""
        return {entry.name: entry.length for entry in self.entries.values()}

    def located(self, file: ManifestFile) -> BundleFile:
        """As `FolderForm.located` says."""
        entry = self.entries[file.name]
        return BundleFile(file.name, self.path, file.length, file.sha256, file.role, entry.content, entry.crc)


Form = FolderForm | ZipForm
"""How a bundle lies here."""


def is_zip_name(path: Path) -> bool:
    """Whether a bundle of this name is to be a zip."""
    return path.suffix.lower() == SUFFIX


def form_of(path: Path) -> Form:
    """How the bundle at `path` lies there, by its content.

    Raises:
        BundleRefusedError: it is a zip, but not one that arcferry wrote.
        FileInputError: there is nothing, or neither a folder nor a zip.
    """
    with files.naming(path):
        if path.is_dir():
            return FolderForm(path)
        if not path.exists():
            raise FileInputError(path, "no such folder or zip")
        if path.is_file():
            with path.open("rb") as stream:
                begins_as_zip = stream.read(len(LOCAL)) == LOCAL
            if is_zip_name(path) or begins_as_zip:
                path = path.resolve()
                return ZipForm(path, read_index(path))
    raise FileInputError(path, "is neither a folder nor a zip")


def _incomplete(bundle: Path) -> str:
    return f"missing, so {bundle} is not a whole bundle"


def _too_large(name: str, limit: int) -> BundleRefusedError:
    return BundleRefusedError(f"{name}: larger than the {limit:,} bytes that one may have")


def _walk(folder: Path, prefix: str) -> Iterator[tuple[os.DirEntry[str], str]]:
    with os.scandir(folder) as entries:
        for entry in entries:
            shown = text.one_line(os.fsencode(entry.name))
            # A name that had to be altered to be shown safely cannot be in a manifest.
            name = f"{prefix}{shown}{'' if shown == entry.name else ' (shown altered)'}"
            yield entry, name
            if not entry.is_dir(follow_symlinks=False):
                continue
            if name.count("/") >= _DEEPEST:
                raise BundleRefusedError(f"{name}: lies deeper than any file of a bundle")
            yield from _walk(Path(entry.path), f"{name}/")
