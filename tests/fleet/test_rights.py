"""`onboard` with exactly the rights that docs/rights.md gives to its tasks, on the group alone."""

import json

import pytest
from tests.fleet.conftest import Fleet

from arcferry import rights
from arcferry_lab.azure import private_link
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
    """Into a private link scope and to a gateway too, which reach the agent and the machine."""
    sign_in_with(fleet, "onboard")
    scope = private_link.add_scope(fleet.twin.azure, RESOURCE_GROUP, "pls-site")
    gateway = scope.replace("privateLinkScopes/pls-site", "gateways/gw")
    done = await fleet.run("apply", "--private-link-scope", scope, "--gateway-id", gateway)
    assert done.code == 0, done.err
    assert len(fleet.twin.azure.machines) == len(fleet.names)
    scopes = {one.properties["privateLinkScopeResourceId"] for one in fleet.twin.azure.machines.values()}
    assert scopes == {scope}
    record = fleet.twin.servers.hosts[0].root / "var/opt/azcmagent/agentconfig.json"
    assert json.loads(record.read_text())["gatewayId"] == gateway


async def test_a_scope_that_is_not_there_stops_every_host(azure_only: Fleet) -> None:
    missing = private_link.scope_id(azure_only.twin.azure, RESOURCE_GROUP, "pls-none")
    done = await azure_only.run("plan", "--private-link-scope", missing)
    assert done.code == 3, done.out
    assert "there is no private link scope pls-none" in done.err


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
