"""The journal: one JSON line for each change, flushed as it happens, for people and for other programs."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from arcferry.errors import FileInputError
from arcferry.fleet.events import Event
from arcferry.times import to_text


class Journal:
    """An observer that writes every event. Made by `journal`."""

    def __init__(self, stream: TextIO, run: str) -> None:
        self._stream = stream
        self._run = run

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
        try:
            self._stream.write(json.dumps(line, ensure_ascii=False) + "\n")
            self._stream.flush()
        except OSError:
            # A full disk here must not end the hosts' work; the record of steps stops the run by itself.
            return


@contextmanager
def journal(path: Path, run: str) -> Iterator[Journal]:
    """A journal that is appended to.

    Raises:
        FileInputError: it cannot be written.
    """
    try:
        stream = path.open("a", encoding="utf-8")
    except OSError as error:
        raise FileInputError(path, error.strerror or "cannot be written") from error
    with stream:
        path.chmod(0o600)
        yield Journal(stream, run)
