"""`arcferry routes firewall` from its arguments to its exit code."""

import csv
import io
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from arcferry import cli
from arcferry.report import firewall as report
from arcferry.routing.firewall import NameRule

ROWS = (
    ("AzureArcInfrastructure", "", ["20.0.0.0/24", "20.2.0.0/24"]),
    ("AzureArcInfrastructure.EastAsia", "eastasia", ["20.0.0.0/24"]),
    ("AzureActiveDirectory", "", ["2603:1036::/48"]),
    ("AzureResourceManager", "", ["40.0.0.0/24"]),
)


@dataclass(frozen=True)
class Ended:
    code: int
    out: str
    err: str


Run = Callable[..., Ended]


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
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    monkeypatch.setenv("ARCFERRY_DATA", str(tmp_path / "held"))

    def run(*arguments: object) -> Ended:
        monkeypatch.setattr("sys.argv", ["arcferry", "routes", "firewall", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        out, err = capsys.readouterr()
        return Ended(int(ended.value.code or 0), out, err)

    return run


def test_a_table_of_names(run: Run) -> None:
    ended = run("-l", "eastasia")
    assert (ended.code, ended.err) == (0, "")
    head, *rows = ended.out.splitlines()
    assert head.split()[:4] == ["HOST", "PORT", "PROTOCOL", "DIRECTION"]
    assert any(row.startswith("management.azure.com ") and " 443 " in row for row in rows)
    assert any(row.startswith("oneocsp.microsoft.com ") and " 80 " in row for row in rows)


def test_the_document_of_names(run: Run) -> None:
    found = json.loads(run("-l", "eastasia", "--features", "wac", "-o", "json").out)
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
    found = json.loads(ended.out)
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
    assert len(run(*given).out.splitlines()) == 5


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
    assert len(list(report.as_table(report.name_rows([rule])))) == 2
