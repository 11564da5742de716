"""Each fault of the control plane, as a client meets it."""

import asyncio

import pytest
from tests.lab.azure.control import Control

pytestmark = pytest.mark.lab
FILTER = "Microsoft.Network/routeFilters/rf-other"
OWN = "Microsoft.Network/routeFilters/rf-microsoft-peering"
MACHINE = "Microsoft.HybridCompute/machines/web01"
EXTENSION = f"{MACHINE}/extensions/monitor"
GRAPH = "/providers/Microsoft.ResourceGraph/resources"
BODY = {"location": "eastasia"}
MONITOR = {
    "location": "eastasia",
    "properties": {"publisher": "Microsoft.Azure.Monitor", "type": "AzureMonitorLinuxAgent"},
}


async def test_somebody_was_first(control: Control) -> None:
    etag = (await control.ask("GET", OWN)).body["etag"]
    await control.twin.add_fault("arm/412", times=1)
    answer = await control.ask("PATCH", OWN, {"tags": {}}, If_Match=etag)
    assert (answer.status, answer.code) == (412, "PreconditionFailed")
    assert (await control.ask("PATCH", OWN, {"tags": {}}, If_Match=etag)).status == 200


async def test_an_operation_fails_and_leaves_what_there_was(control: Control) -> None:
    await control.twin.add_fault("arm/operation-fails")
    begun = await control.ask("PUT", OWN, {"properties": {"rules": []}})
    assert begun.status == 200
    ended = await control.ended(begun)
    assert (ended.body["status"], ended.body["error"]["code"]) == ("Failed", "InternalServerError")
    shown = (await control.ask("GET", OWN)).body
    assert shown["properties"]["provisioningState"] == "Failed"
    assert shown["properties"]["rules"]
    await control.twin.remove_fault("arm/operation-fails")
    await control.ended(await control.ask("PUT", OWN, shown))
    assert (await control.ask("GET", OWN)).body["properties"]["provisioningState"] == "Succeeded"


async def test_an_operation_is_stuck_until_the_fault_goes(control: Control) -> None:
    await control.twin.add_fault("arm/operation-stuck")
    begun = await control.ask("PUT", FILTER, BODY)
    for _ in range(4):
        seen = await control.follow(begun.headers["Azure-AsyncOperation"])
        assert (seen.body["status"], seen.headers["Retry-After"]) == ("InProgress", "1")
    await control.twin.remove_fault("arm/operation-stuck")
    assert (await control.ended(begun)).body["status"] == "Succeeded"


async def test_an_extension_fails_on_its_server(control: Control) -> None:
    await control.twin.add_fault("arm/extension-fails", times=1)
    await control.ask("PUT", MACHINE, BODY)
    ended = await control.ended(await control.ask("PUT", EXTENSION, MONITOR))
    assert (ended.body["status"], ended.body["error"]["code"]) == ("Failed", "HCRP400")
    properties = (await control.ask("GET", EXTENSION)).body["properties"]
    assert properties["provisioningState"] == "Failed"
    assert properties["instanceView"]["status"]["level"] == "Error"
    await control.ended(await control.ask("PUT", EXTENSION, MONITOR))
    assert (await control.ask("GET", EXTENSION)).body["properties"]["provisioningState"] == "Succeeded"


async def test_a_group_stays_deleting(control: Control) -> None:
    await control.twin.add_fault("arm/group-deletion-stuck")
    await control.ask("PUT", "resourceGroups/rg-new", BODY)
    begun = await control.ask("DELETE", "resourceGroups/rg-new")
    for _ in range(4):
        assert (await control.follow(begun.headers["Location"])).status == 202
    shown = await control.ask("GET", "resourceGroups/rg-new")
    assert shown.body["properties"]["provisioningState"] == "Deleting"
    made = await control.ask("PUT", FILTER, BODY)
    assert (await control.ended(made)).body["status"] == "Succeeded"


async def test_everybody_is_refused_for_a_while(control: Control) -> None:
    """The time of the strike is of the twin's own clock: here it is over when the test says so."""
    plane = control.twin.azure.plane
    plane.throttle_for = 59
    await control.twin.add_fault("arm/throttling", times=1)
    answers = await asyncio.gather(*(control.ask("GET", "resources") for _ in range(5)))
    assert {(one.status, one.code) for one in answers} == {(429, "SubscriptionRequestsThrottled")}
    assert all(50 < int(one.headers["Retry-After"]) <= 59 for one in answers)
    plane.throttled_until = None
    assert (await control.ask("GET", "resources")).status == 200


async def test_resource_graph_has_a_limit_of_its_own(control: Control) -> None:
    await control.twin.add_fault("arm/graph-throttling", times=1)
    answer = await control.ask("POST", GRAPH, {"query": "resources"})
    assert (answer.status, answer.code) == (429, "RateLimiting")
    assert (answer.headers["Retry-After"], answer.headers["x-ms-user-quota-remaining"]) == ("1", "0")
    assert (await control.ask("GET", "resources")).status == 200
    assert (await control.ask("POST", GRAPH, {"query": "resources"})).status == 200


async def test_a_new_role_takes_a_while_for_each_client(control: Control) -> None:
    await control.twin.add_fault("arm/role-settling")
    answers = [await control.ask("GET", "resources") for _ in range(4)]
    assert [one.status for one in answers] == [403, 403, 403, 200]
    assert "please refresh your credentials" in answers[0].body["error"]["message"]
    other = Control(
        control.twin, control.browser, await control.browser.token(control.twin.azure.add_client())
    )
    assert (await other.ask("GET", "resources")).code == "AuthorizationFailed"
    assert (await control.ask("GET", "resources")).status == 200
