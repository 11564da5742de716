"""What Microsoft peering lets through: the route filter's communities, less what a fault takes."""

from collections.abc import Iterable

from arcferry import catalog
from arcferry_lab.faults import Faults

_SHUTTING = (
    "route/community-denied",
    "route/empty-route-filter",
    "route/no-route-filter",
    "route/filter-not-attached",
    "route/peering-down",
    "tcp/nat-prefix-not-validated",
)


def passing(communities: Iterable[str], home: str, faults: Faults) -> frozenset[str]:
    """The communities whose prefixes can be reached now.

    Args:
        communities: what the route filter allows.
        home: the ARM name of the twin's own region.
        faults: those that are switched on.
    """
    if any(faults.holds(fault) for fault in _SHUTTING):
        return frozenset()
    allowed = frozenset(in_filter(communities, home, faults))
    if faults.holds("route/outside-sku-geography"):
        return frozenset(value for value in allowed if _within_standard(value, far_location(home)))
    return allowed


def in_filter(communities: Iterable[str], home: str, faults: Faults) -> list[str]:
    """What stands in the route filter, in its order."""
    own = catalog.region_community(home)
    lacks = faults.holds("route/community-not-in-filter")
    return [value for value in communities if not (lacks and own and value == own.value)]


def far_location(home: str) -> str:
    """A peering location from which the SKU Standard does not reach the region."""
    return "Hong Kong" if catalog.within_reach("Standard", "Amsterdam", home) else "Amsterdam"


def _within_standard(community: str, location: str) -> bool:
    """Services such as Entra are in every geography; a region is in its own."""
    known = catalog.community(community)
    if known is None or known.kind != "region":
        return True
    return catalog.within_reach("Standard", location, known.service_tag_region) is not False
