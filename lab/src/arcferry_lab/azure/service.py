"""What every service of the twin does with a request before and after its own handler."""

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from fnmatch import fnmatch
from typing import Any
from uuid import uuid4

from aiohttp import web
from aiohttp.typedefs import Handler as AiohttpHandler
from aiohttp.typedefs import Middleware

from arcferry_lab.azure.errors import ArmError, EntraError
from arcferry_lab.azure.routes import ArmRequest, Operation, find
from arcferry_lab.azure.state import AzureState, Call

_LARGEST_BODY = 1024 * 1024
_PAGE = "<html><head><title>Guest access</title></head><body>Accept the terms to go on.</body></html>"
_log = logging.getLogger("arcferry_lab.azure")


def service(
    state: AzureState, names: Sequence[str], routes: Iterable[Operation], *, otherwise: int = 404
) -> web.Application:
    """A service that needs no token: its routes, and `otherwise` as the status of any other path."""
    table = tuple(routes)

    async def dispatch(request: web.Request) -> web.StreamResponse:
        found = find(table, request.method, request.path)
        if found is None:
            return web.json_response({"Message": "nothing is served at this path"}, status=otherwise)
        route, path_names = found
        try:
            return await route.handler(ArmRequest(state, request, path_names, await read_json(request)))
        except (ArmError, EntraError) as error:
            return error.response()

    return application(state, names, dispatch)


def application(state: AzureState, names: Sequence[str], dispatch: AiohttpHandler) -> web.Application:
    """An aiohttp application that sends every path to `dispatch`, behind the faults and the journal."""
    app = web.Application(
        middlewares=[_journal(state, names), _strike(state, names)], client_max_size=_LARGEST_BODY
    )
    app.router.add_route("*", "/{path:.*}", dispatch)
    app.on_response_prepare.append(_stamp(state, names))
    return app


async def read_json(request: web.Request) -> dict[str, Any]:
    """The JSON object of the body, empty where there is none, or where it is a form.

    Raises:
        ArmError: the body is no JSON object.
    """
    if not request.can_read_body or request.content_type == "application/x-www-form-urlencoded":
        return {}
    try:
        body = json.loads(await request.read() or b"{}")
    except ValueError as error:
        raise ArmError(400, "InvalidRequestContent", "The request body is not valid JSON.") from error
    if not isinstance(body, dict):
        raise ArmError(400, "InvalidRequestContent", "The request body must be a JSON object.")
    return body


def _journal(state: AzureState, names: Sequence[str]) -> Middleware:
    @web.middleware
    async def record(request: web.Request, handler: AiohttpHandler) -> web.StreamResponse:
        host = request.url.host if request.url.host in names else names[0]
        response = await handler(request)
        state.journal.append(
            Call(datetime.now(UTC), host or "", request.method, request.path, response.status)
        )
        _log.info("%s %s%s %s", request.method, host, request.path, response.status)
        return response

    return record


def _strike(state: AzureState, names: Sequence[str]) -> Middleware:
    @web.middleware
    async def strike(request: web.Request, handler: AiohttpHandler) -> web.StreamResponse:
        if state.faults.take("path/no-http-answer", *names):
            await asyncio.Event().wait()
        if state.faults.take("service/reset", *names):
            if request.transport:
                request.transport.abort()
            raise ConnectionResetError
        if state.faults.take("path/captive-page", *names):
            return web.Response(text=_PAGE, content_type="text/html")
        for pattern, reply in state.replies.items():
            if fnmatch(request.path.lower(), pattern.lower()):
                return web.Response(
                    body=reply.body, status=reply.status, content_type=reply.content_type or None
                )
        return await handler(request)

    return strike


def _stamp(
    state: AzureState, names: Sequence[str]
) -> Callable[[web.Request, web.StreamResponse], Awaitable[None]]:
    async def stamp(request: web.Request, response: web.StreamResponse) -> None:
        now = datetime.now(UTC)
        if state.faults.take("clock/skew", *names):
            now += timedelta(hours=1)
        response.headers["Date"] = format_datetime(now, usegmt=True)
        response.headers["x-ms-request-id"] = str(uuid4())
        del request

    return stamp
