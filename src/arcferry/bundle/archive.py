"""The one byte layout of a bundle's zip form.

Entries are stored, sorted by name, without gaps, comments, folders or extra fields other than zip64's, and
all have one date. The manifest therefore decides every byte but the checksums, and an archive that differs
in any of them is refused. Field by field after PKWARE's APPNOTE.TXT 6.3.10, §4.3 and §4.5.3.
"""

import os
import stat
import struct
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import BinaryIO

from arcferry.bundle.file import BundleFile

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


def write_archive(target: BinaryIO, files: Iterable[BundleFile], small: Mapping[str, bytes]) -> None:
    """Write files as a zip in a bundle's one layout, in constant memory, through to the disk.

    Args:
        target: an empty file that can be written anywhere.
        files: what the manifest lists.
        small: the manifest and the seal, by name.

    Raises:
        BundleRefusedError: a file is not what the manifest says.
        OSError: `target` cannot be written, or the disk is full.
    """
    sources: dict[str, BundleFile | bytes] = {**{file.name: file for file in files}, **small}
    entries = []
    position = 0
    for name, source in sorted(sources.items()):
        length = len(source) if isinstance(source, bytes) else source.length
        blank = ArchiveEntry(name, length, 0, position)
        target.seek(blank.content)
        if isinstance(source, bytes):
            target.write(source)
            crc = zlib.crc32(source)
        else:
            crc = source.copy_into(target)
        entry = ArchiveEntry(name, length, crc, position)
        # The header states the checksum, which is only known after the content.
        target.seek(position)
        target.write(local_header(entry))
        entries.append(entry)
        position = entry.end
    target.seek(position)
    target.write(directory(entries, position))
    target.flush()
    os.fsync(target.fileno())
