"""A run is paused, resumed and cancelled from another terminal, and held by a kill switch."""

import asyncio
import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from arcferry.errors import FileInputError
from arcferry.fleet.control import Controls, Order, Wish, give, order_for
from arcferry.fleet.run_folder import RunFolder, runs

from .conftest import Ended, Fleet, ended

ALL = {"server01": "connected", "server02": "connected", "server03": "connected"}


@pytest.fixture
def run(tmp_path: Path) -> RunFolder:
    folder = tmp_path / "runs" / "0123456789ab"
    folder.mkdir(parents=True)
    return RunFolder(folder.name, folder, datetime(2026, 11, 28, tzinfo=UTC))


def test_an_order_says_who_when_and_why(run: RunFolder) -> None:
    assert order_for(run) is None
    give(run, Order.given(Wish.PAUSE, "the file server\nis slow"))
    order = order_for(run)
    assert order is not None
    assert order.wish is Wish.PAUSE
    assert order.reason == "the file server is slow"
    assert " on " in order.by
    assert Controls(run).held() == order.says
    assert order.says.endswith(": the file server is slow")
    give(run, Order.given(Wish.RESUME))
    assert Controls(run).held() == ""


@pytest.mark.parametrize("text", ["", "[]", "null", '{"wish": "stop"}', '{"at": "soon"}', "{"])
def test_an_order_that_cannot_be_read_holds_the_run(run: RunFolder, text: str) -> None:
    (run.path / "order.json").write_text(text)
    with pytest.raises(FileInputError, match=r"order\.json"):
        order_for(run)
    assert "order.json" in Controls(run).held()
    assert Controls(run).cancelled() is None


def test_a_kill_switch_holds_while_it_is_there_or_cannot_be_seen(run: RunFolder, tmp_path: Path) -> None:
    switch = tmp_path / "stop"
    controls = Controls(run, switch)
    assert controls.held() == ""
    switch.touch()
    assert str(switch) in controls.held()
    assert "cannot be seen" in Controls(run, tmp_path / "not mounted" / "stop").held()


async def until(fleet: Fleet, seen: Callable[[], bool], process: asyncio.subprocess.Process) -> None:
    async with asyncio.timeout(60):
        while not seen():
            assert process.returncode is None
            await asyncio.sleep(0.02)  # another process writes what is looked for


async def order(fleet: Fleet, verb: str, *args: str) -> Ended:
    return await ended(await fleet.start(verb, *args))


@pytest.mark.lab
@pytest.mark.hosts
async def test_a_paused_run_ends_its_steps_and_goes_on_when_it_is_resumed(fleet: Fleet) -> None:
    applying = await fleet.start("apply", "--output", "json")
    await until(fleet, lambda: any(event["step"] == "facts" for event in fleet.events()), applying)
    give(_run(fleet), Order.given(Wish.PAUSE, "the line is full"))
    await until(fleet, lambda: "paused" in dict(fleet.of_run()), applying)
    await until(fleet, lambda: _steps_at_work(fleet) == 0, applying)
    begun = len(_starts(fleet))
    status = (await fleet.run("status")).document["runs"][0]
    assert status["state"] == "paused"
    assert "the line is full" in status["says"]
    assert len(_starts(fleet)) == begun
    assert (await order(fleet, "resume")).code == 0
    done = await ended(applying)
    assert (done.code, done.outcomes) == (0, ALL)
    assert "run paused by" in done.err
    kinds = [kind for kind, _ in fleet.of_run()]
    assert kinds == ["begun", "paused", "resumed", "ended"]


@pytest.mark.lab
@pytest.mark.hosts
async def test_a_cancelled_run_ends_with_130_and_is_not_applied_before_it_is_resumed(fleet: Fleet) -> None:
    applying = await fleet.start("apply", "--output", "json")
    await until(fleet, lambda: any(event["step"] == "facts" for event in fleet.events()), applying)
    give(_run(fleet), Order.given(Wish.CANCEL, "wrong subscription"))
    done = await ended(applying)
    assert done.code == 130
    assert "wrong subscription" in done.err
    assert done.document["cancelled"].endswith("wrong subscription")
    again = await fleet.run("apply")
    assert again.code == 3
    assert "wrong subscription" in again.err
    assert "arcferry onboard resume" in again.err
    assert (await fleet.run("status")).document["runs"][0]["state"] == "cancelled"
    assert (await order(fleet, "resume")).code == 0
    last = await fleet.run("apply")
    assert (last.code, last.outcomes) == (0, ALL)


@pytest.mark.lab
@pytest.mark.hosts
async def test_nothing_begins_while_the_kill_switch_is_there(fleet: Fleet, tmp_path: Path) -> None:
    switch = tmp_path / "stop"
    switch.touch()
    applying = await fleet.start("apply", "--output", "json", "--kill-switch", str(switch))
    await until(fleet, lambda: "paused" in dict(fleet.of_run()), applying)
    assert fleet.events() == []
    switch.unlink()
    done = await ended(applying)
    assert (done.code, done.outcomes) == (0, ALL)


@pytest.mark.lab
@pytest.mark.hosts
async def test_a_later_apply_of_a_paused_run_waits(fleet: Fleet) -> None:
    first = await fleet.start("apply")
    await until(fleet, lambda: any(event["step"] == "facts" for event in fleet.events()), first)
    give(_run(fleet), Order.given(Wish.PAUSE))
    await until(fleet, lambda: "paused" in dict(fleet.of_run()), first)
    first.terminate()
    assert (await ended(first)).code == 130
    second = await fleet.start("apply", "--output", "json")
    await until(fleet, lambda: [kind for kind, _ in fleet.of_run()][-2:] == ["begun", "paused"], second)
    begun = len(_starts(fleet))
    assert (await order(fleet, "resume")).code == 0
    done = await ended(second)
    assert (done.code, done.outcomes) == (0, ALL)
    assert len(_starts(fleet)) > begun


async def test_what_there_is_no_run_for(azure_only: Fleet) -> None:
    none = await order(azure_only, "pause")
    assert none.code == 2
    assert "no run is remembered" in none.err
    (azure_only.state / "runs" / "0123456789ab").mkdir(parents=True)
    document = {"schema": 1, "kind": "run-state", "run": "0123456789ab", "started": "2026-11-28T00:00:00Z"}
    (azure_only.state / "runs" / "0123456789ab" / "run.json").write_text(json.dumps(document))
    other = await order(azure_only, "cancel", "--run", "0123456789ac")
    assert other.code == 2
    assert "Did you mean 0123456789ab?" in other.err
    held = await order(azure_only, "pause", "--reason", "the line is full")
    assert (held.code, held.out.rpartition(": ")[2]) == (0, "the line is full\n")
    assert "an apply will wait" in held.err
    assert (await order(azure_only, "resume")).code == 0
    idle = await order(azure_only, "resume")
    assert idle.code == 0
    assert "neither paused nor cancelled" in idle.out


def _run(fleet: Fleet) -> RunFolder:
    ((run, _),) = runs(fleet.state)
    return run


def _starts(fleet: Fleet) -> list[tuple[str, str]]:
    return [(event["host"], event["step"]) for event in fleet.events() if event["event"] == "started"]


def _steps_at_work(fleet: Fleet) -> int:
    over = sum(event["event"] in {"done", "failed"} for event in fleet.events())
    return len(_starts(fleet)) - over
