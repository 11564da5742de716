"""A run: every host's pipeline, side by side, durable, with a failure budget and a way to stop."""

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import aclosing, suppress
from dataclasses import replace
from functools import partial
from typing import Any, TypeVar

from arcferry.azure import (
    SETTLING,
    AzureSession,
    Identity,
    Machine,
    Preflight,
    list_machines,
    prepare,
    signed_in,
)
from arcferry.errors import AzureError, FileInputError, InterruptedRunError
from arcferry.files import only_one
from arcferry.fleet.events import Event, EventKind, Observer, journal
from arcferry.fleet.host_state import at_least
from arcferry.fleet.inventory import Host
from arcferry.fleet.outcome import AGENT_STEPS, FleetRun, HostOutcome, HostRun, StepResult, StepState
from arcferry.fleet.pipeline import run_steps
from arcferry.fleet.poller import MachinePoller
from arcferry.fleet.records import RecordedAttempt, RunRecords, logged, open_records, recorded_step
from arcferry.fleet.run_folder import RunFolder, open_run, target_to_json
from arcferry.fleet.task import HostTask, RunContext, RunRequest
from arcferry.times import from_text, now, to_text

_POLL = 0.5
_LAST_STEPS = 900.0
Json = dict[str, Any]
_Result = TypeVar("_Result")
_ANOTHER_FOLDER = "Wait for it, or stop it; or use another folder with --state, for other hosts."


class Stop:
    """How a run is told to stop, once to end what runs and begin nothing, twice to leave it."""

    def __init__(self) -> None:
        self.asked = 0
        self._listeners: list[Callable[[], object]] = []

    def ask(self) -> None:
        """Ask once more."""
        self.asked += 1
        for listener in self._listeners:
            listener()

    def listen(self, listener: Callable[[], object]) -> None:
        """Be called at every asking."""
        self._listeners.append(listener)


class FleetRunner:
    """Works on every host of an inventory, and keeps what was done in the run's folder."""

    def __init__(
        self,
        context: RunContext,
        folder: RunFolder,
        observer: Observer,
        stop: Stop,
    ) -> None:
        self._request = context.request
        self._hosts = {host.name: host for host in self._request.inventory.hosts}
        self._context = context
        self._folder = folder
        self._observer = observer
        self._stop = stop
        self._stop.listen(self._on_stop)
        self._tasks: dict[str, tuple[asyncio.Task[Any], bool]] = {}
        self._left: set[str] = set()
        self._failures = 0
        self._lost: FileInputError | None = None
        self._records: RunRecords  # from when `apply` has opened them
        self._changed = asyncio.Event()

    @property
    def _ending(self) -> bool:
        return self._stop.asked > 0 or self._lost is not None

    @property
    def _spent(self) -> bool:
        budget = self._request.stop_after
        return budget is not None and self._failures >= budget

    async def apply(self, preflight: Preflight) -> FleetRun:
        """Bring every host to Connected that is not, and say how each stands.

        Raises:
            FileInputError: the records cannot be kept.
        """
        already: dict[str, HostRun] = {}
        async with open_records(
            self._folder, self._work_on, concurrency=self._request.concurrency, lost=self._on_lost
        ) as self._records:
            known = await self._records.attempts()
            for host in self._hosts.values():
                done = _still_connected(host, known.get(host.name), preflight.machines)
                if done is not None:
                    already[host.name] = done
                    self._observer(Event(host.name, EventKind.CONNECTED, says="already done"))
                    continue
                await self._begin(host, known.get(host.name))
            await self._until_all_ended(set(self._hosts) - set(already))
            if self._lost is not None:
                raise self._lost
            ended = await self._records.attempts()
            runs = [
                already.get(name) or await self._host_run(host, ended.get(name))
                for name, host in self._hosts.items()
            ]
        bundle = self._request.bundle
        return FleetRun(
            id=self._folder.id,
            started=self._folder.started,
            ended=now(),
            bundle={"id": bundle.id, "version": str(bundle.manifest.version), "path": str(bundle.path)},
            target=target_to_json(self._request.target),
            checks=preflight.checks,
            hosts=tuple(runs),
            state=str(self._folder.path),
            spent=self._spent,
            interrupted=bool(self._stop.asked),
        )

    async def _begin(self, host: Host, recorded: RecordedAttempt | None) -> None:
        if self._ending:
            return
        if recorded is not None and recorded.active:
            return  # it goes on by itself, from the step that it was at
        attempt, finished, begun = 1, set[str](), set[str]()
        if recorded is not None:
            attempt = recorded.attempt + 1
            finished, begun = await self._done_before(recorded)
        given = {"started": to_text(now()), "finished": sorted(finished), "begun": sorted(begun)}
        await self._records.enqueue(host.name, attempt, given)

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
        if host is None or current is None or self._ending or self._spent:
            self._leave(name)
            raise asyncio.CancelledError
        self._tasks[name] = (current, True)
        try:
            started = from_text(str(given["started"]))
        except (KeyError, ValueError):
            started = self._folder.started
        task = HostTask(
            host,
            self._context,
            started,
            attempt=attempt,
            finished=frozenset(given["finished"]),
            begun=frozenset(given["begun"]),
            observer=self._observer,
        )
        try:
            outcome, steps = await run_steps(task, recorded_step, partial(self._enter, name))
        except BaseException:
            # Stopped, or its record could not be kept: either way there is no result to wait for.
            self._leave(name)
            raise
        finally:
            self._tasks.pop(name, None)
            await asyncio.shield(task.close())
        if outcome is not HostOutcome.CONNECTED:
            self._failures += 1
        # Each way in which work can end is a kind of event by the same word.
        self._observer(Event(name, EventKind(outcome.value), attempt=attempt))
        self._changed.set()
        # The path evidence is in the failed step's own record, once.
        return {"outcome": outcome.value, "steps": [replace(step, path="").to_json() for step in steps]}

    def _leave(self, name: str) -> None:
        """This host's work ends here without a result; its record says that it goes on some time."""
        self._left.add(name)
        self._observer(Event(name, EventKind.STOPPED))
        self._changed.set()

    def _enter(self, name: str, interruptible: bool) -> None:
        """A host is about to begin a step.

        Raises:
            asyncio.CancelledError: the run is being stopped.
        """
        if self._ending:
            raise asyncio.CancelledError
        self._tasks[name] = (self._tasks[name][0], interruptible)

    def _on_stop(self) -> None:
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
        run = _read_result(host, recorded)
        failure = run.failure
        if recorded is None or failure is None or failure.step not in AGENT_STEPS:
            return run
        for name, output in await self._records.steps(host.name, recorded.attempt):
            if name == failure.step and output.get("path"):
                measured = replace(failure, path=str(output["path"]))
                steps = tuple(measured if step is failure else step for step in run.steps)
                return replace(run, steps=steps)
        return run


def _still_connected(
    host: Host, recorded: RecordedAttempt | None, machines: dict[str, Machine]
) -> HostRun | None:
    """The finished result, where ARM still says the same of the same server; one list answers for all."""
    if recorded is None or recorded.result is None:
        return None
    run = _read_result(host, recorded)
    machine = machines.get(host.name.lower())
    if run.outcome is not HostOutcome.CONNECTED or machine is None or not machine.connected:
        return None
    verified = next((step for step in run.steps if step.step == "verified"), None)
    if verified is None or str(verified.data.get("vm_id", "")).lower() != machine.vm_id.lower():
        return None
    # An earlier arcferry took any heartbeat for good, and recorded no version.
    if "version" not in verified.data or not at_least(machine.agent_version, verified.data["version"]):
        return None
    return replace(run, already=True, machine=machine)


def _read_result(host: Host, recorded: RecordedAttempt | None) -> HostRun:
    if recorded is None:
        return HostRun(host, HostOutcome.STOPPED)
    if recorded.active:
        return HostRun(host, HostOutcome.STOPPED, attempt=recorded.attempt)
    if recorded.result is None:
        lost = StepResult("facts", StepState.FAILED, "the record of this host cannot be used; apply again")
        return HostRun(host, HostOutcome.FAILED, (lost,), recorded.attempt)
    steps = tuple(StepResult.from_json(step) for step in recorded.result["steps"])
    return HostRun(host, HostOutcome(recorded.result["outcome"]), steps, recorded.attempt)


async def apply_fleet(
    request: RunRequest,
    principal: Identity,
    *,
    observer: Observer = lambda _: None,
    stop: Stop | None = None,
) -> FleetRun:
    """Bring every host of the inventory to Connected. Run again, it goes on where it was.

    Raises:
        BlockedError: another apply is running, or Azure is not ready. No host was touched.
        SignInError: no token could be had. No host was touched.
        InterruptedRunError: stopped before any host was touched.
        AzureError: Azure gave no usable answer before the run.
    """
    stop = stop or Stop()
    context = RunContext.of(request)
    with only_one(request.state, "apply", hint=_ANOTHER_FOLDER):
        summary = {
            "inventory": str(request.inventory.path),
            "hosts": len(request.inventory.hosts),
            "bundle": request.bundle.id,
            "target": target_to_json(request.target),
        }
        folder = open_run(request.state, request.run, summary, now())
        with logged(folder), journal(folder.journal, folder.id) as write:

            def see(event: Event) -> None:
                observer(event)
                write(event)

            async with signed_in(request.target, principal) as azure:
                try:
                    preflight = await _stoppable(prepare(azure, pauses=SETTLING, wanted=request.wanted), stop)
                except asyncio.CancelledError:
                    raise InterruptedRunError("stopped before any host was touched") from None
                async with aclosing(MachinePoller(azure)) as poller:
                    context = replace(context, azure=azure, poller=poller, machines=preflight.machines)
                    runner = FleetRunner(context, folder, see, stop)
                    result = await runner.apply(preflight)
                try:
                    return await _stoppable(_with_machines(result, azure), stop)
                except asyncio.CancelledError:
                    return replace(result, interrupted=True)


async def _stoppable(work: Coroutine[Any, Any, _Result], stop: Stop) -> _Result:
    """The result of work that changes nothing, and that the first request to stop ends.

    Raises:
        asyncio.CancelledError: the run is being stopped.
    """
    task = asyncio.ensure_future(work)
    stop.listen(task.cancel)
    if stop.asked:
        task.cancel()
    return await task


async def _with_machines(run: FleetRun, azure: AzureSession) -> FleetRun:
    """The run with each host's machine as ARM reports it at the end; as it is, where ARM does not answer."""
    try:
        machines = await list_machines(azure)
    except AzureError:
        return run
    hosts = tuple(replace(host, machine=machines.get(host.host.name.lower())) for host in run.hosts)
    return replace(run, hosts=hosts)
