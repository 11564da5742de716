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
    """

    day: date
    host: str
    says: str
    source: str


def coming(today: date, cloud: Cloud | None = None) -> tuple[Announced, ...]:
    """What begins after `today`, the nearest first, for one cloud or for all."""
    return _sorted(one for one, begins in _announced(cloud) if begins and one.day > today)


def going(today: date, cloud: Cloud | None = None) -> tuple[Announced, ...]:
    """What still holds `today` and has a known end, the nearest first, for one cloud or for all."""
    return _sorted(one for one, begins in _announced(cloud) if not begins and one.day >= today)


def _announced(cloud: Cloud | None) -> Iterator[tuple[Announced, bool]]:
    """Everything that is dated, and whether it begins on that day."""
    for known in (cloud,) if cloud else clouds():
        for row in dated_endpoints(known):
            needed = "required" if row.required else "used"
            if row.since:
                yield Announced(row.since, row.host, f"{needed}: {row.purpose}", str(row.source)), True
            if row.until:
                says = f"no longer {needed} afterwards: {row.purpose}"
                yield Announced(row.until, row.host, says, str(row.source)), False
    document = load("announced")
    for row in document.content["announced"]:
        source = str(document.sources[row["source"]])
        begins = "since" in row
        yield Announced(row["since" if begins else "until"], "", row["says"], source), begins


def _sorted(found: Iterator[Announced]) -> tuple[Announced, ...]:
    return tuple(sorted(dict.fromkeys(found), key=lambda one: (one.day, one.host, one.says)))
