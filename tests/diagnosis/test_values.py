"""Named values: what enters a sentence, a letter and a command line."""

from dataclasses import replace
from datetime import date

import pytest

from arcferry.diagnosis.destination import Destination
from arcferry.diagnosis.names import filter_name, region_community
from arcferry.diagnosis.rule import Match
from arcferry.diagnosis.values import Values
from arcferry.diagnosis.words import entry
from arcferry.evidence.case import Case
from arcferry.routing.coverage import Coverage, Verdict
from arcferry.routing.route_filter import RouteFilter

FILTER = RouteFilter(
    "rf",
    frozenset({"12076:51010", "12076:5060"}),
    frozenset(),
    "Succeeded",
    resource_group="rg",
    rule="r",
    in_order=("12076:51010", "12076:5060"),
    origin="rf.json",
    taken=date(2026, 1, 8),
)


def values(known: RouteFilter, *communities: str) -> Values:
    """Of one finding, with an endpoint for each community."""
    found = [
        Coverage("h", "192.0.2.1", "", "", one, (one,), (), Verdict.NOT_IN_FILTER, (), route_filter=known)
        for one in communities
    ]
    destinations = tuple(Destination(f"{one.community}.example", None, (), (), (one,)) for one in found)
    return Values(entry("route/community-not-in-filter"), Match(destinations=destinations), Case(()))


def commands(of: Values) -> list[str]:
    found = of["addition"]
    assert isinstance(found, tuple)
    return [one.text for one in found if not isinstance(one, str)]


def test_the_change_adds_to_what_the_rule_holds_and_names_nothing_else() -> None:
    az, powershell, _ = commands(values(FILTER, "12076:51012", "12076:5060"))
    assert az.endswith(
        "rule update --resource-group rg --filter-name rf --name r --add communities 12076:51012"
    )
    assert "$values = @($rule.Communities) + @('12076:51012') | Select-Object -Unique" in powershell
    assert "12076:51010" not in az + powershell


@pytest.mark.parametrize("name", ["rf; rm -rf /", "$(reboot)", "a' ; Remove-Item", "", "x" * 200, "-rf"])
def test_a_hostile_name_goes_into_no_command(name: str) -> None:
    hostile = replace(FILTER, name=name, resource_group=name, rule=name)
    for text in commands(values(hostile, "12076:51012")):
        assert not name or name not in text
        assert "ROUTE-FILTER" in text


def test_a_file_s_name_is_not_the_filter_s() -> None:
    assert filter_name(FILTER) == "rf"
    assert filter_name(replace(FILTER, name="rf.json")) == "ROUTE-FILTER"
    assert filter_name(None) == "ROUTE-FILTER"


def test_the_filter_of_the_endpoint_is_the_one_that_is_spoken_of() -> None:
    of = values(FILTER, "12076:51012")
    assert of.fill("{filter} {filter_known} in {filter_group}") == "rf as of 2026-01-08 in rg"
    undated = values(replace(FILTER, taken=None), "12076:51012")
    assert undated.fill("{filter} {filter_known}") == "rf of unknown day"


def test_a_sentence_lists_six_texts_and_a_letter_all() -> None:
    of = values(FILTER, *(f"12076:5101{one}" for one in range(8)))
    assert of.text("communities").endswith("12076:51015 and 2 more")
    assert of.text("all_communities").endswith("12076:51016 and 12076:51017")


def test_a_region_without_a_community_is_said_to_have_none() -> None:
    assert region_community("japaneast") == "12076:51012 (Japan East)"
    assert region_community("lunanorth") == "lunanorth (no documented community)"
