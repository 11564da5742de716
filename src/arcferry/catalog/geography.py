"""What a circuit's SKU reaches: geopolitical areas, peering locations and the regions of their metros."""

import re
from functools import cache
from typing import NamedTuple

from arcferry.catalog.bgp import arm_region, region_community, regions_without_community
from arcferry.catalog.places import CLOUD_NAMES, cloud
from arcferry.catalog.store import load
from arcferry.catalog.types import Cloud

_LOCAL, _STANDARD, _PREMIUM = "local", "standard", "premium"


class PeeringLocation(NamedTuple):
    """Where a circuit meets Microsoft's network.

    Attributes:
        geography: its geopolitical area, empty where no document gives one.
        local_regions: ARM names of the regions in its metro, which the SKU Local reaches; empty where
            Local is not offered.
    """

    geography: str
    local_regions: tuple[str, ...]


@cache
def _areas() -> dict[str, tuple[str, str]]:
    """The area and the cloud's name of every region in the table of areas."""
    rows = load("geographies").content["areas"]
    return {
        name: (row["area"], cloud_name)
        for cloud_name in CLOUD_NAMES
        for row in rows[cloud_name]
        for name in row["regions"]
    }


@cache
def _locations(cloud_name: str) -> dict[str, PeeringLocation]:
    rows = load("geographies").content["locations"][cloud_name]
    return {
        _key(row["name"]): PeeringLocation(row.get("area", ""), tuple(row.get("local_regions", ())))
        for row in rows
    }


def _key(location: str) -> str:
    """The letters and digits alone: `Queretaro (Mexico)` is `Queretaro(Mexico)`, `Hong Kong SAR` `Hong Kong`.

    A metro circuit ends in two locations of one city, so `Zurich Metro` reaches what `Zurich` does.
    """
    return re.sub(r"[^a-z0-9]", "", re.sub(r"\s+(?:metro|sar)\s*$", "", location.strip().lower()))


def _cloud_of_region(region: str) -> str:
    """The name of the cloud that has the region; empty where no document knows it."""
    if region in _areas():
        return _areas()[region][1]
    if known := region_community(region):
        return known.cloud
    return next((name for name in CLOUD_NAMES if region in regions_without_community(cloud(name))), "")


def geography_of(region: str) -> str:
    """The geopolitical area of a region, such as `Asia`; empty where no document at hand gives it.

    Args:
        region: an ARM name (`francecentral`) or a service tag's spelling of it (`centralfrance`).
    """
    return _areas().get(arm_region(region), ("", ""))[0]


def peering_location(name: str, cloud: Cloud | None = None) -> PeeringLocation | None:
    """The peering location of this name, in any letter case; None where the catalogue does not know it.

    Args:
        name: as a circuit has it, such as `Hong Kong2` or `Zurich Metro`.
        cloud: whose locations to look in, because national clouds have their own of the same names; where
            it is not given, the first that knows the name counts, the public one first.
    """
    wanted = (cloud.name,) if cloud else CLOUD_NAMES
    return next((found for one in wanted if (found := _locations(one).get(_key(name)))), None)


def within_reach(tier: str, peering_location: str, region: str) -> bool | None:
    """Whether Microsoft advertises a region's prefixes to such a circuit at all, whatever its route filter.

    Local reaches the metro's regions, Standard the geopolitical area, Premium every region of the cloud
    (ExpressRoute FAQ and routing requirements, 2026-03).

    Args:
        tier: the SKU's tier: `Local`, `Standard` or `Premium`, in any letter case; anything else is unknown.
        peering_location: as the circuit has it; may be empty.
        region: an ARM name or a service tag's spelling of it.

    Returns:
        None where no document at hand decides.
    """
    wanted, sku = arm_region(region), tier.strip().lower()
    of_cloud = _cloud_of_region(wanted)
    if not of_cloud:
        return None
    place = _locations(of_cloud).get(_key(peering_location))
    if place is None:
        elsewhere = any(_key(peering_location) in _locations(name) for name in CLOUD_NAMES)
        return _without_location(sku, elsewhere)
    if wanted in place.local_regions or sku == _PREMIUM:
        return True
    if sku == _LOCAL:
        return False if place.local_regions else None
    return _same_area(sku, place.geography, geography_of(wanted))


def _without_location(sku: str, elsewhere: bool) -> bool | None:
    """Clouds are isolated from each other; apart from that, only Premium needs no location."""
    if elsewhere:
        return False
    return True if sku == _PREMIUM else None


def _same_area(sku: str, circuit: str, region: str) -> bool | None:
    if sku != _STANDARD or not circuit or not region:
        return None
    return circuit == region
