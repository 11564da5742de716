"""An agent MSI: the OLE compound file that it is, and the tables in it."""

import struct
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, BinaryIO

from olefile import DEFECT_INCORRECT, STGTY_ROOT, STGTY_STORAGE, STGTY_STREAM, OleFileIO

from arcferry.bundle.packages import PackageFacts, UnusablePackageError
from arcferry.text import quoted

_MAGIC = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_BLOCK = 256 * 1024
_LAST_SECTOR = 0xFFFFFFFA
_DEEPEST = 16
# What olefile lets through when it stumbles over bytes that no program wrote.
_STRANGE = (OSError, ValueError, IndexError, KeyError, struct.error, OverflowError, RecursionError)

# CLSID {000C1084-0000-0000-C000-000000000046}, the root storage of an installer package: a patch
# ({000C1086-…}), a transform ({000C1082-…}) or a Word document has another.
_INSTALLER = bytes.fromhex("84100c0000000000c000000000000046")
_NAME = "azure connected machine agent"
_SUMMARY = "\x05SummaryInformation"
_TEMPLATE = 7
_TEXT = 30
_LARGEST_TABLE = 16 * 1024 * 1024
_LARGEST_SUMMARY = 1024 * 1024
_WIDE_REFERENCES = 0x8000
_LETTERS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz._"
# The template's platform, by the names that arcferry and Debian's and Red Hat's packages use.
_PLATFORMS = {"": "x86", "intel": "x86", "x64": "x64", "amd64": "x64", "arm64": "arm64"}


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
            if stream.read(len(_MAGIC)) != _MAGIC:
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


def read(stream: BinaryIO, size: int) -> PackageFacts:
    """Read an agent MSI's own version and processor.

    Raises:
        UnusablePackageError: not an installer package, cut short, damaged, or of another program.
    """
    properties, platform = stated(stream, size)
    name = properties.get("ProductName", "")
    if name.strip().casefold() != _NAME:
        raise UnusablePackageError(
            f"installs {quoted(name, limit=100)}, not the Azure Connected Machine Agent"
        )
    return PackageFacts(properties.get("ProductVersion", ""), platform)


def stated(stream: BinaryIO, size: int) -> tuple[dict[str, str], str]:
    """What an OLE compound file says as a Windows Installer package: its properties, and its processor.

    Source: Microsoft's Windows Installer reference, "Property Table" and "Summary Information Stream". How
    tables lie in the file is not in it; they are read here as msitools 0.101 writes them.

    Raises:
        UnusablePackageError: not an installer package, cut short, or damaged.
    """
    _check_header(stream, size)
    try:
        msi = Compound(stream)
        if msi.root.clsid != _INSTALLER:
            raise UnusablePackageError("is an OLE file, but not an installer package (MSI)")
        msi.check_whole()
        return _properties(msi), _platform(_stream(msi, _SUMMARY, limit=_LARGEST_SUMMARY))
    except (struct.error, IndexError, UnicodeError, LookupError) as error:
        raise UnusablePackageError(f"is damaged: its tables cannot be read ({error})") from error


def _check_header(stream: BinaryIO, size: int) -> None:
    """The one damage worth words of its own: a download that broke off."""
    stream.seek(0)
    header = stream.read(512)
    if len(header) < 512:  # noqa: PLR2004 - the header's size
        raise UnusablePackageError("is cut short in its header")
    shift, directory = struct.unpack_from("<H", header, 30)[0], struct.unpack_from("<I", header, 48)[0]
    if shift in {9, 12} and (directory + 2) << shift > size:
        raise UnusablePackageError(
            f"is cut short: its directory is at byte {(directory + 1) << shift:,}, the file ends at {size:,}"
        )


def _properties(msi: Compound) -> dict[str, str]:
    """The Property table: all names, then all values, as references into the string pool."""
    strings, width = _strings(_table(msi, "_StringPool"), _table(msi, "_StringData"))
    references = _table(msi, "Property")
    count = len(references) // (2 * width)
    cells = [
        strings[int.from_bytes(references[at : at + width], "little")]
        for at in range(0, 2 * width * count, width)
    ]
    return dict(zip(cells[:count], cells[count:], strict=True))


def _strings(pool: bytes, data: bytes) -> tuple[list[str], int]:
    """The pool's strings by their numbers, and how many bytes a reference to one takes."""
    codepage, flags = struct.unpack_from("<HH", pool)
    codepage |= (flags & ~_WIDE_REFERENCES) << 16
    encoding = {0: "cp1252", 65001: "utf-8"}.get(codepage, f"cp{codepage}")
    strings = [""]
    at, start = 4, 0
    while at < len(pool):
        length, references = struct.unpack_from("<HH", pool, at)
        at += 4
        if length == 0 and references:
            # A string of 64 KB or more has its length in a second entry.
            (length,) = struct.unpack_from("<I", pool, at)
            at += 4
        strings.append(data[start : start + length].decode(encoding, "replace"))
        start += length
    if start > len(data):
        raise UnusablePackageError("is damaged: its string pool is longer than its strings")
    return strings, 3 if flags & _WIDE_REFERENCES else 2


def _platform(summary: bytes) -> str:
    """The processor in the Template property ("x64;1033") of a property set ([MS-OLEPS])."""
    (section,) = struct.unpack_from("<I", summary, 44)
    (count,) = struct.unpack_from("<I", summary, section + 4)
    for index in range(min(count, 64)):
        identifier, offset = struct.unpack_from("<II", summary, section + 8 + 8 * index)
        if identifier != _TEMPLATE:
            continue
        kind, length = struct.unpack_from("<II", summary, section + offset)
        if kind == _TEXT:
            text = (
                summary[section + offset + 8 :][: min(length, 256)].split(b"\0")[0].decode("ascii", "replace")
            )
            platform = text.partition(";")[0].split(",")[0].strip().casefold()
            return _PLATFORMS.get(platform, platform)
    raise UnusablePackageError("is damaged: it does not say which processor it is for")


def _table(msi: Compound, name: str) -> bytes:
    return _stream(msi, _mangled(name), limit=_LARGEST_TABLE)


def _stream(msi: Compound, name: str, *, limit: int) -> bytes:
    entry = msi.child(name)
    if entry is None:
        raise UnusablePackageError("is damaged: one of the tables that every MSI has is missing")
    return msi.read(entry, limit=limit)


def _mangled(table: str) -> str:
    """The name of a table's stream: two letters to a character, behind a mark for tables."""
    numbers = [_LETTERS.index(letter) for letter in table]
    pairs = [numbers[at : at + 2] for at in range(0, len(numbers), 2)]
    return chr(0x4840) + "".join(
        chr(0x3800 + pair[0] + (pair[1] << 6)) if len(pair) > 1 else chr(0x4800 + pair[0]) for pair in pairs
    )
