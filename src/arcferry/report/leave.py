"""What arcferry put where: JSON, JSON lines, or each with its remover, in the order in which it goes."""

from collections import Counter
from typing import Any

from rich.console import Console

from arcferry.language import _, together, translated
from arcferry.leave import Leaving, ServersLeft, Trace, TraceState
from arcferry.report import errand
from arcferry.report.as_json import SCHEMA, picked
from arcferry.report.columns import named
from arcferry.report.console import HANG, print_line, print_lines, print_marked, print_sum

ROWS = "traces", "trace"
_WORDS = {
    TraceState.LISTED: "warn",
    TraceState.PLANNED: "ok",
    TraceState.REMOVED: "ok",
    TraceState.KEPT: "FAIL",
}


def document(result: Leaving) -> dict[str, Any]:
    """All of it as one JSON document, with what became of every server."""
    servers = result.servers
    return {
        "schema": SCHEMA,
        "kind": "leave",
        "applied": result.applied,
        "traces": [
            picked(one, "kind", "name", "where", "says", "owner", "steps", "commands", "state", "hint")
            for one in result.traces
        ],
        "servers": {
            "offboard": errand.document(servers.offboarded),
            "uninstall": errand.document(servers.uninstalled) if servers.uninstalled else None,
            "others": list(servers.others),
        }
        if servers
        else None,
    }


def draw(result: Leaving, console: Console) -> None:
    """Each with its place, its owner and the way; the servers; then the sum."""
    for one in result.traces:
        _draw(one, console)
    if result.servers:
        _draw_servers(result.servers, console)
    print_sum(console, "ok" if result.all_good else "FAIL", summary(result))


def _draw(one: Trace, console: Console) -> None:
    is_anothers = one.state is TraceState.LISTED and one.owner != "here"
    owner = _(", for the {owner} team", owner=_(one.owner)) if is_anothers else ""
    print_marked(
        console,
        _WORDS[one.state],
        _("{name}: {says}", name=_(one.kind), says=f"{one.name} ({_(one.state)}{owner})"),
    )
    print_line(console, f"{'':<{HANG}}{one.where}")
    print_lines(console, translated(one.says), indent=HANG)
    if one.state is TraceState.LISTED:
        for step in one.steps:
            print_lines(console, f"- {translated(step)}", indent=HANG)
        for command in one.commands:
            print_line(console, f"{'':<{HANG + 2}}{command}")
    elif one.hint:
        print_lines(console, translated(one.hint), indent=HANG)
    print_line(console)


def _draw_servers(servers: ServersLeft, console: Console) -> None:
    for run in servers.runs:
        print_line(console, _("{heading}: ", heading=run.request.errand.name).rstrip())
        errand.draw(run, console)
        print_line(console)
    if not servers.offboarded.applied:
        print_lines(console, _("From each that is out of Azure the agent is removed then."), indent=0)
    if servers.others:
        says = _("In no run that is remembered here, and left alone: {others}", others=named(servers.others))
        print_lines(console, says, indent=0)
    print_line(console)


def summary(result: Leaving) -> str:
    """One line: what is listed for others, and what arcferry takes away itself."""
    if not result.traces:
        return _("nothing of arcferry's is known here: name exports, or another state folder with --state")
    counts = Counter(one.state for one in result.traces)
    words = {
        TraceState.REMOVED: _("removed"),
        TraceState.PLANNED: _("would be removed by --apply"),
        TraceState.KEPT: _("kept, as something stands in the way"),
        TraceState.LISTED: _("for their owners"),
    }
    told = together(
        _("{count} {state}", count=counts[one], state=text) for one, text in words.items() if counts[one]
    )
    changed = "" if result.applied else _("; nothing was changed")
    return _("{count} things of arcferry's: {told}", count=len(result.traces), told=told) + changed
