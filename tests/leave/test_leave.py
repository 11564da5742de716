"""`arcferry leave`: what is found of exports, runs, watches and memory, and what --apply takes away of it."""

import json
import sys
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.cli.running import Ended, Run
from tests.commands.az_lines import calls, check
from tests.json_documents import known

from arcferry import export, times
from arcferry.export import ExportOptions, Tool
from arcferry.export.watch_service import MARK
from arcferry.files import only_one
from arcferry.fleet.errands.run import JOURNAL
from arcferry.fleet.events import Event, EventKind, journal
from arcferry.fleet.inventory import read_inventory
from arcferry.fleet.run_folder import RunFolder, open_run

GUID = "11111111-1111-4111-8111-111111111111"
TARGET = {
    "cloud": "AzureCloud", "tenant_id": GUID, "subscription_id": GUID, "resource_group": "rg-arc",
    "location": "eastasia", "arm_url": "https://management.azure.com",
}  # fmt: skip
BEGUN = times.now() - timedelta(hours=1)
FILTER = {
    "id": f"/subscriptions/{GUID}/resourceGroups/rg-net/providers/Microsoft.Network/routeFilters/rf",
    "name": "rf",
    "type": "Microsoft.Network/routeFilters",
    "properties": {"rules": [{"name": "a", "properties": {
        "access": "Allow", "routeFilterRuleType": "Community", "communities": ["12076:51010"],
    }}]},
}  # fmt: skip


def seen(ended: Ended, kind: str) -> list[dict[str, Any]]:
    return [one for one in known(ended.out)["traces"] if one["kind"] == kind]


def begun_with(state: Path, *names: str) -> RunFolder:
    """A run as onboard apply leaves it."""
    record = {"inventory": "servers.csv", "hosts": len(names), "bundle": "b1", "target": TARGET}
    run = open_run(state, "abcdefabcdef", record, BEGUN)
    with journal(run.journal, run.id) as write:
        for name in names:
            write(Event(name, EventKind.DONE, "install", at=BEGUN))
            write(Event(name, EventKind.CONNECTED, at=BEGUN))
    return run


def uninstalled(state: Path, *names: str, at: datetime | None = None) -> None:
    with journal(state / JOURNAL, f"uninstall-{times.to_text(times.now())}") as write:
        for name in names:
            write(Event(name, EventKind.DONE, says="uninstalled", at=at or times.now()))


@pytest.fixture
def leave(arcferry: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """The command, with folders of its own."""
    monkeypatch.delenv("AZURE_CLIENT_ID", raising=False)
    units = tmp_path / "units"
    units.mkdir()
    return lambda *words: arcferry("leave", "--units", units, "--output", "json", *words)


def test_where_nothing_was_put_nothing_is_found(leave: Run, arcferry: Run, tmp_path: Path) -> None:
    ended = leave()
    assert (ended.code, known(ended.out)["traces"]) == (0, [])
    table = arcferry("leave", "--units", tmp_path)
    assert table.out.startswith("nothing of arcferry's is known here")


@pytest.mark.parametrize("tool", list(Tool))
def test_an_export_is_known_with_its_remover(
    leave: Run, make_options: Callable[..., ExportOptions], tmp_path: Path, tool: Tool
) -> None:
    folder = tmp_path / "out"
    plain = {"sign_in": None, "share": "", "group": ""} if tool is Tool.ANSIBLE else {}
    export.export(make_options(**plain), tool, folder)
    ended = leave(folder)
    assert ended.code == 0, ended.err
    (one,) = seen(ended, "export")
    assert (one["where"], one["state"], one["owner"]) == (str(folder), "listed", "server")
    assert "rg-arc" in one["says"]
    text = "\n".join([*one["steps"], *one["commands"]])
    assert "arcferry uninstall" in text
    assert "{{" not in text
    if tool is not Tool.ANSIBLE:
        assert rf"{make_options().share}\results" in text
        assert "from each server's own store" in text
    if tool is Tool.GPO:
        assert "task arcferry onboard to Delete" in text
    assert [one["name"] for one in seen(ended, "communities")] == ["East Asia"]
    assert len(seen(ended, "identity")) == 1


def test_an_export_that_upgrades_is_known_by_its_own_task(
    leave: Run, make_options: Callable[..., ExportOptions], tmp_path: Path
) -> None:
    export.export(make_options(upgrades=True, sign_in=None), Tool.GPO, tmp_path / "out")
    ended = leave(tmp_path / "out")
    assert ended.code == 0, ended.err
    (one,) = seen(ended, "export")
    assert "task arcferry upgrade to Delete" in "\n".join(one["steps"])


def test_an_export_with_a_map_names_every_place_of_it(
    leave: Run, make_options: Callable[..., ExportOptions], tmp_path: Path
) -> None:
    rows = tmp_path / "servers.csv"
    rows.write_text(
        "name,address,resource_group,location\nweb01,10.0.0.1,rg-hk,\nweb02,10.0.0.2,,japaneast\n"
    )
    export.export(make_options(inventory=read_inventory(rows)), Tool.GPO, tmp_path / "out")
    ended = leave(tmp_path / "out")
    assert ended.code == 0, ended.err
    assert [one["name"] for one in seen(ended, "communities")] == ["East Asia", "Japan East"]
    (identity,) = seen(ended, "identity")
    assert [scope.rpartition("/")[2] for scope in identity["where"].split(", ")] == ["rg-hk", "rg-arc"]


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("share/nothing.json", "{}", "is no export of arcferry's"),
        ("share/settings.json", "{", "Invalid JSON"),
        ("share/settings.json", '{"kind": "another"}', "kind"),
        ("share/settings.json", "[" * 9000, "JSON"),
        ("content/settings.json", " " * (1024 * 1024 + 1), "larger than"),
        ("group_vars/all/arcferry.yml", "{", "is no YAML"),
        ("group_vars/all/arcferry.yml", "a: 1", "onboard_subscription_id"),
    ],
)
def test_what_is_no_export_is_refused(leave: Run, tmp_path: Path, name: str, content: str, says: str) -> None:
    path = tmp_path / "out" / name
    path.parent.mkdir(parents=True)
    path.write_text(content)
    if path.suffix == ".yml":
        (tmp_path / "out/ansible_collections/arcferry/onboard").mkdir(parents=True)
    ended = leave(tmp_path / "out")
    assert (ended.code, ended.out) == (2, "")
    assert says in ended.err


def test_what_settings_say_is_one_line_and_no_command(
    leave: Run, make_options: Callable[..., ExportOptions], tmp_path: Path
) -> None:
    folder = tmp_path / "out"
    export.export(make_options(), Tool.GPO, folder)
    path = folder / "share/settings.json"
    document = json.loads(path.read_text())
    document["connect"] |= {"service-principal-id": "x; reboot", "resource-group": "a\x1b[31m\nb $(id)"}
    path.write_text(json.dumps(document))
    ended = leave(folder)
    assert ended.code == 0, ended.err
    commands = "\n".join(seen(ended, "identity")[0]["commands"])
    assert "reboot" not in commands
    assert "$(" not in commands
    assert "\\u001b" not in ended.out


def test_a_run_names_its_servers_identity_and_communities(leave: Run, arcferry: Run, tmp_path: Path) -> None:
    run = begun_with(tmp_path / "state", "web01", "web02")
    with journal(run.journal, run.id) as write:
        write(Event("web03", EventKind.FAILED, "facts"))
        write(Event("web04", EventKind.BLOCKED, "stage"))
    uninstalled(tmp_path / "state", "web01")
    held = tmp_path / "rf.json"
    held.write_text(json.dumps(FILTER))
    assert arcferry("data", "import", held, "--taken", "2026-11-20").code == 0
    ended = leave("--client-id", GUID)
    assert ended.code == 0, ended.err
    (servers,) = seen(ended, "servers")
    assert "not known to be uninstalled: 1 of its 2 servers" in servers["says"]
    (communities,) = seen(ended, "communities")
    assert "12076:51010 (East Asia)" in communities["says"]
    assert communities["says"].endswith("The held route filter of 2026-11-20 lets through 12076:51010")
    assert "Ask who else uses them" in communities["steps"][0]
    (identity,) = seen(ended, "identity")
    assert identity["where"] == f"/subscriptions/{GUID}/resourceGroups/rg-arc"
    lines = [line for one in (communities, identity) for text in one["commands"] for line in calls("", text)]
    assert len(lines) == 7
    for line in lines:
        check(line)
    assert [one["state"] for one in known(ended.out)["traces"]] == ["listed"] * 5


@pytest.mark.skipif(sys.platform == "win32", reason="systemd's units")
def test_a_unit_of_a_watch_goes_and_one_of_somebody_else_stays(leave: Run, tmp_path: Path) -> None:
    ours, other = (tmp_path / "units" / f"arcferry-watch-{name}.service" for name in ("eastasia", "mine"))
    ours.write_text(f"{MARK}\n")
    other.write_text("[Unit]\n")
    planned = leave()
    assert [(one["name"], one["state"]) for one in seen(planned, "watch")] == [(ours.stem, "planned")]
    assert ours.exists()
    done = leave("--apply")
    assert (done.code, [one["state"] for one in seen(done, "watch")]) == (0, ["removed"])
    assert [path.name for path in (tmp_path / "units").iterdir()] == [other.name]


def test_who_the_servers_are_is_forgotten_once_each_is_clean(leave: Run, tmp_path: Path) -> None:
    """Only what arcferry makes in its folder goes."""
    state = tmp_path / "state"
    begun_with(state, "web01", "web02")
    uninstalled(state, "web01")
    uninstalled(state, "web02", at=BEGUN - timedelta(hours=1))
    (state / "mine.txt").write_text("not arcferry's")
    early = leave("--forget", "--apply")
    (memory,) = seen(early, "memory")
    assert (early.code, memory["state"]) == (1, "kept")
    assert "not known to be uninstalled: 1 of the servers" in memory["says"]
    assert (state / "runs").is_dir()
    uninstalled(state, "web02")
    planned = leave("--forget")
    assert (planned.code, [one["state"] for one in seen(planned, "memory")]) == (0, ["planned"])
    done = leave("--forget", "--apply")
    assert (done.code, [one["state"] for one in seen(done, "memory")]) == (0, ["removed"])
    assert {path.name for path in state.iterdir()} <= {"mine.txt", "lock"}


def test_while_another_apply_is_at_work_nothing_goes(leave: Run, tmp_path: Path) -> None:
    begun_with(tmp_path / "state", "web01")
    with only_one(tmp_path / "state", "apply", hint=""):
        assert leave("--forget", "--apply").code == 3


def test_servers_that_no_run_remembers_are_left_to_offboard(
    leave: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ARCFERRY_WINRM_PASSWORD", "never sent")
    rows = tmp_path / "servers.csv"
    rows.write_text("name,address,transport,user\nweb09,web09.corp.example,winrm,Administrator\n")
    words = ("--inventory", rows, "--tenant-id", GUID, "--subscription-id", GUID, "--resource-group", "rg")
    untold = leave(*words[:2])
    assert (untold.code, "--tenant-id is missing" in untold.err) == (2, True)
    ended = leave(*words)
    assert ended.code == 2
    assert "no run" in ended.err
