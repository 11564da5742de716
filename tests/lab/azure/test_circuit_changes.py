"""Circuits and peerings as clients write them."""

from dataclasses import replace

import pytest
from tests.lab.azure.control import Control

from arcferry_lab.azure.circuit_requests import circuits
from arcferry_lab.azure.long_running import look_at
from arcferry_lab.network.plan import Service

pytestmark = pytest.mark.lab
CIRCUITS = "Microsoft.Network/expressRouteCircuits"
OWN = f"{CIRCUITS}/er-onprem"
NEW = f"{CIRCUITS}/er-new"
BODY = {
    "location": "eastasia",
    "sku": {"tier": "Premium", "family": "MeteredData"},
    "properties": {
        "serviceProviderProperties": {
            "serviceProviderName": "Contoso",
            "peeringLocation": "Taipei",
            "bandwidthInMbps": 50,
        }
    },
}
PRIVATE = {"properties": {"peerASN": 65010, "vlanId": 200, "primaryPeerAddressPrefix": "192.0.2.0/30"}}


async def test_a_circuit_is_made_waits_for_its_provider_and_is_deleted(control: Control) -> None:
    made = await control.ask("PUT", NEW, BODY)
    assert made.status == 201
    await control.ended(made)
    shown = (await control.ask("GET", NEW)).body
    assert shown["sku"]["name"] == "Premium_MeteredData"
    assert shown["properties"]["serviceProviderProvisioningState"] == "NotProvisioned"
    assert (await control.ask("GET", f"{NEW}/stats")).body["primarybytesIn"] == 0
    await control.ended(await control.ask("PUT", f"{NEW}/peerings/AzurePrivatePeering", PRIVATE))
    again = (await control.ask("GET", NEW)).body["properties"]
    assert again["serviceKey"] == shown["properties"]["serviceKey"]
    assert [one["name"] for one in again["peerings"]] == ["AzurePrivatePeering"]
    await control.ended(await control.ask("DELETE", f"{NEW}/peerings/AzurePrivatePeering"))
    await control.ended(await control.ask("DELETE", NEW))
    assert (await control.ask("GET", NEW)).code == "ResourceNotFound"


async def test_the_companys_circuit_is_changed_as_a_whole(control: Control) -> None:
    whole = (await control.ask("GET", OWN)).body
    whole["sku"]["tier"], whole["tags"] = "Standard", {"site": "one"}
    whole["properties"]["serviceProviderProperties"]["bandwidthInMbps"] = 2000
    await control.ended(await control.ask("PUT", OWN, whole))
    now = (await control.ask("GET", OWN)).body
    assert (now["sku"]["name"], now["tags"]) == ("Standard_MeteredData", {"site": "one"})
    assert now["properties"]["serviceProviderProperties"]["bandwidthInMbps"] == 2000
    assert now["properties"]["peerings"][0]["properties"]["routeFilter"]
    patched = await control.ask("PATCH", OWN, {"tags": {}})
    assert (patched.status, "tags" in patched.body) == (200, False)


async def test_a_circuit_that_the_provider_carries_is_not_deleted(control: Control) -> None:
    begun = await control.ask("DELETE", OWN)
    assert begun.status == 202
    ended = (await control.ended(begun)).body
    assert (ended["status"], ended["error"]["code"]) == ("Failed", "ConflictError")
    shown = (await control.ask("GET", OWN)).body
    assert shown["properties"]["provisioningState"] == "Failed"
    azure = control.twin.azure
    azure.circuit.provisioning = "NotProvisioned"
    assert (await control.ask("DELETE", OWN)).status == 202
    # Resource Manager is out of reach when the circuit goes, so the last look is not a request.
    place = str(shown["id"])
    await look_at(azure, place)
    await look_at(azure, place)
    assert circuits(azure) == []


async def test_a_peering_that_is_disabled_or_gone_lets_nothing_through(control: Control) -> None:
    """Through the state, as Resource Manager itself is out of reach then, with whatever it would answer."""
    twin = control.twin
    place = twin.network.place(Service.ARM)
    assert twin.network.is_open(place)
    for change in ({"peering_state": "Disabled"}, {"has_peering": False}, {"filter_attached": False}):
        before, twin.azure.circuit = twin.azure.circuit, replace(twin.azure.circuit, **change)
        await twin.azure.filter_changed()
        assert not twin.network.is_open(place), change
        twin.azure.circuit = before
        await twin.azure.filter_changed()
        assert twin.network.is_open(place)


@pytest.mark.parametrize(
    ("path", "body", "status", "code"),
    [
        (NEW, {}, 400, "InvalidRequestFormat"),
        (NEW, BODY | {"sku": {"tier": "Gold", "family": "MeteredData"}}, 400, "InvalidRequestFormat"),
        (NEW, BODY | {"sku": []}, 400, "InvalidRequestFormat"),
        (f"{OWN}/peerings/MyPeering", PRIVATE, 400, "InvalidRequestFormat"),
        (f"{OWN}/peerings/MicrosoftPeering", {"properties": {"vlanId": "x"}}, 400, "InvalidRequestFormat"),
        (f"{NEW}/peerings/AzurePrivatePeering", PRIVATE, 404, "ResourceNotFound"),
    ],
)
async def test_what_is_wrong_is_refused(
    control: Control, path: str, body: dict[str, object], status: int, code: str
) -> None:
    answer = await control.ask("PUT", path, body)
    assert (answer.status, answer.code) == (status, code)


async def test_the_traffic_of_a_circuit_and_of_its_peering(control: Control) -> None:
    for path in (f"{OWN}/stats", f"{OWN}/peerings/MicrosoftPeering/stats"):
        assert (await control.ask("GET", path)).body["primarybytesIn"] > 0
