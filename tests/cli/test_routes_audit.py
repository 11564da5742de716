"""`arcferry routes audit` from its arguments to its exit code, over the files that people have."""

import json
from collections.abc import Callable
from io import BytesIO, TextIOWrapper
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from arcferry import cli
from arcferry.cli import evidence
from arcferry.evidence import reading

SECRET = "canary-77aa"
GAS = "agentserviceapi.guestconfiguration.azure.com"
OWN = "eastasia-gas.guestconfiguration.azure.com"
Run = Callable[..., SimpleNamespace]

IOS = """edge1#show ip bgp
BGP table version is 812, local router ID is 192.0.2.1
Status codes: s suppressed, d damped, h history, * valid, > best, i - internal
Origin codes: i - IGP, e - EGP, ? - incomplete

     Network          Next Hop            Metric LocPrf Weight Path
 *>  20.187.128.0/17  192.0.2.2                              0 12076 ?
{more}edge1#
"""
JAPAN = " *>  40.115.128.0/17  192.0.2.2                              0 12076 ?\n"


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Run:
    monkeypatch.setenv("ARCFERRY_DATA", str(tmp_path / "nothing held"))

    def run(*arguments: object, stdin: bytes = b"") -> SimpleNamespace:
        monkeypatch.setattr("sys.argv", ["arcferry", "routes", "audit", *map(str, arguments)])
        monkeypatch.setattr("sys.stdin", TextIOWrapper(BytesIO(stdin)))
        with pytest.raises(SystemExit) as ended:
            cli.main()
        out, err = capsys.readouterr()
        return SimpleNamespace(code=ended.value.code, out=out, err=err)

    return run


class Files:
    """Writes what somebody would hand in."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def write(self, name: str, content: object) -> Path:
        path = self.folder / name
        path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
        return path

    def filter(self, *values: str) -> Path:
        rule = {"name": "allow", "access": "Allow", "communities": [*values]}
        return self.write(
            "filter.json", {"name": "rf-arc", "provisioningState": "Succeeded", "rules": [rule]}
        )

    def dns(self, *, gas: str = "", own: str = "") -> Path:
        named = {GAS: gas, OWN: own}
        answers = {name: {"chain": [], "addresses": [one]} for name, one in named.items() if one}
        taken = "2026-11-20T08:00:00Z"
        return self.write("dns.json", {"taken": taken, "resolver": "10.0.0.53", "answers": answers})

    def tags(self) -> Path:
        def tag(name: str, region: str, prefix: str) -> dict[str, Any]:
            return {"name": name, "properties": {"region": region, "addressPrefixes": [prefix]}}

        values = [
            tag("AzureArcInfrastructure.JapanEast", "japaneast", "40.115.144.0/30"),
            tag("AzureCloud.japaneast", "japaneast", "40.115.128.0/17"),
            tag("AzureArcInfrastructure.EastAsia", "eastasia", "20.187.194.204/30"),
            tag("AzureCloud.eastasia", "eastasia", "20.187.128.0/17"),
        ]
        document = {"cloud": "Public", "changeNumber": 375, "values": values}
        return self.write("ServiceTags_Public_20251028.json", document)

    def routes(self, more: str = "") -> Path:
        return self.write("rtr1.txt", IOS.format(more=more))

    def circuit(self, **more: object) -> Path:
        peering = {
            "peeringType": "MicrosoftPeering",
            "state": "Enabled",
            "sharedKey": SECRET,
            "routeFilter": {"id": "/subscriptions/s/resourceGroups/g/x/routeFilters/rf-arc"},
            "microsoftPeeringConfig": {
                "advertisedPublicPrefixes": ["203.0.113.0/24"],
                "advertisedPublicPrefixesState": "Configured",
                "legacyMode": 0,
            },
        }
        document = {
            "name": "er-hk",
            "serviceKey": SECRET,
            "sku": {"tier": "Premium"},
            "serviceProviderProvisioningState": "Provisioned",
            "serviceProviderProperties": {"peeringLocation": "Hong Kong"},
            "peerings": [peering],
            **more,
        }
        return self.write("circuit.json", document)


@pytest.fixture
def files(tmp_path: Path) -> Files:
    return Files(tmp_path)


def test_the_path_is_there(run: Run, files: Files) -> None:
    handed_in = (files.filter("12076:51010"), files.dns(own="20.187.194.204"), files.routes(), files.tags())
    ended = run(*handed_in)
    assert ended.code == 0
    assert "received: 20.187.128.0/17 through 192.0.2.2 (rtr1.txt)" in ended.out
    assert "1 required endpoint: the path to 1 is there, to 0 missing" in ended.out


def test_every_file_is_told_what_it_was_taken_for(run: Run, files: Files) -> None:
    ended = run(files.filter("12076:51010"), files.dns(own="20.187.194.204"), files.circuit(), files.routes())
    told = {line.split()[0]: line.split(None, 1)[1] for line in ended.out.splitlines()[1:5]}
    assert told == {
        "filter.json": "a route filter",
        "dns.json": "DNS answers, as of 2026-11-20T08:00:00Z",
        "circuit.json": "an ExpressRoute circuit",
        "rtr1.txt": "routes of a router",
    }


def test_a_required_endpoint_without_a_path_is_exit_code_1(run: Run, files: Files) -> None:
    ended = run(files.filter("12076:51010"), files.dns(gas="40.115.144.3"), files.routes(), files.tags())
    assert ended.code == 1
    row = next(line for line in ended.out.splitlines() if line.startswith(GAS))
    assert "rf-arc lacks 12076:51012 (Japan East)" in row
    assert row.endswith("|MISSING")


def test_a_difference_is_explained(run: Run, files: Files) -> None:
    ended = run(files.filter("12076:51012"), files.dns(gas="40.115.144.3"), files.routes(), files.tags())
    assert ended.code == 1
    assert f"{GAS}: the filter allows 12076:51012 (Japan East), and no route came" in ended.out


def test_an_unexpected_route_is_explained(run: Run, files: Files) -> None:
    handed_in = (
        files.filter("12076:51010"),
        files.dns(gas="40.115.144.3"),
        files.routes(JAPAN),
        files.tags(),
    )
    ended = run(*handed_in)
    assert "a route came although rf-arc does not allow its community" in ended.out


def test_the_json_document(run: Run, files: Files) -> None:
    handed_in = (files.filter("12076:51010"), files.dns(gas="40.115.144.3"), files.routes(), files.tags())
    document = json.loads(run("-o", "json", *handed_in).out)
    assert (document["schema"], document["kind"], document["missing"]) == (1, "audit", [GAS])
    (row,) = document["endpoints"]
    assert (row["host"], row["addresses"], row["agrees"], row["path"]) == (
        GAS,
        ["40.115.144.3"],
        True,
        "missing",
    )
    assert (row["expected"]["community"], row["expected"]["in_filter"]) == ("12076:51012", False)
    assert (row["observed"]["reception"], row["observed"]["prefixes"]) == ("not-received", [])
    assert document["findings"]


def test_json_lines_end_with_the_sum(run: Run, files: Files) -> None:
    ended = run("-o", "jsonl", files.filter("12076:51010"), files.dns(gas="40.115.144.3"), files.tags())
    lines = [json.loads(line) for line in ended.out.splitlines()]
    assert {line["kind"] for line in lines[:-1]} == {"audited-endpoint", "finding", "evidence"}
    assert (lines[-1]["kind"], lines[-1]["missing"]) == ("audit", [GAS])


def test_a_location_alone_says_what_would_tell_more(run: Run, files: Files) -> None:
    ended = run("--location", "eastasia", files.filter("12076:51010", "12076:5060", "12076:5070"))
    assert ended.code == 0
    assert f"{OWN} " in ended.out
    assert "Would tell more" in ended.out
    assert "  dns-answers: " in ended.out


def test_the_sku_s_reach_is_told(run: Run, files: Files) -> None:
    circuit = files.circuit(sku={"tier": "Standard"})
    ended = run(files.filter("12076:51012"), files.dns(gas="40.115.144.3"), files.tags(), circuit)
    assert ended.code == 1
    assert "beyond the SKU's reach" in ended.out


def test_the_circuit_and_the_way_back_are_told(run: Run, files: Files) -> None:
    azure = files.write(
        "azure.json",
        {
            "value": [
                {"network": prefix, "nextHop": "192.0.2.1*", "locPrf": "", "weight": 0, "path": "64520 I"}
                for prefix in ("198.51.100.0/24", "192.0.2.0/30")
            ]
        },
    )
    ended = run(files.filter("12076:51010"), files.dns(own="20.187.194.204"), files.circuit(), azure)
    assert "circuit er-hk: SKU Premium at Hong Kong, which is in Asia; Provisioned" in ended.out
    assert "Enabled; route filter rf-arc; Microsoft was told of 203.0.113.0/24 (Configured)" in ended.out
    assert "has no route to 203.0.113.0/24: answers cannot come back over the peering" in ended.out


@pytest.mark.parametrize("output", ["table", "json", "jsonl"])
def test_no_key_is_ever_printed(run: Run, files: Files, output: str) -> None:
    circuit = files.circuit()
    assert SECRET in circuit.read_text(encoding="utf-8")
    ended = run("-o", output, files.filter("12076:51010"), files.dns(own="20.187.194.204"), circuit)
    assert SECRET not in ended.out + ended.err


def test_a_wrong_circuit_is_refused_by_its_place_and_without_its_key(run: Run, files: Files) -> None:
    ended = run("--location", "eastasia", files.circuit(sku=SECRET))
    assert ended.code == 2
    assert "circuit.json: sku: expected an object" in ended.err
    assert SECRET not in ended.out + ended.err


def test_nothing_to_audit_is_refused_with_the_way_out(run: Run, files: Files) -> None:
    ended = run(files.filter("12076:51010"))
    assert ended.code == 2
    assert "Give --location" in ended.err


def test_every_unusable_file_is_named(run: Run, files: Files) -> None:
    wrong = files.write("a.txt", '{"rules": [{"communities": []}]}')
    ended = run(wrong, files.folder / "missing.json", "--location", "eastasia")
    assert ended.code == 2
    assert "a.txt: rules[0]: a rule whose access is neither" in ended.err
    assert "missing.json: no such file" in ended.err


def test_a_file_that_nothing_recognises_stops_no_audit(run: Run, files: Files) -> None:
    odd = files.write("notes.txt", "nothing of the kind\n")
    ended = run(odd, files.filter("12076:51010"), "--location", "eastasia")
    assert ended.code == 0
    assert "notes.txt: not recognised, so it is left out" in ended.err
    assert "filter.json  a route filter" in ended.out
    alone = run(odd, "--location", "eastasia")
    assert (alone.code, "nothing in notes.txt is recognised" in alone.err) == (2, True)


def test_an_unknown_location_offers_near_ones(run: Run) -> None:
    ended = run("--location", "eastasa")
    assert ended.code == 2
    assert "eastasia" in ended.err


def test_standard_input(run: Run, files: Files) -> None:
    content = files.filter("12076:51010").read_bytes()
    ended = run("-", "--location", "eastasia", stdin=content)
    assert "standard input  a route filter" in ended.out


def test_a_large_dump_is_streamed(run: Run, files: Files, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(evidence, "_STREAMED", 100)
    dump = files.routes(JAPAN)
    ended = run(files.filter("12076:51012"), files.dns(gas="40.115.144.3"), files.tags(), dump)
    assert ended.code == 0
    assert "received: 40.115.128.0/17 through 192.0.2.2 (rtr1.txt)" in ended.out


def test_what_is_held_fills_in(
    run: Run, files: Files, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    tags = files.tags()
    monkeypatch.setattr("sys.argv", ["arcferry", "data", "import", str(tags)])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == 0, capsys.readouterr().err
    capsys.readouterr()
    found = run(files.filter("12076:51010"), files.dns(gas="40.115.144.3"))
    assert "held service tags of 2025-10-28" in found.out
    assert "AzureArcInfrastructure.JapanEast" in found.out


def test_a_file_that_no_reader_foresees_costs_its_own_row_alone(
    run: Run, files: Files, monkeypatch: pytest.MonkeyPatch
) -> None:
    def surprised(_: str, text: str) -> None:
        if "springs the trap" in text:
            raise RecursionError

    monkeypatch.setattr(reading, "_TEXT_READERS", (surprised, *reading._TEXT_READERS))
    evil = files.write("evil.txt", "this one springs the trap\n")
    ended = run("--location", "eastasia", evil, files.filter("12076:51010"))
    assert ended.code == 1
    assert GAS in ended.out
    assert "evil.txt could not be read" in ended.out
    assert "evil.txt: could not be read" in ended.err
