"""Works on every host of a run, side by side, with durable records, a failure budget and a way to stop."""

import asyncio
from collections.abc import Coroutine, Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Any, TypeVar

from arcferry.azure import PreflightCheck
from arcferry.errors import FileInputError
from arcferry.fleet.events import Event, EventKind, Observer
from arcferry.fleet.gate import Gate
from arcferry.fleet.holds import Holds, WindowClosedError
from arcferry.fleet.inventory import Host
from arcferry.fleet.networks import named, networks_of
from arcferry.fleet.outcome import AGENT_STEPS, FleetRun, HostOutcome, HostRun, StepState
from arcferry.fleet.pipeline import run_steps
from arcferry.fleet.proof import PROOF, PathProof, Prover
from arcferry.fleet.records import RecordedAttempt, RunRecords, open_records, recorded_step
from arcferry.fleet.results import read_result, still_connected
from arcferry.fleet.run_folder import RunFolder, target_to_json
from arcferry.fleet.stop import Stop
from arcferry.fleet.task import HostTask, RunContext
from arcferry.fleet.waves import CANARY, stages
from arcferry.times import from_text, now, to_text

_POLL = 0.5
_LAST_STEPS = 900.0
SPENT = "the failure budget is spent, so no further host was begun"
NO_PATH = "the path to Azure is not there, so nothing was begun"
Json = dict[str, Any]
Attempts = Mapping[str, RecordedAttempt]
_Result = TypeVar("_Result")


class FleetRunner:
    """Works on every host of an inventory, and keeps what was done in the run's folder."""

    def __init__(
        self,
        context: RunContext,
        folder: RunFolder,
        observer: Observer,
        stop: Stop,
        *,
        gate: Gate,
        holds: Holds,
    ) -> None:
        self._request = context.request
        self._hosts = {host.name: host for host in self._request.inventory.hosts}
        self._context = context
        self._folder = folder
        self._stage_of: dict[str, str] = {}
        self._observer = observer
        self._stop = stop
        self._gate = gate
        self._holds = holds
        self._stop.listen(self._on_stop)
        self._tasks: dict[str, tuple[asyncio.Task[Any], bool]] = {}
        self._left: set[str] = set()
        self._failed: set[str] = set()
        self._cut_short: set[str] = set()
        self._ended: dict[str, asyncio.Event] = {}
        self._beginning: asyncio.Future[Any] | None = None
        self._proof = PathProof()
        self._lost: FileInputError | None = None
        self._records: RunRecords  # from when `apply` has opened them
        self._changed = asyncio.Event()

    def _see(self, event: Event) -> None:
        self._observer(replace(event, stage=self._stage_of.get(event.host, "")))

    @property
    def _ending(self) -> bool:
        return self._stop.asked > 0 or self._lost is not None

    @property
    def _spent(self) -> bool:
        budget = self._request.stop_after
        return budget is not None and len(self._failed) >= budget

    def _takes(self, name: str) -> bool:
        return self._request.only is None or name in self._request.only

    async def apply(self, checks: tuple[PreflightCheck, ...]) -> FleetRun:
        """Bring every host to Connected that is not, and say how each stands.

        Raises:
            FileInputError: the records cannot be kept.
        """
        already: dict[str, HostRun] = {}
        kept_out: dict[str, HostRun] = {}
        # What an earlier process left unfinished would go on as soon as its record is opened.
        self._gate.hold(PROOF, "the path to Azure is being proved")
        async with open_records(
            self._folder, self._work_on, concurrency=self._request.concurrency, lost=self._on_lost
        ) as self._records:
            known = await self._records.attempts()
            for host in self._hosts.values():
                machines = self._context.of_host(host).machines
                done = still_connected(host, known.get(host.name), machines)
                if done is not None:
                    already[host.name] = done
                    self._see(Event(host.name, EventKind.CONNECTED, says="already done"))
            kept_out = await self._until_stopped(self._work(known, set(already))) or kept_out
            await self._until_all_ended(set(self._hosts) - set(already) - set(kept_out))
            if self._lost is not None:
                raise self._lost
            ended = await self._records.attempts()
            runs = [
                already.get(name) or kept_out.get(name) or await self._host_run(host, ended.get(name))
                for name, host in self._hosts.items()
            ]
        return self._result(checks, runs)

    def _result(self, checks: tuple[PreflightCheck, ...], runs: list[HostRun]) -> FleetRun:
        bundle = self._request.bundle
        return FleetRun(
            id=self._folder.id,
            started=self._folder.started,
            ended=now(),
            bundle={"id": bundle.id, "version": str(bundle.manifest.version), "path": str(bundle.path)},
            target=target_to_json(self._request.target),
            checks=checks,
            hosts=tuple(replace(run, stage=self._stage_of.get(run.host.name, "")) for run in runs),
            state=str(self._folder.path),
            spent=self._spent,
            interrupted=bool(self._stop.asked),
            proof=tuple(one.told for one in self._proof.networks),
            refusal=self._gate.refusal,
            cancelled=self._holds.cancelled.says if self._holds.cancelled else "",
        )

    async def _until_stopped(self, work: Coroutine[Any, Any, _Result]) -> _Result | None:
        """The result of work that begins hosts, None where the run was stopped; what it began goes on."""
        self._beginning = task = asyncio.ensure_future(work)
        if self._ending:
            task.cancel()
        try:
            await asyncio.wait([task])
        finally:
            task.cancel()
        return None if task.cancelled() else task.result()

    async def _work(self, known: Attempts, already: set[str]) -> dict[str, HostRun]:
        """Prove the path, then one stage after the other; gives the hosts that were kept out."""
        left = {name: host for name, host in self._hosts.items() if name not in already and self._takes(name)}
        canaries = await self._prove(known, left)
        kept_out = self._proof.kept_out()
        for run in kept_out.values():
            # What a server itself failed of was told as it failed.
            says = run.failure.says if run.failure and run.outcome is HostOutcome.BLOCKED else ""
            self._see(Event(run.host.name, EventKind(run.outcome.value), says=says))
            left.pop(run.host.name)
        if self._proof.broken:
            self._gate.refuse(NO_PATH)
        self._gate.release(PROOF)
        turns = asyncio.Semaphore(self._request.concurrency)
        everyone = list(self._hosts.values())
        plan = list(stages(everyone, canaries, self._request.waves))
        if canaries or len(plan) > 1:
            self._stage_of = {host.name: stage.name for stage in plan for host in stage.hosts}
        for stage in plan:
            hosts = [host for host in stage.hosts if host.name in left]
            await asyncio.gather(*(self._begin(host, known.get(host.name), turns) for host in hosts))
            failed = [host.name for host in hosts if host.name in self._failed]
            if stage.name == CANARY and failed:
                self._gate.refuse(f"{named(failed)} went ahead and failed, so no further host was begun")
        return kept_out

    async def _prove(self, known: Attempts, left: dict[str, Host]) -> tuple[Host, ...]:
        """Prove the path of every network that has hosts left, and choose those that go before the others.

        A network one of whose servers is connected already needs no canary: that one was it.
        """
        if not self._request.canary or not left:
            return ()
        # What failed before is asked last, so that one odd server does not end each run before it begins.
        hosts = sorted(left.values(), key=lambda host: _failed_before(known.get(host.name)))
        prover = Prover(self._context, self._task, self._holds.resumed)
        self._proof = await prover.prove(networks_of(hosts))
        done = set(networks_of(host for name, host in self._hosts.items() if name not in left))
        waiting = [one for one in self._proof.networks if one.network not in done]
        return tuple(host for one in waiting for host in one.canaries(self._request.canary))

    async def _begin(self, host: Host, recorded: RecordedAttempt | None, turns: asyncio.Semaphore) -> None:
        """Let a host's work begin when its turn comes, and wait until it has ended for good."""
        ended = self._ended.setdefault(host.name, asyncio.Event())
        while True:
            if recorded is not None and recorded.active:
                await ended.wait()  # it goes on by itself, from the step that it was at
            else:
                await self._one_attempt(host, recorded, turns, ended)
            if host.name not in self._cut_short:
                return
            self._cut_short.discard(host.name)
            ended.clear()
            # The record of the attempt that its window ended follows by a moment.
            while (recorded := (await self._records.attempts()).get(host.name)) and recorded.active:
                await self._holds.next_look()

    async def _one_attempt(
        self, host: Host, recorded: RecordedAttempt | None, turns: asyncio.Semaphore, ended: asyncio.Event
    ) -> None:
        attempt, finished, begun = 1, set[str](), set[str]()
        if recorded is not None:
            attempt = recorded.attempt + 1
            finished, begun = await self._done_before(recorded)
        while await self._passes(host, attempt):
            if self._holds.tell(host):
                await self._holds.next_look()
                continue
            async with turns:
                if self._gate.held(host) or self._gate.refusal or self._holds.why(host):
                    continue
                given = {"started": to_text(now()), "finished": sorted(finished), "begun": sorted(begun)}
                await self._records.enqueue(host.name, attempt, given)
                await ended.wait()
                return
        self._see(Event(host.name, EventKind.STOPPED, says=self._gate.refusal, attempt=attempt))

    async def _passes(self, host: Host, attempt: int) -> bool:
        def waits(why: str) -> None:
            self._see(Event(host.name, EventKind.WAITING, says=why, attempt=attempt))

        return await self._gate.passes(host, waits)

    async def _done_before(self, recorded: RecordedAttempt) -> tuple[set[str], set[str]]:
        """Steps that ended well in earlier attempts, and steps that were begun."""
        finished = set(recorded.given.get("finished", ()))
        begun = set(recorded.given.get("begun", ()))
        for name, output in await self._records.steps(recorded.host, recorded.attempt):
            begun.add(name)
            if output.get("state") == StepState.DONE.value:
                finished.add(name)
        was_connected = recorded.result is not None and recorded.result.get("outcome") == "connected"
        # A host that was connected and no longer is begins anew: what passed then proves nothing now.
        return (set(), begun) if was_connected else (finished, begun)

    async def _work_on(self, name: str, attempt: int, given: Json) -> Json:
        """The durable work on one host; DBOS calls it, also for what an earlier process left unfinished."""
        current = asyncio.current_task()
        host = self._hosts.get(name)
        if (
            host is None
            or current is None
            or not self._takes(name)
            or not await self._admitted(host, current, attempt)
        ):
            self._tasks.pop(name, None)
            self._leave(name)
            raise asyncio.CancelledError
        try:
            started = from_text(str(given["started"]))
        except (KeyError, ValueError):
            started = self._folder.started
        task = self._task(
            host, started, attempt, finished=frozenset(given["finished"]), begun=frozenset(given["begun"])
        )
        try:
            outcome, steps = await run_steps(task, recorded_step, partial(self._enter, name))
        except WindowClosedError:
            # Its turn is another host's meanwhile; a new attempt goes on where this one ends.
            self._cut_short.add(name)
            self._has_ended(name)
            return {"outcome": HostOutcome.STOPPED.value, "steps": []}
        except BaseException:
            # Stopped, or its record could not be kept: either way there is no result to wait for.
            self._leave(name)
            raise
        finally:
            self._tasks.pop(name, None)
            await asyncio.shield(task.close())
        if outcome is not HostOutcome.CONNECTED:
            self._failed.add(name)
            if self._spent:
                self._gate.refuse(SPENT)
        # Each way in which work can end is a kind of event by the same word.
        self._see(Event(name, EventKind(outcome.value), attempt=attempt))
        self._has_ended(name)
        # The path evidence is in the failed step's own record, once.
        return {"outcome": outcome.value, "steps": [replace(step, path="").to_json() for step in steps]}

    async def _admitted(self, host: Host, current: asyncio.Task[Any], attempt: int) -> bool:
        """Whether the host may begin, once the gate has decided; a stopped run ends the wait."""
        if self._ending or not self._takes(host.name):
            return False
        self._tasks[host.name] = (current, True)
        try:
            return await self._passes(host, attempt) and not self._ending
        except asyncio.CancelledError:
            return False

    def _leave(self, name: str) -> None:
        """This host's work ends here without a result; its record says that it goes on some time."""
        self._left.add(name)
        self._see(Event(name, EventKind.STOPPED))
        self._has_ended(name)

    def _has_ended(self, name: str) -> None:
        self._ended.setdefault(name, asyncio.Event()).set()
        self._changed.set()

    def _task(self, host: Host, started: datetime | None = None, attempt: int = 1, **before: Any) -> HostTask:  # noqa: ANN401  # as HostTask takes it
        return HostTask(host, self._context, started or now(), attempt=attempt, observer=self._see, **before)

    async def _enter(self, name: str, interruptible: bool) -> None:
        """A host is about to begin a step, and waits here while the run is held.

        Raises:
            asyncio.CancelledError: the run is being stopped.
            WindowClosedError: its window has closed.
        """
        if self._ending:
            raise asyncio.CancelledError
        current = self._tasks[name][0]
        self._tasks[name] = (current, True)
        await self._holds.pass_(self._hosts[name])
        self._tasks[name] = (current, interruptible)

    def _on_stop(self) -> None:
        if self._beginning is not None:
            self._beginning.cancel()
        for task, interruptible in list(self._tasks.values()):
            if interruptible or self._stop.asked > 1:
                task.cancel()
        self._changed.set()

    def _on_lost(self, error: FileInputError) -> None:
        """No step can be recorded any more: what is being installed or connected ends, and nothing begins."""
        self._lost = self._lost or error
        self._on_stop()

    async def _until_all_ended(self, names: set[str]) -> None:
        """Wait until no record is active but those that were left, or the run has to end."""
        deadline: float | None = None
        while True:
            self._changed.clear()
            if self._ending and not self._tasks:
                return
            if self._lost is None and not await self._busy(names):
                return
            if self._ending and deadline is None:
                deadline = asyncio.get_running_loop().time() + _LAST_STEPS
            if deadline is not None and asyncio.get_running_loop().time() > deadline:
                return
            with suppress(TimeoutError):
                async with asyncio.timeout(_POLL):
                    await self._changed.wait()
                    # The record follows the news by a moment.
                    await asyncio.sleep(0.02)

    async def _busy(self, names: set[str]) -> bool:
        try:
            return bool((await self._records.active()) & names - self._left)
        except FileInputError as error:
            self._on_lost(error)
            return True

    async def _host_run(self, host: Host, recorded: RecordedAttempt | None) -> HostRun:
        """How a host ended, with the path evidence of the step that failed."""
        run = read_result(host, recorded)
        failure = run.failure
        if recorded is None or failure is None or failure.step not in AGENT_STEPS:
            return run
        for name, output in await self._records.steps(host.name, recorded.attempt):
            if name == failure.step and output.get("path"):
                measured = replace(failure, path=str(output["path"]))
                steps = tuple(measured if step is failure else step for step in run.steps)
                return replace(run, steps=steps)
        return run


def _failed_before(recorded: RecordedAttempt | None) -> bool:
    return recorded is not None and not recorded.active
