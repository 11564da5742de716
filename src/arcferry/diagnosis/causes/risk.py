"""What works today and may not tomorrow."""

import ipaddress
from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import timedelta
from functools import lru_cache

from arcferry import catalog
from arcferry.catalog import Carrier, Cloud
from arcferry.diagnosis.destination import Destination
from arcferry.diagnosis.finding import Confidence, Owner, Severity
from arcferry.diagnosis.names import community_name, filter_name, region_community, region_name
from arcferry.diagnosis.rule import Line, Match, Value, case_cause, cause, line
from arcferry.evidence.case import Case
from arcferry.routing.azure_json import WHOLE_CLOUD, CommunityList, ServiceTags
from arcferry.routing.coverage import Verdict
from arcferry.routing.route_filter import RouteFilter
from arcferry.times import at_midnight

OLD = timedelta(days=90)
"""Age from which data about addresses is called old: service tags change weekly, communities monthly."""
_TOO_OLD_TO_ACCUSE = timedelta(days=365)
_OFF_THE_CIRCUIT = (Verdict.PRIVATE, Verdict.NOT_IN_FILTER, Verdict.NOT_ON_PEERING)


def _regions(match: Match, case: Case) -> Mapping[str, Value]:
    """Where the answers may go from here: regions of today's geography first, each part by name."""
    allowing = case.filters_in_effect[0]
    today = {one.coverage.region for one in match.destinations}
    areas = {catalog.geography_of(region) for region in today if region} - {""}
    outside = {region for one in match.destinations for region in _regions_outside(one, allowing)}
    near_first = _nearest_first(outside, areas)
    near = (region for region in near_first if catalog.geography_of(region) in areas)
    return {
        "outside": tuple(map(region_community, near_first)),
        "nearby": tuple(map(region_community, near)),
        "filter": filter_name(allowing),
        "filter_day": allowing.day,
    }


@cause("risk/steered-answer-may-leave-filter", Owner.NETWORK, Severity.WARNING, routed=True, values=_regions)
def steered_answer_may_leave_filter(destination: Destination, case: Case) -> Match | None:
    """Traffic Manager steers the name, and the filter lets some of its regions through and others not."""
    untried = not destination.attempts and destination.verdict is Verdict.CARRIED
    if not (destination.reached or untried) or destination.proxied or not destination.steered:
        return None
    if destination.carrier is Carrier.EDGE or destination.verdict in _OFF_THE_CIRCUIT:
        return None
    filters = case.filters_in_effect
    # A service's own community carries the service wherever its answer moves.
    service = catalog.service_community(destination.carrier, _cloud(destination))
    if not filters or any(service and one.allows(service.value) for one in filters):
        return None
    outside = _regions_outside(destination, filters[0])
    if not outside:
        return None
    evidence = (_steering(destination), _filter_line(destination, filters[0], outside))
    return Match(Confidence.EXPECTED, (filter_name(filters[0]),), evidence)


def _nearest_first(regions: Iterable[str], areas: Collection[str]) -> tuple[str, ...]:
    """Those of these geographies first, each part by name: how far regions are apart, no document says."""
    return tuple(sorted(regions, key=lambda one: (catalog.geography_of(one) not in areas, region_name(one))))


def _cloud(destination: Destination) -> Cloud:
    return catalog.cloud_of(destination.host) or catalog.clouds()[0]


@lru_cache(maxsize=32)
def _regions_of(tags: ServiceTags, service: str) -> tuple[str, ...]:
    """The regions in which the service of a tag has prefixes, by the service tags."""
    found = {
        region for _, (tag, region) in tags.prefixes.items() if region and tag.partition(".")[0] == service
    }
    return tuple(sorted(found))


def _service(destination: Destination) -> tuple[ServiceTags | None, str]:
    """The service tag without its region, such as `AzureArcInfrastructure`, and the tags that it is from."""
    coverage = destination.coverage
    service = coverage.service_tag.partition(".")[0]
    if coverage.tags is None or service in ("", WHOLE_CLOUD):
        return None, ""
    return coverage.tags, service


def _regions_outside(destination: Destination, allowing: RouteFilter) -> tuple[str, ...]:
    """The regions in which the name may answer and that the filter lets nothing through from, by ARM name.

    They are the regions in which the tag of today's address has prefixes; without service tags, or for an
    address in none, every documented region of the cloud. Those of today's geography come first.
    """
    tags, service = _service(destination)
    regions = _regions_of(tags, service) if tags else ()
    if not regions:
        documented = catalog.communities(_cloud(destination))
        regions = tuple(one.region for one in documented if one.kind == "region")
    area = catalog.geography_of(destination.coverage.region)
    known = {region: catalog.region_community(region) for region in regions}
    outside = [region for region, one in known.items() if one is None or not allowing.allows(one.value)]
    return _nearest_first(outside, {area} - {""})


def _steering(destination: Destination) -> Line:
    host = destination.host
    link = next((link for link in destination.chain if ".trafficmanager." in f".{link}."), "")
    if link:
        answer = next(answer for answer in destination.answers if link in answer.chain)
        return line(answer.origin, "steered_by_answer", answer.taken, host=host, link=link)
    source = str(destination.endpoint.source) if destination.endpoint else ""
    return line("", "steered_by_catalogue", host=host, source=source)


def _filter_line(destination: Destination, allowing: RouteFilter, outside: tuple[str, ...]) -> Line:
    """What the filter holds, and which regions of the endpoint's tag it lacks."""
    documented = map(catalog.community, sorted(allowing.communities))
    values: dict[str, Value] = {
        "filter": filter_name(allowing),
        "held": tuple(community_name(one.value) for one in documented if one and one.kind == "region"),
        "count": len(outside),
        "regions": tuple(map(region_name, outside)),
    }
    tags, service = _service(destination)
    if tags is None:
        return line(allowing.origin, "regions_documented", **values)
    return line(tags.name, "regions_of_tag", at_midnight(tags.taken), service=service, **values)


@cause("risk/reached-outside-filter", Owner.NETWORK, Severity.INFO, routed=True)
def reached_outside_filter(destination: Destination, _: Case) -> Match | None:
    """The endpoint is reached, and none of its addresses is expected to be let through."""
    coverages = destination.coverages
    if not destination.reached or destination.proxied or not coverages or coverages[-1].is_expected:
        return None
    outside = {one.community for one in coverages if one.verdict is Verdict.NOT_IN_FILTER}
    return Match(Confidence.EXPECTED, tuple(sorted(outside))) if outside else None


@cause("risk/answer-not-in-service-community", Owner.NETWORK, Severity.WARNING, routed=True)
def answer_not_in_service_community(destination: Destination, case: Case) -> Match | None:
    """An answer rests on the service's community alone, and the list does not have the address in it."""
    coverage = destination.coverage
    if destination.failed or destination.proxied or coverage.community_list is None:
        return None
    cloud = catalog.cloud_of(destination.host)
    service = catalog.service_community(destination.carrier, cloud) if cloud else None
    if service is None or coverage.has_route or coverage.allowed_by != (service.value,):
        return None
    known = coverage.community_list
    holds = any(one.value == service.value for one in known.containing(coverage.address))
    if service.value not in known.values or holds:
        return None
    of_list, newest = at_midnight(known.taken), case.newest
    if of_list is None or (newest and newest - of_list > _TOO_OLD_TO_ACCUSE):
        return None
    return Match(
        Confidence.EXPECTED, (service.value,), values={"service_community": community_name(service.value)}
    )


@cause("risk/inspected", Owner.NETWORK, Severity.INFO)
def inspected(destination: Destination, _: Case) -> Match | None:
    """The endpoint is reached with a certificate that is trusted here, and not by the public web."""
    tls, latest = destination.tls, destination.latest
    if not destination.reached or tls is None or tls.public_root:
        return None
    seen = line(latest.origin if latest else "", "own_root", host=destination.host, issuer=tls.issuer)
    return Match(signature=(tls.issuer,), evidence=(seen,), values={"issuer": tls.issuer})


@case_cause("risk/one-path-only", Owner.NETWORK, Severity.WARNING)
def one_path_only(case: Case) -> Iterator[Match]:
    """A circuit's two links are known, and routes come over one of them alone."""
    hops = _next_hops(case)
    for circuit in case.circuits:
        peering = circuit.microsoft
        if peering is None or not peering.primary_prefix or not peering.secondary_prefix:
            continue
        over = [_on(peering.primary_prefix, hops), _on(peering.secondary_prefix, hops)]
        if any(over) and not all(over):
            up, down = ("primary", "secondary") if over[0] else ("secondary", "primary")
            values: dict[str, Value] = {"circuit": circuit.name, "up": up, "down": down}
            seen = line("", "one_link", **values)
            yield Match(Confidence.OBSERVED, (circuit.name, down), (seen,), values=values)


def _next_hops(case: Case) -> set[str]:
    """The next hops of Microsoft's routes to the addresses that matter, in the router's own tables."""
    addresses = {address for answer in case.answers for address in answer.addresses}
    addresses |= {seen.address for seen in case.attempts if seen.address}
    routes = [
        route for table in case.own_tables for address in addresses for route in table.covering(address)
    ]
    return {route.next_hop for route in routes if route.from_microsoft and route.next_hop}


def _on(link: str, hops: set[str]) -> bool:
    try:
        network = ipaddress.ip_network(link, strict=False)
        return any(ipaddress.ip_address(hop) in network for hop in hops)
    except ValueError:
        return False


@case_cause("risk/old-data", Owner.SERVER, Severity.WARNING)
def old_data(case: Case) -> tuple[Match, ...]:
    """Even the newest data about addresses is much older than what was seen."""
    known: list[ServiceTags | CommunityList] = [*case.service_tags, *case.community_lists]
    usable = [(one.name, taken) for one in known if (taken := at_midnight(one.taken))]
    newest = case.newest
    if not usable or newest is None:
        return ()
    name, taken = max(usable, key=lambda one: one[1])
    if newest - taken <= OLD:
        return ()
    values: dict[str, Value] = {"data": name, "days": str((newest - taken).days)}
    return (Match(evidence=(line(name, "old", taken, **values),), values=values),)
