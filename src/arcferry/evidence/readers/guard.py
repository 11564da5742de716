"""What a reader did not foresee, or takes too long at, stays with the document that it was reading.

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
import sys
import threading
from collections.abc import Callable
from types import FrameType
from typing import TypeVar

from arcferry.errors import ArcferryError, FileInputError
from arcferry.evidence.case import Document, Kind
from arcferry.evidence.readers import values
from arcferry.redaction import mask

LEAST = 5.0
"""Seconds of processor time that any document may take."""

_BYTES_A_SECOND = 1024 * 1024
_SEARCHED_A_SECOND = 128 * 1024
"""Bytes of a text that is searched line by line, a third of what a slow machine does."""
_AGAIN = 0.5
_Read = TypeVar("_Read")


class OutOfTimeError(BaseException):
    """The time is over. No reader's `except` is meant to take it: only `limited` lets it out."""


def kept_apart(
    read: Callable[[], _Read],
    otherwise: Callable[[str], _Read],
    *,
    foreseen: type[Exception] = ArcferryError,
    seconds: float | None = LEAST,
) -> _Read:
    """What `read` gives; if it fails unforeseen or takes too long, what `otherwise` makes of the reason.

    An interruption passes through.

    Args:
        read: reads one document, and takes nothing else along when it fails.
        otherwise: is given the reason as a part of a sentence, without anything of the document.
        foreseen: what passes through.
        seconds: of processor time that it may take; None if what it calls keeps limits of its own.
    """
    try:
        return read() if seconds is None else limited(read, seconds)
    except foreseen:
        raise
    except OutOfTimeError:
        return otherwise(f"could not be read in time: it was given up after {seconds:.0f} s")
    except Exception as error:  # noqa: BLE001  # documents are hostile, and one must not hide all others
        return otherwise(f"could not be read: it holds what no reader foresaw ({type(error).__name__})")


def unreadable(name: str, why: str) -> Document:
    """The document that stands for one that could not be read, and says why."""
    return Document(name, Kind.UNREADABLE, notes=(why,))


def guarded(
    name: str, read: Callable[[], tuple[Document, ...]], *, size: int | None = 0
) -> tuple[Document, ...]:
    """What `read` finds in the document `name`; one of kind `unreadable` if it meets a surprise.

    Args:
        name: the document's name.
        read: reads it.
        size: its bytes, of which the time that it may take depends; None for an archive of documents.

    Raises:
        FileInputError: as `read`; its message is masked.
    """
    seconds = None if size is None else allowed(size)
    try:
        return kept_apart(read, lambda why: (unreadable(name, why),), seconds=seconds)
    except FileInputError as error:
        # The place is ours; what is wrong there may be told in words out of the document.
        place = f"{error.path}:{error.line}" if error.line else error.path
        reason = error.message.removeprefix(f"{place}: ")
        if (told := mask(reason)) == reason:
            raise
        raise FileInputError(place, told, hint=error.hint) from None


def allowed(size: int) -> float:
    """Seconds that so many bytes may take: neither a long log nor a gigabyte of routes is an attack."""
    return LEAST + min(size, values.TEXT_LIMIT) / _SEARCHED_A_SECOND + size / _BYTES_A_SECOND


def limited(read: Callable[[], _Read], seconds: float) -> _Read:
    """What `read` gives. Within another limit, that one counts.

    Raises:
        OutOfTimeError: it took longer.
    """
    return _timed(read, seconds) if threading.current_thread() is threading.main_thread() else read()


if sys.platform == "win32":

    def _timed(read: Callable[[], _Read], _seconds: float) -> _Read:
        return read()

else:

    def _timed(read: Callable[[], _Read], seconds: float) -> _Read:
        if signal.getitimer(signal.ITIMER_VIRTUAL)[0]:
            return read()
        active = True

        def over(_number: int, _frame: FrameType | None) -> None:
            if active:
                # Once more soon, should something have swallowed this one.
                signal.setitimer(signal.ITIMER_VIRTUAL, _AGAIN)
                raise OutOfTimeError

        def end() -> None:
            nonlocal active
            active = False
            signal.setitimer(signal.ITIMER_VIRTUAL, 0)
            signal.signal(signal.SIGVTALRM, before)

        before = signal.signal(signal.SIGVTALRM, over)
        try:
            signal.setitimer(signal.ITIMER_VIRTUAL, seconds)
            try:
                return read()
            finally:
                end()
        except OutOfTimeError:
            # The signal can come while the first `end` begins, and then keeps it from its work.
            end()
            raise
