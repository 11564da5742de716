"""The channel by which a running lab is watched and changed: HTTP on a socket in its folder."""

import asyncio
import os
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web
from aiohttp.typedefs import Handler

from arcferry import catalog
from arcferry.errors import ArcferryError, InputError
from arcferry.text import quoted
from arcferry_lab.azure import machines
from arcferry_lab.azure import network as azure_network
from arcferry_lab.azure.errors import ArmError
from arcferry_lab.document import document
from arcferry_lab.network.namespaces.namespaces import Namespaces
from arcferry_lab.twin import Twin

_OF_ONE_HOST = ("host/", "winrm/")
"""What the names of faults begin with that are laid on one host."""


def control(twin: Twin, stop: asyncio.Event) -> web.Application:
    """The application behind the control socket; who can open the socket may do all of this."""
    app = web.Application(middlewares=[_errors])
    app.add_routes(
        [
            web.get("/status", _show(lambda: _status(twin))),
            web.get("/filter", _show(lambda: azure_network.route_filter(twin.azure))),
            web.post("/filter", _reply(twin, _change_filter)),
            web.post("/steer", _reply(twin, _steer)),
            web.get("/routes", _reply(twin, _routes)),
            web.get("/machines", _show(lambda: _shown_machines(twin))),
            web.get("/faults", _show(lambda: _shown_faults(twin))),
            web.post("/faults", _reply(twin, _add_fault)),
            web.delete("/faults", _reply(twin, _remove_fault)),
            web.post("/stop", _stopping(stop)),
        ]
    )
    return app


def _show(state: Callable[[], object]) -> Handler:
    async def handle(request: web.Request) -> web.Response:
        del request
        return web.json_response(state())

    return handle


def _reply(twin: Twin, act: Callable[[Twin, dict[str, Any]], Awaitable[object]]) -> Handler:
    async def handle(request: web.Request) -> web.Response:
        body = await request.json() if request.can_read_body else {}
        return web.json_response(await act(twin, body))

    return handle


@web.middleware
async def _errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    try:
        return await handler(request)
    except ArcferryError as error:
        return web.json_response(
            {"message": error.message, "hint": error.hint, "exit_code": error.exit_code}, status=400
        )


def _stopping(stop: asyncio.Event) -> Handler:
    async def handle(request: web.Request) -> web.Response:
        del request
        stop.set()
        return web.json_response({"pid": os.getpid()})

    return handle


def _status(twin: Twin) -> object:
    return document(twin) | {
        "route_filter": twin.azure.communities,
        "steered": dict(twin.network.steered),
        "steered_at": _steered_at(twin),
        "machines": len(twin.azure.machines),
        "faults": _shown_faults(twin),
    }


async def _change_filter(twin: Twin, body: dict[str, Any]) -> object:
    added = [_community(value) for value in body.get("add", [])]
    removed = {_community(value) for value in body.get("remove", [])}
    before = twin.azure.communities
    missing = sorted(removed - set(before))
    if missing:
        raise InputError(
            f"the route filter does not hold {', '.join(missing)}", hint=f"It holds {', '.join(before)}."
        )
    await twin.allow(*(value for value in (*before, *added) if value not in removed))
    return azure_network.route_filter(twin.azure)


async def _steer(twin: Twin, body: dict[str, Any]) -> object:
    resolver = str(body.get("resolver", ""))
    await twin.steer(str(body.get("name", "")), str(body.get("region", "")), resolver)
    return _steered_at(twin)[resolver] if resolver else dict(twin.network.steered)


async def _routes(twin: Twin, body: dict[str, Any]) -> object:
    if not isinstance(twin.network, Namespaces):
        raise InputError(
            "the loopback network has no router", hint="arcferry lab up --network namespaces starts one."
        )
    what, link = str(body.get("what", "all")), str(body.get("link", "primary"))
    return {"capture": await twin.network.capture(what, link)}


def _steered_at(twin: Twin) -> dict[str, dict[str, str]]:
    """Each steered name's region by resolver, where the network has several."""
    network = twin.network
    if not isinstance(network, Namespaces):
        return {}
    return {resolver: dict(network.steered_at(resolver)) for resolver in network.resolvers}


def _shown_machines(twin: Twin) -> object:
    return [machines.shown(twin.azure, machine) for machine in twin.azure.machines.values()]


async def _add_fault(twin: Twin, body: dict[str, Any]) -> object:
    name, host = str(body.get("name", "")), str(body.get("host", ""))
    if name.startswith(_OF_ONE_HOST):
        await twin.servers.lay(name, host)
    else:
        await twin.add_fault(name, host, times=body.get("times"))
    return _shown_faults(twin)


async def _remove_fault(twin: Twin, body: dict[str, Any]) -> object:
    if str(body.get("name", "")).startswith(_OF_ONE_HOST):
        raise InputError(
            "a fault of one host stays as long as the lab runs",
            hint="End the lab, arcferry lab down, and start another one.",
        )
    if not await twin.remove_fault(str(body.get("name", "")), str(body.get("host", ""))):
        raise InputError(
            f"the fault {body.get('name')} is not switched on", hint="See: arcferry lab fault list"
        )
    return _shown_faults(twin)


def _shown_faults(twin: Twin) -> list[dict[str, Any]]:
    return [
        {"name": one.fault.name, "host": one.host, "times": one.times, "does": one.fault.does}
        for one in twin.azure.faults.active()
    ] + [
        {"name": fault, "host": host, "times": None, "does": does}
        for (fault, host), does in twin.servers.laid.items()
    ]


def _community(value: object) -> str:
    try:
        return azure_network.community(value)
    except ArmError as error:
        known = ", ".join(one.value for one in catalog.communities() if one.kind == "service")
        raise InputError(
            f"{quoted(str(value))} is no community of Microsoft peering",
            hint=f"A region's is 12076:510NN, such as 12076:51012 for Japan East; services have {known}.",
        ) from error
