"""What keeps hosts from going on for a while: an order to pause, the kill switch, a window that is closed."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from datetime import datetime

from arcferry.fleet.control import Controls, Order
from arcferry.fleet.events import Event, EventKind, Observer
from arcferry.fleet.inventory import Host
from arcferry.fleet.window import Window
from arcferry.times import now, to_text

POLL = 0.5
"""Seconds between two looks at what an operator asked for."""

WINDOW = "window"
"""What a host that waits for its window shows in place of a step."""


class WindowClosedError(Exception):
    """A host may not go on, because its window is closed; never leaves the run."""


class Holds:
    """Lets a host go on to its next step, or has it wait until it may. Made by `holding`."""

    def __init__(
        self,
        controls: Controls,
        observer: Observer,
        *,
        window_of: Callable[[Host], Window | None],
        clock: Callable[[], datetime],
    ) -> None:
        self._controls = controls
        self._observer = observer
        self._window_of = window_of
        self._clock = clock
        self._asked = ""
        self._own: dict[str, str] = {}
        self._closed: dict[Window, str] = {}
        self._told: dict[str, str] = {}
        self._looked = asyncio.Condition()
        self.cancelled: Order | None = None

    def why(self, host: Host) -> str:
        """Why a host may not go on now; empty where it may."""
        if self._asked:
            return self._asked
        window = self._window_of(host)
        if window is None:
            return ""
        if window not in self._closed:
            # Once a look: a thousand hosts have few windows.
            at = self._clock()
            opens = window.opens(at)
            says = f"its window opens {window.said(opens)} ({to_text(opens)})"
            self._closed[window] = says if opens > at else ""
        return self._closed[window]

    def tell(self, host: Host) -> str:
        """As `why`; that a host waits for its window is told to whoever watches, once."""
        why = self.why(host)
        if not why:
            self._told.pop(host.name, None)
        elif not self._asked and self._told.get(host.name) != why:
            self._told[host.name] = why
            self._observer(Event(host.name, EventKind.WAITING, WINDOW, why))
        return why

    async def next_look(self) -> None:
        """Wait until it was looked again at what is asked for."""
        async with self._looked:
            await self._looked.wait()

    async def resumed(self) -> None:
        """Return once nobody has paused the run; windows do not count."""
        while self._asked:
            await self.next_look()

    async def pass_(self, host: Host) -> None:
        """Return once the host may go on.

        Raises:
            WindowClosedError: it may not before its window opens again.
        """
        await self.resumed()
        if why := self.why(host):
            raise WindowClosedError(why)

    def hold(self, key: str, says: str) -> None:
        """Have every host wait for a reason of the run's own, until `release`."""
        self._own[key] = says
        self._see()

    def release(self, key: str) -> None:
        """Take back what `hold` said."""
        if self._own.pop(key, None) is not None:
            self._see()

    async def look(self) -> None:
        """Look at what is asked for now, and wake whoever waits."""
        self._see()
        async with self._looked:
            self._looked.notify_all()

    def _see(self) -> None:
        self._closed.clear()
        asked = self._controls.held() or next(iter(self._own.values()), "")
        if asked and asked != self._asked:
            self._observer(Event("", EventKind.PAUSED, says=asked))
        elif self._asked and not asked:
            self._observer(Event("", EventKind.RESUMED, says="hosts go on"))
        self._asked = asked
        self.cancelled = self._controls.cancelled()


@asynccontextmanager
async def holding(
    controls: Controls,
    observer: Observer,
    *,
    window_of: Callable[[Host], Window | None],
    cancel: Callable[[], object],
    clock: Callable[[], datetime] = now,
) -> AsyncIterator[Holds]:
    """Holds that look at what is asked for, as long as the body runs.

    Args:
        controls: what an operator can ask for from outside.
        observer: is told when the run pauses and goes on, and which host waits for its window.
        window_of: a host's window; None where it may begin at any time.
        cancel: called once, where the run is cancelled meanwhile.
        clock: what time it is.
    """
    holds = Holds(controls, observer, window_of=window_of, clock=clock)
    await holds.look()

    async def watch() -> None:
        while True:
            await asyncio.sleep(POLL)
            await holds.look()
            if holds.cancelled is not None:
                cancel()
                return

    watching = asyncio.create_task(watch())
    try:
        yield holds
    finally:
        watching.cancel()
        with suppress(asyncio.CancelledError):
            await watching
