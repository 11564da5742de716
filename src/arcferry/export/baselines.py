"""The path of each network by servers that report through a share: kept for later, or compared."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from arcferry.catalog import Cloud
from arcferry.diagnosis.destination import destinations_of
from arcferry.diagnosis.since import Comparison, since
from arcferry.errors import InputError
from arcferry.evidence.case import Case, Document
from arcferry.export.collect import Collection, dated, label, path_of
from arcferry.export.result import Reported
from arcferry.fleet.baselines import kept_or_compared, not_known, of_network
from arcferry.fleet.inventory import Inventory
from arcferry.fleet.networks import networks_of

_MOST_TRIED = 8
"""Servers of a network whose path is read: one that connected has measured the same as the others."""


@dataclass(frozen=True, slots=True)
class Measured:
    """The path of one network by its newest server that tells.

    Attributes:
        well: whether the server is connected, and reached all that is required.
    """

    network: str
    location: str
    case: Case
    well: bool


def with_baselines(
    collection: Collection,
    inventory: Inventory,
    state: Path,
    cloud: Cloud,
    held: Sequence[Document],
) -> tuple[Collection, tuple[str, ...]]:
    """The collection with what changed in its findings, and notes on what could not be told.

    The path that a connected server measured is kept for the next time, as `onboard apply` keeps what it
    proved, and under the same name. A network is what the inventory makes one.

    Args:
        collection: what the servers reported.
        inventory: the servers, which says of what network each is.
        state: the folder that remembers.
        cloud: the cloud that they go to.
        held: what is held now; a filter of now is kept with the path.
    """
    found: list[Comparison] = []
    notes: list[str] = []
    for one in _measured(collection, inventory, held):
        target = {"cloud": cloud.name, "location": one.location}
        try:
            changed = kept_or_compared(of_network(state, target, one.network), one.case, well=one.well)
        except InputError as error:
            notes.append(not_known(one.network, error))
        else:
            found += filter(None, (changed,))
    return replace(collection, diagnosis=since(collection.diagnosis, *found)), tuple(notes)


def _measured(collection: Collection, inventory: Inventory, held: Sequence[Document]) -> Iterator[Measured]:
    by_name = _by_name(collection.hosts)
    for network, hosts in networks_of(inventory.hosts).items():
        reported = [by_name[name] for host in hosts if (name := label(host.name)) in by_name]
        # What fails is told beside how it was; only where nothing fails is the path kept as it is now.
        failing = [one for one in reported if not one.connected]
        if seen := _newest(network, failing or reported, collection.share, held):
            yield seen


def _by_name(hosts: Iterable[Reported]) -> Mapping[str, Reported]:
    """The hosts by the name up to the first dot; two of one such name are left out."""
    found: dict[str, list[Reported]] = {}
    for host in hosts:
        found.setdefault(label(host.name), []).append(host)
    return {name: some[0] for name, some in found.items() if len(some) == 1}


def _newest(
    network: str, hosts: Iterable[Reported], share: Path, held: Sequence[Document]
) -> Measured | None:
    """The newest of these hosts whose path can be read; a date to come is no date."""
    newest = sorted(filter(dated, hosts), key=lambda host: str(host.ended), reverse=True)
    for host in newest[:_MOST_TRIED]:
        documents, location = path_of(share, host)
        case = Case.of(documents, held)
        if case.attempts:
            return Measured(network, location, case, host.connected and _is_well(case))
    return None


def _is_well(case: Case) -> bool:
    wanted = [one for one in destinations_of(case) if one.required]
    return bool(wanted) and all(one.reached for one in wanted)
