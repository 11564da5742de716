"""Addresses that the circuit's route filter does not let through."""

from arcferry import catalog
from arcferry.diagnosis.causes.cause import Cause, Group, Match
from arcferry.diagnosis.causes.circuit import confidence, may_cross_the_circuit
from arcferry.diagnosis.causes.filter_change import as_of, change_commands, filter_name, remove_denials
from arcferry.diagnosis.destination import Destination
from arcferry.diagnosis.finding import Command, Confidence, Evidence, Owner, Remedy, Severity
from arcferry.diagnosis.wording import community_name, day, letter, listed, region_name
from arcferry.evidence.case import Case
from arcferry.routing.coverage import Verdict
from arcferry.routing.route_filter import RouteFilter

_EXPECTED_ONLY = Evidence(
    "what is missing",
    "no received routes were handed in: this is expected from dated lists, not observed on the router",
)
_ADDS = (
    "The commands below add to what the rule holds when they are run. Bicep, Terraform and REST replace the "
    "whole list: fetch the filter before any of them."
)
_THEN_CHECK = (
    "Routes follow over the BGP session that is up; wait for the state Succeeded, then run arcferry check "
    "again."
)


def _seen(group: Group) -> RouteFilter | None:
    return group.coverage.route_filter if group.coverage else None


def missing_table(facts: Destination) -> tuple[Evidence, ...]:
    """The line that says what a finding from lists alone does not rest on."""
    tabled = facts.coverage is not None and facts.coverage.received.table is not None
    return () if tabled else (_EXPECTED_ONLY,)


def _wanted(group: Group) -> tuple[str, ...]:
    """The communities to let through for these endpoints, each once."""
    values = (one.coverage.community for one in group.facts if one.coverage)
    return tuple(dict.fromkeys(value for value in values if value))


def _named(group: Group) -> str:
    return listed([community_name(value) for value in _wanted(group)])


def _blocked(facts: Destination) -> RouteFilter | None:
    """The filter that does not let the address through, where that may be why the endpoint fails."""
    if facts.coverage is None or facts.verdict is not Verdict.NOT_IN_FILTER:
        return None
    return facts.coverage.route_filter if may_cross_the_circuit(facts) else None


def _empty(facts: Destination, case: Case) -> Match | None:
    seen = _blocked(facts)
    every = case.filters_in_effect
    if seen is None or any(one.communities or one.denied for one in every):
        return None
    return Match(confidence(facts), (filter_name(seen),), missing_table(facts))


EMPTY_ROUTE_FILTER = Cause(
    slug="route/empty-route-filter",
    title="The route filter has no rule that allows anything, so no route is advertised",
    severity=Severity.ERROR,
    owner=Owner.NETWORK,
    applies=_empty,
    headline=lambda group: f"Route filter {filter_name(_seen(group))} allows no community at all",
    remedy=lambda group: Remedy(
        summary=f"Give {filter_name(_seen(group))} a rule that allows what Azure Arc needs.",
        steps=(
            "An attached filter without a rule lets nothing through: it is made first, its rule second.",
            (
                f"The filter {as_of(_seen(group), group.case)} has no rule. Look first whether it has "
                "one by now: creating one of the same name replaces it."
            ),
            (
                f"What fails here needs {_named(group)}; arcferry routes plan --location LOCATION lists "
                "everything."
            ),
            _THEN_CHECK,
        ),
        commands=change_commands(_seen(group), _wanted(group)),
        request=letter(
            f"ExpressRoute route filter {filter_name(_seen(group))}: it is empty",
            [
                (
                    f"The filter {as_of(_seen(group), group.case)} has no rule, so Microsoft advertises "
                    "nothing to us, and servers cannot reach:"
                ),
                *(f"- {one.host} {one.address} {one.community}".rstrip() for one in group.affected),
                f"Please add a rule that allows {_named(group)}, and tell us when routes arrive.",
            ],
        ),
    ),
    routed=True,
)


def _denied(facts: Destination, _: Case) -> Match | None:
    seen = _blocked(facts)
    if seen is None or facts.coverage is None:
        return None
    if not set(facts.coverage.candidates) & seen.denied:
        return None
    return Match(confidence(facts), (filter_name(seen),), missing_table(facts))


def _refused_values(group: Group) -> tuple[str, ...]:
    seen = _seen(group)
    denied = seen.denied if seen else frozenset()
    candidates = [value for one in group.facts if one.coverage for value in one.coverage.candidates]
    return tuple(dict.fromkeys(value for value in candidates if value in denied))


COMMUNITY_DENIED = Cause(
    slug="route/community-denied",
    title="A rule of the route filter denies the community",
    severity=Severity.ERROR,
    owner=Owner.NETWORK,
    applies=_denied,
    headline=lambda group: (
        f"Route filter {filter_name(_seen(group))} denies "
        f"{listed([community_name(value) for value in _refused_values(group)])}, needed for {group.subject}"
    ),
    remedy=lambda group: Remedy(
        summary=f"Take {listed(_refused_values(group))} out of the rule that denies it, and allow it.",
        steps=(
            (
                f"{filter_name(_seen(group))} denies {listed(_refused_values(group))} in a rule of its "
                "own: remove it there first. Microsoft documents one rule a filter, and one that allows."
            ),
            (
                "The portal offers Allow alone; a rule that denies was made by a script or a template. "
                "Look who made it, so that it does not come back."
            ),
            _ADDS,
            _THEN_CHECK,
        ),
        commands=(*remove_denials(_seen(group)), *change_commands(_seen(group), _wanted(group))),
        request=letter(
            f"ExpressRoute route filter {filter_name(_seen(group))}: a rule denies what Azure Arc needs",
            [
                *(f"- {one.host} {one.address} {one.community}".rstrip() for one in group.affected),
                (
                    f"The filter {as_of(_seen(group), group.case)} has a rule with access Deny that "
                    f"names {listed(_refused_values(group))}. Was that meant? Azure Arc needs it: please "
                    "allow it instead."
                ),
            ],
        ),
    ),
    routed=True,
)


def _not_in_filter(facts: Destination, _: Case) -> Match | None:
    seen = _blocked(facts)
    if seen is None or facts.coverage is None:
        return None
    signature = (filter_name(seen), facts.coverage.community)
    return Match(confidence(facts), signature, missing_table(facts))


def _add_community(group: Group) -> Remedy:
    seen = _seen(group)
    value = next(iter(_wanted(group)), "")
    name = filter_name(seen)
    known = catalog.community(value)
    steps = [f"Add {community_name(value)} to {name}. {_ADDS}", _THEN_CHECK]
    if not group.case.circuits:
        steps.append(
            "Where no route arrives: on a Local or Standard circuit, regions outside the peering location's "
            "metro or geography need Premium, whatever the filter holds."
        )
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


def _dates(group: Group) -> str:
    """As of when each source says so, for the request."""
    coverage = group.coverage
    answered = next((answer.taken for answer in group.first.answers if answer.taken), None)
    says = [f"DNS answer of {day(answered)}"] if answered else []
    if coverage and coverage.tags:
        says.append(f"service tags of {day(coverage.tags.taken)}")
    if coverage and coverage.community_list:
        says.append(f"community list of {day(coverage.community_list.taken)}")
    return "; ".join(says) or "the region that the DNS answer names"


def _routes_checked(group: Group) -> str:
    received = group.coverage.received if group.coverage else None
    return f"{received.says}." if received and received.table else "Received routes were not checked."


def _request(group: Group, value: str, name: str) -> str:
    region = group.affected[0].region
    cannot = "cannot reach" if any(one.failed for one in group.facts) else "are not expected to reach"
    observed = group.match.confidence is Confidence.OBSERVED
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
                f"allow it, so no route {'reaches us' if observed else 'is expected to reach us'}."
            ),
            (
                f"Evidence: {_dates(group)}; the filter {as_of(_seen(group), group.case)}. "
                f"{_routes_checked(group)}"
            ),
            (
                f"Please add {value} to the filter's rule, keep what is there, and tell us when routes "
                "with it arrive."
            ),
        ],
    )


COMMUNITY_NOT_IN_FILTER = Cause(
    slug="route/community-not-in-filter",
    title="The route filter lacks the community of the region where the name answers",
    severity=Severity.ERROR,
    owner=Owner.NETWORK,
    applies=_not_in_filter,
    headline=lambda group: (
        f"Route filter {filter_name(_seen(group))} lacks {_named(group)}, needed for {group.subject}"
    ),
    remedy=_add_community,
    routed=True,
)


def _no_community(facts: Destination, _: Case) -> Match | None:
    if facts.coverage is None or facts.verdict is not Verdict.NO_DOCUMENTED_COMMUNITY:
        return None
    if not may_cross_the_circuit(facts):
        return None
    return Match(confidence(facts), (facts.coverage.region,), missing_table(facts))


def _ask_azure(group: Group) -> Remedy:
    region = group.affected[0].region
    return Remedy(
        summary=f"Ask Azure for the community of {region}: no document gives one, and nobody should guess.",
        steps=(
            "List the communities with your own subscription and look for the region's name.",
            "Hand the list in together with these files: it then decides.",
            (
                "Where the list has none either, the region cannot be let through a route filter; use "
                "private link or a proxy for the name."
            ),
        ),
        commands=(
            Command(
                "az",
                "az network route-filter rule list-service-communities --output json > "
                "communities-YYYY-MM-DD.json",
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
                    "subscription sees, and check whether routes for these addresses are received."
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

FAMILY = (COMMUNITY_NOT_IN_FILTER, COMMUNITY_DENIED, EMPTY_ROUTE_FILTER, REGION_WITHOUT_COMMUNITY)
