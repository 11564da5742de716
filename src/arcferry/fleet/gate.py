"""The gate that every host of a run passes before it begins."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from arcferry.fleet.inventory import Host


@dataclass(frozen=True, slots=True)
class _Hold:
    why: str
    concerns: Callable[[Host], bool]


def _every(_: Host) -> bool:
    return True


class Gate:
    """Lets hosts through, holds them for a while, or refuses them for the rest of the run.

    It decides about hosts that have not begun, and ends nothing that is at work. One object serves one run,
    in one event loop.
    """

    def __init__(self) -> None:
        self._holds: dict[str, _Hold] = {}
        self._refusal = ""
        self._news = asyncio.Event()

    def hold(self, name: str, why: str, concerns: Callable[[Host], bool] = _every) -> None:
        """Let no host through that this concerns, until the hold of this name is released.

        Args:
            name: names the hold; a new one takes the place of an older one of the same name.
            why: what people are told that wait.
            concerns: whether it holds a host; without it, all of them.
        """
        self._holds[name] = _Hold(why, concerns)
        self._tell()

    def release(self, name: str) -> None:
        """Take a hold back; one that is not there is none to take back."""
        if self._holds.pop(name, None) is not None:
            self._tell()

    def refuse(self, why: str) -> None:
        """Let no further host through in this run; the first reason stands."""
        self._refusal = self._refusal or why
        self._tell()

    @property
    def refusal(self) -> str:
        """Why no further host begins in this run; empty where hosts may."""
        return self._refusal

    def held(self, host: Host) -> str:
        """Why this host may not begin yet; empty where nothing holds it."""
        return next((hold.why for hold in self._holds.values() if hold.concerns(host)), "")

    async def passes(self, host: Host, waits: Callable[[str], object] = lambda _: None) -> bool:
        """Wait until the host may begin, and say so; False where it may not in this run.

        Args:
            host: which one.
            waits: called with the reason each time that another one holds it.
        """
        told = ""
        while not self._refusal:
            why = self.held(host)
            if not why:
                return True
            if why != told:
                told = why
                waits(why)
            await self._news.wait()
        return False

    def _tell(self) -> None:
        news, self._news = self._news, asyncio.Event()
        news.set()
