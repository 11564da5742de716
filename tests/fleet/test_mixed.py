"""A fleet of Linux and Windows servers, each `arcferry onboard` a process of its own."""

import asyncio
import hashlib
import json
import shutil
import zipfile
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
import pytest_asyncio
from tests.fleet.story import Story, told_to_its_end

from arcferry_lab.hosts import unavailable
from arcferry_lab.hosts.faults import lay
from arcferry_lab.hosts.windows import WindowsHost, cannot_host, command_line
from arcferry_lab.twin import RESOURCE_GROUP, Twin, TwinSettings

from .conftest import EVERYTHING, Fleet, Sealed, ended, free_port

pytestmark = [
    pytest.mark.lab,
    pytest.mark.hosts,
    pytest.mark.xdist_group("windows"),
    pytest.mark.asyncio(loop_scope="module"),
]
ALL = {"server01": "connected", "winserver01": "connected", "winserver02": "connected"}
WINDOWS = ("winserver01", "winserver02")

# Where programs, services and what starts with Windows are written down; most of Wine's own is left out.
KEYS = (
    r"HKLM\Software\Microsoft\Windows\CurrentVersion",
    r"HKLM\Software\Classes\Installer",
    r"HKLM\System\CurrentControlSet\Services",
    r"HKLM\System\CurrentControlSet\Control\Session Manager\Environment",
)
FOLDERS = ("Program Files", "ProgramData")
# What may differ on a Windows server that an agent has left: its logs, and what the twin writes.
MAY_DIFFER = ("ProgramData/AzureConnectedMachineAgent", "ProgramData/arcferry-lab")


@dataclass
class Mixed(Fleet):
    """One Linux server, one with Windows by WinRM, and one by SSH; and how each Windows was before."""

    windows: list[WindowsHost] = field(default_factory=list)
    before_all: dict[str, dict[str, str]] = field(default_factory=dict)

    def tokens(self) -> list[Path]:
        """What holds a token on a Windows server, or was meant for one."""
        places = ("windows/Temp", "ProgramData", "users", "Program Files")
        folders = [host.path("C:\\") / place for host in self.windows for place in places]
        files = [path for folder in folders for path in folder.rglob("*") if path.is_file()]
        return [one for one in files if one.name == "config.json" or b'"access-token"' in one.read_bytes()]

    async def as_new(self) -> None:
        """Disconnect every server, there and in Azure, and forget the run."""
        for host in self.windows:
            host.reach()
            await host.agent("disconnect", "--force-local-only")
        await self.twin.servers.hosts[0].run("/opt/azcmagent/bin/azcmagent disconnect --force-local-only")
        for name in ALL:
            self.twin.azure.machines.pop((RESOURCE_GROUP, name), None)
        shutil.rmtree(self.state, ignore_errors=True)


async def state_of(host: WindowsHost) -> dict[str, str]:
    """Every file of a Windows server's programs, and every value of its registry that one may leave."""
    drive, found = host.path("C:\\"), {}
    for path in (path for folder in FOLDERS for path in (drive / folder).rglob("*")):
        content = hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""
        found[str(path.relative_to(drive))] = content
    for key in KEYS:
        shown = await host.run(command_line("reg.exe", "query", key, "/s"))
        place = ""
        for line in shown.stdout.splitlines():
            place = line if line.startswith("HKEY") else place
            if " REG_" in line:
                found[f"{place}: {line.strip()}"] = ""
    return found


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def mixed(tmp_path_factory: pytest.TempPathFactory, with_msi: Sealed) -> AsyncIterator[Mixed]:
    reason = unavailable() or cannot_host()
    if reason:
        pytest.skip(f"no hosts here: {reason}")
    folder = tmp_path_factory.mktemp("mixed")
    settings = TwinSettings(folder / "twin", hosts=1, windows_hosts=2, communities=EVERYTHING)
    async with Twin.start(settings) as twin:
        (server,) = twin.servers.hosts
        own = server.root / "etc/arcferry-lab.json"
        own.write_text(json.dumps(json.loads(own.read_text()) | {"heartbeat_seconds": 1}))
        for host in twin.servers.windows:
            host.reach(heartbeat_seconds=1)
        # The first one's row says WinRM over TLS; the second is reached by SSH.
        second = twin.servers.windows[1]
        door = next(door for door in twin.servers.doors(second) if door.transport == "ssh")
        rows = twin.paths.inventory.read_text().splitlines()[:-1]
        rows.append(f"{second.name},{second.address},{door.port},ssh,Administrator,site=lab")
        twin.paths.inventory.write_text("\n".join([*rows, ""]))
        extra = {
            "ARCFERRY_WINRM_PASSWORD_FILE": str(twin.paths.password),
            "ARCFERRY_WINRM_CA": str(twin.paths.ca),
        }
        before = {host.name: await state_of(host) for host in twin.servers.windows}
        yield Mixed(twin, with_msi, folder, extra=extra, windows=twin.servers.windows, before_all=before)


@pytest.mark.timeout(300)
async def test_evidence_comes_from_both_systems(mixed: Mixed) -> None:
    out = mixed.folder / "case.zip"
    place = ("--inventory", str(mixed.twin.paths.inventory), "--out", str(out))
    done = await ended(await mixed.begun("evidence", "pack", *place))
    assert done.code == 0, done.err
    with zipfile.ZipFile(out) as archive:
        texts = {
            name.partition("-")[2].partition(".")[0]: archive.read(name).decode()
            for name in archive.namelist()
            if name.startswith("evidence/")
        }
    assert texts.keys() == ALL.keys()
    for name in WINDOWS:
        facts, _ = json.JSONDecoder().raw_decode(texts[name])
        assert (facts["verb"], facts["os"].lower()) == ("facts", "windows")
        assert facts["path"]["endpoints"]


@pytest.mark.timeout(300)
async def test_planned_then_applied_then_done(mixed: Mixed) -> None:
    planned = await mixed.run("plan")
    assert planned.code == 0, planned.out + planned.err
    for name in WINDOWS:
        host = planned.host(name)
        assert (host["system"], host["arch"]) == ("Windows Server 2022 Datacenter", "amd64")
    applied = await mixed.run("apply")
    assert (applied.code, applied.outcomes) == (0, ALL), applied.out + applied.err
    would = [step["step"] for step in host["steps"] if step["verdict"] == "run"]
    for name in WINDOWS:
        did = [step["step"] for step in applied.host(name)["steps"] if step["state"] == "done"]
        assert ["facts", *would] == did
        assert applied.host(name)["machine"]["os"] == "Windows Server 2022 Datacenter"
    assert mixed.tokens() == []
    again = await mixed.run("apply")
    assert all(one["already"] for one in again.document["hosts"])
    shutil.rmtree(mixed.state)
    third = await mixed.run("apply")
    for name in WINDOWS:
        states = {step["step"]: step["state"] for step in third.host(name)["steps"]}
        assert states == dict.fromkeys(would, "skipped") | {"facts": "done", "verified": "done"}
    assert mixed.puts() == dict.fromkeys(ALL, 1)


@pytest.mark.timeout(300)
async def test_killed_in_every_step_no_token_stays_and_it_goes_on(mixed: Mixed) -> None:
    await mixed.as_new()
    for step in ("stage", "install", "connect"):
        await mixed.killed_when(
            lambda event, step=step: (
                (event["step"], event["event"]) == (step, "started") and event["host"] in WINDOWS
            )
        )
    done = await mixed.run("apply")
    assert (done.code, done.outcomes) == (0, ALL), done.out + done.err
    assert mixed.tokens() == []


@pytest.mark.timeout(300)
async def test_a_failure_is_told_alike_and_with_what_each_server_saw(mixed: Mixed) -> None:
    name = "agentserviceapi.guestconfiguration.azure.com"
    (server,) = mixed.twin.servers.hosts
    await mixed.as_new()
    await lay("host/refuses-connect", server)
    for host in mixed.windows:
        host.reach(blocked=(name,))
    done = await mixed.run("apply")
    assert set(done.outcomes.values()) == {"failed"}, done.out + done.err
    failures = [done.host(one)["failure"] for one in ALL]
    told = {
        (one["step"], one["code"], one["says"], one["meaning"], one["hint"], *one["unreachable"])
        for one in failures
    }
    assert [(one[:2], one[5:]) for one in told] == [(("check", "AZCM0026"), (name,))]
    about = [
        one for one in done.document["findings"] if name in {place["host"] for place in one["endpoints"]}
    ]
    files = ("azcmagent-check.txt", "path.json")
    origins = {seen["origin"] for one in about for seen in one["evidence"]}
    assert {f"{one}: {file}" for one in WINDOWS for file in files} <= origins, about


@pytest.mark.timeout(300)
async def test_windows_servers_prove_the_path_by_either_transport(mixed: Mixed) -> None:
    """One name of eight answers where the filter lets nothing through: each says so of that name alone."""
    if (mixed.twin.network.resolver.rpartition(":")[2], mixed.twin.network.port) != ("53", 443):
        pytest.skip("ports 53 and 443 cannot be had here, so that hosts cannot measure their path")
    await mixed.as_new()
    await mixed.twin.allow(*(value for value in EVERYTHING if value != "12076:51012"))
    before = mixed.tokens()
    try:
        done = await mixed.run("apply", "--canary", "2", *(f"--limit={name}" for name in WINDOWS))
    finally:
        await mixed.twin.allow(*EVERYTHING)
    assert done.code == 3, done.err
    for name in WINDOWS:
        failure = done.host(name)["failure"]
        steered = "agentserviceapi.guestconfiguration.azure.com"
        assert failure["says"] == f"does not reach {steered} of 8 required endpoints", done.err
    (error,) = (one for one in done.document["findings"] if one["severity"] == "error")
    assert error["hosts"] == list(WINDOWS)
    # The part that opens connections sets these where the part that reads them sees them.
    evidence = json.dumps(done.document["evidence"])
    assert '"stage": "tcp", "kind": "timeout"' in evidence
    assert mixed.tokens() == before


@pytest.mark.timeout(400)
async def test_a_saved_plan_goes_through_canary_wave_pause_and_retry(mixed: Mixed, tmp_path: Path) -> None:
    """One Windows server goes ahead, the other fails in its wave and is taken up again once mended."""
    if (mixed.twin.network.resolver.rpartition(":")[2], mixed.twin.network.port) != ("53", 443):
        pytest.skip("ports 53 and 443 cannot be had here, so that hosts cannot measure their path")
    await mixed.as_new()
    first, second = mixed.windows
    how = ("--canary", "1", "--waves", "1,100%", *(f"--limit={name}" for name in WINDOWS))
    kept = str(tmp_path / "plan.json")
    planned = await mixed.run("plan", *how, "--save", kept)
    order = planned.document["order"]
    assert [one["first"] for one in order["path_proof"]] == [[first.name]], order
    second.reach(blocked=("gbl.his.arc.azure.com",))
    try:
        applying = await mixed.start("apply", "--output", "json", *how, "--plan", kept)
        while not any(event["step"] == "facts" for event in mixed.events()):
            assert applying.returncode is None
            await asyncio.sleep(0.02)  # another process writes what is looked for
        assert (await ended(await mixed.start("pause", "--reason", "a meeting"))).code == 0
        while "paused" not in dict(mixed.of_run()):
            assert applying.returncode is None
            await asyncio.sleep(0.02)
        assert (await ended(await mixed.start("resume"))).code == 0
        done = await ended(applying)
    finally:
        second.reach()
    assert done.outcomes == {first.name: "connected", second.name: "failed"}, done.out + done.err
    stages = {host["name"]: host["stage"] for host in done.document["hosts"]}
    assert stages == {name: one["stage"] for one in order["stages"] for name in one["hosts"]}
    assert done.host(second.name)["failure"]["unreachable"] == ["gbl.his.arc.azure.com"]
    again = await mixed.run("retry", "--failed", *how)
    assert (again.code, again.outcomes) == (0, dict.fromkeys(WINDOWS, "connected")), again.out + again.err
    assert mixed.puts()[first.name] == mixed.puts()[second.name]
    assert mixed.tokens() == []


@pytest.mark.timeout(400)
async def test_the_story_of_weeks_later_is_told_to_its_end(mixed: Mixed) -> None:
    if (mixed.twin.network.resolver.rpartition(":")[2], mixed.twin.network.port) != ("53", 443):
        pytest.skip("ports 53 and 443 cannot be had here, so that hosts cannot measure their path")
    await told_to_its_end(Story(replace(mixed, extra=dict(mixed.extra)), WINDOWS))


@pytest.mark.timeout(600)
async def test_windows_servers_are_taken_out_and_left_clean(mixed: Mixed) -> None:
    """By either transport: a proxy that leads nowhere is taken back, then out of Azure, then off it."""
    which = tuple(f"--limit={name}" for name in WINDOWS)
    ready = await mixed.run("apply", *which)
    assert ready.code == 0, ready.out + ready.err
    nowhere = ("--agent-proxy", f"http://127.0.0.1:{free_port()}", "--apply", which[0])
    turned = await mixed.errand("set-proxy", *nowhere)
    assert (turned.code, turned.outcomes) == (1, {WINDOWS[0]: "failed"}), turned.out
    assert turned.host(WINDOWS[0])["failure"]["says"].endswith("its agent uses no proxy as before"), (
        turned.out
    )
    for verb in ("offboard", "uninstall"):
        done = await mixed.errand(verb, "--apply", *which)
        assert (done.code, done.outcomes) == (0, dict.fromkeys(WINDOWS, "done")), done.out + done.err
    assert not {name for _, name in mixed.twin.azure.machines} & set(WINDOWS)
    for host in mixed.windows:
        then, now = mixed.before_all[host.name], await state_of(host)
        names = {name for name in then.keys() | now.keys() if then.get(name) != now.get(name)}
        assert {name for name in names if not name.startswith(MAY_DIFFER)} == set()
    assert mixed.tokens() == []


# The last: from then on the bundle of the others is older than one that was opened, and refused.
@pytest.mark.timeout(600)
async def test_a_windows_server_is_upgraded_by_winrm_and_verify_proves_it(
    newer: Sealed, mixed: Mixed
) -> None:
    name = WINDOWS[0]
    ready = await mixed.run("apply", f"--limit={name}")
    assert ready.code == 0, ready.out + ready.err
    words = (f"--limit={name}", "--bundle", str(newer.path))
    done = await mixed.errand("upgrade", *words, "--apply")
    assert (done.code, done.outcomes) == (0, {name: "connected"}), done.out + done.err
    assert [step["step"] for step in done.host(name)["steps"] if step["state"] == "done"] == [
        "facts",
        "stage",
        "verify",
        "install",
        "verified",
    ]
    proved = await mixed.errand("verify", *words)
    assert proved.code == 0, proved.out
    assert mixed.tokens() == []
