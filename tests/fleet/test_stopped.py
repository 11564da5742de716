"""Ctrl-C and SIGTERM in every step of an apply: it ends with 130, and goes on when it is run again."""

import asyncio
import shutil
import signal
from collections.abc import Sequence

import pytest

from .conftest import Ended, Fleet, ended
from .test_apply import leftovers, repeated
from .test_verified import silence

pytestmark = [pytest.mark.lab, pytest.mark.hosts]
ALL = {"server01": "connected", "server02": "connected", "server03": "connected"}
STEPS = ("facts", "stage", "verify", "install", "check", "connect", "verified")


async def stopped(fleet: Fleet, step: str, kind: str, signals: Sequence[signal.Signals]) -> Ended | None:
    """How an apply ends that is signalled at such an event; None where it ended before one came."""
    before = len(fleet.events())
    process = await fleet.start("apply")
    reading = asyncio.create_task(ended(process))
    while not any((event["step"], event["event"]) == (step, kind) for event in fleet.events()[before:]):
        if reading.done():
            await reading
            return None
        await asyncio.sleep(0.005)
    for number in signals:
        process.send_signal(number)
    return await reading


@pytest.mark.timeout(300)
@pytest.mark.parametrize("signals", [[signal.SIGTERM], [signal.SIGINT, signal.SIGTERM]], ids=["one", "two"])
async def test_every_step_ends_with_130(fleet: Fleet, signals: list[signal.Signals]) -> None:
    seen = [await stopped(fleet, step, "started", signals) for step in STEPS]
    codes = [one.code for one in seen if one is not None]
    assert len(codes) >= 4
    assert set(codes) == {130}
    last = await fleet.run("apply")
    assert (last.code, last.outcomes) == (0, ALL), last.err
    assert fleet.puts() == dict.fromkeys(ALL, 1)
    assert repeated(fleet) == []
    assert await leftovers(fleet) == []


async def test_a_wait_for_a_heartbeat_ends_at_once(fleet: Fleet) -> None:
    assert (await fleet.run("apply")).code == 0
    await silence(fleet)
    shutil.rmtree(fleet.state)
    async with asyncio.timeout(200):
        done = await stopped(fleet, "verified", "waiting", [signal.SIGTERM])
    assert done is not None
    assert done.code == 130
    assert "it goes on where it was" in done.err


@pytest.mark.parametrize("host", ["management.azure.com", "login.microsoftonline.com"])
@pytest.mark.parametrize("times", [1, 2])
async def test_signing_in_and_asking_azure(azure_only: Fleet, host: str, times: int) -> None:
    fleet, signs_in = azure_only, host.startswith("login")
    await fleet.twin.add_fault("path/no-http-answer", host)
    process = await fleet.start("apply")
    reading = asyncio.create_task(ended(process))
    while not (list(fleet.state.glob("runs/*/run.json")) and (signs_in or fleet.twin.azure.journal)):
        assert not reading.done(), await reading
        await asyncio.sleep(0.01)
    for number in (signal.SIGTERM, signal.SIGINT)[:times]:
        process.send_signal(number)
    done = await reading
    assert (done.code, fleet.events()) == (130, [])
