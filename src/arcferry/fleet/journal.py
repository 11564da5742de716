"""The journal: one JSON line for each change, flushed as it happens, for people and for other programs."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from io import FileIO
from pathlib import Path

from arcferry.files import unwritable
from arcferry.fleet.events import Event
from arcferry.times import to_text


class Journal:
    """An observer that writes every event. Made by `journal`."""

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
def journal(path: Path, run: str) -> Iterator[Journal]:
    """A journal that is appended to.

    Raises:
        FileInputError: it cannot be written.
    """
    try:
        # Not buffered: what a full disk refuses must not come up again when the file is closed.
        stream = path.open("a+b", buffering=0)
        torn = stream.tell() > 0 and stream.seek(-1, os.SEEK_END) >= 0 and stream.read(1) != b"\n"
    except OSError as error:
        raise unwritable(path, error) from error
    with stream:
        path.chmod(0o600)
        yield Journal(stream, run, torn=torn)
