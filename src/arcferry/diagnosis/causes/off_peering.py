"""Names that Microsoft peering does not carry at all: Front Door, CDN, short links."""

from arcferry.catalog import When
from arcferry.diagnosis.causes.cause import Cause, Group, Match
from arcferry.diagnosis.causes.circuit import confidence
from arcferry.diagnosis.facts import Facts
from arcferry.diagnosis.finding import Command, Evidence, Owner, Remedy, Severity
from arcferry.diagnosis.material import Material
from arcferry.diagnosis.wording import letter, listed
from arcferry.probe.observation import Stage
from arcferry.routing.coverage import Verdict


def _only_to_install(facts: Facts) -> bool:
    known = facts.endpoint is not None and facts.endpoint.when is When.INSTALL
    return known or any(seen.install for seen in facts.sightings)


def _not_on_peering(facts: Facts, _: Material) -> Match | None:
    install = _only_to_install(facts)
    unresolved = facts.failed and install and facts.stage is Stage.DNS and facts.at_the_edge
    if not (facts.may_be_routing or unresolved) or (facts.placement and facts.placement.has_route):
        return None
    by_address = facts.verdict is Verdict.NOT_ON_PEERING
    if not by_address and not (facts.at_the_edge and facts.verdict is Verdict.UNKNOWN):
        return None
    says = "Microsoft peering carries no Front Door, CDN or short link, whatever the route filter holds"
    evidence = [Evidence("ExpressRoute documentation", says)]
    if facts.endpoint and facts.at_the_edge:
        text = f"{facts.host} is served by {facts.endpoint.steering.value}: {facts.endpoint.purpose}"
        evidence.insert(0, Evidence(f"catalogue ({facts.endpoint.source})", text))
    return Match(
        confidence(facts),
        signature=("install" if install else "connect",),
        evidence=tuple(evidence),
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
