"""What a page shows, before it is HTML, Markdown or CSV."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from arcferry.report.page.documents import Affected, Command, Told

Level = Literal["ok", "warn", "FAIL", "unknown"]
"""How something stands; the words are those of every table of arcferry."""

RANK: Mapping[Level, int] = {"FAIL": 0, "warn": 1, "unknown": 2, "ok": 3}
"""The worst first."""

MOST_NAMES = 1000
"""How many hosts are named in one place, and how many rows a table has."""


@dataclass(frozen=True, slots=True)
class Names:
    """Some names of many."""

    shown: tuple[str, ...]
    count: int

    @classmethod
    def of(cls, names: tuple[str, ...]) -> "Names":
        """All of them, as far as a page has room."""
        unique = tuple(dict.fromkeys(names))
        return cls(unique[:MOST_NAMES], len(unique))

    @property
    def left(self) -> int:
        """How many are not named."""
        return self.count - len(self.shown)


@dataclass(frozen=True, slots=True)
class Standing:
    """How one document stands, in a sentence; `of` is the command that wrote it."""

    level: Level
    of: str
    says: str
    asof: datetime | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """The first thing to be read.

    Attributes:
        says: the sentence.
        more: how many further findings there are, in a sentence.
        act: who can change it, and what; empty where nobody has to.
        standings: how each document stands.
    """

    level: Level
    says: str
    more: str
    act: str
    standings: tuple[Standing, ...]


@dataclass(frozen=True, slots=True)
class Move:
    """A name whose answer moved, as a watch saw it: when it was last seen before, and first after."""

    host: str
    before: str
    until: datetime
    after: str
    since: datetime


@dataclass(frozen=True, slots=True)
class Again:
    """Who reached since what a cause cut off, and as of when the last of them."""

    who: Names
    day: datetime


@dataclass(frozen=True, slots=True)
class Cause:
    """One cause, for all hosts that have it.

    Attributes:
        to: whom the letter goes to.
        since: since when a name is out of reach, where a watch tells.
        moves: the last move of each of its names, where a watch tells.
        seen: the day of the newest evidence.
        again: who reached its endpoints afterwards, if all did that tried.
    """

    slug: str
    title: str
    severity: str
    level: Level
    confidence: str
    owner: str
    hosts: Names
    endpoints: tuple[Affected, ...]
    evidence: tuple[Told, ...]
    evidence_left: int
    would_decide: tuple[str, ...]
    summary: str
    steps: tuple[str, ...]
    commands: tuple[Command, ...]
    letter: str
    to: str
    since: datetime | None
    moves: tuple[Move, ...]
    seen: datetime | None
    again: Again | None = None


@dataclass(frozen=True, slots=True)
class Goal:
    """Where the path leads: a region or a service, by its community."""

    name: str
    community: str
    level: Level
    hosts: Names


@dataclass(frozen=True, slots=True)
class Path:
    """The way from the servers to Azure.

    Attributes:
        broken: the station at which it ends: server, network, router, edge, azure; empty where it does not.
        why: the cause in short, as words for a picture.
        sure: whether that was seen, and not concluded.
        goals: where it leads, what is out of reach first.
        left: how many further goals there are.
    """

    servers: str
    filter: str
    broken: str
    why: str
    sure: bool
    goals: tuple[Goal, ...]
    left: int


@dataclass(frozen=True, slots=True)
class Column:
    """An endpoint of the heat map.

    Attributes:
        failed: how many servers do not reach it, of `tried`.
        why: how it failed most often.
    """

    host: str
    required: bool
    failed: int
    tried: int
    why: str


@dataclass(frozen=True, slots=True)
class HeatRow:
    """Servers that reach the same; a letter an endpoint, by `HeatMap.LETTERS`."""

    names: Names
    cells: str
    failed: int


@dataclass(frozen=True, slots=True)
class HeatMap:
    """Who reaches what: `+` reached, `-` not tried, else the stage at which it ended."""

    columns: tuple[Column, ...]
    rows: tuple[HeatRow, ...]
    untried: bool
    left: int
    stages: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class FleetRow:
    """Machines that stand alike."""

    level: Level
    state: str
    names: Names
    agent: str
    says: str
    since: datetime | None


@dataclass(frozen=True, slots=True)
class Fleet:
    """The machines of one document, with the number of each state, the worst first."""

    source: str
    counts: Mapping[str, int]
    levels: Mapping[str, Level]
    rows: tuple[FleetRow, ...]
    left: int
    asof: datetime | None


@dataclass(frozen=True, slots=True)
class Block:
    """A part of a lane: from 0 to 1000, with its style and what is told of it."""

    left: int
    width: int
    style: str
    tip: str


@dataclass(frozen=True, slots=True)
class Lane:
    """One host's time, or one name's."""

    name: str
    blocks: tuple[Block, ...]
    says: str
    level: Level


@dataclass(frozen=True, slots=True)
class Timeline:
    """Lanes over one time, with what its two ends are called."""

    title: str
    first: str
    last: str
    lanes: tuple[Lane, ...]
    legend: tuple[tuple[str, str], ...]
    left: int


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of as many cells as there are headings; each with how it stands, which one cell of it says."""

    title: str
    headings: tuple[str, ...]
    says: int
    rows: tuple[tuple[Level, tuple[str, ...]], ...]
    left: int = 0


@dataclass(frozen=True, slots=True)
class Change:
    """What a plan asks for: commands, and the letter."""

    commands: tuple[Command, ...]
    letter: str
    effects: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Datum:
    """What was read, and as of when."""

    name: str
    kind: str
    taken: datetime | None


@dataclass(frozen=True, slots=True)
class Page:
    """All of it."""

    made: datetime
    place: str
    check: str
    answer: Answer
    causes: tuple[Cause, ...]
    path: Path | None
    heat: HeatMap | None
    fleets: tuple[Fleet, ...]
    timelines: tuple[Timeline, ...]
    tables: tuple[Table, ...]
    changes: tuple[Change, ...]
    notes: tuple[str, ...]
    data: tuple[Datum, ...]
    sources: tuple[str, ...]
