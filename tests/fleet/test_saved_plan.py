"""A plan that is kept, and applied only while what it was made of is as it was."""

import json
from pathlib import Path

import pytest

from arcferry.errors import FileInputError
from arcferry.fleet.saved_plan import read
from arcferry_lab.hosts.faults import lay

from .conftest import Fleet

ALL = {"server01": "connected", "server02": "connected", "server03": "connected"}
NO_PLAN = {
    "nothing": "",
    "no JSON": "plan",
    "a list": "[]",
    "another kind": '{"schema": 1, "kind": "plan"}',
    "another schema": '{"schema": 2, "kind": "saved-plan"}',
    "no hosts": '{"schema": 1, "kind": "saved-plan", "made": "2026-11-28T00:00:00Z", "run": "a"}',
    "deep": "[" * 100_000,
}


@pytest.mark.parametrize("case", NO_PLAN)
def test_what_is_no_plan_is_refused(tmp_path: Path, case: str) -> None:
    (tmp_path / "plan.json").write_text(NO_PLAN[case])
    with pytest.raises(FileInputError, match="is no saved plan"):
        read(tmp_path / "plan.json")


@pytest.mark.lab
@pytest.mark.hosts
@pytest.mark.timeout(300)
async def test_a_plan_is_applied_as_it_stands_and_refused_where_facts_moved(
    fleet: Fleet, tmp_path: Path
) -> None:
    plan = tmp_path / "plan.json"
    assert (await fleet.run("plan", "--save", str(plan))).code == 0
    text = plan.read_text()
    assert plan.stat().st_mode & 0o077 == 0
    assert fleet.twin.client.secret not in text
    await lay("host/agent-already-installed", fleet.twin.servers.hosts[1])
    moved = await fleet.run("apply", "--plan", str(plan))
    # An older agent is upgraded as a new one is installed: the same is done.
    assert (moved.code, moved.outcomes) == (0, ALL), moved.err
    # The same plan again: what it has done is not held against it.
    again = await fleet.run("apply", "--plan", str(plan))
    assert (again.code, again.outcomes) == (0, ALL), again.err
    # Another plan of before: an apply has worked on the run since.
    document = json.loads(text)
    document["hosts"][0]["decided"]["install"]["why"] = "as it was"
    plan.write_text(json.dumps(document))
    older = await fleet.run("apply", "--plan", str(plan))
    assert older.code == 3
    assert "is older than an apply of the same run" in older.err


@pytest.mark.lab
@pytest.mark.hosts
async def test_a_host_whose_decision_is_another_now_is_named(fleet: Fleet, tmp_path: Path) -> None:
    plan = tmp_path / "plan.json"
    assert (await fleet.run("plan", "--save", str(plan))).code == 0
    document = json.loads(plan.read_text())
    document["hosts"][1]["decided"]["install"] = {"action": "skip", "why": "agent 1.67 is installed"}
    plan.write_text(json.dumps(document))
    done = await fleet.run("apply", "--plan", str(plan))
    assert done.code == 3
    assert "server02: install was skip (agent 1.67 is installed), and is run" in done.err
    assert "server01" not in done.err
    assert "--save FILE" in done.err
    assert fleet.events() == []


async def test_another_inventory_target_or_bundle_is_named(azure_only: Fleet, tmp_path: Path) -> None:
    fleet, plan = azure_only, tmp_path / "plan.json"
    assert (await fleet.run("plan", "--save", str(plan))).code == 1
    inventory = fleet.twin.paths.inventory
    inventory.write_text(inventory.read_text().replace("server01", "server02"))
    other = await fleet.run("apply", "--plan", str(plan))
    assert other.code == 3
    assert "server01 is not in the inventory any more; server02 is not in the plan" in other.err
    document = json.loads(plan.read_text())
    document |= {"bundle": "0123456789ab", "target": document["target"] | {"location": "westeurope"}}
    document["hosts"][0]["name"] = "server02"
    plan.write_text(json.dumps(document))
    moved = await fleet.run("apply", "--plan", str(plan))
    assert moved.code == 3
    assert "it is for the bundle 0123456789ab" in moved.err
    assert "location was westeurope, and is" in moved.err
    assert "server02 has another address" in moved.err
