"""Whole runs on the twin, each `arcferry onboard` a process of its own."""

import asyncio
import base64
import csv
import shlex
import shutil
import signal
import socket
import tempfile
from datetime import timedelta
from pathlib import Path

import asyncssh
import pytest

from arcferry import bundle as bundles
from arcferry import times
from arcferry_lab.azure.state import ArcMachine
from arcferry_lab.hosts import build_agent_package, read_journal
from arcferry_lab.hosts.faults import lay
from arcferry_lab.hosts.host import LabHost
from arcferry_lab.system import tools_folder
from arcferry_lab.twin import RESOURCE_GROUP

from .conftest import Fleet, Sealed, ended

pytestmark = [pytest.mark.lab, pytest.mark.hosts]
ALL = {"server01": "connected", "server02": "connected", "server03": "connected"}


async def test_applied_twice_is_applied_once(fleet: Fleet) -> None:
    first = await fleet.run("apply")
    assert (first.code, first.outcomes) == (0, ALL), first.err
    assert {host["machine"]["status"] for host in first.document["hosts"]} == {"Connected"}
    assert fleet.puts() == dict.fromkeys(ALL, 1)
    assert fleet.twin.azure.machines[RESOURCE_GROUP, "server01"].tags == {"site": "lab"}
    commands = fleet.commands()

    second = await fleet.run("apply")
    assert (second.code, second.outcomes) == (0, ALL)
    assert all(host["already"] for host in second.document["hosts"])
    assert fleet.puts() == dict.fromkeys(ALL, 1)
    assert fleet.commands() == commands, "hosts that are done are not even asked"

    shutil.rmtree(fleet.state)
    third = await fleet.run("apply")
    states = {step["step"]: step["state"] for step in third.host("server01")["steps"]}
    assert third.code == 0
    assert states == {
        "facts": "done",
        "stage": "skipped",
        "verify": "skipped",
        "install": "skipped",
        "check": "skipped",
        "connect": "skipped",
        "verified": "done",
    }
    assert fleet.puts() == dict.fromkeys(ALL, 1), "without a record the hosts and Azure say what is done"


async def test_plan_changes_nothing_and_apply_does_what_it_says(fleet: Fleet) -> None:
    planned = await fleet.run("plan")
    assert planned.code == 0, planned.err
    assert planned.document["summary"] == {"hosts": 3, "good": 3, "change": 3}
    assert fleet.puts() == {}
    assert not fleet.state.exists()
    host = fleet.twin.servers.hosts[0]
    assert not (host.root / "var/lib/arcferry").exists()
    applied = await fleet.run("apply")
    would = [step["step"] for step in planned.host("server01")["steps"] if step["verdict"] == "run"]
    did = [step["step"] for step in applied.host("server01")["steps"] if step["state"] == "done"]
    assert ["facts", *would] == did
    after = await fleet.run("plan")
    assert after.document["summary"]["change"] == 0


async def test_plan_without_a_secret_does_not_ask_azure(fleet: Fleet) -> None:
    fleet.extra = {"AZURE_CLIENT_SECRET": ""}
    planned = await fleet.run("plan")
    assert (planned.code, planned.document["azure"]) == (0, "not asked")
    assert not fleet.twin.azure.journal


@pytest.mark.timeout(300)
async def test_killed_at_every_step_it_goes_on(fleet: Fleet) -> None:
    for step in ("facts", "stage", "verify", "install", "check", "connect", "verified"):
        await fleet.killed_when(lambda event, step=step: (event["step"], event["event"]) == (step, "started"))
    last = await fleet.run("apply")
    assert (last.code, last.outcomes) == (0, ALL), last.err
    assert fleet.puts() == dict.fromkeys(ALL, 1), "no host is connected twice"
    machines = fleet.twin.azure.machines.values()
    assert len({machine.vm_id for machine in machines}) == len(machines) == 3
    assert repeated(fleet) == []
    assert await leftovers(fleet) == []


@pytest.mark.timeout(300)
async def test_killed_right_after_each_step_it_goes_on(fleet: Fleet) -> None:
    for step in ("facts", "install", "connect"):
        await fleet.killed_when(lambda event, step=step: (event["step"], event["event"]) == (step, "done"))
    last = await fleet.run("apply")
    assert (last.code, last.outcomes) == (0, ALL), last.err
    assert fleet.puts() == dict.fromkeys(ALL, 1)
    assert repeated(fleet) == []


def repeated(fleet: Fleet) -> list[tuple[str, int, str]]:
    """Steps that the journal shows to begin although they had ended in the same attempt."""
    over: set[tuple[str, int, str]] = set()
    found = []
    for event in fleet.events():
        key = (event["host"], event["attempt"], event["step"])
        if event["event"] == "started" and key in over:
            found.append(key)
        if event["event"] in {"done", "recorded"}:
            over.add(key)
    return found


async def leftovers(fleet: Fleet) -> list[str]:
    """Files on any host that hold a token, or were meant for one; only there can its /run be seen."""
    found = []
    # What a host borrows of this computer lies where it does here, which may be under /tmp.
    borrowed = tools_folder() or Path("/nowhere")
    for host in fleet.twin.servers.hosts:
        folders = "/run /var /tmp /root /home /etc /dev/shm"
        # In two words, as the host writes down what it is asked, and that must not be found. A token has a
        # dot behind its first part; the three letters alone stand in a certificate now and then.
        held = await host.run(
            f"grep -rlsE --exclude-dir={borrowed.name} -e 'ey''J[A-Za-z0-9_-]{{8,}}[.]' {folders}; "
            f"find /run /var/tmp /tmp -path {shlex.quote(str(borrowed))} -prune -o -name '*.json' -print"
        )
        found += [f"{host.name}: {line}" for line in held.stdout.splitlines()]
    return found


async def test_ctrl_c_keeps_what_is_done(fleet: Fleet) -> None:
    process = await fleet.start("apply", "--output", "json")
    reading = asyncio.create_task(ended(process))
    while not any(event["event"] == "started" and event["step"] == "install" for event in fleet.events()):
        assert not reading.done(), await reading
        await asyncio.sleep(0.005)
    process.send_signal(signal.SIGINT)
    stopped = await reading
    assert stopped.code == 130
    assert "it goes on where it was" in stopped.err
    assert stopped.document["interrupted"]
    assert set(stopped.outcomes.values()) == {"stopped"}
    last = await fleet.run("apply")
    assert (last.code, last.outcomes) == (0, ALL), last.err
    assert repeated(fleet) == []
    assert fleet.puts() == dict.fromkeys(ALL, 1)


async def test_sigterm_before_any_host(azure_only: Fleet) -> None:
    fleet = azure_only
    await fleet.twin.add_fault("path/no-http-answer", "management.azure.com")
    process = await fleet.start("apply")
    reading = asyncio.create_task(ended(process))
    while not fleet.twin.azure.journal:
        assert not reading.done(), await reading
        await asyncio.sleep(0.01)
    process.send_signal(signal.SIGTERM)
    stopped = await reading
    assert (stopped.code, fleet.events()) == (130, [])


async def test_a_second_apply_is_refused(fleet: Fleet) -> None:
    first = await fleet.start("apply", "--output", "json")
    reading = asyncio.create_task(ended(first))
    while not fleet.events():
        assert not reading.done(), await reading
        await asyncio.sleep(0.005)
    # Held still, so that it cannot have ended before the second one looks.
    first.send_signal(signal.SIGSTOP)
    second = await fleet.run("apply")
    first.send_signal(signal.SIGCONT)
    assert second.code == 3
    assert f"another apply is running on {fleet.state} (process {first.pid})" in second.err
    assert (await reading).code == 0


async def test_no_secret_and_no_token_anywhere(fleet: Fleet) -> None:
    done = await fleet.run("apply", "--concurrency", "2")
    assert done.code == 0, done.err
    await lay("host/refuses-connect", fleet.twin.servers.hosts[0])
    secret = fleet.twin.client.secret.encode()
    # Every access token is a JWT, and every JWT begins so.
    canaries = (secret, b"eyJ", base64.b64encode(secret)[:-2])
    places = [path for path in fleet.state.rglob("*") if path.is_file()]
    for host in fleet.twin.servers.hosts:
        folders = ("run", "var", "tmp", "root", "home", "etc", "opt", "dev/shm")
        found = [path for folder in folders for path in (host.root / folder).rglob("*")]
        places += [path for path in found if path.is_file() and not path.is_symlink()]
        places.append(host.log)
    names = {path.name for path in places}
    assert {"commands.log", "argv.log", "steps.sqlite", "journal.jsonl", "himds.log"} <= names
    assert [path for path in places if mentions(path, canaries)] == []
    assert not [canary for canary in canaries if canary.decode() in done.out + done.err]
    assert mentions(fleet.twin.paths.secret, canaries), "the search itself finds what is there"
    connects = [
        call for host in fleet.twin.servers.hosts for call in read_journal(host).agent if "connect" in call
    ]
    assert len(connects) == 3
    assert all("--config" in call and "--access-token" not in call for call in connects)


def mentions(path: Path, canaries: tuple[bytes, ...]) -> bool:
    data = path.read_bytes()
    return any(canary in data for canary in canaries)


async def test_one_host_with_another_key_and_one_that_is_gone(fleet: Fleet, tmp_path: Path) -> None:
    await lay("host/key-changed", fleet.twin.servers.hosts[1])
    rows = list(csv.reader(fleet.twin.paths.inventory.read_text().splitlines()))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        rows.append(["gone", "127.0.0.1", str(free.getsockname()[1]), "ssh", "root", ""])
    inventory = tmp_path / "with-gone.csv"
    with inventory.open("w") as stream:
        csv.writer(stream).writerows(rows)
    done = await fleet.run("apply", inventory=inventory)
    assert done.code == 1
    assert done.outcomes == ALL | {"server02": "failed", "gone": "failed"}
    refused = done.host("server02")["failure"]
    key = asyncssh.import_public_key(fleet.twin.servers.hosts[1].host_key)
    assert key.get_fingerprint() in refused["says"]
    assert "not the one on record" in refused["says"]
    assert "ssh-keygen -R" in refused["hint"]
    assert "refused" in done.host("gone")["failure"]["says"]
    assert read_journal(fleet.twin.servers.hosts[1]).commands == ()


async def test_hosts_that_flood_and_that_paint(fleet: Fleet) -> None:
    chatty, painter, _ = fleet.twin.servers.hosts
    await lay("host/chatty", chatty)
    await lay("host/escape-sequences", painter)
    process = await fleet.start("apply")
    done = await ended(process)
    assert done.code == 1
    assert "printed more than" in done.out
    assert not {"\x1b", "\x07", "\u202e"} & set(done.out + done.err)
    again = await fleet.run("apply")
    assert (again.outcomes["server01"], again.outcomes["server03"]) == ("failed", "connected")


async def test_disk_full_then_room_made(fleet: Fleet) -> None:
    host = fleet.twin.servers.hosts[0]
    await lay("host/disk-full", host)
    done = await fleet.run("apply")
    assert done.outcomes == ALL | {"server01": done.outcomes["server01"]}
    assert done.outcomes["server01"] in {"failed", "blocked"}
    failure = done.host("server01")["failure"]
    assert "full" in failure["says"] or "free under /opt" in failure["says"]
    assert "then apply again" in failure["hint"]
    await host.restart(small_disk=0)
    again = await fleet.run("apply")
    assert (again.code, again.outcomes, again.host("server01")["attempt"]) == (0, ALL, 2)


async def test_a_blocked_endpoint_is_named_and_the_retry_begins_there(fleet: Fleet) -> None:
    host = fleet.twin.servers.hosts[0]
    await lay("host/refuses-connect", host)
    done = await fleet.run("apply")
    failure = done.host("server01")["failure"]
    assert done.outcomes == ALL | {"server01": "failed"}
    assert (failure["step"], failure["code"]) == ("check", "AZCM0026")
    assert failure["unreachable"] == ["agentserviceapi.guestconfiguration.azure.com"]
    assert failure["meaning"]
    assert "arcferry explain" in failure["hint"]
    (finding,) = done.document["findings"]
    assert finding["endpoints"][0]["host"] == "agentserviceapi.guestconfiguration.azure.com"
    assert finding["evidence"][0]["origin"] == "server01: azcmagent-check.txt"
    settings = host.root / "etc/arcferry-lab.json"
    settings.write_text(settings.read_text().replace("agentserviceapi.guest", "unused.guest"))
    again = await fleet.run("apply")
    steps = {step["step"]: step["state"] for step in again.host("server01")["steps"]}
    assert (again.code, again.outcomes) == (0, ALL)
    assert (steps["stage"], steps["install"], steps["check"]) == ("skipped", "skipped", "done")


async def test_connected_but_no_heartbeat(fleet: Fleet) -> None:
    await fleet.twin.add_fault("his/no-heartbeat")
    done = await fleet.run("apply", "--patience", "2")
    assert done.code == 1
    failure = done.host("server01")["failure"]
    assert failure["step"] == "verified"
    assert "ARM still shows AwaitingConnection after 2 s" in failure["says"]
    assert fleet.puts() == dict.fromkeys(ALL, 1)


async def test_a_name_that_another_server_has(fleet: Fleet) -> None:
    other = ArcMachine(
        RESOURCE_GROUP, "server01", "eastasia", {}, {"vmId": "11111111-2222-3333-4444-555555555555"}
    )
    fleet.twin.azure.machines[RESOURCE_GROUP, "server01"] = other
    done = await fleet.run("apply")
    assert done.outcomes == ALL | {"server01": "blocked"}
    failure = done.host("server01")["failure"]
    assert "ARM has a machine server01 already" in failure["says"]
    assert "delete it in Azure" in failure["hint"]
    assert "server01" not in fleet.puts()
    assert [step["step"] for step in done.host("server01")["steps"]] == ["facts", "connect"]


async def test_failure_budget(fleet: Fleet) -> None:
    await lay("host/refuses-connect", fleet.twin.servers.hosts[0])
    done = await fleet.run("apply", "--concurrency", "1", "--stop-after", "1")
    assert done.code == 1
    assert done.document["budget_spent"]
    assert done.document["summary"]["failed"] == 1
    touched = [host for host in done.document["hosts"] if host["steps"]]
    assert len(touched) < 3
    assert done.document["summary"]["stopped"] == 3 - len(touched)


AZURE_FAULTS = {
    "arm/401": (4, "Azure answered 401"),
    "arm/403": (4, "role"),
    "arm/404": (1, "Azure answered 404"),
    "arm/provider-not-registered": (3, "az provider register --namespace Microsoft.HybridCompute"),
    "arm/409": (1, "Azure answered 409"),
    "arm/429": (1, "Azure answered 429"),
    "arm/500": (1, "Azure answered 500"),
    "arm/garbage": (1, "answer"),
    "entra/expired-secret": (4, "AADSTS7000222"),
    "entra/unavailable": (4, "AADSTS90033"),
}


@pytest.mark.parametrize("fault", AZURE_FAULTS)
async def test_azure_refuses_before_any_host_is_touched(azure_only: Fleet, fault: str) -> None:
    fleet = azure_only
    await fleet.twin.add_fault(fault)
    done = await fleet.run("apply")
    code, says = AZURE_FAULTS[fault]
    assert done.code == code, done.err
    assert says in done.err
    assert "hint:" in done.err or fault in {"arm/409", "arm/500", "arm/garbage"}
    assert fleet.twin.client.secret not in done.err
    assert fleet.events() == []


async def test_throttling_that_passes_is_waited_out(fleet: Fleet) -> None:
    await fleet.twin.add_fault("arm/429", times=3)
    done = await fleet.run("apply")
    assert (done.code, done.outcomes) == (0, ALL), done.err


async def test_missing_group_and_unregistered_provider(azure_only: Fleet) -> None:
    fleet = azure_only
    fleet.extra = {"ARCFERRY_RESOURCE_GROUP": "rg-none"}
    done = await fleet.run("apply")
    assert done.code == 3
    assert f"create --subscription {fleet.twin.azure.subscription_id} --name rg-none" in done.err
    fleet.extra = {}
    fleet.twin.azure.registered["Microsoft.HybridCompute"] = False
    done = await fleet.run("apply")
    assert done.code == 3
    assert "az provider register --namespace Microsoft.HybridCompute" in done.err
    assert fleet.events() == []


async def test_onboarding_role_is_enough(fleet: Fleet) -> None:
    client = fleet.twin.azure.add_client("onboarding")
    fleet.extra = {"AZURE_CLIENT_ID": client.client_id, "AZURE_CLIENT_SECRET": client.secret}
    done = await fleet.run("apply")
    assert (done.code, done.outcomes) == (0, ALL), done.err


async def test_certificate_in_place_of_a_secret(fleet: Fleet) -> None:
    fleet.extra = {"AZURE_CLIENT_SECRET": ""}
    done = await fleet.run("plan", "--certificate", str(fleet.twin.paths.certificate))
    assert (done.code, done.document["azure"]) == (0, "asked"), done.err


async def test_an_expired_and_a_changed_bundle(azure_only: Fleet, sealed: Sealed, tmp_path: Path) -> None:
    fleet = azure_only
    agent = next(sealed.path.parent.glob("*.deb"))
    old = Sealed(tmp_path / "old", sealed.key)
    then = times.now() - timedelta(days=30)
    bundles.build(
        old.path,
        bundles.Contents((agent,)),
        bundles.load_secret_key(old.key),
        created=then,
        expires_after=timedelta(days=7),
    )
    fleet.sealed = old
    done = await fleet.run("apply")
    assert done.code == 3
    assert "expired" in done.err
    changed = Sealed(tmp_path / "changed", sealed.key)
    bundles.copy_bundle(sealed.open(), changed.path)
    package = next(changed.path.rglob("*.deb"))
    package.chmod(0o644)
    package.write_bytes(package.read_bytes()[:-1] + b"x")
    fleet.sealed = changed
    done = await fleet.run("apply")
    assert done.code == 3
    assert package.name in done.err
    assert not fleet.state.exists()


async def test_an_older_bundle_needs_a_reason(fleet: Fleet, sealed: Sealed, tmp_path: Path) -> None:
    older = Sealed(tmp_path / "older", sealed.key)
    contents = bundles.Contents((next(sealed.path.parent.glob("*.deb")),))
    secret = bundles.load_secret_key(older.key)
    bundles.build(older.path, contents, secret, created=times.now() - timedelta(days=1))
    assert (await fleet.run("apply")).code == 0
    fleet.sealed = older
    for verb in ("plan", "apply"):
        refused = await fleet.run(verb)
        assert refused.code == 3
        assert "is older than one for the same servers" in " ".join(refused.err.split())
    allowed = await fleet.run("plan", "--allow-older", "1.68 breaks our proxy")
    assert allowed.code == 0
    assert "by your leave: 1.68 breaks our proxy" in allowed.err


async def test_status_tells_what_is_remembered(fleet: Fleet) -> None:
    empty = await fleet.run("status")
    assert (empty.document["kind"], empty.document["runs"], empty.document["findings"]) == ("runs", [], [])
    await fleet.run("apply")
    (run,) = (await fleet.run("status")).document["runs"]
    assert {name: host["state"] for name, host in run["hosts"].items()} == ALL


async def test_records_that_are_damaged(fleet: Fleet) -> None:
    await fleet.run("apply")
    (database,) = fleet.state.glob("runs/*/steps.sqlite")
    database.write_bytes(b"this is no database" * 1000)
    done = await fleet.run("apply")
    assert done.code == 2
    assert str(database) in done.err
    shutil.rmtree(database.parent)
    assert (await fleet.run("apply")).outcomes == ALL


async def test_a_machine_that_was_deleted_since(fleet: Fleet) -> None:
    await fleet.run("apply")
    del fleet.twin.azure.machines[RESOURCE_GROUP, "server02"]
    done = await fleet.run("apply")
    assert done.outcomes == ALL | {"server02": "blocked"}
    assert "ARM no longer has" in done.host("server02")["failure"]["says"]
    left = await fleet.twin.servers.hosts[1].run("/opt/azcmagent/bin/azcmagent disconnect --force-local-only")
    assert left.exit_code == 0, left.stderr
    assert (await fleet.run("apply")).outcomes == ALL


async def test_asked_twice_it_leaves_at_once_and_no_token_stays(fleet: Fleet) -> None:
    process = await fleet.start("apply")
    reading = asyncio.create_task(ended(process))
    while not any(event["event"] == "started" and event["step"] == "connect" for event in fleet.events()):
        assert not reading.done(), await reading
        await asyncio.sleep(0.005)
    process.send_signal(signal.SIGTERM)
    process.send_signal(signal.SIGINT)
    stopped = await reading
    assert stopped.code == 130
    last = await fleet.run("apply")
    assert (last.code, last.outcomes) == (0, ALL), last.err
    assert fleet.puts() == dict.fromkeys(ALL, 1)
    assert await leftovers(fleet) == []


@pytest.mark.parametrize("printed", ["deep", "long"])
async def test_a_host_that_prints_what_no_reader_foresees(fleet: Fleet, printed: str) -> None:
    """Its own result says so, and everybody else's is there."""
    host = fleet.twin.servers.hosts[0]
    path = "9" * 4400
    router = (
        "BGP routing table entry for 203.0.113.0/24\n Paths: 1 available\n  {}\n    198.51.100.9 from x\n"
    )
    await _prints_on_check(host, "[" * 15_000 if printed == "deep" else router.format(path))
    await lay("host/refuses-connect", fleet.twin.servers.hosts[1])
    done = await fleet.run("apply")
    assert done.code == 1
    assert done.outcomes == ALL | {"server01": "failed", "server02": "failed"}
    found = {finding["cause"]: finding for finding in done.document["findings"]}
    assert len(found) == (2 if printed == "deep" else 1), list(found)
    if printed == "deep":
        title = "server01: azcmagent-check.txt could not be read"
        assert found["evidence/unreadable"]["title"].startswith(title)
        table = await ended(await fleet.start("apply"))
        assert "cause evidence/unreadable: server01: azcmagent-check.txt could not be read" in table.out


async def _prints_on_check(host: LabHost, text: str) -> None:
    """The bundle's agent is there already, and its `check` fails with this text."""
    with tempfile.TemporaryDirectory() as folder:
        package = build_agent_package(Path(folder))
        (host.root / "tmp" / package.name).write_bytes(package.read_bytes())
    done = await host.run(f"dpkg -i /tmp/{package.name}")
    assert done.exit_code == 0, done.stderr
    (host.root / "tmp/printed").write_text(text)
    agent = host.root / "opt/azcmagent/bin/azcmagent"
    agent.rename(agent.with_name("azcmagent.own"))
    agent.write_text(
        "#!/bin/sh\n"
        'if [ "$1" = check ]; then cat /tmp/printed; exit 1; fi\n'
        'exec /opt/azcmagent/bin/azcmagent.own "$@"\n'
    )
    agent.chmod(0o755)
