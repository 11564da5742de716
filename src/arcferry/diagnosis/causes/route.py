"""Addresses that Microsoft peering does not carry, or not through this route filter."""

from arcferry import catalog
from arcferry.catalog import When
from arcferry.diagnosis.causes.cause import Cause, Group, Match
from arcferry.diagnosis.causes.filter_change import change_commands, filter_name
from arcferry.diagnosis.facts import Facts
from arcferry.diagnosis.finding import Command, Confidence, Evidence, Owner, Remedy, Severity
from arcferry.diagnosis.material import Material
from arcferry.diagnosis.wording import community_name, day, letter, listed, region_name
from arcferry.probe.observation import Stage
from arcferry.routing.coverage import Verdict

_EXPECTED_ONLY = Evidence(
    "what is missing",
    "no received routes were handed in: this is expected from dated lists, not observed on the router",
)


def _may_be_routing(facts: Facts) -> bool:
    """Whether a missing route could be the reason: no proxy between, and nothing behind TCP was reached."""
    if facts.reached or facts.proxied or (not facts.failed and not facts.required):
        return False
    refused = facts.failure is not None and facts.failure.kind in ("refused", "reset")
    return facts.stage in (None, Stage.TCP) and not refused


def _only_to_install(facts: Facts) -> bool:
    known = facts.endpoint is not None and facts.endpoint.when is When.INSTALL
    return known or any(seen.install for seen in facts.sightings)


def _not_on_peering(facts: Facts, _: Material) -> Match | None:
    install = _only_to_install(facts)
    unresolved = facts.failed and install and facts.stage is Stage.DNS and facts.at_the_edge
    if not (_may_be_routing(facts) or unresolved):
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
        Confidence.EXPECTED,
        signature=("install" if install else "connect",),
        evidence=tuple(evidence),
        owner=Owner.SERVER if install else Owner.NETWORK,
    )


def _bring_along(group: Group) -> Remedy:
    if not _only_to_install(group.first):
        return _another_path(group)
    return Remedy(
        summary=(
            "Install from the bundle: no change to the network makes this download work over Microsoft "
            "peering."
        ),
        steps=(
            "On a connected machine: arcferry bundle build, which fetches and verifies the agent packages.",
            "Carry the bundle over and verify it: arcferry bundle verify.",
            (
                "Install from it, with arcferry onboard or by hand as below; the agent itself then needs "
                "none of "
                f"{listed(group.hosts)}."
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
                "proxy.url), and let "
                "the others go directly."
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


def _not_in_filter(facts: Facts, _: Material) -> Match | None:
    if facts.placement is None or facts.verdict is not Verdict.NOT_IN_FILTER or not _may_be_routing(facts):
        return None
    found = facts.placement.coverage
    return Match(
        Confidence.EXPECTED,
        signature=(filter_name(facts.placement.filter), found.community),
        evidence=(_EXPECTED_ONLY,),
    )


def _dates(group: Group) -> str:
    """As of when each source says so, for the request."""
    placement = group.placement
    answered = next((answer.taken for answer in group.first.answers if answer.taken), None)
    says = [f"DNS answer of {day(answered)}"] if answered else []
    if placement and placement.tags:
        says.append(f"service tags of {day(placement.tags.taken)}")
    if placement and placement.communities:
        says.append(f"community list of {day(placement.communities.taken)}")
    return "; ".join(says) or "the region that the DNS answer names"


def _add_community(group: Group) -> Remedy:
    placement = group.placement
    seen = placement.filter if placement else None
    value = placement.coverage.community if placement else ""
    name = filter_name(seen)
    known = catalog.community(value)
    denied = seen is not None and value in seen.route_filter.denied
    steps = [
        (
            f"Add {community_name(value)} to {name}. An update replaces the rule's list, so the commands "
            "below name what "
            "the rule holds today as well."
        ),
        (
            "Routes follow over the BGP session that is up; wait for the state Succeeded, then run "
            "arcferry check again."
        ),
        (
            "Where no route arrives: on a Local or Standard circuit, regions outside the peering "
            "location's metro or "
            "geography need Premium, whatever the filter holds."
        ),
    ]
    if denied:
        steps.insert(0, f"{name} denies {value} in a rule of its own: remove it there first.")
    if known and known.needs_authorization:
        steps.append(
            f"{known.name} needs Microsoft's authorisation before a filter that holds it can be attached."
        )
    if any(one.steered for one in group.facts):
        steps.append(
            "Traffic Manager steers this name: its answer can move to another region again, see the risks."
        )
    return Remedy(
        summary=f"Add {community_name(value)} to route filter {name}.",
        steps=tuple(steps),
        commands=change_commands(seen, (value,)),
        request=_request(group, value, name),
    )


def _request(group: Group, value: str, name: str) -> str:
    region = group.affected[0].region
    cannot = "cannot reach" if any(one.failed for one in group.facts) else "are not expected to reach"
    rows = [
        f"- {one.host} answers {one.address}" + (f", in {one.service_tag}" if one.service_tag else "")
        for one in group.affected
    ]
    return letter(
        f"ExpressRoute route filter {name}: please add BGP community {community_name(value)}",
        [
            f"Servers that are to connect to Azure Arc over Microsoft peering {cannot} {group.subject}:",
            *rows,
            (
                f"The address lies in {region_name(region)}, whose routes carry {value}. {name} does not "
                "allow it, so no "
                "route is expected to reach us."
            ),
            f"Evidence: {_dates(group)}; the filter as handed in. Received routes were not checked.",
            (
                f"Please add {value} to the filter's rule, keep what is there, and tell us when routes "
                "with it arrive."
            ),
        ],
    )


def _lacks(group: Group) -> str:
    placement = group.placement
    seen = placement.filter if placement else None
    value = placement.coverage.community if placement else ""
    return f"Route filter {filter_name(seen)} lacks {community_name(value)}, needed for {group.subject}"


COMMUNITY_NOT_IN_FILTER = Cause(
    slug="route/community-not-in-filter",
    title="The route filter lacks the community of the region where the name answers",
    severity=Severity.ERROR,
    owner=Owner.NETWORK,
    applies=_not_in_filter,
    headline=_lacks,
    remedy=_add_community,
    routed=True,
)


def _no_community(facts: Facts, _: Material) -> Match | None:
    if (
        facts.placement is None
        or facts.verdict is not Verdict.NO_DOCUMENTED_COMMUNITY
        or not _may_be_routing(facts)
    ):
        return None
    return Match(Confidence.EXPECTED, (facts.placement.coverage.region,), (_EXPECTED_ONLY,))


def _ask_azure(group: Group) -> Remedy:
    region = group.affected[0].region
    return Remedy(
        summary=(
            f"Ask Azure for the community of {region}: no document gives one, and arcferry does not guess."
        ),
        steps=(
            "List the communities with your own subscription and look for the region's name.",
            "Hand the list in together with these files: it then decides.",
            (
                "Where the list has none either, the region cannot be let through a route filter; use "
                "private link or a "
                "proxy for the name."
            ),
        ),
        commands=(
            Command(
                "az", "az network route-filter rule list-service-communities > communities-YYYY-MM-DD.json"
            ),
            Command(
                "powershell",
                "Get-AzBgpServiceCommunity | ConvertTo-Json -Depth 5 > communities-YYYY-MM-DD.json",
            ),
        ),
        request=letter(
            f"ExpressRoute: which BGP community carries {region}?",
            [
                *(
                    f"- {one.host} answers {one.address}, in {one.service_tag or one.region}"
                    for one in group.affected
                ),
                (
                    f"Microsoft documents no community for {region}. Please list the communities that our "
                    "subscription "
                    "sees, and check whether routes for these addresses are received."
                ),
            ],
        ),
    )


REGION_WITHOUT_COMMUNITY = Cause(
    slug="route/region-without-community",
    title="The name answers in a region for which no community is documented",
    severity=Severity.ERROR,
    owner=Owner.NETWORK,
    applies=_no_community,
    headline=lambda group: (
        f"{group.subject} answers in {group.affected[0].region}, which has no documented community"
    ),
    remedy=_ask_azure,
    routed=True,
)

FAMILY = (NOT_ON_MICROSOFT_PEERING, COMMUNITY_NOT_IN_FILTER, REGION_WITHOUT_COMMUNITY)
