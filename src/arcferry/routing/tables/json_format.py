"""What a reader of a tree is: how it knows its own, where it descends, and what it makes of the rows."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from arcferry.routing.route import Route
from arcferry.routing.tables.json_stream import Steps
from arcferry.routing.tables.reading import Reading

Rows = Iterator[tuple[Steps, object]]


@dataclass(frozen=True, slots=True)
class JsonFormat:
    """One router's JSON.

    Attributes:
        looks_right: whether the document's first 64 Ki characters are this format's.
        descends: where the walk goes in; what it does not go into is a row.
        read: the routes of the rows; what else they tell goes to the reading.
    """

    name: str
    looks_right: Callable[[str], bool]
    descends: Callable[[Steps, str], bool]
    read: Callable[[Reading, Rows], Iterator[Route]]


@dataclass(frozen=True, slots=True)
class XmlFormat:
    """One router's XML.

    Attributes:
        looks_right: as for JSON.
        read: the routes of the text; `TruncatedError` where it ends before its end.
    """

    name: str
    looks_right: Callable[[str], bool]
    read: Callable[[Reading, Iterator[str]], Iterator[Route]]
