"""An errand, planned or done: JSON, JSON lines, or a table of the hosts and what became of each step."""

from typing import Any

from rich.console import Console

from arcferry.fleet.errands.errand import ErrandOutcome, ErrandRun, HostErrand
from arcferry.fleet.host_state import Action
from arcferry.fleet.place import target_of
from arcferry.language import _, headings, together, translated
from arcferry.report.as_json import SCHEMA
from arcferry.report.console import STYLES, print_line, print_sum, print_table, print_text
from arcferry.report.fleet import print_failures
from arcferry.report.junit import JunitCase, JunitResult, xml
from arcferry.report.plan import draw_stages, stages_document
from arcferry.text import one_line

ROWS = "hosts", "host-errand"
_STYLES = {
    ErrandOutcome.FAILED: STYLES["FAIL"],
    ErrandOutcome.BLOCKED: STYLES["FAIL"],
    ErrandOutcome.STOPPED: STYLES["warn"],
}


def document(run: ErrandRun) -> dict[str, Any]:
    """Everything as one JSON document."""
    request, counts = run.request, run.counts()
    return {
        "schema": SCHEMA,
        "kind": "errand",
        "errand": request.errand.name,
        "applied": run.applied,
        "summary": {"hosts": len(run.hosts)} | {one.value: count for one, count in counts.items()},
        "stages": stages_document(run.stages),
        "hosts": [_host(run, host) for host in run.hosts],
        "refusal": run.refusal,
        "interrupted": run.interrupted,
        "journal": run.journal or None,
    }


def _host(run: ErrandRun, host: HostErrand) -> dict[str, Any]:
    now, problem = host.now, host.problem
    done = {step.step: step for step in host.steps}
    steps = []
    for name, decision in host.decided:
        if name in done:
            one = done[name]
            told = {"state": one.state.value, "says": one.says, "hint": one.hint, "code": one.code}
        else:
            skipped = decision.action is Action.SKIP
            state = "skipped" if skipped else "not begun" if run.applied else "planned"
            told = {"state": state, "says": decision.why, "hint": decision.hint, "code": ""}
        steps.append({"step": name, **told})
    return {
        "name": host.host.name,
        "address": host.host.address,
        "machine_id": target_of(run.request.target, host.host.place).machine_id(host.host.name),
        "outcome": host.outcome.value,
        "stage": host.stage,
        "waits": host.waits or None,
        "system": now.facts.distro if now and now.facts else None,
        "agent": now.agent.version or None if now else None,
        "machine": now.machine.status if now and now.machine else None,
        "vm_id": now.machine.vm_id if now and now.machine else None,
        "steps": steps,
        "failure": {"step": problem.step, "code": problem.code, "says": problem.says, "hint": problem.hint}
        if problem
        else None,
    }


def junit(run: ErrandRun) -> str:
    """A case a host: it went through, or what hindered it."""
    cases = []
    for host in run.hosts:
        problem = host.problem
        outcome = JunitResult.PASSED if host.good else JunitResult.FAILURE
        if host.outcome is ErrandOutcome.STOPPED:
            outcome = JunitResult.SKIPPED
        says, kind, hint = (problem.says, problem.step, problem.hint) if problem else ("", "", "")
        cases.append(JunitCase(host.host.name, outcome, says or run.refusal, kind, hint))
    return xml({run.request.errand.name: cases})


def draw(run: ErrandRun, console: Console) -> None:
    """A table, each step that is to be run or was, what hinders with the way out, and the sum."""
    titles = headings("HOST", "SYSTEM", "AGENT", "IN AZURE", "RESULT")
    print_table(console, titles, ((_row(run, host), _STYLES.get(host.outcome, "")) for host in run.hosts))
    print_line(console)
    for host in run.hosts:
        for line in _steps(run, host):
            print_text(console, one_line(line, limit=600))
    if not run.applied and len(run.stages) > 1:
        draw_stages(run.stages, console)
    problems = [
        (
            _(
                "{name}: {step}: {says}",
                name=host.host.name,
                step=problem.step,
                says=translated(problem.says),
            ),
            translated(problem.hint),
        )
        for host in run.hosts
        if (problem := host.problem)
    ]
    print_failures(
        console, ((one_line(says, limit=900), one_line(hint, limit=600)) for says, hint in problems)
    )
    print_sum(console, "ok" if run.all_good else "FAIL", summary(run))


def _row(run: ErrandRun, host: HostErrand) -> tuple[str, ...]:
    now, asked = host.now, run.request.asks_host
    unasked, none = _("not asked"), _("none")
    machine = now.machine.status if now and now.machine else none if now and now.azure_known else unasked
    system = (now.facts.distro if now and now.facts else _("unknown")) if asked else unasked
    agent = (now.agent.version or none if now else "") if asked else unasked
    word = run.request.errand.done if host.outcome is ErrandOutcome.DONE else host.outcome.value
    return host.host.name, system, agent, machine, _(word)


def _steps(run: ErrandRun, host: HostErrand) -> list[str]:
    if run.applied and host.outcome is not ErrandOutcome.UNCHANGED:
        problem = host.problem
        return [
            _(
                "{name}: {says}",
                name=f"{host.host.name}: {step.step} {_(step.state)}",
                says=translated(step.says),
            )
            for step in host.steps
            if step is not problem
        ]
    if host.outcome is ErrandOutcome.PLANNED:
        waits = [_("{name}: {says}", name=host.host.name, says=translated(host.waits))] if host.waits else []
        would = ((name, translated(why)) for name, why in host.would)
        return waits + [
            _("{host}: would {step}: {why}", host=host.host.name, step=name, why=why) for name, why in would
        ]
    return []


def summary(run: ErrandRun) -> str:
    """One line: what became of the hosts, or would."""
    counts = run.counts()
    hosts, done = len(run.hosts), _(run.request.errand.done)
    parts = [_("{good} of {hosts} hosts {done}", good=counts[ErrandOutcome.DONE], hosts=hosts, done=done)]
    if not run.applied:
        planned = counts[ErrandOutcome.PLANNED]
        parts = [_("{count} of {hosts} hosts would be {done}", count=planned, hosts=hosts, done=done)]
    words = {
        ErrandOutcome.UNCHANGED: _("had nothing to be done"),
        ErrandOutcome.FAILED: _("failed"),
        ErrandOutcome.BLOCKED: _("must not be touched"),
        ErrandOutcome.STOPPED: _("not finished"),
    }
    parts += [_("{count} {state}", count=counts[one], state=words[one]) for one in words if counts[one]]
    if not run.applied:
        parts.append(_("nothing was changed: pass --apply to do it"))
    return "; ".join(filter(None, (together(parts), translated(run.refusal))))
