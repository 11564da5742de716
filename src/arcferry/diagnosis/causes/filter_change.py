"""The change that makes a route filter hold a plan, in every tool's language and as a request."""

from collections.abc import Sequence

from arcferry.diagnosis.values import community_name, filter_name, listed
from arcferry.routing import filter_change
from arcferry.routing.filter_change import AsOf, Change
from arcferry.routing.plan_notes import effects
from arcferry.routing.planned import RoutePlan
from arcferry.routing.route_filter import RouteFilter


def changes_for(
    plan: RoutePlan, seen: RouteFilter | None, wanted: Sequence[str], asof: AsOf
) -> tuple[tuple[Change, ...], tuple[str, ...]]:
    """What makes the filter hold `wanted`, in every language, then as a request; and what it does besides.

    Both are empty where the filter holds it all. Without a filter the change makes a new one and attaches it
    to the circuit.

    Args:
        plan: tells why each community is wanted.
        seen: the filter as it is known.
        wanted: communities of the plan; what the filter holds besides stays.
        asof: of which day the filter is known.
    """
    lacking = [one for one in plan.communities if one.value in wanted and not one.in_filter]
    if not lacking:
        return (), ()
    today, name = (seen.allowed, filter_name(seen)) if seen else ((), "")
    group, rule = (seen.resource_group, seen.rule) if seen else ("", "")
    add = [one.value for one in lacking]
    reasons = [f"{community_name(one.value)}: {listed(one.hosts, most=3)}" for one in lacking]
    besides = tuple(effects(lacking, new=seen is None))
    letter = filter_change.request(name, today, add, reasons, effects=besides, asof=asof, new=seen is None)
    made = filter_change.changes(name, group, rule, today, add, asof=asof, new=seen is None)
    return (*made, Change("request", letter)), besides
