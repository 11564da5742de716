"""A file of any size as bytes or lines: unpacked, decoded, counted, within bounds."""

import bz2
import codecs
import gzip
import lzma
import re
import zlib
from collections.abc import Callable, Iterable, Iterator
from typing import IO, Any

from arcferry.errors import FileInputError
from arcferry.text import clean

CHUNK = 1 << 20
UNPACKED_LIMIT = 8 << 30
"""Most bytes that are read of one document, after unpacking; a full internet table in MRT has under 1 GiB."""

HEAD = 1 << 16
_LINE_LIMIT = 1 << 14
_TREE_LINE_LIMIT = 16 << 20
"""A line that begins like JSON: NX-OS puts a whole table on one."""

_PACKED: tuple[tuple[bytes, str, Callable[[IO[bytes]], Any]], ...] = (
    (b"\x1f\x8b", "gzip", lambda stream: gzip.GzipFile(fileobj=stream)),
    (b"BZh", "bzip2", bz2.BZ2File),
    (b"\xfd7zXZ\x00", "xz", lzma.LZMAFile),
)
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
# What a terminal shows besides the text: pagers, backspaces, carriage returns, colours.
_ODD = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ufeff\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]|(?i:more)"
)
_SEQUENCE = re.compile(r"\x1b\[([0-9;?]*)([@-~])|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)?|\x1b.")
_PAGER = re.compile(
    r"^\s*(?:<?-{2,3}\s?\(?\s?more(?:\s\d{1,3}%)?\s?\)?\s?-{2,3}>?"
    r"|lines \d+-\d+(?:/\d+)?(?: \(END\)| \d{1,3}%)?|:$)",
    re.IGNORECASE,
)
_PAGER_AFTER = re.compile(r"\s?<?-{2,3}\s?\(?\s?more(?:\s\d{1,3}%)?\s?\)?\s?-{2,3}>?\s*$", re.IGNORECASE)
Progress = Callable[[int], None]
Line = tuple[int, str]


class RouteFile:
    """One document, read once from its beginning to its end.

    Attributes:
        name: for errors.
        head: the first 64 KiB, unpacked, which decide what it is.
    """

    def __init__(self, name: str, stream: IO[bytes], progress: Progress | None = None) -> None:
        """Begin to read.

        Args:
            name: the document's name.
            stream: the bytes from their beginning, perhaps packed with gzip, bzip2 or xz; it can be sought.
            progress: called with the number of bytes taken from `stream` so far.

        Raises:
            FileInputError: the packing is damaged, or the stream cannot be read.
        """
        self.name = name
        self._total = 0
        self._packed, self._progress = stream, progress
        start = stream.read(8)
        stream.seek(0)
        self.packing, unpack = next(
            ((packing, unpack) for mark, packing, unpack in _PACKED if start.startswith(mark)), ("", None)
        )
        self._stream: IO[bytes] = unpack(stream) if unpack else stream
        self.head = self._take(HEAD)
        self._pending = self.head

    def _take(self, size: int) -> bytes:
        try:
            data = self._stream.read(size)
        except (EOFError, OSError, zlib.error, lzma.LZMAError) as error:
            if self.packing:
                raise FileInputError(
                    self.name,
                    f"a damaged or truncated {self.packing} file",
                    hint="Copy it again, or unpack it.",
                ) from error
            raise FileInputError(self.name, "cannot be read") from error
        parts = self._total // CHUNK
        self._total += len(data)
        # Once a MiB and at the end: MRT is read by records of some 60 bytes.
        if self._progress and (len(data) < size or self._total // CHUNK > parts):
            self._progress(self._packed.tell())
        if self._total > UNPACKED_LIMIT:
            raise FileInputError(
                self.name, f"larger than the {UNPACKED_LIMIT:,} bytes that are read of routes"
            )
        return data

    def read(self, size: int) -> bytes:
        """Up to `size` bytes, fewer only at the end.

        Raises:
            FileInputError: the packing is damaged, or the document too large.
        """
        if not self._pending:
            return self._take(size)
        data, self._pending = self._pending[:size], self._pending[size:]
        return data if len(data) == size else data + self._take(size - len(data))

    @property
    def encoding(self) -> str:
        """The encoding of its text, by byte order mark or by NULs in every second byte; else UTF-8."""
        for mark, encoding in _MARKS:
            if self.head.startswith(mark):
                return encoding
        sample = self.head[:2000]
        half = len(sample) // 2
        if half and sample[1::2].count(0) > 0.7 * half and not sample[::2].count(0):
            return "utf-16-le"
        if half and sample[::2].count(0) > 0.7 * half and not sample[1::2].count(0):
            return "utf-16-be"
        return "utf-8"

    @property
    def head_text(self) -> str:
        """The head, decoded; what cannot be decoded is replaced."""
        return codecs.getincrementaldecoder(self.encoding)("replace").decode(self.head).lstrip("\ufeff")

    def texts(self) -> Iterator[str]:
        """The whole text in parts of about 1 MiB; what cannot be decoded is replaced.

        Raises:
            FileInputError: as for `read`.
        """
        decoder = codecs.getincrementaldecoder(self.encoding)("replace")
        while data := self.read(CHUNK):
            yield decoder.decode(data)
        yield decoder.decode(b"", final=True)

    def lines(self) -> Iterator[Line]:
        """The lines with their numbers, as a terminal would have shown them; cut at 16 Ki characters.

        Raises:
            FileInputError: as for `read`.
        """
        only_returns = b"\n" not in self.head and b"\r" in self.head
        number, rest = 0, ""
        for text in self.texts():
            part = rest + (text.replace("\r", "\n") if only_returns else text)
            lines = part.split("\n")
            rest = _cut(lines.pop())
            for line in _shown(map(_cut, lines), part):
                number += 1
                yield number, line
        if rest:
            yield number + 1, next(_shown([rest], rest))


def _cut(line: str) -> str:
    if len(line) <= _LINE_LIMIT:
        return line
    return line[: _TREE_LINE_LIMIT if line.lstrip()[:1] in ("{", "[") else _LINE_LIMIT]


def _shown(lines: Iterable[str], whole: str) -> Iterator[str]:
    """The lines as they stood on the screen; `whole` is searched once for anything that needs work at all."""
    odd = _ODD.search(whole) is not None
    for line in lines:
        yield _line(line) if odd else line


def _line(line: str) -> str:
    line = line.rstrip("\r")
    if not _ODD.search(line):
        return line
    if "\b" in line or "\r" in line or "\x1b" in line:
        line = _played(line)
    line = clean(line, limit=len(line))
    without = _PAGER.sub("", line, count=1)
    return _PAGER_AFTER.sub("", without, count=1)


def _played(line: str) -> str:
    """The line after its backspaces, carriage returns and erasures."""
    screen: list[str] = []
    column = place = 0
    while place < len(line):
        letter = line[place]
        if letter == "\x1b" and (sequence := _SEQUENCE.match(line, place)):
            if sequence[2] == "K":
                _erase(screen, column, sequence[1])
            place = sequence.end()
            continue
        place += 1
        if letter == "\b":
            column = max(0, column - 1)
        elif letter == "\r":
            column = 0
        elif letter >= " " or letter == "\t":
            screen[column : column + 1] = [letter]
            column += 1
    return "".join(screen).rstrip()


def _erase(screen: list[str], column: int, which: str) -> None:
    """EL: 0 to the end of the line, 1 to its beginning, 2 all of it."""
    if which in ("", "0"):
        del screen[column:]
    elif which == "1":
        screen[:column] = [" "] * min(column, len(screen))
    else:
        screen[:] = [" "] * min(column, len(screen))
