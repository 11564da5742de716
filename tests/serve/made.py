"""Runs as the engine leaves them: by its own journal, its own record of steps, its own evidence."""

import asyncio
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from arcferry import catalog, times
from arcferry.files import only_one
from arcferry.fleet.events import Event, EventKind, journal
from arcferry.fleet.findings import claimed, findings_of, keep
from arcferry.fleet.following import LOCK
from arcferry.fleet.inventory import Host, Inventory
from arcferry.fleet.records import logged, open_records, recorded_step
from arcferry.fleet.run_folder import RunFolder, keep_hosts, open_run
from arcferry.probe.observation import DnsAnswer, Failure, Observation, Stage
from arcferry.watch.changes import Round
from arcferry.watch.history import History, history_path

RUN = "0123456789ab"
MOVED = "agentserviceapi.guestconfiguration.azure.com"
STEPS = ("facts", "stage", "verify", "install", "check", "connect", "verified")
TARGET = {"cloud": "AzureCloud", "resource_group": "rg-arc", "location": "eastasia"}


def hosts(count: int) -> tuple[Host, ...]:
    return tuple(
        Host(
            f"server{number:02}",
            f"10.0.0.{number}",
            site=f"site{number % 2}",
            tags={"role": f"r{number % 3}"},
        )
        for number in range(count)
    )


def run(state: Path, those: Iterable[Host], name: str = RUN) -> RunFolder:
    """A run of these hosts that has not begun."""
    inventory = Inventory(Path("servers.csv"), tuple(those))
    summary = {
        "inventory": "servers.csv", "hosts": len(inventory.hosts), "bundle": "b", "target": TARGET,
    }  # fmt: skip
    folder = open_run(state, name, summary, datetime(2026, 11, 28, tzinfo=UTC))
    keep_hosts(folder, inventory)
    return folder


def tell(folder: RunFolder, *events: Event) -> None:
    with journal(folder.journal, folder.id) as see:
        for event in events:
            see(event)


def went_well(host: str) -> list[Event]:
    steps = [
        Event(host, kind, step, says, seconds=seconds)
        for step in STEPS
        for kind, says, seconds in ((EventKind.STARTED, "", 0.0), (EventKind.DONE, f"{step} is done", 1.5))
    ]
    return [*steps, Event(host, EventKind.CONNECTED)]


def failed(host: str, says: str = "did not answer") -> list[Event]:
    return [
        Event(host, EventKind.STARTED, "facts"),
        Event(host, EventKind.FAILED, "facts", says),
        Event(host, EventKind.FAILED),
    ]


def story(state: Path) -> RunFolder:
    """Six hosts: one failed, one is not begun, the others are connected; ended."""
    folder = run(state, hosts(6))
    events = [event for number in range(4) for event in went_well(f"server{number:02}")]
    ends = Event("", EventKind.ENDED, says="4 of 6 hosts connected")
    tell(folder, Event("", EventKind.BEGUN), *events, *failed("server04"), ends)
    return folder


@contextmanager
def at_work(folder: RunFolder) -> Iterator[None]:
    """While an apply holds the run."""
    with only_one(folder.path, "apply", name=LOCK, hint=""):
        yield


def judged(folder: RunFolder, host: str) -> None:
    """Evidence by which a host's failure has a cause."""
    path = Path(__file__).parents[1] / "evidence/readers/samples/agent-check/old-table.txt"
    keep(findings_of([([host], claimed(host, [(path.name, path.read_bytes())]))]), folder.path)


async def recorded(folder: RunFolder, host: str, step: dict[str, str]) -> None:
    """A host's attempt in the record of steps."""

    async def work(name: str, attempt: int, given: dict[str, object]) -> dict[str, object]:
        async def act() -> dict[str, object]:
            return dict(step)

        await recorded_step(step["step"], act)
        return {"outcome": "failed", "steps": [dict(step)]}

    with logged(folder):
        async with open_records(folder, work, concurrency=1, lost=lambda _: None) as records:
            await records.enqueue(host, 1, {})
            while await records.active():  # noqa: ASYNC110  # DBOS's own threads do the work
                await asyncio.sleep(0.02)


def watched(state: Path) -> None:
    """A watch's history of two rounds: a name is reached in one place, and then not in another."""
    cloud = catalog.cloud("AzureCloud")
    region = catalog.region("eastasia", cloud)
    endpoint = next(one for one in catalog.endpoints(cloud, region) if one.host == MOVED)
    now = times.now()
    failure = Failure(Stage.TCP, "timeout", "no answer within 4 s")
    with History.open(history_path(state, cloud, region)) as history:
        for minutes, address, failed in ((20, "20.187.128.9", None), (10, "40.115.128.9", failure)):
            at = now - timedelta(minutes=minutes)
            answer = DnsAnswer(MOVED, (), (address,), "10.0.0.53", "", "test", at)
            seen = Observation(
                MOVED, "test", failed is None, at, failure=failed, endpoint=endpoint, elapsed=1.0
            )
            history.record(Round(at, (seen,), (answer,), ("10.0.0.53",)), (), longest_gap=timedelta(hours=1))
