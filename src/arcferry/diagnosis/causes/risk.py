"""What works today and may not tomorrow."""

from arcferry import catalog
from arcferry.catalog import Carrier
from arcferry.diagnosis.causes.cause import Cause, Group, Match
from arcferry.diagnosis.causes.filter_change import filter_name
from arcferry.diagnosis.document import FilterSeen
from arcferry.diagnosis.facts import Facts
from arcferry.diagnosis.finding import Command, Confidence, Evidence, Owner, Remedy, Severity
from arcferry.diagnosis.material import Material
from arcferry.diagnosis.wording import community_name, letter, listed
from arcferry.routing.coverage import Verdict


def _cloud_name(facts: Facts) -> str:
    cloud = catalog.cloud_of(facts.host)
    return cloud.name if cloud else catalog.clouds()[0].name


def _carried_anywhere(facts: Facts, seen: FilterSeen) -> bool:
    """Whether the service's own community lets it through wherever its answer moves."""
    service = catalog.service_community(facts.carrier, catalog.cloud(_cloud_name(facts)))
    return service is not None and seen.route_filter.allows(service.value)


def _regions_outside(facts: Facts, seen: FilterSeen) -> list[str]:
    """The documented regions of the endpoint's cloud that the filter lets nothing through from."""
    cloud = catalog.cloud(_cloud_name(facts))
    return [
        known.value
        for known in catalog.communities(cloud)
        if known.kind == "region" and not seen.route_filter.allows(known.value)
    ]


def _may_leave(facts: Facts, material: Material) -> Match | None:
    works = facts.reached or (not facts.sightings and facts.verdict is Verdict.CARRIED)
    if not works or facts.proxied or not facts.steered or facts.carrier is Carrier.EDGE:
        return None
    if facts.verdict in (Verdict.PRIVATE, Verdict.NOT_IN_FILTER, Verdict.NOT_ON_PEERING):
        return None
    seen = next(iter(material.filters), None)
    if seen is None or any(_carried_anywhere(facts, one) for one in material.filters):
        return None
    outside = _regions_outside(facts, seen)
    if not outside:
        return None
    allowed = sorted(value for value in seen.route_filter.communities if _is_region(value))
    held = listed([community_name(value) for value in allowed]) if allowed else "no region"
    says = f"{filter_name(seen)} lets {held} through; {len(outside)} other documented regions are outside"
    return Match(
        Confidence.EXPECTED,
        signature=(filter_name(seen),),
        evidence=(_steering(facts), Evidence(seen.origin, says)),
    )


def _is_region(value: str) -> bool:
    known = catalog.community(value)
    return known is not None and known.kind == "region"


def _steering(facts: Facts) -> Evidence:
    link = next((link for link in facts.chain if ".trafficmanager." in f".{link}."), "")
    if link:
        answer = next(answer for answer in facts.answers if link in answer.chain)
        return Evidence(
            answer.origin, f"{facts.host} passes through {link}: Traffic Manager steers it", answer.taken
        )
    source = facts.endpoint.source if facts.endpoint else "unknown"
    return Evidence(f"catalogue ({source})", f"{facts.host} is steered by Traffic Manager")


def _widen(group: Group) -> Remedy:
    name = filter_name(next(iter(group.material.filters), None))
    return Remedy(
        summary=f"Allow every region in which {listed(group.hosts)} may answer, or pin where it answers.",
        steps=(
            (
                f"Add to {name} the communities of the regions near your resolvers, at least of the same "
                "geography; "
                "the answer follows the resolver's place and the service's health, not your circuit's."
            ),
            "Watch the answers from the servers' own resolver over some days, and add what turns up.",
            (
                "Or take the names off the public path: an Arc private link scope serves his.arc and "
                "guestconfiguration "
                "names, a proxy any name."
            ),
        ),
        commands=(Command("sh", f"dig +noall +answer {group.hosts[0]}"),),
        request=letter(
            f"ExpressRoute route filter {name}: names whose answers may leave it",
            [
                (
                    f"{listed(group.hosts, most=40)} works today. Traffic Manager may move its answer to "
                    "a region that "
                    f"{name} does not let through; then Azure Arc stops working with no change of ours."
                ),
                "Which further regions can be allowed on this circuit?",
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


def _reached_otherwise(facts: Facts, _: Material) -> Match | None:
    if not facts.reached or facts.proxied or not facts.placements:
        return None
    outside = {one.coverage.community for one in facts.placements if one.verdict is Verdict.NOT_IN_FILTER}
    if not outside:
        return None
    return Match(Confidence.EXPECTED, signature=tuple(sorted(outside)), severity=Severity.INFO)


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
        commands=(Command("sh", f"traceroute -T -p 443 {group.hosts[0]}"),),
    ),
    routed=True,
)

FAMILY = (STEERED_ANSWER_MAY_LEAVE_FILTER, REACHED_OUTSIDE_FILTER)
