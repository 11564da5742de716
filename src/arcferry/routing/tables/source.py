"""A file of any size as bytes or lines: unpacked, decoded, counted, within bounds."""

import bz2
import codecs
import gzip
import io
import lzma
import zlib
from collections.abc import Callable, Iterator
from typing import IO, Any

from arcferry.errors import FileInputError
from arcferry.routing.tables import terminal

CHUNK = 1 << 20
UNPACKED_LIMIT = 8 << 30
"""Most bytes that are read of one document, after unpacking; a full internet table in MRT has under 1 GiB."""

HEAD = 1 << 16
_LINE_LIMIT = 1 << 14
_TREE_LINE_LIMIT = 16 << 20
"""A line that begins like JSON: NX-OS puts a whole table on one."""

_PACKED = ((b"\x1f\x8b", "gzip"), (b"BZh", "bzip2"), (b"\xfd7zXZ\x00", "xz"))
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
Progress = Callable[[int], None]
Line = tuple[int, str]


class _Counted(io.RawIOBase):
    """A stream that tells how much of it was read."""

    def __init__(self, inner: IO[bytes], progress: Progress | None) -> None:
        super().__init__()
        self._inner = inner
        self._progress = progress
        self._read = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:  # noqa: ANN401 - typeshed's WriteableBuffer is a private name
        data = self._inner.read(len(buffer))
        buffer[: len(data)] = data
        self._read += len(data)
        if self._progress and data:
            self._progress(self._read)
        return len(data)


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
            stream: the bytes, perhaps packed with gzip, bzip2 or xz.
            progress: called with the number of bytes taken from `stream` so far.

        Raises:
            FileInputError: the packing is damaged, or the stream cannot be read.
        """
        self.name = name
        self._total = 0
        counted = io.BufferedReader(_Counted(stream, progress), CHUNK)
        start = counted.peek(8)
        self.packing = next((packing for mark, packing in _PACKED if start.startswith(mark)), "")
        self._stream = _unpacked(counted, self.packing)
        self.head = b""
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
        self._total += len(data)
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
            for line in terminal.shown(map(_cut, lines), part):
                number += 1
                yield number, line
        if rest:
            yield number + 1, next(terminal.shown([rest], rest))


def _cut(line: str) -> str:
    if len(line) <= _LINE_LIMIT:
        return line
    return line[: _TREE_LINE_LIMIT if line.lstrip()[:1] in ("{", "[") else _LINE_LIMIT]


def _unpacked(stream: IO[bytes], packing: str) -> IO[bytes] | gzip.GzipFile:
    if packing == "gzip":
        return gzip.GzipFile(fileobj=stream)
    if packing == "bzip2":
        return bz2.BZ2File(stream)
    if packing == "xz":
        return lzma.LZMAFile(stream)
    return stream
