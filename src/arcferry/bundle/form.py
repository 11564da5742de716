import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from arcferry.bundle import blocks, folder
from arcferry.bundle.archive import LOCAL, Entry
from arcferry.bundle.archive_read import read_index
from arcferry.bundle.file import BundleFile
from arcferry.bundle.manifest import ManifestFile
from arcferry.errors import BundleRefusedError, FileInputError

SUFFIX = ".zip"


class Form(Protocol):
    """How a bundle lies here: as a folder, or as one zip that is read where it lies."""

    @property
    def path(self) -> Path:
        """The folder or the zip."""

    def small(self, name: str, limit: int) -> bytes:
        """A file that is read before anything vouches for it.

        Raises:
            BundleRefusedError: it is missing, larger than `limit`, or not a plain file.
        """

    def found(self) -> dict[str, int | None]:
        """The name of everything that is there, with a length for files and None for folders.

        Raises:
            BundleRefusedError: something is neither file nor folder, or there is too much.
        """

    def located(self, file: ManifestFile) -> BundleFile:
        """A manifest's entry with the place where it should lie."""


@dataclass(frozen=True, slots=True)
class FolderForm:
    """A bundle whose files lie in a folder."""

    path: Path

    def small(self, name: str, limit: int) -> bytes:
        """As `Form.small` says."""
        return folder.read_small(self.path, name, limit)

    def found(self) -> dict[str, int | None]:
        """As `Form.found` says."""
        return folder.found(self.path)

    def located(self, file: ManifestFile) -> BundleFile:
        """As `Form.located` says."""
        path = self.path.joinpath(*file.name.split("/"))
        return BundleFile(file.name, path, file.length, file.sha256, file.role)


@dataclass(frozen=True, slots=True)
class ZipForm:
    """A bundle in one zip. Its files are read in place: nothing is unpacked, so nothing is left behind."""

    path: Path
    entries: Mapping[str, Entry] = field(repr=False)

    def small(self, name: str, limit: int) -> bytes:
        """As `Form.small` says."""
        entry = self.entries.get(name)
        if entry is None:
            raise BundleRefusedError(f"{name}: missing, so {self.path} is not a whole bundle")
        if entry.length > limit:
            raise BundleRefusedError(f"{name}: larger than the {limit:,} bytes that one may have")
        try:
            with blocks.open_regular(self.path) as stream:
                stream.seek(entry.content)
                data = b"".join(bytes(block) for block in blocks.blocks(stream, limit=entry.length))
        except OSError as error:
            raise BundleRefusedError(f"{self.path}: {error.strerror or 'cannot be read'}") from error
        if zlib.crc32(data) != entry.crc:
            raise BundleRefusedError(f"{name}: the zip states another checksum for it")
        return data

    def found(self) -> dict[str, int | None]:
        """As `Form.found` says."""
        return {entry.name: entry.length for entry in self.entries.values()}

    def located(self, file: ManifestFile) -> BundleFile:
        """As `Form.located` says."""
        entry = self.entries[file.name]
        return BundleFile(file.name, self.path, file.length, file.sha256, file.role, entry.content, entry.crc)


def is_zip_name(path: Path) -> bool:
    """Whether a bundle of this name is to be a zip."""
    return path.suffix.lower() == SUFFIX


def form_of(path: Path) -> Form:
    """How the bundle at `path` lies there, by its content.

    Raises:
        BundleRefusedError: it is a zip, but not one that arcferry wrote.
        FileInputError: there is nothing, or neither a folder nor a zip.
    """
    try:
        if path.is_dir():
            return FolderForm(path)
        if not path.exists():
            raise FileInputError(path, "no such folder or zip")
        if path.is_file() and (is_zip_name(path) or _begins_as_zip(path)):
            path = path.resolve()
            return ZipForm(path, read_index(path))
    except OSError as error:
        raise FileInputError(path, error.strerror or "cannot be read") from error
    raise FileInputError(path, "is neither a folder nor a zip")


def _begins_as_zip(path: Path) -> bool:
    with path.open("rb") as stream:
        return stream.read(len(LOCAL)) == LOCAL
