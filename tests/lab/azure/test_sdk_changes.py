"""The official Azure clients, unmodified, where they change what the twin's Resource Manager keeps."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from azure.core.exceptions import HttpResponseError, ResourceModifiedError, ResourceNotFoundError
from azure.core.rest import HttpRequest
from azure.mgmt.hybridcompute import HybridComputeManagementClient
from azure.mgmt.hybridcompute.models import (
    License,
    LicenseDetails,
    MachineExtension,
    MachineExtensionProperties,
)
from azure.mgmt.resource.resources import ResourceManagementClient
from tests.lab.azure.test_sdk import by_secret, clients, machine

from arcferry_lab.twin import RESOURCE_GROUP, Twin

pytestmark = pytest.mark.lab
Work = Callable[[HybridComputeManagementClient, ResourceManagementClient], None]
VERSION = "2024-05-01"
FILTER = "Microsoft.Network/routeFilters/rf-other"


async def run(twin: Twin, work: Work) -> None:
    """Let the official clients work, in a thread as they block."""

    def with_clients() -> None:
        with clients(twin, by_secret(twin)) as (arc, resources):
            work(arc, resources)

    await asyncio.to_thread(with_clients)


def place(twin: Twin, path: str) -> str:
    base = f"/subscriptions/{twin.azure.subscription_id}/resourceGroups/{RESOURCE_GROUP}"
    return f"{base}/providers/{path}"


def extension() -> MachineExtension:
    properties = MachineExtensionProperties(
        publisher="Microsoft.Azure.Monitor", type="AzureMonitorLinuxAgent"
    )
    return MachineExtension(location="eastasia", properties=properties)


async def test_an_extension_is_followed_to_its_end(twin: Twin) -> None:
    def work(arc: HybridComputeManagementClient, _: ResourceManagementClient) -> None:
        arc.machines.create_or_update(RESOURCE_GROUP, "web01", machine())
        on = arc.machine_extensions
        made = on.begin_create_or_update(RESOURCE_GROUP, "web01", "monitor", extension()).result()
        assert made.properties.provisioning_state == "Succeeded"
        assert made.properties.instance_view.status.code == "0"
        update = {"properties": {"enableAutomaticUpgrade": True}}
        on.begin_update(RESOURCE_GROUP, "web01", "monitor", update).result()
        (listed,) = on.list(RESOURCE_GROUP, "web01")
        assert listed.properties.enable_automatic_upgrade is True
        on.begin_delete(RESOURCE_GROUP, "web01", "monitor").result()
        with pytest.raises(ResourceNotFoundError):
            on.get(RESOURCE_GROUP, "web01", "monitor")

    await run(twin, work)


async def test_an_extension_that_fails_is_an_error_with_azures_text(twin: Twin) -> None:
    await twin.add_fault("arm/extension-fails")

    def work(arc: HybridComputeManagementClient, _: ResourceManagementClient) -> None:
        arc.machines.create_or_update(RESOURCE_GROUP, "web01", machine())
        poller = arc.machine_extensions.begin_create_or_update(
            RESOURCE_GROUP, "web01", "monitor", extension()
        )
        with pytest.raises(HttpResponseError, match="non-zero exit code") as caught:
            poller.result()
        assert caught.value.error is not None
        assert caught.value.error.code == "HCRP400"

    await run(twin, work)


async def test_a_license(twin: Twin) -> None:
    def work(arc: HybridComputeManagementClient, _: ResourceManagementClient) -> None:
        details = LicenseDetails(state="Activated", target="Windows Server 2012", processors=8)
        wanted = License(location="eastasia", properties={"licenseDetails": details})
        made = arc.licenses.begin_create_or_update(RESOURCE_GROUP, "esu", wanted).result()
        assert made.properties.provisioning_state == "Succeeded"
        assert [one.name for one in arc.licenses.list_by_resource_group(RESOURCE_GROUP)] == ["esu"]
        arc.licenses.begin_delete(RESOURCE_GROUP, "esu").result()
        assert list(arc.licenses.list_by_subscription()) == []

    await run(twin, work)


async def test_a_route_filter_by_its_id(twin: Twin) -> None:
    def work(_: HybridComputeManagementClient, resources: ResourceManagementClient) -> None:
        by_id, own = resources.resources, place(twin, FILTER)
        rule = {"name": "allow", "properties": {"access": "Allow", "communities": ["12076:5060"]}}
        wanted: Any = {"location": "eastasia", "properties": {"rules": [rule]}}
        made = by_id.begin_create_or_update_by_id(own, wanted, api_version=VERSION).result()
        assert made.properties["provisioningState"] == "Succeeded"
        kind = "resourceType eq 'Microsoft.Network/routeFilters'"
        assert {one.name for one in by_id.list(filter=kind)} == {"rf-microsoft-peering", "rf-other"}
        stale = {"If-Match": 'W/"00000000-0000-0000-0000-000000000000"'}
        with pytest.raises((ResourceModifiedError, HttpResponseError)) as caught:
            by_id.begin_create_or_update_by_id(own, wanted, api_version=VERSION, headers=stale)
        assert caught.value.status_code == 412
        by_id.begin_delete_by_id(own, api_version=VERSION).result()
        with pytest.raises(ResourceNotFoundError):
            by_id.get_by_id(own, api_version=VERSION)

    await run(twin, work)


async def test_an_operation_that_fails(twin: Twin) -> None:
    await twin.add_fault("arm/operation-fails", times=1)

    def work(_: HybridComputeManagementClient, resources: ResourceManagementClient) -> None:
        wanted: Any = {"location": "eastasia"}
        poller = resources.resources.begin_create_or_update_by_id(
            place(twin, FILTER), wanted, api_version=VERSION
        )
        with pytest.raises(HttpResponseError, match="InternalServerError"):
            poller.result()

    await run(twin, work)


async def test_a_group_goes_with_what_is_in_it(twin: Twin) -> None:
    def work(_: HybridComputeManagementClient, resources: ResourceManagementClient) -> None:
        resources.resource_groups.create_or_update("rg-two", {"location": "japaneast"})
        twin.azure.faults.add("arm/group-deletion-stuck")  # the poller looks as soon as it is made
        poller = resources.resource_groups.begin_delete("rg-two")
        assert resources.resource_groups.get("rg-two").properties.provisioning_state == "Deleting"
        twin.azure.faults.clear()
        poller.result()
        assert not resources.resource_groups.check_existence("rg-two")

    await run(twin, work)


async def test_resource_graph_by_the_clients_own_pipeline(twin: Twin) -> None:
    def work(arc: HybridComputeManagementClient, _: ResourceManagementClient) -> None:
        arc.machines.create_or_update(RESOURCE_GROUP, "web01", machine())
        request = HttpRequest(
            "POST",
            f"{twin.azure.arm_url}/providers/Microsoft.ResourceGraph/resources?api-version=2022-10-01",
            json={"query": "Resources | where type has 'hybridcompute' | project name"},
        )
        answer = arc.send_request(request)
        answer.raise_for_status()
        assert answer.json()["data"] == [{"name": "web01"}]

    await run(twin, work)
