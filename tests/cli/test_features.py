"""`arcferry features` and `arcferry alternatives` from their arguments to what they print."""

import json
from pathlib import Path

import pytest
from tests.cli.running import Run

ROWS = (
    ("AzureCloud.southeastasia", "southeastasia", ["20.1.0.0/24"]),
    ("MicrosoftDefenderForEndpoint", "", ["20.1.0.0/28"]),
)


@pytest.fixture
def tags(tmp_path: Path) -> Path:
    values = [
        {"name": name, "properties": {"region": region, "addressPrefixes": prefixes}}
        for name, region, prefixes in ROWS
    ]
    path = tmp_path / "ServiceTags_Public_20261101.json"
    path.write_text(json.dumps({"changeNumber": 1, "cloud": "Public", "values": values}))
    return path


@pytest.fixture
def route_filter(tmp_path: Path) -> Path:
    rule = {
        "name": "arc",
        "access": "Allow",
        "routeFilterRuleType": "Community",
        "communities": ["12076:51010"],
    }
    path = tmp_path / "route-filter.json"
    path.write_text(json.dumps({"name": "rf-arc", "rules": [rule]}))
    return path


def row(out: str, title: str) -> str:
    return next(line for line in out.splitlines() if line.startswith(f"{title} "))


def test_one_row_a_feature_with_communities_and_the_day_of_its_source(arcferry: Run) -> None:
    ended = arcferry("features", "-l", "eastasia")
    assert (ended.code, ended.err) == (0, "")
    assert ended.out.startswith(
        "What works after Connected in East Asia (AzureCloud), over Microsoft peering\n"
    )
    assert row(ended.out, "SSH").split() == ["SSH", "carried", "12076:51010,", "12076:51011", "2025-04-23"]
    assert "never on this path" in row(ended.out, "agent auto-upgrade")
    assert "needs a proxy or private link (for 2 of 13 names)" in row(ended.out, "Extended Security Updates")
    assert "unknown" in row(ended.out, "Azure Monitor agent")
    assert "HTTPS inspection must be off for all its endpoints." in ended.out
    assert "upgrade by a bundle" in ended.out


def test_what_is_not_at_hand_is_told_and_no_longer_when_it_is(
    arcferry: Run, tags: Path, route_filter: Path
) -> None:
    lacking = json.loads(arcferry("features", "-l", "eastasia", "-o", "json").out)["lacking"]
    assert [one.partition(",")[0].partition(" (")[0] for one in lacking] == [
        "service tags",
        "your route filter",
        "what the names answer from your network",
    ]
    found = json.loads(
        arcferry("features", "-l", "eastasia", "-o", "json", "--with", tags, "--with", route_filter).out
    )
    assert [one.split(",")[0] for one in found["lacking"]] == [
        "service tags",
        "what the names answer from your network",
    ]
    assert "Windows Admin Center" in found["lacking"][0]
    assert "Defender" not in found["lacking"][0]


def test_the_document_names_everything(arcferry: Run, tags: Path, route_filter: Path) -> None:
    given = ("features", "-l", "eastasia", route_filter, "--with", tags)
    found = json.loads(arcferry(*given, "-o", "json").out)
    assert (found["schema"], found["kind"], found["route_filter"]) == (1, "features", "rf-arc")
    rows = {one["name"]: one for one in found["features"]}
    assert rows["ssh"]["missing"] == ["12076:51011"]
    assert rows["ssh"]["taken"] == "2025-04-23"
    assert rows["ssh"]["source"].endswith("private-link-security.md")
    defender = {one["host"]: one for one in rows["defender-endpoint"]["names"]}
    assert defender["*.endpoint.security.microsoft.com"]["communities"] == ["12076:51011"]
    assert rows["defender-endpoint"]["standing"] == "needs a proxy or private link"
    lines = [json.loads(line) for line in arcferry(*given, "-o", "jsonl").out.splitlines()]
    assert [one["kind"] for one in lines] == ["feature"] * len(rows) + ["features"]
    assert "the filter lacks 12076:51011" in row(arcferry(*given).out, "SSH")


def test_a_cloud_that_cannot_suffice_says_so_first(arcferry: Run) -> None:
    ended = arcferry("features", "-l", "usgovvirginia", "--cloud", "usgov")
    assert ended.out.splitlines()[1].startswith("First: This path alone cannot suffice")


def test_the_ways_stand_side_by_side(arcferry: Run) -> None:
    ended = arcferry("alternatives", "-l", "eastasia", "--features", "monitor")
    assert (ended.code, ended.err) == (0, "")
    head = ended.out.splitlines()[0]
    assert head.startswith("Ways into Azure Arc for East Asia (AzureCloud); this table does not contain ")
    assert "Azure Monitor agent" not in head
    assert row(ended.out, "login.microsoftonline.com").split()[1:] == [
        "required",
        "yes",
        "no",
        "yes",
        "yes",
        "no",
    ]
    assert "public preview" in ended.out
    assert (
        "(azure-management-docs articles/azure-arc/azure-firewall-explicit-proxy.md, 2025-04-22)" in ended.out
    )
    assert "yes: it is served by Azure Front Door" in ended.out


def test_the_document_of_the_ways(arcferry: Run) -> None:
    found = json.loads(arcferry("alternatives", "-l", "eastasia", "--features", "all", "-o", "json").out)
    assert (found["schema"], found["kind"], found["lacks"]) == (1, "alternatives", [])
    ways = {one["name"]: one for one in found["alternatives"]}
    assert "*.gw.arc.azure.com" in ways["gateway"]["public"]
    assert ways["explicit-proxy"]["public"] == []
    assert "*.ingest.monitor.azure.com" in ways["private-link"]["own_endpoint"]
    assert "dls.microsoft.com" in ways["peering"]["unknown"]
    assert "management.azure.com" in ways["private-link"]["public"]
    assert {one["taken"] for one in ways.values()} == {
        "2022-03-24", "2025-04-23", "2025-04-22", "2026-04-27", "2025-11-12",
    }  # fmt: skip
    kinds = [
        json.loads(one)["kind"]
        for one in arcferry("alternatives", "-l", "eastasia", "-o", "jsonl").out.splitlines()
    ]
    assert kinds == ["alternative"] * 5 + ["alternatives"]


def test_a_cloud_has_the_ways_that_are_offered_there(arcferry: Run) -> None:
    found = json.loads(arcferry("alternatives", "-l", "chinaeast2", "--cloud", "china", "-o", "json").out)
    assert [one["name"] for one in found["alternatives"]] == ["peering", "explicit-proxy", "own-proxy"]


def test_the_document_shows_what_the_command_prints(arcferry: Run) -> None:
    page = (Path(__file__).parents[2] / "docs" / "features.md").read_text(encoding="utf-8")
    shown, ways, *_ = (block.partition("```")[0].splitlines() for block in page.split("```text\n")[1:])
    printed = arcferry("features", "-l", "eastasia").out.splitlines()
    assert shown == printed[2 : 2 + len(shown)]
    assert {*ways} <= {*arcferry("alternatives", "-l", "eastasia").out.splitlines()}
