"""What servers on a share tell of their path: kept where it is whole, compared where it is broken."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from arcferry.diagnosis.names import day
from arcferry.diagnosis.since import Comparison, compare, since
from arcferry.errors import InputError
from arcferry.evidence.case import Case, Document
from arcferry.export.collect import CLOCKS, WITNESSES, Collection, again, age, label
from arcferry.export.result import Reported
from arcferry.fleet.baselines import of_network
from arcferry.fleet.findings import claimed
from arcferry.fleet.inventory import Host, Inventory
from arcferry.fleet.networks import network_of
from arcferry.times import now
from arcferry.watch import baseline


def with_baselines(
    collection: Collection, inventory: Inventory | None, state: Path, held: Sequence[Document]
) -> tuple[Collection, tuple[str, ...]]:
    """The collection with what changed in its findings, and notes on what could not be told.

    The newest whole path of a connected server is kept: as its network's by the inventory, else as its own,
    for a result does not say in which network its server stands.

    Args:
        collection: what was read and judged.
        inventory: whose rows say which servers stand in one network.
        state: the folder that remembers.
        held: what was held when it was judged; a filter of then is kept with the path.
    """
    found: list[Comparison] = []
    notes: list[str] = []
    for network, hosts in _by_network(collection.hosts, inventory).items():
        for connected in (False, True):
            some = [host for host in hosts if host.connected is connected and not host.too_much]
            for host, place, case in _witnesses(collection.share, some, held):
                path = of_network(state, place, network)
                try:
                    if not connected:
                        found += _compared(path, case)
                    elif _is_whole(case):
                        _keep(path, case, host.name)
                except InputError as error:
                    notes.append(f"what changed since {network} had its path is not known: {error.message}")
                    continue
                break
    return replace(collection, diagnosis=since(collection.diagnosis, *found)), tuple(notes)


def _by_network(hosts: Iterable[Reported], inventory: Inventory | None) -> Mapping[str, list[Reported]]:
    rows: dict[str, list[Host]] = {}
    for row in inventory.hosts if inventory else ():
        rows.setdefault(label(row.name), []).append(row)
    found: dict[str, list[Reported]] = {}
    for host in hosts:
        alike = rows.get(label(host.name), [])
        same = [row for row in alike if row.name.lower() == host.name.lower()] or alike
        network = network_of(same[0]) if len(same) == 1 else f"server {host.name.lower()}"
        found.setdefault(network, []).append(host)
    return found


def _witnesses(
    share: Path, hosts: Iterable[Reported], held: Sequence[Document]
) -> Iterator[tuple[Reported, Mapping[str, str], Case]]:
    """The newest of them that tell of a path, each with where that leads and what it says."""
    for host in sorted(hosts, key=age, reverse=True)[:WITNESSES]:
        read = again(share, host)
        if read and read.path:
            place = {name: str(read.path.get(name, "")) for name in ("cloud", "location")}
            case = Case.of(claimed(host.name, [("path.json", json.dumps(read.path).encode())]), held)
            if case.attempts:
                yield host, place, case


def _is_whole(case: Case) -> bool:
    return all(seen.reachable for seen in case.attempts if seen.required is not False)


def _keep(path: Path, case: Case, server: str) -> None:
    """Keep it in place of an older one: a share is read again and again, and holds old results too."""
    taken = case.newest
    if taken is None or taken > now() + CLOCKS:
        told = f"is of {day(taken)}, which is to come" if taken else "has no day"
        raise InputError(f"the path that {server} tells {told}: look at its clock")
    before = baseline.read(path).newest if path.is_file() else None
    if before is None or before < taken or before > now() + CLOCKS:
        baseline.keep(path, case)


def _compared(path: Path, case: Case) -> list[Comparison]:
    """What changed; nothing where no baseline is, or one that is newer: then the path is whole again."""
    if not path.is_file():
        return []
    before = baseline.read(path)
    mended = before.newest and case.newest and case.newest < before.newest <= now() + CLOCKS
    return [] if mended else [compare(before, case)]
