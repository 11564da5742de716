"""What tags, communities, route filter and circuit lead to expect of an endpoint. Nothing here was seen."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from ipaddress import ip_address

from arcferry import catalog
from arcferry.catalog import Carrier, Endpoint, Region, Steering
from arcferry.diagnosis.wording import community_name, region_name
from arcferry.evidence.case import Case
from arcferry.routing.circuit import Circuit
from arcferry.routing.coverage import Coverage, Verdict

_IPV6 = 6
_ENABLED = "enabled"
_PROVISIONED = "provisioned"


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
    found = coverage
    if found.verdict is Verdict.PRIVATE:
        says = "a private address: Microsoft peering does not matter"
        return Expected(found.verdict, says=says, notes=coverage.conflicts)
    reach = _reach(found.region, found.allowed_by or found.candidates, case.circuits)
    peering = _peering_problem(ip_address(found.address).version, case.circuits)
    filter_name = coverage.route_filter.name if coverage.route_filter else ""
    doubts = _doubts(case)
    return Expected(
        verdict=found.verdict,
        service_tag=found.service_tag,
        region=found.region,
        community=found.community,
        communities=found.candidates,
        route_filter=filter_name,
        in_filter=bool(found.allowed_by) if filter_name and found.candidates else None,
        within_reach=reach,
        peering=peering,
        path=_path(found.verdict, reach, peering, doubts),
        says=_says(found.verdict, found.region, found.community, filter_name),
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
        return Expected(verdict, region=where, says="no community is documented for it", settled=False)
    return _by_community(value, where, service != "", case)


def _by_community(value: str, where: str, is_service: bool, case: Case) -> Expected:
    filters = case.filters_in_effect
    allowed = any(seen.allows(value) for seen in filters)
    settled = is_service or bool(where)
    # An address of a service lies in a region too, whose own community carries it as well.
    decided = bool(filters) and settled and (allowed or not is_service)
    verdict = (Verdict.CARRIED if allowed else Verdict.NOT_IN_FILTER) if decided else Verdict.UNKNOWN
    reach = _reach(where, (value,), case.circuits)
    peering, doubts = _peering_problem(4, case.circuits), _doubts(case)
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


def _reach(region: str, values: Sequence[str], circuits: Sequence[Circuit]) -> bool | None:
    """Whether one of the circuits reaches the region.

    How far the SKU cuts a service's own community (Entra ID, Resource Manager) is not documented, so that
    there a no is not known.
    """
    if not region or not circuits:
        return None
    found = [catalog.within_reach(one.tier, one.peering_location, region) for one in circuits]
    if any(found):
        return True
    known = [catalog.community(value) for value in values]
    regional = not any(one and one.kind == "service" for one in known)
    return False if regional and all(one is False for one in found) else None


def _peering_problem(version: int, circuits: Sequence[Circuit]) -> str:
    """Why no circuit carries this IP version at all; empty where one does, or none was handed in."""
    problems = [_problem(one, version) for one in circuits]
    return problems[0] if problems and all(problems) else ""


def _problem(circuit: Circuit, version: int) -> str:
    peering = circuit.microsoft_ipv6 if version == _IPV6 else circuit.microsoft
    kind = "IPv6 Microsoft peering" if version == _IPV6 else "Microsoft peering"
    if peering is None:
        return f"circuit {circuit.name} has no {kind}" if circuit.lists_peerings else ""
    if peering.state.lower() not in ("", _ENABLED):
        return f"the {kind} of circuit {circuit.name} is {peering.state}"
    if circuit.provisioning.lower() not in ("", _PROVISIONED):
        return f"the provider's side of circuit {circuit.name} is {circuit.provisioning}"
    if not peering.route_filter and peering.legacy is not True:
        return f"no route filter is attached to the {kind} of circuit {circuit.name}"
    return ""


def _doubts(case: Case) -> tuple[str, ...]:
    """Filters that a circuit holds and that nobody handed in: what the others allow says nothing then."""
    if not case.filters:
        return ()
    held = {
        peering.route_filter: circuit.name
        for circuit in case.circuits
        for peering in (circuit.microsoft, circuit.microsoft_ipv6)
        if peering and peering.route_filter
    }
    if any(seen.is_named_by(one) for one in held for seen in case.filters):
        return ()
    return tuple(
        f"circuit {circuit} holds route filter {one.rstrip('/').rpartition('/')[2]}, which was not handed in"
        for one, circuit in held.items()
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
