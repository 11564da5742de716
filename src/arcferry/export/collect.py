"""Reading a share of result files back."""

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from arcferry.diagnosis import Document
from arcferry.diagnosis.readers.edge import kept_apart
from arcferry.errors import FileInputError, InputError
from arcferry.export.findings import HostFinding, evidence_files, findings_of
from arcferry.export.result import NotAResultError, Reported, read_result
from arcferry.files import write_whole
from arcferry.fleet.inventory import Inventory
from arcferry.text import one_line

MOST_FILES = 100_000
RESULTS = "results"
_SUFFIX = ".json"
_HALF = ".tmp"


@dataclass(frozen=True, slots=True)
class Skipped:
    """A file that was left out, and why."""

    file: str
    why: str


@dataclass(frozen=True, slots=True)
class Collection:
    """Everything that a share holds.

    Attributes:
        share: the folder that was read.
        hosts: by name.
        missing: hosts of the inventory that did not report; empty without an inventory.
        strangers: hosts that reported and are not in the inventory; empty likewise.
        findings: causes, each with the hosts that have it.
    """

    share: Path
    hosts: tuple[Reported, ...]
    skipped: tuple[Skipped, ...]
    missing: tuple[str, ...] = ()
    strangers: tuple[str, ...] = ()
    findings: tuple[HostFinding, ...] = ()

    @property
    def failed(self) -> tuple[Reported, ...]:
        """The hosts that are not connected."""
        return tuple(host for host in self.hosts if host.failed)

    @property
    def all_good(self) -> bool:
        """Whether every host is connected, and every one of the inventory reported."""
        return not self.failed and not self.missing


def collect(share: Path, inventory: Inventory | None = None, context: Iterable[Document] = ()) -> Collection:
    """Read every result in a folder, or in `results` below it. Nothing there is changed.

    A file that is no whole result is named and left out. Of two files of one host the newer counts.

    Args:
        share: the folder `results`, or the share that holds it.
        inventory: who should have reported.
        context: what else to judge by, such as a route filter.

    Raises:
        FileInputError: there is no such folder, or it cannot be read.
        InputError: it holds no result, and nothing else that could be one.
    """
    folder = _folder(share)
    hosts, skipped = _read_all(folder)
    if not hosts and not skipped:
        raise InputError(f"{folder} holds no results", hint="Each host writes a file HOST.json there.")
    found = tuple(hosts[name] for name in sorted(hosts))
    return Collection(
        folder,
        found,
        tuple(skipped),
        _missing(found, inventory),
        _strangers(found, inventory),
        findings_of(found, tuple(context)),
    )


def write_evidence(collection: Collection, folder: Path) -> int:
    """Write what failed hosts handed in as files for `arcferry explain`, and return how many.

    Raises:
        FileInputError: the folder cannot be written.
    """
    count = 0
    for host in collection.failed:
        for name, data in evidence_files(host):
            write_whole(folder / f"{host.name}-{name}", data)
            count += 1
    return count


def _folder(share: Path) -> Path:
    inner = share / RESULTS
    try:
        if inner.is_dir():
            return inner
        if share.is_dir():
            return share
        raise FileInputError(share, "is not a folder" if share.exists() else "no such folder")
    except OSError as error:
        raise FileInputError(share, error.strerror or "cannot be read") from error


def _read_all(folder: Path) -> tuple[dict[str, Reported], list[Skipped]]:
    hosts: dict[str, Reported] = {}
    skipped: list[Skipped] = []
    for path in _entries(folder):
        try:
            reported = _read(path)
        except NotAResultError as error:
            skipped.append(Skipped(one_line(path.name, limit=120), str(error)))
            continue
        older, newer = sorted((reported, hosts.get(reported.name.lower(), reported)), key=_age)
        hosts[newer.name.lower()] = newer
        if older is not newer:
            skipped.append(Skipped(older.file, f"{newer.file} is a newer result of the same host"))
    return hosts, skipped


def _entries(folder: Path) -> Iterator[Path]:
    try:
        with os.scandir(folder) as found:
            names = [entry.name for _, entry in zip(range(MOST_FILES + 1), found, strict=False)]
    except OSError as error:
        raise FileInputError(folder, error.strerror or "cannot be read") from error
    if len(names) > MOST_FILES:
        raise FileInputError(folder, f"holds more than {MOST_FILES:,} files", hint="Move old results away.")
    return (folder / name for name in sorted(names))


def _read(path: Path) -> Reported:
    if path.name.endswith(_HALF):
        raise NotAResultError("is half written: its host was cut short, or is at it now")
    if path.suffix.lower() != _SUFFIX or path.name.startswith("."):
        raise NotAResultError("is not called HOST.json")
    return kept_apart(lambda: read_result(path), _unread, foreseen=NotAResultError)


def _unread(why: str) -> Reported:
    raise NotAResultError(why)


def _age(reported: Reported) -> datetime:
    return reported.ended or datetime.min.replace(tzinfo=UTC)


def _short(name: str) -> str:
    """Windows says its name without the domain, and an inventory may have it with."""
    return name.lower().partition(".")[0]


def _missing(hosts: tuple[Reported, ...], inventory: Inventory | None) -> tuple[str, ...]:
    if inventory is None:
        return ()
    there = {_short(host.name) for host in hosts}
    return tuple(host.name for host in inventory.hosts if _short(host.name) not in there)


def _strangers(hosts: tuple[Reported, ...], inventory: Inventory | None) -> tuple[str, ...]:
    if inventory is None:
        return ()
    listed = {_short(host.name) for host in inventory.hosts}
    return tuple(host.name for host in hosts if _short(host.name) not in listed)
