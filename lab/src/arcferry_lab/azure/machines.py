"""Microsoft.HybridCompute/machines: what ARM keeps of a server."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

from aiohttp import web

from arcferry import times
from arcferry_lab.azure.errors import ArmError, resource_not_found
from arcferry_lab.azure.groups import group_named
from arcferry_lab.azure.paging import page
from arcferry_lab.azure.providers import HYBRID_COMPUTE, locations
from arcferry_lab.azure.routes import ArmRequest, Operation
from arcferry_lab.azure.state import ArcMachine, AzureState

KIND = f"{HYBRID_COMPUTE}/machines"
EXPIRES = timedelta(days=45)
_NAME = re.compile(r"[-\w.]{1,54}")
_MOST_TAGS = 50


def status(state: AzureState, machine: ArcMachine) -> str:
    """As ARM's `properties.status` has it: AwaitingConnection, Connected, Disconnected or Expired."""
    if machine.last_heartbeat is None:
        return "AwaitingConnection"
    quiet = datetime.now(UTC) - machine.last_heartbeat
    if quiet > EXPIRES:
        return "Expired"
    return "Disconnected" if quiet > state.silence else "Connected"


def resource_id(state: AzureState, machine: ArcMachine) -> str:
    """The machine's full ARM id."""
    group = f"/subscriptions/{state.subscription_id}/resourceGroups/{machine.group}"
    return f"{group}/providers/{KIND}/{machine.name}"


def shown(state: AzureState, machine: ArcMachine) -> dict[str, Any]:
    """A machine as ARM shows it; properties that only the service sets win over what was written."""
    now = status(state, machine)
    changed = machine.changed
    if now in {"Disconnected", "Expired"} and machine.last_heartbeat:
        changed = machine.last_heartbeat + (state.silence if now == "Disconnected" else EXPIRES)
    document: dict[str, Any] = {
        "id": resource_id(state, machine),
        "name": machine.name,
        "type": KIND,
        "location": machine.location,
        "tags": machine.tags,
        "identity": {
            "type": "SystemAssigned",
            "principalId": machine.principal_id,
            "tenantId": state.tenant_id,
        },
        "properties": machine.properties
        | {
            "provisioningState": "Succeeded",
            "displayName": machine.name,
            "status": now,
            "lastStatusChange": times.to_text(changed),
        },
        "systemData": {"createdAt": times.to_text(machine.created)},
    }
    return document | ({"kind": machine.kind} if machine.kind else {})


def machine_named(state: AzureState, group: str, name: str) -> ArcMachine:
    """The machine of this name in this group, in any letter case.

    Raises:
        ArmError: 404, there is no such group or no such machine in it.
    """
    group_named(state, group)
    machine = state.machines.get((group.lower(), name.lower()))
    if machine is None:
        raise resource_not_found(KIND, name, group)
    return machine


async def _get(asked: ArmRequest) -> web.Response:
    machine = machine_named(asked.state, asked.names["group"], asked.names["name"])
    return web.json_response(shown(asked.state, machine))


async def _put(asked: ArmRequest) -> web.Response:
    state, body = asked.state, asked.body
    group = group_named(state, asked.names["group"])
    name, location = _name(asked.names["name"]), _location(body)
    properties, tags = _object(body, "properties"), _tags(body)
    known = state.machines.get((group.name.lower(), name.lower()))
    if known is None:
        machine = ArcMachine(group.name, name, location, tags, properties, body.get("kind"))
        state.machines[group.name.lower(), name.lower()] = machine
        return web.json_response(shown(state, machine))
    _check_same(known, location, properties)
    known.tags, known.properties = tags, known.properties | properties
    known.written_again = True
    return web.json_response(shown(state, known))


async def _patch(asked: ArmRequest) -> web.Response:
    machine = machine_named(asked.state, asked.names["group"], asked.names["name"])
    body = asked.body
    if "tags" in body:
        machine.tags = _tags(body)
    machine.kind = body.get("kind", machine.kind)
    machine.properties |= _object(body, "properties")
    return web.json_response(shown(asked.state, machine))


async def _delete(asked: ArmRequest) -> web.Response:
    """Always 204, which every version of the official client takes; ARM answers so for an unknown name."""
    group_named(asked.state, asked.names["group"])
    gone = asked.state.machines.pop((asked.names["group"].lower(), asked.names["name"].lower()), None)
    if gone:
        asked.state.plane.drop(resource_id(asked.state, gone))
    return web.Response(status=204)


async def _list_in_group(asked: ArmRequest) -> web.Response:
    group = group_named(asked.state, asked.names["group"]).name
    found = [one for one in asked.state.machines.values() if one.group.lower() == group.lower()]
    return page(asked, [shown(asked.state, machine) for machine in found])


async def _list(asked: ArmRequest) -> web.Response:
    return page(asked, [shown(asked.state, machine) for machine in asked.state.machines.values()])


def _object(body: dict[str, Any], key: str) -> dict[str, Any]:
    value = body.get(key) or {}
    if not isinstance(value, dict):
        raise ArmError(400, "InvalidRequestContent", f"'{key}' must be a JSON object.")
    return value


def _name(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise ArmError(
            400,
            "InvalidResourceName",
            f"'{name}' is no name for a machine: 1 to 54 letters, digits, - _ or .",
        )
    return name


def _location(body: dict[str, Any]) -> str:
    location = str(body.get("location") or "").replace(" ", "").lower()
    if not location:
        raise ArmError(400, "LocationRequired", "The location property is required for this definition.")
    if location not in locations():
        raise ArmError(
            400,
            "LocationNotAvailableForResourceType",
            f"The location '{location}' is not available for resource type '{KIND}'.",
        )
    return location


def _tags(body: dict[str, Any]) -> dict[str, str]:
    tags = {str(key): str(value) for key, value in _object(body, "tags").items()}
    if len(tags) > _MOST_TAGS:
        raise ArmError(400, "TooManyTags", f"A resource takes {_MOST_TAGS} tags, not {len(tags)}.")
    return tags


def _check_same(known: ArcMachine, location: str, properties: dict[str, Any]) -> None:
    if known.location != location:
        raise ArmError(
            409, "InvalidResourceLocation", f"'{known.name}' exists in location '{known.location}' already."
        )
    given = str(properties.get("vmId") or "")
    if known.vm_id and given and given.lower() != known.vm_id.lower():
        raise ArmError(
            409, "Conflict", f"'{known.name}' is another server's machine, with vmId {known.vm_id}."
        )


_IN_GROUP = f"/subscriptions/{{subscription}}/resourceGroups/{{group}}/providers/{KIND}"
_ONE = f"{_IN_GROUP}/{{name}}"
ROUTES = (
    Operation("GET", _ONE, _get, f"{KIND}/read"),
    Operation("PUT", _ONE, _put, f"{KIND}/write"),
    Operation("PATCH", _ONE, _patch, f"{KIND}/write"),
    Operation("DELETE", _ONE, _delete, f"{KIND}/delete"),
    Operation("GET", _IN_GROUP, _list_in_group, f"{KIND}/read"),
    Operation("GET", f"/subscriptions/{{subscription}}/providers/{KIND}", _list, f"{KIND}/read"),
)
