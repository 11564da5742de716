"""Routes rendered as routers print them are read back equal."""

import ipaddress
import json
from collections.abc import Callable, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from arcferry.routing.route import Route
from arcferry.routing.tables import read_route_table


def words(route: Route) -> str:
    return " ".join(map(str, route.as_path))


def ios_table(routes: Sequence[Route]) -> bytes:
    lines = ["     Network          Next Hop            Metric LocPrf Weight Path"]
    for route in routes:
        mark = " *> " if route.best else " *  "
        path = f"{words(route)} ?".lstrip()
        if ":" in route.prefix:
            lines += [f"{mark} {route.prefix}", f"{'':22} {route.next_hop}", f"{'':61} 0 {path}"]
        else:
            first = f"{mark} {route.prefix:<16}"
            lines += [first] if len(first) > 21 else []
            lead = f"{'':21}" if len(first) > 21 else first
            lines.append(f"{lead} {route.next_hop:<16}{'':24} 0 {path}")
    return "\n".join(["er-ce1#show ip bgp", *lines, ""]).encode()


def entries(routes: Sequence[Route]) -> bytes:
    lines = ["er-ce1#show bgp ipv4 unicast detail"]
    for route in routes:
        lines += [
            f"BGP routing table entry for {route.prefix}, version 7",
            "Paths: (1 available, no best path)",
            "  Not advertised to any peer",
            f"  {words(route) or 'Local'}",
            f"    {route.next_hop} from {route.next_hop} (192.0.2.1)",
            f"      Origin incomplete, localpref 100, valid, external{', best' if route.best else ''}",
        ]
        lines += [f"      Community: {' '.join(route.communities)}"] if route.communities else []
    return "\n".join([*lines, ""]).encode()


def bird(routes: Sequence[Route]) -> bytes:
    lines = ["BIRD 2.0.12 ready.", "Table master4:"]
    for route in routes:
        mark = "* " if route.best else ""
        lines += [
            f"{route.prefix:<20} unicast [msee1 2026-11-20] {mark}(100) [AS12076?]",
            f"\tvia {route.next_hop} on eth0",
            "\tType: BGP univ",
            f"\tBGP.as_path: {words(route)}",
        ]
        pairs = [f"({value.replace(':', ',')})" for value in route.communities]
        lines += [f"\tBGP.community: {' '.join(pairs)}"] if pairs else []
    return "\n".join([*lines, ""]).encode()


def frr_json(routes: Sequence[Route]) -> bytes:
    rows: dict[str, list[object]] = {}
    for route in routes:
        rows.setdefault(route.prefix, []).append(
            {
                "aspath": {"string": words(route) or "Local"},
                "bestpath": {"overall": True} if route.best else {},
                "community": {"string": " ".join(route.communities)},
                "nexthops": [{"ip": route.next_hop}],
            }
        )
    return json.dumps({"vrfName": "default", "routerId": "192.0.2.9", "routes": rows}).encode()


def eos_json(routes: Sequence[Route]) -> bytes:
    rows: dict[str, dict[str, list[object]]] = {}
    for route in routes:
        rows.setdefault(route.prefix, {"bgpRoutePaths": []})["bgpRoutePaths"].append(
            {
                "nextHop": route.next_hop,
                "asPathEntry": {"asPath": f"{words(route)} ?"},
                "routeType": {"active": route.best},
                "routeDetail": {"communityList": list(route.communities)},
            }
        )
    return json.dumps({"vrfs": {"default": {"bgpRouteEntries": rows}}}).encode()


def openbgpd_json(routes: Sequence[Route]) -> bytes:
    rows = [
        {
            "prefix": route.prefix,
            "aspath": words(route),
            "exit_nexthop": route.next_hop,
            "neighbor": {},
            "communities": list(route.communities),
            **({"best": True} if route.best else {}),
        }
        for route in routes
    ]
    return json.dumps({"rib": rows}, indent=1).encode()


def junos_extensive(routes: Sequence[Route]) -> bytes:
    lines = ["inet.0: 9 destinations, 9 routes (9 active, 0 holddown, 0 hidden)"]
    for route in routes:
        lines += [
            f"{route.prefix} (1 entry, 1 announced)",
            f"        {'*' if route.best else ' '}BGP    Preference: 170/-101",
            f"                Next hop: {route.next_hop} via xe-0/0/1.0, selected",
            "                State: <Active Ext>",
            f"                AS path: {words(route)} ?",
        ]
        lines += [f"                Communities: {' '.join(route.communities)}"] if route.communities else []
    return "\n".join([*lines, ""]).encode()


RENDERERS: dict[str, Callable[[Sequence[Route]], bytes]] = {
    "cisco-ios": entries,
    "bird": bird,
    "frr-json": frr_json,
    "arista-eos-json": eos_json,
    "openbgpd-json": openbgpd_json,
    "junos": junos_extensive,
}
"""By the format that each must be taken for; all of these show communities."""

addresses = st.one_of(st.ip_addresses(v=4), st.ip_addresses(v=6)).map(str)
numbers = st.integers(min_value=1, max_value=4_294_967_295)
pairs = st.tuples(st.integers(1, 65_000), st.integers(0, 65_535)).map(lambda pair: f"{pair[0]}:{pair[1]}")


@st.composite
def prefixes(draw: st.DrawFn) -> str:
    address = ipaddress.ip_address(draw(addresses))
    length = draw(st.integers(0, address.max_prefixlen))
    return str(ipaddress.ip_network(f"{address}/{length}", strict=False))


routes = st.lists(
    st.builds(
        Route,
        prefix=prefixes(),
        communities=st.lists(pairs, max_size=5, unique=True).map(tuple),
        next_hop=st.ip_addresses().map(str),
        as_path=st.lists(numbers, min_size=1, max_size=6).map(tuple),
        best=st.booleans(),
    ),
    min_size=2,
    max_size=12,
    unique_by=lambda route: route.prefix,
)


@pytest.mark.parametrize("name", RENDERERS)
@settings(max_examples=60, deadline=None)
@given(routes)
def test_is_read_back_equal(name: str, given_routes: list[Route]) -> None:
    table = read_route_table("dump", RENDERERS[name](given_routes))
    assert table is not None
    assert (table.format, table.shows_communities) == (name, True)
    assert set(table.routes) == set(given_routes)


@settings(max_examples=100, deadline=None)
@given(routes)
def test_a_table_without_communities_is_read_back_without_them(given_routes: list[Route]) -> None:
    table = read_route_table("dump", ios_table(given_routes))
    assert table is not None
    assert not table.shows_communities
    assert {(one.prefix, one.next_hop, one.as_path, one.best) for one in table.routes} == {
        (one.prefix, one.next_hop, one.as_path, one.best) for one in given_routes
    }
    assert not table.values


@settings(max_examples=60, deadline=None)
@given(routes, st.ip_addresses().map(str))
def test_covering_gives_what_ipaddress_gives_longest_first(given_routes: list[Route], address: str) -> None:
    wanted = ipaddress.ip_address(
        given_routes[0].prefix.partition("/")[0] if len(given_routes) % 2 else address
    )
    table = read_route_table("dump", frr_json(given_routes))
    assert table is not None
    held = [one for one in given_routes if wanted in ipaddress.ip_network(one.prefix)]
    held.sort(key=lambda one: -int(one.prefix.partition("/")[2]))
    assert list(table.covering(wanted)) == held
