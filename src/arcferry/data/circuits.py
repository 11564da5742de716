"""A circuit of Azure's as evidence: what is held of it, and what holds for this moment alone."""

import json
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from arcferry import times
from arcferry.azure import circuits, signed_in
from arcferry.azure.circuits import Answer
from arcferry.data import download
from arcferry.data.kinds import without_keys
from arcferry.data.store import HeldKind, Store
from arcferry.data.update import SignIn, Status, UpdateResult, hold
from arcferry.errors import ArcferryError
from arcferry.evidence.case import Document, Kind
from arcferry.evidence.reading import read_document
from arcferry.files import write_whole
from arcferry.routing.route import Vantage, route_table
from arcferry.routing.tables.azure import NAME as AZURE

_HELD = {"circuit": HeldKind.CIRCUIT, "route-filter": HeldKind.ROUTE_FILTER}


@dataclass(frozen=True, slots=True)
class CircuitRead:
    """Everything that Resource Manager tells of a circuit.

    Attributes:
        answers: as they came, each part once, tables once a path.
        outcomes: what became of that which is held: the circuit, its filters and the list of communities.
        taken: when it was asked.
    """

    answers: tuple[Answer, ...]
    outcomes: tuple[UpdateResult, ...]
    taken: datetime

    @property
    def errors(self) -> tuple[ArcferryError, ...]:
        """Why parts are missing."""
        failed = [one.error for one in self.outcomes if one.error]
        return (*(one.error for one in self.answers if one.error), *failed)

    def evidence(self, link: str) -> tuple[Document, ...]:
        """The answers about a path as documents, or, of no path, those about both.

        Raises:
            FileInputError: Azure answered with something else.
        """
        mine = (one for one in self.answers if one.link == link)
        return tuple(document for one in mine for document in documents_of(one, self.taken))

    def traffic(self, link: str) -> tuple[int | None, int | None]:
        """The bytes that came in and went out on a path, as far as Azure tells."""
        stats = next((one.document for one in self.answers if one.part == "stats" and one.document), {})
        found = [stats.get(f"{link}bytes{way}") for way in ("In", "Out")]
        in_, out = (one if isinstance(one, int) else None for one in found)
        return in_, out

    def keep(self, folder: Path) -> tuple[Path, ...]:
        """Write each answer into a folder, without keys, as a file that commands take as evidence.

        Raises:
            FileInputError: the folder cannot be written.
        """
        written = []
        for one in self.answers:
            if one.document is not None:
                path = folder / f"{self.taken.date()}-{one.name}.json"
                write_whole(path, json.dumps(without_keys(one.document), indent=1).encode())
                written.append(path)
        return tuple(written)


def documents_of(answer: Answer, taken: datetime) -> tuple[Document, ...]:
    """One answer as evidence; none of the traffic, which no rule judges by.

    Raises:
        FileInputError: Azure answered with something else.
    """
    if answer.document is None or answer.part == "stats":
        return ()
    name = f"Azure's {answer.part.replace('-', ' ')}{f' of the {answer.link} path' if answer.link else ''}"
    if answer.part == "routes" and answer.document.get("value") == []:
        table = route_table(name, (), format=AZURE, vantage=Vantage.AZURE, shows_communities=False)
        return (Document(name, Kind.AZURE_ROUTES, taken, route_table=replace(table, taken=taken)),)
    found = read_document(name, json.dumps(dict(answer.document)).encode())
    # A table that was asked for here is a whole one, however few rows it has.
    whole = not answer.document.get("nextLink")
    return tuple(_dated(one, taken, whole) for one in found)


def _dated(document: Document, taken: datetime, whole: bool) -> Document:
    seen, table = document.route_filter, document.route_table
    return replace(
        document,
        taken=taken,
        route_filter=replace(seen, taken=taken.date()) if seen else None,
        route_table=replace(table, taken=taken, complete=whole) if table else None,
    )


async def read(store: Store, sign_in: SignIn, name: str) -> CircuitRead:
    """Ask for a circuit and all that belongs to it, and hold what is worth holding.

    Raises:
        ArcferryError: the circuit itself cannot be read.
    """
    taken = times.now()
    async with signed_in(sign_in.target, sign_in.principal) as session:
        answers = await circuits.read(session, name)
        cloud = session.target.cloud.name
        outcomes = []
        for one in answers:
            if one.document is not None and (kind := _HELD.get(one.part)):
                path = str(one.document.get("id") or "")
                called = str(one.document.get("name") or name)
                file = f"{kind.value}-{Path(called).name}-{taken.date()}.json"
                got = download.named(file, dict(one.document), session, path)
                outcomes.append(_held(store, kind, got, cloud))
        try:
            got = await download.community_list(session, taken.date())
            outcomes.append(_held(store, HeldKind.COMMUNITY_LIST, got, cloud))
        except ArcferryError as error:
            outcomes.append(UpdateResult(HeldKind.COMMUNITY_LIST, Status.FAILED, error=error))
    return CircuitRead(answers, tuple(outcomes), taken)


def _held(store: Store, kind: HeldKind, got: download.Download, cloud: str) -> UpdateResult:
    try:
        return hold(store, kind, got, cloud)
    except ArcferryError as error:
        return UpdateResult(kind, Status.FAILED, error=error)
