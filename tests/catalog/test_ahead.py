import tomllib
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from arcferry import catalog
from arcferry.catalog import store

OWN = (Path(store.__file__).with_name("data") / "endpoints.toml").read_text(encoding="utf-8")
PUBLIC, CHINA = catalog.cloud("public"), catalog.cloud("china")
ROW = "host = 'pas.windows.net', "


@pytest.fixture(autouse=True)
def own_catalogue() -> Iterator[None]:
    yield
    catalog.disown()


def adopted(dates: str) -> None:
    """A newer catalogue in which one row is dated."""
    assert ROW in OWN
    assert catalog.adopt(tomllib.loads(OWN.replace(ROW, ROW + dates, 1)), date(2026, 10, 1))


def hosts() -> set[str]:
    return {one.host for one in catalog.endpoints(PUBLIC, catalog.region("eastasia"))}


def test_what_is_required_from_a_later_day_is_coming_and_not_probed_yet() -> None:
    assert "pas.windows.net" in hosts()
    adopted("since = 2999-01-01, ")
    assert "pas.windows.net" not in hosts()
    found = [one for one in catalog.coming(date(2998, 12, 31), PUBLIC) if one.host]
    assert [(one.day, one.host, one.says) for one in found] == [
        (date(2999, 1, 1), "pas.windows.net", "is required: Entra ID")
    ]
    assert not [one for one in catalog.coming(date(2999, 1, 1), PUBLIC) if one.host]
    assert not [one for one in catalog.coming(date(2998, 12, 31), CHINA) if one.host]


def test_what_ends_is_going_up_to_its_last_day_and_probed_no_more_after_it() -> None:
    adopted("until = 2999-01-01, ")
    assert "pas.windows.net" in hosts()
    assert [one.host for one in catalog.going(date(2999, 1, 1), PUBLIC)] == ["pas.windows.net"]
    (found,) = catalog.going(date(2999, 1, 1))
    assert str(found).startswith("up to 2999-01-01: pas.windows.net is required: Entra ID (")
    assert catalog.going(date(2999, 1, 2), PUBLIC) == ()
    adopted("until = 2020-01-01, ")
    assert "pas.windows.net" not in hosts()
    assert catalog.endpoint_named("pas.windows.net") is not None


def test_what_the_release_notes_announce() -> None:
    (found,) = catalog.coming(date(2026, 11, 28))
    assert (found.day, found.host) == (date(2027, 2, 1), "")
    assert "negative serial number" in found.says
    assert "agent-release-notes.md" in found.source
    assert str(found).startswith("from 2027-02-01: the agent refuses certificates with a negative")
    assert catalog.ahead(date(2026, 11, 28)) == (found,)
    assert catalog.coming(date(2027, 2, 1)) == ()


def test_answers_that_somebody_published() -> None:
    found = [one for one in catalog.published_answers(PUBLIC) if one.host.startswith("agentserviceapi.")]
    assert [(one.region, one.seen, one.address) for one in found] == [
        ("japaneast", "2024-07", "40.115.144.3"),
        ("australiaeast", "2023-12-13", ""),
        ("australiasoutheast", "2023-12-13", ""),
    ]
    assert all(one.source and one.asked_from for one in found)
    assert all(catalog.endpoint_named(one.host) for one in catalog.published_answers(PUBLIC))
    assert catalog.published_answers(CHINA) == ()


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
