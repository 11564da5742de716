"""The change of a route filter, as text to be sent or run: it adds, and takes nothing away.

A filter may have changed since its document was made. What replaces a whole list (Bicep, Terraform, REST) is
therefore written only where the document is dated, and nothing at hand is newer.

Names and values may come from a file, so none goes into a text unless Azure could have given it. What no
document gave stands there in capitals, for the reader to fill in.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date

from arcferry import command_line, typed
from arcferry.command_line import Does
from arcferry.errors import InputError
from arcferry.language import _
from arcferry.routing.azure_json import VALUE
from arcferry.routing.circuit import Circuit
from arcferry.routing.filter_languages import REPLACING, WRITERS, Rule

GROUP_UNKNOWN = "RESOURCE-GROUP"
FILTER_UNKNOWN = "ROUTE-FILTER"
NO_CIRCUIT = Circuit("")
_A_LINE = 6
_SUBSCRIPTION_AT = 2
TOOLS = tuple(WRITERS)


@dataclass(frozen=True, slots=True)
class Change:
    """The change in one tool's language.

    Attributes:
        tool: one of `TOOLS`, or `request` for the letter to the network team.
        text: what to run, or to put into a file; empty where it is withheld.
        withheld: why there is no text, on one line; else empty.
        fetch: the command that gets what is needed for it; else empty. It reads.
        does: a command that shows the result reads.
    """

    tool: str
    text: str
    withheld: str = ""
    fetch: str = ""
    does: Does = Does.CHANGES


@dataclass(frozen=True, slots=True)
class AsOf:
    """Of which day the known filter is, and whether it may have changed since.

    Attributes:
        day: None where the document does not tell.
        newest: the day of the newest evidence at hand, or the day on which the change is to be made.
    """

    day: date | None = None
    newest: date | None = None

    def __str__(self) -> str:
        """For a sentence: `as of 2026-11-23`, or `of unknown day`."""
        return f"as of {self.day.isoformat()}" if self.day else "of unknown day"

    @property
    def doubt(self) -> str:
        """Why a list that replaces may not rest on it; empty where it may."""
        if self.day is None:
            return "the filter as it is known is of unknown day"
        if self.newest and self.day < self.newest:
            return f"the filter is known as of {self.day} and may have changed since"
        return ""


UNKNOWN_DAY = AsOf()


def communities_after(today: Sequence[str], add: Sequence[str]) -> tuple[str, ...]:
    """What the rule must hold: what it is known to hold in its own order, then what is added; each once.

    Raises:
        InputError: a value is no community.
    """
    after = tuple(dict.fromkeys([*today, *add]))
    for value in after:
        if not VALUE.fullmatch(value):
            raise InputError(f"{typed.shown(value, 40)} is no community value such as 12076:51010")
    return after


def named_filter(name: str) -> str:
    """The filter's name, or a placeholder where it is none that Azure could have given."""
    return typed.resource(name) or FILTER_UNKNOWN


def changes(
    filter_name: str,
    resource_group: str,
    rule_name: str,
    today: Sequence[str],
    add: Sequence[str],
    *,
    asof: AsOf = UNKNOWN_DAY,
    location: str = "",
    filter_id: str = "",
    circuit: Circuit = NO_CIRCUIT,
    new: bool = False,
    tools: Collection[str] = TOOLS,
) -> tuple[Change, ...]:
    """The change for each tool, in the order of `TOOLS`; none where the rule holds all of it already.

    Args:
        filter_name: the route filter; may be empty.
        resource_group: its resource group; may be empty.
        rule_name: the rule that allows communities; empty where the filter has none yet.
        today: what that rule is known to allow.
        add: what it must allow besides.
        asof: of which day that is known.
        location: the filter's Azure region; may be empty.
        filter_id: its resource id; may be empty.
        circuit: the circuit at hand, whose subscription, group and region a new filter is made in.
        new: make the filter, and attach it to the circuit's Microsoft peering.
        tools: which of `TOOLS`.

    Raises:
        InputError: a value is no community, or there is none at all.
    """
    values = communities_after(today, add)
    if not values:
        raise InputError("a route filter's rule needs at least one community")
    lacking = tuple(value for value in values if value not in today)
    if not lacking and not new:
        return ()
    known = bool(typed.resource(rule_name)) and not new
    its_group = typed.resource_group(circuit.resource_group)
    rule = Rule(
        group=typed.resource_group(resource_group) or (its_group if new else "") or GROUP_UNKNOWN,
        route_filter=named_filter(filter_name),
        name=rule_name if known else "allow",
        location=typed.location(location) or (typed.location(circuit.location) if new else ""),
        # A filter that is there may be in another subscription than the circuit.
        subscription=_subscription(filter_id)
        or (_subscription(circuit.resource_id) if new else "")
        or "SUBSCRIPTION-ID",
        circuit=_named_circuit(circuit),
        its_group=its_group or "RESOURCE-GROUP-OF-THE-CIRCUIT",
        values=values,
        lacking=lacking,
        known=known,
        new=new,
        caution=() if new else (f"Replaces the whole list: right for the filter {asof}.",),
    )
    doubt = "" if new else asof.doubt
    why = f"withheld, because it replaces the whole list, as REST does, and {doubt}; fetch the filter first"
    get = fetch(rule.route_filter, rule.group)
    return tuple(
        Change(tool, "", why, get) if doubt and tool in REPLACING else Change(tool, WRITERS[tool](rule))
        for tool in TOOLS
        if tool in tools
    )


def _subscription(resource_id: str) -> str:
    parts = typed.resource_id(resource_id).split("/")
    return parts[_SUBSCRIPTION_AT] if len(parts) > _SUBSCRIPTION_AT else ""


def _named_circuit(circuit: Circuit) -> str:
    """Its name by its id, since a document without a name is called by its file's."""
    return typed.resource(circuit.resource_id.rstrip("/").rpartition("/")[2]) or "CIRCUIT"


def fetch(filter_name: str, resource_group: str) -> str:
    """The command that fetches the filter as it is; its date is to stand in the file's name."""
    return command_line.line(
        "az network route-filter show --resource-group {group} --name {filter} --output json "
        "> route-filter-YYYY-MM-DD.json",
        group=command_line.group(resource_group),
        filter=command_line.resource(filter_name, FILTER_UNKNOWN),
    )


def see(filter_name: str, resource_group: str) -> Change:
    """The `az` command that shows what the filter allows, and whether the change has come through."""
    show = command_line.line(
        "az network route-filter show --resource-group {group} --name {filter} "
        '--query "{state:provisioningState, communities:rules[].communities}" --output json',
        group=command_line.group(resource_group),
        filter=command_line.resource(filter_name, FILTER_UNKNOWN),
    )
    return Change("az", show, does=Does.READS)


def request(
    filter_name: str,
    today: Sequence[str],
    add: Sequence[str],
    reasons: Sequence[str] = (),
    *,
    effects: Sequence[str] = (),
    asof: AsOf = UNKNOWN_DAY,
    new: bool = False,
) -> str:
    """The same as a letter to the network team: what to add, why, and as of when the rest is known.

    A reason is a line such as `12076:51010 (East Asia): gbl.his.arc.azure.com`; an effect, of what the change
    does besides, is a sentence.

    Raises:
        InputError: a value is no community.
    """
    communities_after(today, add)
    added = list(dict.fromkeys(add))
    name = named_filter(filter_name)
    if len(added) == 1:
        count = _("BGP community {value}").format(value=added[0])
    else:
        count = _("{count} BGP communities").format(count=len(added))
    if new:
        subject = _("ExpressRoute: please attach a route filter with {count} to the Microsoft peering")
        ask = _("Please create a route filter, allow these BGP communities in its one rule, and attach it:")
    else:
        subject = _("ExpressRoute route filter {name}: please allow {count} too")
        ask = _("Please let the rule of route filter {name} allow these BGP communities too:")
    lines = [
        _("Subject: {subject}", subject=subject.format(name=name, count=count)),
        "",
        ask.format(name=name),
        *(f"  {line}" for line in reasons or added),
    ]
    if not new:
        allows = _("The filter {asof}, as we know it, allows:")
        nothing = _("The filter {asof}, as we know it, allows nothing.")
        day = _("as of {day}").format(day=asof.day.isoformat()) if asof.day else _("of unknown day")
        lines += [
            "",
            _("Please keep what the rule allows now; Bicep, Terraform and REST replace the whole list."),
            (allows if today else nothing).format(asof=day),
            *(f"  {' '.join(today[at : at + _A_LINE])}" for at in range(0, len(today), _A_LINE)),
        ]
    if effects:
        lines += ["", _("What the change does besides:"), *(f"- {one}" for one in effects)]
    lines += [
        "",
        _(
            "No route to these Azure services reaches us without them, and servers cannot connect to Azure "
            "Arc."
        ),
        _("The filter has to be in the circuit's own Azure region. Please tell us when the change is done."),
    ]
    return "\n".join(lines)
