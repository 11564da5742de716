"""BGP communities as Microsoft documents them, and how service tags spell regions."""

from functools import cache

from arcferry.catalog.places import CLOUD_NAMES
from arcferry.catalog.store import load
from arcferry.catalog.types import Carrier, Cloud, DocumentedCommunity


def _regional() -> list[DocumentedCommunity]:
    document = load("communities")
    source = str(document.sources["docs"])
    found = [
        DocumentedCommunity(
            f"{kind['start']}{row['number']}",
            row["display"],
            kind["kind"],
            row["name"],
            row["tag"],
            CLOUD_NAMES[0],
            False,
            source,
        )
        for row in document.content["regions"]
        for kind in document.content["kinds"]
    ]
    for cloud, rows in document.content["national"].items():
        found += [
            DocumentedCommunity(
                row["value"], row["display"], "region", row["name"], row["tag"], cloud, False, source
            )
            for row in rows
        ]
    return found


def _services() -> list[tuple[str, DocumentedCommunity]]:
    document = load("communities")
    source = str(document.sources["docs"])
    return [
        (
            row.get("carrier", ""),
            DocumentedCommunity(
                row["value"],
                row["name"],
                "service",
                "",
                "",
                cloud,
                row.get("needs_authorization", False),
                source,
            ),
        )
        for cloud, rows in document.content["services"].items()
        for row in rows
    ]


@cache
def _by_value() -> dict[str, DocumentedCommunity]:
    every = [*_regional(), *(service for _, service in _services())]
    return {community.value: community for community in every}


@cache
def _by_region() -> dict[str, DocumentedCommunity]:
    found = {}
    for community in _by_value().values():
        if community.kind == "region":
            found[community.region] = found[community.service_tag_region] = community
    return found


@cache
def _by_carrier() -> dict[tuple[str, str], DocumentedCommunity]:
    return {(carrier, community.cloud): community for carrier, community in _services() if carrier}


@cache
def _arm_names() -> dict[str, str]:
    rows = load("communities").content
    named = {community.service_tag_region: community.region for community in _by_region().values()}
    named |= {
        row["tag"]: row["name"] for undocumented in rows["undocumented"].values() for row in undocumented
    }
    return named


def community(value: str) -> DocumentedCommunity | None:
    """The documented community with this value, such as `12076:51010`."""
    return _by_value().get(value.strip())


def communities(cloud: Cloud | None = None) -> tuple[DocumentedCommunity, ...]:
    """Every documented community of one cloud, or of all."""
    return tuple(known for known in _by_value().values() if cloud is None or known.cloud == cloud.name)


def region_community(region: str) -> DocumentedCommunity | None:
    """The community that carries a whole region over Microsoft peering.

    Args:
        region: an ARM name (`francecentral`) or a service tag's spelling of it (`centralfrance`).
    """
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
    return tuple(
        row["name"]
        for cloud_name, rows in load("communities").content["undocumented"].items()
        if cloud is None or cloud_name == cloud.name
        for row in rows
    )
