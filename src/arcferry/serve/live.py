"""Runs as they go on: one reader a run for all who look, which tells them that something is new."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

from arcferry.diagnosis.finding import NOTHING_JUDGED
from arcferry.errors import ArcferryError, UnknownNameError
from arcferry.fleet.findings import judged_at, judged_of
from arcferry.fleet.following import RunState, Standings, summary
from arcferry.fleet.records import steps_so_far
from arcferry.fleet.run_folder import KnownHost, RunFolder, hosts_of, runs
from arcferry.report import as_json, page
from arcferry.report.page.causes import causes
from arcferry.serve.listing import HostRow, RunView, StepView, steps_of
from arcferry.text import one_line
from arcferry.times import to_text

_POLL = 0.4
_Read = TypeVar("_Read")
MOST_RUNS = 12
"""Runs that are listed and kept in memory, the newest."""


class LiveRun:
    """One run, read by as much as its journal grew."""

    def __init__(self, run: RunFolder, record: Mapping[str, Any]) -> None:
        self.run = run
        self._record = record
        self._stands = Standings(run)
        self._lock = asyncio.Lock()
        self._news = asyncio.Event()
        self._boot = secrets.token_hex(4)
        self._changes = 0
        self._journal = 0
        self._evidence = 0
        self._problems: dict[str, str] = {}
        self._names: dict[str, str] = {}
        self._listeners = 0
        self._reader: asyncio.Task[None] | None = None
        self.view = self._nothing_read()

    def _nothing_read(self) -> RunView:
        target = self._record.get("target")
        total = self._record.get("hosts")
        return RunView(
            id=self.run.id,
            version="",
            started=to_text(self.run.started),
            inventory=one_line(str(self._record.get("inventory", ""))),
            target={key: one_line(str(target[key])) for key in target} if isinstance(target, dict) else {},
            total=total if isinstance(total, int) else 0,
            state=RunState.UNKNOWN,
            says="",
            order=None,
            rows={},
        )

    async def refreshed(self) -> RunView:
        """The run as it stands now."""
        async with self._lock:
            view = await asyncio.to_thread(self._read)
        if view is not self.view:
            self.view = view
            self._news.set()
            self._news = asyncio.Event()
        return self.view

    async def after(self, version: str) -> RunView:
        """The run once it is another than the one of that version."""
        while self.view.version == version:
            await self._news.wait()
        return self.view

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[None]:
        """While somebody does, the journal is read."""
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

    def _read(self) -> RunView:
        """The view of now; the same object where nothing is new."""
        told = self._stands.read_on()
        view = self.view
        if self._journal != self._stands.journals:
            self._journal = self._stands.journals
            view = replace(view, rows=self._known())
        stands = summary(self._stands)
        found: dict[str, Any] = {}
        if (evidence := judged_at(self.run)) != self._evidence:
            self._evidence = evidence
            found = self._judged()
        if told - {""}:
            found["rows"] = self._rows(view.rows, told - {""})
        state, problem = RunState(stands["state"]), "; ".join(filter(None, self._problems.values()))
        view = replace(
            view, state=state, says=stands["says"], order=stands["order"], problem=problem, **found
        )
        if view.version and view == self.view:
            return self.view
        self._changes += 1
        return replace(view, version=f"{self._boot}.{self._changes}")

    def _told(self, what: str, read: Callable[[], _Read], otherwise: _Read) -> _Read:
        """What is read; where it cannot be, the page tells why, and shows all that can."""
        self._problems[what] = ""
        try:
            return read()
        except ArcferryError as error:
            self._problems[what] = error.message
            return otherwise

    def _known(self) -> Mapping[str, HostRow]:
        self._names = {}
        nobody: tuple[KnownHost, ...] = ()
        known = self._told("hosts", lambda: hosts_of(self.run), nobody)
        return {one.name: HostRow(number, one.name, one.site, one.tags) for number, one in enumerate(known)}

    def _rows(self, before: Mapping[str, HostRow], told: set[str]) -> Mapping[str, HostRow]:
        rows = dict(before)
        for given in told:
            name = one_line(given)
            self._names[name] = given
            last = self._stands.hosts[given]
            rows[name] = replace(
                rows.get(name) or HostRow(len(rows), name),
                event=last["state"],
                step=one_line(last["step"], limit=60),
                stage=last["stage"],
                says=last["says"],
                time=one_line(last["time"], limit=30),
            )
        return rows

    def _judged(self) -> dict[str, Any]:
        diagnosis = self._told("evidence", lambda: judged_of(self.run), NOTHING_JUDGED)
        written = page.read({"schema": 1, "kind": "runs", **as_json.fields(diagnosis)})
        of_cause: dict[str, frozenset[str]] = {}
        for finding in diagnosis.findings:
            of_cause[finding.cause] = of_cause.get(finding.cause, frozenset()) | set(finding.servers)
        return {"causes": causes([written]), "of_cause": of_cause}

    async def steps(self, host: str) -> tuple[list[StepView], str]:
        """What one host did in its last attempt, and why its record cannot be read; empty where it can."""
        name = self._names.get(host, host)
        async with self._lock:
            events = await asyncio.to_thread(self._stands.events_of, name)
        try:
            attempt, recorded = await asyncio.to_thread(steps_so_far, self.run, name)
        except ArcferryError as error:
            return steps_of(events, 0, ()), error.message
        return steps_of(events, attempt, recorded), ""


class Live:
    """The runs of a state folder."""

    def __init__(self, state: Path) -> None:
        self._state = state
        self._runs: dict[str, LiveRun] = {}

    async def read_up(self) -> None:
        """Read the newest run, so that its first page comes at once; the page tells what cannot be read."""
        with suppress(ArcferryError):
            for run, _ in (await asyncio.to_thread(runs, self._state))[:1]:
                await (await self.run(run.id)).refreshed()

    async def newest(self) -> tuple[list[RunView], int]:
        """The newest runs as they stand now, and how many older ones there are.

        Raises:
            FileInputError: a run's record cannot be read.
        """
        found = await asyncio.to_thread(runs, self._state)
        shown = {run.id: self._runs.get(run.id) or LiveRun(run, record) for run, record in found[:MOST_RUNS]}
        self._runs = shown
        return [await one.refreshed() for one in shown.values()], len(found) - len(shown)

    async def run(self, name: str) -> LiveRun:
        """The run of that name.

        Raises:
            UnknownNameError: none is remembered.
            FileInputError: a run's record cannot be read.
        """
        found = {run.id: (run, record) for run, record in await asyncio.to_thread(runs, self._state)}
        if name not in found:
            self._runs.pop(name, None)
            raise UnknownNameError("run", name, found)
        if name not in self._runs:
            while len(self._runs) >= MOST_RUNS:
                self._runs.pop(next(iter(self._runs)))
            self._runs[name] = LiveRun(*found[name])
        return self._runs[name]
