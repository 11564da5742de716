"""Service tags and communities of the twin's own addresses, in the shapes that Microsoft publishes."""

from collections.abc import Iterable
from typing import Any

from arcferry import catalog
from arcferry_lab.network.block import Block
from arcferry_lab.network.plan import ARM_NET, ENTRA_NET, FRONT_DOOR_NET, arm_place, place_number


def service_tags(block: Block, regions: Iterable[str], home: str) -> dict[str, Any]:
    """The weekly download's document, such as `ServiceTags_Public_20251028.json`."""
    regions = tuple(regions)
    rows = [
        _tag("AzureActiveDirectory", "AzureAD", [block.prefix(ENTRA_NET)]),
        _tag("AzureActiveDirectory.ServiceEndpoint", "AzureAD", [block.prefix(ENTRA_NET)]),
        _tag("AzureFrontDoor.Frontend", "AzureFrontDoor", [block.prefix(FRONT_DOOR_NET)]),
        _tag("AzureResourceManager", "AzureResourceManager", [block.prefix(ARM_NET)]),
        _tag("AzureArcInfrastructure", "AzureArcInfrastructure", [_arc(block, name) for name in regions]),
        _tag("ServiceBus", "AzureServiceBus", [_bus(block, name) for name in regions]),
        _tag("AzureCloud", "", [block.prefix(place_number(name)) for name in regions]),
    ]
    for name in regions:
        arm = f"{arm_place(block, name, home).address}/32"
        rows += [
            _tag(
                f"AzureArcInfrastructure.{_suffix(name)}", "AzureArcInfrastructure", [_arc(block, name)], name
            ),
            _tag(f"AzureResourceManager.{_suffix(name)}", "AzureResourceManager", [arm], name),
            _tag(f"ServiceBus.{_suffix(name)}", "AzureServiceBus", [_bus(block, name)], name),
            _tag(f"AzureCloud.{_tag_region(name)}", "", [block.prefix(place_number(name))], name),
        ]
    return {"changeNumber": 1, "cloud": "Public", "values": sorted(rows, key=lambda row: str(row["name"]))}


def bgp_communities(block: Block, regions: Iterable[str]) -> dict[str, Any]:
    """The REST answer of `bgpServiceCommunities`."""
    rows = [
        _community("AzureActiveDirectory", "Azure Active Directory", "12076:5060", block.prefix(ENTRA_NET)),
        _community("AzureResourceManager", "Azure Resource Manager", "12076:5070", block.prefix(ARM_NET)),
    ]
    for name in regions:
        known = catalog.region_community(name)
        if known:
            title = f"Azure {catalog.region(name).display}"
            prefix = block.prefix(place_number(name))
            rows.append(_community(f"Azure{_suffix(name)}", title, known.value, prefix))
    return {"value": rows}


def _arc(block: Block, region: str) -> str:
    return block.prefix(place_number(region), 0, 28)


def _bus(block: Block, region: str) -> str:
    return block.prefix(place_number(region), 16, 28)


def _tag(name: str, system: str, prefixes: list[str], region: str = "") -> dict[str, Any]:
    return {
        "name": name,
        "id": name,
        "properties": {
            "changeNumber": 1,
            "region": _tag_region(region) if region else "",
            "regionId": place_number(region) if region else 0,
            "platform": "Azure",
            "systemService": system,
            "addressPrefixes": prefixes,
            "networkFeatures": None,
        },
    }


def _community(name: str, title: str, value: str, prefix: str) -> dict[str, Any]:
    return {
        "name": name,
        "id": f"/subscriptions//resourceGroups//providers/Microsoft.Network/bgpServiceCommunities/{name}",
        "type": "Microsoft.Network/bgpServiceCommunities",
        "properties": {
            "serviceName": name,
            "bgpCommunities": [
                {
                    "serviceSupportedRegion": "Global",
                    "communityName": title,
                    "communityValue": value,
                    "communityPrefixes": [prefix],
                    "isAuthorizedToUse": True,
                    "serviceGroup": "Azure",
                }
            ],
        },
    }


def _suffix(region: str) -> str:
    """The region as tag names spell it: `EastAsia`."""
    return catalog.region(region).display.replace(" ", "")


def _tag_region(region: str) -> str:
    """The region as a tag's `region` spells it: mostly the ARM name, `centralfrance` for francecentral."""
    community = catalog.region_community(region)
    return community.service_tag_region if community else region
