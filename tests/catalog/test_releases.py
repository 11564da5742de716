from datetime import date

import pytest

from arcferry import catalog


@pytest.mark.parametrize(
    ("version", "today", "is_out"),
    [
        ("1.58.03224.2567", date(2026, 11, 30), False),
        ("1.58.03224.2567", date(2026, 12, 1), True),
        ("1.59", date(2026, 12, 31), False),
        ("1.59", date(2027, 1, 1), True),
        ("1.57", date(2026, 11, 28), True),
        # The list has neither: 1.50 came out before 1.54, of 2025-07.
        ("1.50", date(2026, 7, 31), False),
        ("1.50", date(2026, 8, 1), True),
        ("0.9", date(2026, 11, 28), True),
        ("1.99", date(2030, 1, 1), False),
        ("", date(2030, 1, 1), False),
        ("unknown", date(2030, 1, 1), False),
    ],
)
def test_supported_is_the_last_year(version: str, today: date, is_out: bool) -> None:
    assert catalog.is_out_of_support(version, today) is is_out


def test_the_oldest_supported_release_moves_with_the_day() -> None:
    def oldest(today: date) -> str:
        found = catalog.oldest_supported(today)
        return found.version if found else ""

    assert oldest(date(2026, 8, 20)) == "1.55"
    assert oldest(date(2026, 11, 28)) == "1.58"
    assert oldest(date(2028, 1, 1)) == ""


def test_releases_come_in_order() -> None:
    months = [one.month for one in catalog.agent_releases()]
    assert months == sorted(months)
    assert catalog.agent_releases()[-1].version == "1.67"
