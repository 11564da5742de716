"""One host, from its facts to Azure's own word: the pipeline that plan shows and apply runs."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from itertools import count
from typing import Any

from arcferry.errors import ArcferryError, AzureError
from arcferry.fleet.events import EventKind
from arcferry.fleet.host_state import Action, Decision, HostState, Way
from arcferry.fleet.outcome import HostOutcome, StepResult, StepState
from arcferry.fleet.retries import pause_before, retry_of
from arcferry.fleet.script import sweep
from arcferry.fleet.steps.check import CHECK
from arcferry.fleet.steps.connect import CONNECT
from arcferry.fleet.steps.held import HELD
from arcferry.fleet.steps.install import INSTALL
from arcferry.fleet.steps.stage import STAGE
from arcferry.fleet.steps.survey import SURVEY, survey
from arcferry.fleet.steps.verified import VERIFIED
from arcferry.fleet.steps.verify import VERIFY
from arcferry.fleet.task import HostTask, Step

STEPS = {
    Way.ONBOARD: (STAGE, VERIFY, INSTALL, CHECK, CONNECT, VERIFIED),
    Way.UPGRADE: (HELD, STAGE, VERIFY, INSTALL, VERIFIED),
    Way.RECONNECT: (HELD, STAGE, VERIFY, INSTALL, CHECK, CONNECT, VERIFIED),
}
"""What follows the facts, in this order, by what the run is for."""

NAMES = (SURVEY, *(step.name for step in STEPS[Way.ONBOARD]))
_MOST_SIGN_INS = 3
_LOG = logging.getLogger(__name__)
_Perform = Callable[[HostTask], Awaitable[StepResult]]
Json = dict[str, Any]
Record = Callable[[str, Callable[[], Awaitable[Json]]], Awaitable[Json]]
"""Given a step's name and what it does: the recorded result, or that of doing it, recorded now."""

MayBegin = Callable[[bool], Awaitable[None]]


async def run_steps(
    task: HostTask, record: Record, may_begin: MayBegin
) -> tuple[HostOutcome, list[StepResult]]:
    """Run a host's steps in their order until one fails. Where one is blocked, none is begun.

    Args:
        task: the host.
        record: keeps the result of each step.
        may_begin: awaited before each step with whether it may be left in the middle; returns when the step
            may begin, and raises where this attempt ends here.
    """
    await may_begin(True)
    results = [await _recorded(task, record, SURVEY, _patient(SURVEY, _survey, may_begin, True))]
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
        await may_begin(step.interruptible)
        perform = _patient(step.name, step.perform, may_begin, step.interruptible)
        results.append(await _recorded(task, record, step.name, perform))
        task.results[step.name] = results[-1]
        if results[-1].state is not StepState.DONE:
            return HostOutcome.FAILED, results
    return HostOutcome.CONNECTED, results


def decide(state: HostState) -> list[tuple[Step, Decision]]:
    """What is to be done with each step after the facts: `plan` prints just this."""
    return [(step, step.decide(state)) for step in STEPS[state.way]]


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
        return (await perform(task)).to_json()

    result = StepResult.from_json(await record(name, action))
    kind = EventKind(result.state.value) if ran else EventKind.RECORDED
    task.see(kind, name, result.says, result.seconds)
    return result


def _patient(name: str, perform: _Perform, may_begin: MayBegin, interruptible: bool) -> _Perform:
    """The step, tried again where its failure passes by itself; the waits may be left at any time."""

    async def tried(task: HostTask) -> StepResult:
        began = time.monotonic()
        result = await _signed_in(task, name, perform, may_begin, interruptible)
        for number in count(1):
            retry = retry_of(result)
            if retry is None or number > retry.times:
                break
            pause = pause_before(retry, number)
            task.tell(f"{result.says}; tried again in {pause:.0f} s, {number} of {retry.times}")
            await may_begin(True)
            await asyncio.sleep(pause)
            await may_begin(interruptible)
            result = await _signed_in(task, name, perform, may_begin, interruptible)
        return replace(result, seconds=round(time.monotonic() - began, 3))

    return tried


async def _signed_in(
    task: HostTask, name: str, perform: _Perform, may_begin: MayBegin, interruptible: bool
) -> StepResult:
    """The step's result; where its sign-in is refused, that of doing it anew once it is good again."""

    async def patient(task: HostTask) -> StepResult:
        for _ in range(_MOST_SIGN_INS):
            try:
                return await perform(task)
            except AzureError as error:
                renewal = task.context.renewal
                if renewal is None or not renewal.begin(error):
                    raise
                task.tell("waits for a sign-in that Entra takes")
            await may_begin(True)
            await may_begin(interruptible)
        return await perform(task)

    return await _attempted(task, name, patient)


async def _attempted(task: HostTask, name: str, perform: _Perform) -> StepResult:
    """The step's result; a failure of the host or of Azure is a result too."""
    try:
        return await perform(task)
    except ArcferryError as error:
        code = error.code if isinstance(error, AzureError) else ""
        return StepResult(name, StepState.FAILED, error.message, hint=error.hint, code=code)
    except Exception as error:  # noqa: BLE001  # one host's surprise must not end the others' work
        # The traceback is kept in the run's log.
        _LOG.exception("step %s", name)
        says = f"unexpected {type(error).__name__}; the run's log.txt has the details"
        return StepResult(name, StepState.FAILED, says)
