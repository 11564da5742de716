"""BGP communities as documented, regions as service tags spell them, and what a circuit's SKU reaches."""

import re
from functools import cache
from typing import NamedTuple

from arcferry.catalog.places import CLOUD_NAMES, cloud
from arcferry.catalog.store import Carrier, Cloud, DocumentedCommunity, load

_LOCAL, _STANDARD, _PREMIUM = "local", "standard", "premium"


@cache
def _by_value() -> dict[str, DocumentedCommunity]:
    document = load("communities")
    rows, source = document.content, str(document.sources["docs"])
    regional = [
        (f"{kind['start']}{row['number']}", kind["kind"], CLOUD_NAMES[0], row)
        for row in rows["regions"]
        for kind in rows["kinds"]
    ]
    for name, national in rows["national"].items():
        regional += [(row["value"], "region", name, row) for row in national]
    found = [
        DocumentedCommunity(value, row["display"], kind, name, source, row["name"], row["tag"])
        for value, kind, name, row in regional
    ]
    for name, services in rows["services"].items():
        found += [DocumentedCommunity(kind="service", cloud=name, source=source, **row) for row in services]
    return {one.value: one for one in found}


@cache
def _by_region() -> dict[str, DocumentedCommunity]:
    regional = [known for known in _by_value().values() if known.kind == "region"]
    return {name: known for known in regional for name in (known.region, known.service_tag_region)}


@cache
def _by_carrier() -> dict[tuple[str, str], DocumentedCommunity]:
    return {(one.carrier, one.cloud): one for one in _by_value().values() if one.carrier}


@cache
def _arm_names() -> dict[str, str]:
    named = {known.service_tag_region: known.region for known in _by_region().values()}
    for undocumented in load("communities").content["undocumented"].values():
        named |= {row["tag"]: row["name"] for row in undocumented}
    return named


def community(value: str) -> DocumentedCommunity | None:
    """The documented community with this value, such as `12076:51010`."""
    return _by_value().get(value.strip())


def communities(cloud: Cloud | None = None) -> tuple[DocumentedCommunity, ...]:
    """Every documented community of one cloud, or of all."""
    return tuple(known for known in _by_value().values() if cloud is None or known.cloud == cloud.name)


def region_community(region: str) -> DocumentedCommunity | None:
    """The community that carries a whole region, in ARM's or the service tags' spelling, over the peering."""
    return _by_region().get(region.strip().lower())


def service_community(carrier: Carrier, cloud: Cloud) -> DocumentedCommunity | None:
    """The community that carries one service wherever its addresses lie, or None where there is none."""
    return _by_carrier().get((carrier.value, cloud.name))


def arm_region(service_tag_region: str) -> str:
    """The ARM name of a region as service tags spell it; an unknown spelling comes back as it is."""
    name = service_tag_region.strip().lower()
    return _arm_names().get(name, name)


def regions_without_community(cloud: Cloud | None = None) -> tuple[str, ...]:
    """ARM names of the regions that service tags know and no document gives a community for."""
    rows = load("communities").content["undocumented"]
    names = [cloud.name] if cloud else list(rows)
    return tuple(row["name"] for name in names for row in rows.get(name, ()))


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
    """The geopolitical area of a region, such as `Asia`; empty where no document at hand gives it."""
    return _areas().get(arm_region(region), ("", ""))[0]


def peering_location(name: str, cloud: Cloud | None = None) -> PeeringLocation | None:
    """The peering location that a circuit calls so, such as `Zurich Metro`; None where it is not known.

    National clouds have their own of the same names: without a cloud the first that knows the name counts,
    the public one first.
    """
    wanted = (cloud.name,) if cloud else CLOUD_NAMES
    return next((found for one in wanted if (found := _locations(one).get(_key(name)))), None)


def within_reach(tier: str, peering_location: str, region: str) -> bool | None:
    """Whether Microsoft advertises a region's prefixes to such a circuit at all, whatever its route filter.

    Local reaches the metro's regions, Standard the geopolitical area, Premium every region of the cloud
    (ExpressRoute FAQ and routing requirements, 2026-03). None where no document at hand decides.
    """
    wanted, sku = arm_region(region), tier.strip().lower()
    of_cloud = _cloud_of_region(wanted)
    if not of_cloud:
        return None
    place = _locations(of_cloud).get(_key(peering_location))
    if place is None:
        # Clouds are isolated from each other; apart from that, only Premium needs no location.
        if any(_key(peering_location) in _locations(name) for name in CLOUD_NAMES):
            return False
        return True if sku == _PREMIUM else None
    if wanted in place.local_regions or sku == _PREMIUM:
        return True
    if sku == _LOCAL:
        return False if place.local_regions else None
    area = geography_of(wanted)
    return place.geography == area if sku == _STANDARD and place.geography and area else None
