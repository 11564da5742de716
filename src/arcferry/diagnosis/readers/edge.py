"""The edge of reading: what a reader did not foresee stays with the document that it was reading."""

from collections.abc import Callable
from typing import TypeVar

from arcferry.diagnosis.document import Document, Kind
from arcferry.errors import ArcferryError, FileInputError

_Read = TypeVar("_Read")


def kept_apart(
    read: Callable[[], _Read],
    otherwise: Callable[[str], _Read],
    *,
    foreseen: type[Exception] = ArcferryError,
) -> _Read:
    """What `read` gives; where it fails in a way that nobody foresaw, what `otherwise` makes of the reason.

    An interruption passes through.

    Args:
        read: reads one document, and takes nothing else along when it fails.
        otherwise: is given the reason as a part of a sentence, without anything of the document.
        foreseen: what passes through.
    """
    try:
        return read()
    except foreseen:
        raise
    except Exception as error:  # noqa: BLE001  # documents are hostile, and one must not hide all others
        return otherwise(f"could not be read: it holds what no reader foresaw ({type(error).__name__})")


def unreadable(name: str, why: str) -> Document:
    """The document that stands for one that could not be read, and says why."""
    return Document(name, Kind.UNREADABLE, notes=(why,))


def guarded(name: str, read: Callable[[], tuple[Document, ...]]) -> tuple[Document, ...]:
    """What `read` finds in the document `name`; one of kind `unreadable` where it meets a surprise.

    Raises:
        FileInputError: as `read`.
    """
    return kept_apart(read, lambda why: (unreadable(name, why),))


def claimed(name: str, read: Callable[[], tuple[Document, ...]]) -> tuple[Document, ...]:
    """The same for what a host handed in: it is never an error of the one who collected it."""
    try:
        return guarded(name, read)
    except FileInputError as error:
        reason = error.message.removeprefix(f"{error.path}: ")
        return (unreadable(name, f"could not be read: {reason}"),)
