"""`onboard` with exactly the rights that docs/rights.md gives to its tasks, on the group alone."""

from tests.fleet.conftest import Fleet

from arcferry import rights
from arcferry_lab.azure.rights import Grant
from arcferry_lab.twin import RESOURCE_GROUP


def sign_in_with(fleet: Fleet, name: str, *, without: str = "") -> None:
    task = rights.task(name)
    place = rights.Place(fleet.twin.azure.subscription_id, RESOURCE_GROUP)
    actions = tuple(action for action in task.actions if action != without)
    client = fleet.twin.azure.add_client_with(Grant(actions, place.scope(task.scope)))
    fleet.extra = {"AZURE_CLIENT_ID": client.client_id, "AZURE_CLIENT_SECRET": client.secret}


async def test_onboard_is_enough_for_apply(fleet: Fleet) -> None:
    sign_in_with(fleet, "onboard")
    done = await fleet.run("apply")
    assert done.code == 0, done.err
    assert len(fleet.twin.azure.machines) == len(fleet.names)


async def test_verify_is_enough_for_plan(azure_only: Fleet) -> None:
    sign_in_with(azure_only, "verify")
    done = await azure_only.run("plan")
    assert done.document["azure"] == "asked", done.err


async def test_without_the_right_to_read_plan_names_it_and_its_scope(azure_only: Fleet) -> None:
    right = "Microsoft.HybridCompute/machines/read"
    sign_in_with(azure_only, "verify", without=right)
    done = await azure_only.run("plan")
    assert done.code == 4
    told = " ".join(done.err.split())
    assert right in told
    assert f"resourceGroups/{RESOURCE_GROUP}" in told
