"""What the router's own tables show: no session, no route, a route that it drops or does not prefer."""

from arcferry import command_line
from arcferry.diagnosis.causes.cause import Cause, Group, Match
from arcferry.diagnosis.causes.circuit import circuits_named, gets_through, may_cross_the_circuit
from arcferry.diagnosis.causes.circuit_commands import show_azure_routes, show_azure_sessions
from arcferry.diagnosis.destination import Destination
from arcferry.diagnosis.finding import Command, Evidence, Owner, Remedy, Severity, command
from arcferry.diagnosis.wording import community_name, letter, listed
from arcferry.evidence.case import Case
from arcferry.routing.coverage import Verdict
from arcferry.routing.reception import Reception, named
from arcferry.routing.route import MICROSOFT_AS, RouteTable, Vantage

_SHOW_SESSION = (Command("ios", "show bgp all summary"), Command("junos", "show bgp summary"))


def _holds_microsoft(table: RouteTable, facts: Destination) -> bool:
    """Whether the table has any route of Microsoft's, or cannot show whether it has."""
    if any(value.startswith(f"{MICROSOFT_AS}:") for value in table.values):
        return True
    if not table.shows_communities:
        return _by_paths(table)
    addresses = [one.address for beside in facts.beside for one in beside.coverages]
    return any(route.from_microsoft for address in addresses for route in table.covering(address))


def _by_paths(table: RouteTable) -> bool:
    """The same from AS paths alone; a table in which no route has one shows nothing."""
    has_paths = False
    for route in table.routes:
        if MICROSOFT_AS in route.as_path:
            return True
        has_paths = has_paths or bool(route.as_path)
    return not has_paths


def _own(case: Case) -> list[RouteTable]:
    return [one for one in case.route_tables if one.vantage is not Vantage.AZURE and one.complete]


def _session_down(facts: Destination, case: Case) -> Match | None:
    tables = _own(case)
    if not tables or not may_cross_the_circuit(facts) or gets_through(facts):
        return None
    if any(
        _holds_microsoft(table, facts) for table in case.route_tables if table.vantage is not Vantage.AZURE
    ):
        return None
    evidence = tuple(
        Evidence(
            table.name,
            f"{named(table)} holds {table.size:,} routes, and none of AS {MICROSOFT_AS} among them",
            table.taken,
        )
        for table in tables
    )
    return Match(signature=tuple(table.name for table in tables), evidence=evidence)


SESSION_DOWN = Cause(
    slug="route/session-down",
    title="The router has no route of Microsoft's at all: the BGP sessions are down or bring nothing",
    severity=Severity.ERROR,
    owner=Owner.NETWORK,
    applies=_session_down,
    headline=lambda _: f"The edge router holds no route of AS {MICROSOFT_AS} at all",
    remedy=lambda group: Remedy(
        summary="Bring both BGP sessions with Microsoft up, and look whether prefixes arrive over them.",
        steps=(
            (
                f"Look at both sessions with AS {MICROSOFT_AS}: Idle or Active means down; Established "
                "with 0 prefixes means that the route filter is empty or not attached."
            ),
            (
                "Down: check the VLAN tag, the /30 (you have its first address, Microsoft its second), "
                "your AS number, the MD5 key, and ARP on the link."
            ),
            "More than 200 prefixes advertised over Microsoft peering make Microsoft end the session.",
        ),
        commands=(*_SHOW_SESSION, show_azure_sessions(group)),
        request=letter(
            f"ExpressRoute {circuits_named(group)}: no routes from Microsoft on the edge router",
            [
                *(f"- {line.says}" for line in group.match.evidence if "AS 12076" in line.says),
                f"Without routes {listed(group.hosts, most=12)} cannot be reached.",
                (
                    "Please check both BGP sessions of the Microsoft peering, and tell us their state since "
                    "when."
                ),
            ],
        ),
    ),
    routed=True,
)


def _received_as(facts: Destination, wanted: Reception) -> Evidence | None:
    """The table's own words, where it says this of the address and the endpoint fails."""
    coverage = facts.coverage
    if coverage is None or not facts.may_be_routing or coverage.received.reception is not wanted:
        return None
    table = coverage.received.table
    return Evidence(table.name, coverage.received.says, table.taken) if table else None


def _dropped_here(facts: Destination, _: Case) -> Match | None:
    line = _received_as(facts, Reception.FILTERED_HERE)
    return Match(signature=(line.origin,), evidence=(line,)) if line else None


FILTERED_BY_OWN_POLICY = Cause(
    slug="route/filtered-by-own-policy",
    title="Microsoft sends the route, and the company's own router drops it",
    severity=Severity.ERROR,
    owner=Owner.NETWORK,
    applies=_dropped_here,
    headline=lambda group: f"The own router's inbound policy drops Microsoft's route to {group.subject}",
    remedy=lambda group: Remedy(
        summary=f"Let the inbound policy accept the routes for {listed(group.hosts)}.",
        steps=(
            (
                "The route filter in Azure is right: the route arrives, and the router's own policy "
                "(route-map, prefix-list, community list, maximum-prefix) does not take it."
            ),
            "Accept by community rather than by prefix: Microsoft's prefixes change monthly.",
            "Compare what the neighbour sends with what is used, before and after the change.",
        ),
        commands=(
            Command("ios", "show ip bgp neighbors MSEE-ADDRESS received-routes | include PREFIX"),
            Command("ios", "show ip bgp neighbors MSEE-ADDRESS policy"),
            Command("junos", "show route receive-protocol bgp MSEE-ADDRESS hidden extensive"),
        ),
        request=letter(
            f"Edge router: inbound policy drops Microsoft's route to {group.subject}",
            [
                *(f"- {line.says}" for line in group.match.evidence[:12]),
                "Please let the policy towards the Microsoft peering accept these routes, best by community.",
            ],
        ),
    ),
    routed=True,
)


def _not_preferred(facts: Destination, _: Case) -> Match | None:
    coverage = facts.coverage
    if coverage is None or not coverage.sent:
        return None
    route = coverage.received.route
    line = _received_as(facts, Reception.ANOTHER_PATH)
    if line is None and route is not None and route.best and not route.as_path:
        line = _received_as(facts, Reception.UNKNOWN)
    if line is None:
        return None
    evidence = [line]
    if route is not None and not route.as_path:
        says = (
            f"the route in use, {route.prefix}, has no AS path: a static or local one wins over Microsoft's"
        )
        evidence.append(Evidence(line.origin, says, line.taken))
    return Match(signature=(line.origin, route.next_hop if route else ""), evidence=tuple(evidence))


ANOTHER_PATH_PREFERRED = Cause(
    slug="route/another-path-preferred",
    title="Microsoft's route is there, and the router sends the traffic another way",
    severity=Severity.ERROR,
    owner=Owner.NETWORK,
    applies=_not_preferred,
    headline=lambda group: f"The router prefers another way to {group.subject} than Microsoft's route",
    remedy=lambda group: Remedy(
        summary=f"Make the router prefer Microsoft's route for {listed(group.hosts)}.",
        steps=(
            (
                "A longer prefix, a static route, a lower administrative distance or a higher local "
                "preference wins over the route of the Microsoft peering. The evidence names the route "
                "that won."
            ),
            "Remove that route where it is stale; else raise the local preference of what the MSEEs send.",
            "Look at other places that hold it too: a static route is often on several routers.",
        ),
        commands=(
            Command("ios", "show ip route ADDRESS"),
            Command("ios", "show ip bgp ADDRESS"),
            Command("bird", "birdc show route all for ADDRESS"),
        ),
        request=letter(
            f"Edge router: another route than Microsoft's wins for {group.subject}",
            [
                *(f"- {line.says}" for line in group.match.evidence[:12]),
                (
                    f"Microsoft's route of AS {MICROSOFT_AS} is in the table as well. Is the other one still "
                    "wanted?"
                ),
                "If not, please remove it; if so, please let these addresses go over ExpressRoute.",
            ],
        ),
    ),
    routed=True,
)


def _not_received(facts: Destination, _: Case) -> Match | None:
    coverage = facts.coverage
    if coverage is None or not coverage.lacks_route or not may_cross_the_circuit(facts):
        return None
    if coverage.verdict not in (Verdict.CARRIED, Verdict.UNKNOWN) or coverage.received.table is None:
        return None
    table = coverage.received.table
    evidence = [Evidence(table.name, coverage.received.says, table.taken)]
    if coverage.route_filter is None:
        says = "no route filter was handed in: whether it lets the address through is not known"
        evidence.append(Evidence("what is missing", says))
    return Match(signature=(table.name, coverage.community), evidence=tuple(evidence))


_OTHER_REASONS = (
    (
        "Is the router's table whole, and of the router that ends the circuit? A maximum-prefix limit cuts "
        "silently."
    ),
    "Is the SKU Local or Standard, and the region outside its reach? Hand the circuit in.",
    (
        "Are the service tags older than the routes? A prefix that has moved carries another community: "
        "take newer ones."
    ),
    "If all of that is right, it is Microsoft's to answer: open a support case with the addresses.",
)


def _ask_for_the_route(group: Group) -> Remedy:
    coverage = group.coverage
    value = coverage.community if coverage else ""
    allowed = coverage is not None and coverage.verdict is Verdict.CARRIED
    first = (
        f"The filter allows {community_name(value)}, so Microsoft should advertise the prefix: look "
        "whether any route with that community arrives."
        if allowed
        else "Look whether the route filter allows the community of the address's region; hand the filter in."
    )
    rows = [f"- {one.host} {one.address} {one.region} {one.community}".rstrip() for one in group.affected]
    return Remedy(
        summary=f"Find why Microsoft does not send a route for {listed(group.hosts)}.",
        steps=(first, *_OTHER_REASONS),
        commands=(
            command("ios", "show ip bgp community {value}", value=command_line.community(value)),
            show_azure_routes(group),
        ),
        request=letter(
            f"ExpressRoute: no route is received for {group.subject}",
            [
                *rows,
                *(f"- {line.says}" for line in group.match.evidence[:6]),
                (
                    "Please check whether Microsoft advertises these prefixes to us, and open a case if it "
                    "should."
                ),
            ],
        ),
    )


NOT_RECEIVED = Cause(
    slug="route/not-received",
    title="The router holds no route to the address, though the filter is not known to stop it",
    severity=Severity.ERROR,
    owner=Owner.NETWORK,
    applies=_not_received,
    headline=lambda group: f"No route from Microsoft covers {group.subject} in the router's own table",
    remedy=_ask_for_the_route,
    routed=True,
)

FAMILY = (NOT_RECEIVED, FILTERED_BY_OWN_POLICY, ANOTHER_PATH_PREFERRED, SESSION_DOWN)
