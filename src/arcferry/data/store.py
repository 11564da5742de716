"""The data folder: dated documents, each beside what is known of it."""

import hashlib
import json
import re
from collections.abc import Collection, Iterable
from dataclasses import asdict, dataclass, replace
from datetime import UTC, date, datetime, time
from enum import StrEnum
from pathlib import Path

from arcferry import times
from arcferry.catalog import Cloud, adopt
from arcferry.errors import FileInputError, InputError
from arcferry.evidence.case import Document, Kind
from arcferry.evidence.readers import network
from arcferry.evidence.readers.values import text_of
from arcferry.files import FILE_LIMIT, naming, read_bounded, write_whole
from arcferry.routing.azure_json import date_in
from arcferry.text import from_json as read_json
from arcferry.text import one_line, quoted

_SCHEMA = 1
_HASH = re.compile(r"[0-9a-f]{64}")
_NOT_OURS = (ValueError, LookupError, TypeError, RecursionError, OverflowError)
_SHORT = 12
OLD_AFTER = 45
"""Days after which a document counts as old: service tags change weekly, Microsoft's prefixes monthly."""
_BESIDE = ".json"
# Earlier releases kept a second form of service tags beside them. It is not read; it goes with its document.
_PREPARED = ".prepared"
_BESIDE_LIMIT = 64 * 1024
_ID_LENGTH = 4
HINT = (
    "Held are service tags, lists of BGP communities, route filters, circuits and the endpoint catalogue. "
    "Anything else goes to arcferry explain."
)


class HeldKind(StrEnum):
    """What can be held, in the words of `evidence.document.Kind` where that has the kind too."""

    SERVICE_TAGS = "service-tags"
    COMMUNITY_LIST = "community-list"
    ROUTE_FILTER = "route-filter"
    CIRCUIT = "circuit"
    ENDPOINTS = "endpoints"

    @property
    def words(self) -> str:
        """The kind in running text."""
        return "endpoint catalogue" if self is HeldKind.ENDPOINTS else self.value.replace("-", " ")


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


def _to_json(held: Held) -> bytes:
    """What is written beside the document."""
    fields = asdict(held)
    del fields["path"]
    return json.dumps({"schema": _SCHEMA, **fields}, indent=1, default=lambda day: day.isoformat()).encode()


def from_json(data: bytes, folder: Path) -> Held:
    """What was written beside the document that lies in `folder`.

    Raises:
        `_NOT_OURS`: it is not what arcferry writes there.
    """
    fields = read_json(data)
    sha256, number, taken = str(fields["sha256"]), fields["change_number"], fields["taken"]
    if fields["schema"] != _SCHEMA or not _HASH.fullmatch(sha256):
        raise ValueError("another schema")
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


def in_order(held: Iterable[Held]) -> tuple[Held, ...]:
    """By kind and cloud, the newest first."""
    kinds = list(HeldKind)
    found = sorted(held, key=lambda one: one.age, reverse=True)
    return tuple(sorted(found, key=lambda one: (kinds.index(one.kind), one.cloud)))


class Store:
    """Documents in a folder, several dated copies of each kind.

    A document lies under the name of its own SHA-256, and counts as held once the file that says what it is
    lies beside it. So two imports at one time lose nothing, and a reader never sees a part of either.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def put(self, held: Held, data: bytes) -> Held:
        """Hold what `recognise` found. What is held already stays, with the day and source that are new.

        Raises:
            FileInputError: the folder cannot be written.
        """
        path = self.folder / held.kind / held.sha256
        before = self._one(path.with_suffix(_BESIDE))
        held = replace(held, path=path, taken=held.taken or (before.taken if before else None))
        write_whole(path, data)
        write_whole(path.with_suffix(_BESIDE), _to_json(held))
        return held

    def held(self) -> tuple[Held, ...]:
        """Everything that is held, by kind and cloud, the newest first; nothing in a missing folder."""
        return in_order(held for path in self._beside() if (held := self._one(path)))

    def newest(self, kind: HeldKind, cloud: str) -> tuple[Held, ...]:
        """What is held of one kind for one cloud, the newest first; what belongs to no one cloud fits all."""
        found = [held for held in self.held() if held.kind is kind and held.cloud in ("", cloud)]
        return tuple(sorted(found, key=lambda held: held.age, reverse=True))

    def unreadable(self) -> tuple[Path, ...]:
        """Files in the folder that should say what is held, and do not."""
        return tuple(path for path in self._beside() if self._one(path) is None)

    def read(self, held: Held) -> bytes:
        """The held document.

        Raises:
            FileInputError: it is missing, or is not what was taken in.
        """
        data = read_bounded(held.path, limit=FILE_LIMIT)
        if hashlib.sha256(data).hexdigest() != held.sha256:
            raise FileInputError(
                held.path,
                f"{held.name} is not what was taken in",
                hint=f"arcferry data remove {held.id}, then import it again.",
            )
        return data

    def named(self, names: Iterable[str]) -> tuple[Held, ...]:
        """The documents whose ids begin with these texts.

        Raises:
            InputError: none or several do, or a text is too short to be sure.
        """
        every = self.held()
        found = {}
        for name in names:
            fits = [one for one in every if one.sha256.startswith(name.lower())]
            if len(fits) != 1 or len(name) < _ID_LENGTH:
                problem = "is held under" if not fits else "is told apart by"
                raise InputError(
                    f"no one document {problem} the id {quoted(name)}",
                    hint="arcferry data show lists the ids.",
                )
            found[fits[0].sha256] = fits[0]
        return tuple(found.values())

    def remove(self, documents: Iterable[Held]) -> None:
        """Hold these no longer.

        Raises:
            FileInputError: a file cannot be removed.
        """
        for held in documents:
            for suffix in (_BESIDE, _PREPARED, ""):
                path = held.path.with_suffix(suffix) if suffix else held.path
                with naming(path, "cannot be removed"):
                    path.unlink(missing_ok=True)

    def export(self, held: Held, folder: Path) -> Path:
        """Write a held document into `folder`, under a name that has its day, for another data folder.

        Raises:
            FileInputError: the document is not what was taken in, or the folder cannot be written.
        """
        dated = not held.taken or date_in(held.name) == held.taken
        path = folder / Path(held.name if dated else f"{held.taken}-{held.name}").name
        write_whole(path, self.read(held))
        return path

    def _beside(self) -> list[Path]:
        folders = [self.folder / kind for kind in HeldKind]
        with naming(self.folder):
            return sorted(path for folder in folders for path in folder.glob(f"*{_BESIDE}"))

    def _one(self, path: Path) -> Held | None:
        try:
            held = from_json(read_bounded(path, limit=_BESIDE_LIMIT), path.parent)
        except (FileInputError, *_NOT_OURS):
            return None
        return held if (held.sha256, held.kind) == (path.stem, path.parent.name) else None


def documents(store: Store, cloud: Cloud, *, besides: Collection[Kind] = ()) -> tuple[Document, ...]:
    """The newest held document of each kind, for one cloud.

    Behind the newest community list stand older ones that have more values, because a newer one in part must
    not hide what an older one knows. A document that cannot be used is passed over for the next older, and
    the notes say so. The kinds that the caller has `besides` are left out.
    """
    kinds = [kind for kind in HeldKind if kind is not HeldKind.ENDPOINTS and Kind(kind) not in besides]
    return tuple(one for kind in kinds for one in _newest(store, kind, cloud))


def _newest(store: Store, wanted: HeldKind, cloud: Cloud) -> list[Document]:
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
    first, *others = found or [Document(f"held {wanted.words}", Kind(wanted))]
    return [replace(first, notes=(*first.notes, *notes)), *others]


def _document(store: Store, held: Held) -> Document:
    taken = datetime.combine(held.taken, time.min, tzinfo=UTC) if held.taken else None
    name = f"held {held.kind.words} of {held.taken or 'an unknown day'} ({held.name})"
    value = parse(held.name, store.read(held))
    document = next(one for one in network.read_json(held.name, value) if one.kind is Kind(held.kind))
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
    from arcferry.data.catalogue import read_catalogue  # noqa: PLC0415  # pydantic, for who holds a catalogue

    for held in store.newest(HeldKind.ENDPOINTS, ""):
        read = read_catalogue(held.name, store.read(held))
        return held if adopt(read.content, read.taken) else None
    return None


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
