"""A run's result: JSON, JSON lines, or a table of the machines as ARM reports them."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from rich.console import Console

from arcferry.diagnosis.finding import Finding, Severity, addressed, team
from arcferry.fleet.outcome import FleetRun, HostOutcome, HostRun, NetworkPath, PathOutcome
from arcferry.fleet.transport import place_of
from arcferry.language import _, headings, ngettext, together, translated
from arcferry.report import as_json
from arcferry.report.as_json import SCHEMA, picked
from arcferry.report.columns import named
from arcferry.report.console import (
    HANG,
    STYLES,
    print_letter,
    print_line,
    print_marked,
    print_sum,
    print_table,
    print_text,
)
from arcferry.report.junit import JunitCase, JunitResult, xml
from arcferry.report.preflight import checks_document
from arcferry.text import clean, one_line
from arcferry.times import to_text

ROWS = "hosts", "host"
_MARKS = {
    HostOutcome.CONNECTED: "ok",
    HostOutcome.NOT_HEARD_FROM: "warn",
    HostOutcome.STOPPED: "warn",
    HostOutcome.FAILED: "FAIL",
    HostOutcome.BLOCKED: "FAIL",
}
_PATHS = {PathOutcome.PROVED: "ok", PathOutcome.BROKEN: "FAIL", PathOutcome.UNKNOWN: "warn"}
_MOST_NETWORKS = 8
_MACHINE = (
    "name", "id", "status", "vm_id", "location", "agent_version", "os", "last_status_change", "tags",
)  # fmt: skip
_HEADINGS = headings("HOST", "RESULT", "MACHINE IN AZURE", "AGENT", "LOCATION", "SINCE", "STEP")


def document(run: FleetRun) -> dict[str, Any]:
    """The whole run as one JSON document."""
    return {
        "schema": SCHEMA,
        "kind": "run",
        "run": run.id,
        "started": to_text(run.started),
        "ended": to_text(run.ended),
        "target": dict(run.target),
        "bundle": dict(run.bundle),
        "preflight": checks_document(run.checks),
        "path_proof": [picked(one, "network", "outcome", "says", "asked", "hosts") for one in run.proof],
        "state": run.state,
        "interrupted": run.interrupted,
        "cancelled": run.cancelled,
        "budget_spent": run.spent,
        "refusal": run.refusal,
        "summary": {outcome.value: run.count(outcome) for outcome in HostOutcome} | {"hosts": len(run.hosts)},
        "hosts": list(map(host_document, run.hosts)),
        **as_json.fields(run.diagnosis),
    }


def host_document(run: HostRun) -> dict[str, Any]:
    """One host's part."""
    failure = run.failure
    return {
        **picked(run.host, "name", "address", "site", "transport"),
        "port": run.host.port or None,
        "place": run.host.place.given(),
        **picked(run, "outcome", "attempt", "already", "stage", "wants_restart"),
        "steps": [step.public() for step in run.steps],
        "failure": failure.public() if failure else None,
        "machine": picked(run.machine, *_MACHINE) if run.machine else None,
    }


def junit(run: FleetRun) -> str:
    """A case a host: connected, failed, or not finished. Then the findings."""
    return xml({f"onboard apply {run.id}": list(map(host_case, run.hosts))}, run.diagnosis)


def host_case(host: HostRun) -> JunitCase:
    """One host's case."""
    seconds = sum(step.seconds for step in host.steps)
    if failure := host.failure:
        kind = " ".join(filter(None, (failure.step, failure.code)))
        return JunitCase(host.host.name, JunitResult.FAILURE, failure.says, kind, failure.hint, seconds)
    if host.outcome is HostOutcome.CONNECTED:
        return JunitCase(host.host.name, seconds=seconds)
    return JunitCase(host.host.name, JunitResult.ERROR, "not finished", host.outcome, seconds=seconds)


def draw(run: FleetRun, console: Console) -> None:
    """The path, the machines, then each cause of failure once with its hosts, then the sum."""
    print_proof(console, run.proof)
    print_table(console, _HEADINGS, map(_row, run.hosts))
    print_line(console)
    print_failures(console, failures(run.hosts))
    if waiting := [host.host.name for host in run.hosts if host.wants_restart]:
        says = _(
            "{hosts}: a restart is wanted, which is for its owner to do; arcferry restarts none",
            hosts=named(waiting),
        )
        print_marked(console, "warn", says)
    print_causes(console, run.diagnosis.findings)
    word = (
        "ok" if run.all_connected else "FAIL" if run.count(HostOutcome.CONNECTED) < len(run.hosts) else "warn"
    )
    print_sum(console, word, summary(run))


def print_proof(console: Console, proof: Sequence[NetworkPath]) -> None:
    """The path from each network; the networks that have it alike are one line where they are many."""
    proved = [one for one in proof if one.outcome is PathOutcome.PROVED]
    if len(proved) > _MOST_NETWORKS:
        print_marked(console, "ok", _("path to Azure: proved from {count} networks", count=len(proved)))
    for one in proof:
        if one.outcome is not PathOutcome.PROVED or len(proved) <= _MOST_NETWORKS:
            hosts, says = ngettext("{count} host", "{count} hosts", one.hosts), translated(one.says)
            line = _("path to Azure: {network}, {hosts}: {says}", network=one.network, hosts=hosts, says=says)
            print_marked(console, _PATHS[one.outcome], one_line(line, limit=400))
    if proof:
        print_line(console)


def _row(run: HostRun) -> tuple[tuple[str, ...], str]:
    word, machine = _MARKS[run.outcome], run.machine
    if machine is None:
        told = (_("none"), "", "", "")
    else:
        changed = to_text(machine.last_status_change) if machine.last_status_change else ""
        told = (machine.status, machine.agent_version, machine.location, changed)
    step = _("already done") if run.already else _("verified")
    if run.failure:
        step = run.failure.step
    elif run.outcome is HostOutcome.STOPPED:
        step = _("not finished")
    return (run.host.name, word, *told, step), "" if word == "ok" else STYLES[word]


def failures(hosts: Iterable[HostRun]) -> Iterator[tuple[str, str]]:
    """What failed and its way out, once for all hosts that failed alike."""
    groups: dict[tuple[str, str, str], list[str]] = {}
    for host in hosts:
        if failure := host.failure:
            says = failure.says.removeprefix(f"{place_of(host.host)}: ")
            groups.setdefault((failure.step, says, failure.hint), []).append(host.host.name)
    for (step, says, hint), names in groups.items():
        yield (
            one_line(
                _("{name}: {step}: {says}", name=named(names), step=step, says=translated(says)), limit=900
            ),
            one_line(translated(hint), limit=600),
        )


def print_failures(console: Console, failures: Iterable[tuple[str, str]], mark: str = "FAIL") -> None:
    """Each failure with its way out."""
    for says, hint in failures:
        print_marked(console, mark, says)
        if hint:
            print_text(console, _("hint: {hint}", hint=hint), indent=HANG)


def print_causes(console: Console, findings: Iterable[Finding]) -> None:
    """Each cause of failure once, for all hosts that have it: whose it is, the way out, the letter to send.

    Risks are left out: they would hide what failed here.
    """
    for found in findings:
        if found.severity is Severity.ERROR:
            print_text(
                console,
                _("cause {cause}: {title}", cause=found.cause, title=one_line(found.title, limit=300)),
                "bold",
            )
            print_text(
                console,
                _("on {servers}; {team}", servers=named(found.servers), team=team(found.owner)),
                indent=HANG,
            )
            print_text(
                console, _("way out: {way}", way=one_line(found.remedy.summary, limit=400)), indent=HANG
            )
            if found.remedy.request:
                title = _("to send to {to}", to=addressed(found.remedy.to, found.owner))
                print_letter(console, title, clean(found.remedy.request), indent=HANG)
            print_line(console, f"{'':<{HANG}}{_('to read on: arcferry explain {cause}', cause=found.cause)}")


def summary(run: FleetRun) -> str:
    """One line: how many are connected, what became of the others."""
    counts = Counter(host.outcome for host in run.hosts)
    good = counts[HostOutcome.CONNECTED]
    parts = [_("{good} of {hosts} hosts connected", good=good, hosts=len(run.hosts))]
    already = sum(host.already for host in run.hosts)
    if already:
        parts.append(_("{already} of them already done", already=already))
    words = {
        HostOutcome.FAILED: _("failed"),
        HostOutcome.BLOCKED: _("blocked"),
        HostOutcome.STOPPED: _("not finished"),
    }
    parts += [
        _("{count} {state}", count=counts[outcome], state=word)
        for outcome, word in words.items()
        if counts[outcome]
    ]
    if run.refusal:
        parts.append(translated(run.refusal))
    seconds = (run.ended - run.started).total_seconds()
    told = _(
        "{parts}; run {run}, begun {began}", parts=together(parts), run=run.id, began=to_text(run.started)
    )
    took = f", {seconds:.0f} s" if seconds < 3600 else ""  # noqa: PLR2004  # a resumed run's age says nothing
    return told + took
