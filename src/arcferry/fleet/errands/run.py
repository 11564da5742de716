"""Carries an errand out, so many hosts at a time: each one's own result, and a journal of what was done."""

import asyncio
import time
from collections.abc import Mapping
from contextlib import AsyncExitStack, ExitStack
from functools import partial

from arcferry.azure import AzureSession, AzureTarget, Identity, Machine, list_machines
from arcferry.errors import ArcferryError, AzureError, InputError
from arcferry.files import make_private, only_one
from arcferry.fleet.claims import Claims
from arcferry.fleet.errands.errand import (
    ErrandOutcome,
    ErrandRequest,
    ErrandRun,
    ErrandStep,
    HostErrand,
)
from arcferry.fleet.errands.task import ErrandTask
from arcferry.fleet.events import Event, EventKind, Observer, journal
from arcferry.fleet.host_state import Action
from arcferry.fleet.in_azure import sessions_at, targets_of
from arcferry.fleet.inventory import Host
from arcferry.fleet.outcome import StepResult, StepState
from arcferry.fleet.place import target_of
from arcferry.fleet.stop import Stop
from arcferry.redaction import mask
from arcferry.text import one_line
from arcferry.times import now, to_text

JOURNAL = "errands.jsonl"
_BUSY = "Wait for it, or stop it; or use another folder with --state, for other hosts."
_STATES = {Action.SKIP: StepState.SKIPPED, Action.BLOCK: StepState.BLOCKED}
_Places = Mapping[AzureTarget, tuple[AzureSession, Mapping[str, Machine]]]


async def plan_errand(request: ErrandRequest, principal: Identity | None) -> ErrandRun:
    """What it would do with each host. Reads hosts and Azure, and changes neither.

    Raises:
        AzureError: Azure gave no usable answer.
    """
    return await _carried_out(request, principal, lambda _: None, Stop(), acts=False)


async def apply_errand(
    request: ErrandRequest, principal: Identity | None, *, observer: Observer, stop: Stop
) -> ErrandRun:
    """Do it, host by host. Done again, it finds done what was done.

    Raises:
        BlockedError: a run or an errand is at work with the same state folder. Nothing was touched.
        AzureError: Azure gave no usable answer before the first host.
    """
    make_private(request.state)
    path = request.state / JOURNAL
    run = f"{request.errand.name}-{to_text(now())}"
    with ExitStack() as stack:
        stack.enter_context(only_one(request.state, "apply", hint=_BUSY))
        write = stack.enter_context(journal(path, run))

        def see(event: Event) -> None:
            observer(event)
            write(event)

        see(Event("", EventKind.BEGUN, says=f"{request.errand.name} of {len(request.inventory.hosts)} hosts"))
        says = "by a fault"
        try:
            result = await _carried_out(request, principal, see, stop, acts=True, journal_path=str(path))
            says = f"{sum(host.good for host in result.hosts)} of {len(result.hosts)} hosts are as wanted"
        except ArcferryError as error:
            says = error.message
            raise
        finally:
            see(Event("", EventKind.ENDED, says=says))
        return result


async def _carried_out(
    request: ErrandRequest,
    principal: Identity | None,
    see: Observer,
    stop: Stop,
    *,
    acts: bool,
    journal_path: str = "",
) -> ErrandRun:
    if principal is None and (request.errand.asks_azure or request.wishes.only_azure):
        raise InputError(
            f"{request.errand.name} asks Azure, and no secret, certificate or other identity was given",
            hint="Set AZURE_CLIENT_SECRET, or pass --secret-file or --certificate; or --az-login, "
            "--managed-identity or --federated-token-file.",
        )
    async with AsyncExitStack() as stack:
        places = await _places(request, principal, stack) if principal is not None else {}
        crew = _Crew(request, places, see, stop, acts=acts)
        hosts = await asyncio.gather(*map(crew.work, request.inventory.hosts))
    interrupted = bool(stop.asked)
    return ErrandRun(request, acts, tuple(hosts), journal_path, interrupted, crew.refusal)


async def _places(request: ErrandRequest, principal: Identity, stack: AsyncExitStack) -> _Places:
    """A session for each place that hosts are in, and the machines there; had before any host is asked."""
    targets = tuple(targets_of(request.target, request.inventory.hosts))
    sessions = await stack.enter_async_context(sessions_at(targets, principal))
    return {target: (session, await list_machines(session)) for target, session in sessions.items()}


class _Crew:
    """Everything that the hosts of one errand share."""

    def __init__(
        self, request: ErrandRequest, places: _Places, see: Observer, stop: Stop, *, acts: bool
    ) -> None:
        self.refusal = ""
        self._request = request
        self._places = places
        self._see = see
        self._stop = stop
        self._acts = acts
        self._turns = asyncio.Semaphore(request.concurrency)
        self._claims = Claims({host.name.lower(): host for host in request.inventory.hosts})
        self._failed = 0

    async def work(self, host: Host) -> HostErrand:
        """One host, when its turn comes."""
        async with self._turns:
            if self._stop.asked or self.refusal:
                self._see(Event(host.name, EventKind.STOPPED, says=self.refusal))
                return HostErrand(host, ErrandOutcome.STOPPED)
            target = target_of(self._request.target, host.place)
            session, machines = self._places.get(target, (None, {}))
            task = ErrandTask(host, self._request, session, self._see)
            try:
                result = await self._worked(task, machines.get(host.name.lower()))
            finally:
                await asyncio.shield(task.close())
        self._note(result)
        return result

    def _note(self, result: HostErrand) -> None:
        if self._acts:
            kinds = {ErrandOutcome.UNCHANGED: EventKind.DONE, ErrandOutcome.PLANNED: EventKind.DONE}
            kind = kinds.get(result.outcome) or EventKind(result.outcome.value)
            self._see(Event(result.host.name, kind, says=self._request.errand.done * result.good))
        self._failed += not result.good and result.outcome is not ErrandOutcome.STOPPED
        most = self._request.most_failures
        if self._acts and most is not None and self._failed >= most:
            self.refusal = "too many servers failed, so no further one was begun"

    async def _worked(self, task: ErrandTask, machine: Machine | None) -> HostErrand:
        host, errand = task.host, self._request.errand
        try:
            state = await task.survey(self._claims, machine)
        except Exception as error:  # noqa: BLE001  # as in `_performed`
            failure = _failure("facts", error)
            task.see(EventKind.FAILED, "facts", failure.says)
            return HostErrand(host, ErrandOutcome.FAILED, steps=(_with_way_out(failure, self._request),))
        decided = tuple(errand.decide(state))
        made = partial(HostErrand, host, now=state, decided=decided)
        for name, decision in decided:
            if decision.action is Action.BLOCK:
                blocked = StepResult(name, StepState.BLOCKED, decision.why, decision.hint)
                task.see(EventKind.BLOCKED, name, decision.why)
                return made(ErrandOutcome.BLOCKED, steps=(blocked,))
        if not any(one.action is Action.RUN for _, one in decided):
            return made(ErrandOutcome.UNCHANGED)
        if not self._acts:
            return made(ErrandOutcome.PLANNED)
        outcome, steps = await self._run(task, errand.steps)
        return made(outcome, steps=tuple(steps))

    async def _run(
        self, task: ErrandTask, steps: tuple[ErrandStep, ...]
    ) -> tuple[ErrandOutcome, list[StepResult]]:
        results: list[StepResult] = []
        for step in steps:
            decision = step.decide(task.now)
            if decision.action is not Action.RUN:
                results.append(StepResult(step.name, _STATES[decision.action], decision.why, decision.hint))
                task.see(EventKind(results[-1].state.value), step.name, decision.why)
                continue
            if self._stop.asked:
                return ErrandOutcome.STOPPED, results
            results.append(await _performed(task, step))
            if results[-1].state is not StepState.DONE:
                return ErrandOutcome.FAILED, results
        return ErrandOutcome.DONE, results


async def _performed(task: ErrandTask, step: ErrandStep) -> StepResult:
    task.step = step.name
    task.see(EventKind.STARTED, step.name)
    began = time.monotonic()
    try:
        result = await step.perform(task)
    except Exception as error:  # noqa: BLE001  # one host's surprise must not end the others' work
        result = _failure(step.name, error)
    task.see(EventKind(result.state.value), step.name, result.says, time.monotonic() - began)
    return result


def _failure(step: str, error: Exception) -> StepResult:
    if not isinstance(error, ArcferryError):
        says = one_line(mask(f"unexpected {type(error).__name__}: {error}"))
        return StepResult(
            step, StepState.FAILED, says, "This is a fault of arcferry's own: please report it."
        )
    code = error.code if isinstance(error, AzureError) else ""
    return StepResult(step, StepState.FAILED, error.message, error.hint, code)


def _with_way_out(failure: StepResult, request: ErrandRequest) -> StepResult:
    if request.errand.name != "offboard" or not request.asks_host or failure.code:
        return failure
    gone = "If the server is gone for good, offboard it with --only-azure."
    return StepResult(failure.step, failure.state, failure.says, f"{failure.hint} {gone}".strip())
