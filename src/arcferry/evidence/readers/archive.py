"""The zip that `azcmagent logs` writes: each file in it is read by its own reader, within bounds.

Nothing is unpacked to a disk, so that names cannot lead anywhere; they are only printed.
"""

import io
import stat
import time
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from arcferry import typed
from arcferry.errors import FileInputError
from arcferry.evidence.document import Document, Kind
from arcferry.redaction import mask
from arcferry.text import one_line

ENTRY_LIMIT = 16 * 1024 * 1024
"""Longest entry in bytes that is read."""
TOTAL_LIMIT = 96 * 1024 * 1024
"""Most bytes that are read of all entries together."""

_MOST_ENTRIES = 1000
_MOST_RATIO = 200
_LEAST_FOR_RATIO = 1024 * 1024
_ENCRYPTED = 0x1
_MARK = b"PK\x03\x04"
_EMPTY_MARK = b"PK\x05\x06"
_INSIDE = (_MARK, b"\x1f\x8b", b"BZh", b"7z\xbc\xaf", b"\xfd7zXZ")
_SHOWN = 3
_LONGEST = 60.0
"""Seconds of processor time after which no further entry is begun."""


@dataclass(slots=True)
class _Reading:
    """What was read of one archive so far, and why something was not."""

    documents: list[Document] = field(default_factory=list)
    skipped: dict[str, list[str]] = field(default_factory=dict)
    unknown: int = 0
    total: int = 0
    began: float = field(default_factory=time.process_time)

    def skip(self, why: str, name: str) -> None:
        self.skipped.setdefault(why, []).append(typed.label(one_line(mask(name), limit=80)))

    @property
    def notes(self) -> tuple[str, ...]:
        told = []
        for why, names in self.skipped.items():
            more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
            told.append(f"not read because {why}: {', '.join(names[:_SHOWN])}{more}")
        if self.unknown:
            told.append(f"files in it of no kind that tells anything: {self.unknown}")
        return tuple(told)


def looks_right(data: bytes) -> bool:
    """Whether the bytes begin like a zip archive."""
    return data.startswith((_MARK, _EMPTY_MARK))


def _why_not(entry: zipfile.ZipInfo, before: set[str], total: int) -> str:
    """Why an entry is left alone; empty where it is read."""
    size, packed = entry.file_size, max(entry.compress_size, 1)
    checks = (
        (not entry.filename, "it has no name"),
        (entry.flag_bits & _ENCRYPTED, "it is encrypted"),
        (stat.S_ISLNK(entry.external_attr >> 16), "it is a link"),
        (entry.filename in before, "an entry of the same name came before it"),
        (size > ENTRY_LIMIT, f"it is longer than {ENTRY_LIMIT:,} bytes"),
        # A short text of one letter packs as well as a bomb, and does no harm.
        (
            size > _LEAST_FOR_RATIO and size > _MOST_RATIO * packed,
            f"it unpacks to more than {_MOST_RATIO} times its size",
        ),
        (total + size > TOTAL_LIMIT, f"the archive unpacks to more than {TOTAL_LIMIT:,} bytes"),
    )
    return next((why for applies, why in checks if applies), "")


def _entries(archive: zipfile.ZipFile, reading: _Reading) -> Iterator[zipfile.ZipInfo]:
    before: set[str] = set()
    # Not `is_dir`, which fails on an entry without a name.
    entries = [entry for entry in archive.infolist() if not entry.filename.endswith("/")]
    for entry in entries[:_MOST_ENTRIES]:
        if time.process_time() - reading.began > _LONGEST:
            reading.skip(f"the files before it took more than {_LONGEST:.0f} s", entry.filename)
        elif why := _why_not(entry, before, reading.total):
            reading.skip(why, entry.filename)
        else:
            yield entry
        before.add(entry.filename)
    for entry in entries[_MOST_ENTRIES:]:
        reading.skip(f"it comes after {_MOST_ENTRIES:,} others", entry.filename)


def _bytes_of(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, reading: _Reading) -> bytes | None:
    """The entry's bytes; what its header says of its length is not believed."""
    try:
        with archive.open(entry) as stream:
            data = stream.read(ENTRY_LIMIT + 1)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, OSError, ValueError):
        reading.skip("it is damaged, or packed in a way that is not read", entry.filename)
        return None
    reading.total += len(data)
    if len(data) > ENTRY_LIMIT:
        reading.skip(f"it is longer than {ENTRY_LIMIT:,} bytes", entry.filename)
        return None
    if data.startswith(_INSIDE):
        reading.skip("it is an archive within the archive", entry.filename)
        return None
    return data


def read(name: str, data: bytes, inner: Callable[[str, bytes], tuple[Document, ...]]) -> tuple[Document, ...]:
    """The archive itself, then everything its files say, each named `zip!file`.

    Raises:
        FileInputError: the archive is cut short or damaged as a whole.
    """
    reading = _Reading()
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            for entry in _entries(archive, reading):
                content = _bytes_of(archive, entry, reading)
                if content is not None:
                    own = typed.label(one_line(mask(entry.filename.replace("\\", "/")), limit=120))
                    _read_entry(f"{name}!{own}", content, inner, reading)
    except (zipfile.BadZipFile, EOFError, NotImplementedError, ValueError, OSError, OverflowError) as error:
        raise FileInputError(
            name,
            "a zip archive that is cut short or damaged",
            hint="Copy it again, or unpack it and hand in the files.",
        ) from error
    kind = Kind.AGENT_LOGS_ZIP if reading.documents else Kind.UNRECOGNISED
    return (Document(name, kind, notes=reading.notes), *reading.documents)


def _read_entry(
    name: str, content: bytes, inner: Callable[[str, bytes], tuple[Document, ...]], reading: _Reading
) -> None:
    try:
        found = [one for one in inner(name, content) if one.kind is not Kind.UNRECOGNISED]
    except FileInputError as error:
        reading.skip(error.message.removeprefix(f"{name}: "), name.partition("!")[2])
        return
    reading.unknown += not found
    reading.documents += found
