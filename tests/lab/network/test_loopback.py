import asyncio
import json
from pathlib import Path
from typing import TYPE_CHECKING

import aiohttp
import dns.asyncresolver
import dns.resolver
import pytest

from arcferry import catalog
from arcferry.errors import UnknownNameError
from arcferry_lab.errors import LabError
from arcferry_lab.network.plan import Service
from arcferry_lab.twin import RESOURCE_GROUP, Twin, TwinSettings

if TYPE_CHECKING:
    from tests.lab.conftest import Browser

pytestmark = pytest.mark.lab
AGENT_SERVICE = "agentserviceapi.guestconfiguration.azure.com"


def resolver(twin: Twin) -> dns.asyncresolver.Resolver:
    found = dns.asyncresolver.Resolver(configure=False)
    address, port = twin.network.resolver.split(":")
    found.nameservers, found.port, found.lifetime = [address], int(port), 1
    return found


async def chain(twin: Twin, name: str) -> tuple[list[str], list[str]]:
    answer = await resolver(twin).resolve(name, "A")
    names = [row.target.to_text(omit_final_dot=True) for part in answer.response.answer for row in part
             if part.rdtype == dns.rdatatype.CNAME]  # fmt: skip
    return names, [row.address for row in answer]


async def reached(browser: "Browser", hosts: list[str]) -> dict[str, bool]:
    async def one(host: str) -> bool:
        try:
            return await browser.status(host) > 0
        except TimeoutError:
            return False

    return dict(zip(hosts, await asyncio.gather(*map(one, hosts)), strict=True))


def required(location: str) -> list[str]:
    hosts = [one.host for one in catalog.endpoints(catalog.cloud("AzureCloud"), catalog.region(location))]
    return [host for host in hosts if host] + ["ea.his.arc.azure.com"]


async def test_of_what_the_agent_requires_one_endpoint_is_out_of_reach(browser: "Browser") -> None:
    found = await reached(browser, required("eastasia"))
    assert [host for host, answers in found.items() if not answers] == [AGENT_SERVICE]
    assert len(found) == 8


async def test_the_filter_opens_and_closes_while_everything_runs(twin: Twin, browser: "Browser") -> None:
    before = list(twin.azure.communities)
    await twin.allow(*before, "12076:51012")
    assert all((await reached(browser, required("eastasia"))).values())
    await twin.allow("12076:51012")
    found = await reached(browser, required("eastasia"))
    assert [host for host, answers in found.items() if answers] == [AGENT_SERVICE]
    await twin.allow()
    assert not any((await reached(browser, required("eastasia"))).values())
    shown = json.loads(twin.paths.route_filter.read_text())
    assert shown["properties"]["rules"] == []


async def test_what_lies_on_the_edge_is_never_carried(twin: Twin, browser: "Browser") -> None:
    await twin.allow(*(one.value for one in catalog.communities()))
    edge = ["packages.microsoft.com", "download.microsoft.com", "aka.ms"]
    assert not any((await reached(browser, edge)).values())


async def test_a_steered_name_moves_and_its_reach_with_it(twin: Twin, browser: "Browser") -> None:
    await twin.steer(AGENT_SERVICE, "eastasia")
    assert await browser.status(AGENT_SERVICE) == 404
    await twin.steer("GBL.his.arc.azure.com", "japaneast")
    assert not (await reached(browser, ["gbl.his.arc.azure.com"]))["gbl.his.arc.azure.com"]


async def test_steering_to_a_new_region_starts_it(twin: Twin, browser: "Browser") -> None:
    await twin.steer(AGENT_SERVICE, "francecentral")
    _, (address,) = await chain(twin, AGENT_SERVICE)
    assert address == twin.network.block.address(30, 3)
    assert not (await reached(browser, [AGENT_SERVICE]))[AGENT_SERVICE]
    await twin.allow("12076:51030")
    assert await browser.status(AGENT_SERVICE) == 404
    names = [row["name"] for row in json.loads(twin.paths.service_tags.read_text())["values"]]
    assert {"AzureCloud.centralfrance", "AzureArcInfrastructure.FranceCentral"} <= set(names)


async def test_a_region_without_a_community_is_never_carried(twin: Twin, browser: "Browser") -> None:
    await twin.allow(*(one.value for one in catalog.communities()))
    assert await browser.status(AGENT_SERVICE) == 404
    await twin.steer(AGENT_SERVICE, "swedencentral")
    assert not (await reached(browser, [AGENT_SERVICE]))[AGENT_SERVICE]
    tags = {row["name"] for row in json.loads(twin.paths.service_tags.read_text())["values"]}
    assert "AzureArcInfrastructure.SwedenCentral" in tags
    listed = twin.paths.communities.read_text()
    assert "Sweden" not in listed


@pytest.mark.parametrize(
    ("name", "region", "error"),
    [
        ("login.windows.net", "eastasia", UnknownNameError),
        (AGENT_SERVICE, "atlantis", UnknownNameError),
    ],
)
async def test_what_cannot_be_steered_is_refused(
    twin: Twin, name: str, region: str, error: type[Exception]
) -> None:
    with pytest.raises(error):
        await twin.steer(name, region)
    assert twin.network.steered[AGENT_SERVICE] == "japaneast"


@pytest.mark.parametrize(
    ("name", "expected", "third"),
    [
        (
            AGENT_SERVICE,
            [
                "agentserviceapi.privatelink.guestconfiguration.azure.com",
                "agentserviceapi.trafficmanager.net",
                "jpe-gas-cses-1b.japaneast.cloudapp.azure.com",
            ],
            12,
        ),
        ("ea.his.arc.azure.com", ["ea.privatelink.his.arc.azure.com"], 10),
        (
            "management.azure.com",
            [
                "management.privatelink.azure.com",
                "arm-frontdoor-prod.trafficmanager.net",
                "eastasia.management.azure.com",
            ],
            70,
        ),
        (
            "login.microsoftonline.com",
            [
                "login.mso.msidentity.com",
                "ak.privatelink.msidentity.com",
                "www.tm.a.prd.aadg.trafficmanager.net",
            ],
            60,
        ),
        ("pas.windows.net", [], 60),
        ("azgnstm.trafficmanager.net", ["azgnseastasia.eastasia.cloudapp.azure.com"], 10),
        ("agentserviceapi.trafficmanager.net", ["jpe-gas-cses-1b.japaneast.cloudapp.azure.com"], 12),
    ],
)
async def test_names_resolve_through_their_published_chains(
    twin: Twin, name: str, expected: list[str], third: int
) -> None:
    names, (address,) = await chain(twin, name)
    assert names == expected
    assert address.split(".")[2] == str(third)


async def test_a_name_that_is_not_the_twins_does_not_exist(twin: Twin) -> None:
    with pytest.raises(dns.resolver.NXDOMAIN):
        await chain(twin, "example.com")


async def test_by_address_a_client_without_the_twins_dns_is_served(twin: Twin) -> None:
    context = twin.authority.client_context()
    async with aiohttp.ClientSession() as session, session.get(twin.azure.arm_url, ssl=context) as response:
        assert response.status == 401


async def test_two_twins_run_side_by_side(twin: Twin, tmp_path: Path) -> None:
    async with Twin.start(TwinSettings(tmp_path / "other", location="westeurope")) as other:
        assert other.network.block.number != twin.network.block.number
        await other.allow()
        assert twin.network.is_open(twin.network.place(Service.ARM))
        assert other.azure.communities == []
        assert twin.azure.location == "eastasia"


async def test_a_region_without_a_community_cannot_be_a_twins_location(tmp_path: Path) -> None:
    with pytest.raises(LabError, match="no BGP community is documented"):
        async with Twin.start(TwinSettings(tmp_path, location="swedencentral")):
            pass


async def test_a_high_port_does_where_443_is_not_asked_for(tmp_path: Path) -> None:
    async with Twin.start(TwinSettings(tmp_path, port=18443)) as twin:
        assert twin.azure.arm_url.endswith(":18443")
        context = twin.authority.client_context()
        async with aiohttp.ClientSession() as session, session.get(twin.azure.arm_url, ssl=context) as answer:
            assert answer.status == 401


async def test_a_filter_change_through_its_own_gate_is_made_whole(twin: Twin, browser: "Browser") -> None:
    """Through ARM, the community that carries ARM is taken out: the answer is lost, the change is not."""
    group = f"/subscriptions/{twin.azure.subscription_id}/resourceGroups/{RESOURCE_GROUP}"
    path = f"{group}/providers/Microsoft.Network/routeFilters/rf-microsoft-peering?api-version=2024-05-01"
    rule = {"properties": {"access": "Allow", "communities": ["12076:51012"]}}
    with pytest.raises((aiohttp.ClientError, TimeoutError)):
        await browser.ask(
            "PUT",
            f"https://management.azure.com{path}",
            token=await browser.token(),
            body={"location": "eastasia", "properties": {"rules": [rule]}},
        )
    assert await browser.status(AGENT_SERVICE) == 404
    assert not (await reached(browser, ["login.windows.net"]))["login.windows.net"]
