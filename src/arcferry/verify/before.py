"""The path of a silent server's network when it was last proved, and what has changed since."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path

from arcferry.diagnosis import Diagnosis
from arcferry.diagnosis.names import day
from arcferry.diagnosis.since import compare, since
from arcferry.errors import InputError
from arcferry.evidence.case import Case
from arcferry.fleet.baselines import of_network
from arcferry.fleet.events import EventKind
from arcferry.fleet.inventory import Host
from arcferry.fleet.networks import networks_of
from arcferry.verify.past import Past
from arcferry.watch import baseline


def with_baselines(
    past: Mapping[str, Past], hosts: Iterable[Host], state: Path, notes: list[str]
) -> dict[str, Past]:
    """The same, each with the day on which its network's path was last proved, and what changed after it.

    Args:
        past: what is remembered of each server, by its name in lower case.
        hosts: the rows of these servers.
        state: the folder that remembers.
        notes: gets what could not be read.
    """
    found = dict(past)
    told: dict[tuple[Path, str, tuple[int, ...]], Past] = {}
    for network, some in networks_of(host for host in hosts if host.name.lower() in past).items():
        for host in some:
            one = past[host.name.lower()]
            path = of_network(state, one.target, network) if one.target else None
            if path is None or not path.is_file():
                continue
            # Servers of one network that fail alike are compared once.
            key = (path, one.run, tuple(map(id, one.findings)))
            try:
                alike = told.get(key) or told.setdefault(key, _with(one, host.name, baseline.read(path)))
            except InputError as error:
                notes.append(f"when {network} last had its path is not known: {error.message}")
                break
            found[host.name.lower()] = replace(
                one, proved=alike.proved, mended=alike.mended, findings=alike.findings
            )
        _share(found, some)
    return found


def _share(past: dict[str, Past], hosts: Iterable[Host]) -> None:
    """Give what one server measured to those of its network that the same run did not begin for it."""
    names = [host.name.lower() for host in hosts]
    measured = {past[name].run: past[name] for name in reversed(names) if past[name].findings}
    for name in names:
        one = past[name]
        told = measured.get(one.run)
        if told and not one.findings and one.ended == EventKind.BLOCKED:
            past[name] = replace(one, at=told.at, findings=told.findings, mended=told.mended)


def _with(past: Past, name: str, before: Case) -> Past:
    known = replace(past, proved=day(before.newest) if before.newest else "")
    if past.case is None:
        return known
    own = [one for one in past.case.handed_in if not one.servers or _is_of(one.servers, name)]
    after = Case.of(own, (one for one in past.case.documents if one not in own))
    if before.newest and after.newest and before.newest > after.newest:
        return replace(known, mended=True)
    told = since(Diagnosis((), past.findings), compare(before, after))
    return replace(known, findings=tuple(told.findings))


def _is_of(servers: Iterable[str], name: str) -> bool:
    return name.lower() in {one.lower() for one in servers}
