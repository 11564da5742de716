"""What was really seen of an endpoint: the route that a router holds, and whether a connection came about."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from arcferry.diagnosis.destination import Destination
from arcferry.diagnosis.values import community_name, listed
from arcferry.evidence.case import Case
from arcferry.evidence.document import Attempt
from arcferry.probe.observation import Stage
from arcferry.routing.reception import Received, Reception, named, reception, route_count
from arcferry.routing.route import Vantage

_BEFORE_TCP = (Stage.DNS, Stage.PROXY)
_BEHIND_TCP = (Stage.TLS, Stage.HTTP)
_DEFAULT_ROUTES = {"0.0.0.0/0": "the default route", "::/0": "the IPv6 default route"}
_NOT_TESTED = "discovery-failed"
_NOTHING = Received(Reception.UNKNOWN, None, None, "")


@dataclass(frozen=True, slots=True)
class Observed:
    """What was seen of one endpoint.

    Attributes:
        reception: what the router's tables say.
        prefixes: the routes that decide, empty where there is none.
        communities: those that the routes carry.
        next_hops: empty where unknown.
        table: the name of the table that decides, empty where none was handed in.
        taken: as of when the table is, None where it does not say.
        connected: whether TCP came about; None where nobody tried, or the document does not tell how far.
        proxied: whether a proxy stood between, so that the routes here do not matter.
        connection: the same for a reader, such as `reached` or `tcp timeout`; empty where nobody tried.
        path: whether a path was seen; None where nothing tells.
        says: the routes in one line; empty where there is no table.
    """

    reception: Reception
    table: str
    taken: datetime | None
    connected: bool | None
    proxied: bool
    connection: str
    path: bool | None
    prefixes: tuple[str, ...] = field(default=(), compare=False)
    communities: tuple[str, ...] = field(default=(), compare=False)
    next_hops: tuple[str, ...] = field(default=(), compare=False)
    says: str = field(default="", compare=False)

    @property
    def route(self) -> str:
        """The routes in a few words; empty where there is none."""
        named_first = [_DEFAULT_ROUTES.get(prefix, prefix) for prefix in self.prefixes[:1]]
        more = f" and {len(self.prefixes) - 1} more" if self.prefixes[1:] else ""
        return "".join(named_first) + more

    @property
    def has_route(self) -> bool | None:
        """Whether Microsoft's route is in use; None where no table decides."""
        return None if self.reception is Reception.UNKNOWN else self.reception is Reception.RECEIVED


def at_address(address: str, facts: Destination, case: Case) -> Observed:
    """What was seen of an endpoint at one of its addresses."""
    return _observed(reception(address, case.route_tables, links=case.links), _attempt(address, facts))


def without_routes(facts: Destination) -> Observed:
    """What was seen of an endpoint of which no document tells an address."""
    return _observed(_NOTHING, facts.latest)


def merged(seen: Sequence[Observed]) -> Observed:
    """One observation for several addresses of which the same was seen, through other routes maybe."""
    return replace(
        seen[0],
        prefixes=tuple(dict.fromkeys(one for each in seen for one in each.prefixes)),
        communities=tuple(dict.fromkeys(one for each in seen for one in each.communities)),
        next_hops=tuple(dict.fromkeys(one for each in seen for one in each.next_hops)),
    )


def of_communities(values: Sequence[str], case: Case) -> Observed:
    """What was seen of the routes of these communities, for a name that nobody has resolved.

    A table that could show communities and has one of them proves the path's first half; a whole one that has
    none proves that it lacks.
    """
    tables = [table for table in case.route_tables if table.vantage is not Vantage.AZURE]
    for table in tables:
        counted = [(value, table.values[value]) for value in values if table.values.get(value)]
        if counted:
            routes = listed(
                [f"{route_count(count)} with {community_name(value)}" for value, count in counted]
            )
            found = Received(Reception.RECEIVED, None, table, f"{named(table)} holds {routes}")
            return _observed(found, None)
    whole = [table for table in tables if table.complete and table.shows_communities]
    if values and whole:
        wanted = listed([community_name(value) for value in values])
        says = f"{named(whole[0])} holds no route with {wanted}"
        return _observed(Received(Reception.NOT_RECEIVED, None, whole[0], says), None)
    return _observed(_NOTHING, None)


def _observed(found: Received, seen: Attempt | None) -> Observed:
    route, table = found.route, found.table
    connected = _connected(seen)
    proxied = seen is not None and seen.proxied
    has_route = None if found.reception is Reception.UNKNOWN else found.reception is Reception.RECEIVED
    return Observed(
        reception=found.reception,
        table=table.name if table else "",
        taken=table.taken if table else None,
        connected=connected,
        proxied=proxied,
        connection=_connection(seen),
        path=has_route if connected is None else connected,
        prefixes=(route.prefix,) if route else (),
        communities=route.communities if route else (),
        next_hops=(route.next_hop,) if route and route.next_hop else (),
        says=found.says if table else "",
    )


def _attempt(address: str, facts: Destination) -> Attempt | None:
    """What counts at this address: its own attempt, else one that names no address."""
    own = [seen for seen in facts.attempts if seen.address == address]
    if own:
        return max(own, key=lambda seen: (seen.taken.timestamp() if seen.taken else 0.0, not seen.reachable))
    return facts.latest if facts.latest and facts.latest.address in ("", address) else None


def _connected(seen: Attempt | None) -> bool | None:
    """Whether TCP came about; a name that did not resolve, and a proxy that failed, tell nothing of it."""
    if seen is None or seen.reachable:
        return None if seen is None else True
    failure = seen.failure
    if failure and (failure.stage in _BEFORE_TCP or failure.kind == _NOT_TESTED):
        return None
    return failure is not None and failure.stage in _BEHIND_TCP


def _connection(seen: Attempt | None) -> str:
    if seen is None:
        return ""
    through = " through a proxy" if seen.proxied else ""
    if seen.reachable:
        return f"reached{through}"
    if seen.failure is None:
        return f"not reachable{through}"
    return f"{seen.failure.stage} {seen.failure.kind}{through}"
