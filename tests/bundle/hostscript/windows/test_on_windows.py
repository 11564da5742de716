"""The host script on a Windows of the twin's: real registry, installer, agent, services and network."""

import asyncio
import hashlib
import json
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from tests.windows_site import AGENT, NAME, WindowsSite

from arcferry.evidence.readers import arcferry_check
from arcferry_lab.hosts.windows import CodeSigning, build_agent_msi, command_line
from arcferry_lab.twin import RESOURCE_GROUP

pytestmark = [pytest.mark.lab, pytest.mark.xdist_group("wine-script"), pytest.mark.timeout(300)]
EACH = Path(__file__).with_name("each.ps1")
ENGINE = ("powershell.exe", "-NoProfile", "-NonInteractive", "-ExecutionPolicy", "Bypass", "-File")
# A folder of an administrator's own, as Traditional Chinese Windows has them.
FOLDER = "C:\\安裝 檔案"
SCRIPT = rf"{FOLDER}\bundle\host\windows.ps1"
TEMPORARY = r"C:\windows\Temp"
OLD, CURRENT, NEW = "1.66.3300.1001", "1.67.3421.1187", "1.68.3500.2002"
PLACE = ("eastasia", "AzureCloud")
Answer = dict[str, Any]


@dataclass(frozen=True)
class Server:
    """The server, with the bundle in its folder and packages beside it."""

    site: WindowsSite
    hashes: dict[str, str]

    def run(self, *words: str, given: bytes = b"") -> Answer:
        """One run in an engine of its own."""
        return self.site.loop.run(self.started(*words, given=given))

    async def started(self, *words: str, given: bytes = b"") -> Answer:
        done = await self.site.host.run(command_line(*ENGINE, SCRIPT, *words), given=given, seconds=200)
        assert done.stderr == "", done
        answer: Answer = json.loads(done.stdout)
        assert done.exit_code == (0 if answer["ok"] else 1), done
        return answer

    def each(self, *calls: tuple[str, ...]) -> list[Answer]:
        """Runs one after the other, in one engine."""
        self.site.host.put(EACH, r"C:\each.ps1")
        self.site.host.path(r"C:\calls.json").write_text(json.dumps([{"words": words} for words in calls]))
        done = self.site.run(*ENGINE, r"C:\each.ps1", SCRIPT, r"C:\calls.json")
        assert done.stderr == "", done
        return [json.loads(line) for line in done.stdout.splitlines()]

    def install(self, version: str, *, sha256: str = "") -> tuple[str, ...]:
        return "install", rf"{FOLDER}\{version}.msi", sha256 or self.hashes[version]

    def config(self, **changed: str) -> str:
        azure = self.site.twin.azure
        known = {
            "tenant-id": azure.tenant_id,
            "subscription-id": azure.subscription_id,
            "location": azure.location,
            "resource-group": RESOURCE_GROUP,
            "resource-name": NAME,
            "access-token": self.site.token(),
            "cloud": "AzureCloud",
        }
        return json.dumps(known | changed, ensure_ascii=False)

    def has(self, version: str) -> bool:
        """Whether the agent is there in that version."""
        return self.site.host.path(AGENT).exists() and self.site.shown()["agentVersion"] == version

    def forget(self) -> None:
        """Have the agent and Azure forget the machine: a program starts sooner than an engine."""
        assert self.site.run(AGENT, "disconnect", "--force-local-only").exit_code == 0
        self.site.twin.azure.machines.clear()

    def left(self) -> list[str]:
        return [path.name for path in self.site.host.path(TEMPORARY).glob("arcferry-*")]

    @contextmanager
    def without(self, *paths: str) -> Iterator[None]:
        """The server while these files are missing."""
        found = [self.site.host.path(path) for path in paths]
        for path in found:
            path.rename(path.with_suffix(".away"))
        try:
            yield
        finally:
            for path in found:
                path.with_suffix(".away").rename(path)


@pytest.fixture(scope="module")
def fresh(windows_site: WindowsSite, tmp_path_factory: pytest.TempPathFactory) -> Server:
    folder = windows_site.host.path(FOLDER)
    shutil.copytree(windows_site.bundle, folder / "bundle")
    built, signing = tmp_path_factory.mktemp("packages"), CodeSigning()
    hashes = {}
    for version in (OLD, CURRENT, NEW):
        package = build_agent_msi(built, version=version, ca=signing)
        shutil.copy(package, folder / f"{version}.msi")
        hashes[version] = hashlib.sha256(package.read_bytes()).hexdigest()
    # Wine calls it validly signed still.
    other = folder / "other.msi"
    shutil.copy(folder / f"{CURRENT}.msi", other)
    rename = "UPDATE Property SET Value='Another' WHERE Property='ProductName'"
    subprocess.run(["msibuild", other, "-q", rename], check=True, capture_output=True)
    return Server(windows_site, hashes | {"other": hashlib.sha256(other.read_bytes()).hexdigest()})


@pytest.fixture
def server(fresh: Server) -> Iterator[Server]:
    """With the agent, not connected; nothing of a run stays behind."""
    if not fresh.has(CURRENT):
        assert fresh.run(*fresh.install(CURRENT))["ok"]
    yield fresh
    fresh.forget()
    assert fresh.left() == []


def codes(answers: list[Answer]) -> list[tuple[str, bool | None, str]]:
    return [(one.get("code", ""), one.get("changed"), one.get("version", "")) for one in answers]


def test_what_must_not_be_installed_is_refused(fresh: Server) -> None:
    wrong = fresh.install(OLD, sha256="0" * 64)
    none = ("install", rf"{FOLDER}\none.msi", "0" * 64)
    assert codes(fresh.each(wrong, none, fresh.install("other"), ("show",))) == [
        ("hash-mismatch", None, ""),
        ("no-package", None, ""),
        ("not-the-agent", None, ""),
        ("not-installed", None, ""),
    ]


def test_the_agent_is_installed_upgraded_and_removed(fresh: Server) -> None:
    steps = [fresh.install(version) for version in (OLD, OLD, CURRENT, OLD)]
    answers = fresh.each(*steps, ("show",), ("uninstall",), ("uninstall",))
    assert codes(answers) == [
        ("", True, OLD),
        ("", False, OLD),
        ("", True, CURRENT),
        ("downgrade-refused", None, CURRENT),
        ("", None, ""),
        ("", True, ""),
        ("", False, ""),
    ]
    assert [one["exit"] for one in answers[:3]] == [0, 0, 0]
    logs = [one["log"] for one in answers if "log" in one]
    assert len(set(logs)) == 3
    assert all(fresh.site.host.path(log).stat().st_size for log in logs)
    agent = answers[4]["agent"]
    assert (agent["installed"], agent["version"], agent["status"]) == (True, CURRENT, "Disconnected")


def test_two_installs_at_one_moment_both_end(fresh: Server) -> None:
    async def both() -> list[Answer]:
        words = fresh.install(CURRENT)
        return await asyncio.gather(fresh.started(*words), fresh.started(*words))

    fresh.run("uninstall")
    answers = fresh.site.loop.run(both())
    assert sorted(codes(answers)) == [("", False, CURRENT), ("", True, CURRENT)]
    # What reads signatures under Wine holds a package open; the next run removes it.
    assert fresh.run("disconnect", "--local-only")["ok"]
    assert fresh.left() == []


def test_a_bundle_in_a_chinese_folder_is_verified(fresh: Server) -> None:
    bundle = rf"{FOLDER}\bundle"
    manifest = fresh.site.host.path(bundle) / "manifest.json"
    answer = fresh.run("verify", bundle)
    assert (answer["ok"], answer["signature"]["ok"]) == (True, True)
    assert answer["manifest"]["sha256"] == hashlib.sha256(manifest.read_bytes()).hexdigest()
    names = {one["name"] for one in json.loads(manifest.read_bytes())["files"]}
    assert {one["name"] for one in answer["files"]} == names


def test_no_fact_costs_another(server: Server) -> None:
    with server.without(
        r"C:\windows\system32\route.exe",
        r"C:\windows\system32\WindowsPowerShell\v1.0\engine\Modules\NetTCPIP\NetTCPIP.psm1",
    ):
        answer = server.run("facts", *PLACE, rf"{FOLDER}\path.json")
    assert (answer["ok"], answer["routes"]) == (True, None)
    assert [one["fact"] for one in answer["missing_facts"]] == ["routes"]
    assert "route.exe" in answer["missing_facts"][0]["says"]
    assert (answer["hostname"], answer["agent"]["status"]) == ("WEB01", "Disconnected")
    assert answer["distro"]["name"] == "Windows Server 2022 Datacenter"
    assert (answer["pending_reboot"], answer["installer_busy"], answer["root"]) == ([], False, True)
    written = json.loads(server.site.host.path(rf"{FOLDER}\path.json").read_bytes())
    assert written == answer["path"]
    assert [one["reachable"] for one in written["endpoints"]] == [True] * 8
    assert arcferry_check.looks_right(written)
    found = [one["dns"]["addresses"] for one in written["endpoints"]]
    assert [len(one) for one in found] == [len(set(one)) for one in found], "each address is listed once"


def test_tags_arrive_as_they_are_in_any_encoding(server: Server) -> None:
    config = server.config(tags="site=台北")
    for encoding in ("utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"):
        server.forget()
        answer = server.run("connect", "-", given=config.encode(encoding))
        assert (answer["ok"], answer["changed"], answer["heard_from"]) == (True, True, True), answer
        assert answer["status"] == "Connected"
        assert server.site.twin.azure.machines[RESOURCE_GROUP, NAME].tags == {"site": "台北"}, encoding
        assert server.left() == []
    gone = server.run("disconnect", "--local-only")
    assert (gone["ok"], server.site.shown()["status"]) == (True, "Disconnected")


def test_what_azure_has_not_heard_from_is_not_called_connected(server: Server) -> None:
    server.site.fault("his/no-heartbeat")
    given = server.config().encode()
    silent = server.run("connect", "-", "-WaitSeconds", "1", given=given)
    server.site.mend("his/no-heartbeat")
    assert (silent["ok"], silent["changed"], silent["heard_from"]) == (True, True, False)
    assert silent["status"] == "Disconnected"
    heard = server.run("connect", "-", given=given)
    assert (heard["ok"], heard["changed"], heard["heard_from"]) == (True, False, True)
    refused = server.run("uninstall")
    assert (refused["ok"], refused["code"]) == (False, "still-connected")


def test_a_refusal_of_azures_leaves_no_token(server: Server) -> None:
    answer = server.run("connect", "-", given=server.config(location="nowhere").encode())
    assert (answer["ok"], answer["changed"], answer["code"][:4]) == (False, False, "AZCM")
    token = json.loads(server.config())["access-token"]
    assert server.site.holding([token[-40:]]) == []
