"""What changes on a day that is known, so that it can be provided for before."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from arcferry.catalog.places import clouds
from arcferry.catalog.requirements import dated_endpoints
from arcferry.catalog.store import load
from arcferry.catalog.types import Cloud


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
        return f"{'from' if self.begins else 'up to'} {self.day}: {what} ({self.source})"


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
            use, source = "is required" if row.required else "is used", str(row.source)
            if row.since:
                yield Announced(row.since, row.host, f"{use}: {row.purpose}", source, begins=True)
            if row.until:
                yield Announced(row.until, row.host, f"{use}: {row.purpose}", source, begins=False)
    document = load("announced")
    for row in document.content["announced"]:
        begins = "since" in row
        day, source = row["since" if begins else "until"], str(document.sources[row["source"]])
        yield Announced(day, "", row["says"], source, begins)


def _sorted(found: Iterator[Announced]) -> tuple[Announced, ...]:
    return tuple(sorted(dict.fromkeys(found), key=lambda one: (one.day, one.host, one.says)))
