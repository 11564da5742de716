"""What the circuit itself lacks: a peering that is up, a filter that is attached, reach, IPv6."""

from collections.abc import Sequence

from arcferry import catalog, command_line, typed
from arcferry.diagnosis.causes.cause import Cause, Group, Match
from arcferry.diagnosis.causes.circuit_commands import (
    attach_filter,
    circuit_name,
    fetch_filter,
    raise_to_premium,
    show_peering,
)
from arcferry.diagnosis.causes.filter_change import filter_name
from arcferry.diagnosis.destination import Destination
from arcferry.diagnosis.finding import Confidence, Evidence, Owner, Remedy, Severity, command
from arcferry.diagnosis.wording import letter, listed, region_name
from arcferry.evidence.case import Case
from arcferry.routing.circuit import Circuit, Peering, Tier
from arcferry.routing.coverage import Verdict

_UP = ("", "enabled")
_PROVISIONED = ("", "provisioned")


def gets_through(facts: Destination) -> bool:
    """Whether any endpoint of this diagnosis is reached over Microsoft peering, as far as is known."""
    return any(
        one.reached and not one.proxied and not one.at_the_edge and one.verdict is not Verdict.PRIVATE
        for one in facts.beside
    )


def may_cross_the_circuit(facts: Destination) -> bool:
    """Whether a fault of the circuit could be why this endpoint fails."""
    if not facts.may_be_routing or facts.verdict in (Verdict.PRIVATE, Verdict.NOT_ON_PEERING):
        return False
    return not (facts.coverage and facts.coverage.has_route)


def confidence(facts: Destination) -> Confidence:
    """Observed where a router's whole table shows that there is no route, else expected."""
    seen = facts.coverage is not None and facts.coverage.lacks_route
    return Confidence.OBSERVED if seen else Confidence.EXPECTED


def _names(circuits: Sequence[Circuit]) -> tuple[str, ...]:
    return tuple(sorted(one.name for one in circuits))


def circuits_named(group: Group) -> str:
    """The circuits for a sentence."""
    return listed(_names(group.case.circuits)) if group.case.circuits else "the circuit"


def _why_down(circuit: Circuit) -> str:
    """Why no route can come over this circuit; empty where nothing says so."""
    if circuit.state.lower() not in _UP:
        return f"the circuit {circuit.name} is {circuit.state} in Azure"
    if circuit.provisioning.lower() not in _PROVISIONED:
        return f"the provider's side of {circuit.name} is {circuit.provisioning}, not Provisioned"
    if circuit.microsoft is None and circuit.lists_peerings:
        return f"{circuit.name} has no Microsoft peering"
    if circuit.microsoft and circuit.microsoft.state.lower() not in _UP:
        return f"Microsoft peering of {circuit.name} is {circuit.microsoft.state}"
    return ""


def _down(case: Case) -> tuple[Evidence, ...]:
    says = [(one.name, _why_down(one)) for one in case.circuits]
    if not says or not all(why for _, why in says):
        return ()
    return tuple(Evidence(f"circuit {name}", why) for name, why in says)


def _peering_down(facts: Destination, case: Case) -> Match | None:
    evidence = _down(case)
    if not evidence or not may_cross_the_circuit(facts) or gets_through(facts):
        return None
    return Match(confidence(facts), _names(case.circuits), evidence)


def _no_traffic_yet(case: Case, evidence: tuple[Evidence, ...]) -> tuple[Match, ...]:
    """The finding of a circuit alone, where nobody has tried an endpoint yet."""
    if case.attempts or not evidence:
        return ()
    return (Match(Confidence.EXPECTED, _names(case.circuits), evidence),)


PEERING_DOWN = Cause(
    slug="route/peering-down",
    title="The circuit's Microsoft peering is not there, not provisioned or disabled",
    severity=Severity.ERROR,
    owner=Owner.NETWORK,
    applies=_peering_down,
    concerns=lambda case: _no_traffic_yet(case, _down(case)),
    headline=lambda group: f"{circuits_named(group)}: Microsoft peering is not up, so nothing is routed",
    remedy=lambda group: Remedy(
        summary=f"Bring up Microsoft peering on {circuits_named(group)}.",
        steps=(
            (
                "Provider's side: serviceProviderProvisioningState must be Provisioned; only the provider "
                "sets it."
            ),
            "Microsoft peering: it must exist, be Enabled, and have both /30s, the VLAN and your AS number.",
            "Then attach a route filter, and look for both BGP sessions on the edge routers.",
        ),
        commands=(show_peering(group),),
        request=letter(
            f"ExpressRoute {circuits_named(group)}: Microsoft peering is not up",
            [
                *(f"- {line.says}" for line in group.match.evidence if line.origin.startswith("circuit")),
                "Servers reach Azure over this circuit only. Please bring the peering up, and tell us when",
                "both BGP sessions are established.",
            ],
        ),
    ),
    routed=True,
)


def _peerings(case: Case) -> list[tuple[Circuit, Peering]]:
    return [(one, one.microsoft) for one in case.circuits if one.microsoft]


def _unfiltered(case: Case) -> tuple[Evidence, ...]:
    found = _peerings(case)
    if not found or any(peering.route_filter or peering.legacy for _, peering in found):
        return ()
    says = "no route filter is attached to Microsoft peering, so Microsoft advertises nothing"
    return tuple(Evidence(f"circuit {circuit.name}", says) for circuit, _ in found)


def _no_filter(facts: Destination, case: Case) -> Match | None:
    evidence = _unfiltered(case)
    if not evidence or not may_cross_the_circuit(facts) or gets_through(facts):
        return None
    return Match(confidence(facts), _names(case.circuits), evidence)


def _handed_in(case: Case) -> str:
    return filter_name(next(iter(case.filters), None))


NO_ROUTE_FILTER = Cause(
    slug="route/no-route-filter",
    title="No route filter is attached to the circuit's Microsoft peering, so no route is advertised",
    severity=Severity.ERROR,
    owner=Owner.NETWORK,
    applies=_no_filter,
    concerns=lambda case: _no_traffic_yet(case, _unfiltered(case)),
    headline=lambda group: (
        f"{circuits_named(group)} has no route filter attached: Microsoft advertises nothing"
    ),
    remedy=lambda group: Remedy(
        summary=f"Attach a route filter to Microsoft peering of {circuits_named(group)}.",
        steps=(
            (
                "A peering made since August 2017 gets no route until a filter is attached, and none "
                "when it is taken away."
            ),
            "The filter must hold what Azure Arc needs: arcferry routes plan --location LOCATION lists it.",
            "Attach it as below; routes follow over the BGP sessions that are up.",
        ),
        commands=(attach_filter(group, next(iter(group.case.filters), None)), show_peering(group)),
        request=letter(
            f"ExpressRoute {circuits_named(group)}: please attach route filter {_handed_in(group.case)}",
            [
                "Azure shows no route filter on the Microsoft peering, so no Microsoft route reaches us.",
                f"Please attach {_handed_in(group.case)}, and tell us when routes of AS 12076 arrive.",
            ],
        ),
    ),
    routed=True,
)


def _attached(case: Case) -> tuple[str, ...]:
    """The names of the filters that are attached."""
    names = [reference.rstrip("/").rpartition("/")[2] for reference in case.attached_filters]
    return tuple(dict.fromkeys(names))


def _not_the_one(facts: Destination, case: Case) -> Match | None:
    attached = _attached(case)
    own = [seen for seen in case.filters if seen.name != seen.origin]
    if not attached or not own or not may_cross_the_circuit(facts):
        return None
    references = case.attached_filters
    if any(seen.is_named_by(reference) for seen in own for reference in references):
        return None
    names = tuple(sorted(seen.name for seen in own))
    says = f"the filter that is attached is {listed(attached)}, not {listed(names)}"
    named = [f"circuit {circuit.name}" for circuit, _ in _peerings(case)]
    evidence = tuple(Evidence(origin, says) for origin in named)
    return Match(confidence(facts), (*attached, *names), evidence)


def _switch(group: Group) -> Remedy:
    wanted = _handed_in(group.case)
    attached = typed.resource(next(iter(_attached(group.case)), "")) or "ROUTE-FILTER"
    return Remedy(
        summary=f"Attach {wanted} in place of {attached}, or make {attached} hold what Arc needs.",
        steps=(
            f"What {wanted} holds has no effect: the circuit follows {attached}.",
            f"Hand in {attached} as well, to see what it lets through: the finding is then exact.",
            (
                "A peering has one filter: attaching another replaces it, and withdraws what only the "
                "old one let through."
            ),
        ),
        commands=(
            fetch_filter(next(iter(group.case.attached_filters), "")),
            attach_filter(group, next(iter(group.case.filters), None)),
        ),
        request=letter(
            f"ExpressRoute {circuits_named(group)}: another route filter than expected is attached",
            [
                f"Azure shows {attached} on the Microsoft peering. We were told that {wanted} applies.",
                f"Endpoints that fail: {listed(group.hosts, most=40)}." if group.facts else "",
                (
                    f"Which one shall it be? If {wanted}: please attach it. If {attached}: please send us "
                    "its rules."
                ),
            ],
        ),
    )


FILTER_NOT_ATTACHED = Cause(
    slug="route/filter-not-attached",
    title="The route filter that was handed in is not the one that the circuit uses",
    severity=Severity.ERROR,
    owner=Owner.NETWORK,
    applies=_not_the_one,
    headline=lambda group: (
        f"{circuits_named(group)} uses route filter {listed(_attached(group.case))}, "
        f"not {_handed_in(group.case)}"
    ),
    remedy=_switch,
    routed=True,
)


def _beyond_sku(facts: Destination, case: Case) -> Match | None:
    coverage = facts.coverage
    if coverage is None or not may_cross_the_circuit(facts):
        return None
    region = coverage.region
    if coverage.verdict not in (Verdict.CARRIED, Verdict.UNKNOWN) or not region or not case.circuits:
        return None
    within = [catalog.within_reach(one.tier.value, one.peering_location, region) for one in case.circuits]
    if any(answer is not False for answer in within):
        return None
    evidence = tuple(
        Evidence(
            f"circuit {one.name}",
            f"{one.tier.value or 'the'} SKU at {one.peering_location or 'an unknown place'}, whose reach "
            f"does not include {region_name(region)}",
        )
        for one in case.circuits
    )
    return Match(confidence(facts), (region,), evidence)


def _region(group: Group) -> str:
    return region_name(group.coverage.region) if group.coverage else "the region"


def _upgrade(group: Group) -> Remedy:
    circuit = group.case.circuits[0]
    name = circuit_name(group)
    local = circuit.tier is Tier.LOCAL
    return Remedy(
        summary=f"Raise the SKU of {name} so that it reaches {_region(group)}, or take another path there.",
        steps=(
            (
                "Local reaches the regions of the peering location's metro, Standard those of its "
                "geopolitical area, Premium all. The route filter cannot widen that."
            ),
            "Premium can be switched on without an interruption, and is billed from then on."
            if not local
            else "A Local circuit can be raised to Standard or Premium; billing changes, and a way back to "
            "Local may need a new circuit. Ask first.",
            "Or keep the name's answer inside the reach: a resolver nearer by, private link, or a proxy.",
        ),
        commands=(raise_to_premium(group),),
        request=letter(
            f"ExpressRoute {name}: its SKU does not reach {_region(group)}",
            [
                *(f"- {one.host} answers {one.address} in {one.region}" for one in group.affected),
                (
                    f"{name} is {circuit.tier.value} at {circuit.peering_location}. The route filter "
                    "allows the region, but Microsoft does not advertise it to this SKU."
                ),
                "Can the circuit be raised to Premium? If not: which other path may these names take?",
            ],
        ),
    )


OUTSIDE_SKU = Cause(
    slug="route/outside-sku-geography",
    title="The circuit's SKU does not reach the region, whatever the route filter allows",
    severity=Severity.ERROR,
    owner=Owner.NETWORK,
    applies=_beyond_sku,
    headline=lambda group: (
        f"{circuits_named(group)} does not reach {_region(group)} with its SKU, needed for {group.subject}"
    ),
    remedy=_upgrade,
    routed=True,
)


def _ipv6_alone(facts: Destination, case: Case) -> Match | None:
    if not facts.may_be_routing or not facts.coverages or facts.verdict is Verdict.PRIVATE:
        return None
    if any(":" not in one.address or one.has_route for one in facts.coverages):
        return None
    listing = [one for one in case.circuits if one.lists_peerings]
    if not listing or any(one.microsoft_ipv6 for one in case.circuits):
        return None
    evidence = tuple(Evidence(f"circuit {one.name}", "Microsoft peering has no IPv6 side") for one in listing)
    return Match(confidence(facts), _names(case.circuits), evidence)


IPV6_NOT_PEERED = Cause(
    slug="route/ipv6-not-peered",
    title="The name answers with IPv6 only, and the circuit peers IPv4 only",
    severity=Severity.ERROR,
    owner=Owner.NETWORK,
    applies=_ipv6_alone,
    headline=lambda group: (
        f"{group.subject} answers with IPv6 only, and {circuits_named(group)} has no IPv6 peering"
    ),
    remedy=lambda group: Remedy(
        summary=f"Let {listed(group.hosts)} be answered with IPv4, or add IPv6 to the Microsoft peering.",
        steps=(
            "Ask the resolver why it leaves the IPv4 address out: a filter of A records, or DNS64.",
            "Or add an IPv6 side to the Microsoft peering (two /126 of your own, and a route filter for it).",
        ),
        commands=(
            command(
                "sh", "dig +short A {name}; dig +short AAAA {name}", name=command_line.host(group.hosts[0])
            ),
        ),
        request=letter(
            f"DNS or ExpressRoute: only IPv6 answers for {group.subject}",
            [
                *(f"- {one.host} answers {one.address}" for one in group.affected),
                (
                    f"{circuits_named(group)} carries IPv4 only. Please let the resolver answer A records "
                    "for these names, or plan IPv6 on the Microsoft peering."
                ),
            ],
        ),
    ),
    routed=True,
)

FAMILY = (NO_ROUTE_FILTER, FILTER_NOT_ATTACHED, PEERING_DOWN, OUTSIDE_SKU, IPV6_NOT_PEERED)
