"""What tags, communities, route filter and circuit lead to expect of an endpoint. Nothing here was seen."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import assert_never

from arcferry import catalog
from arcferry.catalog import Carrier, Endpoint, Region, Steering
from arcferry.diagnosis.values import community_name, region_name
from arcferry.evidence.case import Case
from arcferry.routing import carriage
from arcferry.routing.carriage import NoRoutes, Reason
from arcferry.routing.circuit import Circuit
from arcferry.routing.coverage import Coverage, Verdict


@dataclass(frozen=True, slots=True)
class Expected:
    """What is expected of one address, or of a name that nobody has resolved.

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


def of_address(coverage: Coverage, case: Case) -> Expected:
    """What is expected of one address."""
    if coverage.verdict is Verdict.PRIVATE:
        says = "a private address: Microsoft peering does not matter"
        return Expected(coverage.verdict, says=says, notes=coverage.conflicts)
    reach = carriage.reaches(case.circuits, coverage.region, coverage.allowed_by or coverage.candidates)
    peering = _peering_problem(ip_address(coverage.address).version, case.circuits)
    filter_name = coverage.route_filter.name if coverage.route_filter else ""
    doubts = _doubts(case)
    return Expected(
        verdict=coverage.verdict,
        service_tag=coverage.service_tag,
        region=coverage.region,
        community=coverage.community,
        communities=coverage.candidates,
        route_filter=filter_name,
        in_filter=bool(coverage.allowed_by) if filter_name and coverage.candidates else None,
        within_reach=reach,
        peering=peering,
        path=_path(coverage.verdict, reach, peering, doubts),
        says=_says(coverage.verdict, coverage.region, coverage.community, filter_name),
        notes=(*doubts, *coverage.conflicts),
    )


def without_address(endpoint: Endpoint | None, region: Region | None, case: Case) -> Expected:
    """What is expected of a name that nobody has resolved: by its service, else by the machine's region."""
    if endpoint is None:
        return Expected(Verdict.UNKNOWN, says="nothing tells where it answers", settled=False)
    if endpoint.carrier is Carrier.EDGE or endpoint.steering in (Steering.FRONT_DOOR, Steering.CDN):
        says = "Front Door or a CDN serves it, which Microsoft peering does not carry"
        return Expected(Verdict.NOT_ON_PEERING, path=False, says=says)
    service = _service_value(endpoint)
    where = region.name if region and _is_of_region(endpoint, region) else ""
    regional = catalog.region_community(region.name) if region else None
    value = service or (regional.value if regional else "")
    if not value:
        verdict = Verdict.NO_DOCUMENTED_COMMUNITY if where else Verdict.UNKNOWN
        peering = _peering_problem(carriage.IPV4, case.circuits)
        return Expected(
            verdict,
            region=where,
            peering=peering,
            path=_path(verdict, None, peering, ()),
            says="no community is documented for it",
            settled=False,
        )
    return _by_community(value, where, service != "", case)


def _by_community(value: str, where: str, is_service: bool, case: Case) -> Expected:
    filters = case.filters_in_effect
    allowed = any(seen.allows(value) for seen in filters)
    settled = is_service or bool(where)
    # An address of a service lies in a region too, whose own community carries it as well.
    decided = bool(filters) and settled and (allowed or not is_service)
    verdict = (Verdict.CARRIED if allowed else Verdict.NOT_IN_FILTER) if decided else Verdict.UNKNOWN
    reach = carriage.reaches(case.circuits, where, (value,))
    peering, doubts = _peering_problem(carriage.IPV4, case.circuits), _doubts(case)
    in_filter = allowed if filters else None
    said = {True: "in the filter", False: "not in the filter", None: "no route filter was handed in"}
    anywhere = "" if settled else "any region that it answers in, such as "
    return Expected(
        verdict=verdict,
        region=where,
        community=value,
        communities=(value,),
        route_filter=filters[0].name if filters else "",
        in_filter=in_filter,
        within_reach=reach,
        peering=peering,
        path=_path(verdict, reach, peering, doubts),
        says=f"{anywhere}{community_name(value)}: {said[in_filter]}",
        settled=settled,
        notes=doubts,
    )


def _service_value(endpoint: Endpoint) -> str:
    cloud = catalog.cloud_of(endpoint.host)
    service = catalog.service_community(endpoint.carrier, cloud) if cloud else None
    return service.value if service else ""


def _is_of_region(endpoint: Endpoint, region: Region) -> bool:
    """Whether the name answers in the machine's own region."""
    return endpoint.discovered or region.name in re.split(r"[.-]", endpoint.host)


def _peering_problem(version: int, circuits: Sequence[Circuit]) -> str:
    """Why no circuit carries this IP version at all; empty if one may, or none was handed in."""
    found = carriage.no_routes(circuits, version)
    return _problem(found[0]) if found else ""


def _problem(one: NoRoutes) -> str:
    kind = "IPv6 Microsoft peering" if one.version == carriage.IPV6 else "Microsoft peering"
    match one.reason:
        case Reason.CIRCUIT_DISABLED:
            return f"circuit {one.circuit} is {one.state} in Azure"
        case Reason.NOT_PROVISIONED:
            return f"the provider's side of circuit {one.circuit} is {one.state}"
        case Reason.NO_PEERING:
            return f"circuit {one.circuit} has no {kind}"
        case Reason.PEERING_DISABLED:
            return f"the {kind} of circuit {one.circuit} is {one.state}"
        case Reason.NO_ROUTE_FILTER:
            return f"no route filter is attached to the {kind} of circuit {one.circuit}"
        case _:
            assert_never(one.reason)


def _doubts(case: Case) -> tuple[str, ...]:
    """The filters that a circuit holds and that nobody handed in."""
    return tuple(
        f"circuit {circuit.name} holds route filter {reference.rstrip('/').rpartition('/')[2]}, "
        "which was not handed in"
        for circuit, reference in carriage.filters_not_at_hand(case.circuits, case.filters)
    )


def _path(verdict: Verdict, reach: bool | None, peering: str, doubts: Sequence[str]) -> bool | None:
    if verdict is Verdict.NOT_ON_PEERING or reach is False or peering:
        return False
    if doubts or verdict not in (Verdict.CARRIED, Verdict.NOT_IN_FILTER):
        return None
    return verdict is Verdict.CARRIED


def _says(verdict: Verdict, region: str, community: str, filter_name: str) -> str:
    value = community_name(community)
    said = {
        Verdict.CARRIED: f"{filter_name} allows {value}",
        Verdict.NOT_IN_FILTER: f"{filter_name} lacks {value}",
        Verdict.NOT_ON_PEERING: "Microsoft peering does not carry it",
        Verdict.NO_DOCUMENTED_COMMUNITY: "which has no documented community",
        Verdict.UNKNOWN: f"needs {value}" if community else "nothing at hand tells more",
    }
    where = f"in {region_name(region)}, " if region else ""
    return where + said[verdict]
