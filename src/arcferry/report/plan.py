"""A plan: JSON, JSON lines, or a table of what apply would do with each host."""

from collections.abc import Iterator
from typing import Any

from rich.console import Console

from arcferry.diagnosis.finding import NOTHING_JUDGED
from arcferry.fleet.inventory import Host
from arcferry.fleet.plan import FleetPlan, HostPlan
from arcferry.fleet.run_folder import target_to_json
from arcferry.report import findings_document
from arcferry.report.console import STYLES, print_line, print_marked, print_sum, print_table
from arcferry.report.fleet import checks_document
from arcferry.text import one_line, quoted

_SCHEMA = 1
_HEADINGS = ("HOST", "SYSTEM", "AGENT", "WOULD")


def document(plan: FleetPlan) -> dict[str, Any]:
    """The whole plan as one JSON document."""
    hosts = [_host(host) for host in plan.hosts]
    return {**_head(plan), "hosts": hosts, **findings_document.fields(NOTHING_JUDGED)}


def json_lines(plan: FleetPlan) -> Iterator[dict[str, Any]]:
    """One line a host, then one for the plan."""
    for host in plan.hosts:
        yield {"schema": _SCHEMA, "kind": "host-plan", **_host(host)}
    yield from findings_document.lines(NOTHING_JUDGED)
    yield _head(plan)


def _head(plan: FleetPlan) -> dict[str, Any]:
    bundle = plan.context.bundle
    return {
        "schema": _SCHEMA,
        "kind": "plan",
        "run": plan.run,
        "target": target_to_json(plan.context.target),
        "bundle": {"id": bundle.id, "version": str(bundle.manifest.version), "path": str(bundle.path)},
        "azure": "asked" if plan.checks else "not asked",
        "preflight": checks_document(plan.checks),
        "summary": {
            "hosts": len(plan.hosts),
            "good": sum(host.good for host in plan.hosts),
            "change": sum(host.changes for host in plan.hosts),
        },
    }


def _host(plan: HostPlan) -> dict[str, Any]:
    state = plan.state
    error = plan.error
    return {
        "name": plan.host.name,
        "address": plan.host.address,
        "port": plan.host.port,
        "tags": dict(plan.host.tags),
        "good": plan.good,
        "system": state.facts.distro if state else None,
        "arch": state.facts.arch if state else None,
        "agent": state.facts.agent.version or None if state else None,
        "machine": state.machine.status if state and state.machine else None,
        "steps": [
            {"step": name, "verdict": decision.action.value, "why": decision.why, "hint": decision.hint}
            for name, decision in plan.steps
        ],
        "error": {"says": error.message, "hint": error.hint} if error else None,
    }


def draw(plan: FleetPlan, console: Console) -> None:
    """The preflight's lines, a table, each hindrance with its way out, and the sum."""
    for check in plan.checks:
        print_line(console, f"{check.answer.value:<8}{check.name}: {check.says}")
    if not plan.checks:
        print_line(console, "unknown Azure was not asked: no secret or certificate was given")
    print_line(console)
    rows = [_HEADINGS, *map(_row, plan.hosts)]
    if any(host.host.tags for host in plan.hosts):
        tags = ["TAGS", *(_tags(host.host) for host in plan.hosts)]
        rows = [(*cells[:-1], cell, cells[-1]) for cells, cell in zip(rows, tags, strict=True)]
    styles = ("" if host.good else STYLES["FAIL"] for host in plan.hosts)
    print_table(console, rows[0], zip(rows[1:], styles, strict=True))
    print_line(console)
    for host in plan.hosts:
        if found := hindrance(host):
            print_marked(console, "FAIL", found[0])
            if found[1]:
                print_line(console, f"      hint: {found[1]}")
    print_sum(console, "ok" if all(host.good for host in plan.hosts) else "FAIL", summary(plan))


def _row(plan: HostPlan) -> tuple[str, ...]:
    state = plan.state
    if state is None:
        return plan.host.name, "unknown", "", "FAIL: cannot be read"
    would = ", ".join(plan.to_run) or "nothing"
    if plan.blocked:
        would = f"BLOCKED before {plan.blocked[0]}"
    elif not plan.changes:
        would = f"nothing to change; {would}"
    return plan.host.name, state.facts.distro, state.facts.agent.version or "none", would


def _tags(host: Host) -> str:
    """In quotes, so that it is seen where each value ends."""
    return one_line(", ".join(f"{name}={quoted(value)}" for name, value in host.tags.items()), limit=200)


def hindrance(plan: HostPlan) -> tuple[str, str] | None:
    """What keeps a host from going on, and the way out; None if nothing does."""
    if plan.error:
        says, hint = plan.error.message, plan.error.hint
    elif plan.blocked:
        says, hint = f"{plan.host.name}: {plan.blocked[1].why}", plan.blocked[1].hint
    else:
        return None
    return one_line(says, limit=900), one_line(hint, limit=600)


def summary(plan: FleetPlan) -> str:
    """One line: what apply would come to."""
    bad = sum(not host.good for host in plan.hosts)
    change = sum(host.changes for host in plan.hosts)
    text = f"{change} of {len(plan.hosts)} hosts would be changed"
    return f"{text}, {bad} cannot go on as they are; run {plan.run}" if bad else f"{text}; run {plan.run}"
