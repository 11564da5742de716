"""What happens in a run, told to whoever watches: the progress display and the journal."""

import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from pathlib import Path

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
    BEGUN = "begun"
    """Of the run as a whole, as are those below: an apply begins to work on it."""
    PAUSED = "paused"
    RESUMED = "resumed"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class Event:
    """One change of one host's state.

    Attributes:
        host: empty for the run as a whole.
        step: empty for the host as a whole.
        stage: the canaries or the wave that the host is in, once that is known.
    """

    host: str
    kind: EventKind
    step: str = ""
    says: str = ""
    attempt: int = 1
    seconds: float = 0.0
    stage: str = ""
    at: datetime = field(default_factory=now)


Observer = Callable[[Event], None]
"""Takes note of an event, soon and without waiting. It must not raise: it never ends what it watches."""


@contextmanager
def journal(path: Path, run: str) -> Iterator[Observer]:
    """A file that gets one JSON line for each event as it happens, for people and for other programs.

    Raises:
        FileInputError: it cannot be written.
    """
    with naming(path, "cannot be written"):
        # Not buffered: what a full disk refuses must not come up again when the file is closed.
        stream = path.open("a+b", buffering=0)
        # Whether the last line lacks its end, of a run that was killed or on a full disk.
        torn = stream.tell() > 0 and stream.seek(-1, os.SEEK_END) >= 0 and stream.read(1) != b"\n"

    def write(event: Event) -> None:
        nonlocal torn
        line = {
            "schema": 1,
            "time": to_text(event.at),
            "run": run,
            "host": event.host,
            "attempt": event.attempt,
            "stage": event.stage,
            "step": event.step,
            "event": event.kind.value,
            "says": event.says,
            "seconds": round(event.seconds, 3),
        }
        data = b"\n" * torn + (json.dumps(line, ensure_ascii=False) + "\n").encode()
        try:
            torn = stream.write(data) != len(data)
        except OSError:
            # A full disk here must not end the hosts' work; the record of steps stops the run by itself.
            torn = True

    with stream:
        path.chmod(0o600)
        yield write
