import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from errno import (
    EACCES,
    EADDRNOTAVAIL,
    EAFNOSUPPORT,
    ECONNABORTED,
    ECONNREFUSED,
    ECONNRESET,
    EHOSTUNREACH,
    ENETDOWN,
    ENETUNREACH,
    EPERM,
    EPIPE,
    ETIMEDOUT,
)
from typing import Any, TypeVar

from arcferry.probe.observation import Failure, Stage

T = TypeVar("T")
E = TypeVar("E", bound=Exception)

_KINDS = {
    ECONNREFUSED: "refused",
    ECONNRESET: "reset",
    ECONNABORTED: "reset",
    EPIPE: "reset",
    ETIMEDOUT: "timeout",
    EHOSTUNREACH: "unreachable",
    ENETUNREACH: "unreachable",
    ENETDOWN: "unreachable",
    EADDRNOTAVAIL: "unreachable",
    EAFNOSUPPORT: "unreachable",
    EACCES: "unreachable",  # a packet filter on this machine
    EPERM: "unreachable",  # same
}


class StepError(Exception):
    """A step of a probe failed. Never leaves this package: it becomes an observation's failure."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.says)
        self.failure = failure


def failed(stage: Stage, kind: str, says: str) -> StepError:
    """The error to raise for a step, in one call."""
    return StepError(Failure(stage, kind, says))


def kind_of(error: OSError) -> str:
    """The failure kind of a socket error, `unreachable` for those that are rare enough to have no word."""
    return _KINDS.get(error.errno or 0, "unreachable")


class Budget:
    """What is left of the time that one probe may take."""

    def __init__(self, seconds: float) -> None:
        self._loop = asyncio.get_running_loop()
        self._began = self._loop.time()
        self._seconds = seconds

    @property
    def spent(self) -> float:
        """Seconds since the probe began."""
        return self._loop.time() - self._began

    @property
    def is_spent(self) -> bool:
        """Whether nothing is left."""
        return self.spent >= self._seconds

    def step(self, seconds: float) -> float:
        """The step's own limit, or what is left where that is less."""
        return max(0.0, min(seconds, self._seconds - self.spent))


@asynccontextmanager
async def time_limit(stage: Stage, seconds: float, doing: str) -> AsyncIterator[None]:
    """A limit on one step. Its end, and what a socket raises within it, become that step's failure."""
    try:
        async with asyncio.timeout(seconds):
            yield
    except TimeoutError as error:
        raise failed(stage, "timeout", f"no answer within {seconds:.3g} s {doing}") from error
    except OSError as error:
        raise failed(stage, kind_of(error), f"{error.strerror or error} {doing}") from error


async def race(
    attempts: Iterable[Callable[[], Awaitable[T]]],
    *,
    delay: float,
    expected: type[E],
    errors: dict[int, E],
    discard: Callable[[T], Any] = lambda _: None,
) -> T | None:
    """The first attempt's result that comes, None where all failed.

    The next attempt starts when one fails, and every `delay` seconds beside those under way.

    Args:
        attempts: in the order of preference.
        delay: seconds.
        expected: what a failed attempt raises; anything else is raised on.
        errors: filled with each failed attempt's error by its index, also when this is cancelled.
        discard: is given a result that came too late to win.
    """
    running: dict[asyncio.Future[T], int] = {}
    waiting = enumerate(attempts)
    try:
        while True:
            following = next(waiting, None)
            if following:
                running[asyncio.ensure_future(following[1]())] = following[0]
            if not running:
                return None
            done, _ = await asyncio.wait(
                running, timeout=delay if following else None, return_when=asyncio.FIRST_COMPLETED
            )
            for task in done:
                error = task.exception()
                if error is None:
                    del running[task]
                    return task.result()
                if not isinstance(error, expected):
                    raise error
                errors[running.pop(task)] = error
    finally:
        await _drop(running, discard)


async def _drop(tasks: Iterable[asyncio.Future[T]], discard: Callable[[T], Any]) -> None:
    left = list(tasks)
    for task in left:
        task.cancel()
    for result in await asyncio.gather(*left, return_exceptions=True):
        if not isinstance(result, BaseException):
            discard(result)
