"""Changes that take time: `Azure-AsyncOperation`, `Location`, and what is found where they point."""

from collections.abc import Callable
from uuid import uuid4

from aiohttp import web

from arcferry import times
from arcferry_lab.azure.errors import ArmError
from arcferry_lab.azure.plane import FAILED, RUNNING, SUCCEEDED, Act, Document, LongOperation
from arcferry_lab.azure.routes import ArmRequest, Operation
from arcferry_lab.azure.state import AzureState

_MOST = 100
_FAILS, _STUCK = "arm/operation-fails", "arm/operation-stuck"
_GROUP_STUCK = "arm/group-deletion-stuck"
_DELETING = "Deleting"
# As Microsoft.Network words it when an operation ends so.
_ERROR: Document = {"code": "InternalServerError", "message": "An error occurred.", "details": []}


async def nothing() -> None:
    """The end of an operation that has no more to do."""


async def written(
    asked: ArmRequest,
    resource: str,
    shown: Callable[[], Document],
    apply: Act,
    *,
    exists: bool,
    created: int = 201,
) -> web.Response:
    """Answer a PUT at once with the resource, and with links to the operation that ends the change.

    The status is 200, or `created` where the resource is new; Microsoft.HybridCompute has no 201.

    A change that fails leaves what existed as it was; what is new stays, in the state Failed.

    Raises:
        ArmError: 409, the resource is under another operation.
    """
    check_free(asked, resource)
    error = _ERROR if asked.state.faults.take(_FAILS) else None
    if error is None or not exists:
        await apply()
    number = begin(asked.state, resource, "Updating", nothing, error)
    headers = links(asked, number)
    return web.json_response(shown(), status=200 if exists else created, headers=headers)


async def removed(
    asked: ArmRequest, resource: str, remove: Act, error: Document | None = None, *, status: int = 202
) -> web.Response:
    """Answer a DELETE at once; the resource goes when the operation ends.

    Raises:
        ArmError: 409, the resource is under another operation.
    """
    check_free(asked, resource)
    if asked.state.faults.take(_FAILS):
        error = _ERROR
    number = begin(asked.state, resource, _DELETING, remove, error)
    return web.Response(status=status, headers=links(asked, number, location=True))


def begin(state: AzureState, resource: str, word: str, finish: Act, error: Document | None = None) -> str:
    """Begin an operation; returns its number."""
    plane, number = state.plane, str(uuid4())
    plane.operations[number] = LongOperation(resource.lower(), word, plane.looks, finish, error)
    ended = [key for key, one in plane.operations.items() if one.status != RUNNING]
    for key in ended[: max(0, len(plane.operations) - _MOST)]:
        del plane.operations[key]
    return number


async def look(state: AzureState, operation: LongOperation) -> str:
    """How an operation stands; it ends when it was found running as often as it is to be."""
    if operation.status != RUNNING or _is_stuck(state, operation):
        return operation.status
    if operation.looks > 0:
        operation.looks -= 1
        return RUNNING
    operation.status = FAILED if operation.error else SUCCEEDED
    if operation.error is None:
        await operation.finish()
    return operation.status


async def look_at(state: AzureState, resource: str) -> None:
    """Look at the operation that a resource is under, as a client does who reads the resource alone."""
    if found := state.plane.running(resource):
        await look(state, found[1])


def check_free(asked: ArmRequest, resource: str) -> None:
    """Refuse a change of what is being changed.

    Raises:
        ArmError: 409 AnotherOperationInProgress.
    """
    if found := asked.state.plane.running(resource):
        raise ArmError(
            409,
            "AnotherOperationInProgress",
            "Another operation on this or dependent resource is in progress. To retrieve status of the "
            f"operation use uri: {_url(asked, _STATUS[0], found[0])}",
        )


def links(asked: ArmRequest, number: str, *, location: bool = False) -> dict[str, str]:
    """The headers that lead to an operation."""
    headers = {
        "Azure-AsyncOperation": _url(asked, _STATUS[0], number),
        "Retry-After": str(asked.state.plane.retry_after),
    }
    return headers | ({"Location": _url(asked, _RESULT, number)} if location else {})


def group_links(asked: ArmRequest, number: str) -> dict[str, str]:
    """The same for a resource group, of whose deletion there is a `Location` alone."""
    return {
        "Location": _url(asked, _GROUP_RESULT, number),
        "Retry-After": str(asked.state.plane.retry_after),
    }


def _is_stuck(state: AzureState, operation: LongOperation) -> bool:
    if "/providers/" not in operation.resource and state.faults.holds(_GROUP_STUCK):
        return True
    return state.faults.holds(_STUCK)


def _url(asked: ArmRequest, template: str, number: str) -> str:
    namespace = asked.names.get("namespace") or _namespace(asked.request.path)
    path = template.format(
        subscription=asked.state.subscription_id,
        namespace=namespace,
        location=asked.state.location,
        number=number,
    )
    url = asked.request.url.with_scheme("https").with_path(path)
    return str(url.with_query({"api-version": asked.parameter("api-version")}))


def _namespace(path: str) -> str:
    """The last provider of a path, which is the one that a resource belongs to."""
    return path.lower().rpartition("/providers/")[2].partition("/")[0] or "microsoft.resources"


def _found(asked: ArmRequest) -> LongOperation:
    found = asked.state.plane.operations.get(asked.names["number"])
    if found is None:
        raise ArmError(404, "OperationNotFound", "The operation could not be found.")
    return found


async def _status(asked: ArmRequest) -> web.Response:
    operation = _found(asked)
    status = await look(asked.state, operation)
    body: Document = {
        "id": asked.request.path,
        "name": asked.names["number"],
        "status": status,
        "startTime": times.to_text(operation.started),
    }
    if status == FAILED:
        body["error"] = operation.error
    headers = {"Retry-After": str(asked.state.plane.retry_after)} if status == RUNNING else None
    return web.json_response(body, headers=headers)


async def _result(asked: ArmRequest) -> web.Response:
    """What `Location` points to: 202 while it runs; then nothing, or the rows of a table."""
    operation = _found(asked)
    status = await look(asked.state, operation)
    if status == FAILED and operation.error:
        raise ArmError(409, str(operation.error["code"]), str(operation.error["message"]))
    if status == RUNNING:
        return web.Response(status=202, headers=links(asked, asked.names["number"], location=True))
    if rows := asked.state.operations.get(asked.names["number"]):
        return web.json_response(rows)
    return web.Response(status=204)


async def _group_result(asked: ArmRequest) -> web.Response:
    if await look(asked.state, _found(asked)) == RUNNING:
        return web.Response(status=202, headers=group_links(asked, asked.names["number"]))
    return web.Response(status=200)


_SUBSCRIPTION = "/subscriptions/{subscription}"
_AT = f"{_SUBSCRIPTION}/providers/{{namespace}}/locations/{{location}}"
_STATUS = (f"{_AT}/operations/{{number}}", f"{_AT}/operationStatus/{{number}}")
_RESULT = f"{_AT}/operationResults/{{number}}"
_GROUP_RESULT = f"{_SUBSCRIPTION}/operationresults/{{number}}"
ROUTES = (
    *(Operation("GET", template, _status) for template in _STATUS),
    Operation("GET", _RESULT, _result),
    Operation("GET", _GROUP_RESULT, _group_result),
)
