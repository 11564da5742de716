import struct
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, BinaryIO

from olefile import DEFECT_INCORRECT, STGTY_ROOT, STGTY_STORAGE, STGTY_STREAM, OleFileIO

from arcferry.bundle.packages.facts import UnusablePackageError

MAGIC = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_BLOCK = 256 * 1024
_LAST_SECTOR = 0xFFFFFFFA
_DEEPEST = 16
# What olefile lets through when it stumbles over bytes that no program wrote.
_STRANGE = (OSError, ValueError, IndexError, KeyError, struct.error, OverflowError, RecursionError)


@dataclass(frozen=True, slots=True)
class DirectoryEntry:
    """A storage or a stream in the directory of a compound file ([MS-CFB] 2.6).

    Attributes:
        name: in UTF-16, little-endian, without the closing zero.
        size: the stream's length in bytes; 0 for a storage.
        start: the stream's first sector, in the FAT or, below 4,096 bytes, in the mini FAT.
        clsid: 16 bytes.
        times: creation and modification, 8 bytes each.
        children: of a storage, in the order in which Authenticode hashes them.
    """

    name: bytes
    is_stream: bool
    is_root: bool
    size: int
    start: int
    clsid: bytes
    state: bytes
    times: bytes
    children: tuple["DirectoryEntry", ...]


class Compound:
    """An OLE compound file, read in pieces of at most 256 KB.

    olefile reads the header, the FAT and the directory, and every breach of the format is an error.
    The streams are read here: olefile holds each whole, and an agent's cabinet has 80 MB.

    Raises:
        UnusablePackageError: not a compound file, damaged, or cut short; here and in every method.
    """

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._size = stream.seek(0, 2)
        stream.seek(0)
        with _refusing():
            # An OleFileIO of anything shorter takes the bytes for a path.
            if stream.read(len(MAGIC)) != MAGIC:
                raise UnusablePackageError("is not an OLE compound file")
            self._ole = OleFileIO(stream, raise_defects=DEFECT_INCORRECT)
            self._ole.loadminifat()
            self.root = _entry(self._ole.root, 0)
            self._ministream = list(
                self._sectors(self.root.start, self.root.size, self._ole.fat, self._sector)
            )

    @property
    def _sector(self) -> int:
        return int(self._ole.sectorsize)

    def child(self, name: str) -> DirectoryEntry | None:
        """The stream or storage of exactly this name, directly below the root."""
        wanted = name.encode("utf-16-le")
        return next((entry for entry in self.root.children if entry.name == wanted), None)

    def read(self, entry: DirectoryEntry, *, limit: int) -> bytes:
        """A whole stream of at most `limit` bytes."""
        if entry.size > limit:
            raise UnusablePackageError(
                f"has a table of {entry.size:,} bytes, more than the {limit:,} that are read"
            )
        return b"".join(self.blocks(entry))

    def blocks(self, entry: DirectoryEntry) -> Iterator[bytes]:
        """A stream's bytes in order."""
        for offset, length in self._runs(entry):
            for at in range(offset, offset + length, _BLOCK):
                self._stream.seek(at)
                wanted = min(_BLOCK, offset + length - at)
                block = self._stream.read(wanted)
                if len(block) != wanted:
                    raise self._cut_short()
                yield block

    def check_whole(self) -> None:
        """Make sure that every stream lies within the file, without reading any."""
        for entry in _streams(self.root):
            if any(offset + length > self._size for offset, length in self._runs(entry)):
                raise self._cut_short()

    def _runs(self, entry: DirectoryEntry) -> Iterator[tuple[int, int]]:
        """Where a stream lies in the file: offsets and lengths, neighbouring sectors joined."""
        offset = length = 0
        with _refusing():
            for at, count in self._places(entry):
                if at == offset + length:
                    length += count
                    continue
                if length:
                    yield offset, length
                offset, length = at, count
        if length:
            yield offset, length

    def _places(self, entry: DirectoryEntry) -> Iterator[tuple[int, int]]:
        sector = self._sector
        if entry.size >= self._ole.minisectorcutoff:
            for number, count in self._sectors(entry.start, entry.size, self._ole.fat, sector):
                yield (number + 1) * sector, count
            return
        mini = int(self._ole.minisectorsize)
        for number, count in self._sectors(entry.start, entry.size, self._ole.minifat, mini):
            index, rest = divmod(number * mini, sector)
            yield (self._ministream[index][0] + 1) * sector + rest, count

    def _sectors(self, start: int, size: int, fat: Any, sector: int) -> Iterator[tuple[int, int]]:  # noqa: ANN401 - olefile has no types
        """A chain's sector numbers, and how many bytes of each belong to it."""
        number, left = start, size
        known = len(fat) if fat else 0
        # A chain with a loop ends too: no stream has more sectors than the file.
        if size > known * sector:
            raise self._cut_short()
        while left > 0:
            if number >= _LAST_SECTOR:
                raise UnusablePackageError("is damaged: a stream ends before its length")
            if number >= known:
                raise self._cut_short()
            yield number, min(left, sector)
            left -= sector
            number = fat[number]

    def _cut_short(self) -> UnusablePackageError:
        return UnusablePackageError(
            f"is cut short or damaged: its content goes beyond its end at byte {self._size:,}"
        )


def _entry(found: Any, depth: int) -> DirectoryEntry:  # noqa: ANN401 - olefile has no types
    if depth > _DEEPEST:
        raise UnusablePackageError("is damaged: its storages are nested too deep")
    kind = found.entry_type
    if kind not in (STGTY_ROOT, STGTY_STORAGE, STGTY_STREAM):
        raise UnusablePackageError("is damaged: its directory has an entry of no known kind")
    children = sorted((_entry(kid, depth + 1) for kid in found.kids), key=lambda kid: kid.name)
    return DirectoryEntry(
        name=bytes(found.name_utf16),
        is_stream=kind == STGTY_STREAM,
        is_root=kind == STGTY_ROOT,
        size=int(found.size) if kind != STGTY_STORAGE else 0,
        start=int(found.isectStart),
        clsid=uuid.UUID(found.clsid).bytes_le if found.clsid else bytes(16),
        state=struct.pack("<I", found.dwUserFlags),
        times=struct.pack("<QQ", found.createTime, found.modifyTime),
        children=tuple(children),
    )


def _streams(storage: DirectoryEntry) -> Iterator[DirectoryEntry]:
    for entry in storage.children:
        if entry.is_stream:
            yield entry
        else:
            yield from _streams(entry)


@contextmanager
def _refusing() -> Iterator[None]:
    """What olefile raises on damage, as one error."""
    try:
        yield
    except _STRANGE as error:
        raise UnusablePackageError(f"is damaged: {error}") from error
