"""Windows' Application event log, by the call that every process may make.

`eventcreate.exe` would put the text on a command line, and wants an administrator for a new source. With
`ReportEventW` a service without rights can write, and a source that nobody registered goes to the Application
log (Microsoft's pages of RegisterEventSourceW and ReportEventW, read 2026-11-29).
"""

import asyncio
import ctypes
import sys
from ctypes import wintypes
from dataclasses import dataclass

from arcferry.errors import InputError, NotifyError
from arcferry.watch.changes import Level
from arcferry.watch.notifiers.message import Message

SOURCE = "arcferry"
_TYPES = {Level.FAIL: 1, Level.WARN: 2, Level.OK: 4}
_EVENT = 1
_MOST = 31_839
"""How many UTF-16 units ReportEventW takes of one text."""


@dataclass(frozen=True, slots=True)
class EventLog:
    """The Application log of this machine; an error, a warning or an information each."""

    wants_state: bool = False

    @property
    def name(self) -> str:
        """As it is given."""
        return "eventlog"

    async def send(self, message: Message) -> None:
        """Write one event, with the whole text.

        Raises:
            OSError, NotifyError: Windows does not take it, or this is no Windows.
        """
        await asyncio.to_thread(_report, _TYPES[message.level], bounded(message.text))


def eventlog(rest: str) -> EventLog:
    """The log of this machine.

    Raises:
        InputError: this is no Windows, or more was named than that.
    """
    if rest:
        raise InputError("--notify eventlog: takes no name behind it", hint="Give --notify eventlog.")
    if sys.platform == "win32":
        return EventLog()
    else:  # noqa: RET505  # mypy leaves out what is another system's by this
        hint = "Give --notify syslog here; the event log is of a watch that runs on Windows."
        raise InputError("--notify eventlog: this machine is no Windows and has no event log", hint=hint)


def bounded(text: str) -> str:
    """As much of a text as one event takes, cut between two letters."""
    units = text.replace("\0", "").encode("utf-16-le", errors="replace")[: _MOST * 2]
    return units.decode("utf-16-le", errors="ignore")


def _report(kind: int, text: str) -> None:
    if sys.platform == "win32":
        advapi = ctypes.WinDLL("advapi32", use_last_error=True)
        advapi.RegisterEventSourceW.restype = wintypes.HANDLE
        advapi.RegisterEventSourceW.argtypes = [wintypes.LPCWSTR, wintypes.LPCWSTR]
        advapi.DeregisterEventSource.argtypes = [wintypes.HANDLE]
        texts = ctypes.POINTER(wintypes.LPCWSTR)
        word, number = wintypes.WORD, wintypes.DWORD
        advapi.ReportEventW.argtypes = [
            wintypes.HANDLE, word, word, number, wintypes.LPVOID, word, number, texts, wintypes.LPVOID,
        ]  # fmt: skip
        log = advapi.RegisterEventSourceW(None, SOURCE)
        if not log:
            raise ctypes.WinError(ctypes.get_last_error())
        try:
            said = (wintypes.LPCWSTR * 1)(text)
            if not advapi.ReportEventW(log, kind, 0, _EVENT, None, 1, 0, said, None):
                raise ctypes.WinError(ctypes.get_last_error())
        finally:
            advapi.DeregisterEventSource(log)
    else:
        raise NotifyError("this machine has no event log")
