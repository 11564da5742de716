"""`arcferry routes firewall` from its arguments to its exit code."""

import csv
import io
import json
from functools import partial
from pathlib import Path

import pytest
from tests.cli.running import Run
from tests.json_documents import known

from arcferry.report import firewall as report
from arcferry.routing.firewall import NameRule

ROWS = (
    ("AzureArcInfrastructure", "", ["20.0.0.0/24", "20.2.0.0/24"]),
    ("AzureArcInfrastructure.EastAsia", "eastasia", ["20.0.0.0/24"]),
    ("AzureActiveDirectory", "", ["2603:1036::/48"]),
    ("AzureResourceManager", "", ["40.0.0.0/24"]),
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
def run(arcferry: Run) -> Run:
    return partial(arcferry, "routes", "firewall")


def test_a_table_of_names(run: Run) -> None:
    ended = run("-l", "eastasia")
    assert (ended.code, ended.err) == (0, "")
    first, head, *rows = ended.out.splitlines()
    assert first.startswith("# Azure Arc in East Asia (AzureCloud): ")
    assert "does not contain" in first
    assert "Defender for Endpoint" in first
    assert head.split()[:4] == ["HOST", "PORT", "PROTOCOL", "DIRECTION"]
    assert any(row.startswith("management.azure.com ") and " 443 " in row for row in rows)
    assert any(row.startswith("oneocsp.microsoft.com ") and " 80 " in row for row in rows)


def test_the_document_of_names(run: Run) -> None:
    found = known(run("-l", "eastasia", "--features", "wac", "-o", "json").out)
    assert (found["schema"], found["kind"], found["location"]) == (1, "firewall-names", "eastasia")
    rules = {(rule["host"], rule["port"]): rule for rule in found["rules"]}
    assert rules["*.waconazure.com", 443]["pattern"] is True
    assert rules["management.azure.com", 443]["direction"] == "outbound"
    assert all(rule["source"] and rule["reason"] for rule in found["rules"])


def test_names_as_csv(run: Run) -> None:
    rows = list(csv.DictReader(io.StringIO(run("-l", "eastasia", "-o", "csv").out)))
    assert {"host", "port", "over_peering", "reason"} <= set(rows[0])
    assert {row["over_peering"] for row in rows if row["host"] == "download.microsoft.com"} == {"no"}


def test_prefixes(run: Run, tags: Path) -> None:
    ended = run("-l", "eastasia", "--form", "prefixes", "--service-tags", tags, "-o", "json")
    assert ended.code == 0
    found = known(ended.out)
    assert found["kind"] == "firewall-prefixes"
    arc = [(one["prefix"], one["region"]) for one in found["rules"] if one["tag"] == "AzureArcInfrastructure"]
    assert arc == [("20.0.0.0/24", "eastasia"), ("20.2.0.0/24", None)]
    assert {one["taken"] for one in found["rules"]} == {"2026-11-01"}
    assert "ServiceBus" in found["lacking"]
    assert "no prefix of ServiceBus" in ended.err
    assert "4 prefixes of service tags ServiceTags_Public_20261101.json (2026-11-01)" in ended.err


def test_prefixes_as_csv_and_as_a_table(run: Run, tags: Path) -> None:
    given = ("-l", "eastasia", "--form", "prefixes", "--service-tags", tags)
    rows = list(csv.DictReader(io.StringIO(run(*given, "-o", "csv").out)))
    assert [row["prefix"] for row in rows] == ["20.0.0.0/24", "20.2.0.0/24", "2603:1036::/48", "40.0.0.0/24"]
    first, second, *table = run(*given).out.splitlines()
    assert "4 prefixes of service tags ServiceTags_Public_20261101.json (2026-11-01)" in first
    assert second.startswith("# NOT HELD, because no service tag is documented for them: ")
    assert "download.microsoft.com" in second
    assert len(table) == 5


def test_csv_keeps_its_first_line_for_the_columns_and_says_elsewhere_what_it_lacks(run: Run) -> None:
    ended = run("-l", "eastasia", "-o", "csv")
    assert ended.out.startswith("host,port,")
    assert "does not contain extension packages, machine configuration, Azure Monitor agent" in ended.err


def test_all_features_leave_nothing_out(run: Run) -> None:
    ended = run("-l", "eastasia", "--features", "all")
    first, *_ = ended.out.splitlines()
    assert "it contains every feature that arcferry knows" in first
    for host in (
        "*.endpoint.security.microsoft.com",
        "global.prod.microsoftmetrics.com",
        "*.vault.azure.net",
    ):
        assert f"\n{host} " in ended.out
    assert known(run("-l", "eastasia", "--features", "all", "-o", "json").out)["lacks"] == []


@pytest.mark.parametrize(
    "given", [(), ("-o", "csv"), ("--form", "panos", "--names"), ("--form", "edl", "--names")]
)
def test_what_a_firewall_must_not_do_to_a_feature_is_told_with_its_names(
    run: Run, given: tuple[str, ...]
) -> None:
    ended = run("-l", "eastasia", "--features", "monitor", *given)
    assert "HTTPS inspection must be off for all its endpoints." in ended.out + ended.err


def test_features_are_repeated_or_listed_and_bring_what_they_need(run: Run) -> None:
    listed = known(run("-l", "eastasia", "--features", "sql,SSH", "-o", "json").out)
    repeated = known(run("-l", "eastasia", "--features", "sql", "--features", "ssh", "-o", "json").out)
    assert listed["features"] == repeated["features"] == ["sql", "extensions", "ssh"]
    assert "Defender for Endpoint" in listed["lacks"]
    ended = run("-l", "eastasia", "--features", "defnder")
    assert (ended.code, "Did you mean defender" in ended.err) == (2, True)


def older(tags: Path, *prefixes: str) -> Path:
    document = json.loads(tags.read_text())
    document["values"][0]["properties"]["addressPrefixes"] = list(prefixes)
    path = tags.with_name("ServiceTags_Public_20260901.json")
    path.write_text(json.dumps(document))
    return path


def test_what_changed_since_an_older_file(run: Run, tags: Path) -> None:
    since = older(tags, "20.0.0.0/24", "20.9.0.0/24")
    given = ("-l", "eastasia", "--form", "prefixes", "--with", tags, "--since", since)
    rows = list(csv.DictReader(io.StringIO(run(*given, "-o", "csv").out)))
    assert [(row["change"], row["prefix"]) for row in rows] == [
        ("added", "20.2.0.0/24"),
        ("removed", "20.9.0.0/24"),
    ]
    found = known(run(*given, "-o", "json").out)
    assert [one["prefix"] for one in found["added"]] == ["20.2.0.0/24"]
    assert [one["prefix"] for one in found["removed"]] == ["20.9.0.0/24"]
    assert found["since"] == ["service tags ServiceTags_Public_20260901.json (2026-09-01)"]
    assert len(found["rules"]) == 4


def test_an_older_file_of_another_kind_or_cloud_is_refused(run: Run, tags: Path) -> None:
    given = ("-l", "eastasia", "--form", "prefixes", "--with", tags, "--since")
    rules = [{"name": "arc", "access": "Allow", "routeFilterRuleType": "Community", "communities": []}]
    other = tags.with_name("route-filter.json")
    other.write_text(json.dumps({"name": "rf", "rules": rules}))
    ended = run(*given, other)
    assert (ended.code, "route-filter.json holds no service tags" in ended.err) == (2, True)
    china = tags.with_name("ServiceTags_China_20260901.json")
    china.write_text(tags.read_text().replace('"Public"', '"China"'))
    ended = run(*given, china)
    assert (ended.code, ended.out) == (2, "")
    assert "no older service tags of the cloud Public" in ended.err
    assert "--since" in ended.err


@pytest.mark.parametrize(
    ("form", "line"),
    [
        ("panos", "delete address-group arcferry_AzureArcInfrastructure static arcferry_20-9-0-0_24"),
        ("panos", "delete address arcferry_20-9-0-0_24"),
        ("fortios", '    delete "arcferry_20-9-0-0_24"'),
        ("asa", " no network-object 20.9.0.0 255.255.255.0"),
        ("nftables", "# removed: 20.9.0.0/24 AzureArcInfrastructure"),
        ("windows", "# added: 20.2.0.0/24 AzureArcInfrastructure"),
    ],
)
def test_a_firewall_that_keeps_what_it_has_is_told_what_to_let_go(
    run: Run, tags: Path, form: str, line: str
) -> None:
    since = older(tags, "20.0.0.0/24", "20.9.0.0/24")
    ended = run("-l", "eastasia", "--form", form, "--with", tags, "--since", since)
    assert line in ended.out.splitlines()
    assert "1 added, 1 removed" in ended.err


@pytest.mark.parametrize(
    ("given", "says"),
    [
        (("--form", "nftables", "--names"), "holds addresses alone"),
        (("--form", "windows", "--names"), "holds addresses alone"),
        (("--form", "asa", "-o", "json"), "is a text of its own"),
        (("--since", "old.json"), "names come from no tag"),
        (("--form", "edl", "--names", "--since", "old.json"), "names come from no tag"),
    ],
)
def test_what_cannot_be_said_in_a_form_is_refused_with_a_way_out(
    run: Run, given: tuple[str, ...], says: str
) -> None:
    ended = run("-l", "eastasia", *given)
    assert (ended.code, ended.out) == (2, "")
    assert says in ended.err
    assert "hint:" in ended.err


def test_prefixes_without_service_tags_say_how_to_get_them(run: Run) -> None:
    ended = run("-l", "eastasia", "--form", "prefixes")
    assert (ended.code, ended.out) == (2, "")
    assert "no service tags of the cloud Public are at hand" in ended.err
    assert "arcferry data import" in ended.err


@pytest.mark.parametrize("cell", ["=1+1", "+1", "-1", "@SUM(A1)"])
def test_no_cell_of_a_sheet_is_a_formula(cell: str) -> None:
    rule = NameRule(cell, 443, cell, cell, required=True, over_peering=True, source="s")
    (row,) = csv.DictReader(io.StringIO(report.as_csv(report.name_rows([rule]))))
    assert (row["host"], row["reason"], row["when"]) == (f"'{cell}", f"'{cell}", f"'{cell}")


def test_a_cell_stays_on_its_line_without_terminal_sequences() -> None:
    rule = NameRule("h", 443, 'a\nb\x1b[31m,"c', "always", required=True, over_peering=True, source="s")
    (row,) = csv.DictReader(io.StringIO(report.as_csv(report.name_rows([rule]))))
    assert row["reason"] == 'a b,"c'
