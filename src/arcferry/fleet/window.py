"""Windows of time within which hosts are begun, such as `Sat 22:00-05:00 Asia/Taipei`.

A window goes by the clock of its zone. Where that clock is put forward or back, each end is the first moment
at which it shows the time or a later one: a window never opens twice in one night, and one that lies wholly
in an hour that is left out does not open that night.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from difflib import get_close_matches
from functools import cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from arcferry.text import quoted, whole

DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
EXAMPLE = '"Sat 22:00-05:00 Asia/Taipei"'
_MIDNIGHT = time(0)
_WEEK = 7
# A weekly window can miss a night in which clocks are put forward, and no zone does that three weeks running.
_LOOKED_AHEAD = 3 * _WEEK + 2
_DAY = rf"(?:{'|'.join(DAYS)})[a-z]*"
_DAYS = re.compile(rf"daily|{_DAY}(?:\s*-\s*{_DAY})?", re.IGNORECASE)
_SPAN = re.compile(
    r"(?P<days>[^\d:]*?)\s*(?P<begins>\d{1,2}:\d{2})\s*[-\u2013]\s*(?P<ends>\d{1,2}:\d{2})(?:\s+(?P<zone>\S+))?"
)
_NAMES = {
    name: number
    for number, full in enumerate(
        ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
    )
    for name in (full, full[:3], f"{full[:3]}s", f"{full}s")
} | {"tues": 1, "thur": 3, "thurs": 3}


@dataclass(frozen=True, slots=True)
class Span:
    """One stretch of time on some days of every week.

    Attributes:
        days: on which it begins, 0 for Monday.
        begins: by the zone's clock.
        ends: likewise; on the day after where it is not later than `begins`.
        zone: a name of the IANA's.
    """

    days: frozenset[int]
    begins: time
    ends: time
    zone: str

    def on(self, day: date) -> tuple[datetime, datetime] | None:
        """When it opens and closes, in UTC, if it begins on that day; None where it does not open."""
        if day.weekday() not in self.days:
            return None
        zone = ZoneInfo(self.zone)
        last = day + timedelta(days=1) if self.ends <= self.begins else day
        opens = first_moment(datetime.combine(day, self.begins), zone)
        closes = first_moment(datetime.combine(last, self.ends), zone)
        return (opens, closes) if opens < closes else None

    def around(self, now: datetime) -> Iterator[tuple[datetime, datetime]]:
        """Every stretch that may hold `now`, and those that follow it, in their order."""
        today = now.astimezone(ZoneInfo(self.zone)).date()
        for ahead in range(-2, _LOOKED_AHEAD):
            if stretch := self.on(today + timedelta(days=ahead)):
                yield stretch


@dataclass(frozen=True, slots=True)
class Window:
    """When hosts may be begun: within any of its spans. Its text is as it was given, on one line."""

    text: str
    spans: tuple[Span, ...]

    def open_at(self, now: datetime) -> bool:
        """Whether a host may be begun now."""
        return self.closes(now) is not None

    def opens(self, now: datetime) -> datetime:
        """The next moment at which it is open, in UTC; `now` itself where it is."""
        if self.open_at(now):
            return now
        return min(
            next(opens for opens, _ in span.around(now) if opens > now.astimezone(UTC)) for span in self.spans
        )

    def closes(self, now: datetime) -> datetime | None:
        """Until when it is open, in UTC; None where it is closed. Spans that meet are one."""
        until, moment = None, now.astimezone(UTC)
        while later := max((end for end in self._ends(moment)), default=None):
            until = moment = later
            if later - now.astimezone(UTC) > timedelta(days=_WEEK):
                break  # always open
        return until

    def _ends(self, moment: datetime) -> Iterator[datetime]:
        for span in self.spans:
            for opens, closes in span.around(moment):
                if opens > moment:
                    break
                if moment < closes:
                    yield closes

    def said(self, instant: datetime) -> str:
        """An instant by the clock of the window's first zone, as people who set the window read it."""
        zone = self.spans[0].zone
        local = instant.astimezone(ZoneInfo(zone))
        return f"{DAYS[local.weekday()]} {local.strftime('%Y-%m-%d %H:%M')} {zone}"


def parse_window(text: str) -> Window:
    """Read a window: days, times and a zone, several with commas or semicolons between.

    Days are `Sat`, `Mon-Fri`, `Fri-Mon`, `Sat,Sun` or `daily`. The last of several names the zone for those
    before it that name none.

    Raises:
        ValueError: it is none; the text says what is wrong, and how it is written.
    """
    parts = [part.strip() for part in re.split(r"[,;\n]", text)]
    spans: list[Span] = []
    days: set[int] = set()
    matches: list[tuple[frozenset[int], re.Match[str]]] = []
    for part in filter(None, parts):
        if _DAYS.fullmatch(part):
            days |= _days(part)  # `Sat,Sun 22:00-05:00`: these belong to the next
            continue
        found = _SPAN.fullmatch(part)
        if found is None:
            raise _wrong(f"{quoted(part)} is no window")
        named = _days(found["days"]) if found["days"].strip() else set()
        if not days | named:
            raise _wrong(f"{quoted(part)} names no day")
        matches.append((frozenset(days | named), found))
        days = set()
    if days or not matches:
        raise _wrong(f"{quoted(text)} names no time" if days else "the window is empty")
    zone = ""
    for on, found in reversed(matches):
        zone = _zone(found["zone"]) if found["zone"] else zone
        if not zone:
            raise _wrong(f"{quoted(found[0])} names no time zone")
        spans.insert(0, _span(on, found, zone))
    return Window(" ".join(text.split()), tuple(spans))


def joined(texts: Iterable[str]) -> Window | None:
    """One window out of an option's values; None where there is none.

    Raises:
        ValueError: as for `parse_window`.
    """
    windows = [parse_window(text) for text in texts]
    if not windows:
        return None
    spans = tuple(span for window in windows for span in window.spans)
    return Window(", ".join(window.text for window in windows), spans)


def first_moment(wall: datetime, zone: ZoneInfo) -> datetime:
    """The first moment, in UTC, at which the zone's clock shows this time or a later one."""
    moment = wall.replace(tzinfo=zone, fold=0).astimezone(UTC)
    if moment.astimezone(zone).replace(tzinfo=None) == wall:
        return moment
    # The clock leaves this time out: it is put forward between these two.
    early = wall.replace(tzinfo=zone, fold=1).astimezone(UTC)
    while moment - early > timedelta(seconds=1):
        middle = early + timedelta(seconds=(moment - early) // timedelta(seconds=2))
        if middle.astimezone(zone).replace(tzinfo=None) < wall:
            early = middle
        else:
            moment = middle
    return moment


def _span(days: frozenset[int], found: re.Match[str], zone: str) -> Span:
    begins, ends = _time(found["begins"]), _time(found["ends"], end=True)
    if begins == ends and found["ends"] != "24:00":
        raise _wrong(f"{quoted(found[0])} begins and ends at one time; a whole day is 00:00-24:00")
    return Span(days, begins, ends, zone)


def _time(text: str, *, end: bool = False) -> time:
    hour, _, minute = text.partition(":")
    if end and text == "24:00":
        return _MIDNIGHT
    hours, minutes = whole(hour, most=23), whole(minute, most=59)
    if hours is None or minutes is None:
        raise _wrong(f"{quoted(text)} is no time of a day")
    return time(hours, minutes)


def _days(text: str) -> set[int]:
    first, _, last = (part.strip().lower() for part in text.strip().partition("-"))
    if first == "daily" and not last:
        return set(range(_WEEK))
    for name in filter(None, (first, last)):
        if name not in _NAMES:
            raise _wrong(f"{quoted(name)} is no day")
    begin, end = _NAMES[first], _NAMES[last or first]
    return {(begin + number) % _WEEK for number in range((end - begin) % _WEEK + 1)}


@cache
def _zone(name: str) -> str:
    try:
        return ZoneInfo(name).key
    except (ZoneInfoNotFoundError, ValueError, OSError):
        pass
    known = available_timezones()
    if not known:
        raise ValueError("this computer holds no time zones; install the Python package tzdata")
    folded = {zone.casefold(): zone for zone in known}
    if found := folded.get(name.casefold()):
        return found
    cities = [zone for zone in sorted(known) if zone.rpartition("/")[2].casefold() == name.casefold()]
    near = cities or [folded[one] for one in get_close_matches(name.casefold(), folded, n=2, cutoff=0.7)]
    offered = f"; did you mean {' or '.join(near[:2])}?" if near else ""
    raise _wrong(f"{quoted(name)} is no time zone{offered}")


def _wrong(says: str) -> ValueError:
    return ValueError(
        f"{says}. A window is written {EXAMPLE}; days are Sat, Mon-Fri or daily, and zones those of the IANA"
    )
