"""What happens in a run, told to whoever watches: the progress display and the journal."""

import json
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from io import FileIO
from pathlib import Path
from typing import Protocol

from arcferry.files import naming
from arcferry.times import now, to_text


class EventKind(StrEnum):
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
    kind: EventKind
    step: str = ""
    says: str = ""
    attempt: int = 1
    seconds: float = 0.0
    at: datetime | None = None


class Observer(Protocol):
    """Watches a run. It must not raise: an observer never ends what it watches."""

    def see(self, event: Event) -> None:
        """Take note of an event, soon and without waiting."""


class Observers:
    """Several observers as one; events get their instant here."""

    def __init__(self, observers: Iterable[Observer]) -> None:
        self._observers = tuple(observers)

    def see(self, event: Event) -> None:
        """Tell everyone."""
        dated = replace(event, at=now())
        for observer in self._observers:
            observer.see(dated)


class RunJournal:
    """One JSON line for each event, flushed as it happens, for people and for other programs."""

    def __init__(self, stream: FileIO, run: str, *, torn: bool = False) -> None:
        self._stream = stream
        self._run = run
        self._torn = torn  # whether the last line lacks its end, of a run that was killed or on a full disk

    def see(self, event: Event) -> None:
        """Append the event."""
        line = {
            "schema": 1,
            "time": to_text(event.at) if event.at else "",
            "run": self._run,
            "host": event.host,
            "attempt": event.attempt,
            "step": event.step,
            "event": event.kind.value,
            "says": event.says,
            "seconds": round(event.seconds, 3),
        }
        data = (json.dumps(line, ensure_ascii=False) + "\n").encode()
        if self._torn:
            data = b"\n" + data
        try:
            self._torn = self._stream.write(data) != len(data)
        except OSError:
            # A full disk here must not end the hosts' work; the record of steps stops the run by itself.
            self._torn = True


@contextmanager
def journal(path: Path, run: str) -> Iterator[RunJournal]:
    """A journal that is appended to.

    Raises:
        FileInputError: it cannot be written.
    """
    with naming(path, "cannot be written"):
        # Not buffered: what a full disk refuses must not come up again when the file is closed.
        stream = path.open("a+b", buffering=0)
        torn = stream.tell() > 0 and stream.seek(-1, os.SEEK_END) >= 0 and stream.read(1) != b"\n"
    with stream:
        path.chmod(0o600)
        yield RunJournal(stream, run, torn=torn)
