"""Runs as they go on, each by itself."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, TypeVar

from arcferry.diagnosis.finding import NOTHING_JUDGED
from arcferry.errors import ArcferryError
from arcferry.fleet.findings import judged_at, judged_of
from arcferry.fleet.following import RunState, Standings, summary
from arcferry.fleet.records import steps_so_far
from arcferry.fleet.run_folder import KnownHost, RunFolder, hosts_of
from arcferry.report import as_json, page
from arcferry.report.page.causes import causes
from arcferry.serve import overseen
from arcferry.serve.listing import HostRow, RunView, StepView, steps_of
from arcferry.serve.reading import Reader
from arcferry.text import one_line
from arcferry.times import to_text

_Read = TypeVar("_Read")


class LiveRun(Reader[RunView]):
    """One run, read by as much as its journal grew."""

    def __init__(self, run: RunFolder, record: Mapping[str, Any]) -> None:
        super().__init__(_nothing_read(run, record))
        self.run = run
        self.ordering = asyncio.Lock()
        self._stands = Standings(run)
        self._told: set[str] = set()
        self._journal = 0
        self._evidence = 0
        self._problems: dict[str, str] = {}
        self._names: dict[str, str] = {}

    async def _read(self) -> RunView:
        return await asyncio.to_thread(self._read_now)

    def _read_now(self) -> RunView:
        self._told |= self._stands.read_on()
        self._problems["journal"] = self._stands.problem
        view, journal, evidence = self.view, self._stands.journals, judged_at(self.run)
        if self._journal != journal:
            view = replace(view, rows=self._known())
        stands = summary(self._stands)
        nothing: overseen.Attempt | None = None
        retry = self._so_far("retry", lambda: overseen.newest(self.run), nothing)
        found: dict[str, Any] = self._judged() if self._evidence != evidence else {}
        if told := self._told & self._stands.hosts.keys():
            found["rows"] = self._rows(view.rows, told)
        # Noted last: what an unforeseen end leaves undone is done in the next round.
        self._told, self._journal, self._evidence = set(), journal, evidence
        return replace(
            view,
            state=RunState(stands["state"]),
            says=stands["says"],
            order=stands["order"],
            retry=retry,
            problems=tuple(filter(None, self._problems.values())),
            **found,
        )

    def _so_far(self, what: str, read: Callable[[], _Read], otherwise: _Read) -> _Read:
        """What is read; where it cannot be, the page tells why, and shows all that can."""
        self._problems[what] = ""
        try:
            return read()
        except ArcferryError as error:
            self._problems[what] = one_line(error.message, limit=600)
            return otherwise

    def _known(self) -> Mapping[str, HostRow]:
        self._names = {}
        nobody: tuple[KnownHost, ...] = ()
        known = self._so_far("hosts", lambda: hosts_of(self.run), nobody)
        return {one.name: HostRow(number, one.name, one.site, one.tags) for number, one in enumerate(known)}

    def _rows(self, before: Mapping[str, HostRow], told: set[str]) -> Mapping[str, HostRow]:
        rows = dict(before)
        for given in sorted(told):
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
        diagnosis = self._so_far("evidence", lambda: judged_of(self.run), NOTHING_JUDGED)
        written = page.read({"schema": 1, "kind": "runs", **as_json.fields(diagnosis)})
        of_cause: dict[str, frozenset[str]] = {}
        for finding in diagnosis.findings:
            servers = {one_line(server) for server in finding.servers}
            of_cause[finding.cause] = of_cause.get(finding.cause, frozenset()) | servers
        return {"causes": causes([written]), "of_cause": of_cause}

    async def steps(self, host: str) -> tuple[list[StepView], str]:
        """What one host did in its last attempt, and why its record cannot be read; empty where it can."""
        name = self._names.get(host, host)
        async with self._lock:
            events = await asyncio.to_thread(self._stands.events_of, name)
        try:
            attempt, recorded = await asyncio.to_thread(steps_so_far, self.run, name)
        except ArcferryError as error:
            return steps_of(events, 0, ()), one_line(error.message, limit=600)
        return steps_of(events, attempt, recorded), ""


def _nothing_read(run: RunFolder, record: Mapping[str, Any]) -> RunView:
    target, total = record.get("target"), record.get("hosts")
    return RunView(
        id=run.id,
        started=to_text(run.started),
        inventory=one_line(str(record.get("inventory", ""))),
        target={key: one_line(str(target[key])) for key in target} if isinstance(target, dict) else {},
        total=total if isinstance(total, int) else 0,
    )
