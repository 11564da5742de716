"""A plan of communities: where names answered by everything handed in, and the filter change it takes."""

from collections.abc import Sequence
from dataclasses import replace

from arcferry import catalog
from arcferry.catalog import Carrier
from arcferry.diagnosis.destination import Destination, destinations_of
from arcferry.diagnosis.names import community_name, filter_name, listed, said_of
from arcferry.evidence.case import Case, Document
from arcferry.probe.observation import Attempt, DnsAnswer
from arcferry.routing import filter_change
from arcferry.routing.circuit import Circuit
from arcferry.routing.coverage import Coverage, Verdict
from arcferry.routing.filter_change import AsOf, Change
from arcferry.routing.plan_notes import effects
from arcferry.routing.planned import KnownAnswer, RoutePlan
from arcferry.routing.route_filter import RouteFilter


def known_answers(case: Case) -> tuple[KnownAnswer, ...]:
    """The newest answer of each name in each region, the names in the order of their first mention.

    Private addresses are left out, which no route filter concerns, and so is what a proxy answered. Of each
    name the first 64 addresses are looked at, so newer documents are to stand first.
    """
    found: dict[tuple[str, str, bool], KnownAnswer] = {}
    direct = [one for one in case.attempts if one.address and not one.proxied]
    for destination in destinations_of(Case(tuple(map(_answers_alone, case.documents)))):
        for coverage in destination.coverages:
            if coverage.verdict is not Verdict.PRIVATE:
                one = _known(destination, coverage, direct)
                key = one.host, one.region, one.on_peering
                found[key] = max(one, found.get(key, one), key=lambda known: (known.day, bool(known.reached)))
    return tuple(found.values())


def _answers_alone(document: Document) -> Document:
    """The document with the addresses of its attempts as answers, so that no answer outweighs another."""
    tried = [
        DnsAnswer(one.host, (), (one.address,), one.resolver, "", one.origin, one.taken)
        for one in document.attempts
        if one.address and not one.proxied
    ]
    answers = (*document.answers, *tried)
    return replace(document, attempts=(), answers=tuple(one for one in answers if _matters(one.host)))


def _matters(host: str) -> bool:
    """Whether the region decides: where Entra ID has a community of its own, that carries every answer."""
    endpoint, cloud = catalog.endpoint_named(host), catalog.cloud_of(host)
    return not (
        endpoint
        and cloud
        and endpoint.carrier is Carrier.ENTRA
        and catalog.service_community(Carrier.ENTRA, cloud)
    )


def _known(destination: Destination, coverage: Coverage, direct: list[Attempt]) -> KnownAnswer:
    told = [one for one in destination.answers if coverage.address in one.addresses]
    newest = max(told, key=lambda one: one.taken.timestamp() if one.taken else 0.0)
    tried = [one for one in direct if (one.host, one.address) == (coverage.host, coverage.address)]
    return KnownAnswer(
        host=destination.host,
        region=coverage.region,
        address=coverage.address,
        day=newest.taken.date().isoformat() if newest.taken else "",
        origin=newest.origin or "asked from here",
        reached=any(one.reachable for one in tried) if tried else None,
        on_peering=coverage.verdict is not Verdict.NOT_ON_PEERING,
    )


def changes_for(
    plan: RoutePlan,
    seen: RouteFilter | None,
    wanted: Sequence[str],
    asof: AsOf,
    circuit: Circuit = filter_change.NO_CIRCUIT,
) -> tuple[tuple[Change, ...], tuple[str, ...]]:
    """What makes the filter hold `wanted`, in every language, then as a request; and what it does besides.

    Both are empty where the filter holds it all. Without a filter the change makes a new one and attaches it
    to the circuit.

    Args:
        plan: tells why each community is wanted.
        seen: the filter as it is known.
        wanted: communities of the plan; what the filter holds besides stays.
        asof: of which day the filter is known.
        circuit: to attach a new filter to, if it is at hand.
    """
    lacking = [one for one in plan.communities if one.value in wanted and not one.in_filter]
    if not lacking:
        return (), ()
    today, name = (seen.allowed, filter_name(seen)) if seen else ((), "")
    group, rule = (seen.resource_group, seen.rule) if seen else ("", "")
    add = [one.value for one in lacking]
    reasons = [said_of(community_name(one.value), listed(one.hosts, most=3)) for one in lacking]
    besides = tuple(effects(lacking, new=seen is None))
    letter = filter_change.request(name, today, add, reasons, effects=besides, asof=asof, new=seen is None)
    made = filter_change.changes(
        name,
        group,
        rule,
        today,
        add,
        asof=asof,
        location=seen.location if seen else "",
        filter_id=seen.resource_id if seen else "",
        circuit=circuit,
        new=seen is None,
    )
    return (*made, Change("request", letter)), besides
