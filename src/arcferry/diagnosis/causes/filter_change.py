"""The exact change to a route filter, as commands: the whole list, because an update replaces it."""

import re
import shlex
from collections.abc import Sequence

from arcferry.diagnosis.document import FilterSeen
from arcferry.diagnosis.finding import Command

_SAFE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._()-]{0,89}")
GROUP_UNKNOWN = "RESOURCE-GROUP"
FILTER_UNKNOWN = "ROUTE-FILTER"
_NEW_RULE = "allow"


def _name(text: str, otherwise: str) -> str:
    """A resource's name, if it is one that Azure could have given; text from a file goes into no command."""
    return text if _SAFE.fullmatch(text) else otherwise


def _order(value: str) -> tuple[int, ...]:
    return tuple(int(part) for part in value.split(":"))


def communities_after(seen: FilterSeen | None, added: Sequence[str]) -> tuple[str, ...]:
    """What the rule must hold: what it holds today in its own order, then what is added."""
    today = seen.rule.communities or tuple(sorted(seen.route_filter.communities, key=_order)) if seen else ()
    return tuple(dict.fromkeys([*today, *added]))


def filter_name(seen: FilterSeen | None) -> str:
    """The filter's name, or a placeholder in capitals."""
    return _name(seen.route_filter.name, FILTER_UNKNOWN) if seen else FILTER_UNKNOWN


def change_commands(seen: FilterSeen | None, added: Sequence[str]) -> tuple[Command, ...]:
    """The update for `az` and for PowerShell, and how to see its result.

    Values in capitals are for the reader to fill in, where no document gave them.
    """
    group = _name(seen.rule.resource_group, GROUP_UNKNOWN) if seen else GROUP_UNKNOWN
    name = filter_name(seen)
    known = _name(seen.rule.name, "") if seen else ""
    rule = known or _NEW_RULE
    values = communities_after(seen, added)
    verb = "update" if known else "create"
    access = "" if known else " --access Allow"
    where = (
        f"--resource-group {shlex.quote(group)} --filter-name {shlex.quote(name)} --name {shlex.quote(rule)}"
    )
    cmdlet = "Set-AzRouteFilterRuleConfig" if known else "Add-AzRouteFilterRuleConfig"
    listed = ",".join(f"'{value}'" for value in values)
    powershell = "\n".join(
        (
            f"$filter = Get-AzRouteFilter -ResourceGroupName '{group}' -Name '{name}'",
            (
                f"$filter = {cmdlet} -RouteFilter $filter -Name '{rule}' -Access Allow "
                f"-RouteFilterRuleType Community -CommunityList {listed}"
            ),
            "Set-AzRouteFilter -RouteFilter $filter",
        )
    )
    return (
        Command(
            "az", f"az network route-filter rule {verb} {where}{access} --communities {' '.join(values)}"
        ),
        Command("powershell", powershell),
        Command(
            "az",
            f"az network route-filter show --resource-group {shlex.quote(group)} --name {shlex.quote(name)} "
            "--query '{state:provisioningState, communities:rules[].communities}'",
        ),
    )
