"""What is known of one held document, and the JSON in it."""

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date, datetime
from enum import StrEnum
from pathlib import Path

from arcferry import times
from arcferry.errors import FileInputError
from arcferry.evidence.readers.values import text_of
from arcferry.files import FILE_LIMIT
from arcferry.text import from_json as read_json
from arcferry.text import one_line

_SCHEMA = 1
_HASH = re.compile(r"[0-9a-f]{64}")
_SHORT = 12
OLD_AFTER = 45
"""Days after which a document counts as old: service tags change weekly, Microsoft's prefixes monthly."""


class HeldKind(StrEnum):
    """What can be held, in the words of `diagnosis.document.Kind` where that has the kind too."""

    SERVICE_TAGS = "service-tags"
    COMMUNITY_LIST = "community-list"
    ROUTE_FILTER = "route-filter"
    CIRCUIT = "circuit"
    ENDPOINTS = "endpoints"

    @property
    def words(self) -> str:
        """The kind in running text."""
        return _WORDS[self]


_WORDS = {
    HeldKind.SERVICE_TAGS: "service tags",
    HeldKind.COMMUNITY_LIST: "community list",
    HeldKind.ROUTE_FILTER: "route filter",
    HeldKind.CIRCUIT: "circuit",
    HeldKind.ENDPOINTS: "endpoint catalogue",
}


@dataclass(frozen=True, slots=True)
class Held:
    """One held document.

    Attributes:
        cloud: the catalogue's name of its cloud, such as `AzureCloud`; empty if it fits every cloud.
        name: the file's name as it was handed in.
        taken: the day it was true, None if nobody knows.
        change_number: of service tags, None of anything else.
        entries: how many tags, communities, values or endpoints it has.
        prefixes: how many prefixes, 0 where it has none.
        source: the file or the address it came from.
        sha256: of the document as it is held.
        added: when it was taken in.
        path: the held document.
    """

    kind: HeldKind
    cloud: str
    name: str
    taken: date | None
    change_number: int | None
    entries: int
    prefixes: int
    source: str
    sha256: str
    added: datetime
    path: Path

    @property
    def id(self) -> str:
        """What the command line calls it."""
        return self.sha256[:_SHORT]

    @property
    def age(self) -> tuple[date, int, datetime]:
        """Sorts the older before the newer; what has no day counts as old."""
        return self.taken or date.min, self.change_number or 0, self.added

    def days(self, today: date) -> int | None:
        """How many days ago it was true; None if nobody knows."""
        return (today - self.taken).days if self.taken else None

    def is_old(self, today: date) -> bool:
        """Whether it should be replaced: too old, or of an unknown day."""
        days = self.days(today)
        return days is None or days > OLD_AFTER


def to_json(held: Held) -> bytes:
    """What is written beside the document."""
    fields = asdict(held)
    del fields["path"]
    return json.dumps({"schema": _SCHEMA, **fields}, indent=1, default=lambda day: day.isoformat()).encode()


def from_json(data: bytes, folder: Path) -> Held:
    """What was written beside the document that lies in `folder`.

    Raises:
        ValueError: it is not what arcferry writes there.
    """
    try:
        fields = read_json(data)
        if not isinstance(fields, dict) or fields.get("schema") != _SCHEMA:
            raise ValueError("another schema")
        return _held(fields, folder)
    except (KeyError, TypeError, RecursionError, OverflowError) as error:
        raise ValueError(f"not what is written beside a held document: {error}") from error


def _held(fields: Mapping[str, object], folder: Path) -> Held:
    sha256 = str(fields["sha256"])
    if not _HASH.fullmatch(sha256):
        raise ValueError("no SHA-256")
    number = fields["change_number"]
    taken = fields["taken"]
    return Held(
        kind=HeldKind(str(fields["kind"])),
        cloud=one_line(str(fields["cloud"])),
        name=one_line(str(fields["name"])),
        taken=date.fromisoformat(str(taken)) if taken else None,
        change_number=None if number is None else _count(number),
        entries=_count(fields["entries"]),
        prefixes=_count(fields["prefixes"]),
        source=one_line(str(fields["source"])),
        sha256=sha256,
        added=times.from_text(str(fields["added"])),
        path=folder / sha256,
    )


def _count(value: object) -> int:
    if not isinstance(value, int) or value < 0:
        raise ValueError("no count")
    return value


HINT = (
    "Held are service tags, lists of BGP communities, route filters, circuits and the endpoint catalogue. "
    "Anything else goes to arcferry explain."
)


def parse(name: str, data: bytes) -> object:
    """The JSON value in a file of any usual encoding.

    Raises:
        FileInputError: no JSON, cut short, nested too deeply, or too large.
    """
    if len(data) > FILE_LIMIT:
        raise FileInputError(name, f"larger than the {FILE_LIMIT:,} bytes that are read of such a file")
    text = text_of(data)
    if text is None or not text.lstrip().startswith(("{", "[")):
        raise FileInputError(name, "no JSON, and no endpoint catalogue", hint=HINT)
    try:
        return read_json(text)
    except RecursionError:
        raise FileInputError(name, "JSON that is nested too deeply to be read") from None
    except json.JSONDecodeError as error:
        cut = "" if text.rstrip().endswith(("}", "]")) else "cut short: "
        raise FileInputError(
            name, f"{cut}no whole JSON: {error.msg}", line=error.lineno, hint="Fetch the file again."
        ) from None
    except ValueError as error:
        raise FileInputError(name, f"no JSON: it holds {one_line(str(error))}") from None
