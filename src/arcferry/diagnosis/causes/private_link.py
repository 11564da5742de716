"""Private link scopes: not given though the names are private, not answered privately, or not reached."""

from arcferry import command_line
from arcferry.diagnosis.causes.cause import Cause, Match, named
from arcferry.diagnosis.destination import Destination
from arcferry.diagnosis.finding import Command, Confidence, Evidence, Owner, Remedy, Severity, command
from arcferry.diagnosis.wording import letter, listed
from arcferry.evidence.case import Case
from arcferry.probe.observation import Stage
from arcferry.routing.coverage import Verdict

_ZONES = "privatelink.his.arc.azure.com and privatelink.guestconfiguration.azure.com"


def _answers_privately(facts: Destination) -> bool:
    if facts.coverages:
        return facts.coverages[0].verdict is Verdict.PRIVATE
    return any(seen.private for seen in facts.attempts)


def is_private(facts: Destination) -> bool:
    """Whether the endpoint fails where its answer is a private address, with no proxy between."""
    if not facts.failed or facts.proxied or facts.stage not in (None, Stage.TCP):
        return False
    return _answers_privately(facts)


def scope_of(case: Case) -> str:
    """The private link scope that an agent was connected with, as far as a document tells; empty without."""
    return next((one.private_link_scope for one in case.agents if one.private_link_scope), "")


def _can_be_served(facts: Destination) -> bool:
    return facts.endpoint is not None and facts.endpoint.private_link


def _servable(facts: Destination) -> list[Destination]:
    """The endpoints that a scope can serve and of which it is known where they answer."""
    known = [one for one in facts.beside if one.coverages or any(s.private is not None for s in one.attempts)]
    return [one for one in known if _can_be_served(one)]


def _asks_for_scope(case: Case) -> Evidence | None:
    """The agent's own words that it found private endpoints and was given no scope."""
    for code in case.codes:
        if "private link scope" in code.says.lower():
            return Evidence(code.origin, f"the agent ended with {code.code}: {code.says}", code.taken)
    return None


def _not_given(facts: Destination, case: Case) -> Match | None:
    if not is_private(facts) or scope_of(case) or not _can_be_served(facts):
        return None
    told = _asks_for_scope(case)
    if told:
        return Match(evidence=(told,))
    servable = _servable(facts)
    if len(servable) == 1 or not all(_answers_privately(one) for one in servable):
        return None
    says = f"every name that a scope can serve answers privately: {listed([named(one) for one in servable])}"
    return Match(Confidence.EXPECTED, evidence=(Evidence("DNS answers", says),))


SCOPE_NOT_GIVEN = Cause(
    slug="private-link/scope-not-given",
    title="Arc's names answer privately, and the agent was not given a private link scope",
    severity=Severity.ERROR,
    owner=Owner.SERVER,
    applies=_not_given,
    headline=lambda group: (
        f"{group.subject} answers privately, and the agent was given no private link scope"
    ),
    remedy=lambda group: Remedy(
        summary="Connect with the scope that the private endpoints belong to, or drop the zones.",
        steps=(
            (
                "The agent refuses private answers unless it is told the scope: azcmagent connect "
                "--private-link-scope with the scope's resource id."
            ),
            "The machine and the scope must lie in one region; a new association takes up to 15 minutes.",
            f"Not meant to use private link: have {_ZONES} taken away from these servers' resolver.",
        ),
        commands=(
            Command(
                "az",
                "az resource list --resource-type Microsoft.HybridCompute/privateLinkScopes "
                '--query "[].{name:name, id:id}" --output json',
            ),
            Command("sh", "azcmagent connect --config CONFIG --private-link-scope SCOPE-RESOURCE-ID"),
        ),
        request=letter(
            "Azure Arc: which private link scope do these servers belong to?",
            [
                f"{listed(group.hosts, most=40)} answers with private addresses on the servers.",
                (
                    "Please name the scope's resource id; if there is none, please stop serving its zones to "
                    "them."
                ),
            ],
        ),
    ),
    routed=True,
)


def _public(facts: Destination, case: Case) -> Match | None:
    scope = scope_of(case)
    if not scope or not facts.failed or facts.proxied or facts.stage not in (None, Stage.TCP):
        return None
    if not _can_be_served(facts) or not facts.coverages or _answers_privately(facts):
        return None
    says = f"the agent was connected with the scope {scope}, and {facts.host} answers publicly"
    origin = next(one.origin for one in case.agents if one.private_link_scope)
    return Match(evidence=(Evidence(origin, says),))


PUBLIC_ANSWER = Cause(
    slug="private-link/public-answer",
    title="A private link scope is used, and the names still answer publicly",
    severity=Severity.ERROR,
    owner=Owner.NETWORK,
    applies=_public,
    headline=lambda group: f"{group.subject} answers publicly, though the agent uses a private link scope",
    remedy=lambda group: Remedy(
        summary=f"Let the servers' resolver answer {listed(group.hosts)} from the private zones.",
        steps=(
            (
                f"The zones {_ZONES} must be linked to the network of the resolver that is asked, and "
                "on-premises resolvers must forward to it."
            ),
            (
                "Each name of the private endpoint needs its record: the endpoint's DNS configuration lists "
                "them."
            ),
            "For a few servers, entries in the hosts file are accepted.",
        ),
        commands=(command("sh", "nslookup {name}", name=command_line.host(group.hosts[0])),),
        request=letter(
            f"DNS: private answers needed for {group.subject}",
            [
                *(f"- {one.host} answers {one.address}" for one in group.affected),
                (
                    f"These servers use an Arc private link scope. Please forward the zones {_ZONES} to "
                    "the resolver in Azure that knows them."
                ),
            ],
        ),
    ),
    routed=True,
)


def _unreached(facts: Destination, case: Case) -> Match | None:
    scope = scope_of(case)
    if not scope or not is_private(facts):
        return None
    origin = next(one.origin for one in case.agents if one.private_link_scope)
    return Match(evidence=(Evidence(origin, f"the agent was connected with the scope {scope}"),))


UNREACHABLE = Cause(
    slug="private-link/unreachable",
    title="The private endpoint does not answer",
    severity=Severity.ERROR,
    owner=Owner.NETWORK,
    applies=_unreached,
    headline=lambda group: f"The private endpoint of {group.subject} does not answer",
    remedy=lambda group: Remedy(
        summary="Make the private endpoint reachable over private peering or VPN.",
        steps=(
            (
                "Private addresses come over private peering or VPN, never over Microsoft peering: is a "
                "route to the endpoint's virtual network there?"
            ),
            (
                "Look at the network security group and at firewalls in Azure and here for TCP 443 to the "
                "endpoint."
            ),
            "Is the private endpoint's connection Approved, and is its address still the one in the zone?",
        ),
        commands=(
            command(
                "powershell", "Test-NetConnection {name} -Port 443", name=command_line.host(group.hosts[0])
            ),
            Command(
                "az",
                "az network private-endpoint show --resource-group RESOURCE-GROUP --name ENDPOINT "
                "--query customDnsConfigs --output json",
            ),
        ),
        request=letter(
            f"Private endpoint of Azure Arc: no answer from {group.subject}",
            [
                *(f"- {one.host} {one.address}".rstrip() for one in group.affected),
                (
                    "Please check the route from the servers to this address, security groups and firewalls, "
                    "TCP 443."
                ),
            ],
        ),
    ),
    routed=True,
)

FAMILY = (SCOPE_NOT_GIVEN, PUBLIC_ANSWER, UNREACHABLE)
