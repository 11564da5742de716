"""A limit to the time that one document takes, whatever its reader does.

The limit is of processor time, so that a busy machine refuses nothing that is honest. It is kept by a timer
of the operating system, because that alone ends everything that a reader can be at: its signal is looked
for between the steps of Python and also within a search by a pattern, where a check of our own would not be
reached. What looks for no signal, such as the parsing of JSON, is linear. A worker process would hold as
well, but each document would have to be sent through a pipe, and a table of a million routes takes longer
there than to read.

Signals reach the main thread only, and Windows has no such timer: elsewhere there is no limit, only linear
readers.
"""

import signal
import threading
from collections.abc import Callable
from types import FrameType
from typing import TypeVar

LEAST = 5.0
"""Seconds of processor time that any document may take."""

_BYTES_A_SECOND = 1024 * 1024
_AGAIN = 0.5
_Read = TypeVar("_Read")


class OutOfTimeError(BaseException):
    """The time is over. No reader's `except` is meant to take it: only `limited` lets it out."""


def allowed(size: int) -> float:
    """Seconds that a document of so many bytes may take: a dump of routes of a gigabyte is no attack."""
    return max(LEAST, size / _BYTES_A_SECOND)


def limited(read: Callable[[], _Read], seconds: float) -> _Read:
    """What `read` gives. Within another limit, that one counts.

    Raises:
        OutOfTimeError: it took longer.
    """
    if not _can_be_limited() or signal.getitimer(signal.ITIMER_VIRTUAL)[0]:
        return read()
    limit = _Limit()
    try:
        limit.begin(seconds)
        try:
            return read()
        finally:
            limit.end()
    except OutOfTimeError:
        limit.end()
        raise


def _can_be_limited() -> bool:
    return hasattr(signal, "setitimer") and threading.current_thread() is threading.main_thread()


class _Limit:
    def __init__(self) -> None:
        self._active = False

    def begin(self, seconds: float) -> None:
        self._active = True
        self._before = signal.signal(signal.SIGVTALRM, self._over)
        signal.setitimer(signal.ITIMER_VIRTUAL, seconds)

    def end(self) -> None:
        if self._active:
            self._active = False
            signal.setitimer(signal.ITIMER_VIRTUAL, 0)
            signal.signal(signal.SIGVTALRM, self._before)

    def _over(self, _number: int, _frame: FrameType | None) -> None:
        if self._active:
            # Once more soon, should something have swallowed this one.
            signal.setitimer(signal.ITIMER_VIRTUAL, _AGAIN)
            raise OutOfTimeError
