"""Each export on a Windows of the twin's: its own command connects the server, reports, and takes it back.

Started as Administrator, where a real one is started as SYSTEM: Wine has one user. A share is a folder that
Wine shows under a UNC name.
"""

import json
import re
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from importlib import resources
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from tests.windows_site import AGENT, NAME, WindowsSite

from arcferry import bundle as bundles
from arcferry import export, times
from arcferry.export import ExportOptions, Tool
from arcferry.export.collect import collect
from arcferry.fleet.inventory import read_inventory
from arcferry_lab.hosts.host import CommandResult
from arcferry_lab.hosts.windows import build_agent_msi

pytestmark = [pytest.mark.lab, pytest.mark.xdist_group("wine-export"), pytest.mark.timeout(300)]
SERVER, SHARE, TOKENS = "fs01", "arcferry", "arcferry-token$"
WINDOWS = r"C:\windows"
CONTENT = {Tool.CONFIGMGR: "content", Tool.INTUNE: "source"}
CACHE = r"C:\windows\ccmcache\1"
TASK = "{http://schemas.microsoft.com/windows/2004/02/mit/task}"
VERBS = ["verify", "facts", "install", "check", "connect", "show"]


@dataclass(frozen=True)
class Server:
    """The server, a share that every server reads, and one for the token."""

    site: WindowsSite
    share: Path
    token: str

    def options(self, **changed: object) -> ExportOptions:
        given: dict[str, object] = {
            "share": rf"\\{SERVER}\{SHARE}",
            "group": r"CORP\Arc servers",
            "sign_in": export.TokenFile(rf"\\{SERVER}\{TOKENS}\token"),
            "tags": {"site": "台北"},
            "delay": 0,
        }
        opened = bundles.open_bundle(self.site.bundle, self.site.key, now=times.now())
        return ExportOptions(opened, self.site.place, **(given | changed))  # type: ignore[arg-type]  # of a table

    def scripts(self, out: Path, tool: Tool) -> dict[str, str]:
        return {
            name: (out / tool.value / name).read_text(encoding="utf-8-sig")
            for name in ("detect.ps1", "requirement.ps1")
        }

    @property
    def report(self) -> Path:
        (path,) = (self.share / "results").iterdir()
        return path

    def result(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.report.read_text())
        assert self.token[-40:] not in json.dumps(found)
        return found


@pytest.fixture(scope="module")
def shares(windows_site: WindowsSite) -> tuple[Path, Path]:
    return windows_site.share(SERVER, SHARE), windows_site.share(SERVER, TOKENS)


@pytest.fixture
def server(windows_site: WindowsSite, shares: tuple[Path, Path]) -> Iterator[Server]:
    share, tokens = shares
    token = windows_site.token()
    (tokens / "token").write_text(f"{token}\r\n")
    (share / "results").mkdir()
    yield Server(windows_site, share, token)
    windows_site.twin.azure.faults.clear()
    windows_site.clear()
    for folder in (share, *(windows_site.host.path(one) for one in (CACHE, r"C:\Program Files\arcferry"))):
        shutil.rmtree(folder, ignore_errors=True)
    share.mkdir()


Start = Callable[[], CommandResult]


def ways(server: Server, tool: Tool, out: Path) -> tuple[Start, Start | None]:
    """How the tool starts the script to install, and to uninstall if it can, by what was exported."""
    if tool in {Tool.CONFIGMGR, Tool.INTUNE}:
        shutil.copytree(out / CONTENT[tool], server.site.host.path(CACHE))
        rows = re.findall(r"(?m)^\| (?:I|Uni)nstall\w* (?:program|command) \| `(.+)` \|$", steps_of(out))
        lines, folder = rows, CACHE
    else:
        shutil.copytree(out / "share", server.share, dirs_exist_ok=True)
        lines, folder = [one for one in steps_of(out).splitlines() if one.startswith("powershell.exe ")], ""
    if tool is Tool.GPO:
        action = ET.parse(out / "gpo/task.xml").find(f".//{TASK}Exec")  # noqa: S314  # written here
        assert action is not None
        program, words = (action.findtext(f"{TASK}{part}") or "" for part in ("Command", "Arguments"))
        lines = [f"{program.replace('%SystemRoot%', WINDOWS)} {words}"]
    started = [lambda line=line: server.site.line(line, folder=folder) for line in lines]
    return started[0], started[-1] if "-Uninstall" in lines[-1] else None


def steps_of(out: Path) -> str:
    return (out / "STEPS.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("tool", [Tool.GPO, Tool.CONFIGMGR, Tool.INTUNE, Tool.SCRIPT])
def test_a_server_is_taken_in_reports_once_and_is_given_back(
    server: Server, tool: Tool, tmp_path: Path
) -> None:
    site = server.site
    export.export(server.options(), tool, tmp_path / "out")
    install, uninstall = ways(server, tool, tmp_path / "out")
    done = install()
    assert (done.exit_code, done.stderr) == (0, ""), done.stdout
    found = server.result()
    assert (found["kind"], found["via"], found["outcome"]) == ("host-run", tool.value, "connected")
    assert [answer["verb"] for answer in found["answers"]] == VERBS
    assert found["answers"][-1]["agent"]["status"] == "Connected"
    assert [one["reachable"] for one in found["path"]["endpoints"]] == [True] * 8
    (host,) = collect(server.share).hosts
    assert host.connected
    (machine,) = site.twin.azure.machines.values()
    assert (machine.tags, bool(machine.last_heartbeat)) == ({"site": "台北"}, True)
    assert site.holding([server.token[-40:]]) == [], "the token lies in no file of the server's"
    server.report.unlink()
    again = install()
    assert (again.exit_code, again.stdout, again.stderr) == (0, "", "")
    assert list((server.share / "results").iterdir()) == []
    if uninstall is None:
        assert tool is Tool.GPO, "the policy's task has no way back"
        return
    gone = uninstall()
    assert (gone.exit_code, gone.stderr) == (0, ""), gone.stdout
    assert [json.loads(line)["verb"] for line in gone.stdout.splitlines()] == [
        "verify",
        "disconnect",
        "uninstall",
    ]
    assert not site.host.path(r"C:\Program Files\AzureConnectedMachineAgent\azcmagent.exe").exists()


def test_a_server_that_azure_has_not_heard_from_is_not_called_connected(
    server: Server, tmp_path: Path
) -> None:
    site = server.site
    export.export(server.options(wait=1), Tool.CONFIGMGR, tmp_path / "out")
    install, uninstall = ways(server, Tool.CONFIGMGR, tmp_path / "out")
    detect = server.scripts(tmp_path / "out", Tool.CONFIGMGR)["detect.ps1"]
    site.fault("his/no-heartbeat")
    done = install()
    assert (done.exit_code, done.stderr) == (1, ""), done.stdout
    found = server.result()
    assert found["outcome"] == "not-heard-from"
    connect, show = found["answers"][-2:]
    assert (connect["ok"], connect["heard_from"], connect["status"]) == (True, False, "Disconnected")
    assert (show["agent"]["status"], show["agent"]["resource_name"]) == ("Disconnected", NAME.upper())
    collected = collect(server.share)
    assert [host.name for host in collected.not_heard_from] == [NAME.upper()]
    assert "his/no-heartbeat" in {one.cause for one in collected.diagnosis.findings}
    assert site.script(detect).stdout == ""
    server.report.unlink()
    again = install()
    assert again.exit_code == 1
    second = server.result()
    assert [one["verb"] for one in second["answers"]] == ["verify", "facts", "show"]
    assert second["outcome"] == "not-heard-from"
    assert uninstall
    assert uninstall().exit_code == 0


@pytest.mark.parametrize("tool", [Tool.CONFIGMGR, Tool.GPO])
def test_a_server_goes_where_its_row_of_the_map_says(server: Server, tool: Tool, tmp_path: Path) -> None:
    site, path = server.site, tmp_path / "servers.csv"
    columns = "name,resource_group,tags"
    elsewhere = replace(site.place, resource_group="rg-nobodys")

    def started(out: str, *rows: str) -> CommandResult:
        for folder in (server.share, site.host.path(CACHE)):
            shutil.rmtree(folder, ignore_errors=True)
        (server.share / "results").mkdir(parents=True)
        path.write_text("\n".join((columns, *rows, "")))
        options = replace(server.options(inventory=read_inventory(path)), target=elsewhere)
        export.export(options, tool, tmp_path / out)
        return ways(server, tool, tmp_path / out)[0]()

    done = started("without", "web02,rg-arc,role=db")
    assert done.exit_code == 1, done.stdout
    (answer,) = server.result()["answers"]
    assert (answer["verb"], answer["code"]) == ("onboard", "not-listed")
    assert site.twin.azure.machines == {}
    done = started("with", f'{NAME}.corp.example,{site.place.resource_group},"role=web,site=台北"', "web02,,")
    assert (done.exit_code, done.stderr) == (0, ""), done.stdout
    assert server.result()["outcome"] == "connected"
    (((group, _), machine),) = site.twin.azure.machines.items()
    assert group.lower() == site.place.resource_group.lower()
    assert machine.tags == {"site": "台北", "role": "web"}
    if tool is Tool.CONFIGMGR:
        said = [
            site.script(server.scripts(tmp_path / out, tool)["detect.ps1"]).stdout.strip()
            for out in ("without", "with")
        ]
        assert said == ["", "connected"], "by the note of the very map that was exported"


def test_detect_says_the_right_word_in_each_state(server: Server, tmp_path: Path) -> None:
    site = server.site
    export.export(server.options(), Tool.INTUNE, tmp_path / "out")
    detect = server.scripts(tmp_path / "out", Tool.INTUNE)["detect.ps1"]
    elsewhere = detect.replace("/resourceGroups/rg-arc/", "/resourceGroups/rg-other/")
    assert elsewhere != detect

    def said(script: str = detect) -> tuple[int, str, str]:
        done = site.script(script)
        return done.exit_code, done.stdout.strip(), done.stderr

    assert said() == (0, "", ""), "no agent"
    (msi,) = (site.bundle / "agent").iterdir()
    path = site.host.put(msi, r"C:\agent.msi")
    assert site.run("msiexec", "/i", path, "/qn").exit_code == 0
    assert said() == (0, "", ""), "installed, and not connected"
    site.connect(server.token)
    assert said() == (0, "connected", "")
    assert said(elsewhere) == (0, "", ""), "connected to another resource group's machine"
    assert site.run(AGENT, "disconnect", "--force-local-only").exit_code == 0
    site.fault("his/no-heartbeat")
    site.connect(server.token)
    assert said() == (0, "", ""), "not heard from"


def test_an_older_agent_is_upgraded_and_detected_by_its_version(server: Server, tmp_path: Path) -> None:
    """Without a token; a server that is not connected is left alone."""
    site, tool = server.site, Tool.CONFIGMGR
    export.export(server.options(sign_in=None, upgrades=True, tags={}), tool, tmp_path / "out")
    install, _ = ways(server, tool, tmp_path / "out")
    detect = server.scripts(tmp_path / "out", tool)["detect.ps1"]
    alone = install()
    (answer,) = server.result()["answers"]
    assert (alone.exit_code, answer["verb"], answer["code"]) == (1, "upgrade", "not-held")
    path = site.host.put(build_agent_msi(tmp_path, version="1.60.1.1"), r"C:\old.msi")
    assert site.run("msiexec", "/i", path, "/qn").exit_code == 0
    site.connect(server.token)
    assert site.script(detect).stdout == "", "connected, by an older agent"
    done = install()
    assert (done.exit_code, done.stderr) == (0, ""), done.stdout
    found = server.result()
    assert [answer["verb"] for answer in found["answers"]] == ["verify", "facts", "install", "show"]
    assert found["answers"][-1]["agent"]["status"] == "Connected"
    (host,) = collect(server.share).hosts
    assert (host.connected, host.was) == (True, "1.60.1.1")
    assert host.agent.version == site.shown()["agentVersion"] == "1.67.3421.1187"
    assert site.script(detect).stdout.strip() == "connected"
    assert len(site.twin.azure.machines) == 1


NDP = r"HKLM\SOFTWARE\Microsoft\NET Framework Setup\NDP\v4\Full"
VERSION = r"HKLM\SOFTWARE\Microsoft\Windows NT\CurrentVersion"
GUEST = r"HKLM\SYSTEM\CurrentControlSet\Services\WindowsAzureGuestAgent"


REQUIRED = [
    (GUEST, "Start", "REG_DWORD", "2", "suitable"),
    (NDP, "Release", "REG_DWORD", "378388", "dotnet-too-old"),
    (VERSION, "EditionID", "REG_SZ", "ServerAzureStackHCICor", "azure-local"),
    (GUEST, "ImagePath", "REG_SZ", "x", "azure-vm"),
]
"""A value of the registry's as it is on such a computer, and the word for that."""
TRY = r"""
$key, $value, $kind, $data = $case
$above = if (Test-Path "Registry::$key") { $key } else { $key -replace '\\[^\\]*$', '' }
reg.exe export $above C:\before.reg /y > $null
reg.exe add $key /v $value /t $kind /d $data /f > $null
& C:\requirement.ps1
"ended $LASTEXITCODE"
reg.exe delete $key /v $value /f > $null
reg.exe import C:\before.reg > $null
"""


def test_requirement_says_the_right_word(windows_site: WindowsSite) -> None:
    """All in one engine; what each case changed is put back."""
    script = resources.files("arcferry.export").joinpath("wrappers/requirement.ps1").read_bytes()
    windows_site.host.path(r"C:\requirement.ps1").write_bytes(script)
    cases = (", ".join(f"'{part}'" for part in case) for *case, _ in REQUIRED)
    done = windows_site.script("\n".join(f"$case = @({case})\n{TRY}" for case in cases))
    words = [line for *_, word in REQUIRED for line in (word, "ended 0")]
    assert (done.exit_code, done.stdout.splitlines(), done.stderr) == (0, words, "")
