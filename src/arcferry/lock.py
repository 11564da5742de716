"""One process at a time on a folder."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from io import FileIO
from pathlib import Path

from arcferry.errors import BlockedError
from arcferry.files import make_private, unwritable

if sys.platform == "win32":
    import msvcrt

    def _take(descriptor: int) -> None:
        # A byte far behind the process number, which others may then still read.
        os.lseek(descriptor, 1 << 20, os.SEEK_SET)
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        os.lseek(descriptor, 0, os.SEEK_SET)

else:
    import fcntl

    def _take(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)


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
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise unwritable(path, error) from error
    with os.fdopen(descriptor, "r+b", buffering=0) as lock:
        try:
            _take(lock.fileno())
        except OSError:
            holder = _holder(lock)
            raise BlockedError(
                f"another {what} is running on {folder}" + (f" (process {holder})" if holder else ""),
                hint=hint,
            ) from None
        try:
            lock.truncate(0)
            lock.write(str(os.getpid()).encode())
        except OSError as error:
            raise unwritable(path, error) from error
        try:
            yield
        finally:
            with suppress(OSError):
                lock.truncate(0)


def _holder(lock: FileIO) -> str:
    with suppress(OSError):
        text = lock.read(20).decode("ascii", errors="replace").strip()
        return text if text.isdigit() else ""
    return ""
