"""A run as its journal tells it, also while another process works on it."""

import asyncio
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any

from arcferry.errors import FileInputError
from arcferry.files import is_held, opened
from arcferry.fleet.control import Controls
from arcferry.fleet.events import EventKind
from arcferry.fleet.run_folder import RunFolder, runs
from arcferry.text import json_decoder, one_line

LOCK = "lock"
"""The file in a run's folder that is held while an apply works on the run."""

_LIMIT = 64 * 1024 * 1024
_LINE = 16 * 1024
_POLL = 0.2
_FIELDS = ("state", "step", "says", "time", "stage")
_STEP_ENDS = frozenset(
    (EventKind.DONE, EventKind.SKIPPED, EventKind.FAILED, EventKind.BLOCKED, EventKind.RECORDED)
)
_OF_THE_RUN = frozenset((EventKind.BEGUN, EventKind.PAUSED, EventKind.RESUMED, EventKind.ENDED))
Json = dict[str, Any]

if TYPE_CHECKING:
    from arcferry.fleet.task import RunRequest


class RunState(StrEnum):
    """Whether a run is at work."""

    RUNNING = "running"
    PAUSED = "paused"
    CANCELLED = "cancelled"
    ENDED = "ended"
    BROKEN_OFF = "broken off"
    """Its process is gone without a word of its end."""
    UNKNOWN = "unknown"
    """Nothing works on it, and an older arcferry kept no word of its end."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One event of a journal, and the place behind it."""

    place: int
    event: Json

    @property
    def kind(self) -> str:
        """What happened, by `EventKind`'s words."""
        return str(self.event.get("event", ""))

    @property
    def of_run(self) -> bool:
        """Whether it is of the run as a whole."""
        return not self.event.get("host")


def entries(path: Path, begin: int = 0) -> Iterator[Entry]:
    """The events of a journal, from a place in it on.

    A line without its end is left for the next reading; what is no event, as a line that a killed run left
    torn, is passed over. A journal that cannot be read has none.
    """
    with suppress(FileInputError):
        yield from _entries(path, begin)


def _entries(path: Path, begin: int) -> Iterator[Entry]:
    """The same.

    Raises:
        FileInputError: the journal is missing, or cannot be read.
    """
    decoder = json_decoder()
    with opened(path) as stream:
        place = stream.seek(begin)
        while place - begin < _LIMIT and (line := stream.readline(_LINE)):
            if not line.endswith(b"\n") and len(line) < _LINE:
                return
            place += len(line)
            try:
                event = decoder.decode(line.decode())
            except (ValueError, RecursionError):
                continue
            if isinstance(event, dict):
                yield Entry(place, event)


def state_of(run: RunFolder, last: str) -> RunState:
    """Whether a run is at work.

    Args:
        run: whose state.
        last: the last event of the run as a whole in its journal, empty where there is none.
    """
    if is_held(run.path, LOCK):
        return RunState.PAUSED if last == EventKind.PAUSED else RunState.RUNNING
    if Controls(run).cancelled():
        return RunState.CANCELLED
    if last == EventKind.ENDED:
        return RunState.ENDED
    return RunState.BROKEN_OFF if last in _OF_THE_RUN else RunState.UNKNOWN


class Standings:
    """What a journal says of its run and of each host, kept up as the journal grows.

    Attributes:
        last: the last event of the run as a whole; empty where there is none.
        says: what it says.
        hosts: of each host its state, step, stage and time, and what was said of it.
        places: where in the journal the events of each host begin.
        journals: how many there were; a journal that is shorter than before is another one.
        problem: why the journal cannot be read; empty where it can, or is not there yet.
    """

    def __init__(self, run: RunFolder) -> None:
        self.run = run
        self.journals = 0
        self.problem = ""
        self._begin_anew()

    def _begin_anew(self) -> None:
        self.journals += 1
        self._place = 0
        self.last, self.says = "", ""
        self.hosts: dict[str, dict[str, str]] = {}
        self.places: dict[str, list[int]] = {}

    def read_on(self) -> set[str]:
        """Take in what the journal has got since; gives the hosts of which it tells, "" for the run."""
        if _size(self.run.journal) < self._place:
            self._begin_anew()
        told: set[str] = set()
        self.problem = ""
        try:
            self._take_in(told)
        except FileInputError as error:
            self.problem = error.message if os.path.lexists(self.run.journal) else ""
        return told

    def _take_in(self, told: set[str]) -> None:
        for entry in _entries(self.run.journal, self._place):
            name = "" if entry.of_run else str(entry.event["host"])
            told.add(name)
            if name:
                _note(self.hosts.setdefault(name, dict.fromkeys(_FIELDS, "")), entry)
                self.places.setdefault(name, []).append(self._place)
            else:
                self.last, self.says = entry.kind, one_line(str(entry.event.get("says", "")))
            self._place = entry.place

    def events_of(self, host: str) -> list[Json]:
        """What the journal tells of one host, in its order."""
        found = (next(entries(self.run.journal, place), None) for place in self.places.get(host, ()))
        return [entry.event for entry in found if entry is not None and entry.event.get("host") == host]


def standing(run: RunFolder) -> Json:
    """Whether a run is at work, the last that is said of it as a whole, and of each of its hosts."""
    stands = Standings(run)
    stands.read_on()
    return summary(stands) | {"hosts": stands.hosts}


def summary(stands: Standings) -> Json:
    """Whether a run is at work, the last that is said of it as a whole, and its last order."""
    state = state_of(stands.run, stands.last)
    order = Controls(stands.run).order()
    return {
        "state": state.value,
        "says": order.says if order is not None and state is RunState.CANCELLED else stands.says,
        "order": order.to_json() if order is not None else None,
    }


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


def _note(host: dict[str, str], entry: Entry) -> None:
    event = entry.event
    if event.get("step"):
        host.update(step=one_line(str(event["step"])), says=one_line(str(event.get("says", ""))))
    if event.get("stage"):
        host["stage"] = one_line(str(event["stage"]))
    host.update(state=one_line(entry.kind), time=one_line(str(event.get("time", ""))))


def steps_of(run: RunFolder) -> dict[str, list[Json]]:
    """The steps of each host that have ended, in their order, as its newest attempt made them."""
    attempts: dict[str, object] = {}
    hosts: dict[str, dict[str, Json]] = {}
    for entry in entries(run.journal):
        event = entry.event
        if entry.of_run or not event.get("step") or entry.kind not in _STEP_ENDS:
            continue
        host, step, attempt = str(event["host"]), str(event["step"]), event.get("attempt")
        if attempt != attempts.setdefault(host, attempt):
            attempts[host], hosts[host] = attempt, {}
        ended = hosts.setdefault(host, {})
        # What a later apply did not repeat is told as it ended.
        if entry.kind != EventKind.RECORDED or step not in ended:
            told = {"step": step, "state": entry.kind, "says": one_line(str(event.get("says", "")))}
            ended[step] = {**told, "seconds": event.get("seconds", 0.0)}
    return {host: list(ended.values()) for host, ended in hosts.items()}


def in_turn(request: "RunRequest") -> "RunRequest":
    """The same as the first of its runs that is not done: one that is done is not gone on with.

    Raises:
        FileInputError: a run's record cannot be read.
    """
    found = {run.id: run for run, _ in runs(request.state)}
    while request.run in found and all_connected(run := found[request.run], standing(run)):
        request = replace(request, turn=request.turn + 1)
    return request


def all_connected(run: RunFolder, stands: Json) -> bool:
    """Whether every host of a run was connected at last.

    Raises:
        FileInputError: the run's record cannot be read.
    """
    total = next((record.get("hosts") for one, record in runs(run.path.parents[1]) if one.id == run.id), None)
    connected = sum(host["state"] == EventKind.CONNECTED for host in stands["hosts"].values())
    return bool(connected == total)


async def follow(run: RunFolder) -> AsyncIterator[Json]:
    """Every event of the run's last apply, those to come as they come, until that apply ends.

    Of an apply that has ended already, all that its journal holds.
    """
    place = _last_begin(run.journal)
    while True:
        # Asked before reading: what was written before the lock was let go is then read in this round.
        alive = is_held(run.path, LOCK)
        for entry in entries(run.journal, place):
            place = entry.place
            yield entry.event
            if entry.of_run and entry.kind == EventKind.ENDED:
                return
        if not alive:
            return
        await asyncio.sleep(_POLL)


def _last_begin(path: Path) -> int:
    """The place in the journal where its last apply begins; 0 where an older arcferry kept no word of it."""
    before = begin = 0
    for entry in entries(path):
        if entry.of_run and entry.kind == EventKind.BEGUN:
            begin = before
        before = entry.place
    return begin
