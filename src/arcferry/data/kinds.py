"""Which kind of data a document is, by its content, and what is to be known of it."""

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from pathlib import Path

from arcferry import catalog, times
from arcferry.data import catalogue
from arcferry.data.held import HINT, Held, HeldKind, parse
from arcferry.errors import FileInputError
from arcferry.evidence.case import Document, Kind
from arcferry.evidence.readers import network
from arcferry.routing.shapes import date_in
from arcferry.text import one_line


def recognise(
    data: bytes,
    name: str,
    *,
    taken: date | None = None,
    cloud: str = "",
    source: str = "",
    added: datetime | None = None,
) -> tuple[Held, bytes]:
    """Recognise a document by its content, and check all of it.

    Gives what is known of it, its `path` being a name alone until it is stored, and what is to be stored,
    without secrets.

    Args:
        data: the whole file.
        name: its name, for errors and for the day in it.
        taken: the day it was true; else the one in its name or in the document.
        cloud: the catalogue's name of its cloud, where the document does not tell.
        source: where it came from; the name if empty.
        added: when it is taken in; now if None.

    Raises:
        FileInputError: it is none of the kinds that are held, a part of it is wrong, or its day is to come.
    """
    name = one_line(Path(name).name, limit=200) or "document"
    if catalogue.looks_right(data):
        read = catalogue.read_catalogue(name, data)
        facts = _Described(HeldKind.ENDPOINTS, data=data, taken=read.taken, entries=read.entries)
    else:
        facts = _of_json(name, data)
    day = taken or facts.taken
    if day and is_to_come(day):
        says = f"its day, {day}, lies after today, {times.now().date()}"
        hint = "It would lead over every newer copy. Look at this computer's clock and at the file's name."
        raise FileInputError(name, says, hint=hint)
    sha256 = hashlib.sha256(facts.data).hexdigest()
    held = Held(
        kind=facts.kind,
        cloud=facts.cloud or cloud,
        name=name,
        taken=day,
        change_number=facts.change_number,
        entries=facts.entries,
        prefixes=facts.prefixes,
        source=one_line(source or name),
        sha256=sha256,
        added=added or times.now(),
        path=Path(sha256),
    )
    return held, facts.data


def is_to_come(day: date) -> bool:
    """Whether a day lies ahead everywhere on earth: where the date changes first, it is tomorrow already."""
    return day > times.now().date() + timedelta(days=1)


@dataclass(frozen=True, slots=True)
class _Described:
    """What a document says of itself."""

    kind: HeldKind
    data: bytes = b""
    cloud: str = ""
    taken: date | None = None
    entries: int = 0
    prefixes: int = 0
    change_number: int | None = None


def _of_json(name: str, data: bytes) -> _Described:
    value = parse(name, data)
    documents = [one for one in network.read_json(name, value) if one.kind in _READERS]
    if len(documents) != 1:
        several = "several documents in one file, which are held one by one"
        problem = several if documents else "not a kind of data that is held"
        raise FileInputError(name, problem, hint=HINT)
    document = documents[0]
    facts = _READERS[document.kind](document)
    # Of what may hold keys, only what is left without them is kept; the rest byte for byte as it came.
    if facts.kind in _MAY_HOLD_KEYS:
        data = json.dumps(_without_secrets(value), indent=1).encode()
    return replace(facts, data=data)


def _service_tags(document: Document) -> _Described:
    tags = document.service_tags
    if tags is None or not len(tags.prefixes):
        raise FileInputError(document.name, "holds no prefix", hint="Download the file again.")
    named = {cloud.service_tag_cloud: cloud.name for cloud in catalog.clouds()}
    names = {name for _, known in tags.prefixes.entries() for name, _ in known}
    cloud = named.get(tags.cloud, tags.cloud)
    return _Described(
        HeldKind.SERVICE_TAGS,
        cloud=cloud,
        taken=tags.taken,
        entries=len(names),
        prefixes=len(tags.prefixes),
        change_number=tags.change_number,
    )


def _community_list(document: Document) -> _Described:
    listed = document.community_list
    if listed is None or not len(listed.prefixes):
        raise FileInputError(document.name, "holds no prefix", hint="Ask Azure for the list again.")
    cloud = _cloud_of(listed.values)
    return _Described(
        HeldKind.COMMUNITY_LIST,
        cloud=cloud,
        taken=listed.taken,
        entries=len(listed.values),
        prefixes=len(listed.prefixes),
    )


def _route_filter(document: Document) -> _Described:
    seen = document.route_filter
    values = seen.communities if seen else frozenset()
    return _Described(
        HeldKind.ROUTE_FILTER, cloud=_cloud_of(values), taken=date_in(document.name), entries=len(values)
    )


def _circuit(document: Document) -> _Described:
    found = document.circuit
    peerings = sum(peering is not None for peering in (found.microsoft, found.microsoft_ipv6)) if found else 0
    return _Described(HeldKind.CIRCUIT, taken=date_in(document.name), entries=peerings)


_SECRET = frozenset({"sharedkey", "servicekey", "authorizationkey", "authorizations", "authorizationuse"})
_MAY_HOLD_KEYS = (HeldKind.ROUTE_FILTER, HeldKind.CIRCUIT)
_READERS = {
    Kind.SERVICE_TAGS: _service_tags,
    Kind.COMMUNITY_LIST: _community_list,
    Kind.ROUTE_FILTER: _route_filter,
    Kind.CIRCUIT: _circuit,
}


def _cloud_of(values: Iterable[str]) -> str:
    """The cloud that most documented values belong to; empty if none is documented."""
    counted = Counter(known.cloud for value in values if (known := catalog.community(value)))
    return counted.most_common(1)[0][0] if counted else ""


def _without_secrets(value: object) -> object:
    """The same JSON value without the keys of circuits and peerings, in whatever letter case they come."""
    if isinstance(value, Mapping):
        return {
            key: _without_secrets(inner)
            for key, inner in value.items()
            if str(key).lower().replace("_", "") not in _SECRET
        }
    return [_without_secrets(inner) for inner in value] if isinstance(value, list) else value
