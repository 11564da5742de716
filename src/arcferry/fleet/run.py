"""A run: one at a time in a folder, a session with Azure, and every host brought to Connected."""

import asyncio
from collections.abc import Coroutine
from dataclasses import replace
from typing import Any, TypeVar

from arcferry.azure import SETTLING, ServicePrincipal
from arcferry.errors import AzureError, InterruptedRunError
from arcferry.files import only_one
from arcferry.fleet.events import Event, Observer, journal
from arcferry.fleet.gate import Gate
from arcferry.fleet.in_azure import InAzure, in_azure
from arcferry.fleet.outcome import FleetRun, HostRun
from arcferry.fleet.place import target_of
from arcferry.fleet.records import logged
from arcferry.fleet.run_folder import open_run, target_to_json
from arcferry.fleet.runner import FleetRunner
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
            "hosts": len((request.everyone or request.inventory).hosts),
            "bundle": request.bundle.id,
            "target": target_to_json(request.target),
        }
        folder = open_run(request.state, request.run, summary, now())
        with logged(folder), journal(folder.journal, folder.id) as write:

            def see(event: Event) -> None:
                observer(event)
                write(event)

            async with in_azure(request, principal) as azure:
                try:
                    context, checks = await _stoppable(azure.prepared(context, pauses=SETTLING), stop)
                except asyncio.CancelledError:
                    raise InterruptedRunError("stopped before any host was touched") from None
                runner = FleetRunner(context, folder, see, stop, gate or Gate())
                result = await runner.apply(checks)
                try:
                    return await _stoppable(_with_machines(result, request, azure), stop)
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
