"""The exact change to a route filter that was handed in, as commands and as a request."""

from collections.abc import Sequence

from arcferry.diagnosis.document import FilterSeen
from arcferry.diagnosis.finding import Command
from arcferry.diagnosis.wording import community_name, listed
from arcferry.routing import filter_change
from arcferry.routing.filter_change import FILTER_UNKNOWN, Change
from arcferry.routing.planned import RoutePlan


def _order(value: str) -> tuple[int, ...]:
    return tuple(int(part) for part in value.split(":"))


def _today(seen: FilterSeen | None) -> tuple[str, ...]:
    """What the rule to change allows now, in its own order where the document has one."""
    if seen is None:
        return ()
    return seen.rule.communities or tuple(sorted(seen.route_filter.communities, key=_order))


def communities_after(seen: FilterSeen | None, added: Sequence[str]) -> tuple[str, ...]:
    """What the rule must hold: what it holds today in its own order, then what is added."""
    return filter_change.communities_after(_today(seen), added)


def filter_name(seen: FilterSeen | None) -> str:
    """The filter's name, or a placeholder in capitals."""
    return filter_change.named_filter(seen.route_filter.name) if seen else FILTER_UNKNOWN


def change_commands(seen: FilterSeen | None, added: Sequence[str]) -> tuple[Command, ...]:
    """The update for `az` and for PowerShell, and how to see its result.

    Values in capitals are for the reader to fill in, where no document gave them.
    """
    name, group = (seen.route_filter.name, seen.rule.resource_group) if seen else ("", "")
    rule = seen.rule.name if seen else ""
    made = filter_change.changes(name, group, rule, _today(seen), added, tools=("az", "powershell"))
    return tuple(Command(one.tool, one.text) for one in (*made, filter_change.see(name, group)))


def changes_for(plan: RoutePlan, seen: FilterSeen | None, wanted: Sequence[str]) -> tuple[Change, ...]:
    """What makes the filter hold `wanted`, in every language, then as a request; empty where it does already.

    Without a filter the change makes a new one and attaches it to the circuit.

    Args:
        plan: tells why each community is wanted.
        seen: the filter that is there today.
        wanted: communities of the plan; what the filter holds besides stays.
    """
    lacking = [value for value in wanted if seen is None or not seen.route_filter.allows(value)]
    if not lacking:
        return ()
    today, name = _today(seen), seen.route_filter.name if seen else ""
    group, rule = (seen.rule.resource_group, seen.rule.name) if seen else ("", "")
    why = {one.value: f"{community_name(one.value)}: {listed(one.hosts, most=3)}" for one in plan.communities}
    letter = filter_change.request(name, today, lacking, [why[value] for value in lacking], new=seen is None)
    made = filter_change.changes(name, group, rule, today, lacking, new=seen is None)
    return (*made, Change("request", letter))
