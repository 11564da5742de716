"""Reading a share of result files back; hosts that failed alike are diagnosed once."""

import json
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from arcferry.azure import Machine
from arcferry.diagnosis.finding import NOTHING_JUDGED, Diagnosis
from arcferry.errors import FileInputError, InputError
from arcferry.evidence.case import Document
from arcferry.evidence.readers.guard import kept_apart, unreadable
from arcferry.export.result import MOST_EVIDENCE, NotAResultError, Reported, read_result
from arcferry.files import naming, write_whole
from arcferry.fleet.findings import claimed, findings_of, symptoms_of
from arcferry.fleet.inventory import Inventory
from arcferry.text import one_line
from arcferry.times import now, to_text

MOST_FILES = 100_000
RESULTS = "results"
_SUFFIX = ".json"
_HALF = ".tmp"
_OUTPUTS = {
    "check": "azcmagent-check.txt",
    "connect": "azcmagent-connect.txt",
    "install": "installer-log.txt",
}
WITNESSES = 3
"""Hosts of one group whose evidence is shown; the others have the same symptoms."""
CLOCKS = timedelta(days=1)
"""A clock that takes local time for UTC is off by at most 14 hours."""


@dataclass(frozen=True, slots=True)
class Skipped:
    """A file that was left out, and why."""

    file: str
    why: str


@dataclass(frozen=True, slots=True)
class Unclear:
    """A host that reported, and cannot be told apart.

    Attributes:
        host: the name that it gave.
        may_be: the hosts of the inventory that it may be.
    """

    host: str
    may_be: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Collection:
    """Everything that a share holds, as it was judged; what the hosts handed in was let go.

    Attributes:
        share: the folder that was read.
        hosts: by name.
        missing: hosts of the inventory that did not report; empty without an inventory.
        strangers: hosts that reported and are not in the inventory; empty likewise.
        unclear: hosts that reported and may be one of several of the inventory, counted for none of them;
            empty likewise.
        diagnosis: what the failed hosts' evidence leads to; each finding names the hosts that have it.
        doubts: results that were read, and in which something cannot be.
        asked: whether Azure was asked about every host; then what it shows counts, where a host says that it
            is connected.
    """

    share: Path
    hosts: tuple[Reported, ...]
    skipped: tuple[Skipped, ...]
    missing: tuple[str, ...] = ()
    strangers: tuple[str, ...] = ()
    unclear: tuple[Unclear, ...] = ()
    diagnosis: Diagnosis = NOTHING_JUDGED
    doubts: tuple[Skipped, ...] = ()
    asked: bool = False

    @property
    def failed(self) -> tuple[Reported, ...]:
        """The hosts of which a step failed."""
        return tuple(host for host in self.hosts if host.failed)

    @property
    def not_heard_from(self) -> tuple[Reported, ...]:
        """The hosts whose machine is made, and of which Azure has had no heartbeat."""
        return tuple(host for host in self.hosts if not host.connected and not host.failed)

    @property
    def all_good(self) -> bool:
        """Whether every host is connected, and every one of the inventory reported."""
        return all(host.connected for host in self.hosts) and not self.missing


@dataclass(frozen=True, slots=True)
class InAzure:
    """What Azure shows: every machine of a subscription's resource group, by lower-case name."""

    machines: Mapping[str, Machine]
    group: str
    subscription_id: str


def collect(
    share: Path,
    inventory: Inventory | None = None,
    context: Iterable[Document] = (),
    held: Iterable[Document] = (),
    azure: InAzure | None = None,
) -> Collection:
    """Read every result in a folder, or in `results` below it. Nothing there is changed.

    A file that is no whole result is named and left out. Of two files of one host the newer counts; a date to
    come is no date. Results are read one at a time, and judged.

    Args:
        share: the folder `results`, or the share that holds it.
        inventory: who should have reported.
        context: what else was handed in, such as a route filter.
        held: the documents of `arcferry data`.
        azure: what Azure shows, if it was asked. Of hosts that go to another resource group or subscription
            by the inventory their own word stands.

    Raises:
        FileInputError: there is no such folder, or it cannot be read.
        InputError: it holds no result, and nothing else that could be one.
    """
    folder = _folder(share)
    hosts, skipped = _read_all(folder)
    if not hosts and not skipped:
        raise InputError(f"{folder} holds no results", hint="Each host writes a file HOST.json there.")
    found = tuple(hosts[name] for name in sorted(hosts))
    elsewhere = _elsewhere(inventory, azure) if azure and inventory else frozenset()
    unasked = {host.name for host in found if label(host.name) in elsewhere}
    if azure:
        found = tuple(
            host if host.name in unasked else host.seen_in(azure.machines, azure.group) for host in found
        )
    listed = [host.name for host in inventory.hosts] if inventory else None
    attendance = _attendance(listed, [host.name for host in found]) if listed is not None else ((), (), ())
    return Collection(
        folder,
        found,
        tuple(skipped),
        *attendance,
        _findings(found, folder, context, held),
        tuple(Skipped(host.file, _to_come(host)) for host in found if _is_to_come(host)),
        asked=azure is not None and not unasked,
    )


def write_evidence(collection: Collection, folder: Path) -> int:
    """Write what hosts that are not connected handed in as files for `arcferry explain`, and return how many.

    Each result is read once more; one that is not what it was is left out.

    Raises:
        FileInputError: the folder cannot be written.
    """
    count = 0
    for host in collection.hosts:
        if host.connected:
            continue
        read = again(collection.share, host)
        for name, data in _evidence_files(read) if read else ():
            write_whole(folder / f"{host.name}-{name}", data)
            count += 1
    return count


def _folder(share: Path) -> Path:
    inner = share / RESULTS
    with naming(share):
        if inner.is_dir():
            return inner
        if share.is_dir():
            return share
        raise FileInputError(share, "is not a folder" if share.exists() else "no such folder")


def _read_all(folder: Path) -> tuple[dict[str, Reported], list[Skipped]]:
    hosts: dict[str, Reported] = {}
    skipped: list[Skipped] = []
    with naming(folder), os.scandir(folder) as entries:
        names = [entry.name for _, entry in zip(range(MOST_FILES + 1), entries, strict=False)]
    if len(names) > MOST_FILES:
        raise FileInputError(folder, f"holds more than {MOST_FILES:,} files", hint="Move old results away.")
    for path in (folder / name for name in sorted(names)):
        try:
            read = _read(path)
        except NotAResultError as error:
            skipped.append(Skipped(one_line(path.name, limit=120), str(error)))
            continue
        # What a host handed in is let go here: many results must not need more memory than one.
        reported = replace(read, path=None, told="", symptoms=_symptoms(read))
        older, newer = sorted((reported, hosts.get(reported.name.lower(), reported)), key=age)
        hosts[newer.name.lower()] = newer
        if older is not newer:
            why = f"{newer.file} is a newer result of the same host"
            if _is_to_come(older):
                why = f"{_to_come(older)}; {newer.file} counts"
            skipped.append(Skipped(older.file, why))
    return hosts, skipped


def again(folder: Path, host: Reported) -> Reported | None:
    """The result once more, with what the host handed in; None if it is not what it was."""
    try:
        read = _read(folder / host.file)
    except NotAResultError:
        return None
    same = (read.name, read.ended, _symptoms(read)) == (host.name, host.ended, host.symptoms)
    return read if same else None


def _read(path: Path) -> Reported:
    if path.name.endswith(_HALF):
        raise NotAResultError("is half written: its host was cut short, or is at it now")
    if path.suffix.lower() != _SUFFIX or path.name.startswith("."):
        raise NotAResultError("is not called HOST.json")
    return kept_apart(lambda: read_result(path), _unread, foreseen=NotAResultError)


def _unread(why: str) -> Reported:
    raise NotAResultError(why)


def age(reported: Reported) -> datetime:
    """When it ended; one that does not say so, or says an instant to come, is the oldest."""
    known = reported.ended is not None and not _is_to_come(reported)
    return reported.ended if known and reported.ended else datetime.min.replace(tzinfo=UTC)


def _is_to_come(reported: Reported) -> bool:
    """Whether it says that it ended later than now, by more than a wrong time zone makes."""
    return reported.ended is not None and reported.ended > now() + CLOCKS


def _to_come(reported: Reported) -> str:
    ended = to_text(reported.ended) if reported.ended else ""
    return f"says that it ended {ended}, which is to come: look at the clock of {reported.name}"


def _attendance(
    inventory: list[str], hosts: list[str]
) -> tuple[tuple[str, ...], tuple[str, ...], tuple[Unclear, ...]]:
    """Who of the inventory is missing, who is a stranger, and who is unclear, by whole names in any case.

    Windows says its name without the domain, and either side may have it with. A name without a domain stands
    for one with, if no second host on either side could be meant.
    """
    known = {name.lower() for name in inventory}
    by_label = _by_label(inventory)
    rest = [host for host in hosts if host.lower() not in known]
    claims = _by_label(rest)
    present = {host.lower() for host in hosts} & known
    strangers: list[str] = []
    unclear: list[Unclear] = []
    for host in rest:
        near = [name for name in by_label.get(label(host), ()) if ("." in name) != ("." in host)]
        if not near:
            strangers.append(host)
        elif len(near) == 1 and len(claims[label(host)]) == 1 and near[0].lower() not in present:
            present.add(near[0].lower())
        else:
            unclear.append(Unclear(host, tuple(near)))
    missing = tuple(name for name in inventory if name.lower() not in present)
    return missing, tuple(strangers), tuple(unclear)


def _by_label(names: Iterable[str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name in names:
        found.setdefault(label(name), []).append(name)
    return found


def _elsewhere(inventory: Inventory, asked: InAzure) -> frozenset[str]:
    """The short names of hosts that go to another group or subscription than those that were asked."""
    groups, subscriptions = {"", asked.group.lower()}, {"", asked.subscription_id.lower()}
    return frozenset(
        label(host.name)
        for host in inventory.hosts
        if host.place.resource_group.lower() not in groups
        or host.place.subscription.lower() not in subscriptions
    )


def label(name: str) -> str:
    """The name up to the first dot."""
    return name.lower().partition(".")[0]


def _findings(
    hosts: Iterable[Reported], folder: Path, context: Iterable[Document], held: Iterable[Document]
) -> Diagnosis:
    """What the evidence of hosts that are not connected leads to; first what most hosts have."""
    groups: dict[bytes, list[Reported]] = {}
    for host in hosts:
        if not host.connected:
            groups.setdefault(host.symptoms, []).append(host)
    alike = (
        (
            [host.name for host in group],
            [one for host in group[:WITNESSES] if (read := again(folder, host)) for one in _evidence(read)],
        )
        for group in groups.values()
    )
    return findings_of(alike, context, held)


def _evidence(host: Reported) -> tuple[Document, ...]:
    """What a failed host handed in, and that some of it was too much to be judged."""
    found = claimed(host.name, _evidence_files(host))
    if host.too_much:
        why = f"could not be read: it is larger than the {MOST_EVIDENCE:,} bytes of it that are judged"
        found.append(unreadable(f"{host.name}: path.json", why))
    return tuple(found)


def _evidence_files(host: Reported) -> Iterator[tuple[str, bytes]]:
    """What a host handed in, as files that `arcferry explain` reads: their names and content."""
    failure = host.run.failure
    if failure is not None and not host.failed:
        yield "answers.txt", host.told.encode()
    if failure is not None and failure.output:
        yield _OUTPUTS.get(failure.step, "output.txt"), failure.output.encode()
    if host.path is not None:
        yield "path.json", json.dumps(host.path, indent=1).encode()


def _symptoms(host: Reported) -> bytes:
    """A hash of what makes two hosts fail alike."""
    return symptoms_of(host.run.failure, host.path, more=host.too_much)
