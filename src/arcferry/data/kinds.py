"""Which kind of data a document is, by its content, and what is to be known of it."""

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path

from arcferry import catalog, times
from arcferry.data import catalogue
from arcferry.data.store import HINT, Held, HeldKind, parse
from arcferry.errors import FileInputError
from arcferry.evidence.case import Document
from arcferry.evidence.readers import network
from arcferry.routing.azure_json import date_in
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
        name: the file's name.
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
        facts = _Described(HeldKind.ENDPOINTS, read.taken, read.entries)
    else:
        facts, data = _of_json(name, data)
    day = taken or facts.taken
    if day and is_to_come(day):
        says = f"its day, {day}, lies after today, {times.now().date()}"
        hint = "It would lead over every newer copy. Look at this computer's clock and at the file's name."
        raise FileInputError(name, says, hint=hint)
    sha256 = hashlib.sha256(data).hexdigest()
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
    return held, data


def is_to_come(day: date) -> bool:
    """Whether a day lies ahead everywhere on earth: where the date changes first, it is tomorrow already."""
    return day > times.now().date() + timedelta(days=1)


@dataclass(frozen=True, slots=True)
class _Described:
    """What a document says of itself."""

    kind: HeldKind
    taken: date | None
    entries: int
    cloud: str = ""
    prefixes: int = 0
    change_number: int | None = None


_SECRET = frozenset({"sharedkey", "servicekey", "authorizationkey", "authorizations", "authorizationuse"})
_HELD = frozenset(kind.value for kind in HeldKind)
_MAY_HOLD_KEYS = (HeldKind.ROUTE_FILTER, HeldKind.CIRCUIT)
_WITHOUT_PREFIX = {
    HeldKind.SERVICE_TAGS: "Download the file again.",
    HeldKind.COMMUNITY_LIST: "Ask Azure for the list again.",
}


def _of_json(name: str, data: bytes) -> tuple[_Described, bytes]:
    value = parse(name, data)
    documents = [one for one in network.read_json(name, value) if one.kind.value in _HELD]
    if len(documents) != 1:
        several = "several documents in one file, which are held one by one"
        problem = several if documents else "not a kind of data that is held"
        raise FileInputError(name, problem, hint=HINT)
    facts = _described(documents[0])
    if facts.kind in _WITHOUT_PREFIX and not facts.prefixes:
        raise FileInputError(name, "holds no prefix", hint=_WITHOUT_PREFIX[facts.kind])
    # Of what may hold keys, only what is left without them is kept; the rest byte for byte as it came.
    if facts.kind in _MAY_HOLD_KEYS:
        data = json.dumps(without_keys(value), indent=1).encode()
    return facts, data


def _described(document: Document) -> _Described:
    kind = HeldKind(document.kind.value)
    if tags := document.service_tags:
        named = {cloud.service_tag_cloud: cloud.name for cloud in catalog.clouds()}
        cloud = named.get(tags.cloud, tags.cloud)
        names = {name for _, known in tags.prefixes.entries() for name, _ in known}
        return _Described(kind, tags.taken, len(names), cloud, len(tags.prefixes), tags.change_number)
    if listed := document.community_list:
        values, prefixes = listed.values, len(listed.prefixes)
        return _Described(kind, listed.taken, len(values), _cloud_of(values), prefixes)
    if seen := document.route_filter:
        values = seen.communities
        return _Described(kind, date_in(document.name), len(values), _cloud_of(values))
    found = document.circuit
    peerings = [one for one in (found.microsoft, found.microsoft_ipv6) if one] if found else []
    return _Described(kind, date_in(document.name), len(peerings))


def _cloud_of(values: Iterable[str]) -> str:
    """The cloud that most documented values belong to; empty if none is documented."""
    counted = Counter(known.cloud for value in values if (known := catalog.community(value)))
    return counted.most_common(1)[0][0] if counted else ""


def without_keys(value: object) -> object:
    """The same JSON value without the keys of circuits and peerings, in whatever letter case they come."""
    if isinstance(value, Mapping):
        return {
            key: without_keys(inner)
            for key, inner in value.items()
            if str(key).lower().replace("_", "") not in _SECRET
        }
    return [without_keys(inner) for inner in value] if isinstance(value, list) else value
