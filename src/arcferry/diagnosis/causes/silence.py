"""TCP that gets no answer although a route is expected, or seen: the way back, or a filter on the way."""

from arcferry.diagnosis.causes.cause import Cause, Group, Match, named
from arcferry.diagnosis.causes.circuit import circuits_named
from arcferry.diagnosis.causes.circuit_commands import show_azure_routes, show_prefixes
from arcferry.diagnosis.causes.tcp import places, try_tcp
from arcferry.diagnosis.destination import Destination
from arcferry.diagnosis.finding import Command, Confidence, Evidence, Owner, Remedy, Severity
from arcferry.diagnosis.wording import community_name, letter, listed
from arcferry.evidence.case import Case
from arcferry.evidence.document import Kind
from arcferry.routing.circuit import Peering
from arcferry.routing.reception import Return, returns

_VALIDATED = ("", "configured")


def _is_unanswered(facts: Destination) -> bool:
    """Whether packets should find their way there, and nothing comes back."""
    return facts.silent and facts.coverage is not None and facts.coverage.is_expected


def _answers_come_back(facts: Destination) -> bool:
    """Whether another endpoint that the circuit should carry answers, so that the way back works."""
    return any(
        one.reached and not one.proxied and one.coverage is not None and one.coverage.is_expected
        for one in facts.beside
    )


def _confidence(facts: Destination) -> Confidence:
    seen = facts.coverage is not None and facts.coverage.has_route
    return Confidence.OBSERVED if seen else Confidence.EXPECTED


def _table_line(facts: Destination) -> tuple[Evidence, ...]:
    """What the router's table says, or that none was handed in."""
    received = facts.coverage.received if facts.coverage else None
    if received is None or received.table is None:
        says = "no received routes were handed in: that a route is there is expected, not observed"
        return (Evidence("what is missing", says),)
    return (Evidence(received.table.name, received.says, received.table.taken),)


def _peerings(case: Case) -> list[tuple[str, Peering]]:
    return [(one.name, one.microsoft) for one in case.circuits if one.microsoft]


def _not_validated(facts: Destination, case: Case) -> Match | None:
    found = _peerings(case)
    if not found or not _is_unanswered(facts) or _answers_come_back(facts):
        return None
    if any(peering.advertised_state.lower() in _VALIDATED for _, peering in found):
        return None
    evidence = [
        Evidence(
            f"circuit {name}",
            f"advertisedPublicPrefixesState is {peering.advertised_state}, not Configured, for "
            f"{listed(peering.advertised_prefixes)}",
        )
        for name, peering in found
    ]
    return Match(_confidence(facts), tuple(name for name, _ in found), (*evidence, *_table_line(facts)))


def _prefixes(group: Group) -> str:
    known = [prefix for _, peering in _peerings(group.case) for prefix in peering.advertised_prefixes]
    return listed(list(dict.fromkeys(known))) if known else "the NAT prefix"


NAT_NOT_VALIDATED = Cause(
    slug="tcp/nat-prefix-not-validated",
    title="Microsoft has not validated the advertised NAT prefix, so that answers do not come back",
    severity=Severity.ERROR,
    owner=Owner.NETWORK,
    applies=_not_validated,
    headline=lambda group: f"Microsoft has not validated {_prefixes(group)}: nothing answers {group.subject}",
    remedy=lambda group: Remedy(
        summary=f"Have Microsoft validate {_prefixes(group)} on {circuits_named(group)}.",
        steps=(
            (
                "ValidationNeeded means that the registry entry (RIR, IRR) does not show you as the "
                "holder of the prefix or of the AS number; Configuring means that it is not done yet."
            ),
            (
                "Correct the entry, or open a support case with the holder's letter of authority; then "
                "the state must become Configured."
            ),
            "Until then packets leave, and Microsoft drops them or their answers: it looks like a timeout.",
        ),
        commands=(show_prefixes(group, "microsoftPeeringConfig"),),
        request=letter(
            f"ExpressRoute {circuits_named(group)}: the advertised public prefix is not validated",
            [
                *(f"- {line.says}" for line in group.match.evidence if line.origin.startswith("circuit")),
                *places(group),
                (
                    f"Please have {_prefixes(group)} validated (a support case to the ExpressRoute team, "
                    "with the letter of authority), and tell us when the state is Configured."
                ),
            ],
        ),
    ),
    routed=True,
)


def _no_way_back(facts: Destination, case: Case) -> Match | None:
    if not _is_unanswered(facts) or _answers_come_back(facts):
        return None
    advertised = [prefix for _, peering in _peerings(case) for prefix in peering.advertised_prefixes]
    answer = returns(advertised, case.route_tables)
    if answer.answer is not Return.MISSING or answer.table is None:
        return None
    line = Evidence(answer.table.name, answer.says, answer.table.taken)
    return Match(_confidence(facts), answer.missing, (line, *_table_line(facts)))


ASYMMETRIC_RETURN = Cause(
    slug="tcp/asymmetric-return",
    title="Azure has no route back to the servers' NAT prefix over this circuit",
    severity=Severity.ERROR,
    owner=Owner.NETWORK,
    applies=_no_way_back,
    headline=lambda group: (
        f"Azure has no route back to {listed(group.match.signature)}, so {group.subject} does not answer"
    ),
    remedy=lambda group: Remedy(
        summary=f"Advertise {listed(group.match.signature)} to Microsoft over this circuit, and only there.",
        steps=(
            "The edge router must announce the NAT prefix to both MSEEs; look at what it advertises.",
            (
                "Where the same prefix is announced to the internet as well, answers may come back "
                "there, and a stateful firewall drops them: announce a longer prefix over ExpressRoute, "
                "or another one."
            ),
            "The link's own /30s are not announced by themselves: do not translate to the interface address.",
        ),
        commands=(
            Command("ios", "show ip bgp neighbors MSEE-ADDRESS advertised-routes"),
            Command("junos", "show route advertising-protocol bgp MSEE-ADDRESS"),
            show_azure_routes(group),
        ),
        request=letter(
            "ExpressRoute: the NAT prefix is not seen in Azure's route table",
            [
                *(f"- {line.says}" for line in group.match.evidence[:6]),
                *places(group),
                f"Please advertise {listed(group.match.signature)} over both links of the Microsoft peering.",
            ],
        ),
    ),
    routed=True,
)


def _siblings(facts: Destination) -> list[Destination]:
    """Endpoints that answer, behind the same community or the same route."""
    if facts.coverage is None:
        return []
    allowed = set(facts.coverage.allowed_by)
    route = facts.coverage.received.route
    found = []
    for one in facts.beside:
        if not one.reached or one.proxied or one.coverage is None:
            continue
        other = one.coverage.received.route
        same_route = route is not None and other is not None and other.prefix == route.prefix
        if same_route or allowed & set(one.coverage.allowed_by):
            found.append(one)
    return found


def _filtered(facts: Destination, _: Case) -> Match | None:
    if not _is_unanswered(facts) or facts.coverage is None or not facts.coverage.has_route:
        return None
    answering = _siblings(facts)
    if not answering:
        return None
    line = Evidence(
        answering[0].latest.origin if answering[0].latest else "",
        f"{listed([named(one) for one in answering])}, behind the same route or community, answers: "
        "routes, NAT and the way back work",
    )
    return Match(evidence=(line, *_table_line(facts)))


FILTERED = Cause(
    slug="tcp/filtered",
    title="The route is there and neighbours answer: something drops packets to this address",
    severity=Severity.ERROR,
    owner=Owner.NETWORK,
    applies=_filtered,
    headline=lambda group: f"Something drops packets to {group.subject}, while its neighbours answer",
    remedy=lambda group: Remedy(
        summary=f"Find the rule that drops TCP 443 to {listed(group.hosts)}.",
        steps=(
            (
                "Routing, NAT and the way back work for a neighbour of the same region: what is left is "
                "a rule by address on a firewall, an access list of the edge router, or a blocked "
                "country or category."
            ),
            "Rules by address grow old, because Azure's addresses change: allow by name or by service tag.",
        ),
        commands=try_tcp(group),
        request=letter(
            f"Firewall: TCP 443 to {group.subject} is dropped",
            [
                *places(group),
                (
                    "A route is there, and other endpoints of the same region answer from the same "
                    "servers. Please look for a rule that drops these addresses without an answer."
                ),
            ],
        ),
    ),
    routed=True,
)


def _times_out(facts: Destination, case: Case) -> Match | None:
    if not _is_unanswered(facts) or facts.coverage is None:
        return None
    evidence = list(_table_line(facts))
    if answering := _siblings(facts):
        names = listed([named(one) for one in answering])
        says = f"{names}, of the same community, answers: a rule by address on a firewall is likely"
        evidence.append(Evidence(answering[0].latest.origin if answering[0].latest else "", says))
    wanted = [Kind.RECEIVED_ROUTES.value] if facts.coverage.received.table is None else []
    wanted += [Kind.CIRCUIT.value] if not case.circuits else []
    confidence = _confidence(facts)
    return Match(
        confidence,
        signature=(facts.coverage.community,),
        evidence=tuple(evidence),
        would_decide=tuple(wanted) if confidence is not Confidence.OBSERVED else (),
    )


def _way(group: Group) -> str:
    coverage = group.coverage
    if coverage and coverage.has_route:
        return "Microsoft's route is there"
    value = coverage.community if coverage else ""
    return f"the filter lets {community_name(value) if value else 'the community'} through"


_LOOK_FOR_THE_ROUTE = (
    "On the edge router: is a route received that covers the address? If not, look at the BGP session, at "
    "inbound policy, and at the circuit's SKU: Local and Standard carry only regions near the peering "
    "location."
)
_LOOK_FOR_THE_LOSS = (
    (
        "On the circuit: is the NAT pool's prefix advertised, and advertisedPublicPrefixesState Configured? "
        "With ValidationNeeded the way out works and the way back does not."
    ),
    (
        "Is the NAT prefix advertised to the internet as well? Then answers may come back another way, and a "
        "stateful firewall drops them."
    ),
    "On the firewall: is TCP 443 from the server to the address allowed, and translated to the NAT pool?",
)


def _find_the_loss(group: Group) -> Remedy:
    seen = group.coverage is not None and group.coverage.has_route
    received = "" if seen else " the received routes for these addresses;"
    rows = [f"- {one.host} {one.address} {one.region} {one.community}".rstrip() for one in group.affected]
    return Remedy(
        summary="Find where the packets or their answers are lost: NAT prefix, return path or firewall."
        if seen
        else "Find where the packets are lost: received routes, NAT prefix, return path or firewall.",
        steps=_LOOK_FOR_THE_LOSS if seen else (_LOOK_FOR_THE_ROUTE, *_LOOK_FOR_THE_LOSS),
        commands=(show_prefixes(group, "microsoftPeeringConfig"), *try_tcp(group)),
        request=letter(
            f"ExpressRoute: no answer from {group.subject} although {_way(group)}",
            [
                *rows,
                (
                    f"TCP 443 times out from the Arc servers. Please check:{received} that the NAT prefix is "
                    "advertised and validated on the Microsoft peering; that answers come back the same way; "
                    "firewall rules."
                ),
            ],
        ),
    )


TIMEOUT_WITH_ROUTE = Cause(
    slug="tcp/timeout-with-route",
    title="A route is there or expected, and still no connection comes about",
    severity=Severity.ERROR,
    owner=Owner.NETWORK,
    applies=_times_out,
    headline=lambda group: f"{group.subject}: {_way(group)}, yet TCP gets no answer",
    remedy=_find_the_loss,
    routed=True,
)

FAMILY = (NAT_NOT_VALIDATED, ASYMMETRIC_RETURN, FILTERED, TIMEOUT_WITH_ROUTE)
