"""What changes on a day that is known: endpoints, what is announced, and the agent's releases in support."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache

from arcferry.catalog.places import clouds
from arcferry.catalog.requirements import dated_endpoints
from arcferry.catalog.store import Cloud, Source, load
from arcferry.language import _, marked

_VERSION = re.compile(r"(\d{1,3})\.(\d{1,4})(?!\d)")


@dataclass(frozen=True, slots=True)
class Announced:
    """Something that begins or ends.

    Attributes:
        day: the first day of what begins, the last day of what ends.
        host: the name that is concerned, as the catalogue writes it; empty where it is no name.
        says: what begins or ends.
        source: who says so, with its date.
        begins: whether it begins on that day, and does not end with it.
    """

    day: date
    host: str
    says: str
    source: str
    begins: bool

    def __str__(self) -> str:
        """For a reader: `from 2027-02-01: the agent refuses …`, and who says so."""
        what = f"{self.host} {self.says}" if self.host else self.says
        begins, ends = marked("from {day}: {what} ({source})"), marked("up to {day}: {what} ({source})")
        text = begins if self.begins else ends
        return _(text, day=self.day, what=what, source=self.source)


def coming(today: date, cloud: Cloud | None = None) -> tuple[Announced, ...]:
    """What begins after `today`, the nearest first, for one cloud or for all."""
    return _sorted(one for one in _announced(cloud) if one.begins and one.day > today)


def going(today: date, cloud: Cloud | None = None) -> tuple[Announced, ...]:
    """What still holds `today` and has a known end, the nearest first, for one cloud or for all."""
    return _sorted(one for one in _announced(cloud) if not one.begins and one.day >= today)


def ahead(today: date, cloud: Cloud | None = None) -> tuple[Announced, ...]:
    """What begins after `today`, then what ends."""
    return (*coming(today, cloud), *going(today, cloud))


def _announced(cloud: Cloud | None) -> Iterator[Announced]:
    """Everything that is dated."""
    for known in (cloud,) if cloud else clouds():
        for row in dated_endpoints(known):
            use = marked("is required: {purpose}") if row.required else marked("is used: {purpose}")
            says, source = _(use, purpose=_(row.purpose)), str(row.source)
            if row.since:
                yield Announced(row.since, row.host, says, source, begins=True)
            if row.until:
                yield Announced(row.until, row.host, says, source, begins=False)
    document = load("announced")
    for row in document.content["announced"]:
        begins = "since" in row
        day, source = row["since" if begins else "until"], str(document.sources[row["source"]])
        yield Announced(day, "", _(row["says"]), source, begins)


def _sorted(found: Iterator[Announced]) -> tuple[Announced, ...]:
    return tuple(sorted(dict.fromkeys(found), key=lambda one: (one.day, one.host, one.says)))


@dataclass(frozen=True, order=True, slots=True)
class AgentRelease:
    """One release.

    Attributes:
        number: `(1, 58)`.
        month: the first day of the month in which it came out; no day is published.
    """

    number: tuple[int, int]
    month: date

    @property
    def version(self) -> str:
        """Such as `1.58`."""
        return ".".join(map(str, self.number))

    @property
    def unsupported_from(self) -> date:
        """The first day on which it is surely more than a year old: that month's next one, a year later."""
        return (self.month.replace(year=self.month.year + 1, day=28) + timedelta(days=4)).replace(day=1)


@cache
def agent_releases() -> tuple[AgentRelease, ...]:
    """The known releases, the oldest first; some between them may be missing."""
    rows = load("releases").content["releases"]
    return tuple(
        sorted(
            AgentRelease(_number(row["version"]) or (0, 0), date.fromisoformat(f"{row['month']}-01"))
            for row in rows
        )
    )


def oldest_supported(today: date) -> AgentRelease | None:
    """The oldest release of the last year; None where the list of releases ends before that year begins."""
    return next((one for one in agent_releases() if today < one.unsupported_from), None)


def is_out_of_support(version: str, today: date) -> bool:
    """Whether an agent of this version, such as `1.58.03224.2567`, came out more than a year before `today`.

    One that is newer than the whole list counts as supported, and so does a text that is no version.
    """
    release = release_of(version)
    return release is not None and today >= release.unsupported_from


def release_of(version: str) -> AgentRelease | None:
    """The release that a version, such as `1.58.03224.2567`, is of; of one that the list lacks, the next one.

    That came out no earlier. None for a version that is newer than the whole list, or for no version.
    """
    number = _number(version)
    return next((one for one in agent_releases() if number and one.number >= number), None)


def releases_source() -> Source:
    """Where the list of releases is from, and its day."""
    return load("releases").source


def _number(version: str) -> tuple[int, int] | None:
    found = _VERSION.match(version.strip())
    return (int(found[1]), int(found[2])) if found else None
