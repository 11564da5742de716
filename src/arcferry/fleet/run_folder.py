"""The state folder: what a run remembers between one apply and the next. No secret is ever in it."""

import hashlib
import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from types import MappingProxyType
from typing import Any

from arcferry.azure import AzureTarget
from arcferry.bundle import Bundle
from arcferry.errors import FileInputError
from arcferry.files import FILE_LIMIT, make_private, naming, read_bounded, write_whole
from arcferry.fleet.inventory import Inventory
from arcferry.text import from_json, one_line
from arcferry.times import from_text, to_text

SCHEMA = 1
_RECORD = "run.json"
_ID_LENGTH = 12
_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
_LIMIT = 64 * 1024


@dataclass(frozen=True, slots=True)
class RunFolder:
    """The folder of one run.

    Attributes:
        path: the folder.
        started: when the first apply of this run began.
    """

    id: str
    path: Path
    started: datetime

    @property
    def database(self) -> Path:
        """The record of steps."""
        return self.path / "steps.sqlite"

    @property
    def journal(self) -> Path:
        """One JSON line for each change."""
        return self.path / "journal.jsonl"

    @property
    def hosts(self) -> Path:
        """Whom it is about."""
        return self.path / "hosts.json"

    @property
    def log(self) -> Path:
        """What the libraries below have to say."""
        return self.path / "log.txt"

    @property
    def retries(self) -> Path:
        """What the retries printed that were begun from the live page."""
        return self.path / "retries.txt"


Remembered = tuple[RunFolder, dict[str, Any]]
"""A run and its record."""


@dataclass(frozen=True, slots=True)
class KnownHost:
    """A host of a run, by what an operator sorts hosts by."""

    name: str
    site: str = ""
    tags: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))


def run_id(inventory: Inventory, bundle: Bundle, target: AzureTarget) -> str:
    """The name of a run: the same hosts, bundle and target give the same one."""
    identity = {
        "schema": SCHEMA,
        "hosts": sorted((host.identity() for host in inventory.hosts), key=lambda host: host["name"]),
        "bundle": bundle.id,
        "target": target_to_json(target),
    }
    text = json.dumps(identity, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()[:_ID_LENGTH]


def target_to_json(target: AzureTarget) -> dict[str, str]:
    """The target as plain JSON."""
    return {
        "cloud": target.cloud.name,
        "tenant_id": target.tenant_id,
        "subscription_id": target.subscription_id,
        "resource_group": target.resource_group,
        "location": target.location,
        "arm_url": target.arm_url,
    }


def open_run(folder: Path, name: str, summary: dict[str, Any], now: datetime) -> RunFolder:
    """The run's folder, made where this is its first apply.

    Raises:
        FileInputError: the folder cannot be written.
    """
    path = folder / "runs" / name
    make_private(path)
    record = path / _RECORD
    if not record.exists():
        document = {"schema": SCHEMA, "kind": "run-state", "run": name, "started": to_text(now)} | summary
        write_whole(record, json.dumps(document, indent=1).encode(), mode=0o600)
    return read_run(folder, name)[0]


def keep_hosts(run: RunFolder, inventory: Inventory) -> None:
    """Keep whom a run is about, so that it can be looked at by site and tag without the inventory.

    Raises:
        FileInputError: the folder cannot be written.
    """
    hosts = [{"name": host.name, "site": host.site, "tags": dict(host.tags)} for host in inventory.hosts]
    document = {"schema": SCHEMA, "kind": "run-hosts", "hosts": hosts}
    write_whole(run.hosts, json.dumps(document, ensure_ascii=False).encode(), mode=0o600)


def hosts_of(run: RunFolder) -> tuple[KnownHost, ...]:
    """Whom a run is about, in the inventory's order; nobody where an older arcferry began it.

    Raises:
        FileInputError: the record cannot be read.
    """
    if not os.path.lexists(run.hosts):
        return ()
    try:
        rows = from_json(read_bounded(run.hosts, limit=FILE_LIMIT))["hosts"]
        return tuple(_known(row) for row in rows)
    except (KeyError, TypeError, ValueError, RecursionError):
        raise FileInputError(run.hosts, "is not a list of a run's hosts") from None


def _known(row: Mapping[str, Any]) -> KnownHost:
    tags = {one_line(str(key)): one_line(str(value)) for key, value in dict(row["tags"]).items()}
    return KnownHost(one_line(str(row["name"])), one_line(str(row["site"])), tags)


def names_of_runs(folder: Path) -> list[str]:
    """Of every run in the state folder, whether its record can be read or not.

    Raises:
        FileInputError: the folder cannot be read.
    """
    place = folder / "runs"
    with naming(place):
        found = sorted(place.iterdir()) if place.exists() else []
        return [one.name for one in found if os.path.lexists(one / _RECORD) or _is_shut(one)]


def _is_shut(path: Path) -> bool:
    """Whether a folder may not be entered, so that nobody knows what is in it."""
    return path.is_dir() and not os.access(path, os.X_OK)


def runs(folder: Path) -> list[Remembered]:
    """Every run in the state folder with its record, the newest first; a copy by another name is none.

    Raises:
        FileInputError: a record cannot be read.
    """
    found = [read_run(folder, name) for name in names_of_runs(folder) if _NAME.fullmatch(name)]
    return sorted(found, key=lambda item: item[0].started, reverse=True)


def record_of(folder: Path, name: str) -> Path:
    """The file by which the run of that name is remembered."""
    return folder / "runs" / name / _RECORD


def read_run(folder: Path, name: str) -> Remembered:
    """The run of that name with its record.

    Raises:
        FileInputError: the record cannot be read.
    """
    record = record_of(folder, name)
    if not _NAME.fullmatch(name):
        raise FileInputError(record, "is in a folder whose name is no run's")
    try:
        document = from_json(read_bounded(record, limit=_LIMIT))
        if not isinstance(document, dict) or document.get("schema") != SCHEMA:
            raise FileInputError(record, "was written by another version of arcferry")
        return RunFolder(name, record.parent, from_text(str(document["started"]))), document
    except (KeyError, ValueError, RecursionError):
        raise FileInputError(record, "is not a run's record") from None
