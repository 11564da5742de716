"""A run: one at a time in a folder, a session with Azure, and every host brought to Connected."""

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from contextlib import aclosing, contextmanager
from dataclasses import replace
from datetime import datetime
from typing import Any, TypeVar

from arcferry.azure import SETTLING, AzureSession, ServicePrincipal, list_machines, prepare, signed_in
from arcferry.errors import ArcferryError, AzureError, BlockedError, InterruptedRunError
from arcferry.files import only_one
from arcferry.fleet.control import Controls
from arcferry.fleet.events import Event, EventKind, Observer, journal
from arcferry.fleet.following import LOCK
from arcferry.fleet.gate import Gate
from arcferry.fleet.holds import holding
from arcferry.fleet.outcome import FleetRun
from arcferry.fleet.poller import MachinePoller
from arcferry.fleet.records import logged
from arcferry.fleet.run_folder import open_run, target_to_json
from arcferry.fleet.runner import FleetRunner
from arcferry.fleet.saved_plan import SavedPlan, refuse_moved
from arcferry.fleet.stop import Stop
from arcferry.fleet.task import RunContext, RunRequest
from arcferry.times import now

_Result = TypeVar("_Result")
_ANOTHER_FOLDER = "Wait for it, or stop it; or use another folder with --state, for other hosts."


async def apply_fleet(
    request: RunRequest,
    principal: ServicePrincipal,
    *,
    observer: Observer = lambda _: None,
    stop: Stop | None = None,
    gate: Gate | None = None,
    planned: SavedPlan | None = None,
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
        summary = {
            "inventory": str(request.inventory.path),
            "hosts": len((request.everyone or request.inventory).hosts),
            "bundle": request.bundle.id,
            "target": target_to_json(request.target),
        }
        folder = open_run(request.state, request.run, summary, now())
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
                    context, principal, controls, see, stop, gate=gate, planned=planned, clock=clock
                )
                ended(run.says)
                return run


async def _applied(
    context: RunContext,
    principal: ServicePrincipal,
    controls: Controls,
    see: Observer,
    stop: Stop,
    *,
    gate: Gate | None,
    planned: SavedPlan | None,
    clock: Callable[[], datetime],
) -> FleetRun:
    request, folder = context.request, controls.run
    async with signed_in(request.target, principal) as azure:
        try:
            preflight = await _stoppable(prepare(azure, pauses=SETTLING), stop)
            context = replace(context, azure=azure, machines=preflight.machines)
            if planned is not None:
                await _stoppable(refuse_moved(planned, context, folder), stop)
        except asyncio.CancelledError:
            raise InterruptedRunError("stopped before any host was touched") from None
        async with (
            aclosing(MachinePoller(azure)) as poller,
            holding(
                controls,
                see,
                window_of=lambda host: host.window or request.window,
                cancel=stop.ask,
                clock=clock,
            ) as holds,
        ):
            runner = FleetRunner(
                replace(context, poller=poller), folder, see, stop, gate=gate or Gate(), holds=holds
            )
            result = await runner.apply(preflight)
        try:
            return await _stoppable(_with_machines(result, azure), stop)
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


async def _with_machines(run: FleetRun, azure: AzureSession) -> FleetRun:
    """The run with each host's machine as ARM reports it at the end; as it is, where ARM does not answer."""
    try:
        machines = await list_machines(azure)
    except AzureError:
        return run
    hosts = tuple(replace(host, machine=machines.get(host.host.name.lower())) for host in run.hosts)
    return replace(run, hosts=hosts)
