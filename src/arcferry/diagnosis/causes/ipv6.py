"""IPv6 answers to which no path leads, alone or beside IPv4 answers that work."""

from arcferry.diagnosis.causes.route import expected_or_observed
from arcferry.diagnosis.destination import Destination, place
from arcferry.diagnosis.finding import Confidence, Owner, Severity
from arcferry.diagnosis.names import filter_name
from arcferry.diagnosis.rule import Line, Match, cause, line
from arcferry.evidence.case import Case
from arcferry.routing.circuit import IPV6, Reason, no_routes
from arcferry.routing.coverage import Coverage, Verdict


@cause("route/ipv6-not-peered", Owner.NETWORK, routed=True)
def not_peered(destination: Destination, case: Case) -> Match | None:
    """Every address is IPv6, and no circuit has an IPv6 side."""
    if not destination.may_be_routing or destination.verdict is Verdict.PRIVATE:
        return None
    if any(":" not in one.address or one.has_route for one in destination.coverages):
        return None
    found = no_routes(case.circuits, IPV6)
    if not destination.coverages or not found or {one.reason for one in found} != {Reason.NO_PEERING}:
        return None
    return Match(
        expected_or_observed(destination),
        tuple(sorted(one.circuit for one in found)),
        tuple(line(f"circuit {one.circuit}", "no_ipv6") for one in found),
    )


@cause("risk/ipv6-leads-nowhere", Owner.NETWORK, Severity.WARNING)
def leads_nowhere(destination: Destination, case: Case) -> Match | None:
    """The endpoint is reached over IPv4, and not over IPv6, which the system takes first, or may."""
    seen = destination.latest
    other = seen.other_family if seen and destination.reached else None
    if seen is None or other is None or other.failure is None or ":" not in other.address:
        return None
    # Without any route of its own a system takes IPv4 first, and what refuses costs no time.
    if other.first is False or (other.first is None and other.failure.kind != "timeout"):
        return None
    tried = line(
        seen.origin,
        "tried",
        seen.taken,
        address=other.address,
        says=other.failure.says,
        used=seen.address,
        order="first" if other.first else "",
    )
    why = _why(place(destination.host, other.address, destination.carrier, destination.chain, case), case)
    return Match(
        Confidence.OBSERVED,
        (why.key,),
        (tried, why),
        values={"silent": other.failure.kind == "timeout", "first": bool(other.first)},
    )


def _why(found: Coverage, case: Case) -> Line:
    """As far as documents tell."""
    broken = no_routes(case.circuits, IPV6)
    if broken:
        lacking = broken[0].reason is Reason.NO_PEERING
        return line(
            f"circuit {broken[0].circuit}",
            "no_ipv6" if lacking else "no_ipv6_routes",
            reason=broken[0].reason,
        )
    held = found.route_filter
    if held and found.verdict is Verdict.NOT_IN_FILTER:
        return line(held.origin, "filtered", filter=filter_name(held), community=found.community)
    return line("", "swallowed" if found.verdict is Verdict.CARRIED else "unknown", address=found.address)
