"""`onboard` with exactly the rights that docs/rights.md gives to its tasks, on the group alone."""

import pytest
from tests.fleet.conftest import Fleet

from arcferry import rights
from arcferry_lab.azure.rights import granted
from arcferry_lab.twin import RESOURCE_GROUP


def sign_in_with(fleet: Fleet, *names: str, without: str = "") -> None:
    place = rights.Place(fleet.twin.azure.subscription_id, RESOURCE_GROUP)
    roles = [
        granted(tuple(action for action in task.actions if action != without), place.scope(task.scope))
        for task in map(rights.task, names)
    ]
    client = fleet.twin.azure.add_client_with(*roles)
    fleet.extra = {"AZURE_CLIENT_ID": client.client_id, "AZURE_CLIENT_SECRET": client.secret}


async def test_onboard_is_enough_for_apply(fleet: Fleet) -> None:
    sign_in_with(fleet, "onboard")
    done = await fleet.run("apply")
    assert done.code == 0, done.err
    assert len(fleet.twin.azure.machines) == len(fleet.names)


async def test_onboard_is_enough_for_plan(azure_only: Fleet) -> None:
    sign_in_with(azure_only, "onboard")
    done = await azure_only.run("plan")
    assert done.document["azure"] == "asked", done.err


@pytest.mark.parametrize("right", ["read", "write"])
async def test_without_a_right_on_machines_plan_names_it_and_where(azure_only: Fleet, right: str) -> None:
    lacking = f"Microsoft.HybridCompute/machines/{right}"
    sign_in_with(azure_only, "onboard", "preflight", without=lacking)
    done = await azure_only.run("plan")
    assert done.code == 4
    told = " ".join(done.err.split())
    assert lacking in told
    assert RESOURCE_GROUP in told
