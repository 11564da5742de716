"""Reading files within bounds, writing them whole or not at all, and the folders that are kept for a user.

One process at a time works in such a folder.
"""

import errno
import os
import stat
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib.resources.abc import Traversable
from io import FileIO
from pathlib import Path
from typing import BinaryIO

import platformdirs

from arcferry import log
from arcferry.errors import BlockedError, FileInputError
from arcferry.text import whole

FILE_LIMIT = 64 * 1024 * 1024
"""Longest file in bytes that is held in memory; only a dump of routes may be longer."""

# A virus scanner or an indexer lets go of a file within this; another program may hold it while it runs.
_WAITS = (0.05, 0.1, 0.2, 0.4, 0.8)
# As long as a glance at a lock may take, twice.
_GLANCES = (0.05, 0.05)
_IN_USE = "Close the program that has it open, if one has; else look at who may write there."
ROOM = "Make room on it, then run the same command again: it goes on where it was."


@contextmanager
def naming(path: Path, otherwise: str = "cannot be read") -> Iterator[None]:
    """In the body, what the system refuses is an error that names the file, or the disk if that is full.

    Args:
        path: the file or the folder.
        otherwise: what is wrong if the system does not say.

    Raises:
        FileInputError: in place of any OSError.
    """
    try:
        yield
    except OSError as error:
        if error.errno in {errno.ENOSPC, errno.EDQUOT}:
            raise FileInputError(path, f"the disk at {disk_of(path)} is full", hint=ROOM) from error
        if sys.platform == "win32" and isinstance(error, PermissionError):
            raise FileInputError(path, error.strerror or otherwise, hint=_IN_USE) from error
        raise FileInputError(path, error.strerror or otherwise) from error


@contextmanager
def opened(path: Path) -> Iterator[BinaryIO]:
    """A file to read from; a pipe, on which reading would wait for ever, or a device is none.

    Raises:
        FileInputError: it is missing, unreadable, or not a regular file.
    """
    with naming(path), open(path, "rb", opener=_at_once) as stream:
        if not stat.S_ISREG(os.fstat(stream.fileno()).st_mode):
            raise FileInputError(path, "not a file")
        yield stream


@contextmanager
def opened_own(path: Path) -> Iterator[BinaryIO]:
    """The same for a file that is believed: where the system tells, no other user could have written it.

    Raises:
        FileInputError: as above, or one could.
    """
    with opened(path) as stream:
        found = os.fstat(stream.fileno())
        if sys.platform != "win32" and (found.st_uid not in {os.geteuid(), 0} or found.st_mode & 0o022):
            raise FileInputError(path, "is not believed, since another user could have written it")
        yield stream


def _at_once(path: str, flags: int) -> int:
    """Open a pipe too, instead of waiting until somebody writes into it."""
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))


def read_bounded(path: Path, *, limit: int) -> bytes:
    """The file's bytes, at most `limit` of them.

    Raises:
        FileInputError: the file is missing, unreadable, not a regular file, or longer than `limit`.
    """
    with naming(path):
        if not path.is_file():
            raise FileInputError(path, "not a file" if path.exists() else "no such file")
        with path.open("rb") as stream:
            data = stream.read(limit + 1)
        log.did("read", file=path, bytes=len(data))
    if len(data) > limit:
        raise FileInputError(path, f"larger than the {limit:,} bytes that are read of such a file")
    return data


def owner_only(path: Path, holds: str) -> None:
    """Refuse a file that others can read, where the system tells; `holds` is what it should keep secret.

    Raises:
        FileInputError: the file is missing, or others can read it.
    """
    with naming(path):
        mode = path.stat().st_mode
    if os.name == "posix" and stat.S_ISREG(mode) and mode & 0o077:
        raise FileInputError(
            path,
            f"holds {holds} and can be read by others (mode {mode & 0o777:04o})",
            hint=f"chmod 600 {path}",
        )


def read_secret(path: Path, what: str = "a secret") -> str:
    """The one line of a file that only its owner can read.

    Raises:
        FileInputError: the file is missing, empty, of several lines, or readable by others.
    """
    owner_only(path, what)
    text = read_bounded(path, limit=64 * 1024).decode("utf-8", errors="replace").strip()
    if not text or len(text.splitlines()) != 1:
        said = f"holds no {what.removeprefix('a ')}" if not text else "holds more than one line"
        raise FileInputError(path, said)
    return text


def packaged(folder: Traversable, under: str = "") -> Iterator[tuple[str, bytes]]:
    """Every file of a folder that comes with a package, by its path there.

    What Python compiled is left out, and what a file manager or an editor left behind a dot.
    """
    for item in folder.iterdir():
        if item.name == "__pycache__" or item.name.startswith("."):
            continue
        if item.is_file():
            yield f"{under}{item.name}", item.read_bytes()
        else:
            yield from packaged(item, f"{under}{item.name}/")


def write_whole(path: Path, data: bytes, *, mode: int = 0o644) -> None:
    """Write `data` in the place of `path`, as `writing_whole` does.

    Raises:
        FileInputError: the folder cannot be written, or the disk is full.
    """
    with writing_whole(path, mode=mode) as stream:
        stream.write(data)


@contextmanager
def writing_whole(path: Path, *, mode: int = 0o644) -> Iterator[BinaryIO]:
    """A file beside `path` to write into; flushed to the disk, then renamed into place if the body ends well.

    A reader sees the old content or the new, never a part of it.

    Raises:
        FileInputError: the folder cannot be written, or the disk is full.
    """
    with naming(path, "cannot be written"):
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor, beside = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        try:
            with os.fdopen(descriptor, "wb") as stream:
                yield stream
                stream.flush()
                os.fsync(stream.fileno())
            Path(beside).chmod(mode)
            give_name(Path(beside), path)
        except BaseException:
            Path(beside).unlink(missing_ok=True)
            raise


def give_name(source: Path, target: Path) -> None:
    """Give a file or a folder the name `target`, in the place of a file that has it.

    Windows refuses that while anybody has one of them open without sharing it; then it is tried again for a
    second and a half.

    Raises:
        OSError: it cannot be done.
    """
    for wait in _WAITS if sys.platform == "win32" else ():
        with suppress(PermissionError):
            source.replace(target)
            return
        time.sleep(wait)
    source.replace(target)


def disk_of(path: Path) -> Path:
    """Where the disk is mounted on which a path lies, or would lie."""
    place = path.absolute()
    while not os.path.ismount(place) and place != place.parent:  # Path.is_mount: not on Windows before 3.12
        place = place.parent
    return place


def make_private(path: Path) -> None:
    """Make a folder, its parents too, that only this user can enter.

    Raises:
        FileInputError: it cannot be made.
    """
    with naming(path, "cannot be written"):
        path.mkdir(parents=True, exist_ok=True, mode=0o700)


def data_folder() -> Path:
    """Where dated data is held: `ARCFERRY_DATA`, else the user's own data folder. It need not exist."""
    return _named("ARCFERRY_DATA") or Path(platformdirs.user_data_dir("arcferry"))


def state_folder() -> Path:
    """Where runs, histories and the newest bundles are remembered: `ARCFERRY_STATE`, else the user's own."""
    return _named("ARCFERRY_STATE") or Path(platformdirs.user_state_dir("arcferry"))


def _named(variable: str) -> Path | None:
    value = os.environ.get(variable)
    return Path(value).expanduser().absolute() if value else None


if sys.platform == "win32":
    import msvcrt

    def _take(descriptor: int) -> None:
        # A byte far behind the process number, which others may then still read.
        os.lseek(descriptor, 1 << 20, os.SEEK_SET)
        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        finally:
            os.lseek(descriptor, 0, os.SEEK_SET)

else:
    import fcntl

    def _take(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)


def _take_in_turn(descriptor: int) -> None:
    """Take a lock that `is_held` may have for a moment.

    Raises:
        OSError: another process keeps it.
    """
    for wait in _GLANCES:
        with suppress(OSError):
            _take(descriptor)
            return
        time.sleep(wait)
    _take(descriptor)


def is_held(folder: Path, name: str) -> bool:
    """Whether a process holds the folder by the lock of that name."""
    try:
        descriptor = os.open(folder / name, os.O_RDWR)
    except OSError:
        return False
    with os.fdopen(descriptor, "r+b", buffering=0) as lock:
        try:
            _take(lock.fileno())
        except OSError:
            return True
    return False


@contextmanager
def only_one(folder: Path, what: str, *, name: str = "lock", hint: str) -> Iterator[None]:
    """Hold the folder; a second holder is refused while the first runs.

    The lock is the kernel's, so that it ends with its process, however that ends.

    Args:
        folder: made where it is missing.
        what: what holds it, for the error, such as `apply`.
        name: the lock file's name.
        hint: the way out for whoever is refused.

    Raises:
        BlockedError: another process holds it.
        FileInputError: the folder cannot be written.
    """
    make_private(folder)
    path = folder / name
    with naming(path, "cannot be written"):
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    with os.fdopen(descriptor, "r+b", buffering=0) as lock:
        try:
            _take_in_turn(lock.fileno())
        except OSError:
            if number := _holder(lock):
                raise BlockedError(
                    f"another {what} is running on {folder} (process {number})", hint=hint
                ) from None
            raise BlockedError(f"another {what} is running on {folder}", hint=hint) from None
        with naming(path, "cannot be written"):
            lock.truncate(0)
            lock.write(str(os.getpid()).encode())
        try:
            yield
        finally:
            with suppress(OSError):
                lock.truncate(0)


def _holder(lock: FileIO) -> int | None:
    """The number of the process that holds it; None where it left none."""
    with suppress(OSError):
        return whole(lock.read(20).strip(), most=1 << 32)
    return None
