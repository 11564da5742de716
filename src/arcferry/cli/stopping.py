"""Ctrl-C and SIGTERM, for every command in one place: each ends with 130, also on a second signal.

Where a command runs no loop, a signal raises `Stopped` wherever the program is. While `run` runs one, the
first signal ends its work in order. A signal that nobody takes any more ends the process at once: what is on
disk is whole at every moment.
"""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from arcferry.cli.signals import Stopped, asked, came
from arcferry.errors import InterruptedRunError

__all__ = ["asked", "run"]
_Result = TypeVar("_Result")


def run(
    work: Coroutine[Any, Any, _Result], *, says: str, hint: str = "", ask: Callable[[], None] | None = None
) -> _Result:
    """Run `work` in a loop of its own.

    Args:
        work: what is to be done.
        says: the error's message where a signal ended it.
        hint: the error's hint.
        ask: called in the loop for the first signal and the second; the work then ends itself in order, and
            its result is returned. Without it the first one cancels the work.

    Raises:
        InterruptedRunError: a signal ended it.
    """
    watch = _Watch(ask)
    came.taker = watch.take
    try:
        with asyncio.Runner() as runner:
            result = runner.run(watch.over(work))
    except (Stopped, KeyboardInterrupt):
        raise InterruptedRunError(says, hint=hint) from None
    except asyncio.CancelledError:
        if not asked():
            raise
        raise InterruptedRunError(says, hint=hint) from None
    finally:
        came.taker = None
    if asked() and ask is None:
        raise InterruptedRunError(says, hint=hint)
    return result


class _Watch:
    """Takes signals for the work of a loop, from before it begins until it is closed."""

    def __init__(self, ask: Callable[[], None] | None) -> None:
        self._ask = ask
        self._most = 1 if ask is None else 2
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop: Callable[[], object] | None = None

    def take(self) -> bool:
        """Have the loop act on a signal; False for one more than is acted on."""
        if came.count > self._most:
            return False
        if self._loop is not None and self._stop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._stop)
        return True

    async def over(self, work: Coroutine[Any, Any, _Result]) -> _Result:
        """The work's result; what came before it began counts too."""
        task = asyncio.ensure_future(work)
        self._stop = self._ask or task.cancel
        self._loop = asyncio.get_running_loop()
        if asked():
            self._stop()
        return await task
