"""A run's result: JSON, JSON lines, or a table of the machines as ARM reports them."""

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from arcferry.azure import Machine, PreflightCheck
from arcferry.diagnosis.finding import Severity
from arcferry.fleet.findings import HostFinding
from arcferry.fleet.outcome import FleetRun, HostOutcome, HostRun
from arcferry.fleet.transport import place_of
from arcferry.report.console import mark
from arcferry.report.findings_document import finding_document
from arcferry.text import clean, one_line
from arcferry.times import to_text

_SCHEMA = 1
_MARKS = {
    HostOutcome.CONNECTED: "ok",
    HostOutcome.STOPPED: "warn",
    HostOutcome.FAILED: "FAIL",
    HostOutcome.BLOCKED: "FAIL",
}
STYLES = {"ok": "green", "warn": "yellow", "FAIL": "bold red"}
_MOST_NAMED = 8


def document(run: FleetRun, findings: Sequence[HostFinding]) -> dict[str, Any]:
    """The whole run as one JSON document."""
    return {
        **_head(run),
        "hosts": [host_document(host) for host in run.hosts],
        "findings": [finding_fields(one) for one in findings],
    }


def json_lines(run: FleetRun, findings: Sequence[HostFinding]) -> Iterator[str]:
    """One line a host, one a finding, then one for the run."""
    for host in run.hosts:
        yield json.dumps({"schema": _SCHEMA, "kind": "host", **host_document(host)}, ensure_ascii=False)
    for one in findings:
        line = {"schema": _SCHEMA, "kind": "finding", **finding_fields(one)}
        yield json.dumps(line, ensure_ascii=False)
    yield json.dumps(_head(run), ensure_ascii=False)


def finding_fields(one: HostFinding) -> dict[str, Any]:
    """A finding as in the findings document, with the hosts that have it."""
    return finding_document(one.finding) | {"hosts": list(one.hosts)}


def _head(run: FleetRun) -> dict[str, Any]:
    return {
        "schema": _SCHEMA,
        "kind": "run",
        "run": run.id,
        "started": to_text(run.started),
        "ended": to_text(run.ended),
        "target": dict(run.target),
        "bundle": dict(run.bundle),
        "preflight": checks_document(run.checks),
        "state": run.state,
        "interrupted": run.interrupted,
        "budget_spent": run.spent,
        "summary": {outcome.value: run.count(outcome) for outcome in HostOutcome} | {"hosts": len(run.hosts)},
    }


def checks_document(checks: tuple[PreflightCheck, ...]) -> list[dict[str, str]]:
    """The preflight's lines."""
    return [{"name": check.name, "answer": check.answer.value, "says": check.says} for check in checks]


def host_document(run: HostRun) -> dict[str, Any]:
    """One host's part."""
    failure = run.failure
    return {
        "name": run.host.name,
        "address": run.host.address,
        "port": run.host.port,
        "site": run.host.site,
        "outcome": run.outcome.value,
        "attempt": run.attempt,
        "already": run.already,
        "steps": [step.public() for step in run.steps],
        "failure": None if failure is None else failure.public(),
        "machine": None if run.machine is None else _machine(run.machine),
    }


def _machine(machine: Machine) -> dict[str, Any]:
    changed = machine.last_status_change
    return {
        "name": machine.name,
        "id": machine.id,
        "status": machine.status,
        "vm_id": machine.vm_id,
        "location": machine.location,
        "agent_version": machine.agent_version,
        "os": machine.os,
        "last_status_change": to_text(changed) if changed else None,
        "tags": dict(machine.tags),
    }


def draw(run: FleetRun, findings: Sequence[HostFinding], console: Console) -> None:
    """The machines, then each cause of failure once with its hosts, then the sum."""
    console.print(_table(run, console))
    for line in failures(run):
        console.print(Text(f"{mark('FAIL', console)}  {line}", style=STYLES["FAIL"]), soft_wrap=True)
    for line in causes(findings):
        console.print(Text(line, style="bold"), soft_wrap=True)
    word = (
        "ok" if run.all_connected else "FAIL" if run.count(HostOutcome.CONNECTED) < len(run.hosts) else "warn"
    )
    console.print(Text(f"{mark(word, console)}  {summary(run)}", style=STYLES[word]), soft_wrap=True)


def _table(run: FleetRun, console: Console) -> Table:
    table = Table(box=None, header_style="bold", pad_edge=False)
    for header in ("HOST", "RESULT", "MACHINE IN AZURE", "AGENT", "LOCATION", "SINCE", "STEP"):
        table.add_column(header, overflow="fold")
    for host in run.hosts:
        word = _MARKS[host.outcome]
        machine = host.machine
        changed = machine.last_status_change if machine else None
        cells = (
            host.host.name,
            mark(word, console),
            machine.status if machine else "none",
            machine.agent_version if machine else "",
            machine.location if machine else "",
            to_text(changed) if changed else "",
            _step(host),
        )
        table.add_row(*map(Text, cells), style="" if word == "ok" else STYLES[word])
    return table


def _step(run: HostRun) -> str:
    if run.failure:
        return run.failure.step
    if run.outcome is HostOutcome.STOPPED:
        return "not finished"
    return "already done" if run.already else "verified"


def failures(run: FleetRun) -> Iterator[str]:
    """One line for each cause, with the hosts that have it, not one for each host."""
    groups: dict[tuple[str, str, str], list[str]] = {}
    for host in run.hosts:
        failure = host.failure
        if failure is not None:
            says = failure.says.removeprefix(f"{place_of(host.host)}: ")
            groups.setdefault((failure.step, says, failure.hint), []).append(host.host.name)
    for (step, says, hint), names in groups.items():
        text = f"{named_hosts(names)}: {step}: {says}"
        yield one_line(text, limit=900) + (f"\n      hint: {one_line(hint, limit=600)}" if hint else "")


def causes(findings: Sequence[HostFinding]) -> Iterator[str]:
    """Each cause of failure once, for all hosts that have it: whose it is, the way out, the letter to send.

    Risks are left out: they would hide what failed here.
    """
    for one in findings:
        found = one.finding
        if found.severity is not Severity.ERROR:
            continue
        yield f"cause {found.cause}: {one_line(found.title, limit=300)}"
        yield f"      on {named_hosts(one.hosts)}; {found.owner.value} team"
        yield f"      way out: {one_line(found.remedy.summary, limit=400)}"
        yield from (f"      | {line}".rstrip() for line in clean(found.remedy.request).splitlines())
        yield f"      to read on: arcferry explain {found.cause}"


def named_hosts(names: Sequence[str]) -> str:
    """A few names, and how many more there are."""
    more = f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
    return ", ".join(names[:_MOST_NAMED]) + more


def summary(run: FleetRun) -> str:
    """One line: how many are connected, what became of the others."""
    counts = Counter(host.outcome for host in run.hosts)
    parts = [f"{counts[HostOutcome.CONNECTED]} of {len(run.hosts)} hosts connected"]
    already = sum(host.already for host in run.hosts)
    if already:
        parts.append(f"{already} of them already done")
    words = {
        HostOutcome.FAILED: "failed",
        HostOutcome.BLOCKED: "blocked",
        HostOutcome.STOPPED: "not finished",
    }
    parts += [f"{counts[outcome]} {word}" for outcome, word in words.items() if counts[outcome]]
    if run.spent:
        parts.append("the failure budget is spent, so no further host was begun")
    seconds = (run.ended - run.started).total_seconds()
    return f"{', '.join(parts)}; run {run.id}, begun {to_text(run.started)}" + (
        f", {seconds:.0f} s" if seconds < 3600 else ""  # noqa: PLR2004  # a resumed run's age says nothing
    )


def plain(run: FleetRun, findings: Sequence[HostFinding]) -> Iterator[str]:
    """The same without a terminal: columns by two blanks."""
    rows = [("HOST", "RESULT", "MACHINE", "AGENT", "LOCATION", "SINCE", "STEP")]
    for host in run.hosts:
        machine = host.machine
        changed = machine.last_status_change if machine else None
        rows.append(
            (
                host.host.name,
                _MARKS[host.outcome],
                machine.status if machine else "none",
                machine.agent_version if machine else "",
                machine.location if machine else "",
                to_text(changed) if changed else "",
                _step(host),
            )
        )
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for cells in rows:
        yield "  ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)).rstrip()
    yield ""
    for line in failures(run):
        yield f"FAIL  {line}"
    yield from causes(findings)
    yield summary(run)
