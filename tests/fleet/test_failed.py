"""Whom a retry begins, and of whom it tells."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from arcferry.fleet.failed import taking_up
from arcferry.fleet.inventory import Host, Inventory
from arcferry.fleet.outcome import FleetRun, HostOutcome, HostRun
from arcferry.fleet.task import RunRequest

HOSTS = tuple(Host(name, "192.0.2.1") for name in ("server01", "server02", "server03"))
EVERYONE = Inventory(Path("servers.csv"), HOSTS)


def request(*hosts: Host) -> RunRequest:
    given: Any = SimpleNamespace()
    chosen = replace(EVERYONE, hosts=hosts)
    return RunRequest(chosen, given, given, given, None, Path("state"), everyone=EVERYONE)


@pytest.mark.parametrize(
    ("hosts", "begun"),
    [(HOSTS, {"server02", "server03"}), (HOSTS[1:2], {"server02"}), (HOSTS[:1], set())],
)
def test_of_those_that_failed_the_chosen_ones_are_begun_and_the_run_stays_whole(
    hosts: tuple[Host, ...], begun: set[str]
) -> None:
    found = taking_up(request(*hosts), ["server02", "server03"])
    assert (found.only, found.inventory) == (begun, EVERYONE)


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
