"""Routes as a router, or Azure, shows them: what was really received, not what is expected."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from arcferry.routing.prefixes import Address, PrefixMap

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
        communities: such as `12076:51012`; empty where the route has none, or where its table shows none.
        next_hop: an address, empty where unknown.
        as_path: the AS numbers, the neighbour first; empty where unknown or local.
        best: whether the router uses it; None where the table does not say.
        filtered: whether the router's own inbound policy dropped it.
    """

    prefix: str
    communities: tuple[str, ...] = ()
    next_hop: str = ""
    as_path: tuple[int, ...] = ()
    best: bool | None = None
    filtered: bool = False

    @property
    def from_microsoft(self) -> bool | None:
        """Whether it came over ExpressRoute, by AS path or community; None where neither is known."""
        if any(value.startswith(f"{MICROSOFT_AS}:") for value in self.communities):
            return True
        return MICROSOFT_AS in self.as_path if self.as_path else None


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
    _routes: PrefixMap[Route] = field(default_factory=PrefixMap, repr=False, compare=False)

    def covering(self, address: str | Address) -> tuple[Route, ...]:
        """Every route that holds the address, the longest prefix first.

        Raises:
            ValueError: `address` is no IP address.
        """
        return tuple(route for _, route in self._routes.all(address))


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
) -> RouteTable:
    """The table that these routes make; they are taken one by one, so that a million never stand in a list.

    Raises:
        ValueError: a route's prefix is none.
    """
    values: dict[str, int] = {}
    size = 0

    def counted() -> Iterable[tuple[str, Route]]:
        nonlocal size
        for route in routes:
            size += 1
            for value in route.communities:
                values[value] = values.get(value, 0) + 1
            yield route.prefix, route

    held = PrefixMap(counted())
    return RouteTable(name, format, vantage, taken, size, shows_communities, complete, values, notes, held)
