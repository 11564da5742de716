"""The exact change to a route filter that was handed in, as commands and as a request."""

from collections.abc import Sequence

from arcferry import command_line
from arcferry.diagnosis.finding import Command, command
from arcferry.diagnosis.wording import community_name, listed
from arcferry.evidence.case import Case
from arcferry.routing import filter_change
from arcferry.routing.filter_change import FILTER_UNKNOWN, AsOf, Change
from arcferry.routing.planned import RoutePlan
from arcferry.routing.route_filter import RouteFilter


def _order(value: str) -> tuple[int, ...]:
    return tuple(int(part) for part in value.split(":"))


def _today(seen: RouteFilter | None) -> tuple[str, ...]:
    """What the rule to change is known to allow, in its own order where the document has one."""
    if seen is None:
        return ()
    return seen.in_order or tuple(sorted(seen.communities, key=_order))


def communities_after(seen: RouteFilter | None, added: Sequence[str]) -> tuple[str, ...]:
    """What the rule must hold: what it is known to hold in its own order, then what is added."""
    return filter_change.communities_after(_today(seen), added)


def filter_name(seen: RouteFilter | None) -> str:
    """The filter's name, or a placeholder in capitals; a file's name is not the filter's."""
    if seen is None or seen.name == seen.origin:
        return FILTER_UNKNOWN
    return filter_change.named_filter(seen.name)


def as_of(seen: RouteFilter | None, case: Case) -> AsOf:
    """Of which day the filter is, beside the newest day on which anything was seen."""
    newest = case.newest
    return AsOf(seen.taken if seen else None, newest.date() if newest else None)


def change_commands(seen: RouteFilter | None, added: Sequence[str]) -> tuple[Command, ...]:
    """What adds to the rule by `az` and by PowerShell, and how to see its result.

    Both add to what the rule holds when they are run, whatever the document's day. Values in capitals are for
    the reader to fill in, where no document gave them.
    """
    name, group = (filter_name(seen), seen.resource_group) if seen else ("", "")
    rule = seen.rule if seen else ""
    made = filter_change.changes(
        name, group, rule, _today(seen), added, asof=AsOf(), tools=("az", "powershell")
    )
    return tuple(Command(one.tool, one.text) for one in (*made, filter_change.see(name, group)))


def remove_denials(seen: RouteFilter | None) -> tuple[Command, ...]:
    """What removes each rule that denies, and before it what lists them."""
    group = seen.resource_group if seen else ""
    on = {
        "group": command_line.group(group),
        "filter": command_line.resource(filter_name(seen), FILTER_UNKNOWN),
    }
    names = (seen.denying if seen else ()) or ("",)
    return (
        command(
            "az",
            "az network route-filter rule list --resource-group {group} --filter-name {filter} --output json",
            **on,
        ),
        *(
            command(
                "az",
                "az network route-filter rule delete --resource-group {group} --filter-name {filter} "
                "--name {rule}",
                **on,
                rule=command_line.resource(name, "RULE-THAT-DENIES"),
            )
            for name in names
        ),
    )


def changes_for(
    plan: RoutePlan, seen: RouteFilter | None, wanted: Sequence[str], asof: AsOf
) -> tuple[Change, ...]:
    """What makes the filter hold `wanted`, in every language, then as a request; empty where it does already.

    Without a filter the change makes a new one and attaches it to the circuit.

    Args:
        plan: tells why each community is wanted.
        seen: the filter as it is known.
        wanted: communities of the plan; what the filter holds besides stays.
        asof: of which day the filter is known.
    """
    lacking = [value for value in wanted if seen is None or not seen.allows(value)]
    if not lacking:
        return ()
    today, name = _today(seen), filter_name(seen) if seen else ""
    group, rule = (seen.resource_group, seen.rule) if seen else ("", "")
    why = {one.value: f"{community_name(one.value)}: {listed(one.hosts, most=3)}" for one in plan.communities}
    reasons = [why[value] for value in lacking]
    letter = filter_change.request(name, today, lacking, reasons, asof=asof, new=seen is None)
    made = filter_change.changes(name, group, rule, today, lacking, asof=asof, new=seen is None)
    return (*made, Change("request", letter))
