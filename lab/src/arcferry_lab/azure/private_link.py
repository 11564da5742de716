"""Microsoft.HybridCompute/privateLinkScopes: for machines that reach Azure privately."""

from typing import Any

from aiohttp import web

from arcferry_lab.azure.errors import ArmError, resource_not_found
from arcferry_lab.azure.groups import group_named
from arcferry_lab.azure.paging import page
from arcferry_lab.azure.routes import ArmRequest, Operation
from arcferry_lab.azure.state import AzureState

KIND = "Microsoft.HybridCompute/privateLinkScopes"
_IN_GROUP = f"/subscriptions/{{subscription}}/resourceGroups/{{group}}/providers/{KIND}"
_ONE = f"{_IN_GROUP}/{{name}}"


def scope_id(state: AzureState, group: str, name: str) -> str:
    """A scope's ARM id."""
    return f"/subscriptions/{state.subscription_id}/resourceGroups/{group}/providers/{KIND}/{name}"


def add_scope(state: AzureState, group: str, name: str, public: str = "Enabled") -> str:
    """Make a scope, and say its id."""
    identity = scope_id(state, group, name)
    state.private_link_scopes[group.lower(), name.lower()] = {
        "id": identity,
        "name": name,
        "type": KIND,
        "location": state.location,
        "properties": {"publicNetworkAccess": public, "provisioningState": "Succeeded"},
    }
    return identity


def _named(asked: ArmRequest) -> dict[str, Any]:
    group, name = asked.names["group"], asked.names["name"]
    group_named(asked.state, group)
    found = asked.state.private_link_scopes.get((group.lower(), name.lower()))
    if found is None:
        raise resource_not_found(KIND, name, group)
    return found


async def _get(asked: ArmRequest) -> web.Response:
    return web.json_response(_named(asked))


async def _put(asked: ArmRequest) -> web.Response:
    group, name = group_named(asked.state, asked.names["group"]).name, asked.names["name"]
    given = asked.body.get("properties") or {}
    if not isinstance(given, dict):
        raise ArmError(400, "InvalidRequestContent", "'properties' must be a JSON object.")
    known = (group.lower(), name.lower()) in asked.state.private_link_scopes
    add_scope(asked.state, group, name, str(given.get("publicNetworkAccess") or "Disabled"))
    return web.json_response(_named(asked), status=200 if known else 201)


async def _delete(asked: ArmRequest) -> web.Response:
    _named(asked)
    del asked.state.private_link_scopes[asked.names["group"].lower(), asked.names["name"].lower()]
    return web.Response(status=200)


async def _list(asked: ArmRequest) -> web.Response:
    group = group_named(asked.state, asked.names["group"]).name.lower()
    found = [one for (place, _), one in asked.state.private_link_scopes.items() if place == group]
    return page(asked, found)


async def _list_all(asked: ArmRequest) -> web.Response:
    return page(asked, list(asked.state.private_link_scopes.values()))


ROUTES = (
    Operation("GET", _ONE, _get, f"{KIND}/read"),
    Operation("PUT", _ONE, _put, f"{KIND}/write"),
    Operation("DELETE", _ONE, _delete, f"{KIND}/delete"),
    Operation("GET", _IN_GROUP, _list, f"{KIND}/read"),
    Operation("GET", f"/subscriptions/{{subscription}}/providers/{KIND}", _list_all, f"{KIND}/read"),
)
