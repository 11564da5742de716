"""The twin's published data, read and joined by arcferry's own routing, as a user would."""

import json

import pytest

from arcferry import catalog
from arcferry.catalog import Carrier
from arcferry.routing.azure_json import read_community_list, read_service_tags
from arcferry.routing.coverage import Coverage, Verdict, coverage
from arcferry.routing.route_filter import read_route_filter
from arcferry_lab.network.plan import Service
from arcferry_lab.twin import Twin

pytestmark = pytest.mark.lab


def joined(twin: Twin, host: str, address: str, carrier: Carrier) -> Coverage:
    paths = twin.paths
    return coverage(
        host,
        address,
        carrier=carrier,
        tags=read_service_tags(json.loads(paths.service_tags.read_text()), paths.service_tags.name),
        communities=read_community_list(json.loads(paths.communities.read_text()), paths.communities.name),
        route_filter=read_route_filter(json.loads(paths.route_filter.read_text()), paths.route_filter.name),
    )


@pytest.mark.parametrize(
    ("service", "region", "carrier", "tag", "community"),
    [
        (Service.AGENT_SERVICE, "japaneast", Carrier.ARC, "AzureArcInfrastructure.JapanEast", "12076:51012"),
        (Service.HIS, "eastasia", Carrier.ARC, "AzureArcInfrastructure.EastAsia", "12076:51010"),
        (Service.ARM, "eastasia", Carrier.ARM, "AzureResourceManager.EastAsia", "12076:5070"),
    ],
)
async def test_an_address_is_found_in_its_tag_region_and_community(
    *, twin: Twin, service: Service, region: str, carrier: Carrier, tag: str, community: str
) -> None:
    place = twin.network.place(service, region)
    found = joined(twin, place.names[0], place.address, carrier)
    assert (found.service_tag, found.region, found.community) == (tag, region, community)
    assert found.conflicts == ()


async def test_the_verdict_and_the_gate_agree_everywhere(twin: Twin) -> None:
    carriers = {Service.ENTRA: Carrier.ENTRA, Service.ARM: Carrier.ARM, Service.EDGE: Carrier.EDGE}
    for added in ([], ["12076:51012"], ["12076:51011", "12076:51012"]):
        await twin.allow("12076:51010", "12076:5060", "12076:5070", *added)
        for service in set(Service) - {Service.OTHER}:
            for region in ("",) if service in {Service.ENTRA, Service.EDGE} else twin.network.regions:
                place = twin.network.place(service, region)
                verdict = joined(
                    twin, place.names[0], place.address, carriers.get(service, Carrier.ARC)
                ).verdict
                assert (verdict is Verdict.CARRIED) == twin.network.is_open(place), place


async def test_every_region_of_the_twin_has_its_documented_community(twin: Twin) -> None:
    document = json.loads(twin.paths.communities.read_text())
    listed = {row["properties"]["bgpCommunities"][0]["communityValue"] for row in document["value"]}
    for region in twin.network.regions:
        known = catalog.region_community(region)
        assert known is not None
        assert known.value in listed
