"""Ctrl-C and SIGTERM, for every command in one place: each ends with 130, also on a second signal.

Where a command runs no loop, a signal raises `Stopped` wherever the program is. While `run` runs one, the
first signal ends its work in order. A signal that nobody takes any more ends the process at once: what is on
disk is whole at every moment.
"""

# Only what the interpreter has loaded, or loads in no time: until `listen`, a signal has its way with us.
import atexit
import os
import signal
import sys
from collections.abc import Callable, Coroutine
from types import FrameType
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    import asyncio

EXIT_CODE = 130
_SIGNALS = (signal.SIGINT, signal.SIGTERM)
_SHOW_CURSOR = b"\x1b[?25h"
_Result = TypeVar("_Result")


class Stopped(BaseException):
    """A signal came. Not KeyboardInterrupt, which click turns into "Aborted!" and exit code 1."""


class _Signals:
    """How many have come, and who takes the next one."""

    def __init__(self) -> None:
        self.count = 0
        self.taker: Callable[[], bool] | None = None

    def come(self, number: int, frame: FrameType | None) -> None:
        """Hand a signal on; one that nobody takes ends the process."""
        del number, frame
        self.count += 1
        if self.taker is not None and self.taker():
            return
        if self.count == 1:
            raise Stopped
        leave()


_signals = _Signals()


def listen() -> None:
    """Take Ctrl-C and SIGTERM from here on; what was ignored when the process began stays ignored."""
    heard = [number for number in _SIGNALS if signal.getsignal(number) is not signal.SIG_IGN]
    for number in heard:
        signal.signal(number, _signals.come)

    def be_deaf() -> None:
        # The interpreter's last deed would be to give them back to the system, by which a process dies.
        for number in heard:
            signal.signal(number, signal.SIG_IGN)

    atexit.register(be_deaf)  # registered first, so that it runs last


def end() -> None:
    """The command has said its last: from here on a signal ends the process at once."""
    _signals.taker = leave


def leave() -> bool:
    """End the process at once; a terminal gets its cursor back."""
    if sys.stderr is not None and sys.stderr.isatty():
        os.write(2, _SHOW_CURSOR)
    os._exit(EXIT_CODE)


def asked() -> bool:
    """Whether a signal has come."""
    return _signals.count > 0


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
    import asyncio

    from arcferry.errors import InterruptedRunError

    watch = _Watch(ask)
    _signals.taker = watch.take
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
        _signals.taker = None
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
        if _signals.count > self._most:
            return False
        if self._loop is not None and self._stop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._stop)
        return True

    async def over(self, work: Coroutine[Any, Any, _Result]) -> _Result:
        """The work's result; what came before it began counts too."""
        import asyncio

        task = asyncio.ensure_future(work)
        self._stop = self._ask or task.cancel
        self._loop = asyncio.get_running_loop()
        if asked():
            self._stop()
        return await task
