"""`arcferry routes plan` from its arguments to its exit code, with the twin's published documents."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from tests.cli.running import Ended, Run

from arcferry import times
from arcferry_lab.network import published
from arcferry_lab.network.block import claim

SHARED = Path(__file__).parents[3] / "shared"
REGIONS = ("eastasia", "southeastasia", "japaneast")
HELD = ["12076:51010", "12076:5060", "12076:5070"]


@dataclass(frozen=True)
class Desk:
    """Files as an administrator has them."""

    tags: Path
    communities: Path
    route_filter: Path


def filter_document(communities: list[str]) -> dict[str, Any]:
    path = "/subscriptions/0/resourceGroups/rg-net/providers/Microsoft.Network/routeFilters/rf-msp"
    allow = {"access": "Allow", "routeFilterRuleType": "Community", "communities": communities}
    rules = [{"name": "arc", "properties": allow}]
    return {"id": path, "name": "rf-msp", "properties": {"provisioningState": "Succeeded", "rules": rules}}


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    block = claim()
    documents = {
        "ServiceTags_Public_20261123.json": published.service_tags(block, REGIONS, "eastasia"),
        "communities-2026-11-23.json": published.bgp_communities(block, REGIONS),
        "route-filter.json": filter_document(HELD),
    }
    for name, document in documents.items():
        (tmp_path / name).write_text(json.dumps(document))
    yield Desk(*(tmp_path / name for name in documents))
    block.release()


@pytest.fixture
def run(arcferry: Run) -> Run:
    return partial(arcferry, "routes", "plan")


@pytest.fixture
def data(arcferry: Run) -> Run:
    return partial(arcferry, "data")


def document(ended: Ended) -> dict[str, Any]:
    assert (ended.code, ended.err) == (0, "")
    found: dict[str, Any] = json.loads(ended.out)
    return found


def test_without_any_file_a_new_filter_is_planned(run: Run) -> None:
    ended = run("--location", "eastasia")
    assert (ended.code, ended.err) == (0, "")
    assert "12076:51010  East Asia" in ended.out
    assert "IN FILTER" not in ended.out
    assert "az network route-filter create" in ended.out
    assert "please attach a route filter with 4 BGP communities" in ended.out


def test_the_document(run: Run, desk: Desk) -> None:
    found = document(
        run(
            *("-l", "eastasia", "-o", "json", "--with", desk.route_filter),
            *("--with", desk.tags, "--with", desk.communities),
        )
    )
    assert (found["schema"], found["kind"]) == (1, "route-plan")
    assert (found["cloud"], found["location"], found["route_filter"]) == ("AzureCloud", "eastasia", "rf-msp")
    assert found["planned"] == [*HELD, "12076:51011"]
    assert found["comfortable"] is None
    assert found["smallest"] == ["12076:51010", "12076:5060", "12076:51011"]
    assert found["missing"] == ["12076:51011"]
    by_value = {one["value"]: one for one in found["communities"]}
    assert by_value["12076:51011"]["prefixes"] == {
        "ipv4": 1,
        "ipv6": 0,
        "listed": True,
        "source": "communities-2026-11-23.json (2026-11-23)",
    }
    assert by_value["12076:51010"]["in_filter"] is True
    assert [one["tool"] for one in found["changes"]] == ["az", "powershell", "bicep", "terraform", "request"]
    assert found["changes"][0]["text"] == (
        "az network route-filter rule update --resource-group rg-net --filter-name rf-msp --name arc "
        "--add communities 12076:51011"
    )


def test_json_lines_are_the_same_plan(run: Run) -> None:
    ended = run("-l", "eastasia", "-o", "jsonl")
    lines = [json.loads(line) for line in ended.out.splitlines()]
    assert [line["kind"] for line in lines] == [*["planned-community"] * 4, "route-plan"]
    assert [line["value"] for line in lines[:-1]] == lines[-1]["planned"]


def test_the_table_compares_with_the_filter(run: Run, desk: Desk) -> None:
    out = run("-l", "eastasia", "--with", desk.route_filter, "--with", desk.communities).out
    rows = {line.split()[0]: line for line in out.splitlines() if line.startswith("12076:")}
    assert "MISSING" in rows["12076:51011"]
    assert " yes " in rows["12076:51010"]
    for part in (
        "Never over Microsoft peering",
        "crl3.digicert.com:80",
        "you lose",
        "Worth knowing",
        "As of",
    ):
        assert part in out


def test_what_the_circuit_does_not_get_is_said(run: Run, tmp_path: Path) -> None:
    circuit = {
        "name": "er",
        "sku": {"name": "Standard_MeteredData", "tier": "Standard", "family": "MeteredData"},
        "properties": {
            "serviceProviderProvisioningState": "Provisioned",
            "serviceProviderProperties": {"peeringLocation": "Hong Kong", "bandwidthInMbps": 50},
            "serviceKey": "5e4b0f3a-canary",
            "peerings": [],
        },
    }
    (tmp_path / "circuit.json").write_text(json.dumps(circuit))
    out = run("-l", "eastasia", "--steered", "all", "--with", tmp_path / "circuit.json").out
    rows = {line.split()[0]: line for line in out.splitlines() if line.startswith("12076:")}
    assert "NOT ITS SKU" in rows["12076:51012"]
    assert " yes " in rows["12076:51011"]
    assert " unknown " in rows["12076:5060"]
    assert "canary" not in out


FILTER_ID = "/subscriptions/0/resourceGroups/rg-net/providers/Microsoft.Network/routeFilters/rf-msp"


def test_no_new_filter_takes_the_place_of_one_that_may_be_there(run: Run, tmp_path: Path) -> None:
    assert "look first, and hand that one in" in run("-l", "eastasia").out.splitlines()[1]
    peering = {
        "name": "MicrosoftPeering",
        "properties": {"peeringType": "MicrosoftPeering", "routeFilter": {"id": FILTER_ID}},
    }
    circuit = {
        "name": "er",
        "sku": {"name": "Premium_MeteredData", "tier": "Premium", "family": "MeteredData"},
        "properties": {"serviceProviderProvisioningState": "Provisioned", "peerings": [peering]},
    }
    (tmp_path / "circuit.json").write_text(json.dumps(circuit))
    found = document(run("-l", "eastasia", "--with", tmp_path / "circuit.json", "-o", "json"))
    assert found["changes"] == []
    (first,) = found["first"]
    assert first == (
        "The circuit holds route filter rf-msp, which is not at hand. Fetch it: az network route-filter show "
        "--resource-group rg-net --name rf-msp --output json > route-filter-YYYY-MM-DD.json"
    )


def test_evidence_may_be_handed_in_by_option_or_as_it_is(run: Run, desk: Desk, tmp_path: Path) -> None:
    (tmp_path / "nslookup-2026-11-23.txt").write_text(
        "C:\\>nslookup agentserviceapi.guestconfiguration.azure.com\n"
        "Server:  dc01.corp.example\nAddress:  10.0.0.53\n\n"
        "Non-authoritative answer:\n"
        "Name:    jpe-gas-cses-1b.japaneast.cloudapp.azure.com\nAddress:  40.115.144.3\n"
        "Aliases:  agentserviceapi.guestconfiguration.azure.com\n"
        "          agentserviceapi.trafficmanager.net\n"
    )
    evidence = tmp_path / "nslookup-2026-11-23.txt"
    for given in ([evidence], ["--with", evidence]):
        found = document(run("-l", "eastasia", "-o", "json", "--with", desk.route_filter, *given))
        (answer,) = [one for one in found["answers"] if not one["published"]]
        assert (answer["region"], answer["community"], answer["in_filter"]) == (
            "japaneast",
            "12076:51012",
            False,
        )
        assert found["missing"] == ["12076:51012", "12076:51011"]
        assert found["changes"][0]["text"].endswith("--add communities 12076:51012 12076:51011")


def test_each_change_says_what_else_it_does(run: Run, desk: Desk) -> None:
    found = document(
        run("-l", "eastasia", "-o", "json", "--with", desk.route_filter, "--with", desk.communities)
    )
    prefixes, region, flows, back = found["effects"]
    assert prefixes.startswith("Prefixes: 1 IPv4 and 0 IPv6 prefixes are added")
    assert "maximum-prefix" in prefixes
    assert "12076:51011 (Southeast Asia)" in region
    assert "Storage and SQL" in region
    assert "may change to the circuit" in flows
    assert "take 12076:51011 out of the rule again, and nothing else" in back
    (letter,) = [one["text"] for one in found["changes"] if one["tool"] == "request"]
    assert all(f"- {one}" in letter for one in found["effects"])


@pytest.mark.parametrize("arguments", [["-l", "usgovvirginia", "--cloud", "usgov"], ["-l", "eastasia"]])
def test_without_evidence_nothing_is_called_comfortable(run: Run, arguments: list[str]) -> None:
    out = run(*arguments).out
    assert "comfortable" not in out
    assert "planned" in out


def test_the_government_cloud_is_told_first_that_the_path_alone_cannot_suffice(run: Run) -> None:
    out = run("-l", "usgovvirginia", "--cloud", "usgov").out
    assert out.splitlines()[1].startswith("First: This path alone cannot suffice")
    assert out.count("This path alone cannot suffice") == 1


def test_a_filter_that_is_enough_needs_no_change(run: Run, desk: Desk) -> None:
    desk.route_filter.write_text(json.dumps(filter_document([*HELD, "12076:51011", "12076:5050"])))
    out = run("-l", "eastasia", "--with", desk.route_filter).out
    assert "Route filter rf-msp lets all of it through." in out
    assert "12076:5050  Azure Global Services" in out
    assert "The change" not in out


def test_the_change_may_ask_for_the_smallest_set(run: Run) -> None:
    (line,) = [
        line
        for line in run("-l", "eastasia", "--smallest", "--change", "az").out.splitlines()
        if "rule create" in line
    ]
    assert line.endswith("--communities 12076:51010 12076:5060 12076:51011")


def test_a_filter_that_is_enough_for_the_smallest_set(run: Run, desk: Desk) -> None:
    desk.route_filter.write_text(json.dumps(filter_document(["12076:51010", "12076:5060", "12076:51011"])))
    out = run("-l", "eastasia", "--smallest", "--with", desk.route_filter).out
    assert "Route filter rf-msp lets the smallest set through, and lacks" in out
    assert "The change" not in out


@pytest.mark.parametrize(
    ("language", "shown", "hidden"),
    [
        ("bicep", "Microsoft.Network/routeFilters@", "az network"),
        ("terraform", "azurerm_route_filter", "Subject:"),
        ("powershell", "New-AzRouteFilterRuleConfig", "azurerm_route_filter"),
        ("request", "Subject:", "az network route-filter create"),
    ],
)
def test_one_language(run: Run, language: str, shown: str, hidden: str) -> None:
    out = run("-l", "eastasia", "--change", language).out
    assert shown in out
    assert hidden not in out


def test_every_language(run: Run) -> None:
    out = run("-l", "eastasia", "--change", "all").out
    for part in ("The change, az", "The change, powershell", "The change, bicep", "The change, terraform"):
        assert part in out
    assert "Subject:" in out


def test_the_machines_region_without_a_community(run: Run) -> None:
    out = run("-l", "swedencentral", "--steered", "region").out
    assert "Regions without a documented community" in out
    assert "list-service-communities" in out
    assert "12076:51046" not in out


def test_a_name_from_a_file_goes_into_no_command(run: Run, desk: Desk) -> None:
    hostile = filter_document(HELD) | {"name": "rf\x1b[31m'; reboot #", "id": "x"}
    desk.route_filter.write_text(json.dumps(hostile))
    out = run("-l", "eastasia", "--with", desk.route_filter, "--change", "all").out
    assert "--filter-name ROUTE-FILTER" in out.partition("The change, az")[2]
    assert "route filter a name that is none" in out
    assert "reboot" not in out
    assert "\x1b" not in out


TODAY = times.now().date().isoformat()


@dataclass(frozen=True)
class Known:
    """How the filter at hand is called, of which day it is said to be, and what follows."""

    name: str
    taken: str
    says: str
    withheld: bool


@pytest.mark.parametrize(
    "known",
    [
        Known("route-filter.json", "", "of unknown day", withheld=True),
        Known("route-filter.json", "2026-11-20", "as of 2026-11-20", withheld=True),
        Known("route-filter-2026-11-20.json", "", "as of 2026-11-20", withheld=True),
        Known("route-filter.json", TODAY, f"as of {TODAY}", withheld=False),
    ],
    ids=["undated", "older", "older-by-its-name", "of-today"],
)
def test_the_change_adds_whatever_was_changed_since(
    run: Run, desk: Desk, tmp_path: Path, data: Run, known: Known
) -> None:
    """A filter as it was held before the network team added 12076:51012: no text takes that away again."""
    held = tmp_path / known.name
    held.write_text(desk.route_filter.read_text())
    data("import", held, *(["--taken", known.taken] if known.taken else []))
    changes = {one["tool"]: one for one in document(run("-l", "eastasia", "-o", "json"))["changes"]}
    assert changes["az"]["text"] == (
        "az network route-filter rule update --resource-group rg-net --filter-name rf-msp --name arc "
        "--add communities 12076:51011"
    )
    assert "@($rule.Communities) + @('12076:51011')" in changes["powershell"]["text"]
    assert f"The filter {known.says}, as we know it, allows:" in changes["request"]["text"]
    assert "must read" not in changes["request"]["text"]
    for tool in ("bicep", "terraform"):
        assert bool(changes[tool]["withheld"]) is known.withheld
        assert bool(changes[tool]["text"]) is not known.withheld
        assert bool(changes[tool]["fetch"]) is known.withheld


def test_why_a_list_is_withheld_stands_in_its_place(run: Run, desk: Desk) -> None:
    out = run("-l", "eastasia", "--with", desk.route_filter, "--change", "bicep").out
    _, _, change = out.partition("The change, bicep")
    lines = change.strip().splitlines()
    assert len(lines) == 2
    assert "withheld, because it replaces the whole list" in lines[0]
    assert lines[1].strip().startswith("az network route-filter show --resource-group rg-net --name rf-msp")


@pytest.mark.parametrize(
    ("arguments", "says", "way_out"),
    [
        (["-l", "eastasai"], "unknown location 'eastasai'", "eastasia"),
        (["-l", "chinaeast2"], "belongs to AzureChinaCloud", "--cloud AzureChinaCloud"),
        (["-l", "eastasia", "--features", "esu,sqll"], "unknown feature 'sqll'", "sql"),
        (["-l", "eastasia", "--with", "missing.json"], "no such file", ""),
    ],
)
def test_what_the_user_got_wrong(run: Run, arguments: list[str], says: str, way_out: str) -> None:
    ended = run(*arguments)
    assert (ended.code, ended.out) == (2, "")
    assert says in ended.err
    assert way_out in ended.err
    assert "Traceback" not in ended.err


def test_a_file_is_what_its_content_says_by_whichever_option_it_came(run: Run, desk: Desk) -> None:
    """The options of old, one a kind, stand for --with."""
    ended = run("-l", "eastasia", "--route-filter", desk.tags, "--output", "json")
    assert ended.code == 0
    assert json.loads(ended.out)["route_filter"] is None
    assert ended.out == run("-l", "eastasia", "--with", desk.tags, "--output", "json").out


def test_service_tags_of_another_cloud_are_refused(run: Run, desk: Desk) -> None:
    desk.tags.write_text(desk.tags.read_text().replace('"cloud": "Public"', '"cloud": "China"'))
    ended = run("-l", "eastasia", "--with", desk.tags)
    assert ended.code == 2
    assert "is of the cloud China, not of Public" in ended.err


@pytest.mark.shared
def test_with_what_microsoft_published(run: Run) -> None:
    data = SHARED / "data"
    if not data.exists():
        pytest.skip("the shared data is not beside the checkout")
    found = document(
        run(
            *("-l", "eastasia", "--steered", "all", "-o", "json"),
            *("--with", data / "ServiceTags_Public_20251028.json"),
            *("--with", data / "bgp-service-communities-2019-05-30.json"),
            *("--with", SHARED / "cases" / "eastasia-2024" / "route-filter.json"),
        )
    )
    prefixes = {one["value"]: one["prefixes"] for one in found["communities"]}
    assert prefixes["12076:51012"]["ipv4"] == 52
    assert prefixes["12076:51059"]["listed"] is False
    assert prefixes["12076:5070"] is None
    assert "12076:51012" in found["missing"]


@pytest.mark.shared
def test_the_incident_that_a_company_met(run: Run) -> None:
    case = SHARED / "cases" / "eastasia-2024"
    if not case.exists():
        pytest.skip("the shared cases are not beside the checkout")
    found = document(
        run(
            *("-l", "eastasia", "-o", "json", case / "check.txt", case / "connect.txt", case / "dns.json"),
            *("--with", case / "route-filter.json"),
            *("--with", SHARED / "data" / "ServiceTags_Public_20251028.json"),
        )
    )
    assert found["missing"] == ["12076:51012", "12076:51011"]
    assert found["comfortable"] == found["planned"]
    why = {one["value"]: one["why"] for one in found["communities"]}
    assert why["12076:51012"] == "names answered here 2024-02-01"


def test_the_first_line_says_which_features_are_left_out(run: Run) -> None:
    first = run("-l", "eastasia", "--features", "defender").out.splitlines()[0]
    assert "with defender, defender-endpoint, extensions, machine-configuration; it does not contain" in first
    assert "Azure Monitor agent" in first
    assert "Defender for Cloud" not in first
    found = document(run("-l", "eastasia", "--features", "all", "-o", "json"))
    assert found["lacks"] == []
    assert "12076:51027" in found["planned"]  # an account of machine configuration in West Central US
    notes = "\n".join(found["notes"])
    (unplaced,) = [one for one in found["notes"] if one.startswith("No document says in which regions ")]
    assert "*.ingest.monitor.azure.com" in unplaced
    assert "Azure Monitor agent: HTTPS inspection must be off" in notes


@pytest.mark.parametrize(
    ("files", "says"),
    [
        (("circuit.json", "rf-msp.json"), "a filter of its own, rf-msp-ipv6, which is not at hand"),
        (("circuit.json", "rf-msp.json", "rf-msp-ipv6.json"), "rf-msp-ipv6, which lacks 12076:51010"),
    ],
)
def test_the_ipv6_side_has_a_filter_of_its_own(run: Run, files: tuple[str, ...], says: str) -> None:
    folder = Path(__file__).parents[1] / "cases/ipv6-by-a-filter-of-its-own"
    ended = run("--location", "eastasia", *(str(folder / name) for name in files), "--output", "json")
    assert ended.code == 0
    assert says in ended.out
    planned = {one["value"]: one["in_filter"] for one in document(ended)["communities"]}
    assert planned["12076:51010"] is True


def test_a_side_with_the_same_filter_needs_no_word(run: Run) -> None:
    folder = Path(__file__).parents[1] / "cases/ipv6-let-through"
    ended = run("--location", "eastasia", str(folder / "circuit.json"), str(folder / "rf-msp.json"))
    assert ended.code == 0
    assert "IPv6 side" not in ended.out
