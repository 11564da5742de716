"""Whom a retry begins, and of whom it tells."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from arcferry.fleet.events import Event, EventKind, journal
from arcferry.fleet.failed import taking_up
from arcferry.fleet.inventory import Host, Inventory
from arcferry.fleet.outcome import FleetRun, HostOutcome, HostRun
from arcferry.fleet.run_folder import RunFolder
from arcferry.fleet.task import RunRequest

HOSTS = tuple(Host(name, "192.0.2.1") for name in ("server01", "server02", "server03", "server04"))
EVERYONE = Inventory(Path("servers.csv"), HOSTS)


NEVER_BEGUN = HOSTS[3]


def request(*hosts: Host) -> RunRequest:
    given: Any = SimpleNamespace()
    chosen = replace(EVERYONE, hosts=hosts)
    return RunRequest(chosen, given, given, given, None, Path("state"), everyone=EVERYONE)


@pytest.fixture
def run(tmp_path: Path) -> RunFolder:
    """One server was connected, two failed, and one was never begun."""
    folder = RunFolder("abc", tmp_path, datetime(2026, 11, 28, tzinfo=UTC))
    with journal(folder.journal, folder.id) as write:
        for host, kind in zip(HOSTS, (EventKind.CONNECTED, EventKind.FAILED, EventKind.FAILED), strict=False):
            write(Event(host.name, EventKind.STARTED))
            write(Event(host.name, kind))
    return folder


@pytest.mark.parametrize(
    ("hosts", "begun", "told"),
    [
        (HOSTS, {"server02", "server03"}, HOSTS),
        (HOSTS[1:2], {"server02"}, HOSTS[:3]),
        (HOSTS[:1], set(), HOSTS[:3]),
        ((HOSTS[1], NEVER_BEGUN), {"server02"}, HOSTS),
    ],
)
def test_of_those_that_failed_the_chosen_are_begun_and_all_that_were_ever_begun_are_told(
    run: RunFolder, hosts: tuple[Host, ...], begun: set[str], told: tuple[Host, ...]
) -> None:
    found = taking_up(request(*hosts), run)
    assert (found.only, found.inventory.hosts, found.everyone) == (begun, told, EVERYONE)


@pytest.mark.parametrize(
    ("names", "are"),
    [({"server01"}, True), ({"server01", "server02"}, False), (set(), False), (None, False)],
)
def test_the_servers_that_were_taken_up_decide_how_it_ended(names: set[str] | None, *, are: bool) -> None:
    outcomes = (HostOutcome.CONNECTED, HostOutcome.FAILED, HostOutcome.CONNECTED)
    hosts = tuple(map(HostRun, HOSTS, outcomes))
    moment = datetime(2026, 11, 28, tzinfo=UTC)
    run = FleetRun("abc", moment, moment, {}, {}, (), hosts, "")
    assert run.are_connected(None if names is None else frozenset(names)) is are
