"""The map by host name: what it says of each server, and the inventories that it cannot be made of."""

import hashlib
import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from arcferry import export
from arcferry.errors import FileInputError, InputError
from arcferry.export import ExportOptions, Tool
from arcferry.fleet.inventory import read_inventory
from arcferry.fleet.window import parse_window

Make = Callable[..., ExportOptions]
CONTENT = {Tool.GPO: "share", Tool.CONFIGMGR: "content", Tool.INTUNE: "source", Tool.SCRIPT: "share"}
SCOPE = (
    "/subscriptions/11111111-2222-3333-4444-555555555555/resourceGroups/rg/providers/"
    "Microsoft.HybridCompute/privateLinkScopes/pls"
)
TABLE = f"""\
name,address,tags,location,resource_group,subscription,proxy,private_link_scope
WEB01.corp.example,10.0.0.1,,japaneast,rg-osaka,,http://proxy.osaka.example:8080,
web02,10.0.0.2,"role=web;rack='a, ""b"" $(x) \\\\ 台'",,,,,
web03,10.0.0.3,,,,22222222-3333-4444-5555-666666666666,,{SCOPE}
web04,10.0.0.4,,,,,,
"""


def made(make: Make, folder: Path, text: str, **changed: object) -> ExportOptions:
    path = folder / ("servers.yml" if text.startswith("hosts:") else "servers.csv")
    path.write_text(text, encoding="utf-8")
    return make(inventory=read_inventory(path), **changed)


@pytest.mark.parametrize("tool", CONTENT)
def test_each_server_has_a_row_and_each_place_one(make_options: Make, tmp_path: Path, tool: Tool) -> None:
    options = made(make_options, tmp_path, TABLE, tags=["site=taipei"], proxy="http://proxy.example:3128")
    export.export(options, tool, tmp_path / "out")
    content = tmp_path / "out" / CONTENT[tool]
    data = (content / "servers.json").read_bytes()
    held = json.loads(data.decode("ascii"))
    assert (held["kind"], held["schema"]) == ("onboard-servers", 1)
    of_all = {
        "location": "eastasia",
        "proxy": "http://proxy.example:3128",
        "resource-group": "rg-arc",
        "subscription-id": "11111111-2222-3333-4444-555555555555",
    }
    places = {name: held["places"][row["place"]] for name, row in held["servers"].items()}
    osaka = {
        "location": "japaneast",
        "resource-group": "rg-osaka",
        "proxy": "http://proxy.osaka.example:8080",
    }
    other = {"subscription-id": "22222222-3333-4444-5555-666666666666", "private-link-scope": SCOPE}
    assert places == {
        "web01": of_all | osaka,
        "web02": of_all,
        "web03": of_all | other,
        "web04": of_all,
    }
    assert len(held["places"]) == 3
    tags = {name: row["tags"] for name, row in held["servers"].items() if "tags" in row}
    assert tags == {"web02": "site=taipei,role=web,rack='a, \"b\" $(x) \\\\ 台'"}
    settings = json.loads((content / "settings.json").read_text())
    assert settings["files"]["servers.json"] == hashlib.sha256(data).hexdigest()
    beside = {path.name for path in content.iterdir()} - {"bundle", "onboard.ps1", "onboard.sh"}
    assert beside == {"settings.json", "servers.json"} | ({"servers.awk"} if tool is Tool.SCRIPT else set())
    for name in {"servers.awk"} & beside:
        assert settings["files"][name] == hashlib.sha256((content / name).read_bytes()).hexdigest()


def test_a_server_and_a_place_are_one_line_each(make_options: Make, tmp_path: Path) -> None:
    servers = made(make_options, tmp_path, TABLE).servers
    assert servers is not None
    lines = servers.data.decode("ascii").splitlines()
    assert sum(bool(re.fullmatch(r'    "\d+": \{"location": .*\},?', line)) for line in lines) == 3
    assert sum(bool(re.fullmatch(r'    "web0\d": \{"place": "\d"(, .*)?\},?', line)) for line in lines) == 4
    assert len(lines) == 3 + 4 + 8


def test_without_an_inventory_there_is_no_map(make_options: Make, tmp_path: Path) -> None:
    export.export(make_options(), Tool.SCRIPT, tmp_path / "out")
    assert not list((tmp_path / "out").rglob("servers.*"))
    settings = json.loads((tmp_path / "out/share/settings.json").read_text())
    assert not [name for name in settings["files"] if name.startswith("servers")]


def test_many_servers_of_one_place_take_some_thirty_bytes_each(make_options: Make, tmp_path: Path) -> None:
    rows = "".join(f"srv{number:05},rg-osaka\n" for number in range(2000))
    servers = made(make_options, tmp_path, f"name,resource_group\n{rows}").servers
    assert servers is not None
    assert len(servers.places) == 1
    assert len(servers.data) < 2000 * 35


REFUSED = {
    "two domains, two places": (
        "name,resource_group\nweb01.a.example,rg-a\nweb02,rg-a\nWEB01.b.example,rg-b\n",
        ["servers.csv:4", "WEB01.b.example and web01.a.example on line 2", "web01", "different places"],
    ),
    "by a site": (
        "hosts:\n- {name: web01}\n- {name: web01.b.example, site: x}\nsites:\n  x: {location: japaneast}\n",
        ["servers.yml:3", "on line 2", "different places"],
    ),
    "with tags of their own": (
        "name,tags\nweb01.a.example,role=web\nweb01.b.example,role=db\n",
        ["servers.csv:3", "web01.a.example on line 2", "different tags"],
    ),
    "with windows of their own": (
        "name,window\nweb01.a.example,Sat 22:00-05:00 UTC\nweb01.b.example,\n",
        ["servers.csv:3", "web01.a.example on line 2"],
    ),
    "an address": ("name,address\n10.0.0.1,10.0.0.1\n", ["servers.csv:2", "10.0.0.1", "host name"]),
    "different domains": (
        "name,resource_group\nweb01.a.example,rg-a\nweb01,rg-a\nWEB01.b.example,rg-a\n",
        ["servers.csv:4", "web01.a.example on line 2", "different domains", "one machine in Azure"],
    ),
    "a window that opens too often": (
        'name,window\nweb01,"{}"\n'.format(
            ",".join(f"daily {hour:02}:00-{hour:02}:30" for hour in range(24)) + " UTC"
        ),
        ["servers.csv:2", "more than 1000 times"],
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_what_a_server_cannot_tell_apart_is_refused_with_its_lines(
    make_options: Make, tmp_path: Path, case: str
) -> None:
    text, says = REFUSED[case]
    options = made(make_options, tmp_path, text)
    with pytest.raises(FileInputError) as caught:
        export.export(options, Tool.SCRIPT, tmp_path / "out")
    assert [word for word in says if word not in caught.value.message] == []
    assert not (tmp_path / "out").exists()


def test_every_line_with_a_problem_is_told(make_options: Make, tmp_path: Path) -> None:
    rows = "".join(f"web01.{domain}.example,rg-{domain}\n" for domain in "abcd")
    options = made(make_options, tmp_path, f"name,resource_group\n{rows}")
    with pytest.raises(FileInputError) as caught:
        export.export(options, Tool.GPO, tmp_path / "out")
    assert caught.value.hint.endswith("Problems also on line 4, 5.")


def test_two_rows_that_say_the_same_are_one_server(make_options: Make, tmp_path: Path) -> None:
    text = "name,resource_group\nweb01.a.example,rg-a\nWEB01,rg-a\n"
    servers = made(make_options, tmp_path, text).servers
    assert servers is not None
    assert dict(servers.servers) == {"web01": {"place": "1"}}


def test_a_row_s_window_is_its_own(make_options: Make, tmp_path: Path) -> None:
    text = "name,window\nweb01,Sat 22:00-05:00 Asia/Taipei\nweb02,\n"
    options = made(make_options, tmp_path, text, window=parse_window("Sun 01:00-02:00 UTC"))
    export.export(options, Tool.GPO, tmp_path / "out")
    held = json.loads((tmp_path / "out/share/servers.json").read_text())
    begins = {
        name: held["places"][row["place"]]["window"].partition("/")[0]
        for name, row in held["servers"].items()
    }
    assert begins == {"web01": "2026-11-28T14:00:00Z", "web02": "2026-11-29T01:00:00Z"}


def test_a_row_s_window_alone_makes_the_task_come_back(make_options: Make, tmp_path: Path) -> None:
    options = made(make_options, tmp_path, "name,window\nweb01,Sat 22:00-05:00 Asia/Taipei\n")
    export.export(options, Tool.GPO, tmp_path / "out")
    assert "<Interval>PT30M</Interval>" in (tmp_path / "out/gpo/task.xml").read_text(encoding="utf-16")
    assert "repeated every 30 minutes" in (tmp_path / "out/STEPS.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("tool", [Tool.CONFIGMGR, Tool.INTUNE, Tool.ANSIBLE])
def test_a_tool_that_cannot_keep_a_window_refuses_a_row_s(
    make_options: Make, tmp_path: Path, tool: Tool
) -> None:
    options = made(make_options, tmp_path, "name,window\nweb01,\nweb02,Sat 22:00-05:00 UTC\n")
    with pytest.raises(
        InputError, match=rf"servers\.csv:3: web02 has a window, which {tool} cannot"
    ) as caught:
        export.export(options, tool, tmp_path / "out")
    assert caught.value.hint


def test_tags_of_row_and_options_that_are_too_many_are_told_with_the_line(
    make_options: Make, tmp_path: Path
) -> None:
    tags = ";".join(f"t{number}=x" for number in range(49))
    options = made(make_options, tmp_path, f"name,tags\nweb01,{tags}\n", tags=["a=1", "b=2"])
    with pytest.raises(FileInputError, match=r"servers\.csv:2: web01: 51 tags"):
        export.export(options, Tool.SCRIPT, tmp_path / "out")


def test_the_page_says_how_many_go_where(make_options: Make, tmp_path: Path) -> None:
    export.export(made(make_options, tmp_path, TABLE), Tool.GPO, tmp_path / "out")
    page = (tmp_path / "out/STEPS.md").read_text(encoding="utf-8")
    assert "| resource group | `rg-arc`, `rg-osaka` |" in page
    assert "| location, cloud | `eastasia`, `japaneast`, `AzureCloud` |" in page
    assert "| servers | 4 in 3 places: each goes where its row of `share/servers.json` says |" in page


def test_detection_asks_for_the_place_of_this_very_map(make_options: Make, tmp_path: Path) -> None:
    options = made(make_options, tmp_path, TABLE)
    assert options.servers is not None
    export.export(options, Tool.INTUNE, tmp_path / "out")
    detect = (tmp_path / "out/intune/detect.ps1").read_text(encoding="ascii")
    assert f"$Servers = '{options.servers.sha256}'" in detect
    export.export(make_options(), Tool.INTUNE, tmp_path / "alone")
    assert "$Servers = '' " in (tmp_path / "alone/intune/detect.ps1").read_text(encoding="ascii")
