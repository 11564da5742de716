"""onboard.ps1 with a map by host name, case by case; test_on_windows runs it for real."""

import json
import platform
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.export.test_onboard_ps1 import VERBS, Run, cases, verbs
from tests.powershell import PowerShell

from arcferry.export import ExportOptions
from arcferry.fleet.inventory import read_inventory

pytestmark = pytest.mark.xdist_group("powershell")
OSAKA = "22222222-3333-4444-5555-666666666666"
SCOPE = f"/subscriptions/{OSAKA}/resourceGroups/rg/providers/Microsoft.HybridCompute/privateLinkScopes/pls"
COLUMNS = "name,tags,location,resource_group,subscription,proxy,private_link_scope,window,address"
OWN = f"\"role=db;note='a, \\\\$(1) 台'\",japaneast,rg-osaka,{OSAKA},http://proxy.example:8080,{SCOPE},"
Listed = Callable[..., Run]


@pytest.fixture
def listed(tmp_path: Path, make_options: Callable[..., ExportOptions], powershell: PowerShell) -> Listed:
    def make(*rows: str) -> Run:
        path = tmp_path / "servers.csv"
        path.write_text("\n".join((COLUMNS, *rows, "")), encoding="utf-8")
        made = make_options(delay=0, tags=["site=taipei"], inventory=read_inventory(path))
        return cases(tmp_path, made, powershell)

    return make


def config(answer: dict[str, Any]) -> dict[str, str]:
    found: dict[str, str] = json.loads(answer["config"].partition(" ")[2])
    return found


@pytest.mark.parametrize("name", ["web01", "WEB01", "Web01.corp.example"])
@pytest.mark.parametrize("own", ["web01", "WEB01.corp.example"])
def test_a_server_goes_where_its_row_says(listed: Listed, name: str, own: str) -> None:
    run = listed("web011,,,,,,,", f"{name},{OWN}", "xweb01,,eastasia,rg-x,,,,")
    answer = run(f"function Get-HostName {{ '{own}' }}")
    assert (verbs(answer), answer["problems"]) == (VERBS, [])
    given = config(answer)
    wanted = {
        "location": "japaneast",
        "resource-group": "rg-osaka",
        "subscription-id": OSAKA,
        "private-link-scope": SCOPE,
        "tags": "site=taipei,role=db,note='a, \\\\$(1) 台'",
        "resource-name": own,
        "cloud": "AzureCloud",
    }
    assert {key: given.get(key) for key in wanted} == wanted
    assert "place" not in given
    assert "connect stdin http://proxy.example:8080" in answer["ran"]
    assert any(line.startswith("check japaneast ") for line in answer["ran"])


def test_a_row_that_says_nothing_goes_where_the_options_say(listed: Listed) -> None:
    given = config(listed("web01,,,,,,,", f"web02,{OWN}")())
    assert (given["location"], given["resource-group"], given["tags"]) == (
        "eastasia",
        "rg-arc",
        "site=taipei",
    )
    assert "private-link-scope" not in given


def test_a_name_that_a_directory_cut_short_is_found_too(listed: Listed) -> None:
    cut = platform.node().partition(".")[0][:15]
    run = listed(f"{cut},{OWN}", "web01,,,,,,,")
    answer = run("function Get-HostName { 'a-name-longer-than-that' }")
    assert config(answer)["resource-group"] == "rg-osaka"


def test_a_server_without_a_row_does_nothing_and_reports_that(listed: Listed) -> None:
    run = listed(f"web011,{OWN}", "1,,,,,,,,10.0.0.1")
    answer = run()
    assert (answer["good"], answer["ran"]) == (False, [])
    assert answer["result"]["outcome"] == "failed"
    (said,) = answer["result"]["answers"]
    assert (said["verb"], said["ok"], said["code"]) == ("onboard", False, "not-listed")
    assert said["message"] == "the inventory that was exported has no server web01: nothing was done"
    assert run("function Get-HostName { '1' }")["ran"], "a number is a server's name too"


@pytest.mark.parametrize(("how", "code"), [("changed", "hash-mismatch"), ("missing", "no-copy")])
def test_a_map_that_is_not_the_exports_is_not_read(
    listed: Listed, tmp_path: Path, how: str, code: str
) -> None:
    run = listed(f"web01,{OWN}")
    path = tmp_path / "case/share/servers.json"
    if how == "changed":
        path.write_bytes(path.read_bytes().replace(b"rg-osaka", b"rg-other"))
    else:
        path.unlink()
    answer = run()
    assert (answer["good"], answer["ran"]) == (False, [])
    (said,) = answer["result"]["answers"]
    assert (said["verb"], said["code"]) == ("verify", code)
    assert "servers.json" in said["message"]


def test_the_map_is_read_from_the_share_once_and_goes_with_the_agent(listed: Listed, tmp_path: Path) -> None:
    run = listed(f"web01,{OWN}")
    run()
    (tmp_path / "case/share/servers.json").unlink()
    again = run("$CaseStanding = 'Connected'")
    assert (again["good"], again["ran"]) == (True, [])
    assert {"servers.json", "place.txt"} <= set(again["home"])
    gone = run("$Uninstall = $true")
    assert gone["good"]
    assert not {"servers.json", "place.txt"} & set(gone["home"])


def test_a_server_waits_before_it_reads_the_map_and_only_then(listed: Listed) -> None:
    answer = listed("web01,,,,,,,")("$Spread = $true", delay_minutes=2)
    assert [line.split()[0] for line in answer["ran"]] == ["sleep", *VERBS]


def test_a_row_s_own_window_is_kept(listed: Listed) -> None:
    run = listed("web01,,,,,,,daily 10:00-11:00 UTC", "web02,,,,,,,")
    answer = run("function Get-Now { '2026-11-25T12:00:00Z' }")
    assert (answer["good"], answer["ran"]) == (False, [])
    assert answer["problems"] == [
        "the window of time is closed: nothing was done; it opens 2026-11-26T10:00:00Z"
    ]
