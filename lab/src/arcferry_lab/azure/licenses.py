"""Licenses for Extended Security Updates, which machines are assigned to."""

from aiohttp import web

from arcferry_lab.azure.bodies import location, part, tags
from arcferry_lab.azure.errors import resource_not_found
from arcferry_lab.azure.groups import group_id, group_named
from arcferry_lab.azure.long_running import look_at, removed, written
from arcferry_lab.azure.paging import page
from arcferry_lab.azure.plane import Document
from arcferry_lab.azure.providers import HYBRID_COMPUTE
from arcferry_lab.azure.routes import ArmRequest, Operation
from arcferry_lab.azure.state import AzureState

KIND = f"{HYBRID_COMPUTE}/licenses"


def licenses(state: AzureState) -> list[Document]:
    """Every license."""
    found = [one for one in state.plane.documents.values() if one["type"] == KIND]
    return [_shown(state, one) for one in found]


def _shown(state: AzureState, document: Document) -> Document:
    now = {"provisioningState": state.plane.provisioning(str(document["id"]))}
    return document | {"properties": document["properties"] | now}


def _place(asked: ArmRequest) -> str:
    group = group_named(asked.state, asked.names["group"])
    return f"{group_id(asked.state, group)}/providers/{KIND}/{asked.names.get('name', '')}"


def _stored(asked: ArmRequest) -> Document:
    found = asked.state.plane.documents.get(_place(asked).lower())
    if found is None:
        raise resource_not_found(KIND, asked.names["name"], asked.names["group"])
    return found


async def _get(asked: ArmRequest) -> web.Response:
    await look_at(asked.state, _place(asked))
    return web.json_response(_shown(asked.state, _stored(asked)))


async def _list(asked: ArmRequest) -> web.Response:
    found = licenses(asked.state)
    if "group" in asked.names:
        start = _place(asked).lower()
        found = [one for one in found if str(one["id"]).lower().startswith(start)]
    return page(asked, found)


async def _put(asked: ArmRequest) -> web.Response:
    place, body = _place(asked), asked.body
    document = {
        "id": place,
        "name": asked.names["name"],
        "type": KIND,
        "location": location(body),
        "tags": tags(body),
        "properties": {"licenseType": "ESU"} | part(body, "properties"),
    }
    existed = place.lower() in asked.state.plane.documents

    async def apply() -> None:
        asked.state.plane.documents[place.lower()] = document

    return await written(
        asked, place, lambda: _shown(asked.state, _stored(asked)), apply, exists=existed, created=200
    )


async def _patch(asked: ArmRequest) -> web.Response:
    known, place = _stored(asked), _place(asked)
    changed = {"tags": tags(asked.body) or known["tags"]}
    properties = known["properties"] | part(asked.body, "properties")

    async def apply() -> None:
        asked.state.plane.documents[place.lower()] = known | changed | {"properties": properties}

    return await written(asked, place, lambda: _shown(asked.state, _stored(asked)), apply, exists=True)


async def _delete(asked: ArmRequest) -> web.Response:
    place = _place(asked)
    if place.lower() not in asked.state.plane.documents:
        return web.Response(status=204)

    async def remove() -> None:
        asked.state.plane.drop(place)

    return await removed(asked, place, remove, status=200)


_IN_GROUP = f"/subscriptions/{{subscription}}/resourceGroups/{{group}}/providers/{KIND}"
_ONE = f"{_IN_GROUP}/{{name}}"
ROUTES = (
    Operation("GET", _ONE, _get, f"{KIND}/read"),
    Operation("PUT", _ONE, _put, f"{KIND}/write"),
    Operation("PATCH", _ONE, _patch, f"{KIND}/write"),
    Operation("DELETE", _ONE, _delete, f"{KIND}/delete"),
    Operation("GET", _IN_GROUP, _list, f"{KIND}/read"),
    Operation("GET", f"/subscriptions/{{subscription}}/providers/{KIND}", _list, f"{KIND}/read"),
)
