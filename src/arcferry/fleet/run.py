"""A run: one at a time in a folder, a session with Azure, and every host brought to Connected."""

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from contextlib import aclosing, contextmanager
from dataclasses import replace
from datetime import datetime
from typing import Any, TypeVar

from arcferry.azure import SETTLING, Identity
from arcferry.errors import ArcferryError, AzureError, BlockedError, InterruptedRunError
from arcferry.files import only_one
from arcferry.fleet.control import Controls
from arcferry.fleet.events import Event, EventKind, Observer, journal
from arcferry.fleet.following import LOCK
from arcferry.fleet.gate import Gate
from arcferry.fleet.holds import holding
from arcferry.fleet.in_azure import InAzure, in_azure
from arcferry.fleet.outcome import FleetRun, HostRun
from arcferry.fleet.place import target_of
from arcferry.fleet.records import logged
from arcferry.fleet.renewal import Renewal
from arcferry.fleet.run_folder import keep_hosts, open_run, target_to_json
from arcferry.fleet.runner import FleetRunner
from arcferry.fleet.saved_plan import SavedPlan, refuse_moved
from arcferry.fleet.stop import Stop
from arcferry.fleet.task import RunContext, RunRequest
from arcferry.times import now

_Result = TypeVar("_Result")
_ANOTHER_FOLDER = "Wait for it, or stop it; or use another folder with --state, for other hosts."


async def apply_fleet(
    request: RunRequest,
    principal: Identity,
    *,
    observer: Observer = lambda _: None,
    stop: Stop | None = None,
    gate: Gate | None = None,
    planned: SavedPlan | None = None,
    reread: Callable[[], Identity | None] = lambda: None,
    clock: Callable[[], datetime] = now,
) -> FleetRun:
    """Bring every host of the inventory to Connected. Run again, it goes on where it was.

    Args:
        request: what is to be done.
        principal: who signs in to Azure.
        observer: is told what happens.
        stop: how it is told to stop.
        gate: what every host passes before it begins.
        planned: a plan that is applied only while it still says what would be done.
        reread: the identity as it is given now, for a sign-in that is refused in mid-run.
        clock: what windows of time go by.

    Raises:
        BlockedError: another apply is running, the run was cancelled, the plan is not what would be done now,
            or Azure is not ready. No host was touched.
        SignInError: no token could be had. No host was touched.
        InterruptedRunError: stopped before any host was touched.
        AzureError: Azure gave no usable answer before the run.
    """
    stop = stop or Stop()
    context = RunContext.of(request)
    with only_one(request.state, "apply", hint=_ANOTHER_FOLDER):
        everyone = request.everyone or request.inventory
        summary = {
            "inventory": str(request.inventory.path),
            "hosts": len(everyone.hosts),
            "bundle": request.bundle.id,
            "target": target_to_json(request.target),
        }
        folder = open_run(request.state, request.run, summary, now())
        keep_hosts(folder, everyone)
        controls = Controls(folder, request.kill_switch)
        _refuse_cancelled(controls)
        with (
            only_one(folder.path, "apply", name=LOCK, hint=_ANOTHER_FOLDER),
            logged(folder),
            journal(folder.journal, folder.id) as write,
        ):

            def see(event: Event) -> None:
                observer(event)
                write(event)

            with _ended(see) as ended:
                run = await _applied(
                    context,
                    principal,
                    controls,
                    see,
                    stop,
                    gate=gate,
                    planned=planned,
                    reread=reread,
                    clock=clock,
                )
                ended(run.says)
                return run


async def _applied(
    context: RunContext,
    principal: Identity,
    controls: Controls,
    see: Observer,
    stop: Stop,
    *,
    gate: Gate | None,
    planned: SavedPlan | None,
    reread: Callable[[], Identity | None],
    clock: Callable[[], datetime],
) -> FleetRun:
    request, folder = context.request, controls.run
    async with in_azure(request, principal) as azure:
        try:
            context, checks = await _stoppable(azure.prepared(context, pauses=SETTLING), stop)
            if planned is not None:
                await _stoppable(refuse_moved(planned, context, folder), stop)
        except asyncio.CancelledError:
            raise InterruptedRunError("stopped before any host was touched") from None
        async with holding(
            controls,
            see,
            window_of=lambda host: host.window or request.window,
            cancel=stop.ask,
            clock=clock,
        ) as holds:
            sessions = [place.azure for place in context.places.values() if place.azure is not None]
            async with aclosing(Renewal(sessions, reread, holds)) as renewal:
                context = context.renewed_by(renewal)
                runner = FleetRunner(context, folder, see, stop, gate=gate or Gate(), holds=holds)
                result = await runner.apply(checks)
        try:
            return await _stoppable(_with_machines(result, request, azure), stop)
        except asyncio.CancelledError:
            return replace(result, interrupted=True)


def _refuse_cancelled(controls: Controls) -> None:
    """Leave a run alone that somebody has cancelled.

    Raises:
        BlockedError: somebody has.
    """
    if order := controls.cancelled():
        run = controls.run.id
        hint = f"To apply it again: arcferry onboard resume --run {run}, then apply."
        raise BlockedError(f"run {run} was {order.says}; nothing was begun", hint=hint)


@contextmanager
def _ended(see: Observer) -> Iterator[Callable[[str], None]]:
    """Tell that an apply begins and, however the body ends, that it has ended; what it is given says how."""
    says = ""

    def note(text: str) -> None:
        nonlocal says
        says = text

    see(Event("", EventKind.BEGUN))
    try:
        yield note
    except ArcferryError as error:
        says = error.message
        raise
    finally:
        see(Event("", EventKind.ENDED, says=says or "by a fault"))


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


async def _with_machines(run: FleetRun, request: RunRequest, azure: InAzure) -> FleetRun:
    """The run with each host's machine as ARM reports it at the end; as it is, where ARM does not answer."""
    try:
        machines = await azure.machines()
    except AzureError:
        return run

    def with_machine(one: HostRun) -> HostRun:
        there = machines[target_of(request.target, one.host.place)]
        return replace(one, machine=there.get(one.host.name.lower()))

    return replace(run, hosts=tuple(map(with_machine, run.hosts)))
