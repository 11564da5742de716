"""The official Azure clients, unmodified, against the twin."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from uuid import uuid4

import pytest
from azure.core.exceptions import ClientAuthenticationError, HttpResponseError, ResourceNotFoundError
from azure.identity import CertificateCredential, ClientSecretCredential
from azure.identity.aio import ClientSecretCredential as AioClientSecretCredential
from azure.mgmt.hybridcompute import HybridComputeManagementClient
from azure.mgmt.hybridcompute.aio import HybridComputeManagementClient as AioHybridComputeManagementClient
from azure.mgmt.hybridcompute.models import Machine, MachineProperties
from azure.mgmt.resource.resources import ResourceManagementClient
from azure.mgmt.resource.resources.models import ResourceGroup

from arcferry_lab.twin import RESOURCE_GROUP, Twin

pytestmark = pytest.mark.lab
SCOPE = "https://management.azure.com/.default"
Credential = ClientSecretCredential | CertificateCredential


def options(twin: Twin) -> dict[str, object]:
    return {
        "authority": twin.azure.authority,
        "disable_instance_discovery": True,
        "connection_verify": str(twin.paths.ca),
    }


def by_secret(twin: Twin) -> Credential:
    return ClientSecretCredential(
        twin.azure.tenant_id, twin.client.client_id, twin.client.secret, **options(twin)
    )


def by_certificate(twin: Twin) -> Credential:
    return CertificateCredential(
        twin.azure.tenant_id, twin.client.client_id, str(twin.paths.certificate), **options(twin)
    )


def arm_options(twin: Twin) -> dict[str, object]:
    return {
        "base_url": twin.azure.arm_url,
        "credential_scopes": [SCOPE],
        "connection_verify": str(twin.paths.ca),
        "retry_total": 0,
    }


@contextmanager
def clients(twin: Twin, credential: Credential) -> Iterator[tuple[HybridComputeManagementClient, ...]]:
    subscription = twin.azure.subscription_id
    with ExitStack() as stack:
        stack.enter_context(credential)
        machines = HybridComputeManagementClient(credential, subscription, **arm_options(twin))
        resources = ResourceManagementClient(credential, subscription, **arm_options(twin))
        yield stack.enter_context(machines), stack.enter_context(resources)


def machine(location: str = "eastasia") -> Machine:
    return Machine(location=location, tags={"site": "one"}, properties=MachineProperties(vm_id=str(uuid4())))


@pytest.mark.parametrize("sign_in", [by_secret, by_certificate])
async def test_a_machine_is_created_shown_listed_and_deleted(
    twin: Twin, sign_in: Callable[[Twin], Credential]
) -> None:
    def work() -> None:
        with clients(twin, sign_in(twin)) as (arc, _):
            wanted = machine()
            created = arc.machines.create_or_update(RESOURCE_GROUP, "web01", wanted)
            assert created.id.endswith("/Microsoft.HybridCompute/machines/web01")
            shown = arc.machines.get(RESOURCE_GROUP.upper(), "WEB01")
            assert shown.properties.vm_id == wanted.properties.vm_id
            assert shown.properties.status == "AwaitingConnection"
            assert shown.tags == {"site": "one"}
            assert [one.name for one in arc.machines.list_by_resource_group(RESOURCE_GROUP)] == ["web01"]
            arc.machines.begin_delete(RESOURCE_GROUP, "web01").result()
            with pytest.raises(ResourceNotFoundError) as caught:
                arc.machines.get(RESOURCE_GROUP, "web01")
            assert caught.value.error.code == "ResourceNotFound"
            assert list(arc.machines.list_by_subscription()) == []

    await asyncio.to_thread(work)


async def test_the_asynchronous_client_does_the_same(twin: Twin) -> None:
    credential = AioClientSecretCredential(
        twin.azure.tenant_id, twin.client.client_id, twin.client.secret, **options(twin)
    )
    async with (
        credential,
        AioHybridComputeManagementClient(credential, twin.azure.subscription_id, **arm_options(twin)) as arc,
    ):
        await arc.machines.create_or_update(RESOURCE_GROUP, "web01", machine())
        assert [one.name async for one in arc.machines.list_by_subscription()] == ["web01"]
        await arc.machines.update(RESOURCE_GROUP, "web01", {"tags": {"site": "two"}})
        assert (await arc.machines.get(RESOURCE_GROUP, "web01")).tags == {"site": "two"}
        await (await arc.machines.begin_delete(RESOURCE_GROUP, "web01")).result()
        assert [one async for one in arc.machines.list_by_subscription()] == []


async def test_lists_come_in_pages(twin: Twin) -> None:
    twin.azure.page = 3

    def work() -> None:
        with clients(twin, by_secret(twin)) as (arc, _):
            for number in range(8):
                arc.machines.create_or_update(RESOURCE_GROUP, f"web{number}", machine())
            pages = [[one.name for one in page] for page in arc.machines.list_by_subscription().by_page()]
            assert pages == [["web0", "web1", "web2"], ["web3", "web4", "web5"], ["web6", "web7"]]

    await asyncio.to_thread(work)


async def test_resource_groups_and_providers(twin: Twin) -> None:
    def work() -> None:
        with clients(twin, by_secret(twin)) as (arc, resources):
            resources.resource_groups.create_or_update("rg-Two", ResourceGroup(location="japaneast"))
            names = [group.name for group in resources.resource_groups.list()]
            assert names == [RESOURCE_GROUP, "rg-Two"]
            arc.machines.create_or_update("RG-two", "web01", machine())
            resources.resource_groups.begin_delete("rg-two").result()
            assert not list(arc.machines.list_by_subscription())
            assert not resources.resource_groups.check_existence("rg-two")
            assert resources.resource_groups.check_existence(RESOURCE_GROUP)
            provider = resources.providers.get("Microsoft.HybridCompute")
            assert provider.registration_state == "Registered"
            machines = next(kind for kind in provider.resource_types if kind.resource_type == "machines")
            assert "East Asia" in machines.locations

    await asyncio.to_thread(work)


async def test_a_provider_is_registered(twin: Twin) -> None:
    twin.azure.registered["Microsoft.HybridCompute"] = False

    def work() -> None:
        with clients(twin, by_secret(twin)) as (_, resources):
            before = resources.providers.get("microsoft.hybridcompute")
            assert before.registration_state == "NotRegistered"
            after = resources.providers.register("Microsoft.HybridCompute")
            assert after.registration_state == "Registered"

    await asyncio.to_thread(work)


async def test_another_server_cannot_take_a_name(twin: Twin) -> None:
    def work() -> None:
        with clients(twin, by_secret(twin)) as (arc, _):
            first = machine()
            arc.machines.create_or_update(RESOURCE_GROUP, "web01", first)
            arc.machines.create_or_update(RESOURCE_GROUP, "web01", first)
            with pytest.raises(HttpResponseError) as caught:
                arc.machines.create_or_update(RESOURCE_GROUP, "web01", machine())
            assert (caught.value.status_code, caught.value.error.code) == (409, "Conflict")

    await asyncio.to_thread(work)


async def test_an_onboarding_client_connects_and_does_not_delete(twin: Twin) -> None:
    client = twin.azure.add_client("onboarding")
    credential = ClientSecretCredential(
        twin.azure.tenant_id, client.client_id, client.secret, **options(twin)
    )

    def work() -> None:
        with clients(twin, credential) as (arc, _):
            arc.machines.create_or_update(RESOURCE_GROUP, "web01", machine())
            with pytest.raises(HttpResponseError) as caught:
                arc.machines.begin_delete(RESOURCE_GROUP, "web01")
            assert (caught.value.status_code, caught.value.error.code) == (403, "AuthorizationFailed")

    await asyncio.to_thread(work)


async def test_a_wrong_secret_is_told_with_its_number(twin: Twin) -> None:
    credential = ClientSecretCredential(
        twin.azure.tenant_id, twin.client.client_id, "not-the-secret", **options(twin)
    )

    def work() -> None:
        with credential, pytest.raises(ClientAuthenticationError, match="AADSTS7000215"):
            credential.get_token(SCOPE)

    await asyncio.to_thread(work)


async def test_a_certificate_that_is_not_registered_is_refused(twin: Twin) -> None:
    twin.client.certificates.clear()

    def work() -> None:
        with (
            by_certificate(twin) as credential,
            pytest.raises(ClientAuthenticationError, match="AADSTS700027"),
        ):
            credential.get_token(SCOPE)

    await asyncio.to_thread(work)


async def test_throttling_is_waited_out(twin: Twin) -> None:
    twin.azure.faults.add("arm/429", times=1)

    def work() -> None:
        with by_secret(twin) as credential:
            patient = arm_options(twin) | {"retry_total": 2}
            with HybridComputeManagementClient(credential, twin.azure.subscription_id, **patient) as arc:
                assert list(arc.machines.list_by_subscription()) == []

    await asyncio.to_thread(work)
    assert [call.status for call in twin.azure.journal if "machines" in call.path] == [429, 200]
