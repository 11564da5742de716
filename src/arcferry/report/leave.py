"""What arcferry put where: JSON, JSON lines, or each with its remover, in the order in which it goes."""

from collections import Counter
from textwrap import wrap
from typing import Any

from rich.console import Console

from arcferry.leave import Leaving, ServersLeft, Trace, TraceState
from arcferry.report import errand
from arcferry.report.as_json import SCHEMA, picked
from arcferry.report.columns import named
from arcferry.report.console import print_line, print_marked, print_sum

ROWS = "traces", "trace"
_WIDTH = 100
_INDENT = 6
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
    owner = f", for the {one.owner} team" if is_anothers else ""
    print_marked(console, _WORDS[one.state], f"{one.kind.value}: {one.name} ({one.state.value}{owner})")
    print_line(console, f"{'':<{_INDENT}}{one.where}")
    _print(console, one.says)
    if one.state is TraceState.LISTED:
        for step in one.steps:
            _print(console, f"- {step}")
        for command in one.commands:
            print_line(console, f"{'':<{_INDENT + 2}}{command}")
    elif one.hint:
        _print(console, one.hint)
    print_line(console)


def _draw_servers(servers: ServersLeft, console: Console) -> None:
    for run in servers.runs:
        print_line(console, f"{run.request.errand.name}:")
        errand.draw(run, console)
        print_line(console)
    if not servers.offboarded.applied:
        _print(console, "From each that is out of Azure the agent is removed then.", indent=0)
    if servers.others:
        others = named(servers.others)
        _print(console, f"In no run that is remembered here, and left alone: {others}", indent=0)
    print_line(console)


def _print(console: Console, text: str, *, indent: int = _INDENT) -> None:
    hanging = "  " if text.startswith("- ") else ""
    for line in wrap(
        text,
        _WIDTH - indent,
        subsequent_indent=hanging,
        break_long_words=False,
        break_on_hyphens=False,
    ):
        print_line(console, f"{'':<{indent}}{line}")


def summary(result: Leaving) -> str:
    """One line: what is listed for others, and what arcferry takes away itself."""
    if not result.traces:
        return "nothing of arcferry's is known here: name exports, or another state folder with --state"
    counts = Counter(one.state for one in result.traces)
    words = {
        TraceState.REMOVED: "removed",
        TraceState.PLANNED: "would be removed by --apply",
        TraceState.KEPT: "kept, as something stands in the way",
        TraceState.LISTED: "for their owners",
    }
    told = ", ".join(f"{counts[one]} {text}" for one, text in words.items() if counts[one])
    changed = "" if result.applied else "; nothing was changed"
    return f"{len(result.traces)} things of arcferry's: {told}{changed}"
