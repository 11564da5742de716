"""The hosts of one errand, side by side: who goes ahead, which wave follows, and each one's own result."""

import asyncio
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from functools import partial

from arcferry.azure import AzureSession, AzureTarget, Machine, get_machine
from arcferry.errors import ArcferryError, AzureError
from arcferry.fleet.claims import Claims
from arcferry.fleet.errands.errand import ErrandOutcome, ErrandRequest, ErrandStep, HostErrand
from arcferry.fleet.errands.task import ErrandTask
from arcferry.fleet.events import Event, EventKind, Observer
from arcferry.fleet.holds import WINDOW
from arcferry.fleet.host_state import Action
from arcferry.fleet.inventory import Host
from arcferry.fleet.networks import named, networks_of
from arcferry.fleet.outcome import StepResult, StepState
from arcferry.fleet.place import target_of
from arcferry.fleet.stop import Stop
from arcferry.fleet.waves import CANARY, Stage, stages
from arcferry.redaction import mask
from arcferry.text import one_line
from arcferry.times import now

Places = Mapping[AzureTarget, tuple[AzureSession, Mapping[str, Machine]]]
SPENT = "too many servers failed, so no further one was begun"
_STATES = {Action.SKIP: StepState.SKIPPED, Action.BLOCK: StepState.BLOCKED}
_LONGEST_NAP = 60.0
"""Seconds: the clock may be set, or the computer have slept, while a host waits for its window."""


class Crew:
    """Everything that the hosts of one errand share."""

    def __init__(
        self, request: ErrandRequest, places: Places, see: Observer, stop: Stop, *, acts: bool
    ) -> None:
        self.refusal = ""
        self._request = request
        self._places = places
        self._observer = see
        self._stop = stop
        self._acts = acts
        self._turns = asyncio.Semaphore(request.concurrency)
        self._claims = Claims({host.name.lower(): host for host in request.inventory.hosts})
        self._failed = 0
        self._ended: dict[str, HostErrand] = {}
        self._stage_of: dict[str, str] = {}
        self._over = asyncio.Event()
        stop.listen(self._over.set)

    def _see(self, event: Event) -> None:
        self._observer(replace(event, stage=self._stage_of.get(event.host, "")))

    async def everyone(self) -> tuple[tuple[HostErrand, ...], tuple[Stage, ...]]:
        """Each host's part, in the inventory's order, and the stages in which they were taken up."""
        hosts = self._request.inventory.hosts
        if self._acts:
            order = await self._in_order()
        else:
            await asyncio.gather(*map(self._work, hosts))
            order = _kept(self._order(self._canaries()), self._planned())
        ended = [replace(self._ended[host.name], stage=self._stage_of.get(host.name, "")) for host in hosts]
        return tuple(ended), order

    async def _in_order(self) -> tuple[Stage, ...]:
        networks = networks_of(self._by_opening()) if self._request.canary else {}
        found = await asyncio.gather(*map(self._go_ahead, networks.values()))
        order = self._order([host for ahead in found for host in ahead])
        for stage in order:
            left = [host for host in stage.hosts if host.name not in self._ended]
            await asyncio.gather(*map(self._work, left))
        return order

    async def _go_ahead(self, hosts: Sequence[Host]) -> list[Host]:
        """Servers of one network in turn, until enough went ahead: gives those.

        One that has nothing to be done was there before. One that cannot be reached, or must not be touched,
        tells nothing of the others and is passed over.
        """
        ahead: list[Host] = []
        for host in hosts:
            if len(ahead) == self._request.canary or self._ends:
                break
            self._stage_of[host.name] = CANARY
            result = await self._work(host)
            if _tells_nothing(result):
                continue
            ahead.append(host)
            if not result.good:
                self._refuse(f"{named([host.name])} went ahead and failed, so no further server was begun")
        return ahead

    def _canaries(self) -> list[Host]:
        """Those that would go ahead, by what is known of each."""
        networks = networks_of(self._by_opening()).values()
        able = ([host for host in hosts if self._ended[host.name].good] for hosts in networks)
        return [host for hosts in able for host in hosts[: self._request.canary]]

    def _by_opening(self) -> list[Host]:
        """The hosts, those first that may begin first."""
        at = now()
        return sorted(self._request.inventory.hosts, key=lambda host: self._opens(host, at))

    def _order(self, canaries: Sequence[Host]) -> tuple[Stage, ...]:
        order = tuple(stages(self._request.inventory.hosts, canaries, self._request.waves))
        self._stage_of = {host.name: stage.name for stage in order for host in stage.hosts if len(order) > 1}
        return order

    def _planned(self) -> set[str]:
        return {name for name, one in self._ended.items() if one.outcome is ErrandOutcome.PLANNED}

    @property
    def _ends(self) -> bool:
        return bool(self._stop.asked or self.refusal)

    def _refuse(self, why: str) -> None:
        self.refusal = self.refusal or why
        self._over.set()

    def _opens(self, host: Host, at: datetime) -> datetime:
        """When a host may be begun: `at` where it may then."""
        window = (host.window or self._request.window) if self._request.asks_host else None
        return window.opens(at) if window else at

    def _waits(self, host: Host) -> str:
        """What a host waits for, whose window is closed; empty where it may begin."""
        at = now()
        window, opens = host.window or self._request.window, self._opens(host, at)
        return f"its window opens {window.said(opens)}" if window and opens > at else ""

    async def _opened(self, host: Host) -> None:
        """Wait until the host's window opens, or nothing is begun any more; says once what it waits for."""
        if says := self._waits(host):
            self._see(Event(host.name, EventKind.WAITING, WINDOW, says))
        while not self._ends and (left := (self._opens(host, at := now()) - at).total_seconds()) > 0:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._over.wait(), min(left, _LONGEST_NAP))

    async def _work(self, host: Host) -> HostErrand:
        """One host, when its window is open and its turn comes."""
        while host.name not in self._ended:
            if self._acts:
                await self._opened(host)
            async with self._turns:
                # While it waited for its turn, its window may have closed again.
                if not self._acts or self._ends or not self._waits(host):
                    self._ended[host.name] = await self._in_turn(host)
        return self._ended[host.name]

    async def _in_turn(self, host: Host) -> HostErrand:
        if self._ends:
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
            self._refuse(SPENT)

    async def _worked(self, task: ErrandTask, machine: Machine | None) -> HostErrand:
        host, errand = task.host, self._request.errand
        try:
            if self._acts and task.has_azure:
                # Since the machines were listed this host may have waited for days.
                machine = await get_machine(task.azure, host.name)
            state = await task.survey(self._claims, machine)
        except Exception as error:  # noqa: BLE001  # as in `_performed`
            failure = failure_of("facts", error)
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
            return made(ErrandOutcome.PLANNED, waits=self._waits(host))
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


def _tells_nothing(result: HostErrand) -> bool:
    """Whether how a host ended says nothing of the others; what Azure answers concerns them too."""
    unseen = result.now is None and not (result.problem and result.problem.code)
    return unseen or result.outcome in (ErrandOutcome.BLOCKED, ErrandOutcome.STOPPED)


def _kept(order: Sequence[Stage], names: set[str]) -> tuple[Stage, ...]:
    """The stages with these hosts alone."""
    found = (replace(one, hosts=tuple(host for host in one.hosts if host.name in names)) for one in order)
    return tuple(one for one in found if one.hosts)


async def _performed(task: ErrandTask, step: ErrandStep) -> StepResult:
    task.step = step.name
    task.see(EventKind.STARTED, step.name)
    began = time.monotonic()
    try:
        result = await step.perform(task)
    except Exception as error:  # noqa: BLE001  # one host's surprise must not end the others' work
        result = failure_of(step.name, error)
    task.see(EventKind(result.state.value), step.name, result.says, time.monotonic() - began)
    return result


def failure_of(step: str, error: Exception) -> StepResult:
    """What went wrong in a step, with the way out."""
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
