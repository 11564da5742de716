"""The two paths of a circuit, each by itself: what it carries, and what the other one lacks."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from ipaddress import ip_address, ip_network

from arcferry import typed
from arcferry.language import marked
from arcferry.routing.prefixes import prefix_key
from arcferry.routing.reception import Return, returns
from arcferry.routing.route import Route, Routes, RouteTable, Vantage
from arcferry.routing.session import ArpEntry, Session

PRIMARY, SECONDARY = marked("primary"), marked("secondary")
LINKS = (PRIMARY, SECONDARY)


@dataclass(frozen=True, slots=True)
class LinkPath:
    """What is known of one path.

    Attributes:
        name: `primary` or `secondary`.
        link: the prefix between the company's router and Microsoft's; empty if unknown.
        sessions: its BGP sessions with Microsoft, by whoever told of them.
        arp: Azure's ARP table of it.
        tables: the route tables of it: the router's own, and Azure's.
        bytes_in: what Azure has counted as coming in; None where it was not asked.
        bytes_out: what it has counted as going out.
    """

    name: str
    link: str = ""
    sessions: tuple[Session, ...] = ()
    arp: tuple[ArpEntry, ...] = ()
    tables: tuple[RouteTable, ...] = ()
    bytes_in: int | None = None
    bytes_out: int | None = None

    @property
    def own(self) -> tuple[RouteTable, ...]:
        """The tables of the company's own router."""
        return tuple(one for one in self.tables if one.vantage is not Vantage.AZURE)

    @property
    def azure(self) -> tuple[RouteTable, ...]:
        """Azure's tables of it."""
        return tuple(one for one in self.tables if one.vantage is Vantage.AZURE)

    @property
    def received(self) -> frozenset[str]:
        """The prefixes of Microsoft's routes in the router's tables that its policy lets in."""
        return frozenset(
            route.prefix
            for table in self.own
            for route in table.routes
            if route.from_microsoft and not route.filtered
        )


def by_itself(table: RouteTable, link: str, other: str) -> RouteTable:
    """A router's table without those of Microsoft's routes that the other path's router gave it.

    A route that came over the path has its next hop in the path's own link. Where no route has, only those
    are left out whose next hop is in the other link.

    Args:
        table: the router's own.
        link: the prefix between it and Microsoft; empty if unknown.
        other: that of the other path, likewise.
    """
    if table.vantage is Vantage.AZURE or not (link or other):
        return table
    inside = [_lies_in(route, link) for route in table.routes if route.from_microsoft]
    strict = any(inside)

    def stays(route: Route) -> bool:
        if not route.from_microsoft or not route.next_hop:
            return True
        return _lies_in(route, link) if strict else not _lies_in(route, other)

    kept = Routes(route for route in table.routes if stays(route))
    return replace(table, routes=kept, size=kept.size, values=kept.communities())


def _lies_in(route: Route, link: str) -> bool:
    return address_in(route.next_hop, link)


def address_in(text: str, link: str) -> bool:
    """Whether this is an address of a link; False where either is not known."""
    address = typed.address(text)
    return bool(link and address) and ip_address(address) in ip_network(link, strict=False)


@dataclass(frozen=True, slots=True)
class Standing:
    """Whether a path carries anything by itself.

    Attributes:
        carries: None where nothing tells.
        says: why, in one sentence.
    """

    carries: bool | None
    says: str


def standing(path: LinkPath, advertised: Sequence[str] = ()) -> Standing:
    """Whether a path carries anything, by its session, its ARP table, its routes and the way back.

    Args:
        path: what is known of it.
        advertised: the company's prefixes that Microsoft was told of.
    """
    down = [one for one in path.sessions if not one.is_up]
    if path.sessions and len(down) == len(path.sessions):
        return Standing(False, f"its BGP session with {down[0].peer} is {down[0].state}")
    if path.arp and not any(one.is_on_premises and one.is_answered for one in path.arp):
        return Standing(False, "Microsoft's router gets no ARP answer of the company's")
    whole = [one for one in path.own if one.complete]
    if whole and not path.received:
        return Standing(False, f"{whole[0].name} is a whole table, and holds no route of Microsoft's")
    back = returns(advertised, path.azure)
    if back.answer is Return.MISSING:
        return Standing(False, back.says)
    if path.sessions or path.received:
        return Standing(True, "its session is up" if path.sessions else "its router has Microsoft's routes")
    return Standing(None, "nothing that was read tells")


@dataclass(frozen=True, slots=True)
class OnOneAlone:
    """The prefixes that one path has, and the other lacks.

    Attributes:
        path: the one that has them.
        azure: whether Azure's tables show it; else the routers' own do.
        prefixes: in order; none where both have the same.
    """

    path: str
    azure: bool
    prefixes: tuple[str, ...]


def on_one_alone(one: LinkPath, other: LinkPath) -> tuple[OnOneAlone, ...]:
    """What each path has that the other lacks, by the routers' tables and by Azure's, each against its like.

    A prefix that the other has as part of a shorter one of Microsoft's still counts: its own route is gone
    there. Nothing is said where one side has no whole table.
    """
    found = []
    for azure in (False, True):
        tables = [side.azure if azure else side.own for side in (one, other)]
        if not all(any(table.complete for table in side) for side in tables):
            continue
        ours, theirs = (_azure_prefixes(side) if azure else side.received for side in (one, other))
        for path, alone in ((one, ours - theirs), (other, theirs - ours)):
            if alone:
                found.append(OnOneAlone(path.name, azure, tuple(sorted(alone, key=prefix_key))))
    return tuple(found)


def _azure_prefixes(path: LinkPath) -> frozenset[str]:
    return frozenset(route.prefix for table in path.azure for route in table.routes)
