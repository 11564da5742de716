"""What holds a host before it begins, what refuses it, and what lets it through."""

import asyncio

from arcferry.fleet.gate import Gate
from arcferry.fleet.inventory import Host

TAIPEI, OSAKA = Host("web01", "10.0.0.1", site="taipei"), Host("web02", "10.0.1.1", site="osaka")


async def begun(gate: Gate, host: Host, told: list[str]) -> "asyncio.Task[bool]":
    """A host that is at the gate by now."""
    waiting = asyncio.ensure_future(gate.passes(host, told.append))
    await asyncio.sleep(0)
    return waiting


async def test_an_open_gate_lets_every_host_through() -> None:
    assert await Gate().passes(TAIPEI)


async def test_a_hold_concerns_whom_it_names_and_says_why() -> None:
    gate, told = Gate(), list[str]()
    gate.hold("window", "until Saturday", lambda host: host.site == "taipei")
    waiting = await begun(gate, TAIPEI, told)
    assert await gate.passes(OSAKA)
    assert (waiting.done(), told, gate.held(TAIPEI)) == (False, ["until Saturday"], "until Saturday")
    gate.release("window")
    assert await waiting


async def test_another_hold_goes_on_holding_and_is_told_once() -> None:
    gate, told = Gate(), list[str]()
    gate.hold("pause", "paused")
    waiting = await begun(gate, TAIPEI, told)
    gate.hold("window", "until Saturday")
    gate.release("pause")
    await asyncio.sleep(0)
    gate.hold("other", "until later")
    await asyncio.sleep(0)
    assert (waiting.done(), told) == (False, ["paused", "until Saturday"])
    gate.release("window")
    gate.release("other")
    assert await waiting


async def test_a_refusal_ends_the_wait_of_all_and_the_first_reason_stands() -> None:
    gate = Gate()
    gate.hold("pause", "paused")
    waiting = await begun(gate, TAIPEI, [])
    gate.refuse("3 hosts failed")
    gate.refuse("cancelled")
    assert not await waiting
    gate.release("pause")
    assert not await gate.passes(OSAKA)
    assert gate.refusal == "3 hosts failed"
