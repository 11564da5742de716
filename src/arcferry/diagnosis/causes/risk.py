"""What works today and may not tomorrow, apart from steered answers."""

import ipaddress
from datetime import timedelta

from arcferry import catalog, command_line
from arcferry.diagnosis.causes.cause import Cause, Group, Match
from arcferry.diagnosis.destination import Destination
from arcferry.diagnosis.finding import Command, Confidence, Evidence, Owner, Remedy, Severity, command
from arcferry.diagnosis.wording import community_name, letter, listed
from arcferry.evidence.case import Case, at_midnight
from arcferry.routing.coverage import Verdict
from arcferry.routing.route import MICROSOFT_AS, Vantage

OLD = timedelta(days=90)
"""Age from which data about addresses is called old: service tags change weekly, communities monthly."""
_TOO_OLD_TO_ACCUSE = timedelta(days=365)


def _reached_otherwise(facts: Destination, _: Case) -> Match | None:
    if not facts.reached or facts.proxied or not facts.coverages or facts.coverages[-1].is_expected:
        return None
    outside = {one.community for one in facts.coverages if one.verdict is Verdict.NOT_IN_FILTER}
    if not outside:
        return None
    return Match(Confidence.EXPECTED, signature=tuple(sorted(outside)))


REACHED_OUTSIDE_FILTER = Cause(
    slug="risk/reached-outside-filter",
    title="A name is reached although the route filter is not expected to let its address through",
    severity=Severity.INFO,
    owner=Owner.NETWORK,
    applies=_reached_otherwise,
    headline=lambda group: f"{group.subject} is reached, though not expected over this route filter",
    remedy=lambda group: Remedy(
        summary="Find out which way the traffic takes, before it is closed.",
        steps=(
            "Another path may carry it: an internet breakout, another circuit, a transparent proxy.",
            "Or a dated list is no longer right: take newer service tags and a newer community list.",
        ),
        commands=(command("sh", "traceroute -T -p 443 {name}", name=command_line.host(group.hosts[0])),),
        request=letter(
            f"Network: which way does {group.subject} take?",
            [
                *(f"- {one.host} {one.address} {one.community}".rstrip() for one in group.affected),
                (
                    "The servers reach these addresses, and the route filter is not expected to let them "
                    "through. Is there another way out, and is it meant to stay?"
                ),
            ],
        ),
    ),
    routed=True,
)


def _unlisted(facts: Destination, case: Case) -> Match | None:
    """An answer that rests on the service's community alone, which the list does not have the address in."""
    coverage = facts.coverage
    if facts.failed or facts.proxied or coverage is None or coverage.community_list is None:
        return None
    cloud = catalog.cloud_of(facts.host)
    service = catalog.service_community(facts.carrier, cloud) if cloud else None
    if service is None or coverage.has_route or coverage.allowed_by != (service.value,):
        return None
    known = coverage.community_list
    if service.value not in known.values or any(
        entry.value == service.value for entry in known.containing(coverage.address)
    ):
        return None
    listed_on, newest = at_midnight(known.taken), case.newest
    if listed_on is None or (newest and newest - listed_on > _TOO_OLD_TO_ACCUSE):
        return None
    return Match(Confidence.EXPECTED, (service.value,))


def _service_value(group: Group) -> str:
    return community_name(group.match.signature[0])


ANSWER_NOT_IN_SERVICE_COMMUNITY = Cause(
    slug="risk/answer-not-in-service-community",
    title="An answer lies outside the prefixes that the list gives for the service's own community",
    severity=Severity.WARNING,
    owner=Owner.NETWORK,
    applies=_unlisted,
    headline=lambda group: f"{group.subject} answers outside what {_service_value(group)} is listed with",
    remedy=lambda group: Remedy(
        summary=f"Check that a route for {listed(group.hosts)} is received; if not, add its region.",
        steps=(
            (
                f"{_service_value(group)} is what carries this service, and the list at hand does not "
                "hold today's address under it. Microsoft moves services to new prefixes before every "
                "list has them."
            ),
            "Hand in the routes that the edge router received, or a newer community list: either decides.",
            "Where no route arrives, the community of the address's region carries it as well.",
        ),
        commands=(
            Command(
                "az",
                "az network route-filter rule list-service-communities --output json > "
                "communities-YYYY-MM-DD.json",
            ),
            command("ios", "show ip bgp {address}", address=command_line.address(_address(group))),
        ),
        request=letter(
            f"ExpressRoute: is a route received for {group.subject}?",
            [
                *(f"- {one.host} {one.address}" for one in group.affected),
                (
                    f"We rely on {_service_value(group)}; the list of communities does not show these "
                    "addresses in it."
                ),
                "Please look on the edge router for a route that covers them, and tell us its communities.",
            ],
        ),
    ),
    routed=True,
)


def _address(group: Group) -> str:
    return next((one.address for one in group.affected if one.address), "ADDRESS")


def _inspected(facts: Destination, _: Case) -> Match | None:
    tls = facts.tls
    if not facts.reached or tls is None or tls.public_root:
        return None
    says = f"{facts.host} shows a certificate issued by {tls.issuer}, trusted here and not by the public web"
    origin = facts.latest.origin if facts.latest else ""
    return Match(signature=(tls.issuer,), evidence=(Evidence(origin, says),))


INSPECTED = Cause(
    slug="risk/inspected",
    title="TLS is opened on the way by an authority of the company's own, which is trusted here",
    severity=Severity.INFO,
    owner=Owner.NETWORK,
    applies=_inspected,
    headline=lambda group: f"TLS to {group.subject} is inspected by {group.match.signature[0] or 'somebody'}",
    remedy=lambda group: Remedy(
        summary=f"Exempt {listed(group.hosts)} from inspection, before an extension needs it.",
        steps=(
            (
                "The agent accepts an inspecting CA that the machine trusts. Some extensions accept "
                "Azure's own certificates only, and fail behind inspection."
            ),
            (
                "Agents of 2027 refuse certificates with a negative serial number, which some inspecting CAs "
                "make."
            ),
        ),
        commands=(
            command(
                "sh",
                "openssl s_client -connect {name}:443 -servername {name} </dev/null",
                name=command_line.host(group.hosts[0]),
            ),
        ),
        request=letter(
            "TLS inspection: exempt the Azure Arc endpoints",
            [
                f"Connections from the Arc servers are inspected by {group.match.signature[0]}.",
                (
                    f"Please exempt: {listed(group.hosts, most=40)}. Extensions check for Azure's own "
                    "certificates."
                ),
            ],
        ),
    ),
)


def _next_hops(case: Case) -> set[str]:
    """The next hops of Microsoft's routes to the addresses that matter, in the router's own tables."""
    addresses = {address for answer in case.answers for address in answer.addresses}
    addresses |= {seen.address for seen in case.attempts if seen.address}
    own = [table for table in case.route_tables if table.vantage is not Vantage.AZURE]
    routes = [route for table in own for address in addresses for route in table.covering(address)]
    return {route.next_hop for route in routes if route.from_microsoft and route.next_hop}


def _on(link: str, hops: set[str]) -> bool:
    try:
        network = ipaddress.ip_network(link, strict=False)
        return any(ipaddress.ip_address(hop) in network for hop in hops)
    except ValueError:
        return False


def _one_path(case: Case) -> tuple[Match, ...]:
    """Where a circuit's two links are known and routes come over one of them alone."""
    hops = _next_hops(case)
    found = []
    for circuit in case.circuits:
        peering = circuit.microsoft
        if peering is None or not peering.primary_prefix or not peering.secondary_prefix:
            continue
        over = [_on(peering.primary_prefix, hops), _on(peering.secondary_prefix, hops)]
        if any(over) and not all(over):
            up, down = ("primary", "secondary") if over[0] else ("secondary", "primary")
            says = (
                f"routes of AS {MICROSOFT_AS} come over the {up} link of {circuit.name}, none over the {down}"
            )
            found.append(
                Match(Confidence.OBSERVED, (circuit.name, down), (Evidence("received routes", says),))
            )
    return tuple(found)


ONE_PATH_ONLY = Cause(
    slug="risk/one-path-only",
    title="Microsoft's routes come over one of the circuit's two links only",
    severity=Severity.WARNING,
    owner=Owner.NETWORK,
    concerns=_one_path,
    headline=lambda group: (
        f"{group.match.signature[0]}: no routes over the {group.match.signature[1]} link in what was "
        "handed in"
    ),
    remedy=lambda group: Remedy(
        summary=f"Bring up the {group.match.signature[1]} BGP session, or hand in the other router's table.",
        steps=(
            (
                "Every circuit has two links; Microsoft maintains them one after the other and does not "
                "ask first. With one of them down, maintenance is an outage."
            ),
            "Where another router ends the second link, its table belongs here too.",
        ),
        commands=(Command("ios", "show bgp all summary"), Command("junos", "show bgp summary")),
        request=letter(
            f"ExpressRoute {group.match.signature[0]}: the {group.match.signature[1]} link carries no routes",
            [
                *(f"- {line.says}" for line in group.match.evidence),
                "Please check the second BGP session, and that the firewall lets both ways pass.",
            ],
        ),
    ),
)


def _old(case: Case) -> tuple[Match, ...]:
    """Where even the newest data about addresses is much older than what was seen."""
    dated = [(tags.name, at_midnight(tags.taken)) for tags in case.service_tags]
    dated += [(known.name, at_midnight(known.taken)) for known in case.community_lists]
    usable = [(name, taken) for name, taken in dated if taken]
    newest = case.newest
    if not usable or newest is None:
        return ()
    name, taken = max(usable, key=lambda one: one[1])
    if newest - taken <= OLD:
        return ()
    says = f"{name} is {(newest - taken).days} days older than what was seen"
    return (Match(evidence=(Evidence(name, says, taken),)),)


OLD_DATA = Cause(
    slug="risk/old-data",
    title="The data about addresses is much older than what was seen",
    severity=Severity.WARNING,
    owner=Owner.SERVER,
    concerns=_old,
    headline=lambda group: f"Addresses are judged by old data: {group.match.evidence[0].says}",
    remedy=lambda _: Remedy(
        summary="Take newer service tags and a newer community list, and run this again.",
        steps=(
            "Service tags change weekly and communities monthly; prefixes move between regions.",
            "On a connected machine: arcferry data update. Or carry the weekly file over and import it.",
        ),
        commands=(Command("arcferry", "arcferry data show"), Command("arcferry", "arcferry data update")),
    ),
)

FAMILY = (REACHED_OUTSIDE_FILTER, ANSWER_NOT_IN_SERVICE_COMMUNITY, INSPECTED, ONE_PATH_ONLY, OLD_DATA)
