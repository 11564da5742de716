"""What is done to servers that are in Azure Arc: out of it, off the server, their proxy and their tags."""

import asyncio
import hashlib
import json
import signal
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import pytest
import pytest_asyncio
from tests.cli.test_in_chinese import leftovers

from arcferry import bundle as bundles
from arcferry import rights, times
from arcferry_lab.azure import private_link
from arcferry_lab.azure.rights import granted
from arcferry_lab.azure.state import ArcMachine
from arcferry_lab.hosts import LabHost, build_agent_package, unavailable
from arcferry_lab.twin import RESOURCE_GROUP, Twin, TwinSettings

from .conftest import EVERYTHING, Ended, Fleet, Sealed, ended, free_port

pytestmark = [
    pytest.mark.lab,
    pytest.mark.hosts,
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.timeout(300),
]
# What may differ on a server that an agent has left: logs, and what dpkg keeps of its own.
# On a real system base-files holds /opt, which dpkg removes here with the last that was in it.
MAY_DIFFER = ("var/log/", "var/lib/dpkg/", "opt")
# No agent in the twin takes commands from Azure: this is how ARM says that one is there.
EXTENSION = "AzureMonitorLinuxAgent"


@dataclass
class Errands(Fleet):
    """Three servers in Azure Arc, and how each was before."""

    before_all: dict[str, dict[str, str]] = field(default_factory=dict)

    def sign_in_with(self, task: str) -> tuple[str, ...]:
        """Options of an identity with exactly a task's rights."""
        place, asked = rights.Place(self.twin.azure.subscription_id, RESOURCE_GROUP), rights.task(task)
        client = self.twin.azure.add_client_with(granted(asked.actions, place.scope(asked.scope)))
        self.extra["OTHER_SECRET"] = client.secret
        return "--client-id", client.client_id, "--secret-env", "OTHER_SECRET"


def state_of(host: LabHost) -> dict[str, str]:
    """Every file and folder of a server, with its mode and content."""
    found = {}
    for path in sorted(host.root.rglob("*")):
        name = str(path.relative_to(host.root))
        if path.is_symlink():
            found[name] = f"link {path.readlink()}"
        elif path.is_file():
            found[name] = f"{path.stat().st_mode:o} {hashlib.sha256(path.read_bytes()).hexdigest()}"
        elif path.is_dir():
            found[name] = f"{path.stat().st_mode:o}"
    return found


def differs(fleet: Errands, host: LabHost) -> set[str]:
    """What is not on a server as it was before it was onboarded."""
    then, now = fleet.before_all[host.name], state_of(host)
    names = {name for name in then.keys() | now.keys() if then.get(name) != now.get(name)}
    return {name for name in names if not name.startswith(MAY_DIFFER)}


def put_machine(fleet: Errands, name: str, **properties: str) -> ArcMachine:
    machine = ArcMachine(RESOURCE_GROUP, name, "eastasia", {}, dict(properties))
    fleet.twin.azure.machines[RESOURCE_GROUP, name] = machine
    return machine


def put_extension(fleet: Errands, machine: str) -> None:
    azure = fleet.twin.azure
    place = (
        f"/subscriptions/{azure.subscription_id}/resourceGroups/{RESOURCE_GROUP}/providers/"
        f"Microsoft.HybridCompute/machines/{machine}/extensions/{EXTENSION}"
    )
    azure.plane.documents[place.lower()] = {
        "id": place,
        "name": EXTENSION,
        "type": "Microsoft.HybridCompute/machines/extensions",
        "location": "eastasia",
        "tags": {},
        "properties": {"publisher": "Microsoft.Azure.Monitor", "type": EXTENSION},
        "changed": times.to_text(times.now()),
    }


def machines(fleet: Errands) -> set[str]:
    return {name for _, name in fleet.twin.azure.machines}


def steps(done: Ended, name: str) -> dict[str, str]:
    return {step["step"]: step["state"] for step in done.host(name)["steps"]}


def journal(fleet: Errands) -> list[tuple[str, str, str, str]]:
    path = fleet.state / "errands.jsonl"
    lines = map(json.loads, path.read_text().splitlines() if path.exists() else ())
    return [(line["host"], line["step"], line["event"], line["says"]) for line in lines]


def inventory(folder: Path, fleet: Errands, *rows: str) -> Path:
    """The rows of these servers, with what each is given beside."""
    path = folder / "servers.csv"
    heading, *lines = fleet.twin.paths.inventory.read_text().splitlines()
    path.write_text("\n".join([heading, *(line for line in lines if line.partition(",")[0] in rows), ""]))
    return path


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def fleet(tmp_path_factory: pytest.TempPathFactory, sealed: Sealed) -> AsyncIterator[Errands]:
    """Connected, with another tool's machine in their group."""
    if reason := unavailable():
        pytest.skip(f"no hosts here: {reason}")
    folder = tmp_path_factory.mktemp("errands")
    async with Twin.start(TwinSettings(folder / "twin", hosts=3, communities=EVERYTHING)) as twin:
        for host in twin.servers.hosts:
            settings = host.root / "etc/arcferry-lab.json"
            settings.write_text(json.dumps(json.loads(settings.read_text()) | {"heartbeat_seconds": 1}))
        made = Errands(twin, sealed, folder)
        made.before_all |= {host.name: state_of(host) for host in twin.servers.hosts}
        put_machine(made, "anothers", vmId="11111111-2222-3333-4444-555555555555")
        done = await made.run("apply")
        assert done.code == 0, done.err
        yield made


async def test_offboarded_and_uninstalled_nothing_but_logs_is_left(fleet: Errands, tmp_path: Path) -> None:
    (server, *_) = fleet.twin.servers.hosts
    rows = inventory(tmp_path, fleet, server.name)
    put_extension(fleet, server.name)
    planned = await fleet.errand("offboard", inventory=rows)
    assert (planned.code, planned.outcomes) == (0, {server.name: "planned"}), planned.out
    assert steps(planned, server.name) == dict.fromkeys(("extensions", "disconnect", "resource"), "planned")
    assert planned.document["journal"] is None
    assert server.name in machines(fleet)

    too_early = await fleet.errand("uninstall", "--apply", inventory=rows)
    assert (too_early.code, too_early.outcomes) == (1, {server.name: "blocked"})
    assert "offboard" in too_early.host(server.name)["failure"]["hint"]

    done = await fleet.errand("offboard", "--apply", inventory=rows)
    assert (done.code, done.outcomes) == (0, {server.name: "done"}), done.out + done.err
    assert steps(done, server.name) == dict.fromkeys(("extensions", "disconnect", "resource"), "done")
    assert machines(fleet) == {"anothers", "server02", "server03"}
    deleted = [call.path for call in fleet.twin.azure.journal if call.method == "DELETE"]
    assert [f"/extensions/{EXTENSION}" in path for path in deleted] == [True, False]
    told = journal(fleet)
    assert (server.name, "extensions", "done", f"removed {EXTENSION}") in told
    assert any(
        host == server.name and "disconnected from /subscriptions/" in says for host, _, _, says in told
    )

    clean = await fleet.errand("uninstall", "--apply", inventory=rows)
    assert (clean.code, clean.outcomes) == (0, {server.name: "done"}), clean.out + clean.err
    assert differs(fleet, server) == set()
    twice = await fleet.errand("uninstall", "--apply", inventory=rows)
    assert (twice.code, twice.outcomes) == (0, {server.name: "unchanged"})


async def test_tags_are_added_and_others_go_only_when_asked(fleet: Errands, tmp_path: Path) -> None:
    rows = inventory(tmp_path, fleet, "server02")
    machine = fleet.twin.azure.machines[RESOURCE_GROUP, "server02"]
    machine.tags = {"Owner": "somebody", "SITE": "elsewhere"}
    planned = await fleet.errand("set-tags", "--tags", "tier=web", inventory=rows)
    assert (planned.code, machine.tags) == (0, {"Owner": "somebody", "SITE": "elsewhere"}), planned.err
    done = await fleet.errand("set-tags", "--tags", "tier=web", "--apply", inventory=rows)
    assert done.code == 0, done.out + done.err
    own = machine.tags.copy()
    assert own.pop("Owner") == "somebody"
    assert own.pop("tier") == "web"
    assert "site" not in own, "a name that Azure has in another case"
    alone = await fleet.errand("set-tags", "--tags", "tier=web", "--replace", "--apply", inventory=rows)
    assert (alone.code, "Owner" in machine.tags, machine.tags["tier"]) == (0, False, "web")


async def test_a_proxy_that_leads_nowhere_is_taken_back(fleet: Errands, tmp_path: Path) -> None:
    rows = inventory(tmp_path, fleet, "server02")
    server = fleet.twin.servers.hosts[1]
    nowhere = f"http://127.0.0.1:{free_port()}"
    done = await fleet.errand("set-proxy", "--agent-proxy", nowhere, "--apply", inventory=rows)
    assert (done.code, done.outcomes) == (1, {"server02": "failed"}), done.out
    assert done.host("server02")["failure"]["says"].endswith("its agent uses no proxy as before")
    shown = await server.run("/opt/azcmagent/bin/azcmagent config get proxy.url")
    assert nowhere not in shown.stdout
    same = await fleet.errand("set-proxy", "--none", inventory=rows)
    assert (same.code, same.outcomes) == (0, {"server02": "unchanged"}), same.out
    unsaid = await fleet.errand("set-proxy", inventory=rows)
    assert "--agent-proxy" in unsaid.host("server02")["failure"]["hint"]


async def test_upgraded_canary_first_and_connected_anew(
    fleet: Errands, sealed: Sealed, tmp_path: Path
) -> None:
    rows = inventory(tmp_path, fleet, "server02", "server03")
    newer = tmp_path / "newer.zip"
    contents = bundles.Contents((build_agent_package(tmp_path, version="1.68.0"),))
    bundles.build(newer, contents, bundles.load_secret_key(sealed.key), created=times.now())
    # To measure the path a host takes ports that cannot be had everywhere; then waves alone go in order.
    ports = (fleet.twin.network.resolver.rpartition(":")[2], fleet.twin.network.port)
    order = ("--canary", "1" if ports == ("53", 443) else "0", "--waves", "1,100%", "--bundle", str(newer))
    fleet.twin.azure.add_group("rg-held")
    held = await fleet.errand("upgrade", *order, "--resource-group", "rg-held", inventory=rows)
    assert held.code == 1
    assert {host["steps"][0]["verdict"] for host in held.document["hosts"]} == {"block"}
    names = ("server02", "server03")
    told = await fleet.errand("lifecycle", inventory=rows)
    (due,) = [one for one in told.document["dues"] if one["kind"] == "agent-support"]
    assert (due["key"], due["servers"]) == ("1.67", list(names))
    too_old = await fleet.errand("verify", "--bundle", str(newer), inventory=rows)
    assert too_old.code == 1, too_old.err
    may_read = fleet.sign_in_with("verify")
    done = await fleet.errand("upgrade", *order, *may_read, "--apply", inventory=rows)
    assert (done.code, done.outcomes) == (0, dict.fromkeys(names, "connected")), done.out + done.err
    stages = [done.host(name)["stage"] for name in names]
    assert stages in (["canary", "wave 2"], ["wave 1", "wave 2"])
    before = {name: fleet.twin.azure.machines[RESOURCE_GROUP, name] for name in names}
    assert {one.properties["agentVersion"] for one in before.values()} == {"1.68.0"}
    assert fleet.puts()["server02"] == 1, "upgraded where it was"
    proved = await fleet.errand("verify", "--bundle", str(newer), *may_read, inventory=rows)
    assert proved.code == 0, proved.out
    blind = await ended(await fleet.begun("upgrade", str(rows), *order, *fleet.sign_in_with("data")))
    assert blind.code == 4
    assert "--role Reader" in blind.err, "no more than reading the machines"

    scope = private_link.add_scope(fleet.twin.azure, RESOURCE_GROUP, "pls")
    words = ("--apply", "--bundle", str(newer), "--limit", "server03", "--private-link-scope", scope)
    for _ in range(2):
        anew = await fleet.errand("reconnect", *words, inventory=rows)
        assert (anew.code, anew.outcomes) == (0, {"server03": "connected"}), anew.out + anew.err
        machine = fleet.twin.azure.machines[RESOURCE_GROUP, "server03"]
        assert machine.principal_id != before["server03"].principal_id
        assert machine.properties["privateLinkScopeResourceId"] == scope
        before["server03"] = machine
    assert fleet.twin.azure.machines[RESOURCE_GROUP, "server02"] is before["server02"]


async def test_a_server_of_another_group_and_a_machine_of_another_server_are_left(
    fleet: Errands, tmp_path: Path
) -> None:
    rows = inventory(tmp_path, fleet, "server03")
    fleet.twin.azure.add_group("rg-other")
    other = await fleet.errand("offboard", "--apply", "--resource-group", "rg-other", inventory=rows)
    assert (other.code, other.outcomes) == (1, {"server03": "blocked"})
    assert f"another resource group {RESOURCE_GROUP}" in other.host("server03")["failure"]["says"]
    machine = fleet.twin.azure.machines[RESOURCE_GROUP, "server03"]
    kept = machine.properties
    machine.properties = kept | {"vmId": "99999999-2222-3333-4444-555555555555", "vmUuid": "no"}
    try:
        done = await fleet.errand("offboard", "--apply", inventory=rows)
    finally:
        machine.properties = kept
    assert (done.code, done.outcomes) == (1, {"server03": "blocked"})
    assert "not provably this server's" in done.host("server03")["failure"]["says"]
    assert "server03" in machines(fleet)


async def test_without_the_right_to_delete_nothing_is_half_done(fleet: Errands, tmp_path: Path) -> None:
    rows = inventory(tmp_path, fleet, "server03")
    client = fleet.twin.azure.add_client("onboarding")
    words = ("--client-id", client.client_id, "--secret-env", "OTHER_SECRET")
    fleet.extra["OTHER_SECRET"] = client.secret
    put_extension(fleet, "server03")
    done = await fleet.errand("offboard", "--apply", *words, inventory=rows)
    assert (done.code, done.outcomes) == (1, {"server03": "failed"}), done.out
    assert "extensions/" in done.host("server03")["failure"]["says"]
    assert steps(done, "server03").get("disconnect") in {"not begun", None}
    fleet.twin.azure.plane.documents.clear()


async def test_servers_leave_in_the_order_that_the_plan_shows(fleet: Errands, tmp_path: Path) -> None:
    """Server01 is out already and so was ahead; what cannot be reached is passed over, what fails ends it."""
    path = tmp_path / "servers.csv"
    rows = fleet.twin.paths.inventory.read_text().splitlines()
    _, address, _, *rest = rows[1].split(",")
    dead = ",".join(("dead01", address, str(free_port()), *rest))
    path.write_text("\n".join([rows[0], dead, *rows[2:4], ""]))
    order = ("--canary", "1", "--waves", "1,100%")
    planned = await fleet.errand("offboard", *order, inventory=path)
    assert planned.outcomes == {"dead01": "failed", "server02": "planned", "server03": "planned"}, planned.out
    stages = [{"stage": "canary", "hosts": ["server02"]}, {"stage": "wave 2", "hosts": ["server03"]}]
    assert planned.document["stages"] == stages

    client = fleet.twin.azure.add_client("onboarding")
    fleet.extra["OTHER_SECRET"] = client.secret
    words = ("--client-id", client.client_id, "--secret-env", "OTHER_SECRET", "--keep-extensions")
    ended_early = await fleet.errand("offboard", "--apply", *order, *words, inventory=path)
    outcomes = {"dead01": "failed", "server02": "failed", "server03": "stopped"}
    assert (ended_early.code, ended_early.outcomes) == (1, outcomes), ended_early.out
    assert ended_early.document["refusal"].startswith("server02 went ahead and failed")
    assert {"server02", "server03"} <= machines(fleet)

    few = ("--apply", "--max-failures", "1", "--waves", "1,100%")
    spent = await fleet.errand("offboard", *few, inventory=path)
    assert spent.outcomes == {"dead01": "failed", "server02": "stopped", "server03": "stopped"}, spent.out


async def test_a_server_whose_window_is_closed_is_not_begun(fleet: Errands, tmp_path: Path) -> None:
    rows = inventory(tmp_path, fleet, "server02")
    another_day = (times.now() + timedelta(days=3)).strftime("%a")
    window = ("--window", f"{another_day} 10:00-11:00 UTC")
    planned = await fleet.errand("offboard", *window, inventory=rows)
    assert planned.host("server02")["waits"].startswith(f"its window opens {another_day} ")
    words = ("offboard", str(rows), "--apply", *window, "--output", "json")
    process = await fleet.by_itself(*words)
    while not any(step == "window" for _, step, _, _ in journal(fleet)):
        assert process.returncode is None
        await asyncio.sleep(0.02)  # another process writes what is looked for
    process.send_signal(signal.SIGINT)
    done = await ended(process)
    assert (done.code, done.outcomes) == (130, {"server02": "stopped"}), done.err
    assert "server02" in machines(fleet)
    open_now = await fleet.errand("offboard", "--window", "daily 00:00-24:00 UTC", inventory=rows)
    assert (open_now.host("server02")["waits"], open_now.outcomes) == (None, {"server02": "planned"})


async def test_a_server_that_is_gone_is_taken_out_in_azure_alone(fleet: Errands, tmp_path: Path) -> None:
    """What answers is not deleted, nor what only has the name."""
    path = tmp_path / "gone.csv"
    path.write_text("name,address,tags\ngone01,gone01.corp.example,tier=old\nanothers,10.9.9.9,tier=old\n")
    fqdn, vm_id = "gone01.corp.example", "aaaaaaaa-2222-3333-4444-555555555555"
    machine = put_machine(fleet, "gone01", vmId=vm_id, machineFqdn=fqdn)
    machine.tags = {"Tier": "old", "other": "x"}
    machine.last_heartbeat = times.now() - timedelta(days=3)
    unread = await fleet.errand("offboard", "--only-azure", inventory=path)
    assert (unread.code, unread.outcomes) == (1, {"anothers": "blocked", "gone01": "planned"}), unread.out
    done = await fleet.errand("offboard", "--only-azure", "--apply", "--limit", "gone01", inventory=path)
    assert (done.code, done.outcomes, "gone01" in machines(fleet)) == (0, {"gone01": "done"}, False), done.err
    alive = await fleet.errand("offboard", "--only-azure", "--limit", "server03", "--apply")
    assert "a server answers for it" in alive.host("server03")["failure"]["says"]

    vm_id = fleet.twin.azure.machines[RESOURCE_GROUP, "anothers"].vm_id
    for wrong, code in ((vm_id.replace("1", "2"), 1), (vm_id, 0)):
        words = ("offboard", "--machine", "anothers", "--vm-id", wrong, "--output", "json")
        assert (await ended(await fleet.begun(*words))).code == code
    assert {"anothers", "server03"} <= machines(fleet)


async def test_what_goes_wrong_and_what_would_be_done_is_said_in_chinese(
    fleet: Errands, tmp_path: Path
) -> None:
    """One server that is well and one that nobody answers for: no sentence is left in English."""
    path = inventory(tmp_path, fleet, "server03")
    with path.open("a") as rows:
        rows.write(f"dead01,127.0.0.1,{free_port()},ssh\n")
    fleet.extra["COLUMNS"] = "400"
    for command in ("onboard apply", "verify", "offboard", "upgrade", "set-tags --tags a=b"):
        done = await ended(await fleet.begun("--lang", "zh-TW", *command.split(), str(path)))
        assert "dead01" in done.out, done.err
        assert list(leftovers(done.out + done.err)) == [], command


async def test_leave_takes_out_the_servers_of_a_run_and_then_forgets_them(
    fleet: Errands, tmp_path: Path
) -> None:
    """A server of no run is left alone, and what is remembered goes last."""
    rows = fleet.twin.paths.inventory.read_text().splitlines()
    path = tmp_path / "servers.csv"
    _, _, *rest = rows[1].split(",")
    path.write_text("\n".join([*rows, ",".join(("stranger", "10.9.9.9", *rest)), ""]))
    fleet.extra["ARCFERRY_DATA"] = str(tmp_path / "data")
    begun = ("leave", "--inventory", str(path), "--units", str(tmp_path), "--forget", "--output", "json")

    async def left(*words: str) -> Ended:
        return await ended(await fleet.begun(*begun, *words))

    planned = await left()
    assert planned.code == 0, planned.out + planned.err
    states = {one["kind"]: one["state"] for one in planned.document["traces"]}
    own = {"servers": "planned", "memory": "planned"}
    assert states == {"identity": "listed", "communities": "listed", **own}
    assert planned.document["servers"]["others"] == ["stranger"]
    assert "server03" in machines(fleet)

    done = await left("--apply")
    assert done.code == 0, done.out + done.err
    assert machines(fleet) == {"anothers"}
    assert {name for host in fleet.twin.servers.hosts for name in differs(fleet, host)} == set()
    states = {one["kind"]: one["state"] for one in done.document["traces"]}
    assert (states["servers"], states["memory"], states["identity"]) == ("removed", "removed", "listed")
    assert {one.name for one in fleet.state.iterdir()} <= {"lock"}
