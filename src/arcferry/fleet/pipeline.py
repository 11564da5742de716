"""One host, from its facts to Azure's own word: the pipeline that plan shows and apply runs."""

import logging
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

from arcferry.errors import ArcferryError, AzureError
from arcferry.fleet.events import Event, EventKind, Observers
from arcferry.fleet.host_state import Action, Decision, HostState, state_from
from arcferry.fleet.outcome import HostOutcome, StepResult, StepState
from arcferry.fleet.script import sweep
from arcferry.fleet.steps import STEPS, SURVEY, Step, survey
from arcferry.fleet.task import HostTask

_LOG = logging.getLogger(__name__)
Json = dict[str, Any]
Record = Callable[[str, Callable[[], Awaitable[Json]]], Awaitable[Json]]
"""Given a step's name and what it does: the recorded result, or that of doing it, recorded now."""


class Pipeline:
    """One attempt at one host.

    `may_begin` is called before each step with whether it may be left in the middle, and raises where the run
    is being stopped.
    """

    def __init__(
        self,
        task: HostTask,
        record: Record,
        may_begin: Callable[[bool], None],
        observers: Observers,
        *,
        attempt: int = 1,
        finished: frozenset[str] = frozenset(),
        begun: frozenset[str] = frozenset(),
    ) -> None:
        self._task = task
        self._record = record
        self._may_begin = may_begin
        self._observers = observers
        self._attempt = attempt
        self._finished = finished
        self._begun = begun

    async def run(self) -> tuple[HostOutcome, list[StepResult]]:
        """Run the steps in their order until one fails. Where one is blocked, none is begun."""
        results = [await self._recorded(SURVEY, self._survey, interruptible=True)]
        if results[0].state is not StepState.DONE:
            return HostOutcome.FAILED, results
        context = self._task.context
        state = state_from(
            results[0].data,
            self._task.host,
            context.target,
            context.bundle,
            finished=self._finished,
            begun=self._begun,
        )
        self._task.state = state
        decided = decide(state)
        for step, decision in decided:
            if decision.action is Action.BLOCK:
                results.append(StepResult(step.name, StepState.BLOCKED, decision.why, hint=decision.hint))
                self._tell(results[-1])
                return HostOutcome.BLOCKED, results
        for step, decision in decided:
            if decision.action is Action.SKIP:
                results.append(StepResult(step.name, StepState.SKIPPED, decision.why, hint=decision.hint))
                self._tell(results[-1])
                continue
            results.append(
                await self._recorded(step.name, self._performing(step), interruptible=step.interruptible)
            )
            if results[-1].state is not StepState.DONE:
                return HostOutcome.FAILED, results
        return HostOutcome.CONNECTED, results

    async def _survey(self) -> StepResult:
        data = await survey(self._task)
        await sweep(await self._task.session())
        facts = data["facts"]
        return StepResult(SURVEY, StepState.DONE, f"{facts['distro']}, {facts['arch']}", data=data)

    def _performing(self, step: Step) -> Callable[[], Awaitable[StepResult]]:
        return lambda: step.perform(self._task)

    async def _recorded(
        self, name: str, action: Callable[[], Awaitable[StepResult]], *, interruptible: bool
    ) -> StepResult:
        ran = False

        async def perform() -> Json:
            nonlocal ran
            ran = True
            self._see(EventKind.STARTED, name)
            self._task.tell = lambda says: self._see(EventKind.WAITING, name, says)
            return (await _attempted(name, action)).to_json()

        self._may_begin(interruptible)
        result = StepResult.from_json(await self._record(name, perform))
        self._tell(result, recorded=not ran)
        return result

    def _tell(self, result: StepResult, *, recorded: bool = False) -> None:
        # Each state of a step is a kind of event by the same word.
        kind = EventKind.RECORDED if recorded else EventKind(result.state.value)
        self._see(kind, result.step, result.says, result.seconds)

    def _see(self, kind: EventKind, step: str, says: str = "", seconds: float = 0.0) -> None:
        self._observers.see(Event(self._task.host.name, kind, step, says, self._attempt, seconds))


def decide(state: HostState) -> list[tuple[Step, Decision]]:
    """What is to be done with each step after the facts: `plan` prints just this."""
    return [(step, step.decide(state)) for step in STEPS]


async def _attempted(name: str, action: Callable[[], Awaitable[StepResult]]) -> StepResult:
    """The step's result; a failure of the host or of Azure is a result too."""
    began = time.monotonic()
    try:
        result = await action()
    except ArcferryError as error:
        code = error.code if isinstance(error, AzureError) else ""
        result = StepResult(name, StepState.FAILED, error.message, hint=error.hint, code=code)
    except Exception as error:  # noqa: BLE001  # one host's surprise must not end the others' work
        # The traceback is kept in the run's log.
        _LOG.exception("step %s", name)
        says = f"unexpected {type(error).__name__}; the run's log.txt has the details"
        result = StepResult(name, StepState.FAILED, says)
    return replace(result, seconds=round(time.monotonic() - began, 3))
