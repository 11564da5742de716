"""The edge of reading: what a reader did not foresee stays with the document that it was reading."""

from collections.abc import Callable
from typing import TypeVar

from arcferry.errors import ArcferryError, FileInputError
from arcferry.evidence.document import Document, Kind
from arcferry.evidence.readers.deadline import LEAST, OutOfTimeError, allowed, limited
from arcferry.redaction import mask

_Read = TypeVar("_Read")


def kept_apart(
    read: Callable[[], _Read],
    otherwise: Callable[[str], _Read],
    *,
    foreseen: type[Exception] = ArcferryError,
    seconds: float | None = LEAST,
) -> _Read:
    """What `read` gives; where it fails unforeseen or takes too long, what `otherwise` makes of the reason.

    An interruption passes through.

    Args:
        read: reads one document, and takes nothing else along when it fails.
        otherwise: is given the reason as a part of a sentence, without anything of the document.
        foreseen: what passes through.
        seconds: of processor time that it may take; None where what it calls keeps limits of its own.
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
    """What `read` finds in the document `name`; one of kind `unreadable` where it meets a surprise.

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
        place, reason = _told(error)
        if (told := mask(reason)) == reason:
            raise
        raise FileInputError(place, told, hint=error.hint) from None


def _told(error: FileInputError) -> tuple[str, str]:
    """Where something is wrong, and what: the second may hold words out of the document."""
    place = f"{error.path}:{error.line}" if error.line else error.path
    return place, error.message.removeprefix(f"{place}: ")


def claimed(name: str, read: Callable[[], tuple[Document, ...]]) -> tuple[Document, ...]:
    """The same for what a host handed in: it is never an error of the one who collected it."""
    try:
        return guarded(name, read)
    except FileInputError as error:
        reason = error.message.removeprefix(f"{error.path}: ")
        return (unreadable(name, f"could not be read: {reason}"),)
