import tomllib
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from arcferry import catalog
from arcferry.catalog import adoption, store

OWN = (Path(store.__file__).with_name("data") / "endpoints.toml").read_text(encoding="utf-8")
PUBLIC, CHINA = catalog.cloud("public"), catalog.cloud("china")
ROW = "host = 'pas.windows.net', "


@pytest.fixture(autouse=True)
def own_catalogue() -> Iterator[None]:
    yield
    adoption.disown()


def adopted(dates: str) -> None:
    """A newer catalogue in which one row is dated."""
    assert ROW in OWN
    assert adoption.adopt(tomllib.loads(OWN.replace(ROW, ROW + dates, 1)), date(2026, 10, 1))


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
