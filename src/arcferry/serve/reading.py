"""What goes on on the disk, read by one task for all who look, which tells them that something is new."""

import asyncio
import logging
import secrets
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Generic, TypeVar

_POLL = 0.4
_LOG = logging.getLogger(__name__)


@dataclass(frozen=True)  # without slots, for views that count something once
class View:
    """How something stands at one moment.

    Attributes:
        version: another one for every change.
        problems: what of it cannot be read.
        has_fault: whether reading met what nobody foresaw, so that all of it may be old.
    """

    version: str = ""
    problems: tuple[str, ...] = ()
    has_fault: bool = False


Seen = TypeVar("Seen", bound=View)


class Reader(ABC, Generic[Seen]):
    """One thing that goes on, and how it stands."""

    def __init__(self, nothing: Seen) -> None:
        self.view = nothing
        self._lock = asyncio.Lock()
        self._news = asyncio.Event()
        self._boot = secrets.token_hex(4)
        self._changes = 0
        self._listeners = 0
        self._reader: asyncio.Task[None] | None = None

    @abstractmethod
    async def _read(self) -> Seen:
        """How it stands now, by whatever version; it goes on from `view`."""

    async def refreshed(self) -> Seen:
        """How it stands now. What nobody foresaw is told in the log and in the view, and reading goes on."""
        # What was begun is ended, also where nobody looks any more: its thread would go on beside the next.
        return await asyncio.shield(self._refreshed())

    async def _refreshed(self) -> Seen:
        async with self._lock:
            try:
                view = replace(await self._read(), has_fault=False)
            except Exception:  # noqa: BLE001  # logged, once for as long as it lasts
                if not self.view.has_fault:
                    _LOG.exception("what a page shows cannot be read")
                view = replace(self.view, has_fault=True)
            if not self.view.version or view != self.view:
                self._changes += 1
                self.view = replace(view, version=f"{self._boot}.{self._changes}")
                self._news.set()
                self._news = asyncio.Event()
            return self.view

    async def after(self, version: str) -> Seen:
        """How it stands once that is another than that version."""
        while self.view.version == version:
            await self._news.wait()
        return self.view

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[None]:
        """While somebody does, it is read on."""
        self._listeners += 1
        if self._reader is None:
            self._reader = asyncio.create_task(self._read_on())
        try:
            yield
        finally:
            self._listeners -= 1
            if not self._listeners and self._reader is not None:
                self._reader.cancel()
                self._reader = None

    async def _read_on(self) -> None:
        while True:
            await self.refreshed()
            await asyncio.sleep(_POLL)
