"""What counts as done: Azure's Connected, a heartbeat newer than the run, and a version new enough."""

import json
import shutil
import sqlite3
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from arcferry import bundle as bundles
from arcferry import times
from arcferry.fleet.outcome import StepResult, StepState
from arcferry.fleet.steps.verified import since
from arcferry_lab.hosts import build_agent_package
from arcferry_lab.twin import RESOURCE_GROUP

from .conftest import Fleet, Sealed

pytestmark = [pytest.mark.lab, pytest.mark.hosts]
NAMES = ("server01", "server02", "server03")
ALL = dict.fromkeys(NAMES, "connected")
UPGRADE = "1.69.0"


@pytest.fixture(scope="module")
def upgrade(tmp_path_factory: pytest.TempPathFactory, sealed: Sealed) -> Sealed:
    folder = tmp_path_factory.mktemp("upgrade")
    made = Sealed(folder / "bundle.zip", sealed.key)
    contents = bundles.Contents((build_agent_package(folder, version=UPGRADE),))
    created = sealed.open().manifest.created + timedelta(seconds=1)
    bundles.build(made.path, contents, bundles.load_secret_key(made.key), created=created)
    return made


def versions_in_azure(fleet: Fleet) -> set[str]:
    return {str(machine.properties["agentVersion"]) for machine in fleet.twin.azure.machines.values()}


async def versions_on_hosts(fleet: Fleet) -> set[str]:
    shown = [await host.run("/opt/azcmagent/bin/azcmagent version") for host in fleet.twin.servers.hosts]
    return {one.stdout.split()[-1] for one in shown}


async def silence(fleet: Fleet) -> None:
    """The last heartbeat was ten minutes ago and no other comes; Azure shows Connected for some time yet."""
    then = times.now() - timedelta(minutes=10)
    for host in fleet.twin.servers.hosts:
        await host.run("kill $(cat /run/himds.pid)")
        record = host.root / "var/opt/azcmagent/heartbeat.json"
        record.write_text(json.dumps({"lastHeartbeat": times.to_text(then)}))
    for machine in fleet.twin.azure.machines.values():
        machine.last_heartbeat = then


def says(document: dict[str, object], names: Sequence[str] = NAMES) -> list[str]:
    hosts = document["hosts"]
    assert isinstance(hosts, list)
    return [host["failure"]["says"] for host in hosts if host["name"] in names]


async def test_an_upgrade_without_a_sign_of_life_is_not_done(fleet: Fleet, upgrade: Sealed) -> None:
    assert (await fleet.run("apply")).code == 0
    await fleet.twin.add_fault("his/no-heartbeat")
    fleet.sealed = upgrade
    done = await fleet.run("apply", "--patience", "3")
    assert done.code == 1, done.err
    assert done.outcomes == dict.fromkeys(NAMES, "failed")
    assert await versions_on_hosts(fleet) == {UPGRADE}
    for words in says(done.document):
        assert "ARM shows agent 1.67.0 also after 3 s, and 1.69.0 is what it should be" in words

    fleet.twin.azure.faults.clear()
    began = times.now()
    again = await fleet.run("apply")
    assert (again.code, again.outcomes) == (0, ALL), again.err
    assert versions_in_azure(fleet) == {UPGRADE}
    machines = fleet.twin.azure.machines.values()
    assert all(one.last_heartbeat and one.last_heartbeat > began for one in machines)
    commands = fleet.commands()
    third = await fleet.run("apply")
    assert third.code == 0, third.err
    assert [host["already"] for host in third.document["hosts"]] == [True] * 3
    assert fleet.commands() == commands, "what is proved for this run is not asked again"


BEGAN = times.from_text("2026-11-29T10:00:00Z")
LATER, LATEST = BEGAN + timedelta(minutes=2), BEGAN + timedelta(minutes=4)


def ended_at(step: str, began: datetime) -> StepResult:
    return StepResult(step, StepState.DONE, data={"began": times.to_text(began)})


SINCE: dict[str, tuple[list[StepResult], datetime]] = {
    "nothing was changed": ([], BEGAN),
    "an upgrade": ([ended_at("install", LATER)], LATER),
    "a connection": ([ended_at("connect", LATER)], LATER),
    "both": ([ended_at("install", LATER), ended_at("connect", LATEST)], LATEST),
    "connected already": ([StepResult("connect", StepState.DONE, data={"changed": False})], BEGAN),
    "an instant that is none": ([StepResult("connect", StepState.DONE, data={"began": "x"})], BEGAN),
    "of an earlier attempt": ([ended_at("install", BEGAN - timedelta(days=1))], BEGAN),
}


@pytest.mark.parametrize("case", SINCE)
def test_a_heartbeat_counts_from_what_needed_it(case: str) -> None:
    steps, wanted = SINCE[case]
    assert since(BEGAN, {step.step: step for step in steps}) == wanted


async def test_connected_long_ago_needs_a_new_heartbeat_too(fleet: Fleet) -> None:
    assert (await fleet.run("apply")).code == 0
    await silence(fleet)
    shutil.rmtree(fleet.state)
    done = await fleet.run("apply", "--patience", "3")
    assert (done.code, done.outcomes) == (1, dict.fromkeys(NAMES, "failed"))
    for words in says(done.document):
        assert "no heartbeat newer than this run within 3 s" in words
        assert "the last one is of 20" in words
    assert "verified waiting: a heartbeat newer than this run" in done.err
    waits = [event["says"] for event in fleet.events() if event["event"] == "waiting"]
    assert len(waits) == 3
    assert all("every five minutes" in wait for wait in waits)


async def test_a_newer_agent_is_left_alone(fleet: Fleet, sealed: Sealed, upgrade: Sealed) -> None:
    fleet.sealed = upgrade
    assert (await fleet.run("apply")).code == 0
    shutil.rmtree(fleet.state)
    fleet.sealed = sealed
    done = await fleet.run("apply")
    assert (done.code, done.outcomes) == (0, ALL), done.err
    steps = {step["step"]: step["says"] for step in done.host("server01")["steps"]}
    assert steps["install"] == "agent 1.69.0 is newer than the bundle's 1.67.0, and connected"
    assert await versions_on_hosts(fleet) == versions_in_azure(fleet) == {UPGRADE}


async def test_a_version_that_fell_back_in_azure_is_looked_at_again(fleet: Fleet) -> None:
    assert (await fleet.run("apply")).code == 0
    await silence(fleet)
    fleet.twin.azure.machines[RESOURCE_GROUP, "server02"].properties["agentVersion"] = "1.60.0"
    done = await fleet.run("apply", "--patience", "2")
    assert done.outcomes == ALL | {"server02": "failed"}
    assert says(done.document, ["server02"]) == [
        "ARM shows agent 1.60.0 also after 2 s, and 1.67.0 is what it should be"
    ]


async def test_records_of_before_prove_no_heartbeat(fleet: Fleet) -> None:
    """What an earlier version wrote down says nothing of versions: such hosts are proved once more."""
    assert (await fleet.run("apply")).code == 0
    (database,) = fleet.state.glob("runs/*/steps.sqlite")
    forget_versions(database)
    done = await fleet.run("apply")
    assert (done.code, done.outcomes) == (0, ALL)
    assert [host["already"] for host in done.document["hosts"]] == [False] * 3


def forget_versions(database: Path) -> None:
    with sqlite3.connect(database) as records:
        records.execute("""UPDATE workflow_output SET output = replace(output, '"version":', '"x":')""")
        assert records.total_changes == len(NAMES)
