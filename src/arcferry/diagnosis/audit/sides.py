"""The two sides of an audit: what documents lead to expect of an endpoint, and what was really seen of it."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from ipaddress import ip_address

from arcferry import catalog
from arcferry.catalog import Endpoint, Region
from arcferry.diagnosis.destination import Destination
from arcferry.diagnosis.names import community_name, listed, region_name
from arcferry.evidence.case import Case
from arcferry.probe.observation import Attempt, Stage
from arcferry.routing.circuit import (
    IPV4,
    IPV6,
    NoRoutes,
    Reason,
    filters_not_at_hand,
    no_routes,
    reaches,
)
from arcferry.routing.coverage import Coverage, Verdict
from arcferry.routing.reception import NOTHING_RECEIVED, Received, Reception, named, route_count

_DEFAULT_ROUTES = {"0.0.0.0/0": "the default route", "::/0": "the IPv6 default route"}
_PROBLEMS = {
    Reason.CIRCUIT_DISABLED: "circuit {circuit} is {state} in Azure",
    Reason.NOT_PROVISIONED: "the provider's side of circuit {circuit} is {state}",
    Reason.NO_PEERING: "circuit {circuit} has no {peering}",
    Reason.PEERING_DISABLED: "the {peering} of circuit {circuit} is {state}",
    Reason.NO_ROUTE_FILTER: "no route filter is attached to the {peering} of circuit {circuit}",
}
_NOT_TESTED = "discovery-failed"


@dataclass(frozen=True, slots=True)
class Expected:
    """What documents lead to expect of one address, or of a name that nobody has resolved.

    Attributes:
        verdict: what tags, lists and the filter lead to.
        service_tag: the most informative service tag, empty where none holds the address.
        region: ARM name, empty where unknown.
        community: the one that carries it, or the one to add; empty where there is none.
        communities: every community that may carry it.
        route_filter: the filter's name, empty where none is at hand.
        in_filter: whether the filter lets one of them through; None without a filter or a community.
        within_reach: whether the circuit's SKU reaches the region; None where not known.
        peering: what is wrong with the circuit's Microsoft peering for this address; empty where nothing is.
        path: whether a path over Microsoft peering is to be expected; None where it cannot be told.
        says: the same in one line.
        settled: whether it is known where the name answers, so that routes of `communities` tell of it.
        notes: what the sources disagree about, or leave open; not part of the comparison.
    """

    verdict: Verdict
    service_tag: str = ""
    region: str = ""
    community: str = ""
    communities: tuple[str, ...] = ()
    route_filter: str = ""
    in_filter: bool | None = None
    within_reach: bool | None = None
    peering: str = ""
    path: bool | None = None
    says: str = ""
    settled: bool = True
    notes: tuple[str, ...] = field(default=(), compare=False)


@dataclass(frozen=True, slots=True)
class Observed:
    """What was seen of one endpoint: the route that a router holds, and whether a connection came about.

    Attributes:
        reception: what the router's tables say.
        table: the name of the table that decides, empty where none was handed in.
        taken: as of when the table is, None where it does not say.
        connected: whether TCP came about; None where nobody tried, or the document does not tell how far.
        proxied: whether a proxy stood between, so that the routes here do not matter.
        connection: the same for a reader, such as `reached` or `tcp timeout`; empty where nobody tried.
        prefixes: the routes that decide, empty where there is none.
        communities: those that the routes carry.
        next_hops: empty where unknown.
        says: the routes in one line; empty where there is no table.
    """

    reception: Reception
    table: str
    taken: datetime | None
    connected: bool | None
    proxied: bool
    connection: str
    prefixes: tuple[str, ...] = field(compare=False)
    communities: tuple[str, ...] = field(compare=False)
    next_hops: tuple[str, ...] = field(compare=False)
    says: str = field(compare=False)

    @property
    def route(self) -> str:
        """The routes in a few words; empty where there is none."""
        first = "".join(_DEFAULT_ROUTES.get(prefix, prefix) for prefix in self.prefixes[:1])
        return f"{first} and {len(self.prefixes) - 1} more" if self.prefixes[1:] else first

    @property
    def has_route(self) -> bool | None:
        """Whether Microsoft's route is in use; None where no table decides."""
        return None if self.reception is Reception.UNKNOWN else self.reception is Reception.RECEIVED

    @property
    def path(self) -> bool | None:
        """Whether a path was seen: a connection decides, then a route; None where nothing tells."""
        return self.has_route if self.connected is None else self.connected


def of_address(coverage: Coverage, case: Case) -> Expected:
    """What is expected of one address."""
    if coverage.verdict is Verdict.PRIVATE:
        says = "a private address: Microsoft peering does not matter"
        return Expected(coverage.verdict, says=says, notes=coverage.conflicts)
    filter_name = coverage.route_filter.name if coverage.route_filter else ""
    value = community_name(coverage.community)
    said = {
        Verdict.CARRIED: f"{filter_name} allows {value}",
        Verdict.NOT_IN_FILTER: f"{filter_name} lacks {value}",
        Verdict.NOT_ON_PEERING: "Microsoft peering does not carry it",
        Verdict.NO_DOCUMENTED_COMMUNITY: "which has no documented community",
        Verdict.UNKNOWN: f"needs {value}" if value else "nothing at hand tells more",
    }
    where = f"in {region_name(coverage.region)}, " if coverage.region else ""
    return _expected(coverage, case, where + said[coverage.verdict])


def without_address(endpoint: Endpoint | None, region: Region | None, case: Case) -> Expected:
    """What is expected of a name that nobody has resolved: by its service, else by the machine's region."""
    if endpoint is None:
        return Expected(Verdict.UNKNOWN, says="nothing tells where it answers", settled=False)
    if endpoint.at_the_edge:
        says = "Front Door or a CDN serves it, which Microsoft peering does not carry"
        return Expected(Verdict.NOT_ON_PEERING, path=False, says=says)
    cloud = catalog.cloud_of(endpoint.host)
    service = catalog.service_community(endpoint.carrier, cloud) if cloud else None
    # A host's name holds its region between dots or dashes: eastus2-gas is not of eastus.
    own = region and (endpoint.discovered or region.name in re.split(r"[.-]", endpoint.host))
    where = region.name if region and own else ""
    known = service or (catalog.region_community(region.name) if region else None)
    if known is None:
        verdict = Verdict.NO_DOCUMENTED_COMMUNITY if where else Verdict.UNKNOWN
        nowhere = Coverage(endpoint.host, "", "", where, "", (), (), verdict, ())
        return _expected(nowhere, case, "no community is documented for it", settled=False)
    value, filters = known.value, case.filters_in_effect
    allowed = any(seen.allows(value) for seen in filters)
    settled = service is not None or bool(where)
    # An address of a service lies in a region too, whose own community carries it as well.
    decided = bool(filters) and settled and (allowed or service is None)
    verdict = (Verdict.CARRIED if allowed else Verdict.NOT_IN_FILTER) if decided else Verdict.UNKNOWN
    said = "in the filter" if allowed else "not in the filter" if filters else "no route filter was handed in"
    anywhere = "" if settled else "any region that it answers in, such as "
    values = (value,)
    through = values if allowed else ()
    filter_ = next(iter(filters), None)
    coverage = Coverage(
        endpoint.host, "", "", where, value, values, through, verdict, (), route_filter=filter_
    )
    return _expected(coverage, case, f"{anywhere}{community_name(value)}: {said}", settled=settled)


def _expected(coverage: Coverage, case: Case, says: str, *, settled: bool = True) -> Expected:
    version = ip_address(coverage.address).version if coverage.address else IPV4
    reach = reaches(case.circuits, coverage.region, coverage.allowed_by or coverage.candidates)
    broken = no_routes(case.circuits, version)
    not_at_hand = tuple(
        f"circuit {circuit.name} holds route filter {reference.rstrip('/').rpartition('/')[2]}, "
        "which was not handed in"
        for circuit, reference in filters_not_at_hand(case.circuits, case.filters)
    )
    path = None
    if coverage.verdict is Verdict.NOT_ON_PEERING or reach is False or broken:
        path = False
    elif not not_at_hand and coverage.verdict in (Verdict.CARRIED, Verdict.NOT_IN_FILTER):
        path = coverage.verdict is Verdict.CARRIED
    asked = coverage.route_filter is not None and bool(coverage.candidates)
    return Expected(
        verdict=coverage.verdict,
        service_tag=coverage.service_tag,
        region=coverage.region,
        community=coverage.community,
        communities=coverage.candidates,
        route_filter=coverage.route_filter.name if coverage.route_filter else "",
        in_filter=bool(coverage.allowed_by) if asked else None,
        within_reach=reach,
        peering=_problem(broken[0]) if broken else "",
        path=path,
        says=says,
        settled=settled,
        notes=(*not_at_hand, *coverage.conflicts),
    )


def _problem(one: NoRoutes) -> str:
    peering = "IPv6 Microsoft peering" if one.version == IPV6 else "Microsoft peering"
    return _PROBLEMS[one.reason].format(circuit=one.circuit, state=one.state, peering=peering)


def observed(found: Received, seen: Attempt | None) -> Observed:
    """What was seen, by the route to an address and the attempt that counts there."""
    route, table = found.route, found.table
    return Observed(
        reception=found.reception,
        table=table.name if table else "",
        taken=table.taken if table else None,
        connected=_connected(seen),
        proxied=seen is not None and seen.proxied,
        connection=_connection(seen),
        prefixes=(route.prefix,) if route else (),
        communities=route.communities if route else (),
        next_hops=(route.next_hop,) if route and route.next_hop else (),
        says=found.says if table else "",
    )


def attempt_at(address: str, destination: Destination) -> Attempt | None:
    """What counts at this address: its own newest attempt, else one that names no address."""
    own = [seen for seen in destination.attempts if seen.address == address]
    if own:
        return max(own, key=lambda seen: (seen.taken.timestamp() if seen.taken else 0.0, not seen.reachable))
    latest = destination.latest
    return latest if latest and latest.address in ("", address) else None


def of_communities(values: Sequence[str], case: Case) -> Observed:
    """What was seen of the routes of these communities, for a name that nobody has resolved.

    A table that could show communities and has one of them proves the path's first half; a whole one that has
    none proves that it lacks.
    """
    for table in case.own_tables:
        counted = [(value, table.values[value]) for value in values if table.values.get(value)]
        if counted:
            routes = [f"{route_count(count)} with {community_name(value)}" for value, count in counted]
            says = f"{named(table)} holds {listed(routes)}"
            return observed(Received(Reception.RECEIVED, None, table, says), None)
    whole = next((one for one in case.own_tables if one.complete and one.shows_communities), None)
    if values and whole:
        says = f"{named(whole)} holds no route with {listed([community_name(value) for value in values])}"
        return observed(Received(Reception.NOT_RECEIVED, None, whole, says), None)
    return observed(NOTHING_RECEIVED, None)


def _connected(seen: Attempt | None) -> bool | None:
    """Whether TCP came about; a name that did not resolve, and a proxy that failed, tell nothing of it."""
    if seen is None or seen.reachable:
        return None if seen is None else True
    failure = seen.failure
    if failure and (failure.stage in (Stage.DNS, Stage.PROXY) or failure.kind == _NOT_TESTED):
        return None
    return failure is not None and failure.stage in (Stage.TLS, Stage.HTTP)


def _connection(seen: Attempt | None) -> str:
    if seen is None:
        return ""
    failed = f"{seen.failure.stage} {seen.failure.kind}" if seen.failure else "not reachable"
    return ("reached" if seen.reachable else failed) + (" through a proxy" if seen.proxied else "")
