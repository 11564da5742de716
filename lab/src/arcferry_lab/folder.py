"""A lab's folder: who holds it, and leaving nothing in it."""

import errno
import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from arcferry.errors import InputError
from arcferry_lab.errors import LabError
from arcferry_lab.paths import CONTROL, LOCK, LOG
from arcferry_lab.system import remove_tree

_LONGEST_SOCKET_PATH = 100  # a socket's address holds 108 bytes (unix(7)), the last of them 0
_LOOKS, _LOOK_SECONDS = 25, 0.02


class Lease:
    """The lock on a folder. The kernel holds it for the process, and ends it with the process."""

    def __init__(self, folder: Path, descriptor: int) -> None:
        self._folder = folder
        self._descriptor = descriptor
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)

    def clear(self) -> None:
        """Remove what a lab that was killed left behind; the log of the one that starts stays."""
        _remove_all(self._folder, keep={LOCK, LOG})

    def remove_folder(self) -> None:
        """Remove the folder with everything in it; the lock goes last."""
        _remove_all(self._folder, keep={LOCK})
        (self._folder / LOCK).unlink(missing_ok=True)
        _remove_empty(self._folder)

    def release(self) -> None:
        """Let another have the folder."""
        os.close(self._descriptor)


def take(folder: Path) -> Lease | None:
    """Take the folder, which is made where it does not exist; None while a running lab holds it.

    Raises:
        InputError: the folder holds something, and no lab made it.
        LabError: it cannot be made or written.
    """
    try:
        _check_ours(folder)
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder.chmod(0o700)
        while True:
            descriptor = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            if not _lock_soon(descriptor):
                os.close(descriptor)
                return None
            if _is_still(folder / LOCK, descriptor):
                return Lease(folder, descriptor)
            os.close(descriptor)
    except OSError as error:
        raise LabError(f"{folder}: {error.strerror}") from error


def holder(folder: Path) -> int | None:
    """The process that runs the lab of this folder, or None where none does."""
    try:
        descriptor = os.open(folder / LOCK, os.O_RDWR | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        if _lock(descriptor):
            return None
        text = os.pread(descriptor, 32, 0).decode(errors="replace").strip()
        return int(text) if text.isdecimal() else 0
    finally:
        os.close(descriptor)


def exists(folder: Path) -> bool:
    """Whether a lab runs in this folder, or was killed and left its files."""
    return (folder / LOCK).exists()


@contextmanager
def control_path(folder: Path) -> Iterator[str]:
    """The control socket's path, short enough for the kernel also where the folder's is not."""
    path = folder / CONTROL
    if len(str(path)) <= _LONGEST_SOCKET_PATH:
        yield str(path)
        return
    descriptor = os.open(folder, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield f"/proc/self/fd/{descriptor}/{CONTROL}"
    finally:
        os.close(descriptor)


def _check_ours(folder: Path) -> None:
    if folder.exists() and not folder.is_dir():
        raise InputError(f"{folder} is not a folder")
    if folder.is_dir() and not exists(folder) and any(folder.iterdir()):
        raise InputError(
            f"{folder} holds files that no lab made", hint="Give --folder a new or an empty folder."
        )


def _lock_soon(descriptor: int) -> bool:
    """Whether the lock was had within half a second; somebody may just be looking who holds it."""
    for _ in range(_LOOKS):
        if _lock(descriptor):
            return True
        time.sleep(_LOOK_SECONDS)
    return False


def _lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _is_still(path: Path, descriptor: int) -> bool:
    try:
        return os.path.samestat(path.stat(), os.fstat(descriptor))
    except FileNotFoundError:
        return False


def _remove_all(folder: Path, keep: set[str]) -> None:
    for entry in folder.iterdir():
        if entry.name in keep:
            continue
        if entry.is_dir() and not entry.is_symlink():
            remove_tree(entry)
        else:
            entry.unlink(missing_ok=True)


def _remove_empty(folder: Path) -> None:
    try:
        folder.rmdir()
    except OSError as error:
        if error.errno not in {errno.ENOTEMPTY, errno.ENOENT, errno.EBUSY}:
            raise
