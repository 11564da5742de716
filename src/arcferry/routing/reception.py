"""What was really received: which route to an address a router's own tables hold, and from whom."""

import ipaddress
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from arcferry import typed
from arcferry.routing.prefixes import Address, Network
from arcferry.routing.route import Route, RouteTable, Vantage

_OF_ONE_VISIT = timedelta(days=1)


class Reception(StrEnum):
    """What the router's tables say of one address; of several, the first of these outweighs the others."""

    RECEIVED = "received"
    """The route that the router uses came from Microsoft."""

    ANOTHER_PATH = "another-path"
    """The router uses a route that did not come from Microsoft."""

    FILTERED_HERE = "filtered-here"
    """Microsoft sent one, and the router's own inbound policy dropped it."""

    NOT_RECEIVED = "not-received"
    """A whole table holds no route to it."""

    UNKNOWN = "unknown"
    """No table decides."""


@dataclass(frozen=True, slots=True)
class Received:
    """What the tables say of one address.

    Attributes:
        route: the route that decides, None if there is none.
        table: the table that decides, None if none was handed in.
        says: why, in one sentence that names the table and its day.
    """

    reception: Reception
    route: Route | None
    table: RouteTable | None
    says: str


NOTHING_RECEIVED = Received(Reception.UNKNOWN, None, None, "")
"""Of an address for which no table was handed in."""


class Return(StrEnum):
    """Whether Azure's side has the customer's own prefixes, so that answers come back this way."""

    ACCEPTED = "accepted"
    MISSING = "missing"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Returned:
    """What Azure's route tables say of the customer's prefixes.

    Attributes:
        missing: the prefixes that the table lacks.
        table: the table that decides, None if none of Azure's was handed in.
        says: why, in one sentence.
    """

    answer: Return
    missing: tuple[str, ...]
    table: RouteTable | None
    says: str


def named(table: RouteTable) -> str:
    """The table's name and day, for a reader."""
    return f"{table.name} of {table.taken.date()}" if table.taken else f"{table.name} (undated)"


def route_count(count: int) -> str:
    """`1 route`, `2,345 routes`."""
    return "1 route" if count == 1 else f"{count:,} routes"


def reception(address: str | Address, tables: Iterable[RouteTable], *, links: Iterable[str] = ()) -> Received:
    """Which route to the address the router really has, by its own tables.

    What a router uses outweighs what a neighbour sent it. Of several routers one that uses Microsoft's route
    suffices, because two routers of one site rarely hold the same; tables a day older than the newest are
    left out. Azure's tables prove nothing here: which direction they list is not documented. A route whose
    next hop lies in one of `links`, the prefixes between the router and Microsoft such as
    `Peering.primary_prefix`, came from Microsoft, also where its table shows no AS path.

    Raises:
        ValueError: `address` or one of `links` is none.
    """
    parsed = ipaddress.ip_address(address)
    own = _newest([table for table in tables if table.vantage is not Vantage.AZURE])
    between = tuple(ipaddress.ip_network(link, strict=False) for link in links)
    asked = [_LookUp(parsed, between, table) for table in own]
    used = _strongest([one.used() for one in asked if one.table.vantage is Vantage.ROUTER])
    sent = _strongest([one.sent() for one in asked if one.table.vantage is Vantage.RECEIVED])
    return _joined(used, sent) or Received(Reception.UNKNOWN, None, None, "no router's routes were handed in")


def returns(prefixes: Iterable[str], tables: Iterable[RouteTable]) -> Returned:
    """Whether Azure's route table of the peering has the prefixes that the customer advertises.

    Azure's newest whole table decides. A prefix counts as there where a route of it equals or holds the
    prefix; the default route does not count.

    Raises:
        ValueError: one of `prefixes` is none.
    """
    wanted = [ipaddress.ip_network(prefix) for prefix in prefixes]
    azure = _newest([table for table in tables if table.vantage is Vantage.AZURE])
    if not wanted or not azure:
        lacks = "no advertised prefix is known" if not wanted else "no route table of Azure's was handed in"
        return Returned(Return.UNKNOWN, (), None, lacks)
    table = next((table for table in azure if table.complete), azure[0])
    missing = tuple(
        str(prefix)
        for prefix in wanted
        if not any(0 < _length(one) <= prefix.prefixlen for one in table.covering(prefix.network_address))
    )
    if not missing:
        answer, says = Return.ACCEPTED, "has every prefix that is advertised to Microsoft"
    elif not table.complete:
        answer = Return.UNKNOWN
        says = f"is no whole table, so that the lack of {missing[0]} in it means nothing"
    else:
        answer = Return.MISSING
        says = f"has no route to {', '.join(missing)}: answers cannot come back over the peering"
    return Returned(answer, missing, table, f"{named(table)} {says}")


@dataclass(frozen=True, slots=True)
class _LookUp:
    """One address in one table."""

    address: Address
    links: tuple[Network, ...]
    table: RouteTable

    def used(self) -> Received:
        """What the router does with packets to the address: the longest prefix that it uses wins."""
        routes = self.table.covering(self.address)
        live = [route for route in routes if not route.filtered]
        usable = [route for route in live if route.best is not False]
        dropped = self._from_microsoft([route for route in routes if route.filtered])
        if not usable:
            if dropped:
                return _filtered(self.table, dropped)
            return (
                self._has(Reception.UNKNOWN, live[0], ", and shows no route in use")
                if live
                else self._absent()
            )
        longest = [route for route in usable if route.prefix == usable[0].prefix]
        best = [route for route in longest if route.best]
        winner = (best or [route for route in longest if self._is_microsofts(route)] or longest)[0]
        if dropped and self._is_microsofts(winner) is False and _length(dropped) > _length(winner):
            return _filtered(self.table, dropped)
        return self._judged(winner)

    def sent(self) -> Received:
        """What the neighbour sent, before the router's own policy."""
        routes = self.table.covering(self.address)
        if found := self._from_microsoft(routes):
            return _filtered(self.table, found) if found.filtered else self._judged(found)
        untold = next((route for route in routes if self._is_microsofts(route) is None), None)
        return self._judged(untold) if untold else self._absent("from Microsoft " if routes else "")

    def _judged(self, route: Route) -> Received:
        """What a route means by who sent it."""
        if self._is_beside_the_question(route):
            return self._has(Reception.UNKNOWN, route, ", in an answer about another address")
        if (microsofts := self._is_microsofts(route)) is None:
            return self._has(Reception.UNKNOWN, route, ", and does not tell who sent it")
        if microsofts:
            return self._has(Reception.RECEIVED, route, " from Microsoft")
        says = f"{named(self.table)} sends {self.address} by {_described(route)}, which is not from Microsoft"
        return Received(Reception.ANOTHER_PATH, route, self.table, says)

    def _is_beside_the_question(self, route: Route) -> bool:
        """Whether the router was asked for another address, so that a longer prefix may hold this one."""
        table = self.table
        asked_else = bool(table.asked) and not table.complete and str(self.address) not in table.asked
        return asked_else and not self._is_microsofts(route)

    def _has(self, answer: Reception, route: Route, so: str) -> Received:
        says = f"{named(self.table)} has {self.address} in {_described(route)}{so}"
        return Received(answer, route, self.table, says)

    def _is_microsofts(self, route: Route) -> bool | None:
        """Whether Microsoft sent it.

        A default route never is, because Microsoft peering carries none; nor is a route without an AS path
        where others have one, because it is the router's own: static, connected, or of its own AS.
        """
        if _length(route) == 0:
            return False
        if route.from_microsoft is not None:
            return route.from_microsoft
        hop = typed.address(route.next_hop) if self.links else ""
        if hop and any(ipaddress.ip_address(hop) in link for link in self.links):
            return True
        return False if self.table.routes.shows_paths else None

    def _from_microsoft(self, routes: Sequence[Route]) -> Route | None:
        """The most specific route from Microsoft, one that was let in before one that was dropped."""
        found = [route for route in routes if self._is_microsofts(route)]
        return min(found, key=lambda route: (route.filtered, -_length(route)), default=None)

    def _absent(self, whose: str = "") -> Received:
        name = named(self.table)
        if str(self.address) in self.table.asked:
            says = f"{name}: the router was asked for {self.address}, and has no route {whose}to it"
            return Received(Reception.NOT_RECEIVED, None, self.table, says)
        if self.table.complete:
            size = route_count(self.table.size)
            says = f"{name} is a whole table of {size}, and none {whose}holds {self.address}"
            return Received(Reception.NOT_RECEIVED, None, self.table, says)
        says = f"{name} is no whole table, so that the lack of {self.address} in it means nothing"
        return Received(Reception.UNKNOWN, None, self.table, says)


def _joined(used: Received | None, sent: Received | None) -> Received | None:
    """What the router uses, set right by what its neighbour sent it."""
    if used is None or sent is None:
        return used or sent
    if used.reception is Reception.UNKNOWN:
        return used if sent.reception is Reception.UNKNOWN else sent
    is_open = used.reception in (Reception.ANOTHER_PATH, Reception.NOT_RECEIVED)
    if not is_open or sent.reception is not Reception.RECEIVED or not (sent.route and sent.table):
        return used
    if used.route and _length(used.route) >= _length(sent.route):
        return used
    return _filtered(sent.table, sent.route, f": {used.says}")


def _filtered(table: RouteTable, route: Route, so: str = "") -> Received:
    sends = f"{named(table)} shows that Microsoft sends {_described(route)}"
    return Received(
        Reception.FILTERED_HERE, route, table, f"{sends}, and the router's own policy drops it{so}"
    )


def _strongest(found: Sequence[Received]) -> Received | None:
    return min(found, key=lambda one: [*Reception].index(one.reception), default=None)


def _newest(tables: Sequence[RouteTable]) -> list[RouteTable]:
    """The newest first, without those more than a day older; undated ones stay, at the end."""
    dated = [(table.taken, table) for table in tables if table.taken]
    dated.sort(key=lambda one: one[0], reverse=True)
    current = [table for taken, table in dated if dated[0][0] - taken <= _OF_ONE_VISIT]
    return current + [table for table in tables if table.taken is None]


def _length(route: Route) -> int:
    return int(route.prefix.rpartition("/")[2])


def _described(route: Route) -> str:
    kind = "the default route" if _length(route) == 0 else route.prefix
    carried = f" with {', '.join(route.communities[:4])}" if route.communities else ""
    via = f" through {route.next_hop}" if route.next_hop else ""
    return f"{kind}{carried}{via}"
