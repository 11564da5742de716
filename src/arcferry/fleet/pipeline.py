"""One host, from its facts to Azure's own word: the pipeline that plan shows and apply runs."""

import logging
import time
from collections.abc import Awaitable, Callable
from typing import Any, Protocol

from arcferry.errors import ArcferryError, AzureError
from arcferry.fleet.events import Event, Kind, Watchers
from arcferry.fleet.outcome import Outcome, StepResult, StepState
from arcferry.fleet.script import sweep
from arcferry.fleet.situation import Decision, Situation, Verdict, situation_from
from arcferry.fleet.steps import STEPS, SURVEY, Step, survey
from arcferry.fleet.work import Work

_LOG = logging.getLogger(__name__)
_KINDS = {
    StepState.DONE: Kind.DONE,
    StepState.SKIPPED: Kind.SKIPPED,
    StepState.FAILED: Kind.FAILED,
    StepState.BLOCKED: Kind.BLOCKED,
}
Json = dict[str, Any]


class Recorder(Protocol):
    """Keeps the result of each step, so that a step that ended is not run again."""

    async def step(self, name: str, action: Callable[[], Awaitable[Json]]) -> Json:
        """The recorded result of that step, or that of `action`, recorded now."""

    async def may_begin(self, step: str, *, interruptible: bool) -> None:
        """Return where the step may begin; where the run is being stopped, end this host's work."""


class Pipeline:
    """One attempt at one host."""

    def __init__(
        self,
        work: Work,
        recorder: Recorder,
        watchers: Watchers,
        *,
        attempt: int = 1,
        finished: frozenset[str] = frozenset(),
        begun: frozenset[str] = frozenset(),
    ) -> None:
        self._work = work
        self._recorder = recorder
        self._watchers = watchers
        self._attempt = attempt
        self._finished = finished
        self._begun = begun

    async def run(self) -> tuple[Outcome, list[StepResult]]:
        """Run the steps in their order until one fails. Where one is blocked, none is begun."""
        results = [await self._recorded(SURVEY, self._survey, interruptible=True)]
        if results[0].state is not StepState.DONE:
            return Outcome.FAILED, results
        situation = self._situation(results[0])
        self._work.situation = situation
        decided = decide(situation)
        blocked = [
            _decided(step, decision) for step, decision in decided if decision.verdict is Verdict.BLOCK
        ]
        if blocked:
            self._tell(blocked[0])
            return Outcome.BLOCKED, [*results, blocked[0]]
        for step, decision in decided:
            if decision.verdict is Verdict.SKIP:
                results.append(_decided(step, decision))
                self._tell(results[-1])
                continue
            results.append(
                await self._recorded(step.name, self._performing(step), interruptible=step.interruptible)
            )
            if results[-1].state is not StepState.DONE:
                return Outcome.FAILED, results
        return Outcome.CONNECTED, results

    def _situation(self, surveyed: StepResult) -> Situation:
        shared = self._work.shared
        return situation_from(
            surveyed.data,
            self._work.host,
            shared.target,
            shared.bundle,
            finished=self._finished,
            begun=self._begun,
        )

    async def _survey(self) -> StepResult:
        data = await survey(self._work)
        await sweep(await self._work.session())
        facts = data["facts"]
        return StepResult(SURVEY, StepState.DONE, f"{facts['distro']}, {facts['arch']}", data=data)

    def _performing(self, step: Step) -> Callable[[], Awaitable[StepResult]]:
        async def perform() -> StepResult:
            return await step.perform(self._work)

        return perform

    async def _recorded(
        self, name: str, action: Callable[[], Awaitable[StepResult]], *, interruptible: bool
    ) -> StepResult:
        ran = False

        async def perform() -> Json:
            nonlocal ran
            ran = True
            self._see(Kind.STARTED, name)
            self._work.tell = lambda says: self._see(Kind.WAITING, name, says)
            return (await attempted(name, action)).to_json()

        await self._recorder.may_begin(name, interruptible=interruptible)
        result = StepResult.from_json(await self._recorder.step(name, perform))
        self._tell(result, recorded=not ran)
        return result

    def _see(self, kind: Kind, step: str, says: str = "") -> None:
        self._watchers.see(Event(self._work.host.name, kind, step, says, attempt=self._attempt))

    def _tell(self, result: StepResult, *, recorded: bool = False) -> None:
        kind = Kind.RECORDED if recorded else _KINDS[result.state]
        self._watchers.see(
            Event(
                self._work.host.name,
                kind,
                result.step,
                result.says,
                attempt=self._attempt,
                seconds=result.seconds,
            )
        )


def decide(situation: Situation) -> list[tuple[Step, Decision]]:
    """What is to be done with each step after the facts: `plan` prints just this."""
    return [(step, step.decide(situation)) for step in STEPS]


async def attempted(name: str, action: Callable[[], Awaitable[StepResult]]) -> StepResult:
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
    values = result.to_json() | {"seconds": round(time.monotonic() - began, 3)}
    return StepResult.from_json(values)


def _decided(step: Step, decision: Decision) -> StepResult:
    state = StepState.BLOCKED if decision.verdict is Verdict.BLOCK else StepState.SKIPPED
    return StepResult(step.name, state, decision.why, hint=decision.hint)
