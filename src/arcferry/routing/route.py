"""Routes as a router, or Azure, shows them: what was really received, not what is expected."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from arcferry.routing.prefixes import Address, PrefixMap, prefix_text

MICROSOFT_AS = 12076
"""The AS of Microsoft's edge on every ExpressRoute peering (ExpressRoute routing requirements, 2026-03)."""


class Vantage(StrEnum):
    """Whose table it is."""

    ROUTER = "router"
    """The customer's own: after its inbound policy, what it uses."""

    RECEIVED = "received"
    """What the neighbour sent, before the customer's inbound policy (`received-routes`, `Adj-RIB-In`)."""

    AZURE = "azure"
    """Azure's route table of a peering. It shows no communities, and which direction it lists is not
    documented."""


@dataclass(frozen=True, slots=True)
class Route:
    """One route.

    Attributes:
        prefix: in canonical CIDR form.
        communities: such as `12076:51012`; empty if the route has none, or where its table shows none.
        next_hop: an address, empty if unknown.
        as_path: the AS numbers, the neighbour first; empty if unknown or local.
        best: whether the router uses it; None if the table does not say.
        filtered: whether the router's own inbound policy dropped it.
        own: whether its router was told it, as a static or connected one, so that no neighbour sent it.
    """

    prefix: str
    communities: tuple[str, ...] = ()
    next_hop: str = ""
    as_path: tuple[int, ...] = ()
    best: bool | None = None
    filtered: bool = False
    own: bool = False

    @property
    def from_microsoft(self) -> bool | None:
        """Whether it came over ExpressRoute, by AS path or community; None if neither is known."""
        if self.own:
            return False
        if any(value.startswith(f"{MICROSOFT_AS}:") for value in self.communities):
            return True
        return MICROSOFT_AS in self.as_path if self.as_path else None


_Attributes = tuple[tuple[str, ...], str, tuple[int, ...], bool | None, bool, bool]


class Routes:
    """Many routes by prefix, for longest match.

    A million routes share a few thousand combinations of attributes, so a prefix holds a reference to one of
    these, and the `Route` is made when it is asked for: some 150 bytes a route instead of 700.
    """

    def __init__(self, routes: Iterable[Route] = ()) -> None:
        """Take the routes.

        Raises:
            ValueError: a route's prefix is none.
        """
        self.size = 0
        self._held: PrefixMap[_Attributes] = PrefixMap()
        self._known: dict[_Attributes, _Attributes] = {}
        for route in routes:
            self.add(route)

    def add(self, route: Route) -> None:
        """Take one more.

        Raises:
            ValueError: its prefix is none.
        """
        fresh = (
            route.communities, route.next_hop, route.as_path, route.best, route.filtered, route.own
        )  # fmt: skip
        self._held.add(route.prefix, self._known.setdefault(fresh, fresh))
        self.size += 1

    def __iter__(self) -> Iterator[Route]:
        for key, held in self._held.entries():
            prefix = prefix_text(key)
            for attributes in held:
                yield Route(prefix, *attributes)

    def communities(self) -> dict[str, int]:
        """Every community, with how many routes carry it."""
        counted = Counter(attributes for _, held in self._held.entries() for attributes in held)
        values: Counter[str] = Counter()
        for (communities, *_), count in counted.items():
            values.update(dict.fromkeys(communities, count))
        return dict(values)

    @property
    def shows_paths(self) -> bool:
        """Whether any route has an AS path, so that one without it is the router's own."""
        return any(as_path for _, _, as_path, *_ in self._known)

    def holds(self, prefix: str) -> bool:
        """Whether there is a route of exactly this prefix.

        Raises:
            ValueError: it is no prefix.
        """
        return bool(self._held.at(prefix))

    def covering(self, address: str | Address) -> Iterator[Route]:
        """Every route that holds the address, the longest prefix first, else in the order of `add`.

        Raises:
            ValueError: `address` is no IP address.
        """
        return (Route(prefix, *attributes) for prefix, attributes in self._held.covering(address))


@dataclass(frozen=True, slots=True)
class RouteTable:
    """The routes of one document.

    Attributes:
        name: the document's name.
        format: such as `cisco-ios`, `frr-json` or `mrt`; the reader that took it.
        taken: as of when, where the document tells.
        size: how many routes.
        shows_communities: whether the document could show communities; else their lack says nothing.
        complete: whether it is a whole table, so that a prefix's absence means something; False for the
            output of a query for one prefix or one community.
        values: every community seen, with how many routes carry it.
        notes: what was odd: truncated, paged, lines that were left out.
        asked: the addresses for which the router was asked alone: for these its answer is whole.
        routes: the routes themselves; to be iterated, or asked by prefix.
    """

    name: str
    format: str
    vantage: Vantage
    taken: datetime | None
    size: int
    shows_communities: bool
    complete: bool
    values: dict[str, int]
    notes: tuple[str, ...] = ()
    routes: Routes = field(default_factory=Routes, repr=False, compare=False)
    asked: tuple[str, ...] = ()

    def covering(self, address: str | Address) -> tuple[Route, ...]:
        """Every route that holds the address, the longest prefix first.

        Raises:
            ValueError: `address` is no IP address.
        """
        return tuple(self.routes.covering(address))


def route_table(
    name: str,
    routes: Iterable[Route],
    *,
    format: str,  # noqa: A002 - the field's own word
    vantage: Vantage = Vantage.ROUTER,
    taken: datetime | None = None,
    shows_communities: bool = True,
    complete: bool = True,
    notes: tuple[str, ...] = (),
    asked: tuple[str, ...] = (),
) -> RouteTable:
    """The table that these routes make; they are taken one by one, so that a million never stand in a list.

    `Routes` are kept as they are, not copied.

    Raises:
        ValueError: a route's prefix is none.
    """
    held = routes if isinstance(routes, Routes) else Routes(routes)
    values = held.communities()
    return RouteTable(
        name, format, vantage, taken, held.size, shows_communities, complete, values, notes, held, asked
    )
