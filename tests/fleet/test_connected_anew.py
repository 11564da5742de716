"""Servers that are connected elsewhere or no longer, and what of them is left in Azure."""

import shutil
from datetime import timedelta

import pytest

from arcferry import times
from arcferry_lab.twin import RESOURCE_GROUP

from .conftest import Ended, Fleet

pytestmark = [pytest.mark.lab, pytest.mark.hosts]
OLD = "rg-old"
NAMES = ("server01",)
ALL = dict.fromkeys(NAMES, "connected")


@pytest.fixture(autouse=True)
def one_host(fleet: Fleet) -> None:
    """Each is onboarded several times; one shows what all would."""
    inventory = fleet.twin.paths.inventory
    inventory.write_text("".join(inventory.read_text().splitlines(keepends=True)[:2]))


def machines(fleet: Fleet) -> set[tuple[str, str]]:
    return set(fleet.twin.azure.machines)


def calls(fleet: Fleet, method: str) -> list[str]:
    return [call.path for call in fleet.twin.azure.journal if call.method == method]


async def elsewhere(fleet: Fleet) -> None:
    """Every host was connected, to machines of another group."""
    fleet.twin.azure.add_group(OLD)
    fleet.extra["ARCFERRY_RESOURCE_GROUP"] = OLD
    assert (await fleet.run("apply")).code == 0
    del fleet.extra["ARCFERRY_RESOURCE_GROUP"]
    shutil.rmtree(fleet.state)


async def left(fleet: Fleet, *, status: str = "Disconnected") -> None:
    """Every host was connected, and forgot it; its machine is still in Azure."""
    assert (await fleet.run("apply")).code == 0
    shutil.rmtree(fleet.state)
    await fleet.twin.servers.hosts[0].run("/opt/azcmagent/bin/azcmagent disconnect --force-local-only")
    quiet = {"Disconnected": timedelta(hours=1), "Expired": timedelta(days=60), "Connected": timedelta()}
    for machine in fleet.twin.azure.machines.values():
        machine.last_heartbeat = times.now() - quiet[status]


def failures(done: Ended) -> list[str]:
    return [host["failure"]["says"] for host in done.document["hosts"]]


def hints(done: Ended) -> list[str]:
    return [host["failure"]["hint"] for host in done.document["hosts"]]


async def test_a_server_that_is_connected_elsewhere_is_left_there(fleet: Fleet) -> None:
    await elsewhere(fleet)
    before = fleet.puts()
    done = await fleet.run("apply")
    assert (done.code, set(done.outcomes.values())) == (1, {"blocked"}), done.err
    for says, hint in zip(failures(done), hints(done), strict=True):
        assert "which is another resource group rg-old" in says
        assert "--reconnect" in hint
    assert (fleet.puts(), calls(fleet, "DELETE")) == (before, [])
    assert {group for group, _ in machines(fleet)} == {OLD}


async def test_a_server_that_is_connected_elsewhere_is_moved_when_asked(fleet: Fleet) -> None:
    await elsewhere(fleet)
    moved = await fleet.run("apply", "--reconnect")
    assert (moved.code, moved.outcomes) == (0, ALL), moved.out
    assert machines(fleet) == {(RESOURCE_GROUP, name) for name in NAMES}


async def test_who_may_not_delete_there_is_told_the_owners_command(fleet: Fleet) -> None:
    await elsewhere(fleet)
    client = fleet.twin.azure.add_client("onboarding")
    fleet.extra |= {"AZURE_CLIENT_ID": client.client_id, "AZURE_CLIENT_SECRET": client.secret}
    done = await fleet.run("apply", "--reconnect", "--patience", "3")
    assert (done.code, set(done.outcomes.values())) == (1, {"failed"}), done.err
    for name, says, hint in zip(NAMES, failures(done), hints(done), strict=True):
        assert "could not be disconnected from" in says
        assert f"in subscription {fleet.twin.azure.subscription_id} runs: az resource delete" in hint
        assert (
            f"--resource-group {OLD} --resource-type Microsoft.HybridCompute/machines --name {name}" in hint
        )
    assert machines(fleet) == {(OLD, name) for name in NAMES}

    # The owner did so.
    fleet.twin.azure.machines.clear()
    again = await fleet.run("apply", "--reconnect")
    assert (again.code, again.outcomes) == (0, ALL), again.out


async def test_a_machine_that_is_gone_is_made_anew_when_asked(fleet: Fleet) -> None:
    assert (await fleet.run("apply")).code == 0
    fleet.twin.azure.machines.clear()
    done = await fleet.run("apply")
    assert set(done.outcomes.values()) == {"blocked"}
    assert all("ARM no longer has" in says for says in failures(done))
    again = await fleet.run("apply", "--reconnect")
    assert (again.code, again.outcomes) == (0, ALL), again.out
    assert calls(fleet, "DELETE") == []


@pytest.mark.parametrize("status", ["Disconnected", "Expired"])
async def test_a_leftover_of_its_own_is_removed_where_azure_refuses_it(fleet: Fleet, status: str) -> None:
    await left(fleet, status=status)
    await fleet.twin.add_fault("his/machine-exists")
    done = await fleet.run("apply")
    assert (done.code, done.outcomes) == (0, ALL), done.out
    assert len(calls(fleet, "DELETE")) == len(NAMES)
    waits = [event["says"] for event in fleet.events() if event["event"] == "waiting"]
    assert any("removes this server's own leftover in Azure, server01" in wait for wait in waits)


async def test_a_leftover_that_azure_takes_back_is_kept(fleet: Fleet) -> None:
    await left(fleet)
    done = await fleet.run("apply")
    assert (done.code, done.outcomes) == (0, ALL), done.out
    assert calls(fleet, "DELETE") == []


async def test_a_leftover_that_may_not_be_removed(fleet: Fleet) -> None:
    await left(fleet)
    await fleet.twin.add_fault("his/machine-exists")
    client = fleet.twin.azure.add_client("onboarding")
    fleet.extra |= {"AZURE_CLIENT_ID": client.client_id, "AZURE_CLIENT_SECRET": client.secret}
    done = await fleet.run("apply")
    assert set(done.outcomes.values()) == {"failed"}
    for name, says, hint in zip(NAMES, failures(done), hints(done), strict=True):
        assert "AZCM0081" in says
        assert "own leftover in Azure could not be removed" in says
        assert f"machines --name {name}" in hint
    assert machines(fleet) == {(RESOURCE_GROUP, name) for name in NAMES}


@pytest.mark.parametrize("case", ["alive", "another's", "unknown"])
async def test_what_is_not_provably_its_own_stays(fleet: Fleet, case: str) -> None:
    await left(fleet, status="Connected" if case == "alive" else "Disconnected")
    for machine in fleet.twin.azure.machines.values():
        if case != "alive":
            machine.properties["vmUuid"] = "" if case == "unknown" else "4c4c4544-0043-4a10-8052-b4c04f4d3333"
    done = await fleet.run("apply")
    assert set(done.outcomes.values()) == {"blocked"}
    for name, says, hint in zip(NAMES, failures(done), hints(done), strict=True):
        assert f"ARM has a machine {name} already" in says
        assert f"of {name}." in says
        assert f"az resource delete --resource-group {RESOURCE_GROUP}" in hint
    assert calls(fleet, "DELETE") == []


async def test_a_refusal_that_the_agent_meets_and_that_passes(fleet: Fleet) -> None:
    await fleet.twin.add_fault("arm/write-403", times=2)
    done = await fleet.run("apply")
    assert (done.code, done.outcomes) == (0, ALL), done.out
    waits = [event["says"] for event in fleet.events() if event["event"] == "waiting"]
    assert any("Azure says AuthorizationFailed, as it may for minutes after a role" in wait for wait in waits)


async def test_a_refusal_that_the_agent_meets_and_that_lasts(fleet: Fleet) -> None:
    await fleet.twin.add_fault("arm/write-403")
    done = await fleet.run("apply", "--patience", "2")
    assert set(done.outcomes.values()) == {"failed"}
    assert all("AuthorizationFailed" in str(host["failure"]) for host in done.document["hosts"])
