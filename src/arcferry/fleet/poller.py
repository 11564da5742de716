"""Watching many machines in ARM with few requests."""

import asyncio
import time
from collections.abc import Callable, Mapping
from contextlib import suppress

from arcferry.azure import AzureSession, Machine, get_machine, list_machines
from arcferry.errors import AzureError, AzureUnavailableError, ThrottledError
from arcferry.fleet.settling import Settling, apart

FEW = 3
"""Up to so many machines are read one by one; more are read with one list."""

_SHORTEST, _LONGEST, _GROWTH = 0.5, 10.0, 1.5


class MachinePoller:
    """Reads the machines that somebody waits for, all together, with growing pauses.

    Throttling and short outages are waited out, and for some minutes a refusal as ARM may give it after a
    role or a group was made. What fails of one host's machine is that host's alone.
    """

    def __init__(self, session: AzureSession, settling: Settling | None = None) -> None:
        self._session = session
        self._settling = settling or Settling()
        self._waiting: dict[str, int] = {}
        self._seen: dict[str, Machine | None] = {}
        self._errors: dict[str, AzureError] = {}
        self._news = asyncio.Condition()
        self._task: asyncio.Task[None] | None = None
        self._pause = _SHORTEST

    async def wait_for(
        self, name: str, good: Callable[[Machine], bool], *, patience: float
    ) -> Machine | None:
        """The machine of that name once it is `good`, or as last seen when patience ends.

        Raises:
            AzureError: ARM refused, or was not to be had until patience ended; the host is named.
        """
        key, deadline = name.lower(), time.monotonic() + patience
        self._waiting[key] = self._waiting.get(key, 0) + 1
        self._pause = _SHORTEST
        self._seen.pop(key, None)
        self._errors.pop(key, None)
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._poll())
        try:
            while True:
                machine = self._seen.get(key)
                if machine is not None and good(machine):
                    return machine
                left = deadline - time.monotonic()
                if left <= 0:
                    if key not in self._seen and key in self._errors:
                        raise _of_host(name, self._errors[key])
                    return machine
                await self._next_news(left)
                error = self._errors.get(key)
                if error is not None and not self._passes(error):
                    raise _of_host(name, error)
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

    def _passes(self, error: AzureError) -> bool:
        return isinstance(error, ThrottledError | AzureUnavailableError) or self._settling.still(error)

    async def _poll(self) -> None:
        while self._waiting:
            await self._read(list(self._waiting))
            async with self._news:
                self._news.notify_all()
            await asyncio.sleep(apart(self._pause))
            self._pause = min(self._pause * _GROWTH, _LONGEST)

    async def _read(self, names: list[str]) -> None:
        if len(names) <= FEW:
            for name in names:
                try:
                    self._see([name], {name: await get_machine(self._session, name)})
                except AzureError as error:
                    self._errors[name] = error
            return
        try:
            self._see(names, await list_machines(self._session))
        except AzureError as error:
            self._errors.update(dict.fromkeys(names, error))

    def _see(self, names: list[str], machines: Mapping[str, Machine | None]) -> None:
        self._settling.passed()
        for name in names:
            self._errors.pop(name, None)
            self._seen[name] = machines.get(name)


def _of_host(name: str, error: AzureError) -> AzureError:
    """The error with the host's name, which one about a whole list lacks."""
    if name.lower() in error.message.lower():
        return error
    return type(error)(f"{name}: {error.message}", status=error.status, code=error.code, hint=error.hint)
