"""Extensions of machines: what ARM keeps of each, and how its installation ended."""

from typing import Any

from aiohttp import web

from arcferry import times
from arcferry_lab.azure.bodies import location, part, tags
from arcferry_lab.azure.errors import ArmError, resource_not_found
from arcferry_lab.azure.long_running import begin, check_free, links, look_at, nothing, removed
from arcferry_lab.azure.machines import KIND as MACHINES
from arcferry_lab.azure.machines import machine_named, resource_id
from arcferry_lab.azure.paging import page
from arcferry_lab.azure.plane import FAILED, SUCCEEDED, Document
from arcferry_lab.azure.routes import ArmRequest, Operation
from arcferry_lab.azure.state import AzureState

KIND = f"{MACHINES}/extensions"
_FAILS = "arm/extension-fails"
# In the words of a real failure: https://github.com/microsoft/azure_arc/issues/2705, 2024-09-10.
_ERROR: Document = {
    "code": "HCRP400",
    "message": "Extension returned non-zero exit code for Install: 1. Extension error output: std error: .",
}
_SECRET = ("protectedSettings",)


def extensions(state: AzureState) -> list[Document]:
    """Every extension of every machine."""
    found = [one for one in state.plane.documents.values() if one["type"] == KIND]
    return [_shown(state, one) for one in found]


def _shown(state: AzureState, document: Document) -> Document:
    """An extension as ARM shows it, with what the server's own extension manager says of it."""
    now, properties = state.plane.provisioning(str(document["id"])), document["properties"]
    failed = now == FAILED
    level, code = ("Error", 1) if failed else ("Information", 0)
    message = _ERROR["message"] if failed else "Extension Message: Execution completed"
    view = {
        "name": document["name"],
        "type": properties.get("type"),
        "typeHandlerVersion": properties.get("typeHandlerVersion"),
    }
    if now in {SUCCEEDED, FAILED}:
        view["status"] = {"code": str(code), "level": level, "message": message, "time": document["changed"]}
    shown = {key: value for key, value in document.items() if key != "changed"}
    return shown | {"properties": properties | {"provisioningState": now, "instanceView": view}}


def _place(asked: ArmRequest) -> str:
    machine = machine_named(asked.state, asked.names["group"], asked.names["name"])
    return f"{resource_id(asked.state, machine)}/extensions/{asked.names.get('extension', '')}"


def _stored(asked: ArmRequest) -> Document:
    found = asked.state.plane.documents.get(_place(asked).lower())
    if found is None:
        name = f"{asked.names['name']}/{asked.names['extension']}"
        raise resource_not_found(KIND, name, asked.names["group"])
    return found


async def _get(asked: ArmRequest) -> web.Response:
    await look_at(asked.state, _place(asked))
    return web.json_response(_shown(asked.state, _stored(asked)))


async def _list(asked: ArmRequest) -> web.Response:
    start = _place(asked).lower()
    return page(asked, [one for one in extensions(asked.state) if str(one["id"]).lower().startswith(start)])


async def _put(asked: ArmRequest) -> web.Response:
    place, body = _place(asked), asked.body
    properties = _properties(body)
    region = location(body)
    for key in ("publisher", "type"):
        if not properties.get(key):
            raise ArmError(400, "InvalidRequestContent", f"An extension needs properties.{key}.")
    existed = place.lower() in asked.state.plane.documents
    document = {
        "id": place,
        "name": asked.names["extension"],
        "type": KIND,
        "location": region,
        "tags": tags(body),
        "properties": properties,
    }
    headers = _install(asked, place, document, "Updating" if existed else "Creating")
    shown = _shown(asked.state, _stored(asked))
    return web.json_response(shown, headers=headers)


async def _patch(asked: ArmRequest) -> web.Response:
    known, place = _stored(asked), _place(asked)
    document = known | {
        "tags": tags(asked.body) or known["tags"],
        "properties": known["properties"] | _properties(asked.body),
    }
    return web.Response(status=202, headers=_install(asked, place, document, "Updating"))


def _install(asked: ArmRequest, place: str, document: Document, word: str) -> dict[str, str]:
    """Keep the document, and begin what the server does with it; returns the links to that."""
    check_free(asked, place)
    error = _ERROR if asked.state.faults.take(_FAILS) else None
    asked.state.plane.documents[place.lower()] = document | {"changed": times.to_text(times.now())}
    return links(asked, begin(asked.state, place, word, nothing, error), location=True)


async def _delete(asked: ArmRequest) -> web.Response:
    place = _place(asked)
    if place.lower() not in asked.state.plane.documents:
        return web.Response(status=204)

    async def remove() -> None:
        asked.state.plane.drop(place)

    return await removed(asked, place, remove)


async def _upgrade(asked: ArmRequest) -> web.Response:
    """`upgradeExtensions`: by publisher and type, as `extensionTargets` names them."""
    start, wanted = _place(asked).lower(), asked.body.get("extensionTargets")
    if not isinstance(wanted, dict) or not wanted:
        raise ArmError(400, "InvalidRequestContent", "extensionTargets must name an extension.")
    found = [one for key, one in asked.state.plane.documents.items() if key.startswith(start)]
    for one in found:
        properties = one["properties"]
        target = wanted.get(f"{properties['publisher']}.{properties['type']}")
        if isinstance(target, dict) and target.get("targetVersion"):
            properties["typeHandlerVersion"] = str(target["targetVersion"])
    number = begin(asked.state, start, "Updating", nothing)
    return web.Response(status=202, headers=links(asked, number, location=True))


def _properties(body: Document) -> dict[str, Any]:
    return {key: one for key, one in part(body, "properties").items() if key not in _SECRET}


_MACHINE = f"/subscriptions/{{subscription}}/resourceGroups/{{group}}/providers/{MACHINES}/{{name}}"
_ONE = f"{_MACHINE}/extensions/{{extension}}"
ROUTES = (
    Operation("GET", f"{_MACHINE}/extensions", _list, f"{KIND}/read"),
    Operation("GET", _ONE, _get, f"{KIND}/read"),
    Operation("PUT", _ONE, _put, f"{KIND}/write"),
    Operation("PATCH", _ONE, _patch, f"{KIND}/write"),
    Operation("DELETE", _ONE, _delete, f"{KIND}/delete"),
    Operation("POST", f"{_MACHINE}/upgradeExtensions", _upgrade, f"{MACHINES}/upgradeExtensions/action"),
)
