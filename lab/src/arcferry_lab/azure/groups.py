"""The subscription and its resource groups."""

import re

from aiohttp import web

from arcferry_lab.azure.bodies import tags
from arcferry_lab.azure.errors import ArmError, group_not_found
from arcferry_lab.azure.long_running import begin, group_links, look_at
from arcferry_lab.azure.paging import page
from arcferry_lab.azure.routes import ArmRequest, Operation
from arcferry_lab.azure.state import AzureState, ResourceGroup

_NAME = re.compile(r"[-\w._()]{1,89}[-\w_()]|[-\w_()]")


def group_named(state: AzureState, name: str) -> ResourceGroup:
    """The group of this name, in any letter case.

    Raises:
        ArmError: 404, there is none.
    """
    group = state.groups.get(name.lower())
    if group is None:
        raise group_not_found(name)
    return group


def group_id(state: AzureState, group: ResourceGroup) -> str:
    """The group's full ARM id."""
    return f"/subscriptions/{state.subscription_id}/resourceGroups/{group.name}"


def shown_group(state: AzureState, group: ResourceGroup) -> dict[str, object]:
    """A resource group as ARM shows it."""
    return {
        "id": group_id(state, group),
        "name": group.name,
        "type": "Microsoft.Resources/resourceGroups",
        "location": group.location,
        "tags": group.tags,
        "properties": {"provisioningState": state.plane.provisioning(group_id(state, group))},
    }


def _shown_subscription(state: AzureState) -> dict[str, object]:
    return {
        "id": f"/subscriptions/{state.subscription_id}",
        "subscriptionId": state.subscription_id,
        "tenantId": state.tenant_id,
        "displayName": "arcferry twin",
        "state": state.subscription_state,
    }


async def _subscriptions(asked: ArmRequest) -> web.Response:
    return page(asked, [_shown_subscription(asked.state)])


async def _subscription(asked: ArmRequest) -> web.Response:
    return web.json_response(_shown_subscription(asked.state))


async def _list(asked: ArmRequest) -> web.Response:
    return page(asked, [shown_group(asked.state, group) for group in asked.state.groups.values()])


async def _get(asked: ArmRequest) -> web.Response:
    return web.json_response(shown_group(asked.state, await _looked_at(asked)))


async def _exists(asked: ArmRequest) -> web.Response:
    await _looked_at(asked)
    return web.Response(status=204)


async def _looked_at(asked: ArmRequest) -> ResourceGroup:
    """The group that is asked for, unless this very look ends its deletion."""
    group = group_named(asked.state, asked.names["group"])
    await look_at(asked.state, group_id(asked.state, group))
    return group_named(asked.state, group.name)


async def _put(asked: ArmRequest) -> web.Response:
    state, name = asked.state, asked.names["group"]
    if not _NAME.fullmatch(name):
        raise ArmError(400, "InvalidResourceGroup", f"'{name}' is no name for a resource group.")
    location = str(asked.body.get("location") or "").replace(" ", "").lower()
    if not location:
        raise ArmError(400, "LocationRequired", "The location property is required.")
    known = state.groups.get(name.lower())
    if known and known.location != location:
        raise ArmError(
            409, "InvalidResourceGroupLocation", f"'{name}' exists in location '{known.location}'."
        )
    group = known or state.add_group(name, location)
    group.tags = tags(asked.body)
    return web.json_response(shown_group(state, group), status=200 if known else 201)


async def _patch(asked: ArmRequest) -> web.Response:
    group = group_named(asked.state, asked.names["group"])
    group.tags = tags(asked.body) or group.tags
    return web.json_response(shown_group(asked.state, group))


async def _delete(asked: ArmRequest) -> web.Response:
    """202 at once; the group is there, Deleting, until the operation ends."""
    state = asked.state
    group = group_named(state, asked.names["group"])

    async def drop() -> None:
        state.drop_group(group.name)

    resource = group_id(state, group)
    running = state.plane.running(resource)
    number = running[0] if running else begin(state, resource, "Deleting", drop)
    return web.Response(status=202, headers=group_links(asked, number))


_SUBSCRIPTION = "/subscriptions/{subscription}"
_GROUP = f"{_SUBSCRIPTION}/resourceGroups/{{group}}"
_ACTION = "Microsoft.Resources/subscriptions"
ROUTES = (
    Operation("GET", "/subscriptions", _subscriptions),
    Operation("GET", _SUBSCRIPTION, _subscription, f"{_ACTION}/read"),
    Operation("GET", f"{_SUBSCRIPTION}/resourceGroups", _list, f"{_ACTION}/resourceGroups/read"),
    Operation("HEAD", _GROUP, _exists, f"{_ACTION}/resourceGroups/read"),
    Operation("GET", _GROUP, _get, f"{_ACTION}/resourceGroups/read"),
    Operation("PUT", _GROUP, _put, f"{_ACTION}/resourceGroups/write"),
    Operation("PATCH", _GROUP, _patch, f"{_ACTION}/resourceGroups/write"),
    Operation("DELETE", _GROUP, _delete, f"{_ACTION}/resourceGroups/delete"),
)
