"""What the routers are told, as values and as BIRD's and nftables' text."""

from ipaddress import ip_address, ip_network

import pytest

from arcferry import catalog
from arcferry_lab.errors import LabError
from arcferry_lab.faults import NAMESPACES, Faults
from arcferry_lab.network.namespaces import bird, firewall
from arcferry_lab.network.namespaces.addresses import AzureAddresses
from arcferry_lab.network.namespaces.routing_state import RoutingState, routing_state
from arcferry_lab.network.plan import arm_place, entra_place, place_number, region_number, region_places

REGIONS = ("eastasia", "southeastasia", "japaneast")
ALLOWED = ("12076:51010", "12076:5060", "12076:5070")
LOGIN = "login.microsoftonline.com"
BLOCK = AzureAddresses()


def told(*faults: tuple[str, str]) -> RoutingState:
    known = Faults(NAMESPACES)
    for name, host in faults:
        known.add(name, host)
    places = [entra_place(BLOCK, REGIONS)]
    for region in REGIONS:
        places += [arm_place(BLOCK, region, REGIONS[0]), *region_places(BLOCK, region)]
    return routing_state(ALLOWED, places, BLOCK, REGIONS, known)


def test_both_links_bring_what_the_filter_carries() -> None:
    prefixes = {"20.187.192.0/21", "20.190.128.0/18", "13.73.246.0/23"}
    assert told().received() == {(prefix, link) for prefix in prefixes for link in ("primary", "secondary")}


@pytest.mark.parametrize(
    ("fault", "links"),
    [
        ("route/session-down", set()),
        ("route/peering-down", set()),
        ("route/one-link-down", {"secondary"}),
        ("tcp/nat-prefix-not-validated", {"primary", "secondary"}),
    ],
)
def test_links_that_bring_routes(fault: str, links: set[str]) -> None:
    assert {link for _, link in told((fault, "")).received()} == links


def test_one_prefix_on_the_primary_link_alone() -> None:
    now = told(("route/on-primary-alone", LOGIN))
    both = told().received()
    assert now.received() == both - {("20.190.128.0/18", "secondary")}
    assert "if net = 20.190.128.0/18 then reject;" in bird.msee("secondary", now)
    assert "20.190.128.0/18" not in bird.msee("primary", now)


def test_a_place_of_arm_elsewhere_is_in_the_prefix_of_all() -> None:
    now = told(("route/another-path-preferred", "japaneast.management.azure.com"))
    assert now.preferred_elsewhere == ("13.73.246.0/23",)


def test_bird_is_told_the_filter() -> None:
    allowed = "if bgp_community ~ [ (12076, 5060), (12076, 5070), (12076, 51010) ] then accept;"
    assert allowed in bird.msee("primary", told())
    assert "bgp_community ~" not in bird.msee("primary", told(("route/empty-route-filter", "")))


def test_the_firewall_drops_one_address() -> None:
    assert "daddr 20.190.128.1 drop" in firewall.customer(told(("tcp/filtered", LOGIN)))
    assert "drop" not in firewall.customer(told())


def documented() -> list[str]:
    regions = catalog.regions(catalog.cloud("AzureCloud"))
    return sorted(one.name for one in regions if catalog.region_community(one.name))


@pytest.mark.parametrize("region", documented())
def test_every_region_that_a_filter_can_carry_has_a_prefix_of_its_own(region: str) -> None:
    own = ip_network(BLOCK.prefix(region_number(region)))
    assert all(ip_address(place.address) in own for place in region_places(BLOCK, region))
    others = (BLOCK.prefix(region_number(other)) for other in documented() if other != region)
    assert not any(own.overlaps(ip_network(other)) for other in others)


def test_a_region_without_known_addresses_says_so() -> None:
    with pytest.raises(LabError, match="no addresses are known") as caught:
        BLOCK.prefix(place_number("chilecentral"))
    assert "japaneast" in caught.value.hint
