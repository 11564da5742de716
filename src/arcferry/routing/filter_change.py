"""The change of a route filter, as text to be sent or run: the whole list, because an update replaces it.

Names and values may come from a file, so none goes into a text unless Azure could have given it, and each is
quoted for its language. What no document gave stands there in capitals, for the reader to fill in.
"""

import re
import shlex
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from arcferry.errors import InputError
from arcferry.routing.communities import VALUE
from arcferry.routing.filter_languages import WRITERS, Rule

GROUP_UNKNOWN = "RESOURCE-GROUP"
FILTER_UNKNOWN = "ROUTE-FILTER"
LOCATION_UNKNOWN = "LOCATION-OF-THE-CIRCUIT"
NEW_RULE = "allow"
TOOLS = tuple(WRITERS)
_GROUP = re.compile(r"[A-Za-z0-9_(][A-Za-z0-9._()-]{0,88}[A-Za-z0-9_()-]|[A-Za-z0-9_]")
_RESOURCE = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,78}[A-Za-z0-9_])?")
_LOCATION = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ]{0,39}")


@dataclass(frozen=True, slots=True)
class Change:
    """The change in one tool's language.

    Attributes:
        tool: one of `TOOLS`, or `request` for the letter to the network team.
        text: what to run, or to put into a file.
    """

    tool: str
    text: str


def communities_after(today: Sequence[str], add: Sequence[str]) -> tuple[str, ...]:
    """What the rule must hold: what it holds today in its own order, then what is added; each once.

    Raises:
        InputError: a value is no community.
    """
    after = tuple(dict.fromkeys([*today, *add]))
    for value in after:
        if not VALUE.fullmatch(value):
            raise InputError(f"{value[:40]!r} is no community value such as 12076:51010")
    return after


def named_filter(name: str) -> str:
    """The filter's name, or a placeholder where it is none that Azure could have given."""
    return name if _RESOURCE.fullmatch(name) else FILTER_UNKNOWN


def changes(
    filter_name: str,
    resource_group: str,
    rule_name: str,
    today: Sequence[str],
    add: Sequence[str],
    *,
    location: str = "",
    new: bool = False,
    tools: Collection[str] = TOOLS,
) -> tuple[Change, ...]:
    """The change for each tool, in the order of `TOOLS`.

    Args:
        filter_name: the route filter; may be empty.
        resource_group: its resource group; may be empty.
        rule_name: the rule that allows communities; empty where the filter has none yet.
        today: what that rule allows now.
        add: what it must allow besides.
        location: the filter's Azure region, which must be the circuit's; may be empty.
        new: make the filter, and attach it to the circuit's Microsoft peering.
        tools: which of `TOOLS`.

    Raises:
        InputError: a value is no community, or there is none at all.
    """
    values = communities_after(today, add)
    if not values:
        raise InputError("a route filter's rule needs at least one community")
    known = bool(_RESOURCE.fullmatch(rule_name)) and not new
    rule = Rule(
        group=resource_group if _GROUP.fullmatch(resource_group) else GROUP_UNKNOWN,
        route_filter=named_filter(filter_name),
        name=rule_name if known else NEW_RULE,
        location=location if _LOCATION.fullmatch(location) else LOCATION_UNKNOWN,
        values=values,
        known=known,
        new=new,
    )
    return tuple(Change(tool, WRITERS[tool](rule)) for tool in TOOLS if tool in tools)


def see(filter_name: str, resource_group: str) -> Change:
    """The `az` command that shows what the filter allows, and whether the change has come through."""
    group = resource_group if _GROUP.fullmatch(resource_group) else GROUP_UNKNOWN
    where = f"--resource-group {shlex.quote(group)} --name {shlex.quote(named_filter(filter_name))}"
    query = "--query '{state:provisioningState, communities:rules[].communities}'"
    return Change("az", f"az network route-filter show {where} {query}")


def request(
    filter_name: str,
    today: Sequence[str],
    add: Sequence[str],
    reasons: Sequence[str] = (),
    *,
    new: bool = False,
) -> str:
    """The same as a letter to the network team: a subject, what to change, why, and what must stay.

    Args:
        filter_name: the route filter; may be empty.
        today: what its rule allows now.
        add: what it must allow besides.
        reasons: one a line, such as `12076:51010 (East Asia): gbl.his.arc.azure.com`.
        new: a filter has to be made and attached.

    Raises:
        InputError: a value is no community.
    """
    after = communities_after(today, add)
    added = [value for value in after if value not in today]
    name = named_filter(filter_name)
    if new:
        subject = f"ExpressRoute: please attach a route filter with {_count(added)} to the Microsoft peering"
        ask = ["Please create a route filter, allow these BGP communities in its one rule, and attach it:"]
    else:
        subject = f"ExpressRoute route filter {name}: please allow {_count(added)} too"
        ask = [f"Please let the rule of route filter {name} allow these BGP communities too:"]
    lines = [f"Subject: {subject}", "", *ask, *(f"  {line}" for line in reasons or added)]
    if not new:
        lines += ["", "An update replaces the whole list. After the change it must read:", *_folded(after)]
    lines += [
        "",
        "No route to these Azure services reaches us without them, and servers cannot connect to Azure Arc.",
        "The filter has to be in the circuit's own Azure region. Please tell us when the change is done.",
    ]
    return "\n".join(lines)


def _count(values: Sequence[str]) -> str:
    return f"BGP community {values[0]}" if len(values) == 1 else f"{len(values)} BGP communities"


def _folded(values: Sequence[str], a_line: int = 6) -> list[str]:
    rows = [values[start : start + a_line] for start in range(0, len(values), a_line)]
    return [f"  {' '.join(row)}" for row in rows]
