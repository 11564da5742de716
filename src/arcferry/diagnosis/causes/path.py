"""Endpoints that fail without it being clear where, and answers that are not what they should be."""

from arcferry import command_line
from arcferry.diagnosis.causes.cause import Cause, Match
from arcferry.diagnosis.destination import Destination
from arcferry.diagnosis.finding import Command, Confidence, Evidence, Owner, Remedy, Severity, command
from arcferry.diagnosis.wording import letter, listed
from arcferry.evidence.case import Case
from arcferry.evidence.document import Kind
from arcferry.probe.observation import Stage

HOW_TO_GET: dict[str, str] = {
    Kind.AGENT_CHECK: "azcmagent check --location LOCATION > check.txt",
    Kind.ARCFERRY_CHECK: (
        "arcferry check --location LOCATION --output json > check.json, on the server or beside it; "
        "it tells DNS, TCP, TLS and HTTP apart"
    ),
    Kind.DNS_ANSWERS: "the answer of the server's own resolver, with its chain; arcferry check has it",
    Kind.ROUTE_FILTER: "az network route-filter show --resource-group GROUP --name NAME --output json > "
    "route-filter-YYYY-MM-DD.json",
    Kind.SERVICE_TAGS: "the weekly file ServiceTags_Public_YYYYMMDD.json (Microsoft download 56519)",
    Kind.COMMUNITY_LIST: (
        "az network route-filter rule list-service-communities --output json > communities-YYYY-MM-DD.json"
    ),
    Kind.RECEIVED_ROUTES: (
        "on the edge router: show ip bgp neighbors MSEE received-routes, or show bgp ipv4 unicast detail, "
        "to a file"
    ),
    Kind.AZURE_ROUTES: (
        "az network express-route list-route-tables --resource-group GROUP --name CIRCUIT --path primary "
        "--peering-name MicrosoftPeering --output json > azure-routes.json"
    ),
    Kind.CIRCUIT: (
        "az network express-route show --resource-group GROUP --name CIRCUIT --output json > circuit.json"
    ),
    Kind.AGENT_SHOW: "azcmagent show > show.txt, on the server",
    Kind.AGENT_LOGS_ZIP: "azcmagent logs, on the server: it writes a zip, which can be handed in as it is",
}
"""How each kind of evidence is had, for the steps of an undetermined finding."""

_NETWORK_HAS = frozenset(
    {Kind.ROUTE_FILTER, Kind.COMMUNITY_LIST, Kind.RECEIVED_ROUTES, Kind.AZURE_ROUTES, Kind.CIRCUIT}
)
"""What comes from routers and circuits, so that the network team can be asked for it; the rest is had on the
servers, or anywhere with a connection."""


def missing(facts: Destination, case: Case) -> tuple[str, ...]:
    """The evidence that would tell why this endpoint failed, the most telling first."""
    routing = () if facts.proxied else case.lacks(facts.host)
    undecided = facts.coverage and (facts.coverage.conflicts or facts.coverage.is_in_an_unnamed_region)
    if undecided and not facts.proxied and Kind.COMMUNITY_LIST.value not in routing:
        routing = (Kind.COMMUNITY_LIST.value, *routing)
    staged = facts.failure is not None or any(seen.failure for seen in facts.attempts)
    return routing if staged and routing else (*routing, Kind.ARCFERRY_CHECK.value)


def _unreachable(facts: Destination, case: Case) -> Match | None:
    if not facts.failed:
        return None
    wanted = missing(facts, case)
    return Match(
        Confidence.UNDETERMINED, signature=wanted, would_decide=wanted, owner=owner_of_evidence(wanted)
    )


def owner_of_evidence(wanted: tuple[str, ...]) -> Owner:
    """Who has the first say: the network team where any of it is theirs to give, else the server's own."""
    return Owner.NETWORK if _NETWORK_HAS & set(wanted) else Owner.SERVER


def gather(wanted: tuple[str, ...], subject: str) -> Remedy:
    """How to have the evidence that would decide; the letter asks for what the network team alone has."""
    steps = tuple(
        f"{kind}, by the {'network' if kind in _NETWORK_HAS else 'server'} team: {HOW_TO_GET[kind]}."
        for kind in wanted
        if kind in HOW_TO_GET
    )
    asked = [kind for kind in wanted if kind in _NETWORK_HAS]
    return Remedy(
        summary="Get the evidence that decides, and hand it in together with the files given here.",
        steps=steps,
        commands=(Command("arcferry", "arcferry check --location LOCATION --output json > check.json"),),
        request=letter(
            f"ExpressRoute: evidence needed for {subject}",
            ["To find why it cannot be reached, we need:", *(f"- {HOW_TO_GET[kind]}" for kind in asked)],
        )
        if asked
        else "",
    )


ENDPOINT_UNREACHABLE = Cause(
    slug="path/endpoint-unreachable",
    title="An endpoint cannot be reached, and the evidence does not say why",
    severity=Severity.ERROR,
    owner=Owner.NETWORK,
    applies=_unreachable,
    headline=lambda group: f"{group.subject} cannot be reached; what was handed in does not decide why",
    remedy=lambda group: gather(group.match.would_decide, group.subject),
    routed=True,
)


def _discovery(facts: Destination, _: Case) -> Match | None:
    return Match() if facts.failure is not None and facts.failure.kind == "discovery-failed" else None


DISCOVERY_FAILED = Cause(
    slug="path/discovery-failed",
    title="The name of the regional endpoint could not be learned",
    severity=Severity.ERROR,
    owner=Owner.NETWORK,
    applies=_discovery,
    headline=lambda _: "The discovery call did not give the regional his.arc endpoint, so it was not tested",
    remedy=lambda _: Remedy(
        summary="Make the discovery call work: it alone knows the regional name.",
        steps=(
            "Look at the row of the global his.arc endpoint: where it fails, its cause is the one to remove.",
            (
                "Where it is reached, check that the location is spelled as Azure does, and that the "
                "answer is not a block page."
            ),
        ),
        commands=(
            Command(
                "sh", "curl -s 'https://gbl.his.arc.azure.com/discovery?location=LOCATION&api-version=2.1'"
            ),
        ),
        request=letter(
            "Azure Arc: the discovery call gives no regional endpoint",
            [
                (
                    "https://gbl.his.arc.azure.com/discovery is reached from the Arc servers, and its answer "
                    "is no name."
                ),
                (
                    "Please look whether a proxy or a filter changes the answer; if not, we open a case with "
                    "Microsoft."
                ),
            ],
        ),
    ),
)


def _captive(facts: Destination, _: Case) -> Match | None:
    return Match() if facts.kind == "captive-page" else None


CAPTIVE_PAGE = Cause(
    slug="path/captive-page",
    title="A sign-in or block page answers in the endpoint's place",
    severity=Severity.ERROR,
    owner=Owner.NETWORK,
    applies=_captive,
    headline=lambda group: f"A page of somebody else's answers for {group.subject}",
    remedy=lambda group: Remedy(
        summary=f"Exempt {listed(group.hosts)} from the page that asks for a sign-in or blocks.",
        steps=(
            (
                "The answer is a web page, or a redirect to another host, where the endpoint's API "
                "should answer: a captive portal, a web filter's block page, or a maintenance page."
            ),
            (
                "The page's own words and the host it redirects to name the product: look with the command "
                "below."
            ),
        ),
        commands=(
            command("sh", "curl -skIL --max-time 10 https://{name}/", name=command_line.host(group.hosts[0])),
        ),
        request=letter(
            f"Web filter: a page is shown in place of {group.subject}",
            [
                *(f"- {one.host} {one.address}".rstrip() for one in group.affected),
                "Servers cannot sign in on a page. Please exempt these names for the Arc servers' addresses.",
            ],
        ),
    ),
)


def _not_http(facts: Destination, _: Case) -> Match | None:
    failure = facts.failure
    if failure is None or failure.stage is not Stage.HTTP or failure.kind.startswith("http-"):
        return None
    return Match(
        evidence=(Evidence("how to read it", "TCP and TLS came about; what followed was no HTTP answer"),)
    )


NO_HTTP_ANSWER = Cause(
    slug="path/no-http-answer",
    title="TLS comes about, and no HTTP answer follows",
    severity=Severity.ERROR,
    owner=Owner.NETWORK,
    applies=_not_http,
    headline=lambda group: f"{group.subject} accepts TLS but gives no HTTP answer",
    remedy=lambda group: Remedy(
        summary="Look for a middlebox that opens the connection and then drops the request.",
        steps=(
            (
                "A firewall that inspects content, or a path MTU that swallows larger packets (1400 bytes on "
                "ExpressRoute), lets the handshake pass and not the rest."
            ),
        ),
        commands=(
            command(
                "sh",
                "curl -sv --max-time 10 https://{name}/ -o /dev/null",
                name=command_line.host(group.hosts[0]),
            ),
        ),
        request=letter(
            f"Firewall: no answer behind TLS from {group.subject}",
            [f"{listed(group.hosts, most=40)}: the handshake passes, the request gets no HTTP answer."],
        ),
    ),
)

FAMILY = (DISCOVERY_FAILED, CAPTIVE_PAGE, NO_HTTP_ANSWER, ENDPOINT_UNREACHABLE)
