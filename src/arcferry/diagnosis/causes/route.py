"""Addresses to which no route leads: by the route filter, by the circuit, or by Microsoft peering itself."""

from collections.abc import Mapping
from dataclasses import replace

from arcferry import catalog, typed
from arcferry.catalog import Steering, When
from arcferry.diagnosis.destination import Destination, edge_links
from arcferry.diagnosis.finding import Confidence, Owner
from arcferry.diagnosis.names import community_name, day, filter_name
from arcferry.diagnosis.rule import Cause, Line, Match, Value, cause, line
from arcferry.evidence.case import Case
from arcferry.language import translated
from arcferry.probe.observation import Stage
from arcferry.routing.circuit import Reason, Tier, filters_not_at_hand, no_routes, reaches
from arcferry.routing.coverage import FRONT_DOOR, Verdict
from arcferry.routing.route_filter import RouteFilter
from arcferry.times import at_midnight

_ANY = "/subscriptions/SUBSCRIPTION-ID"
MAY_BE_ALLOWED = (Verdict.CARRIED, Verdict.UNKNOWN)
"""What leaves open whether the filter is the reason."""


def expected_or_observed(destination: Destination) -> Confidence:
    """Observed where a router's whole table has no route to it, else expected."""
    return Confidence.OBSERVED if destination.coverage.lacks_route else Confidence.EXPECTED


# The route filter.


def _blocking(destination: Destination) -> RouteFilter | None:
    """The filter that does not let the address through, if that may be why the endpoint fails."""
    may_be = destination.verdict is Verdict.NOT_IN_FILTER and destination.crosses_the_circuit
    return destination.coverage.route_filter if may_be else None


def _from_lists(destination: Destination, *signature: str, **values: Value) -> Match:
    """A match that rests on lists and the filter, which says so if no router's table was handed in."""
    evidence = () if destination.coverage.received.table else (line("", "no_table"),)
    return Match(expected_or_observed(destination), signature, evidence, values=values)


@cause("route/community-not-in-filter", Owner.NETWORK, routed=True)
def community_not_in_filter(destination: Destination, _: Case) -> Match | None:
    """The filter allows none of the communities that may carry the address."""
    blocking, coverage = _blocking(destination), destination.coverage
    if blocking is None:
        return None
    known = catalog.community(coverage.community)
    answered = next((answer.taken for answer in destination.answers if answer.taken), None)
    return _from_lists(
        destination,
        filter_name(blocking),
        coverage.community,
        to_authorise=known.name if known and known.needs_authorization else "",
        received=translated(coverage.received.says) if coverage.received.table else "",
        answered=day(answered) if answered else "",
        tags_day=day(coverage.tags.taken) if coverage.tags else "",
        list_day=day(coverage.community_list.taken) if coverage.community_list else "",
    )


def _denied(match: Match, _: Case) -> Mapping[str, Value]:
    found = [
        value
        for one in match.destinations
        if one.coverage.route_filter
        for value in one.coverage.candidates
        if value in one.coverage.route_filter.denied
    ]
    denied = tuple(dict.fromkeys(found))
    return {"denied": denied, "denied_names": tuple(map(community_name, denied))}


@cause("route/community-denied", Owner.NETWORK, routed=True, values=_denied)
def community_denied(destination: Destination, _: Case) -> Match | None:
    """A rule of the filter denies a community that would carry the address."""
    blocking = _blocking(destination)
    if blocking is None or not set(destination.coverage.candidates) & blocking.denied:
        return None
    # A rule without a name still gets its command, with a placeholder for the reader to fill in.
    return _from_lists(destination, filter_name(blocking), denying_rules=blocking.denying or ("",))


@cause("route/empty-route-filter", Owner.NETWORK, routed=True)
def empty_route_filter(destination: Destination, case: Case) -> Match | None:
    """No filter in effect names any community."""
    blocking = _blocking(destination)
    if blocking is None or any(one.communities or one.denied for one in case.filters_in_effect):
        return None
    return _from_lists(destination, filter_name(blocking))


@cause("route/region-without-community", Owner.NETWORK, routed=True)
def region_without_community(destination: Destination, _: Case) -> Match | None:
    """The address is in a region that no list gives a community for."""
    without = destination.verdict is Verdict.NO_DOCUMENTED_COMMUNITY
    if not without or not destination.crosses_the_circuit:
        return None
    return _from_lists(destination, destination.coverage.region)


# The circuit.


def _no_routes(slug: str, *, for_lack_of_a_filter: bool) -> Cause:
    """The cause that no circuit brings a route; told of a circuit alone too, if nobody tried an endpoint."""

    def nothing_comes(case: Case) -> Match | None:
        found = no_routes(case.circuits)
        unfiltered = any(one.reason is Reason.NO_ROUTE_FILTER for one in found)
        if not found or unfiltered is not for_lack_of_a_filter:
            return None
        return Match(
            Confidence.EXPECTED,
            tuple(sorted(one.circuit for one in found)),
            tuple(
                line(f"circuit {one.circuit}", one.reason, circuit=one.circuit, state=one.state)
                for one in found
            ),
            values=_to_attach(case),
        )

    def of_endpoint(destination: Destination, case: Case) -> Match | None:
        match = nothing_comes(case)
        if match is None or not destination.crosses_the_circuit or destination.circuit_works:
            return None
        return replace(match, confidence=expected_or_observed(destination))

    def of_case(case: Case) -> tuple[Match, ...]:
        match = nothing_comes(case)
        return () if match is None or case.attempts else (match,)

    return Cause(slug, Owner.NETWORK, of_endpoint=of_endpoint, of_case=of_case, routed=True, halts=True)


def _to_attach(case: Case) -> dict[str, Value]:
    """The filter at hand as a circuit's command names it: by name in the circuit's own group, else by id."""
    known = next(iter(case.filters), None)
    name = filter_name(known)
    own = case.circuits[0].resource_group.lower() if case.circuits else ""
    if known and own and known.resource_group.lower() == own:
        return {"filter": name, "to_attach": name}
    group = (known.resource_group if known else "") or "RESOURCE-GROUP-OF-THE-FILTER"
    circuit = case.circuits[0].resource_id if case.circuits and not known else ""
    within = f"{circuit.partition('/resourceGroups/')[0] or _ANY}/resourceGroups/{group}"
    made = f"{within}/providers/Microsoft.Network/routeFilters/{name}"
    return {"filter": name, "to_attach": known.resource_id if known and known.resource_id else made}


peering_down = _no_routes("route/peering-down", for_lack_of_a_filter=False)
no_route_filter = _no_routes("route/no-route-filter", for_lack_of_a_filter=True)


def _attached_elsewhere(case: Case) -> Match | None:
    """The circuits hold other filters than those at hand."""
    held = filters_not_at_hand(case.circuits, case.filters)
    if not held:
        return None
    attached = tuple(dict.fromkeys(reference.rstrip("/").rpartition("/")[2] for _, reference in held))
    at_hand = tuple(sorted(one.name for one in case.filters if one.name != one.origin))
    return Match(
        Confidence.EXPECTED,
        (*attached, *at_hand),
        tuple(
            line(f"circuit {circuit.name}", "attached", attached=attached, at_hand=at_hand)
            for circuit, _ in held
        ),
        values={
            **_to_attach(case),
            "attached": attached,
            "attached_ids": tuple(one for _, one in held if typed.resource_id(one)),
            "attached_names": tuple(one for _, one in held if not typed.resource_id(one)),
        },
    )


def _attached_nowhere(case: Case) -> Match | None:
    """Azure says of every filter at hand that no peering holds it, and no circuit's document says else."""
    free = [one for one in case.filters if one.is_attached_nowhere]
    needless = any(side.legacy for side in case.peerings)
    if not free or len(free) < len(case.filters) or case.attached_filters or needless:
        return None
    return Match(
        Confidence.EXPECTED,
        tuple(sorted(one.name for one in free)),
        tuple(line(one.origin, "nowhere", at_midnight(one.taken), named=one.name) for one in free),
        values={**_to_attach(case), "attached": (), "attached_ids": (), "attached_names": ()},
    )


def _unattached(case: Case) -> tuple[Match, ...]:
    """Told of a filter alone, if nobody tried an endpoint."""
    match = _attached_nowhere(case)
    return () if match is None or case.attempts else (match,)


@cause("route/filter-not-attached", Owner.NETWORK, routed=True, halts=True, of_case=_unattached)
def filter_not_attached(destination: Destination, case: Case) -> Match | None:
    """The circuits hold other filters than those at hand, or the filter at hand is attached to nothing."""
    if not destination.crosses_the_circuit:
        return None
    if match := _attached_elsewhere(case):
        return replace(match, confidence=expected_or_observed(destination))
    nowhere = None if destination.circuit_works else _attached_nowhere(case)
    return replace(nowhere, confidence=expected_or_observed(destination)) if nowhere else None


@cause("route/outside-sku-geography", Owner.NETWORK, routed=True)
def outside_sku_geography(destination: Destination, case: Case) -> Match | None:
    """No circuit's SKU reaches the region, and the filter is not known to be the reason."""
    coverage = destination.coverage
    if coverage.verdict not in MAY_BE_ALLOWED or not destination.crosses_the_circuit:
        return None
    carrying = coverage.allowed_by or coverage.candidates
    if reaches(case.circuits, coverage.region, carrying) is not False:
        return None
    first = case.circuits[0]
    return Match(
        expected_or_observed(destination),
        (coverage.region,),
        tuple(
            line(f"circuit {one.name}", "sku", tier=one.tier.value, location=one.peering_location)
            for one in case.circuits
        ),
        values={
            "tier": first.tier.value,
            "location": first.peering_location,
            "local": first.tier is Tier.LOCAL,
        },
    )


# What Microsoft peering does not carry at all.


@cause("route/not-on-microsoft-peering", Owner.SERVER, routed=True)
def not_on_microsoft_peering(destination: Destination, _: Case) -> Match | None:
    """Front Door or a CDN serves the name, or its address is Front Door's."""
    install = _only_to_install(destination)
    unresolved = destination.failed and install and destination.stage is Stage.DNS and destination.at_the_edge
    if not (destination.may_be_routing or unresolved) or destination.coverage.has_route:
        return None
    unplaced = destination.at_the_edge and destination.verdict is Verdict.UNKNOWN
    shown = _served_at_the_edge(destination)
    if not shown or not (unplaced or destination.verdict is Verdict.NOT_ON_PEERING):
        return None
    return Match(
        expected_or_observed(destination),
        ("install" if install else "connect",),
        (*shown, line("", "faq")),
        owner=Owner.SERVER if install else Owner.NETWORK,
        values={"install": install},
    )


def _only_to_install(destination: Destination) -> bool:
    known = destination.endpoint is not None and destination.endpoint.when is When.INSTALL
    return known or any(seen.install for seen in destination.attempts)


def _served_at_the_edge(destination: Destination) -> list[Line]:
    """What puts the endpoint on Front Door or a CDN; without any of it, nobody knows that it is there."""
    found, host, endpoint = [], destination.host, destination.endpoint
    if endpoint and endpoint.at_the_edge:
        key = "front_door" if endpoint.steering is Steering.FRONT_DOOR else "cdn"
        found.append(line("", key, host=host, purpose=endpoint.purpose, source=str(endpoint.source)))
    if links := edge_links(destination.chain):
        origin = next(one.origin for one in destination.answers if links[0] in one.chain)
        found.append(line(origin, "edge_name", host=host, link=links[0]))
    where = destination.coverage
    if where.tags and where.service_tag.startswith(FRONT_DOOR):
        origin, taken = where.tags.name, at_midnight(where.tags.taken)
        found.append(line(origin, "edge_tag", taken, address=where.address, tag=where.service_tag))
    return found
