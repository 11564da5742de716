"""What happens in a run, told to whoever watches: the progress display and the journal."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from arcferry.times import now


class Kind(StrEnum):
    """What happened. Recorded: the step had ended before this process began, and was not repeated."""

    STARTED = "started"
    WAITING = "waiting"
    """The step goes on, and says what it waits for."""
    DONE = "done"
    SKIPPED = "skipped"
    FAILED = "failed"
    BLOCKED = "blocked"
    RECORDED = "recorded"
    CONNECTED = "connected"
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True)
class Event:
    """One change of one host's state; `step` is empty for the host as a whole."""

    host: str
    kind: Kind
    step: str = ""
    says: str = ""
    attempt: int = 1
    seconds: float = 0.0
    at: datetime | None = None


class Observer(Protocol):
    """Watches a run. It must not raise: a watcher never ends what it watches."""

    def see(self, event: Event) -> None:
        """Take note of an event, soon and without waiting."""


@dataclass(frozen=True, slots=True)
class Watchers:
    """Several observers as one; events get their instant here."""

    observers: tuple[Observer, ...]

    @classmethod
    def of(cls, observers: Iterable[Observer]) -> "Watchers":
        """From any number of observers, none too."""
        return cls(tuple(observers))

    def see(self, event: Event) -> None:
        """Tell everyone."""
        dated = Event(event.host, event.kind, event.step, event.says, event.attempt, event.seconds, now())
        for observer in self.observers:
            observer.see(dated)
