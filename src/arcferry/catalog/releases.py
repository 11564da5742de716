"""Releases of the Connected Machine agent, and which of them Microsoft supports on a day."""

import re
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache

from arcferry.catalog.store import load

_VERSION = re.compile(r"(\d{1,3})\.(\d{1,4})(?!\d)")


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
    """Whether an agent of this version came out more than a year before `today`.

    A release that the list lacks came out no later than the next one that it has. One that is newer than the
    whole list counts as supported, and so does a text that is no version.

    Args:
        version: as the agent gives it, such as `1.58.03224.2567`.
        today: the day to judge for.
    """
    number = _number(version)
    following = next((one for one in agent_releases() if number and one.number >= number), None)
    return following is not None and today >= following.unsupported_from


def _number(version: str) -> tuple[int, int] | None:
    found = _VERSION.match(version.strip())
    return (int(found[1]), int(found[2])) if found else None
