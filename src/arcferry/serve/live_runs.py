"""The runs of a state folder as they go on, the newest of them kept in memory."""

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from arcferry.errors import ArcferryError, FileInputError, UnknownNameError
from arcferry.fleet.run_folder import Remembered, names_of_runs, read_run, record_of
from arcferry.serve.listing import RunView
from arcferry.serve.live import LiveRun
from arcferry.serve.reading import Reader, View
from arcferry.text import one_line

MOST_RUNS = 12
"""Runs that are listed and kept in memory, the newest; of those that cannot be read as many are listed."""

_Stamp = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A run whose record cannot be read."""

    id: str
    why: str


@dataclass(frozen=True)
class RunsView(View):
    """The runs at one moment.

    Attributes:
        older: how many are not listed.
    """

    runs: tuple[RunView, ...] = ()
    unreadable: tuple[Unreadable, ...] = ()
    older: int = 0


class LiveRuns(Reader[RunsView]):
    """The runs of a state folder. A record is read again only where its file became another."""

    def __init__(self, state: Path) -> None:
        super().__init__(RunsView())
        self._state = state
        self._runs: dict[str, LiveRun] = {}
        self._records: dict[str, tuple[_Stamp, Remembered | FileInputError]] = {}

    async def read_up(self) -> None:
        """Read the newest run, so that its first page comes at once; the page tells what cannot be read."""
        with suppress(ArcferryError):
            for run, _ in _newest(await asyncio.to_thread(self._remembered))[:1]:
                await (await self.run(run.id)).refreshed()

    async def _read(self) -> RunsView:
        try:
            found = await asyncio.to_thread(self._remembered)
        except FileInputError as error:
            return RunsView(self.view.version, problems=(one_line(error.message, limit=600),))
        newest = _newest(found)[:MOST_RUNS]
        kept = [self._runs.get(run.id) or LiveRun(run, record) for run, record in newest]
        self._runs = {one.run.id: one for one in reversed(kept)}  # the oldest gives way first
        problems = [
            Unreadable(one_line(name, limit=60), one_line(one.message, limit=600))
            for name, one in found.items()
            if isinstance(one, FileInputError)
        ]
        return RunsView(
            self.view.version,
            runs=tuple([await one.refreshed() for one in kept]),
            unreadable=tuple(problems[:MOST_RUNS]),
            older=len(found) - len(newest) - len(problems[:MOST_RUNS]),
        )

    async def run(self, name: str) -> LiveRun:
        """The run of that name.

        Raises:
            UnknownNameError: none is remembered.
            FileInputError: its record cannot be read.
        """
        found = await asyncio.to_thread(self._remembered)
        one = found.get(name)
        if one is None:
            self._runs.pop(name, None)
            raise UnknownNameError("run", name, found)
        if isinstance(one, FileInputError):
            raise one.with_traceback(None)  # it is kept, and must keep nothing of each request
        if name not in self._runs:
            while len(self._runs) >= MOST_RUNS:
                self._runs.pop(next(iter(self._runs)))
            self._runs[name] = LiveRun(*one)
        return self._runs[name]

    def _remembered(self) -> dict[str, Remembered | FileInputError]:
        """Each run's record, or why it cannot be read.

        Raises:
            FileInputError: the state folder cannot be read.
        """
        self._records = {name: self._record(name) for name in names_of_runs(self._state)}
        return {name: record for name, (_, record) in self._records.items()}

    def _record(self, name: str) -> tuple[_Stamp, Remembered | FileInputError]:
        stamp = _stamp(record_of(self._state, name))
        before = self._records.get(name)  # once: another thread may put other records in their place
        if before is not None and before[0] == stamp:
            return before
        try:
            return stamp, read_run(self._state, name)
        except FileInputError as error:
            return stamp, error


def _newest(found: dict[str, Remembered | FileInputError]) -> list[Remembered]:
    readable = [one for one in found.values() if isinstance(one, tuple)]
    return sorted(readable, key=lambda one: one[0].started, reverse=True)


def _stamp(path: Path) -> _Stamp:
    """What tells whether a file is still the same; empty where nobody may see it."""
    try:
        found = path.stat()
    except OSError:
        return ()
    return found.st_mode, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns
