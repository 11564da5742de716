"""What is held, as the documents of a diagnosis and as the catalogue that is used."""

from collections.abc import Collection
from dataclasses import replace
from datetime import UTC, datetime, time

from arcferry.catalog import Cloud
from arcferry.catalog.adoption import adopt
from arcferry.data import reading
from arcferry.data.catalogue import read_catalogue
from arcferry.data.held import Held, HeldKind
from arcferry.data.store import Store
from arcferry.errors import InputError
from arcferry.evidence.document import Document, Kind
from arcferry.evidence.readers import network

_KINDS = {
    HeldKind.SERVICE_TAGS: Kind.SERVICE_TAGS,
    HeldKind.COMMUNITY_LIST: Kind.COMMUNITY_LIST,
    HeldKind.ROUTE_FILTER: Kind.ROUTE_FILTER,
    HeldKind.CIRCUIT: Kind.CIRCUIT,
}


def documents(store: Store, cloud: Cloud, *, besides: Collection[Kind] = ()) -> tuple[Document, ...]:
    """The newest held document of each kind, for one cloud.

    Behind the newest community list stand older ones that have more values, because a newer one in part must
    not hide what an older one knows. A document that cannot be used is passed over for the next older, and
    the notes say so.

    Args:
        store: the data folder; it may be empty or missing.
        cloud: whose data is wanted.
        besides: the kinds that the caller has already, which are left out.
    """
    wanted = [(held, kind) for held, kind in _KINDS.items() if kind not in besides]
    return tuple(one for held, kind in wanted for one in _newest(store, held, kind, cloud))


def _newest(store: Store, wanted: HeldKind, kind: Kind, cloud: Cloud) -> list[Document]:
    notes: list[str] = []
    found: list[Document] = []
    entries = -1
    for held in store.newest(wanted, cloud.name):
        if found and (wanted is not HeldKind.COMMUNITY_LIST or held.entries <= entries):
            continue
        try:
            found.append(_document(store, held))
            entries = held.entries
        except InputError as error:
            notes.append(f"held {held.kind.words} left out: {error.message}. {error.hint}".strip())
    if not notes:
        return found
    first, *others = found or [Document(f"held {wanted.words}", kind)]
    return [replace(first, notes=(*first.notes, *notes)), *others]


def _document(store: Store, held: Held) -> Document:
    taken = datetime.combine(held.taken, time.min, tzinfo=UTC) if held.taken else None
    name = f"held {held.kind.words} of {held.taken or 'an unknown day'} ({held.name})"
    value = reading.parse(held.name, store.read(held))
    document = next(one for one in network.read_json(held.name, value) if one.kind is _KINDS[held.kind])
    tags, listed, seen = document.service_tags, document.community_list, document.route_filter
    return replace(
        document,
        name=name,
        taken=taken,
        service_tags=replace(tags, taken=held.taken) if tags else None,
        community_list=replace(listed, taken=held.taken) if listed else None,
        route_filter=replace(seen, taken=held.taken) if seen else None,
    )


def adopt_held(store: Store) -> Held | None:
    """Use the newest held endpoint catalogue, if it is newer than the built-in one; which one is used.

    Raises:
        FileInputError: the held catalogue is damaged, or is for another version of arcferry.
    """
    for held in store.newest(HeldKind.ENDPOINTS, ""):
        read = read_catalogue(held.name, store.read(held))
        return held if adopt(read.content, read.taken) else None
    return None
