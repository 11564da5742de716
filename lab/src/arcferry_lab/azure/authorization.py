"""Microsoft.Authorization: rights, roles, locks, and policies with what is assigned and exempted."""

from typing import Any
from uuid import uuid4

from aiohttp import web

from arcferry_lab.azure.errors import ArmError
from arcferry_lab.azure.gate import role_made
from arcferry_lab.azure.groups import group_named
from arcferry_lab.azure.paging import page
from arcferry_lab.azure.policies import BUILT_IN
from arcferry_lab.azure.roles import ROLES, role_with
from arcferry_lab.azure.routes import ArmRequest, Handler, Operation
from arcferry_lab.azure.state import AzureState

PROVIDER = "Microsoft.Authorization"
LOCKS, ASSIGNMENTS, EXEMPTIONS = "locks", "policyAssignments", "policyExemptions"
DEFINITIONS, INITIATIVES = "policyDefinitions", "policySetDefinitions"
ROLE_ASSIGNMENTS, ROLE_DEFINITIONS = "roleAssignments", "roleDefinitions"
_KINDS = (LOCKS, ASSIGNMENTS, EXEMPTIONS, DEFINITIONS, INITIATIVES, ROLE_ASSIGNMENTS, ROLE_DEFINITIONS)
_INHERITED = {ASSIGNMENTS, EXEMPTIONS, ROLE_ASSIGNMENTS}

_SUBSCRIPTION = "/subscriptions/{subscription}"
_GROUP = f"{_SUBSCRIPTION}/resourceGroups/{{group}}"
_SCOPES = (
    "",
    "/providers/Microsoft.Management/managementGroups/{management}",
    _SUBSCRIPTION,
    _GROUP,
    f"{_GROUP}/providers/{{namespace}}/{{type}}/{{resource}}",
)


def put(state: AzureState, scope: str, kind: str, name: str, properties: dict[str, Any]) -> dict[str, Any]:
    """Keep an object at a scope, as an administrator makes it."""
    identity = f"{scope}/providers/{PROVIDER}/{kind}/{name}"
    document: dict[str, Any] = {"id": identity, "name": name, "type": f"{PROVIDER}/{kind}"}
    document["properties"] = properties
    state.authorization[identity.lower()] = document
    if kind == ROLE_ASSIGNMENTS:
        document["properties"] = properties | {"scope": scope or "/"}
        _give(state, properties)
    return document


def _give(state: AzureState, properties: dict[str, Any]) -> None:
    role = role_with(str(properties.get("roleDefinitionId") or ""))
    for client in state.clients.values():
        if role and client.object_id.lower() == str(properties.get("principalId") or "").lower():
            client.roles = (*client.roles, role)
            role_made(state, client.client_id)


def _all(state: AzureState) -> dict[str, dict[str, Any]]:
    roles = {}
    for role in ROLES.values():
        identity = f"/subscriptions/{state.subscription_id}/providers/{PROVIDER}/{ROLE_DEFINITIONS}/{role.id}"
        roles[identity.lower()] = {
            "id": identity,
            "name": role.id,
            "type": f"{PROVIDER}/{ROLE_DEFINITIONS}",
            "properties": {
                "roleName": role.title,
                "type": "BuiltInRole",
                "permissions": [{"actions": list(role.actions), "notActions": list(role.not_actions)}],
            },
        }
    return {**BUILT_IN, **roles, **state.authorization}


def _scope(asked: ArmRequest, template: str) -> str:
    if asked.names.get("group"):
        group_named(asked.state, asked.names["group"])
    return template.format_map(asked.names)


def _at(state: AzureState, kind: str, scope: str, *, beneath: bool) -> list[dict[str, Any]]:
    """The objects of a kind that count at a scope, with those within it if `beneath`."""
    found = []
    for identity, document in _all(state).items():
        place, _, rest = identity.rpartition(f"/providers/{PROVIDER.lower()}/")
        if not rest.startswith(f"{kind.lower()}/"):
            continue
        above = f"{scope}/".startswith(f"{place}/") or place.startswith("/providers/microsoft.management/")
        within = place.startswith(f"{scope}/") and beneath
        if place == scope or within or (above and kind in _INHERITED):
            found.append(document)
    return found


def _handlers(template: str, kind: str) -> dict[str, Handler]:
    async def listed(asked: ArmRequest) -> web.Response:
        beneath = "atscope()" not in asked.parameter("$filter").lower()
        return page(asked, _at(asked.state, kind, _scope(asked, template).lower(), beneath=beneath))

    def identity(asked: ArmRequest) -> str:
        return f"{_scope(asked, template)}/providers/{PROVIDER}/{kind}/{asked.names['name']}"

    async def shown(asked: ArmRequest) -> web.Response:
        found = _all(asked.state).get(identity(asked).lower())
        if found is None:
            raise ArmError(
                404, f"{kind[0].upper()}{kind[1:-1]}NotFound", f"'{identity(asked)}' was not found."
            )
        return web.json_response(found)

    async def made(asked: ArmRequest) -> web.Response:
        given = asked.body.get("properties")
        if not isinstance(given, dict):
            raise ArmError(400, "InvalidRequestContent", "'properties' must be a JSON object.")
        known = identity(asked).lower() in asked.state.authorization
        document = put(asked.state, _scope(asked, template), kind, asked.names["name"], given)
        return web.json_response(document, status=200 if known else 201)

    async def deleted(asked: ArmRequest) -> web.Response:
        found = asked.state.authorization.pop(identity(asked).lower(), None)
        return web.Response(status=200 if found else 204)

    return {"LIST": listed, "GET": shown, "PUT": made, "DELETE": deleted}


async def _permissions(asked: ArmRequest) -> web.Response:
    """What whoever asks may do here."""
    client, here = asked.client, asked.request.path.lower().partition(f"/providers/{PROVIDER.lower()}/")[0]
    roles = [role for role in client.roles if role.counts_at(here)] if client else []
    shown = [
        {
            "actions": list(role.actions),
            "notActions": list(role.not_actions),
            "dataActions": [],
            "notDataActions": [],
        }
        for role in roles
    ]
    return page(asked, shown)


def _routes() -> list[Operation]:
    found = []
    verbs = {
        "LIST": ("GET", "read"),
        "GET": ("GET", "read"),
        "PUT": ("PUT", "write"),
        "DELETE": ("DELETE", "delete"),
    }
    for scope in _SCOPES:
        for kind in _KINDS:
            collection = f"{scope}/providers/{PROVIDER}/{kind}"
            for verb, handler in _handlers(scope, kind).items():
                method, action = verbs[verb]
                path = collection if verb == "LIST" else f"{collection}/{{name}}"
                found.append(Operation(method, path, handler, f"{PROVIDER}/{kind}/{action}"))
        path = f"{scope}/providers/{PROVIDER}/permissions"
        found.append(Operation("GET", path, _permissions, f"{PROVIDER}/permissions/read"))
    return found


ROUTES = tuple(_routes())


def lock(state: AzureState, scope: str, level: str) -> str:
    """Lock a scope, and say the lock's name."""
    name = f"lock-{uuid4().hex[:8]}"
    put(state, scope, LOCKS, name, {"level": level})
    return name


def assign(
    state: AzureState,
    scope: str,
    definition: str,
    values: dict[str, Any] | None = None,
    properties: dict[str, Any] | None = None,
) -> str:
    """Assign a definition, by its id or the number of a built-in one, and say the assignment's id."""
    number = definition if definition.startswith("/") else f"/providers/{PROVIDER}/{DEFINITIONS}/{definition}"
    given = {
        "displayName": f"assignment of {definition}",
        "policyDefinitionId": number,
        "parameters": {name: {"value": value} for name, value in (values or {}).items()},
        "scope": scope,
        "enforcementMode": "Default",
    }
    return str(put(state, scope, ASSIGNMENTS, uuid4().hex[:24], given | (properties or {}))["id"])
