from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arcferry.times import from_text, now, to_text


@given(st.datetimes(min_value=datetime(1, 1, 2), max_value=datetime(9999, 12, 30)))  # noqa: DTZ001  # given a zone below
def test_text_and_back_to_the_second(instant: datetime) -> None:
    aware = instant.replace(tzinfo=timezone(timedelta(hours=8)))
    assert from_text(to_text(aware)) == aware.replace(microsecond=0)


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-23T01:02:03Z",
        "2026-11-23T01:02:03.1234567Z",
        "2026-11-23T09:02:03+08:00",
        "2026-11-23 01:02:03",
    ],
)
def test_forms_that_are_read(text: str) -> None:
    assert to_text(from_text(text)) == "2026-11-23T01:02:03Z"


def test_no_instant() -> None:
    with pytest.raises(ValueError, match="yesterday"):
        from_text("yesterday")


def test_now_is_aware() -> None:
    assert now().tzinfo is UTC
