"""A run is followed from another process, and status tells one at work from one that was broken off."""

import asyncio
import json
import signal
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from arcferry.files import only_one
from arcferry.fleet.events import Event, EventKind, journal
from arcferry.fleet.following import LOCK, RunState, entries, follow, state_of
from arcferry.fleet.run_folder import RunFolder
from arcferry.report.runs import event_line

from .conftest import Fleet, ended


@pytest.fixture
def run(tmp_path: Path) -> RunFolder:
    folder = tmp_path / "runs" / "0123456789ab"
    folder.mkdir(parents=True)
    return RunFolder(folder.name, folder, datetime(2026, 11, 28, tzinfo=UTC))


def write(run: RunFolder, *events: tuple[str, EventKind]) -> None:
    with journal(run.journal, run.id) as see:
        for host, kind in events:
            see(Event(host, kind))


async def followed(run: RunFolder) -> Sequence[tuple[str, str]]:
    return [(event["host"], event["event"]) async for event in follow(run)]


STATES = {
    "nothing": ((), RunState.UNKNOWN),
    "of an older arcferry": ((("server01", EventKind.CONNECTED),), RunState.UNKNOWN),
    "ended": ((("", EventKind.BEGUN), ("", EventKind.ENDED)), RunState.ENDED),
    "killed": ((("", EventKind.BEGUN), ("server01", EventKind.STARTED)), RunState.BROKEN_OFF),
    "killed while paused": ((("", EventKind.BEGUN), ("", EventKind.PAUSED)), RunState.BROKEN_OFF),
}


@pytest.mark.parametrize("case", STATES)
def test_how_a_run_stands(run: RunFolder, case: str) -> None:
    events, state = STATES[case]
    write(run, *events)
    last = next((entry.kind for entry in reversed(list(entries(run.journal))) if entry.of_run), "")
    assert state_of(run, last) is state
    with only_one(run.path, "apply", name=LOCK, hint=""):
        paused = last == EventKind.PAUSED
        assert state_of(run, last) is (RunState.PAUSED if paused else RunState.RUNNING)


async def test_the_last_apply_is_followed_and_torn_lines_are_passed_over(run: RunFolder) -> None:
    write(run, ("", EventKind.BEGUN), ("server01", EventKind.FAILED), ("", EventKind.ENDED))
    write(run, ("", EventKind.BEGUN), ("server01", EventKind.CONNECTED))
    with run.journal.open("ab") as stream:
        stream.write(b'[1]\n\xff\n{"host": "server02", "ev')
    assert await followed(run) == [("", "begun"), ("server01", "connected")]
    write(run, ("", EventKind.ENDED))
    assert await followed(run) == [("", "begun"), ("server01", "connected"), ("", "ended")]


async def test_what_comes_while_it_is_followed_comes_too(run: RunFolder) -> None:
    seen: list[dict[str, Any]] = []
    with only_one(run.path, "apply", name=LOCK, hint=""):
        write(run, ("", EventKind.BEGUN))
        async for event in follow(run):
            seen.append(event)
            if event["event"] == "begun":
                write(run, ("server01", EventKind.CONNECTED))
            if event["event"] == "connected":
                write(run, ("", EventKind.ENDED))
    assert [event["event"] for event in seen] == ["begun", "connected", "ended"]


def test_lines_for_people() -> None:
    event = {"time": "2026-11-28T14:00:00Z", "host": "server01", "step": "install", "event": "done"}
    assert event_line(event | {"says": "agent 1.67\x1b[2J"}) == (
        "2026-11-28T14:00:00Z  server01  install done: agent 1.67"
    )
    assert event_line(event | {"event": "started"}) == ""
    assert event_line({"event": "paused", "says": "paused by a on b"}).strip() == "run  paused by a on b"


@pytest.mark.lab
@pytest.mark.hosts
async def test_a_run_of_another_process_is_followed_to_its_end(fleet: Fleet) -> None:
    applying = await fleet.start("apply")
    while not fleet.told():  # noqa: ASYNC110  # another process writes it
        await asyncio.sleep(0.02)
    following = await ended(await fleet.start("follow", "--output", "jsonl"))
    assert (await ended(applying)).code == 0
    assert following.code == 0
    lines = [json.loads(line) for line in following.out.splitlines()]
    assert [line["event"] for line in lines if not line["host"]] == ["begun", "ended"]
    assert {line["host"] for line in lines if line["event"] == "connected"} == set(fleet.names)
    assert (await fleet.run("status")).document["runs"][0]["state"] == "ended"


@pytest.mark.lab
@pytest.mark.hosts
async def test_a_killed_run_is_told_from_one_at_work(fleet: Fleet) -> None:
    assert await fleet.killed_when(lambda event: event["step"] == "install")
    assert (await fleet.run("status")).document["runs"][0]["state"] == "broken off"
    following = await ended(await fleet.start("follow"))
    assert following.code == 1
    assert "broken off" in following.err
    applying = await fleet.start("apply")
    while len([kind for kind, _ in fleet.of_run() if kind == "begun"]) < 2:
        assert applying.returncode is None
        await asyncio.sleep(0.02)  # another process writes what is looked for
    assert (await fleet.run("status")).document["runs"][0]["state"] == "running"
    applying.send_signal(signal.SIGTERM)
    assert (await ended(applying)).code == 130
    assert (await fleet.run("status")).document["runs"][0]["state"] == "ended"
