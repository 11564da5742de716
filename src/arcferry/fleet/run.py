"""A run: every host's pipeline, side by side, durable, with a failure budget and a way to stop."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from datetime import datetime
from typing import Any

from arcferry.azure import Machine, Preflight
from arcferry.errors import FileInputError
from arcferry.fleet.durable import Durable, Recorded, durable
from arcferry.fleet.events import Event, Kind, Observer, Watchers
from arcferry.fleet.facts import at_least
from arcferry.fleet.inventory import Host, Inventory
from arcferry.fleet.order import Limits
from arcferry.fleet.outcome import FleetRun, HostRun, Outcome, StepResult, StepState
from arcferry.fleet.pipeline import Pipeline
from arcferry.fleet.state import RunFolder, target_to_json
from arcferry.fleet.work import Shared, Work
from arcferry.times import from_text, now, to_text

_POLL = 0.5
_LAST_STEPS = 900.0
Json = dict[str, Any]


class Stop:
    """How a run is told to stop, once to end what runs and begin nothing, twice to leave it."""

    def __init__(self) -> None:
        self.asked = 0
        self._listeners: list[Callable[[], None]] = []

    def ask(self) -> None:
        """Ask once more."""
        self.asked += 1
        for listener in self._listeners:
            listener()

    def listen(self, listener: Callable[[], None]) -> None:
        """Be called at every asking."""
        self._listeners.append(listener)


class FleetRunner:
    """Works on every host of an inventory, and keeps what was done in the run's folder."""

    def __init__(
        self,
        inventory: Inventory,
        shared: Shared,
        folder: RunFolder,
        *,
        limits: Limits,
        observers: Iterable[Observer] = (),
        stop: Stop | None = None,
    ) -> None:
        self._hosts = {host.name: host for host in inventory.hosts}
        self._shared = shared
        self._folder = folder
        self._limits = limits
        self._watchers = Watchers.of(observers)
        self._stop = stop or Stop()
        self._stop.listen(self._on_stop)
        self._tasks: dict[str, tuple[asyncio.Task[Any], bool]] = {}
        self._left: set[str] = set()
        self._failures = 0
        self._lost: FileInputError | None = None
        self._records: Durable | None = None
        self._changed = asyncio.Event()

    @property
    def _ending(self) -> bool:
        return self._stop.asked > 0 or self._lost is not None

    @property
    def _spent(self) -> bool:
        budget = self._limits.stop_after
        return budget is not None and self._failures >= budget

    async def apply(self, preflight: Preflight) -> FleetRun:
        """Bring every host to Connected that is not, and say how each stands.

        Raises:
            FileInputError: the records cannot be kept.
        """
        already: dict[str, HostRun] = {}
        async with durable(
            self._folder, self._work_on, concurrency=self._limits.concurrency, lost=self._on_lost
        ) as records:
            self._records = records
            known = await records.attempts()
            for host in self._hosts.values():
                done = self._still_connected(host, known.get(host.name), preflight.machines)
                if done is not None:
                    already[host.name] = done
                    self._watchers.see(Event(host.name, Kind.CONNECTED, says="already done"))
                    continue
                await self._begin(host, known.get(host.name))
            await self._until_all_ended(set(self._hosts) - set(already))
            if self._lost is not None:
                raise self._lost
            results = await records.attempts()
        runs = [
            already.get(name) or self._host_run(host, results.get(name)) for name, host in self._hosts.items()
        ]
        return self._fleet_run(runs, preflight)

    def _still_connected(
        self, host: Host, recorded: Recorded | None, machines: dict[str, Machine]
    ) -> HostRun | None:
        """The finished result, where ARM still says the same of the same server; one list answers for all."""
        if recorded is None or recorded.result is None:
            return None
        run = _read_result(host, recorded)
        machine = machines.get(host.name.lower())
        if run.outcome is not Outcome.CONNECTED or machine is None or not machine.connected:
            return None
        verified = next((step for step in run.steps if step.step == "verified"), None)
        if verified is None or str(verified.data.get("vm_id", "")).lower() != machine.vm_id.lower():
            return None
        # An earlier arcferry took any heartbeat for good, and recorded no version.
        if "version" not in verified.data or not at_least(machine.agent_version, verified.data["version"]):
            return None
        return HostRun(host, run.outcome, run.steps, run.attempt, already=True, machine=machine)

    async def _begin(self, host: Host, recorded: Recorded | None) -> None:
        if self._records is None or self._ending:
            return
        if recorded is not None and recorded.active:
            return  # it goes on by itself, from the step that it was at
        attempt, finished, begun = 1, set[str](), set[str]()
        if recorded is not None:
            attempt = recorded.attempt + 1
            finished, begun = await self._done_before(recorded)
        given = {"started": to_text(now()), "finished": sorted(finished), "begun": sorted(begun)}
        await self._records.enqueue(host.name, attempt, given)

    async def _done_before(self, recorded: Recorded) -> tuple[set[str], set[str]]:
        """Steps that ended well in earlier attempts, and steps that were begun."""
        finished = set(recorded.given.get("finished", ()))
        begun = set(recorded.given.get("begun", ()))
        if self._records is not None:
            for name, output in await self._records.steps(recorded.host, recorded.attempt):
                begun.add(name)
                if output.get("state") == StepState.DONE.value:
                    finished.add(name)
        was_connected = recorded.result is not None and recorded.result.get("outcome") == "connected"
        # A host that was connected and no longer is begins anew: what passed then proves nothing now.
        return (set(), begun) if was_connected else (finished, begun)

    async def _work_on(self, name: str, attempt: int, given: Json) -> Json:
        """The durable work on one host; DBOS calls it, also for what an earlier process left unfinished."""
        task = asyncio.current_task()
        host = self._hosts.get(name)
        if host is None or task is None or self._ending or self._spent:
            self._leave(name)
            raise asyncio.CancelledError
        self._tasks[name] = (task, True)
        work = Work(host, self._shared, _instant(given, self._folder.started))
        pipeline = Pipeline(
            work,
            _Steps(self, name),
            self._watchers,
            attempt=attempt,
            finished=frozenset(given["finished"]),
            begun=frozenset(given["begun"]),
        )
        try:
            outcome, steps = await pipeline.run()
        except BaseException:
            # Stopped, or its record could not be kept: either way there is no result to wait for.
            self._leave(name)
            raise
        finally:
            self._tasks.pop(name, None)
            await asyncio.shield(work.close())
        self._ended(name, outcome, attempt)
        return {"outcome": outcome.value, "steps": [step.to_json() for step in steps]}

    def _ended(self, name: str, outcome: Outcome, attempt: int) -> None:
        if outcome is not Outcome.CONNECTED:
            self._failures += 1
        kind = {Outcome.CONNECTED: Kind.CONNECTED, Outcome.BLOCKED: Kind.BLOCKED}.get(outcome, Kind.FAILED)
        self._watchers.see(Event(name, kind, attempt=attempt))
        self._changed.set()

    def _leave(self, name: str) -> None:
        """This host's work ends here without a result; its record says that it goes on some time."""
        self._left.add(name)
        self._watchers.see(Event(name, Kind.STOPPED))
        self._changed.set()

    def enter(self, name: str, *, interruptible: bool) -> None:
        """A host is about to begin a step.

        Raises:
            asyncio.CancelledError: the run is being stopped.
        """
        if self._ending:
            raise asyncio.CancelledError
        task, _ = self._tasks[name]
        self._tasks[name] = (task, interruptible)

    async def recorded_step(self, step: str, action: Callable[[], Awaitable[Json]]) -> Json:
        """The recorded result of a step of the host that is being worked on."""
        if self._records is None:
            raise RuntimeError("work began before the records were open")
        return await self._records.step(step, action)

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
        if self._records is None:
            return
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
        if self._records is None:
            return False
        try:
            return bool((await self._records.active()) & names - self._left)
        except FileInputError as error:
            self._on_lost(error)
            return True

    def _host_run(self, host: Host, recorded: Recorded | None) -> HostRun:
        if recorded is None:
            return HostRun(host, Outcome.STOPPED)
        return _read_result(host, recorded)

    def _fleet_run(self, runs: list[HostRun], preflight: Preflight) -> FleetRun:
        bundle = self._shared.bundle
        return FleetRun(
            id=self._folder.id,
            started=self._folder.started,
            ended=now(),
            bundle={"id": bundle.id, "version": str(bundle.manifest.version), "path": str(bundle.path)},
            target=target_to_json(self._shared.target),
            checks=preflight.checks,
            hosts=tuple(runs),
            state=str(self._folder.path),
            spent=self._spent,
            interrupted=bool(self._stop.asked),
        )


class _Steps:
    """The recorder that a pipeline sees: the run's records, for one host."""

    def __init__(self, runner: FleetRunner, host: str) -> None:
        self._runner = runner
        self._host = host

    async def step(self, name: str, action: Callable[[], Awaitable[Json]]) -> Json:
        """The recorded result of that step, or that of `action`, recorded now."""
        return await self._runner.recorded_step(name, action)

    async def may_begin(self, step: str, *, interruptible: bool) -> None:
        """Return where the step may begin."""
        del step
        self._runner.enter(self._host, interruptible=interruptible)


def _read_result(host: Host, recorded: Recorded) -> HostRun:
    if recorded.active:
        return HostRun(host, Outcome.STOPPED, attempt=recorded.attempt)
    if recorded.result is None:
        lost = StepResult("facts", StepState.FAILED, "the record of this host cannot be used; apply again")
        return HostRun(host, Outcome.FAILED, (lost,), recorded.attempt)
    steps = tuple(StepResult.from_json(step) for step in recorded.result["steps"])
    return HostRun(host, Outcome(recorded.result["outcome"]), steps, recorded.attempt)


def _instant(given: Json, fallback: datetime) -> datetime:
    try:
        return from_text(str(given["started"]))
    except (KeyError, ValueError):
        return fallback
