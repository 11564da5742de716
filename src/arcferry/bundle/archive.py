"""The one byte layout of a bundle's zip form.

Entries are stored, sorted by name, without gaps, comments, folders or extra fields other than zip64's, and
all have one date. The manifest therefore decides every byte but the checksums, and an archive that differs
in any of them is refused. Field by field after PKWARE's APPNOTE.TXT 6.3.10, §4.3 and §4.5.3.
"""

import io
import os
import stat
import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from arcferry import text
from arcferry.bundle import blocks, manifest
from arcferry.errors import BundleRefusedError

LOCAL = b"PK\x03\x04"
CENTRAL = b"PK\x01\x02"
END = b"PK\x05\x06"
END_64 = b"PK\x06\x06"
LOCATOR_64 = b"PK\x06\x07"
LOCAL_HEAD = struct.Struct("<4s5H3I2H")
CENTRAL_HEAD = struct.Struct("<4s6H3I5H2I")
END_RECORD = struct.Struct("<4s4H2IH")
END_RECORD_64 = struct.Struct("<4sQ2H2I4Q")
LOCATOR_RECORD_64 = struct.Struct("<4sIQI")
FULL_16 = 0xFFFF
FULL_32 = 0xFFFF_FFFF
_PLAIN, _ZIP64 = 10, 45
_UNIX = 3 << 8
# 1980-01-01 00:00, the earliest that a zip can state: a date of its own would differ from build to build.
_DATE = 1 << 5 | 1
_FILE_MODE = 0o644
_SCRIPT_MODE = 0o755
MOST_ENTRIES = manifest.MOST_FILES + 2
_LONGEST_HEADER = CENTRAL_HEAD.size + 1024
# Encrypted, strongly encrypted, and the directory masked (APPNOTE 4.4.4).
_ENCRYPTED = 1 | 1 << 6 | 1 << 13
_METHODS = {8: "deflate", 9: "deflate64", 12: "bzip2", 14: "LZMA", 93: "Zstandard", 95: "XZ", 99: "AES"}
_REPACKED = (
    "Only a zip that arcferry wrote is read as it lies. Another program's can be unpacked; give that folder."
)


@dataclass(frozen=True, slots=True)
class ArchiveEntry:
    """A file in the archive.

    Attributes:
        length: in bytes, both packed and unpacked.
        crc: the CRC-32 that unpacking programs check.
        start: where its local header begins.
    """

    name: str
    length: int
    crc: int
    start: int

    @property
    def content(self) -> int:
        """Where its content begins."""
        return self.start + len(local_header(self))

    @property
    def end(self) -> int:
        """Where its content ends, and the next entry begins."""
        return self.content + self.length


def mode(name: str) -> int:
    """The permission bits of a bundle's file: a script may be run, everything else only read."""
    return _SCRIPT_MODE if name.endswith(".sh") else _FILE_MODE


def local_header(entry: ArchiveEntry) -> bytes:
    """What stands before the entry's content."""
    name = entry.name.encode("ascii")
    big = entry.length >= FULL_32
    extra = struct.pack("<2H2Q", 1, 16, entry.length, entry.length) if big else b""
    length = FULL_32 if big else entry.length
    head = LOCAL_HEAD.pack(
        LOCAL, _ZIP64 if big else _PLAIN, 0, 0, 0, _DATE, entry.crc, length, length, len(name), len(extra)
    )
    return head + name + extra


def central_header(entry: ArchiveEntry) -> bytes:
    """What the directory at the archive's end says of the entry."""
    name = entry.name.encode("ascii")
    big, far = entry.length >= FULL_32, entry.start >= FULL_32
    values = (entry.length, entry.length) * big + (entry.start,) * far
    extra = struct.pack(f"<2H{len(values)}Q", 1, 8 * len(values), *values) if values else b""
    needs = _ZIP64 if values else _PLAIN
    length = FULL_32 if big else entry.length
    head = CENTRAL_HEAD.pack(
        CENTRAL, _UNIX | needs, needs, 0, 0, 0, _DATE, entry.crc, length, length, len(name), len(extra),
        0, 0, 0, (stat.S_IFREG | mode(entry.name)) << 16, FULL_32 if far else entry.start,
    )  # fmt: skip
    return head + name + extra


def ending(count: int, start: int, size: int) -> bytes:
    """The records after a directory of `count` entries and `size` bytes that begins at `start`."""
    whole = b""
    if start >= FULL_32 or size >= FULL_32 or count >= FULL_16:
        whole = END_RECORD_64.pack(
            END_64, END_RECORD_64.size - 12, _UNIX | _ZIP64, _ZIP64, 0, 0, count, count, size, start
        ) + LOCATOR_RECORD_64.pack(LOCATOR_64, 0, start + size, 1)
    counted = min(count, FULL_16)
    return whole + END_RECORD.pack(END, 0, 0, counted, counted, min(size, FULL_32), min(start, FULL_32), 0)


def directory(entries: Iterable[ArchiveEntry], start: int) -> bytes:
    """Everything from the end of the last entry, `start`, to the end of the archive."""
    headers = [central_header(entry) for entry in entries]
    listed = b"".join(headers)
    return listed + ending(len(headers), start, len(listed))


class _ZipFaultError(Exception):
    """What is wrong with the archive as a whole; the text completes "FILE: …"."""

    def __init__(self, problem: str, hint: str = "") -> None:
        super().__init__(problem)
        self.hint = hint


def read_index(path: Path) -> dict[str, ArchiveEntry]:
    """Every entry of a zip in the one layout that a bundle has, by name, in the archive's order.

    Nothing is unpacked, and no more is read than the headers of as many files as a bundle may hold. No
    content is believed yet.

    Raises:
        BundleRefusedError: any byte outside the entries' contents is not as arcferry writes it.
        OSError: the archive cannot be read.
    """
    try:
        with blocks.open_regular(path) as stream:
            return _read(stream, os.fstat(stream.fileno()).st_size)
    except _ZipFaultError as fault:
        raise BundleRefusedError(f"{path.name}: {fault}", hint=fault.hint) from fault


def _read(stream: io.FileIO, size: int) -> dict[str, ArchiveEntry]:
    count, start, length = _read_end(stream, size)
    stream.seek(start)
    rest = stream.read(size - start)
    found: dict[str, ArchiveEntry] = {}
    folded: dict[str, str] = {}
    position = 0
    for header in _headers(rest[:length], count):
        entry = _checked(header, folded)
        _check_place(stream, entry, position, start)
        found[entry.name] = entry
        position = entry.end
    if position != start:
        raise _ZipFaultError(f"{start - position:,} bytes in it belong to no file")
    if list(found) != sorted(found):
        raise _ZipFaultError("its files are not sorted by name", _REPACKED)
    if rest != directory(found.values(), start):
        raise _ZipFaultError("its directory is not as arcferry writes it", _REPACKED)
    return found


@dataclass(frozen=True, slots=True)
class _Header:
    """A directory entry as it stands there; nothing in it is believed."""

    name: bytes
    flags: int
    method: int
    crc: int
    packed: int
    length: int
    attributes: int
    start: int


def _read_end(stream: io.FileIO, size: int) -> tuple[int, int, int]:
    """Number of files, and where the directory begins and how long it is.

    Its end record must be the archive's last bytes, so nothing is searched for.
    """
    ends = size - END_RECORD.size
    tail = _before(stream, size, END_RECORD.size)
    if not tail.startswith(END):
        raise _ZipFaultError(
            "does not end as a whole zip does: it is cut short, still being copied, or was added to",
            "Wait for the copy to end, or copy it again.",
        )
    _, disk, first, here, count, length, start, comment = END_RECORD.unpack(tail)
    if FULL_32 in {length, start} or FULL_16 in {here, count}:
        ends -= END_RECORD_64.size + LOCATOR_RECORD_64.size
        count, length, start = _read_end_64(stream, ends)
    elif disk or first or here != count:
        raise _ZipFaultError("is one part of a zip that was split into several")
    if comment or start + length != ends:
        raise _ZipFaultError("its directory does not lie where its end says")
    if count > MOST_ENTRIES:
        raise _ZipFaultError(f"holds {count:,} files, and a bundle at most {manifest.MOST_FILES:,}")
    if length > count * _LONGEST_HEADER:
        raise _ZipFaultError("its directory is larger than its number of files can need")
    return count, start, length


def _read_end_64(stream: io.FileIO, start: int) -> tuple[int, int, int]:
    """Number of files, length and start of the directory, from zip64's record that begins at `start`."""
    raw = _before(stream, start + END_RECORD_64.size, END_RECORD_64.size)
    if not raw.startswith(END_64):
        raise _ZipFaultError("lacks the record that a zip of its size must have")
    *_, count, length, begins = END_RECORD_64.unpack(raw)
    return count, length, begins


def _before(stream: io.FileIO, end: int, size: int) -> bytes:
    """The `size` bytes before `end`, or none if there are fewer."""
    if end < size:
        return b""
    stream.seek(end - size)
    data = stream.read(size)
    return data if len(data) == size else b""


def _headers(listed: bytes, count: int) -> Iterator[_Header]:
    at = 0
    head = CENTRAL_HEAD
    for _ in range(count):
        if len(listed) < at + head.size or not listed.startswith(CENTRAL, at):
            raise _ZipFaultError("its directory ends before all its files are told")
        fields = head.unpack_from(listed, at)
        flags, method, crc, packed, length = fields[3], fields[4], *fields[7:10]
        named = at + head.size
        told = named + fields[10]
        extra = listed[told : told + fields[11]]
        wide = _widened(extra, length, packed, fields[16])
        yield _Header(listed[named:told], flags, method, crc, wide[1], wide[0], fields[15], wide[2])
        at = named + sum(fields[10:13])
    if at != len(listed):
        raise _ZipFaultError("its directory holds more than its number of files says")


def _widened(extra: bytes, *values: int) -> list[int]:
    """Length, packed length and start, each from zip64's extra field if it does not fit into 32 bits."""
    wide = list(values)
    full = [at for at, value in enumerate(values) if value == FULL_32]
    if full and len(extra) == 4 + 8 * len(full):
        for at, value in zip(full, struct.unpack(f"<{len(full)}Q", extra[4:]), strict=True):
            wide[at] = value
    return wide


def _checked(header: _Header, folded: dict[str, str]) -> ArchiveEntry:
    """The entry, if it is a plain stored file whose name no other file has."""
    if problem := _fault(header):
        raise BundleRefusedError(f"{text.one_line(header.name)}: {problem}", hint=_REPACKED)
    name = header.name.decode("ascii")
    other = folded.get(name.casefold())
    if other is not None:
        how = "is in the zip twice" if other == name else f"differs from {other} in case only"
        raise BundleRefusedError(f"{name}: {how}")
    folded[name.casefold()] = name
    return ArchiveEntry(name, header.length, header.crc, header.start)


def _fault(header: _Header) -> str:
    if problem := _name_fault(header.name):
        return problem
    mode = header.attributes >> 16
    if stat.S_IFMT(mode) and not stat.S_ISREG(mode):
        return f"is a {blocks.kind_of(mode)}; a bundle holds files only"
    if header.flags & _ENCRYPTED:
        return "is encrypted, and nothing in a bundle is"
    if header.method:
        how = _METHODS.get(header.method, f"method {header.method}")
        return f"is compressed ({how}), and nothing in arcferry's zips is"
    if header.packed != header.length:
        return "two lengths are stated for it"
    return ""


def _name_fault(name: bytes) -> str:
    if name.endswith(b"/"):
        return "is a folder; a bundle's zip lists files only"
    if not name.isascii():
        return "its name holds characters that do not mean the same on Windows and Linux"
    problem = manifest.name_fault(name.decode("ascii"))
    return f"its name {problem}" if problem else ""


def _check_place(stream: io.FileIO, entry: ArchiveEntry, position: int, end: int) -> None:
    """Check that the entry begins at `position`, ends before `end`, and has its own header."""
    if entry.start < position:
        raise BundleRefusedError(f"{entry.name}: begins inside another file of the zip")
    if entry.start > position:
        raise BundleRefusedError(
            f"{entry.name}: {entry.start - position:,} bytes before it belong to no file"
        )
    if entry.end > end:
        raise BundleRefusedError(f"{entry.name}: is said to be longer than the zip")
    stream.seek(entry.start)
    header = local_header(entry)
    if stream.read(len(header)) != header:
        raise BundleRefusedError(
            f"{entry.name}: what stands before it in the zip is not as arcferry writes it",
            hint=_REPACKED,
        )
