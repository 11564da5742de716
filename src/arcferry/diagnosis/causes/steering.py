"""Names that work today, and whose answer Traffic Manager may move to a region outside the route filter."""

from functools import lru_cache

from arcferry import catalog, command_line
from arcferry.catalog import Carrier
from arcferry.diagnosis.causes.cause import Cause, Group, Match
from arcferry.diagnosis.causes.filter_change import as_of, filter_name
from arcferry.diagnosis.destination import Destination
from arcferry.diagnosis.finding import Command, Confidence, Evidence, Owner, Remedy, Severity, command
from arcferry.diagnosis.wording import community_name, letter, listed, region_name
from arcferry.evidence.case import Case, at_midnight
from arcferry.routing.coverage import Verdict
from arcferry.routing.route_filter import RouteFilter
from arcferry.routing.service_tags import ServiceTags

_MOST_NAMED = 12


def _cloud_name(facts: Destination) -> str:
    cloud = catalog.cloud_of(facts.host)
    return cloud.name if cloud else catalog.clouds()[0].name


def _carried_anywhere(facts: Destination, seen: RouteFilter) -> bool:
    """Whether the service's own community lets it through wherever its answer moves."""
    service = catalog.service_community(facts.carrier, catalog.cloud(_cloud_name(facts)))
    return service is not None and seen.allows(service.value)


@lru_cache(maxsize=32)
def _regions_of(tags: ServiceTags, service: str) -> tuple[str, ...]:
    """The regions in which the service of a tag has prefixes, by the service tags."""
    found = {
        region for _, (tag, region) in tags.prefixes.items() if region and tag.partition(".")[0] == service
    }
    return tuple(sorted(found))


def _service(facts: Destination) -> str:
    """The tag without its region, such as `AzureArcInfrastructure`; empty where the address is in none."""
    return facts.coverage.service_tag.partition(".")[0] if facts.coverage else ""


def _allowed(region: str, seen: RouteFilter) -> bool:
    known = catalog.region_community(region)
    return known is not None and seen.allows(known.value)


def regions_outside(facts: Destination, seen: RouteFilter) -> tuple[str, ...]:
    """The regions in which the name may answer and that the filter lets nothing through from, by ARM name.

    They are the regions in which the tag of today's address has prefixes; without service tags, or for an
    address in none, every documented region of the cloud. Those of today's geography come first, each part
    by name: how far one region is from another, no document says.
    """
    tags = facts.coverage.tags if facts.coverage else None
    service = _service(facts)
    regions = _regions_of(tags, service) if tags and service and service != "AzureCloud" else ()
    if not regions:
        known = catalog.communities(catalog.cloud(_cloud_name(facts)))
        regions = tuple(one.region for one in known if one.kind == "region")
    area = catalog.geography_of(facts.coverage.region) if facts.coverage else ""
    outside = [region for region in regions if not _allowed(region, seen)]
    return tuple(
        sorted(outside, key=lambda one: (not area or catalog.geography_of(one) != area, region_name(one)))
    )


def _may_leave(facts: Destination, case: Case) -> Match | None:
    works = facts.reached or (not facts.attempts and facts.verdict is Verdict.CARRIED)
    if not works or facts.proxied or not facts.steered or facts.carrier is Carrier.EDGE:
        return None
    if facts.verdict in (Verdict.PRIVATE, Verdict.NOT_IN_FILTER, Verdict.NOT_ON_PEERING):
        return None
    every = case.filters_in_effect
    if not every or any(_carried_anywhere(facts, one) for one in every):
        return None
    outside = regions_outside(facts, every[0])
    if not outside:
        return None
    evidence = [_steering(facts), _filter_line(facts, every[0], outside)]
    return Match(Confidence.EXPECTED, (filter_name(every[0]),), tuple(evidence))


def _filter_line(facts: Destination, seen: RouteFilter, outside: tuple[str, ...]) -> Evidence:
    """What the filter holds, and which regions of the endpoint's tag it lacks."""
    allowed = sorted(value for value in seen.communities if _is_region(value))
    held = listed([community_name(value) for value in allowed]) if allowed else "no region"
    named = listed([region_name(region) for region in outside], most=_MOST_NAMED)
    tags = facts.coverage.tags if facts.coverage else None
    service = _service(facts)
    if tags and service and service != "AzureCloud":
        of = f"of the regions in which {service} has addresses, {len(outside)} are outside: {named}"
        return Evidence(tags.name, f"{filter_name(seen)} lets {held} through; {of}", at_midnight(tags.taken))
    rest = f"{len(outside)} other documented regions are outside: {named}"
    return Evidence(seen.origin, f"{filter_name(seen)} lets {held} through; {rest}")


def _is_region(value: str) -> bool:
    known = catalog.community(value)
    return known is not None and known.kind == "region"


def _steering(facts: Destination) -> Evidence:
    link = next((link for link in facts.chain if ".trafficmanager." in f".{link}."), "")
    if link:
        answer = next(answer for answer in facts.answers if link in answer.chain)
        return Evidence(
            answer.origin, f"{facts.host} passes through {link}: Traffic Manager steers it", answer.taken
        )
    source = facts.endpoint.source if facts.endpoint else "unknown"
    return Evidence(f"catalogue ({source})", f"{facts.host} is steered by Traffic Manager")


def _outside(group: Group) -> tuple[str, ...]:
    seen = group.case.filters_in_effect[0]
    found = {region for one in group.facts for region in regions_outside(one, seen)}
    return tuple(sorted(found, key=region_name))


def _near(group: Group) -> tuple[str, ...]:
    """The regions outside that lie in the geography of today's answers, likeliest to come next."""
    today = {one.coverage.region for one in group.facts if one.coverage}
    areas = {catalog.geography_of(region) for region in today if region} - {""}
    return tuple(region for region in _outside(group) if catalog.geography_of(region) in areas)


def _with_values(regions: tuple[str, ...]) -> str:
    known = [catalog.region_community(region) for region in regions]
    named = [
        community_name(one.value) if one else f"{region} (no documented community)"
        for region, one in zip(regions, known, strict=True)
    ]
    return listed(named, most=_MOST_NAMED)


def _widen(group: Group) -> Remedy:
    seen = next(iter(group.case.filters_in_effect), None)
    name, known = filter_name(seen), as_of(seen, group.case)
    near = _near(group)
    every = tuple(dict.fromkeys((*near, *_outside(group))))
    order = "those of the same geography as today's answer first, each part by name" if near else "by name"
    nearest = f"Those of the same geography come first: {_with_values(near)}. " if near else ""
    return Remedy(
        summary=f"Allow every region in which {listed(group.hosts)} may answer, or pin where it answers.",
        steps=(
            (
                f"Add to {name} the communities of the regions near your resolvers. {nearest}The answer "
                "follows the resolver's place and the service's health, not your circuit's."
            ),
            (
                "Watch the answers from the servers' own resolvers over some days: arcferry watch --location "
                "LOCATION; add what turns up."
            ),
            (
                "Or take the names off the public path: an Arc private link scope serves his.arc and "
                "guestconfiguration names, a proxy any name."
            ),
        ),
        commands=(
            Command("arcferry", "arcferry routes plan --location LOCATION --steered geography"),
            command("sh", "dig +noall +answer {name}", name=command_line.host(group.hosts[0])),
        ),
        request=letter(
            f"ExpressRoute route filter {name}: names whose answers may leave it",
            [
                (
                    f"{listed(group.hosts, most=40)} works today. Traffic Manager may move its answer to "
                    f"a region that {name} {known} does not let through; then Azure Arc stops working with "
                    "no change of ours."
                ),
                f"Outside today, {order}: {_with_values(every)}.",
                "Which of them can be allowed on this circuit?",
            ],
        ),
    )


STEERED_ANSWER_MAY_LEAVE_FILTER = Cause(
    slug="risk/steered-answer-may-leave-filter",
    title="A name that works today may answer in a region that the route filter does not let through",
    severity=Severity.WARNING,
    owner=Owner.NETWORK,
    applies=_may_leave,
    headline=lambda group: f"{group.subject}: the answer can move to a region outside the route filter",
    remedy=_widen,
    routed=True,
)

FAMILY = (STEERED_ANSWER_MAY_LEAVE_FILTER,)
