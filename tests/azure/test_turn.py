"""What Azure asks of one request, to wait, counts for every host's."""

import asyncio
from datetime import timedelta

import pytest

from arcferry import azure, errors
from arcferry.azure.turn import Turn
from arcferry_lab.azure.state import Call
from arcferry_lab.twin import Twin

from .conftest import aim, principal

pytestmark = pytest.mark.lab
HOSTS = 25


def asked(twin: Twin, place: str = "/machines/") -> list[Call]:
    return [call for call in twin.azure.journal if place in call.path]


async def test_no_host_asks_within_the_pause_that_one_was_told(
    twin: Twin, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("arcferry.azure.session.RETRIES", 0)
    async with azure.signed_in(aim(twin), principal(twin)) as session:
        await session.token()
        await twin.add_fault("arm/429", times=1)
        with pytest.raises(errors.ThrottledError):
            await azure.get_machine(session, "server00")
        others = [azure.get_machine(session, f"server{number:02}") for number in range(HOSTS)]
        assert await asyncio.gather(*others) == [None] * HOSTS
    throttled, *later = asked(twin)
    assert throttled.status == 429
    assert [call.status for call in later] == [404] * HOSTS
    # The twin asks for one second.
    assert min(call.at for call in later) >= throttled.at + timedelta(seconds=1)


async def test_what_entra_asks_keeps_nobody_from_resource_manager(twin: Twin) -> None:
    async with azure.signed_in(aim(twin), principal(twin)) as session:
        await session.token()
        session.turns.of(twin.azure.authority).rest(50)
        assert await azure.get_machine(session, "server00") is None


async def test_a_pause_that_nobody_waits_out_is_told_and_nothing_is_sent(twin: Twin) -> None:
    async with azure.signed_in(aim(twin), principal(twin)) as session:
        await session.token()
        session.turns.of(twin.azure.arm_url).rest(900)
        with pytest.raises(errors.ThrottledError, match="asked for 900 s without requests") as caught:
            await azure.get_machine(session, "server00")
    assert "what is done is kept" in caught.value.hint
    assert asked(twin) == []


async def test_a_shorter_wish_does_not_end_a_longer_one() -> None:
    turn = Turn()
    assert turn.open
    turn.rest(900)
    turn.rest(1)
    with pytest.raises(errors.ThrottledError, match="asked for 900 s"):
        await turn.taken()
