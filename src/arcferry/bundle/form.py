import hashlib
import io
import os
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from arcferry import files, text
from arcferry.bundle import blocks, manifest
from arcferry.bundle.archive import LOCAL, ArchiveEntry, read_index
from arcferry.bundle.manifest import ManifestFile, Role
from arcferry.errors import BundleRefusedError, FileInputError

SUFFIX = ".zip"
# Far deeper than any bundle. Links are never followed, but a folder mounted in itself has no end either.
_DEEPEST = 8


@dataclass(frozen=True, slots=True)
class BundleFile:
    """A file of a verified bundle. Every reading checks length and hash again: the file may have changed.

    Attributes:
        name: its path inside the bundle, with `/`.
        path: where it lies here: the file itself, or the zip that holds it.
        start: where in the zip its content begins; None for a file of its own.
        crc: what the zip says its CRC-32 is; None for a file of its own.
    """

    name: str
    path: Path
    length: int
    sha256: str
    role: Role
    start: int | None = None
    crc: int | None = None

    def check(self) -> None:
        """Check that the file is what the manifest says.

        Raises:
            BundleRefusedError: it is not, or it cannot be read.
        """
        with self.open_verified() as content:
            for _ in content:
                pass

    def read(self) -> bytes:
        """The whole content, in memory.

        Raises:
            BundleRefusedError: the file is not what the manifest says.
        """
        with self.open_verified() as content:
            return b"".join(map(bytes, content))

    def copy_into(self, target: BinaryIO) -> int:
        """Write the content at the position of `target`, and return its CRC-32.

        If this raises, what was written is to be undone.

        Raises:
            BundleRefusedError: the file is not what the manifest says.
            OSError: `target` cannot be written.
        """
        checksum = 0
        with self.open_verified() as content:
            for block in content:
                checksum = zlib.crc32(block, checksum)
                target.write(block)
        return checksum

    def copy_to(self, target: Path) -> None:
        """Copy the content to `target` in constant memory and through to the disk, once it is right.

        Raises:
            BundleRefusedError: the file is not what the manifest says.
            FileInputError: `target` cannot be written.
        """
        with files.writing_whole(target) as copy:
            self.copy_into(copy)

    @contextmanager
    def open_verified(self) -> Iterator[Iterator[memoryview]]:
        """Blocks of the content, each valid until the next one is asked for.

        The hash is only known at the end: what has been done with the blocks is to be undone if the
        iteration raises, and is not to be relied on if it was not run to its end.

        Raises:
            BundleRefusedError: from the iteration's last step, the file is not what the manifest says.
        """
        with opened(self.path, self.name) as stream:
            stream.seek(self.start or 0)
            yield self._checked(stream)

    def _checked(self, stream: io.FileIO) -> Iterator[memoryview]:
        digest, length, checksum = hashlib.sha256(), 0, 0
        # Of a file of its own one byte more is read, so that a longer one is noticed.
        for block in blocks.blocks(stream, limit=self.length + (self.start is None)):
            digest.update(block)
            length += len(block)
            if self.crc is not None:
                checksum = zlib.crc32(block, checksum)
            if length <= self.length:
                yield block
        if length != self.length:
            actual = self.path.stat().st_size if length > self.length else length
            raise BundleRefusedError(f"{self.name}: {length_problem(actual, self.length)}")
        if digest.hexdigest() != self.sha256:
            raise BundleRefusedError(
                f"{self.name}: its content was changed: its SHA-256 is {digest.hexdigest()}, "
                f"the manifest says {self.sha256}"
            )
        if self.crc is not None and checksum != self.crc:
            raise BundleRefusedError(f"{self.name}: the zip states a wrong checksum for it")


@contextmanager
def opened(path: Path, name: str, missing: str = "missing") -> Iterator[io.FileIO]:
    """A file of a bundle to read from, called `name` in errors.

    Raises:
        BundleRefusedError: it is `missing`, not a plain file, or cannot be read, also in the body.
    """
    try:
        stream = blocks.open_regular(path)
    except blocks.NotRegularError as error:
        raise BundleRefusedError(f"{name}: is a {error}, not a file") from error
    except FileNotFoundError as error:
        raise BundleRefusedError(f"{name}: {missing}") from error
    except OSError as error:
        raise BundleRefusedError(f"{name}: {error.strerror or 'cannot be read'}") from error
    with stream:
        try:
            yield stream
        except blocks.UnreadableError as error:
            why = f"{name}: cannot be read: {error.strerror}"
            raise BundleRefusedError(why, hint="Copy the bundle again.") from error


def length_problem(actual: int, stated: int) -> str:
    """How two lengths differ, in words."""
    difference = abs(actual - stated)
    return (
        f"{difference:,} byte{'' if difference == 1 else 's'} "
        f"{'longer' if actual > stated else 'shorter'} than the manifest says"
    )


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
