"""Azure Resource Graph: one query language over all that the subscription holds."""

from math import ceil
from uuid import uuid4

from aiohttp import web

from arcferry import times
from arcferry_lab.azure.errors import ArmError
from arcferry_lab.azure.groups import shown_group
from arcferry_lab.azure.inventory import group_of, resources
from arcferry_lab.azure.kql import run
from arcferry_lab.azure.kql_reader import QueryError
from arcferry_lab.azure.plane import Document
from arcferry_lab.azure.routes import ArmRequest, Operation
from arcferry_lab.azure.state import Application, AzureState

_THROTTLING = "arm/graph-throttling"
_MOST = 1000
_COLUMNS = ("sku", "kind", "identity", "plan", "zones", "extendedLocation", "managedBy")
_INVALID = (
    "Query is invalid. Please refer to the documentation for the Azure Resource Graph service and fix the "
    "error before retrying."
)
_THROTTLED = (
    "Client application has been throttled and should not attempt to repeat the request until an amount of "
    "time has elapsed. Please see https://aka.ms/resourcegraph-throttling for help."
)


async def _query(asked: ArmRequest) -> web.Response:
    state, body = asked.state, asked.body
    if state.faults.take(_THROTTLING):
        raise _throttled(1)
    quota = _quota(asked)
    query, options = body.get("query"), body.get("options") or {}
    if not isinstance(query, str) or not isinstance(options, dict):
        raise _refused("The request needs a query, a text, and options, an object.")
    if not _is_within(state, body.get("subscriptions")):
        raise _refused(
            "The caller has access to none of the subscriptions.", "NoValidSubscriptionsInQueryRequest"
        )
    try:
        rows = run(query, _tables(asked), "resources")
    except QueryError as error:
        raise _refused(f"{error}.") from error
    return _answered(asked, rows, options, quota)


def _quota(asked: ArmRequest) -> dict[str, str]:
    """The headers that say what is left of the client's quota (guidance-for-throttled-requests.md, 2025).

    Raises:
        ArmError: 429, nothing is.
    """
    plane, now = asked.state.plane, times.now()
    name = asked.client.client_id if asked.client else ""
    began, used = plane.graph_used.get(name, (now, 0))
    if (now - began).total_seconds() >= plane.graph_window:
        began, used = now, 0
    rest = max(1, ceil(plane.graph_window - (now - began).total_seconds()))
    if used >= plane.graph_quota:
        raise _throttled(rest)
    plane.graph_used[name] = began, used + 1
    return _headers(plane.graph_quota - used - 1, rest)


def _headers(left: int, rest: int) -> dict[str, str]:
    return {
        "x-ms-user-quota-remaining": str(left),
        "x-ms-user-quota-resets-after": f"00:{rest // 60:02}:{rest % 60:02}",
    }


def _answered(
    asked: ArmRequest, rows: list[Document], options: Document, quota: dict[str, str]
) -> web.Response:
    start = _number(options, "$skipToken") or _number(options, "$skip")
    size = min(_number(options, "$top") or _MOST, _MOST, asked.state.page)
    data = rows[start : start + size]
    answer: Document = {
        "totalRecords": len(rows),
        "count": len(data),
        "data": data,
        "facets": [],
        "resultTruncated": "false",
    }
    if start + size < len(rows):
        answer["$skipToken"] = str(start + size)
    return web.json_response(answer, headers=quota)


def _tables(asked: ArmRequest) -> dict[str, list[Document]]:
    """The rows that the client may read; what it may not is left out, without a word."""
    state, client = asked.state, asked.client
    containers = [_row(state, shown_group(state, group)) for group in state.groups.values()]
    subscription = {
        "id": f"/subscriptions/{state.subscription_id}",
        "name": "arcferry twin",
        "type": "microsoft.resources/subscriptions",
        "properties": {"state": "Enabled"},
    }
    tables = {
        "resources": [_row(state, one) for one in resources(state)],
        "resourcecontainers": [_row(state, subscription), *containers],
    }
    return {name: [row for row in rows if client and _may_read(client, row)] for name, rows in tables.items()}


def _may_read(client: Application, row: Document) -> bool:
    return any(role.allows(f"{row['type']}/read", str(row["id"])) for role in client.roles)


def _row(state: AzureState, document: Document) -> Document:
    """A resource as Resource Graph keeps it: type and group in lower case, every column there."""
    kind = str(document["type"]).lower()
    if kind == "microsoft.resources/resourcegroups":
        kind = "microsoft.resources/subscriptions/resourcegroups"
    row = {
        "id": document["id"],
        "name": document["name"],
        "type": kind,
        "tenantId": state.tenant_id,
        "location": document.get("location", ""),
        "resourceGroup": group_of(document).lower(),
        "subscriptionId": state.subscription_id,
        "tags": document.get("tags"),
        "properties": document["properties"],
    }
    return row | {column: document.get(column) for column in _COLUMNS}


def _is_within(state: AzureState, wanted: object) -> bool:
    if not wanted:
        return True
    return isinstance(wanted, list) and state.subscription_id in {str(one).lower() for one in wanted}


def _number(options: Document, name: str) -> int:
    text = str(options.get(name) or "0")
    if not text.isdecimal():
        raise _refused(f"'{text}' is no value for {name}.")
    return int(text)


def _refused(message: str, code: str = "ParserFailure") -> ArmError:
    return _error(400, "BadRequest", ("InvalidQuery", _INVALID), (code, message))


def _throttled(rest: int) -> ArmError:
    """Its own limit, of 15 queries in 5 seconds, beside Resource Manager's."""
    error = _error(429, "RateLimiting", ("RateLimiting", _THROTTLED))
    error.headers = {"Retry-After": str(rest), **_headers(0, rest)}
    return error


def _error(status: int, code: str, *details: tuple[str, str]) -> ArmError:
    """What is wrong stands in the details; the message is for a support request."""
    stamp = f"timestamp = {times.to_text(times.now())}, correlationId = {uuid4()}."
    message = f"Please provide below info when asking for support: {stamp}"
    return ArmError(status, code, message, details=details)


ROUTES = (Operation("POST", "/providers/Microsoft.ResourceGraph/resources", _query),)
