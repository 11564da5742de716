"""Watching many machines in ARM with few requests."""

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress

from arcferry.azure import AzureSession, Machine, get_machine, list_machines
from arcferry.errors import (
    AzureError,
    AzureUnavailableError,
    NotFoundError,
    PermissionDeniedError,
    ThrottledError,
)

FEW = 3
"""Up to so many machines are read one by one; more are read with one list."""

_SHORTEST, _LONGEST, _GROWTH = 0.5, 10.0, 1.5
_SETTLING = 60.0


class MachinePoller:
    """Reads the machines that somebody waits for, all together, with growing pauses.

    Throttling and short outages are waited out, and a minute of 403 or 404, which ARM may answer for a while
    after a role or a group is made; the SDK below honours Retry-After.
    """

    def __init__(self, session: AzureSession) -> None:
        self._session = session
        self._waiting: dict[str, int] = {}
        self._seen: dict[str, Machine | None] = {}
        self._error: AzureError | None = None
        self._refused = 0.0
        self._news = asyncio.Condition()
        self._task: asyncio.Task[None] | None = None
        self._pause = _SHORTEST

    async def wait_for(
        self, name: str, good: Callable[[Machine], bool], *, patience: float
    ) -> Machine | None:
        """The machine of that name once it is `good`, or as last seen when patience ends.

        Raises:
            AzureError: ARM refused, or was not to be had until patience ended.
        """
        key, deadline = name.lower(), time.monotonic() + patience
        self._waiting[key] = self._waiting.get(key, 0) + 1
        self._pause = _SHORTEST
        self._seen.pop(key, None)
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._poll())
        try:
            while True:
                machine = self._seen.get(key)
                if machine is not None and good(machine):
                    return machine
                left = deadline - time.monotonic()
                if left <= 0:
                    if key not in self._seen and self._error is not None:
                        raise self._error
                    return machine
                await self._next_news(left)
        finally:
            self._waiting[key] -= 1
            if not self._waiting[key]:
                del self._waiting[key]

    async def aclose(self) -> None:
        """Stop reading."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
            self._task = None

    async def _next_news(self, left: float) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(left), self._news:
                await self._news.wait()
        error = self._error
        if error is not None and not self._passes(error):
            raise error

    def _passes(self, error: AzureError) -> bool:
        if isinstance(error, PermissionDeniedError | NotFoundError):
            return time.monotonic() - self._refused < _SETTLING
        return isinstance(error, ThrottledError | AzureUnavailableError)

    async def _poll(self) -> None:
        while self._waiting:
            try:
                await self._read(list(self._waiting))
                self._error = None
            except AzureError as error:
                if not isinstance(self._error, PermissionDeniedError | NotFoundError):
                    self._refused = time.monotonic()
                self._error = error
            async with self._news:
                self._news.notify_all()
            await asyncio.sleep(self._pause)
            self._pause = min(self._pause * _GROWTH, _LONGEST)

    async def _read(self, names: list[str]) -> None:
        if len(names) <= FEW:
            for name in names:
                self._seen[name] = await get_machine(self._session, name)
            return
        machines = await list_machines(self._session)
        for name in names:
            self._seen[name] = machines.get(name)
