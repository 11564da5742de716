"""One host, from its facts to Azure's own word: the pipeline that plan shows and apply runs."""

import logging
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

from arcferry.errors import ArcferryError, AzureError
from arcferry.fleet.events import EventKind
from arcferry.fleet.host_state import Action, Decision, HostState
from arcferry.fleet.outcome import HostOutcome, StepResult, StepState
from arcferry.fleet.script import sweep
from arcferry.fleet.steps.check import CHECK
from arcferry.fleet.steps.connect import CONNECT
from arcferry.fleet.steps.install import INSTALL
from arcferry.fleet.steps.stage import STAGE
from arcferry.fleet.steps.survey import SURVEY, survey
from arcferry.fleet.steps.verified import VERIFIED
from arcferry.fleet.steps.verify import VERIFY
from arcferry.fleet.task import HostTask, Step

STEPS = (STAGE, VERIFY, INSTALL, CHECK, CONNECT, VERIFIED)
"""What follows the facts, in this order."""

NAMES = (SURVEY, *(step.name for step in STEPS))
_LOG = logging.getLogger(__name__)
_Perform = Callable[[HostTask], Awaitable[StepResult]]
Json = dict[str, Any]
Record = Callable[[str, Callable[[], Awaitable[Json]]], Awaitable[Json]]
"""Given a step's name and what it does: the recorded result, or that of doing it, recorded now."""


async def run_steps(
    task: HostTask, record: Record, may_begin: Callable[[bool], None]
) -> tuple[HostOutcome, list[StepResult]]:
    """Run a host's steps in their order until one fails. Where one is blocked, none is begun.

    Args:
        task: the host.
        record: keeps the result of each step.
        may_begin: called before each step with whether it may be left in the middle; raises where the run is
            being stopped.
    """
    may_begin(True)
    results = [await _recorded(task, record, SURVEY, _survey)]
    if results[0].state is not StepState.DONE:
        return HostOutcome.FAILED, results
    task.state = task.state_of(results[0].data)
    decided = decide(task.state)
    for step, decision in decided:
        if decision.action is Action.BLOCK:
            results.append(_not_run(task, step, decision, StepState.BLOCKED))
            return HostOutcome.BLOCKED, results
    for step, decision in decided:
        if decision.action is Action.SKIP:
            results.append(_not_run(task, step, decision, StepState.SKIPPED))
            continue
        may_begin(step.interruptible)
        results.append(await _recorded(task, record, step.name, step.perform))
        task.results[step.name] = results[-1]
        if results[-1].state is not StepState.DONE:
            return HostOutcome.FAILED, results
    return HostOutcome.CONNECTED, results


def decide(state: HostState) -> list[tuple[Step, Decision]]:
    """What is to be done with each step after the facts: `plan` prints just this."""
    return [(step, step.decide(state)) for step in STEPS]


async def _survey(task: HostTask) -> StepResult:
    data = await survey(task)
    await sweep(await task.session())
    facts = data["facts"]
    return StepResult(SURVEY, StepState.DONE, f"{facts['distro']}, {facts['arch']}", data=data)


def _not_run(task: HostTask, step: Step, decision: Decision, state: StepState) -> StepResult:
    # Each state of a step is a kind of event by the same word.
    task.see(EventKind(state.value), step.name, decision.why)
    return StepResult(step.name, state, decision.why, hint=decision.hint)


async def _recorded(task: HostTask, record: Record, name: str, perform: _Perform) -> StepResult:
    """The result of a step that ended before this process began, or that of running it now."""
    ran = False

    async def action() -> Json:
        nonlocal ran
        ran = True
        task.step = name
        task.see(EventKind.STARTED, name)
        return (await _attempted(task, name, perform)).to_json()

    result = StepResult.from_json(await record(name, action))
    kind = EventKind(result.state.value) if ran else EventKind.RECORDED
    task.see(kind, name, result.says, result.seconds)
    return result


async def _attempted(task: HostTask, name: str, perform: _Perform) -> StepResult:
    """The step's result; a failure of the host or of Azure is a result too."""
    began = time.monotonic()
    try:
        result = await perform(task)
    except ArcferryError as error:
        code = error.code if isinstance(error, AzureError) else ""
        result = StepResult(name, StepState.FAILED, error.message, hint=error.hint, code=code)
    except Exception as error:  # noqa: BLE001  # one host's surprise must not end the others' work
        # The traceback is kept in the run's log.
        _LOG.exception("step %s", name)
        says = f"unexpected {type(error).__name__}; the run's log.txt has the details"
        result = StepResult(name, StepState.FAILED, says)
    return replace(result, seconds=round(time.monotonic() - began, 3))
