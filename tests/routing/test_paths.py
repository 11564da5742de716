"""The two paths of a circuit by themselves: routes of the other router, and what tells that one is down."""

import pytest

from arcferry.routing.paths import LinkPath, OnOneAlone, by_itself, on_one_alone, standing
from arcferry.routing.route import Route, RouteTable, Vantage, route_table
from arcferry.routing.session import ArpEntry, Session

FIRST, SECOND = "198.51.100.0/30", "198.51.100.4/30"
OVER_FIRST, OVER_SECOND = "198.51.100.2", "198.51.100.6"
POOL = ("203.0.113.0/28",)
WHO = ArpEntry("On-Prem", "198.51.100.1", "0200.0000.0001")
NOBODY = ArpEntry("On-Prem", "198.51.100.1", "Incomplete")


def of(prefix: str, hop: str = "", path: tuple[int, ...] = (12076,), **more: bool) -> Route:
    return Route(prefix, next_hop=hop, as_path=path, **more)


def table(*routes: Route, vantage: Vantage = Vantage.ROUTER) -> RouteTable:
    return route_table("rtr.txt", routes, format="cisco-ios", vantage=vantage)


def azure(*prefixes: str) -> RouteTable:
    return table(*(of(prefix, path=(65010,)) for prefix in prefixes), vantage=Vantage.AZURE)


def prefixes(found: RouteTable) -> set[str]:
    return {route.prefix for route in found.routes}


def test_what_the_other_router_gave_is_left_out() -> None:
    given = table(of("20.0.0.0/16", OVER_FIRST), of("40.0.0.0/16", OVER_SECOND), of("10.0.0.0/8", "", ()))
    assert prefixes(by_itself(given, FIRST, SECOND)) == {"20.0.0.0/16", "10.0.0.0/8"}
    assert prefixes(by_itself(given, "", SECOND)) == {"20.0.0.0/16", "10.0.0.0/8"}
    assert by_itself(given, "", "") is given


def test_next_hops_that_its_own_link_does_not_hold_are_another_routers() -> None:
    """A router that rewrites next hops toward its neighbour shows there an address of its own."""
    given = table(of("20.0.0.0/16", OVER_FIRST), of("40.0.0.0/16", "10.9.9.9"))
    assert prefixes(by_itself(given, FIRST, SECOND)) == {"20.0.0.0/16"}
    behind = table(of("40.0.0.0/16", "10.9.9.9"))
    assert prefixes(by_itself(behind, FIRST, SECOND)) == {"40.0.0.0/16"}, "nothing tells it apart"


@pytest.mark.parametrize(
    ("path", "carries", "says"),
    [
        (LinkPath("primary"), None, "nothing that was read tells"),
        (LinkPath("primary", sessions=(Session("x", 12076, "Idle"),)), False, "session with x is Idle"),
        (
            LinkPath("primary", sessions=(Session("x", 12076, "Idle"), Session("y", 12076, "Established"))),
            True,
            "its session is up",
        ),
        (LinkPath("primary", arp=(NOBODY,)), False, "no ARP answer"),
        (LinkPath("primary", arp=(WHO,)), None, "nothing"),
        (
            LinkPath("primary", tables=(table(of("10.0.0.0/8", "", (65001,))),)),
            False,
            "no route of Microsoft",
        ),
        (LinkPath("primary", tables=(table(of("20.0.0.0/16", filtered=True)),)), False, "no route of Micro"),
        (LinkPath("primary", tables=(table(of("20.0.0.0/16")),)), True, "has Microsoft's routes"),
        (LinkPath("primary", tables=(azure("198.18.0.0/24"),)), False, "answers cannot come back"),
        (LinkPath("primary", tables=(azure(*POOL),)), None, "nothing"),
    ],
)
def test_what_tells_whether_a_path_carries(path: LinkPath, carries: bool | None, says: str) -> None:
    found = standing(path, POOL)
    assert found.carries is carries
    assert says in found.says


def test_each_is_laid_beside_its_like() -> None:
    first = LinkPath("primary", tables=(table(of("20.0.0.0/16"), of("40.0.0.0/16")), azure(*POOL)))
    second = LinkPath("secondary", tables=(table(of("20.0.0.0/16")), azure(*POOL, "203.0.113.64/28")))
    assert on_one_alone(first, second) == (
        OnOneAlone("primary", False, ("40.0.0.0/16",)),
        OnOneAlone("secondary", True, ("203.0.113.64/28",)),
    )
    assert on_one_alone(first, LinkPath("secondary")) == ()
