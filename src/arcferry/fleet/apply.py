"""Apply: bring a fleet into Azure, in the order in which things can still be called off."""

import asyncio
from collections.abc import AsyncIterator, Coroutine, Iterable
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any, TypeVar

from arcferry.azure import AzureSession, Preflight, ServicePrincipal, list_machines, prepare, signed_in
from arcferry.errors import AzureError, InterruptedRunError
from arcferry.fleet.durable import logged
from arcferry.fleet.events import Observer
from arcferry.fleet.journal import journal
from arcferry.fleet.order import Order, shared_by_all
from arcferry.fleet.outcome import FleetRun
from arcferry.fleet.poller import MachinePoller
from arcferry.fleet.run import FleetRunner, Stop
from arcferry.fleet.state import RunFolder, open_run, target_to_json
from arcferry.fleet.work import Shared
from arcferry.lock import only_one
from arcferry.times import now

_Result = TypeVar("_Result")
_ANOTHER_FOLDER = "Wait for it, or stop it; or use another folder with --state, for other hosts."


async def apply_fleet(
    order: Order, principal: ServicePrincipal, *, observers: Iterable[Observer] = (), stop: Stop | None = None
) -> FleetRun:
    """Bring every host of the inventory to Connected. Run again, it goes on where it was.

    Raises:
        BlockedError: another apply is running, or Azure is not ready. No host was touched.
        SignInError: no token could be had. No host was touched.
        InterruptedRunError: stopped before any host was touched.
        AzureError: Azure gave no usable answer before the run.
    """
    stop = stop or Stop()
    shared = shared_by_all(order)
    with only_one(order.state, "apply", hint=_ANOTHER_FOLDER):
        folder = open_run(order.state, order.run, _summary(order), now())
        with logged(folder), journal(folder.journal, folder.id) as written:
            async with signed_in(order.target, principal) as azure:
                preflight = await _prepared(azure, stop)
                watchers = (*observers, written)
                return await _run(order, shared, folder, azure, preflight, watchers, stop)


async def _run(  # noqa: PLR0917  # one call, in the order in which these come to be
    order: Order,
    shared: Shared,
    folder: RunFolder,
    azure: AzureSession,
    preflight: Preflight,
    observers: tuple[Observer, ...],
    stop: Stop,
) -> FleetRun:
    async with _polling(azure) as poller:
        with_azure = replace(shared, azure=azure, poller=poller, machines=preflight.machines)
        runner = FleetRunner(
            order.inventory, with_azure, folder, limits=order.limits, observers=observers, stop=stop
        )
        result = await runner.apply(preflight)
    try:
        result = await _stoppable(_with_machines(result, azure), stop)
    except asyncio.CancelledError:
        return replace(result, interrupted=True)
    return result


async def _stoppable(work: Coroutine[Any, Any, _Result], stop: Stop) -> _Result:
    """The result of work that changes nothing, and that the first asking ends.

    Raises:
        asyncio.CancelledError: the run is being stopped.
    """
    task = asyncio.ensure_future(work)
    stop.listen(lambda: _cancel(task))
    if stop.asked:
        task.cancel()
    return await task


def _cancel(task: "asyncio.Future[_Result]") -> None:
    task.cancel()


@asynccontextmanager
async def _polling(azure: AzureSession) -> AsyncIterator[MachinePoller]:
    poller = MachinePoller(azure)
    try:
        yield poller
    finally:
        await poller.close()


async def _prepared(azure: AzureSession, stop: Stop) -> Preflight:
    try:
        return await _stoppable(prepare(azure), stop)
    except asyncio.CancelledError:
        raise InterruptedRunError("stopped before any host was touched") from None


async def _with_machines(run: FleetRun, azure: AzureSession) -> FleetRun:
    """The run with each host's machine as ARM reports it at the end; as it is, where ARM does not answer."""
    try:
        machines = await list_machines(azure)
    except AzureError:
        return run
    hosts = tuple(replace(host, machine=machines.get(host.host.name.lower())) for host in run.hosts)
    return replace(run, hosts=hosts)


def _summary(order: Order) -> dict[str, object]:
    return {
        "inventory": str(order.inventory.path),
        "hosts": len(order.inventory.hosts),
        "bundle": order.bundle.id,
        "target": target_to_json(order.target),
    }
