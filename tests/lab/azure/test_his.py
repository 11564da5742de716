from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest
from cryptography import x509

from arcferry_lab.pki import Leaf
from arcferry_lab.twin import RESOURCE_GROUP, Twin

if TYPE_CHECKING:
    from tests.lab.conftest import Browser

pytestmark = pytest.mark.lab
HIS = "https://ea.his.arc.azure.com"


class Server:
    """What an agent does, by hand."""

    def __init__(self, twin: Twin, browser: "Browser", name: str = "web01") -> None:
        self.twin, self.browser, self.name = twin, browser, name
        self.vm_id = str(uuid4())
        group = f"/subscriptions/{twin.azure.subscription_id}/resourceGroups/{RESOURCE_GROUP}"
        self.resource_id = f"{group}/providers/Microsoft.HybridCompute/machines/{name}"
        self.arm = f"https://management.azure.com{self.resource_id}?api-version=2025-01-13"

    async def create(self) -> None:
        body = {"location": "eastasia", "properties": {"vmId": self.vm_id}}
        status, *_ = await self.browser.ask("PUT", self.arm, token=await self.browser.token(), body=body)
        assert status == 200

    async def identity(self, **changes: str) -> tuple[int, Any]:
        body = {"resourceId": self.resource_id} | changes
        url = f"{HIS}/machine/{self.vm_id}/identity?api-version=2.1"
        return (await self.browser.ask("POST", url, token=await self.browser.token(), body=body))[:2]

    async def leaf(self) -> Leaf:
        status, found = await self.identity()
        assert status == 200
        return Leaf(found["certificate"].encode(), found["privateKey"].encode())

    async def heartbeat(self, leaf: Leaf | None) -> int:
        url = f"{HIS}/machine/{self.vm_id}/heartbeat?api-version=2.1"
        return (await self.browser.ask("POST", url, leaf=leaf, body={"status": "Connected"}))[0]

    async def status(self) -> tuple[str, str]:
        _, shown, _ = await self.browser.ask("GET", self.arm, token=await self.browser.token())
        return shown["properties"]["status"], shown["properties"]["lastStatusChange"]


@pytest.fixture
def server(twin: Twin, browser: "Browser") -> Server:
    return Server(twin, browser)


async def test_discovery_names_the_region(browser: "Browser") -> None:
    url = "https://gbl.his.arc.azure.com/discovery?location=eastasia&api-version=2.1"
    assert (await browser.ask("GET", url))[:2] == (200, HIS)
    assert (await browser.ask("GET", url.replace("eastasia", "atlantis")))[0] == 400
    assert await browser.status("gbl.his.arc.azure.com") == 400


async def test_telemetry_is_taken(browser: "Browser") -> None:
    assert (await browser.ask("PUT", "https://gbl.his.arc.azure.com/log", body={"message": "x"}))[0] == 200


async def test_a_machine_waits_connects_goes_quiet_and_expires(twin: Twin, server: Server) -> None:
    await server.create()
    assert (await server.status())[0] == "AwaitingConnection"
    leaf = await server.leaf()
    certificate = x509.load_pem_x509_certificate(leaf.certificate_pem)
    assert certificate.subject.rfc4514_string() == f"CN={server.vm_id}"
    assert await server.heartbeat(leaf) == 204
    connected, since = await server.status()
    assert connected == "Connected"
    assert await server.heartbeat(leaf) == 204
    assert (await server.status())[1] == since
    machine = twin.azure.machines[RESOURCE_GROUP, "web01"]
    for quiet, expected in ((timedelta(minutes=16), "Disconnected"), (timedelta(days=46), "Expired")):
        machine.last_heartbeat = datetime.now(UTC) - quiet
        assert (await server.status())[0] == expected


async def test_only_the_machines_own_certificate_beats(
    twin: Twin, browser: "Browser", server: Server
) -> None:
    await server.create()
    other = Server(twin, browser, "web02")
    await other.create()
    assert await server.heartbeat(None) == 401
    assert await server.heartbeat(await other.leaf()) == 403
    assert (await server.status())[0] == "AwaitingConnection"


async def test_a_deleted_machine_has_no_heart(server: Server, browser: "Browser") -> None:
    await server.create()
    leaf = await server.leaf()
    await browser.ask("DELETE", server.arm, token=await browser.token())
    assert await server.heartbeat(leaf) == 404


async def test_a_certificate_is_for_a_machine_that_arm_knows(server: Server, browser: "Browser") -> None:
    assert (await server.identity())[0] == 404
    await server.create()
    assert (await server.identity(resourceId="/subscriptions/another"))[0] == 404
    url = f"{HIS}/machine/{server.vm_id}/identity?api-version=2.1"
    assert (await browser.ask("POST", url, body={"resourceId": server.resource_id}))[0] == 401


async def test_the_allow_list_names_a_host_that_answers(browser: "Browser") -> None:
    url = "https://guestnotificationservice.azure.com/urls/allowlist?api-version=2020-01-01&location=eastasia"
    status, hosts, _ = await browser.ask("GET", url)
    assert status == 200
    assert await browser.status(hosts[0]) == 401


@pytest.mark.parametrize(
    ("fault", "path", "status"),
    [("his/no-certificate", "identity", 500), ("his/no-heartbeat", "heartbeat", 503)],
)
async def test_faults_of_his(
    *, twin: Twin, browser: "Browser", server: Server, fault: str, path: str, status: int
) -> None:
    await server.create()
    twin.azure.faults.add(fault)
    url = f"{HIS}/machine/{server.vm_id}/{path}?api-version=2.1"
    body = {"resourceId": server.resource_id}
    assert (await browser.ask("POST", url, token=await browser.token(), body=body))[0] == status


async def test_discovery_can_fail(twin: Twin, browser: "Browser") -> None:
    twin.azure.faults.add("path/discovery-failed", times=1)
    url = "https://gbl.his.arc.azure.com/discovery?location=eastasia&api-version=2.1"
    assert (await browser.ask("GET", url))[0] == 500
    assert (await browser.ask("GET", url))[0] == 200
