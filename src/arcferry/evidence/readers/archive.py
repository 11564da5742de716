"""The zip that `azcmagent logs` writes: each file in it is read by its own reader, within bounds.

Nothing is unpacked to a disk, so that names cannot lead anywhere; they are only printed.
"""

import io
import stat
import time
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from arcferry import typed
from arcferry.errors import FileInputError
from arcferry.evidence.case import Document, Kind
from arcferry.redaction import mask
from arcferry.text import one_line

ENTRY_LIMIT = 16 * 1024 * 1024
"""Longest entry in bytes that is read."""
TOTAL_LIMIT = 96 * 1024 * 1024
"""Most bytes that are read of all entries together."""

_MOST_ENTRIES = 1000
_MOST_RATIO = 200
"""Deflate packs at most 1,032 times, a log of one line over and over 40 times."""
_LEAST_FOR_RATIO = 1024 * 1024
_ENCRYPTED = 0x1
_MARK = b"PK\x03\x04"
_EMPTY_MARK = b"PK\x05\x06"
_INSIDE = (_MARK, b"\x1f\x8b", b"BZh", b"7z\xbc\xaf", b"\xfd7zXZ")
_SHOWN = 3
_LONGEST = 60.0
"""Seconds of processor time after which no further entry is begun."""
_DAMAGED = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, OSError, ValueError)
_Reader = Callable[[str, bytes], tuple[Document, ...]]
_Skip = Callable[[str, str], None]
PACK = frozenset(("case.txt", "findings.json", "versions.json", "SHA256SUMS"))
"""The files by which a zip of `arcferry evidence pack` is known."""
_JUDGED_BY = "findings.json"


def looks_right(data: bytes) -> bool:
    """Whether the bytes begin like a zip archive."""
    return data.startswith((_MARK, _EMPTY_MARK))


def _why_not(entry: zipfile.ZipInfo, before: set[str], total: int) -> str:
    """Why an entry is left alone; empty if it is read."""
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


def contents(archive: zipfile.ZipFile, skip: _Skip) -> Iterator[tuple[str, bytes]]:
    """Every entry within the bounds, by a name that can be shown; what its header says is not believed.

    Of a zip of `arcferry evidence pack` only the evidence that it was judged by, which its files only repeat.

    Args:
        archive: what was handed in.
        skip: is told why an entry is left out, and its name.
    """
    began, total = time.process_time(), 0
    before: set[str] = set()
    # Not `is_dir`, which fails on an entry without a name.
    entries = [entry for entry in archive.infolist() if not entry.filename.endswith("/")]
    if {entry.filename for entry in entries} >= PACK:
        entries = [entry for entry in entries if entry.filename == _JUDGED_BY]
    for entry in entries[:_MOST_ENTRIES]:
        if time.process_time() - began > _LONGEST:
            skip(f"the files before it took more than {_LONGEST:.0f} s", entry.filename)
        elif why := _why_not(entry, before, total):
            skip(why, entry.filename)
        elif (data := _unpacked(archive, entry)) is None:
            skip("it is damaged, or packed in a way that is not read", entry.filename)
        else:
            total += len(data)
            if len(data) > ENTRY_LIMIT:
                skip(f"it is longer than {ENTRY_LIMIT:,} bytes", entry.filename)
            elif data.startswith(_INSIDE):
                skip("it is an archive within the archive", entry.filename)
            else:
                yield typed.label(one_line(mask(entry.filename.replace("\\", "/")), limit=120)), data
        before.add(entry.filename)
    for entry in entries[_MOST_ENTRIES:]:
        skip(f"it comes after {_MOST_ENTRIES:,} others", entry.filename)


def _unpacked(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> bytes | None:
    try:
        with archive.open(entry) as stream:
            return stream.read(ENTRY_LIMIT + 1)
    except _DAMAGED:
        return None


@contextmanager
def opened(name: str, data: bytes) -> Iterator[zipfile.ZipFile]:
    """The archive.

    Raises:
        FileInputError: it is cut short or damaged as a whole.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            yield archive
    except (zipfile.BadZipFile, EOFError, NotImplementedError, ValueError, OSError, OverflowError) as error:
        raise FileInputError(
            name,
            "a zip archive that is cut short or damaged",
            hint="Copy it again, or unpack it and hand in the files.",
        ) from error


class _Archive:
    """What was read of one archive so far, and why something was not."""

    def __init__(self, name: str, inner: _Reader) -> None:
        self._name, self._inner = name, inner
        self._skipped: dict[str, list[str]] = {}
        self._unknown = 0
        self.documents: list[Document] = []

    def read(self, archive: zipfile.ZipFile) -> None:
        """Read every entry within the bounds."""
        for own, data in contents(archive, self._skip):
            name = f"{self._name}!{own}"
            try:
                found = [one for one in self._inner(name, data) if one.kind is not Kind.UNRECOGNISED]
            except FileInputError as error:
                self._skip(error.message.removeprefix(f"{name}: "), own)
                continue
            self._unknown += not found
            self.documents += found

    def _skip(self, why: str, name: str) -> None:
        self._skipped.setdefault(why, []).append(typed.label(one_line(mask(name), limit=80)))

    @property
    def notes(self) -> tuple[str, ...]:
        """What was not read, and why."""
        told = []
        for why, names in self._skipped.items():
            more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
            told.append(f"not read because {why}: {', '.join(names[:_SHOWN])}{more}")
        if self._unknown:
            told.append(f"files in it of no kind that tells anything: {self._unknown}")
        return tuple(told)


def read(name: str, data: bytes, inner: _Reader) -> tuple[Document, ...]:
    """The archive itself, then everything its files say, each named `zip!file`.

    Raises:
        FileInputError: the archive is cut short or damaged as a whole.
    """
    found = _Archive(name, inner)
    with opened(name, data) as archive:
        found.read(archive)
    kind = Kind.AGENT_LOGS_ZIP if found.documents else Kind.UNRECOGNISED
    return (Document(name, kind, notes=found.notes), *found.documents)
