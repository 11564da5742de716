import hashlib
import io
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

# Large enough that hashing, not the calls around it, is what takes the time; small enough to stay in cache.
BLOCK = 256 * 1024


@dataclass(frozen=True, slots=True)
class Content:
    """How long a run of bytes is, and their SHA-256 in hexadecimal."""

    length: int
    sha256: str


class UnreadableError(OSError):
    """A file that was opened, and then could not be read: a failing stick, a share that went away."""


class NotRegularError(OSError):
    """A link, a folder, a device, a pipe or a socket where a file should be."""


def open_regular(path: Path) -> io.FileIO:
    """Open a regular file, never through a symbolic link at its last part, never waiting on a pipe.

    Raises:
        NotRegularError: it is something else.
        OSError: it is missing or cannot be read.
    """
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
    kind = kind_of(path.lstat().st_mode)
    if kind != "file":
        raise NotRegularError(kind)
    stream = io.FileIO(os.open(path, flags | getattr(os, "O_BINARY", 0)), "rb")
    kind = kind_of(os.fstat(stream.fileno()).st_mode)
    if kind != "file":
        stream.close()
        raise NotRegularError(kind)
    return stream


def kind_of(mode: int) -> str:
    """`file`, `folder`, or in words what else a mode says that a path is."""
    kinds = {
        stat.S_IFREG: "file",
        stat.S_IFDIR: "folder",
        stat.S_IFLNK: "symbolic link",
        stat.S_IFIFO: "named pipe",
        stat.S_IFSOCK: "socket",
    }
    return kinds.get(stat.S_IFMT(mode), "device")


def blocks(stream: io.FileIO, *, limit: int) -> Iterator[memoryview]:
    """The stream's bytes, at most `limit` of them, in blocks that are only valid until the next one.

    Raises:
        UnreadableError: reading failed, so that it is told apart from a target that cannot be written.
    """
    buffer = bytearray(BLOCK)
    view = memoryview(buffer)
    left = limit
    while left > 0:
        try:
            count = stream.readinto(view[: min(BLOCK, left)])
        except OSError as error:
            raise UnreadableError(error.errno, error.strerror) from error
        if not count:
            return
        left -= count
        yield view[:count]


def whole(stream: io.FileIO, *, limit: int) -> bytes:
    """The stream's bytes, at most `limit` of them; a raw stream's own `read` may give fewer than there are.

    Raises:
        UnreadableError: as `blocks` says.
    """
    return b"".join(bytes(block) for block in blocks(stream, limit=limit))


def copy(source: io.FileIO, target: BinaryIO | None, *, limit: int) -> Content:
    """Copy a stream in blocks of constant memory, hashing what passes; no target means hash only."""
    digest = hashlib.sha256()
    length = 0
    for block in blocks(source, limit=limit):
        digest.update(block)
        length += len(block)
        if target is not None:
            target.write(block)
    return Content(length, digest.hexdigest())
