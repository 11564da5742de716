"""Windows of time: how they are written, and when they open where clocks are put forward or back."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arcferry.fleet.window import first_moment, joined, parse_window

SATURDAY = {5}
READ = {
    "Sat 22:00-05:00 Asia/Taipei": [(SATURDAY, "22:00", "05:00", "Asia/Taipei")],
    "sat 22:00-05:00 asia/taipei": [(SATURDAY, "22:00", "05:00", "Asia/Taipei")],
    "Saturday  22:00 - 5:00  UTC": [(SATURDAY, "22:00", "05:00", "UTC")],
    "Mon-Fri 20:00-22:00 UTC": [({0, 1, 2, 3, 4}, "20:00", "22:00", "UTC")],
    "Fri-Mon 20:00-22:00 UTC": [({4, 5, 6, 0}, "20:00", "22:00", "UTC")],
    "daily 00:00-24:00 UTC": [(set(range(7)), "00:00", "00:00", "UTC")],
    "Sat,Sun 22:00-05:00 UTC": [({5, 6}, "22:00", "05:00", "UTC")],
    "Tues; Thurs 01:00-02:00 UTC": [({1, 3}, "01:00", "02:00", "UTC")],
    "Sat 22:00-23:00, Sun 01:00-02:00 Europe/Berlin": [
        (SATURDAY, "22:00", "23:00", "Europe/Berlin"),
        ({6}, "01:00", "02:00", "Europe/Berlin"),
    ],
}
REFUSED = {
    "": "empty",
    "Sat": "names no time",
    "22:00-05:00 UTC": "names no day",
    "Sat 22:00-05:00": "names no time zone",
    "Sat 22:00 UTC": "is no window",
    "Sat 25:00-05:00 UTC": "'25:00' is no time of a day",
    "Sat 24:00-05:00 UTC": "'24:00' is no time of a day",
    "Sat 22:00-22:00 UTC": "a whole day is 00:00-24:00",
    "Satyrday 22:00-05:00 UTC": "'satyrday' is no day",
    "Mon-Fry 22:00-05:00 UTC": "'fry' is no day",
    "Sat 22:00-05:00 Taipei": "did you mean Asia/Taipei?",
    "Sat 22:00-05:00 Asia/Tapei": "did you mean Asia/Taipei",
    "Sat 22:00-05:00 Asia": "'Asia' is no time zone",
    "Sat 22:00-05:00 ../../etc/passwd": "is no time zone",
    "Sat 22:00-05:00 +08:00": "is no time zone",
    "Sat 22:00-05:00 UTC tonight": "is no window",
}


@pytest.mark.parametrize("text", READ)
def test_read(text: str) -> None:
    found = [
        (set(span.days), f"{span.begins:%H:%M}", f"{span.ends:%H:%M}", span.zone)
        for span in parse_window(text).spans
    ]
    assert found == READ[text]


@pytest.mark.parametrize("text", REFUSED)
def test_refused_with_how_it_is_written(text: str) -> None:
    with pytest.raises(ValueError, match="Asia/Taipei") as caught:
        parse_window(text)
    assert REFUSED[text] in str(caught.value)


def at(text: str, zone: str = "UTC") -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone))


# Saturday 2026-11-28. Berlin's clock is put forward on 2026-03-29 at 02:00 and back on 2026-10-25 at 03:00.
OPEN = [
    ("Sat 22:00-05:00 Asia/Taipei", "2026-11-28T13:59:59", None),
    ("Sat 22:00-05:00 Asia/Taipei", "2026-11-28T14:00:00", "2026-11-28T21:00:00"),
    ("Sat 22:00-05:00 Asia/Taipei", "2026-11-28T20:59:59", "2026-11-28T21:00:00"),
    ("Sat 22:00-05:00 Asia/Taipei", "2026-11-28T21:00:00", None),
    ("Sat 22:00-24:00,Sun 00:00-04:00 UTC", "2026-11-28T23:00:00", "2026-11-29T04:00:00"),
    ("Sun 01:30-04:00 Europe/Berlin", "2026-03-29T00:30:00", "2026-03-29T02:00:00"),
    ("Sun 02:15-04:00 Europe/Berlin", "2026-03-29T00:59:59", None),
    ("Sun 02:15-04:00 Europe/Berlin", "2026-03-29T01:00:00", "2026-03-29T02:00:00"),
    ("Sun 02:15-02:45 Europe/Berlin", "2026-03-29T01:00:00", None),
    ("Sun 02:15-02:45 Europe/Berlin", "2026-10-25T00:20:00", "2026-10-25T00:45:00"),
    ("Sun 02:15-02:45 Europe/Berlin", "2026-10-25T01:20:00", None),
    ("Sun 02:15-04:00 Europe/Berlin", "2026-10-25T01:10:00", "2026-10-25T03:00:00"),
]


@pytest.mark.parametrize(("text", "now", "closes"), OPEN)
def test_open_until(text: str, now: str, closes: str | None) -> None:
    window = parse_window(text)
    assert window.closes(at(now)) == (at(closes) if closes else None)
    assert window.open_at(at(now)) == bool(closes)


def test_always_open_ends_nowhere_near() -> None:
    window = parse_window("daily 00:00-24:00 UTC")
    closes = window.closes(at("2026-11-28T12:00:00"))
    assert closes is not None
    assert closes > at("2026-12-05T12:00:00")


def test_opens_next() -> None:
    window = parse_window("Sat 22:00-05:00 Asia/Taipei")
    assert window.opens(at("2026-11-28T22:00:00")) == at("2026-12-05T14:00:00")
    assert window.said(window.opens(at("2026-11-28T22:00:00"))) == "Sat 2026-12-05 22:00 Asia/Taipei"
    # The night in which that hour is left out is passed over.
    skipped = parse_window("Sun 02:15-02:45 Europe/Berlin")
    assert skipped.opens(at("2026-03-28T12:00:00")) == at("2026-04-05T00:15:00")


def test_an_option_given_more_than_once() -> None:
    assert joined([]) is None
    window = joined(["Sat 22:00-05:00 Asia/Taipei", "Sun 01:00-02:00 UTC"])
    assert window is not None
    assert window.text == "Sat 22:00-05:00 Asia/Taipei, Sun 01:00-02:00 UTC"
    assert [span.zone for span in window.spans] == ["Asia/Taipei", "UTC"]


ZONES = st.sampled_from(
    ["Asia/Taipei", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Pacific/Apia", "UTC"]
)
# Apia left out a whole day in 2011; half an hour is what Lord Howe moves its clock by.
WALLS = st.datetimes(datetime(2010, 1, 2), datetime(2030, 1, 1)).map(lambda one: one.replace(microsecond=0))  # noqa: DTZ001
MINUTES = st.integers(0, 1439).map(lambda one: f"{one // 60:02}:{one % 60:02}")


def shown(moment: datetime, zone: ZoneInfo) -> datetime:
    return moment.astimezone(zone).replace(tzinfo=None)


@given(WALLS, ZONES)
def test_an_end_is_the_first_moment_at_which_the_clock_has_come_so_far(wall: datetime, name: str) -> None:
    zone = ZoneInfo(name)
    moment = first_moment(wall, zone)
    assert shown(moment, zone) >= wall
    assert all(shown(moment - timedelta(seconds=before), zone) < wall for before in (1, 60, 1800, 7200))


@given(WALLS, ZONES, MINUTES, MINUTES, st.sampled_from(["Sat", "Mon-Fri", "daily", "Sun"]))
def test_it_opens_when_it_says_and_not_before(
    wall: datetime, zone: str, begins: str, ends: str, days: str
) -> None:
    if begins == ends:
        return
    window = parse_window(f"{days} {begins}-{ends} {zone}")
    now = wall.replace(tzinfo=UTC)
    opens = window.opens(now)
    assert window.open_at(opens)
    assert opens >= now
    if opens > now:
        assert not window.open_at(now)
        assert not window.open_at(opens - timedelta(seconds=1))
    closes = window.closes(opens)
    assert closes is not None
    assert not window.open_at(closes) or closes - opens > timedelta(days=7)
