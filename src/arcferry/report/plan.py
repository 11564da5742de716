"""A plan: JSON, JSON lines, or a table of what apply would do with each host."""

from collections.abc import Sequence
from typing import Any

from rich.console import Console

from arcferry.diagnosis.finding import NOTHING_JUDGED
from arcferry.fleet.in_azure import place_text
from arcferry.fleet.inventory import Host
from arcferry.fleet.order import FleetOrder, order_of
from arcferry.fleet.place import target_of
from arcferry.fleet.plan import FleetPlan, HostPlan
from arcferry.fleet.run_folder import target_to_json
from arcferry.fleet.waves import Stage
from arcferry.language import _, headings, marked, ngettext, translated
from arcferry.report import as_json
from arcferry.report.as_json import SCHEMA, picked
from arcferry.report.columns import padded
from arcferry.report.console import STYLES, print_line, print_sum, print_table, print_text
from arcferry.report.fleet import print_failures
from arcferry.report.junit import JunitCase, JunitResult, xml
from arcferry.report.preflight import WIDTH, checks_document, print_checks
from arcferry.text import one_line, quoted

ROWS = "hosts", "host-plan"
_MOST_NETWORKS = 20
_BY = {"private_link_scope": marked("private link scope"), "gateway_id": marked("Arc gateway")}
_HEADINGS = headings("HOST", "SYSTEM", "AGENT", "WOULD")


def document(plan: FleetPlan) -> dict[str, Any]:
    """The whole plan as one JSON document."""
    bundle = plan.request.bundle
    return {
        "schema": SCHEMA,
        "kind": "plan",
        "run": plan.request.run,
        "target": target_to_json(plan.request.target),
        "bundle": {"id": bundle.id, "version": str(bundle.manifest.version), "path": str(bundle.path)},
        "azure": "asked" if plan.checks else "not asked",
        "preflight": checks_document(plan.checks),
        "summary": {
            "hosts": len(plan.hosts),
            "good": sum(host.good for host in plan.hosts),
            "change": sum(host.changes for host in plan.hosts),
        },
        "order": _order(order_of(plan.request, plan.hosts)),
        "hosts": list(map(_host, plan.hosts)),
        **as_json.fields(NOTHING_JUDGED),
    }


def _order(order: FleetOrder) -> dict[str, Any]:
    return {
        "path_proof": [
            {"network": one.network, "hosts": one.hosts, "first": list(one.first)} for one in order.networks
        ],
        "stages": stages_document(order.stages),
    }


def _host(plan: HostPlan) -> dict[str, Any]:
    state = plan.state
    error = plan.error
    return {
        **picked(plan.host, "name", "address", "transport"),
        "port": plan.host.port or None,
        "tags": dict(plan.host.tags),
        "place": plan.host.place.given(),
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


def junit(plan: FleetPlan) -> str:
    """A case a host: it could go on, or what hinders it."""
    cases = []
    for host in plan.hosts:
        says, hint = _hindrance(host) or ("", "")
        outcome = JunitResult.PASSED if host.good else JunitResult.FAILURE
        cases.append(JunitCase(host.host.name, outcome, says, host.blocked[0] if host.blocked else "", hint))
    return xml({"onboard plan": cases})


def draw(plan: FleetPlan, console: Console) -> None:
    """The preflight's lines, a table, each hindrance with its way out, and the sum."""
    print_checks(console, plan.checks)
    if not plan.checks:
        says = _("Azure was not asked: no secret, no certificate and no other identity was given")
        print_text(console, says, indent=WIDTH, first=padded(_("unknown"), WIDTH))
    print_line(console)
    places = _by_place(plan)
    for place, hosts in places.items():
        if len(places) > 1 or any(host.host.place.given() for host in hosts):
            print_text(console, f"{place}: {_hosts(len(hosts))}")
        _draw_table(hosts, console)
        print_line(console)
    _draw_order(order_of(plan.request, plan.hosts), console)
    print_failures(console, filter(None, map(_hindrance, plan.hosts)))
    print_sum(console, "ok" if all(host.good for host in plan.hosts) else "FAIL", summary(plan))


def _draw_order(order: FleetOrder, console: Console) -> None:
    """Which servers prove the path of their network, and who begins when; nothing where nobody is left."""
    if order.networks:
        networks = order.networks[:_MOST_NETWORKS]
        cells = [
            (one.network, str(one.hosts), ", ".join(one.first) or _("none can be asked")) for one in networks
        ]
        print_table(console, headings("PATH PROVED FROM", "HOSTS", "FIRST"), ((row, "") for row in cells))
        if more := len(order.networks) - len(networks):
            print_line(console, _("and {more} more networks", more=more))
        print_line(console)
    draw_stages(order.stages, console)


def draw_stages(stages: Sequence[Stage], console: Console) -> None:
    """Who begins when; nothing where nobody is left."""
    if stages:
        told = (f"{_(one.name)} ({_hosts(len(one.hosts))})" for one in stages)
        print_text(console, _("order: {stages}", stages=_(", then ").join(told)))
        print_line(console)


def stages_document(stages: Sequence[Stage]) -> list[dict[str, Any]]:
    """The same for JSON, with every name."""
    return [{"stage": one.name, "hosts": [host.name for host in one.hosts]} for one in stages]


def _hosts(count: int) -> str:
    return ngettext("{count} host", "{count} hosts", count)


def _by_place(plan: FleetPlan) -> dict[str, list[HostPlan]]:
    """The hosts by where they go in Azure and how their agents get there, in the inventory's order."""
    of_hosts = [(target_of(plan.request.target, host.host.place), host) for host in plan.hosts]
    targets = list(dict.fromkeys(target for target, _ in of_hosts))
    found: dict[str, list[HostPlan]] = {}
    for target, host in of_hosts:
        given = host.host.place.given()
        named = {_BY[name]: value.rpartition("/")[2] for name, value in given.items() if name in _BY}
        by = _(", by {proxy}", proxy=given["proxy"]) if "proxy" in given else ""
        by += "".join(f", {_(what)} {name}" for what, name in named.items())
        found.setdefault(place_text(target, targets) + by, []).append(host)
    return found


def _draw_table(hosts: list[HostPlan], console: Console) -> None:
    rows = [_HEADINGS, *map(_row, hosts)]
    if any(host.host.tags for host in hosts):
        tags = [marked("TAGS"), *(_tags(host.host) for host in hosts)]
        rows = [(*cells[:-1], cell, cells[-1]) for cells, cell in zip(rows, tags, strict=True)]
    styles = ("" if host.good else STYLES["FAIL"] for host in hosts)
    print_table(console, rows[0], zip(rows[1:], styles, strict=True))


def _row(plan: HostPlan) -> tuple[str, ...]:
    state = plan.state
    if state is None:
        return plan.host.name, _("unknown"), "", _("FAIL: cannot be read")
    would = ", ".join(plan.to_run) or _("nothing")
    if plan.blocked:
        would = _("BLOCKED before {step}", step=plan.blocked[0])
    elif not plan.changes:
        would = _("nothing to change; {would}", would=would)
    return plan.host.name, state.facts.distro, state.facts.agent.version or _("none"), would


def _tags(host: Host) -> str:
    """In quotes, so that it is seen where each value ends."""
    return one_line(", ".join(f"{name}={quoted(value)}" for name, value in host.tags.items()), limit=200)


def _hindrance(plan: HostPlan) -> tuple[str, str] | None:
    """What keeps a host from going on, and the way out; None if nothing does."""
    if plan.error:
        says, hint = translated(plan.error.message), plan.error.hint
    elif plan.blocked:
        says = _("{name}: {says}", name=plan.host.name, says=translated(plan.blocked[1].why))
        hint = plan.blocked[1].hint
    else:
        return None
    return one_line(says, limit=900), one_line(translated(hint), limit=600)


def summary(plan: FleetPlan) -> str:
    """One line: what apply would come to."""
    bad = sum(not host.good for host in plan.hosts)
    change = sum(host.changes for host in plan.hosts)
    hindered = _(", {bad} cannot go on as they are", bad=bad) if bad else ""
    return _(
        "{change} of {hosts} hosts would be changed{hindered}; run {run}",
        change=change,
        hosts=len(plan.hosts),
        hindered=hindered,
        run=plan.request.run,
    )
