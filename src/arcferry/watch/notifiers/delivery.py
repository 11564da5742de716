"""Telling everybody after a round: what is not taken waits, and nobody holds up the next round for long."""

import asyncio
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from arcferry.errors import ArcferryError, NotifyError
from arcferry.text import one_line, said
from arcferry.watch.changes import Level, Notice
from arcferry.watch.notifiers.message import Message, Notifier

KEPT = timedelta(days=1)
_MOST_WAITING = 500


@dataclass(frozen=True, slots=True)
class Told:
    """What there is to tell after a round.

    Attributes:
        changes: one message a change.
        alive: that rounds are being taken, one message a site.
        state: how things stand, for whoever wants that instead.
    """

    taken: datetime
    changes: Sequence[Message]
    alive: Sequence[Message]
    state: Message


@dataclass(slots=True)
class _Line:
    """One notifier, and what it has not taken yet."""

    notifier: Notifier
    waiting: deque[tuple[datetime, Message]] = field(default_factory=deque)
    failing: bool = False

    async def deliver(self, messages: Sequence[Message], taken: datetime, seconds: float) -> list[Notice]:
        lost = self._enqueue(messages, taken)
        problem, waited = "", len(self.waiting)
        try:
            async with asyncio.timeout(seconds):
                for _ in range(waited):
                    problem = await self._first() or problem
        except TimeoutError:
            problem = f"not done within {seconds:g} s"
        # Where there was nothing to tell, nothing is known of whether it would have been taken.
        return [*(self._turned(problem) if waited else []), *self._lost(lost)]

    def _enqueue(self, messages: Sequence[Message], taken: datetime) -> int:
        if self.notifier.wants_state:
            self.waiting.clear()
        self.waiting.extend((taken, message) for message in messages)
        lost = 0
        while self.waiting and (len(self.waiting) > _MOST_WAITING or self.waiting[0][0] < taken - KEPT):
            self.waiting.popleft()
            lost += 1
        return lost

    async def _first(self) -> str:
        """Send the first that waits; where it is not taken it waits behind the others. Says why not."""
        one = self.waiting.popleft()
        try:
            await self.notifier.send(one[1])
        except asyncio.CancelledError:
            self.waiting.append(one)
            raise
        except ArcferryError as error:
            if not (isinstance(error, NotifyError) and error.partly):
                self.waiting.append(one)
            return error.message
        except (OSError, ValueError) as error:
            self.waiting.append(one)
            return said(error)
        return ""

    def _turned(self, problem: str) -> list[Notice]:
        """A failure is told once, and once that it is over."""
        was, self.failing = self.failing, bool(problem)
        if problem and not was:
            waits = self.waiting and not self.notifier.wants_state
            kept = f"; {len(self.waiting)} wait for the next round" if waits else ""
            says = f"{self.notifier.name} does not take what it is told: {one_line(problem)}{kept}"
            return [Notice(Level.FAIL, "", says)]
        if was and not problem:
            return [Notice(Level.OK, "", f"{self.notifier.name} takes again what it is told")]
        return []

    def _lost(self, count: int) -> list[Notice]:
        if not count or self.notifier.wants_state:
            return []
        says = f"{self.notifier.name} was not told of {count} older changes; they are in the history"
        return [Notice(Level.FAIL, "", says)]


class Delivery:
    """Tells every notifier at the same time, each within so many seconds a round.

    What one does not take waits for the next round, a day at most, and is then tried again: it may come
    twice, where an answer was lost. What it fails at is told once, not every round.
    """

    def __init__(
        self, notifiers: Sequence[Notifier], *, seconds: float, alive_every: timedelta | None = None
    ) -> None:
        self._lines = [_Line(one) for one in notifiers]
        self._seconds = seconds
        self._alive_every = alive_every
        self._alive: datetime | None = None

    async def deliver(self, told: Told) -> tuple[Notice, ...]:
        """Tell what there is to tell; what could not be is returned, and never raised."""
        alive = told.alive if self._is_due(told.taken) else []
        found = await asyncio.gather(
            *(
                line.deliver(
                    [told.state] if line.notifier.wants_state else [*told.changes, *alive],
                    told.taken,
                    self._seconds,
                )
                for line in self._lines
            )
        )
        return tuple(notice for notices in found for notice in notices)

    def _is_due(self, taken: datetime) -> bool:
        if self._alive_every is None:
            return False
        if self._alive is not None and taken - self._alive < self._alive_every:
            return False
        self._alive = taken
        return True
