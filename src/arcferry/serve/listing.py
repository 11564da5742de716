"""What a page lists of a run: its hosts by state, cause, site and tag. No I/O in here."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from functools import cached_property
from types import MappingProxyType
from typing import Any, Self
from urllib.parse import urlencode

from arcferry.fleet.following import RunState
from arcferry.report.page.page import Cause, Level
from arcferry.serve.overseen import Attempt
from arcferry.serve.reading import View
from arcferry.text import clean, one_line, whole

ROWS = 100
"""Hosts on a page."""

_TEXTS = ("state", "cause", "site", "tag", "host")
_MOST_PAGES = 1_000_000
_MOST_CHOICES = 200
_AT_WORK = frozenset(("started", "done", "skipped", "recorded"))
_LEVELS: Mapping[str, Level] = {
    "connected": "ok",
    "failed": "FAIL",
    "blocked": "FAIL",
    "not-heard-from": "warn",
    "stopped": "warn",
    "waiting": "warn",
}
STATES = ("failed", "blocked", "not-heard-from", "stopped", "at-work", "waiting", "not-begun", "connected")
"""Of a host, as they are listed: what failed, what goes on, what is to come, what is done."""


@dataclass(frozen=True, slots=True)
class HostRow:
    """A host as a run's journal tells of it last.

    Attributes:
        number: its place in the run.
        event: what happened last; empty where nothing did.
    """

    number: int
    name: str
    site: str = ""
    tags: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    event: str = ""
    step: str = ""
    stage: str = ""
    says: str = ""
    time: str = ""

    def state(self, *, at_work: bool) -> str:
        """One of `STATES`; what is in the middle of a step has stopped where nothing works on the run."""
        if not self.event:
            return "not-begun"
        if self.event in _AT_WORK or self.event == "waiting":
            return ("waiting" if self.event == "waiting" else "at-work") if at_work else "stopped"
        return self.event


@dataclass(frozen=True, slots=True)
class Choices:
    """What there is to choose from."""

    causes: Sequence[str]
    sites: Sequence[str]
    tags: Sequence[str]


@dataclass(frozen=True)
class RunView(View):
    """A run at one moment.

    Attributes:
        order: the last that was asked of it, with who asked; None where nothing was.
        retry: the newest that a page began; None where none did.
        causes: what its failed hosts' evidence leads to; `of_cause` are those hosts by its slug.
    """

    id: str = ""
    started: str = ""
    inventory: str = ""
    target: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    total: int = 0
    state: RunState = RunState.UNKNOWN
    says: str = ""
    order: Mapping[str, str] | None = None
    retry: Attempt | None = None
    rows: Mapping[str, HostRow] = field(default_factory=lambda: MappingProxyType({}))
    causes: tuple[Cause, ...] = ()
    of_cause: Mapping[str, frozenset[str]] = field(default_factory=lambda: MappingProxyType({}))

    @property
    def at_work(self) -> bool:
        """Whether a process works on it."""
        return self.state in (RunState.RUNNING, RunState.PAUSED)

    @cached_property
    def counts(self) -> dict[str, int]:
        """How many of its hosts are in which state, the worst first; hosts that are not named count too."""
        found = Counter(row.state(at_work=self.at_work) for row in self.rows.values())
        found["not-begun"] += max(0, self.total - len(self.rows))
        return {state: found[state] for state in STATES if found[state]}

    @cached_property
    def ranked(self) -> Sequence[HostRow]:
        """Its hosts, those in the worst state first; of the same state as they stand in the run."""
        by_state: dict[str, list[HostRow]] = {state: [] for state in STATES}
        for row in self.rows.values():
            by_state.setdefault(row.state(at_work=self.at_work), []).append(row)
        return [row for rows in by_state.values() for row in rows]

    @cached_property
    def choices(self) -> Choices:
        """Every cause, site and tag of it, as far as a page has room."""
        sites = {row.site for row in self.rows.values() if row.site}
        tags = {f"{key}={value}" for row in self.rows.values() for key, value in row.tags.items()}
        return Choices(tuple(self.of_cause), sorted(sites)[:_MOST_CHOICES], sorted(tags)[:_MOST_CHOICES])

    @property
    def level(self) -> Level:
        """The worst of its hosts."""
        counts = self.counts
        if counts.get("failed") or counts.get("blocked"):
            return "FAIL"
        if self.total and counts.get("connected", 0) >= self.total:
            return "ok"
        return "unknown" if self.at_work else "warn"


def level_of(state: str) -> Level:
    """How bad a host's state is."""
    return _LEVELS.get(state, "unknown")


@dataclass(frozen=True, slots=True)
class Choice:
    """Which hosts are looked at, as an address says; what is empty leaves all."""

    state: str = ""
    cause: str = ""
    site: str = ""
    tag: str = ""
    host: str = ""
    page: int = 1

    @classmethod
    def of(cls, given: Mapping[str, str]) -> Self:
        """What an address says; what is no page is the first."""
        state, cause, site, tag, host = (clean(given.get(name, ""), limit=300) for name in _TEXTS)
        return cls(state, cause, site, tag, host, whole(given.get("page", ""), most=_MOST_PAGES) or 1)

    def query(self, **other: object) -> str:
        """The same as a part of an address, with these in their place."""
        values = {one.name: getattr(self, one.name) for one in fields(self)} | other
        given = {name: value for name, value in values.items() if value and (name, value) != ("page", 1)}
        return urlencode(given)

    def takes(self, row: HostRow, view: RunView) -> bool:
        """Whether a host is one of them."""
        key, _, value = self.tag.partition("=")
        return (
            (not self.site or row.site == self.site)
            and (not self.host or self.host.casefold() in row.name.casefold())
            and (not self.tag or row.tags.get(key) == value)
            and (not self.cause or row.name in view.of_cause.get(self.cause, ()))
            and (not self.state or row.state(at_work=view.at_work) == self.state)
        )


@dataclass(frozen=True, slots=True)
class Listing:
    """A page of hosts.

    Attributes:
        found: how many there are on all pages.
    """

    rows: Sequence[HostRow]
    found: int
    page: int
    pages: int


def listing(view: RunView, choice: Choice) -> Listing:
    """The hosts that are chosen; the last page where there are fewer than that."""
    found = [row for row in view.ranked if choice.takes(row, view)]
    pages = max(1, -(-len(found) // ROWS))
    page = min(choice.page, pages)
    return Listing(found[(page - 1) * ROWS : page * ROWS], len(found), page, pages)


@dataclass(frozen=True, slots=True)
class StepView:
    """A step of a host, as the journal and the record of steps tell of it. What is unknown is empty."""

    step: str
    state: str
    began: str = ""
    seconds: float = 0.0
    says: str = ""
    hint: str = ""
    code: str = ""
    meaning: str = ""
    unreachable: tuple[str, ...] = ()
    output: str = ""


def steps_of(
    events: Iterable[Mapping[str, Any]], attempt: int, recorded: Iterable[Mapping[str, Any]]
) -> list[StepView]:
    """The steps of a host's last attempt, in their order.

    Args:
        events: what the journal tells of the host.
        attempt: the attempt that `recorded` is of.
        recorded: its steps in the record of steps; all texts in them are a host's.
    """
    told = list(events)
    last = max((_number(event) for event in told), default=attempt)
    steps: dict[str, dict[str, Any]] = {}
    for event in told:
        if _number(event) == last and (name := one_line(str(event.get("step", "")))):
            step = steps.setdefault(name, {"began": one_line(str(event.get("time", "")), limit=30)})
            step |= {
                key: one_line(str(event.get(of, ""))) for key, of in (("state", "event"), ("says", "says"))
            }
            seconds = event.get("seconds")
            step["seconds"] = seconds if isinstance(seconds, int | float) else 0.0
    for result in recorded if attempt == last else ():
        step = steps.setdefault(
            one_line(str(result.get("step", ""))), {"state": str(result.get("state", ""))}
        )
        texts = ("says", "hint", "code", "meaning")
        step |= {name: one_line(str(result[name]), limit=600) for name in texts if result.get(name)}
        step["output"] = clean(str(result.get("output", "")), limit=16 * 1024)
        step["unreachable"] = tuple(one_line(str(one)) for one in result.get("unreachable", ()))
    return [StepView(name, **step) for name, step in steps.items()]


def _number(event: Mapping[str, Any]) -> int:
    found = event.get("attempt")
    return found if isinstance(found, int) else 1
