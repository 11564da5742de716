import asyncio
from collections.abc import Awaitable, Callable

import pytest

from arcferry.probe.step import race


def after(
    event: asyncio.Event | None, outcome: str | Exception, began: list[str]
) -> Callable[[], Awaitable[str]]:
    async def attempt() -> str:
        began.append(str(outcome))
        if event:
            await event.wait()
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    return attempt


async def test_a_failure_starts_the_next_at_once() -> None:
    errors: dict[int, OSError] = {}
    attempts = [after(None, OSError("first"), []), after(None, "second", [])]
    async with asyncio.timeout(5):
        assert await race(attempts, delay=60, expected=OSError, errors=errors) == "second"
    assert [str(error) for error in errors.values()] == ["first"]


async def test_silence_starts_the_next_beside_it() -> None:
    never, began = asyncio.Event(), list[str]()
    attempts = [after(never, "late", began), after(None, "won", began), after(None, "unneeded", began)]
    assert await race(attempts, delay=0.01, expected=OSError, errors={}) == "won"
    assert began == ["late", "won"]


async def test_all_fail() -> None:
    errors: dict[int, OSError] = {}
    attempts = [after(None, OSError(str(turn)), []) for turn in range(3)]
    assert await race(attempts, delay=0.01, expected=OSError, errors=errors) is None
    assert sorted(errors) == [0, 1, 2]


async def test_what_is_not_expected_is_raised() -> None:
    with pytest.raises(ZeroDivisionError):
        await race([after(None, ZeroDivisionError(), [])], delay=1, expected=OSError, errors={})


async def test_a_result_that_comes_too_late_is_discarded() -> None:
    gate, discarded = asyncio.Event(), list[str]()

    async def stubborn() -> str:
        try:
            await gate.wait()
        except asyncio.CancelledError:
            return "late"
        return "never"

    attempts = [stubborn, after(None, "won", [])]
    assert await race(attempts, delay=0.01, expected=OSError, errors={}, discard=discarded.append) == "won"
    assert discarded == ["late"]


async def test_nothing_is_left_running_when_it_is_cancelled() -> None:
    before = asyncio.all_tasks()
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await race([after(asyncio.Event(), "never", [])], delay=1, expected=OSError, errors={})
    assert asyncio.all_tasks() == before
