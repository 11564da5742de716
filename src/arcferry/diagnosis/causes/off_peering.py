"""Names that Microsoft peering does not carry at all: Front Door, CDN, short links."""

from arcferry.catalog import Steering, When
from arcferry.diagnosis.causes.cause import Cause, Group, Match
from arcferry.diagnosis.causes.circuit import confidence
from arcferry.diagnosis.destination import Destination, edge_links, is_at_the_edge
from arcferry.diagnosis.finding import Command, Evidence, Owner, Remedy, Severity
from arcferry.diagnosis.wording import letter, listed
from arcferry.evidence.case import Case, at_midnight
from arcferry.probe.observation import Stage
from arcferry.routing.coverage import Verdict
from arcferry.routing.weighing import FRONT_DOOR

_FAQ = "ExpressRoute FAQ, Microsoft peering, 2022-03-24"
_SENTENCE = (
    "“Not supported: CDN, Azure Front Door, Multi-factor Authentication Server (legacy), Traffic Manager, "
    "Logic Apps”"
)
"""MicrosoftDocs/azure-docs, articles/expressroute/expressroute-faqs.md at 021ffb8: five points of a list, as
one sentence. Of Traffic Manager it means the DNS service itself; what it answers with is carried."""


def _only_to_install(facts: Destination) -> bool:
    known = facts.endpoint is not None and facts.endpoint.when is When.INSTALL
    return known or any(seen.install for seen in facts.attempts)


def _shown(facts: Destination) -> list[Evidence]:
    """What puts the endpoint on Front Door or a CDN; without any of it, nobody knows that it is there."""
    found = []
    if facts.endpoint and is_at_the_edge(facts.endpoint):
        by = "Front Door" if facts.endpoint.steering is Steering.FRONT_DOOR else "a CDN"
        text = f"{facts.host} is served by {by}: {facts.endpoint.purpose}"
        found.append(Evidence(f"catalogue ({facts.endpoint.source})", text))
    if links := edge_links(facts.chain):
        says = f"{facts.host} leads to {links[0]}, a name of Front Door's or a CDN's"
        found.append(Evidence(next(one.origin for one in facts.answers if links[0] in one.chain), says))
    where = facts.coverage
    if where and where.tags and where.service_tag.startswith(FRONT_DOOR):
        says = f"{where.address} is Front Door's: {where.service_tag}"
        found.append(Evidence(where.tags.name, says, at_midnight(where.tags.taken)))
    return found


def _not_on_peering(facts: Destination, _: Case) -> Match | None:
    install = _only_to_install(facts)
    unresolved = facts.failed and install and facts.stage is Stage.DNS and facts.at_the_edge
    if not (facts.may_be_routing or unresolved) or (facts.coverage and facts.coverage.has_route):
        return None
    by_address = facts.verdict is Verdict.NOT_ON_PEERING
    if not by_address and not (facts.at_the_edge and facts.verdict is Verdict.UNKNOWN):
        return None
    shown = _shown(facts)
    if not shown:
        return None
    return Match(
        confidence(facts),
        signature=("install" if install else "connect",),
        evidence=(*shown, Evidence(_FAQ, _SENTENCE)),
        owner=Owner.SERVER if install else Owner.NETWORK,
    )


def _bring_along(group: Group) -> Remedy:
    if not _only_to_install(group.first):
        return _another_path(group)
    return Remedy(
        summary="Install from the bundle: no change to the network brings this download over the circuit.",
        steps=(
            "On a connected machine: arcferry bundle build, which fetches and verifies the agent packages.",
            "Carry the bundle over and verify it: arcferry bundle verify.",
            (
                "Install from it, with arcferry onboard or by hand as below; the agent itself then needs "
                f"none of {listed(group.hosts)}."
            ),
        ),
        commands=(
            Command(
                "cmd", "msiexec /i AzureConnectedMachineAgent.msi /qn /norestart /l*v azcmagent-install.log"
            ),
            Command("sh", "sudo dpkg -i azcmagent_*_amd64.deb"),
        ),
    )


def _another_path(group: Group) -> Remedy:
    return Remedy(
        summary=f"Give {listed(group.hosts)} another path: a proxy, or private link where Arc offers it.",
        steps=(
            "No community carries these addresses, so no route filter helps.",
            (
                "Set a proxy that has a path to the internet for these names (azcmagent config set "
                "proxy.url), and let the others go directly."
            ),
            "Or use an Arc private link scope for his.arc and guestconfiguration names.",
        ),
        commands=(Command("sh", "azcmagent config set proxy.url http://PROXY:PORT"),),
        request=letter(
            f"Proxy: a path to {group.subject}, which ExpressRoute does not carry",
            [
                *(f"{one.host} {one.address} {one.service_tag}".rstrip() for one in group.affected),
                "Please provide a proxy, or an exception, for TCP 443 from the Arc servers to these names.",
            ],
        ),
    )


NOT_ON_MICROSOFT_PEERING = Cause(
    slug="route/not-on-microsoft-peering",
    title="Microsoft peering does not carry this address at all",
    severity=Severity.ERROR,
    owner=Owner.SERVER,
    applies=_not_on_peering,
    headline=lambda group: (
        f"{group.subject} is not served over Microsoft peering, and no filter change helps"
    ),
    remedy=_bring_along,
    routed=True,
)

FAMILY = (NOT_ON_MICROSOFT_PEERING,)
