"""onboard.sh with a map by host name, for real: each server goes where its own row says, or nowhere."""

import json
import os
import shutil
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from tests.export.test_onboard_sh import UNHEARD, VERBS, Server, make_deb

from arcferry import export, times
from arcferry.export import ExportOptions, Tool
from arcferry.export.collect import collect
from arcferry.fleet.inventory import read_inventory

if TYPE_CHECKING:
    from conftest import PrivateRoot

pytestmark = pytest.mark.skipif(not shutil.which("dpkg-deb"), reason="dpkg-deb is not on PATH")
OSAKA = "22222222-3333-4444-5555-666666666666"
SCOPE = f"/subscriptions/{OSAKA}/resourceGroups/rg/providers/Microsoft.HybridCompute/privateLinkScopes/pls"
COLUMNS = "name,tags,location,resource_group,subscription,proxy,private_link_scope,window"
OWN = f"\"role=db;note='a, \\\\$(touch /ran) 台'\",japaneast,rg-osaka,{OSAKA},http://proxy.example:8080,{SCOPE},"
Served = Callable[..., Server]


def here() -> str:
    """This server's own name, up to the first dot."""
    return os.uname().nodename.partition(".")[0]


@pytest.fixture
def served(
    root: "PrivateRoot",
    make_options: Callable[..., ExportOptions],
    agent_script: str,
    tmp_path: Path,
    shell: list[str],
) -> Served:
    agents = {"azcmagent.deb": make_deb(tmp_path, agent_script)}

    def make(*rows: str, **changed: object) -> Server:
        path = tmp_path / "servers.csv"
        path.write_text("\n".join((COLUMNS, *rows, "")), encoding="utf-8")
        given: dict[str, object] = {
            "share": "/share", "group": "", "delay": 0, "wait": 1, "tags": ["site=taipei"],
            "sign_in": export.TokenFile("/run/token"), "inventory": read_inventory(path),
        }  # fmt: skip
        export.export(make_options(agents, **given | changed), Tool.SCRIPT, tmp_path / "out")
        shutil.copytree(tmp_path / "out/share", root.path / "share")
        (root.path / "share/results").mkdir()
        (root.path / "var/lib").mkdir(exist_ok=True)
        root.put("run/token", "eyJ0eXAi.canary-token.sIgNaTuRe\n")
        root.put("var/opt/azcmagent/.keep", "")
        return Server(root, shell)

    return make


def connected(server: Server) -> dict[str, Any]:
    """What the agent's connect was given, and the proxy that it was set."""
    state: dict[str, Any] = json.loads(server.root.read("var/opt/azcmagent/state"))
    return state


@pytest.mark.parametrize(
    "name",
    [str.lower, str.upper, lambda name: f"{name.title()}.corp.example"],
    ids=["small", "capital", "whole"],
)
def test_a_server_goes_where_its_row_says(served: Served, name: Callable[[str], str]) -> None:
    server = served(f"{name(here())},{OWN}", f"{here()}x,,eastasia,rg-other,,,,", f"x{here()},,,,,,,")
    server.run(status=0)
    assert (server.verbs, server.result["outcome"]) == (VERBS, "connected")
    state = connected(server)
    assert {key: state.get(key) for key in ("location", "resource-group", "subscription-id", "tags")} == {
        "location": "japaneast",
        "resource-group": "rg-osaka",
        "subscription-id": OSAKA,
        "tags": "site=taipei,role=db,note='a, \\\\$(touch /ran) 台'",
    }
    assert state["private-link-scope"] == SCOPE
    assert state["resource-name"] == os.uname().nodename
    assert any("proxy.url http://proxy.example:8080" in line for line in server.asked())
    assert not server.root.has("ran")
    before = server.asked()
    server.forget()
    server.run(status=0)
    assert server.asked() == before, "connected where its row says, so left alone"
    assert list(server.root.path.glob("share/results/*")) == []


def test_a_row_that_says_nothing_goes_where_the_options_say(served: Served) -> None:
    server = served(f"{here()},,,,,,,", f"{here()}x,{OWN}", proxy="http://proxy.all.example:3128")
    server.run(status=0)
    state = connected(server)
    assert (state["location"], state["resource-group"], state["tags"]) == (
        "eastasia",
        "rg-arc",
        "site=taipei",
    )
    assert "private-link-scope" not in state
    assert any("proxy.url http://proxy.all.example:3128" in line for line in server.asked())


def test_a_server_without_a_row_does_nothing_and_reports_that(served: Served) -> None:
    server = served(f"{here()}x,{OWN}", f"{here()}-{here()},,,,,,,")
    server.run(status=1)
    (answer,) = server.result["answers"]
    assert (answer["verb"], answer["ok"], answer["code"]) == ("onboard", False, "not-listed")
    assert answer["message"] == f"the inventory that was exported has no server {here()}: nothing was done"
    assert not server.root.has("opt/azcmagent")
    assert server.asked() == []
    (host,) = collect(server.root.path / "share").hosts
    assert host.failed
    assert host.run.failure is not None
    assert (host.run.failure.code, "inventory" in host.run.failure.hint) == ("not-listed", True)


def test_a_row_s_own_window_is_kept(served: Served) -> None:
    day = (times.now() + timedelta(days=3)).strftime("%a")
    server = served(f"{here()},,,,,,,{day} 10:00-11:00 UTC", f"{here()}x,,,,,,,")
    done = server.run(status=75)
    assert b"the window of time is closed: nothing was done" in done.stderr
    assert server.asked() == []


@pytest.mark.parametrize("name", ["servers.json", "servers.awk"])
@pytest.mark.parametrize("how", ["changed", "missing"])
def test_a_map_that_is_not_the_exports_is_not_read(served: Served, name: str, how: str) -> None:
    server = served(f"{here()},{OWN}")
    path = server.root.path / "share" / name
    if how == "changed":
        path.write_bytes(path.read_bytes() + b'\nBEGIN { system("touch /ran") }\n')
    else:
        path.unlink()
    server.run(status=1)
    (answer,) = server.result["answers"]
    code = "hash-mismatch" if how == "changed" else "no-copy"
    assert (answer["verb"], answer["code"]) == ("verify", code)
    assert name in answer["message"]
    assert not server.root.has("ran")
    assert not server.root.has("opt/azcmagent")


def test_the_map_is_read_from_the_share_once(served: Served) -> None:
    server = served(f"{here()},{OWN}")
    server.root.put("behave", UNHEARD)
    server.run(status=1)
    for name in ("servers.json", "servers.awk"):
        (server.root.path / "share" / name).unlink()
    server.root.put("behave", "")
    server.run(status=0)
    assert server.result["outcome"] == "connected"


def test_another_export_is_read_in_place_of_the_one_before(served: Served, tmp_path: Path) -> None:
    server = served(f"{here()}x,{OWN}")
    server.run(status=1)
    assert server.result["answers"][0]["code"] == "not-listed"
    for folder in (server.root.path / "share", tmp_path / "out"):
        shutil.rmtree(folder)
    shutil.rmtree(tmp_path / "bundle-in")
    server = served(f"{here()},{OWN}")
    server.run(status=0)
    assert connected(server)["resource-group"] == "rg-osaka"
