"""Runs arcferry as a Windows would have it: `python as_windows.py ARGUMENTS`.

CPython for Windows is not to be had here. So arcferry's own modules, and they alone, are given other modules
than the libraries: `sys.platform` is win32, what only POSIX has is not there, neither modules nor functions,
and `msvcrt` locks. The loop takes no signal handlers and no Unix sockets, as the Proactor's does, and no file
may be read or written as text without an encoding.
"""

import asyncio
import builtins
import fcntl
import re
import runpy
import signal
import sys
import warnings
from types import ModuleType
from typing import Any

GONE = {"fcntl", "pwd", "grp", "resource", "termios", "tty", "pty", "crypt", "syslog", "posix", "spwd"}
_POSIX_ONLY = """
os: O_CLOEXEC O_DIRECTORY O_NOCTTY O_NOFOLLOW O_NONBLOCK O_SYNC WNOHANG chown confstr fchmod fchown fork
    forkpty getegid geteuid getgid getgroups getloadavg getpgid getpgrp getsid getuid killpg lchown mkfifo
    mknod nice openpty pread pwrite register_at_fork sched_getaffinity setgid setpgid setsid setuid statvfs
    sync sysconf uname waitid
signal: ITIMER_PROF ITIMER_REAL ITIMER_VIRTUAL SIGALRM SIGCHLD SIGHUP SIGKILL SIGPIPE SIGQUIT SIGUSR1
    SIGUSR2 SIGVTALRM alarm getitimer pause pthread_kill pthread_sigmask setitimer siginterrupt sigwait
socket: AF_NETLINK AF_UNIX MSG_DONTWAIT SO_REUSEPORT TCP_INFO
time: CLOCK_BOOTTIME clock_gettime tzset
"""
NOT_THERE = {
    part.partition(": ")[0]: set(part.partition(": ")[2].split())
    for part in re.split(r"\n(?=\w)", _POSIX_ONLY.strip())
}
INSTEAD: dict[str, dict[str, Any]] = {
    "os": {"name": "nt"},
    "sys": {"platform": "win32"},
    "signal": {"SIGBREAK": signal.SIGUSR1},
    "ssl": {
        "enum_certificates": lambda _store: [(b"unreadable", "x509_asn", True), (b"", "x509_asn", {"1.3"})]
    },
}
_import = builtins.__import__
_made: dict[str, ModuleType] = {}


class AsOnWindows(ModuleType):
    """A module without what Windows has not, and with what it has instead."""

    def __init__(self, real: ModuleType) -> None:
        super().__init__(real.__name__)
        self.__dict__.update(INSTEAD.get(real.__name__, {}), _real=real)

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever the module has
        if name in NOT_THERE.get(self.__name__, ()):
            raise AttributeError(
                f"module {self.__name__!r} has no attribute {name!r} on Windows", name=name, obj=self
            )
        return getattr(self._real, name)

    def __setattr__(self, name: str, value: object) -> None:
        setattr(self._real, name, value)


class Msvcrt(ModuleType):
    """The lock of Microsoft's C library."""

    LK_NBLCK = 2

    @staticmethod
    def locking(descriptor: int, mode: int, count: int) -> None:
        assert (mode, count) == (Msvcrt.LK_NBLCK, 1)
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)


def import_as_on_windows(
    name: str,
    globals: Any = None,  # noqa: A002, ANN401 - as the function that it replaces has it
    locals: Any = None,  # noqa: A002, ANN401
    fromlist: Any = (),  # noqa: ANN401
    level: int = 0,
) -> ModuleType:
    """Arcferry's modules get what Windows has; all others what is here."""
    importer = str((globals or {}).get("__name__") or "")
    if level or importer.partition(".")[0] != "arcferry":
        return _import(name, globals, locals, fromlist, level)
    if name.partition(".")[0] in GONE:
        raise ModuleNotFoundError(f"No module named {name!r} on Windows", name=name)
    if name == "msvcrt":
        return Msvcrt(name)
    if name in NOT_THERE or name in INSTEAD:
        return _made.setdefault(name, AsOnWindows(_import(name)))
    return _import(name, globals, locals, fromlist, level)


def refuse(*_: object, **__: object) -> None:
    """As the Proactor's loop does."""
    raise NotImplementedError


def main() -> None:
    for name in (
        "add_signal_handler",
        "remove_signal_handler",
        "create_unix_connection",
        "create_unix_server",
    ):
        setattr(asyncio.SelectorEventLoop, name, refuse)
    # Text without an encoding would be of the code page: whatever a Windows is set to.
    warnings.simplefilter("ignore", EncodingWarning)
    warnings.filterwarnings("error", category=EncodingWarning, module=r"arcferry(\..*)?")
    builtins.__import__ = import_as_on_windows
    sys.argv[0] = "arcferry"
    runpy.run_module("arcferry", run_name="__main__")


if __name__ == "__main__":
    main()
