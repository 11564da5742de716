"""Azure Resource Manager: who asks, may they, and which handler answers."""

from collections.abc import Sequence
from http import HTTPStatus
from uuid import uuid4

from aiohttp import web

from arcferry_lab.azure import (
    authorization,
    circuit_requests,
    circuit_tables,
    discovery,
    extensions,
    gate,
    graph,
    groups,
    licenses,
    long_running,
    machines,
    network,
    private_link,
    providers,
    resource_list,
    route_filters,
)
from arcferry_lab.azure.errors import ArmError
from arcferry_lab.azure.rights import check_rights
from arcferry_lab.azure.routes import ArmRequest, Operation, find
from arcferry_lab.azure.service import application, read_json
from arcferry_lab.azure.state import Application, AzureState
from arcferry_lab.azure.tokens import TokenRefusedError
from arcferry_lab.azure.versions import check_version

ROUTES: tuple[Operation, ...] = (
    *discovery.ROUTES,
    *groups.ROUTES,
    *resource_list.ROUTES,
    *long_running.ROUTES,
    *providers.ROUTES,
    *machines.ROUTES,
    *extensions.ROUTES,
    *licenses.ROUTES,
    *private_link.ROUTES,
    *authorization.ROUTES,
    *network.ROUTES,
    *route_filters.ROUTES,
    *circuit_requests.ROUTES,
    *circuit_tables.ROUTES,
    *graph.ROUTES,
)
AUDIENCES = ("https://management.azure.com", "https://management.core.windows.net")


def arm(state: AzureState, names: Sequence[str]) -> web.Application:
    """The management API of one subscription."""

    async def dispatch(request: web.Request) -> web.StreamResponse:
        try:
            response = await _answer(state, request)
        except ArmError as error:
            response = error.response()
        if request.method == "HEAD" and response.status == HTTPStatus.OK:
            response.set_status(HTTPStatus.NO_CONTENT)
        response.headers["x-ms-correlation-request-id"] = str(uuid4())
        return response

    return application(state, names, dispatch)


async def _answer(state: AzureState, request: web.Request) -> web.StreamResponse:
    _strike(state)
    gate.check_rate(state)
    if request.path.rstrip("/") in discovery.OPEN:
        return await discovery.answer(state, request)
    client = authenticated(state, request)
    if state.faults.take("arm/garbage"):
        return web.Response(text="<html><body>Sign in to the network</body></html>", content_type="text/html")
    found = find(ROUTES, request.method, request.path)
    if found is None:
        raise ArmError(404, "InvalidResourceType", "No resource type of the twin is served at this path.")
    route, names = found
    asked = ArmRequest(state, request, names, await read_json(request), client)
    _check_subscription(asked)
    action = route.action.format_map(names)
    check_rights(client, action, request.path)
    gate.check_settled(state, client, action, request.path)
    if action.lower().endswith("machines/write") and state.faults.take("arm/write-403"):
        raise ArmError(403, "AuthorizationFailed", "The client is not authorized to write machines.")
    if "subscription" in names:
        providers.check_registered(state, route.template)
    kind = route.template.replace("{namespace}/locations", f"{names.get('namespace')}/locations")
    check_version(asked.parameter("api-version"), kind, state.location)
    gate.check_group(asked)
    gate.check_locks(asked)
    return await route.handler(asked)


_FAULTS = (
    (403, "AuthorizationFailed", "The client is not authorized to perform this action."),
    (404, "ResourceNotFound", "The resource was not found."),
    (409, "Conflict", "The resource is being changed by another operation."),
    (429, "TooManyRequests", "Too many requests; slow down."),
    (500, "InternalServerError", "The server met an unexpected condition."),
)


def authenticated(state: AzureState, request: web.Request) -> Application:
    """The client whose bearer token came with a request.

    Raises:
        ArmError: 401, where there is no token or it does not verify.
    """
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise _unauthorized(
            state, "AuthenticationFailed", "The 'Authorization' header holds no bearer token."
        )
    own = (state.arm_url, state.arm_url.removesuffix(":443"))
    audiences = {form for url in (*AUDIENCES, *own) for form in (url, f"{url}/")}
    try:
        claims = state.signer.read(token.strip(), audiences)
    except TokenRefusedError as error:
        raise _unauthorized(state, error.code, f"{error.says.capitalize()}.") from error
    client = state.clients.get(str(claims["appid"]))
    if client is None or claims["tid"] != state.tenant_id:
        raise _unauthorized(state, "InvalidAuthenticationTokenTenant", "The token is from another tenant.")
    return client


def _unauthorized(state: AzureState, code: str, message: str) -> ArmError:
    challenge = (
        f'Bearer authorization_uri="{state.authority}/{state.tenant_id}", '
        f'error="invalid_token", error_description="{message}"'
    )
    return ArmError(401, code, message, {"WWW-Authenticate": challenge})


def _strike(state: AzureState) -> None:
    if state.faults.take("arm/401"):
        raise _unauthorized(state, "InvalidAuthenticationToken", "The access token is invalid.")
    for status, code, message in _FAULTS:
        if state.faults.take(f"arm/{status}"):
            headers = {"Retry-After": "1"} if code == "TooManyRequests" else None
            raise ArmError(status, code, message, headers)


def _check_subscription(asked: ArmRequest) -> None:
    wanted = asked.names.get("subscription", asked.state.subscription_id)
    if wanted.lower() != asked.state.subscription_id.lower():
        raise ArmError(404, "SubscriptionNotFound", f"The subscription '{wanted}' could not be found.")
