"""ExpressRoute circuits and their peerings in ARM: read, written, deleted."""

from dataclasses import replace
from uuid import uuid4

from aiohttp import web

from arcferry_lab.azure.bodies import FORMAT, number, part, parts, tags
from arcferry_lab.azure.circuits import circuit, circuit_there, peerings
from arcferry_lab.azure.errors import ArmError, resource_not_found
from arcferry_lab.azure.etags import check_match, stamped
from arcferry_lab.azure.groups import group_id, group_named
from arcferry_lab.azure.ids import CIRCUITS, PEERING, circuit_id, filter_id
from arcferry_lab.azure.long_running import look_at, removed, written
from arcferry_lab.azure.network import route_filters
from arcferry_lab.azure.paging import page
from arcferry_lab.azure.plane import Document
from arcferry_lab.azure.routes import ArmRequest, Operation
from arcferry_lab.azure.state import AzureState, CircuitState

_PEERINGS = f"{CIRCUITS}/peerings"
_KINDS = {name.lower(): name for name in ("AzurePrivatePeering", "AzurePublicPeering", PEERING)}
_TIERS = ("Standard", "Premium", "Basic", "Local")
_FAMILIES = ("MeteredData", "UnlimitedData")
# In the words of a real one, of 2024-03-02: github.com/oracle-quickstart/oci-azure-interconnect, issue 8.
_STILL_PROVISIONED: Document = {
    "code": "ConflictError",
    "message": "The specified dedicated circuit is not in Deprovisioned state. Please initiate the "
    "deprovisioning process with your service provider.",
    "details": [],
}


def circuits(state: AzureState) -> list[Document]:
    """Every circuit: the twin's own, and what clients wrote."""
    own = [circuit(state)] if circuit_there(state) else []
    stored = [one for one in state.plane.documents.values() if one["type"] == CIRCUITS]
    return own + [_written(state, one) for one in stored]


def is_own(asked: ArmRequest) -> bool:
    """Whether it is the twin's own circuit that is asked for."""
    return _place(asked).lower() == circuit_id(asked.state).lower()


def check_circuit(asked: ArmRequest) -> Document:
    """The circuit that is asked for.

    Raises:
        ArmError: 404, there is none of this name in this group, or no such group.
    """
    found = _found(asked)
    if found is None:
        raise resource_not_found(CIRCUITS, asked.names["circuit"], asked.names["group"])
    return found


def check_peering(asked: ArmRequest) -> Document:
    """The peering that is asked for.

    Raises:
        ArmError: 404, the circuit has none of this name, or is not there itself.
    """
    found = _found_peering(asked)
    if found is None:
        name = f"{asked.names['circuit']}/{asked.names['peering']}"
        raise resource_not_found(_PEERINGS, name, asked.names["group"])
    return found


def _place(asked: ArmRequest) -> str:
    group = group_named(asked.state, asked.names["group"])
    return f"{group_id(asked.state, group)}/providers/{CIRCUITS}/{asked.names['circuit']}"


def _peering_place(asked: ArmRequest) -> str:
    return f"{_place(asked)}/peerings/{asked.names['peering']}"


def _found(asked: ArmRequest) -> Document | None:
    place = _place(asked).lower()
    return next((one for one in circuits(asked.state) if str(one["id"]).lower() == place), None)


def _found_peering(asked: ArmRequest) -> Document | None:
    name = asked.names["peering"].lower()
    rows = check_circuit(asked)["properties"]["peerings"]
    return next((one for one in rows if str(one["name"]).lower() == name), None)


def _written(state: AzureState, document: Document) -> Document:
    place = str(document["id"])
    inside = [stamped(one) for one in state.plane.under(place) if one["type"] == _PEERINGS]
    properties = {"provisioningState": state.plane.provisioning(place), "peerings": inside}
    return stamped(document | {"properties": document["properties"] | properties})


def _shown(document: Document) -> web.Response:
    return web.json_response(document, headers={"ETag": str(document["etag"])})


async def _get(asked: ArmRequest) -> web.Response:
    await look_at(asked.state, _place(asked))
    return _shown(check_circuit(asked))


async def _list(asked: ArmRequest) -> web.Response:
    found = circuits(asked.state)
    if "group" in asked.names:
        start = f"{group_id(asked.state, group_named(asked.state, asked.names['group']))}/".lower()
        found = [one for one in found if str(one["id"]).lower().startswith(start)]
    return page(asked, found)


async def _put(asked: ArmRequest) -> web.Response:
    existing, place = _found(asked), _place(asked)
    check_match(asked, existing)
    properties = part(asked.body, "properties", FORMAT)
    sku, provider = _sku(asked.body), part(properties, "serviceProviderProperties", FORMAT)
    labels, changed = tags(asked.body, FORMAT), _changed_own(asked, sku, provider)
    inside = [(str(row.get("name")), row) for row in parts(properties, "peerings", FORMAT)]
    for name, row in inside:
        _check_peering(asked, f"{place}/peerings/{name}", part(row, "properties", FORMAT))

    async def apply() -> None:
        if is_own(asked):
            asked.state.plane.deleted.discard(place.lower())
            asked.state.circuit = replace(changed, tags=labels)
        else:
            _store(asked, place, sku, provider)
        for name, row in inside:
            await _set_peering(asked, f"{place}/peerings/{name}", part(row, "properties", FORMAT))

    return await written(asked, place, lambda: check_circuit(asked), apply, exists=existing is not None)


def _changed_own(asked: ArmRequest, sku: Document, provider: Document) -> CircuitState:
    now = asked.state.circuit
    return replace(
        now,
        tier=sku["tier"],
        family=sku["family"],
        bandwidth=number(provider, "bandwidthInMbps", now.bandwidth, FORMAT),
        provider=str(provider.get("serviceProviderName") or now.provider),
        peering_location=str(provider.get("peeringLocation") or now.peering_location),
    )


def _store(asked: ArmRequest, place: str, sku: Document, provider: Document) -> None:
    document: Document = {
        "id": place,
        "name": asked.names["circuit"],
        "type": CIRCUITS,
        "location": str(asked.body.get("location") or asked.state.location),
        "sku": sku,
        "tags": tags(asked.body, FORMAT),
        "properties": {
            "circuitProvisioningState": "Enabled",
            "serviceProviderProvisioningState": "NotProvisioned",
            "serviceProviderProperties": provider,
            "serviceKey": str(uuid4()),
            "authorizations": [],
            "allowClassicOperations": False,
            "globalReachEnabled": False,
        },
    }
    known = asked.state.plane.documents.get(place.lower())
    if known:
        document["properties"] |= {"serviceKey": known["properties"]["serviceKey"]}
    asked.state.plane.documents[place.lower()] = document


async def _patch(asked: ArmRequest) -> web.Response:
    """Tags alone, at once; what else a circuit has is changed by PUT."""
    check_match(asked, check_circuit(asked))
    if is_own(asked):
        asked.state.circuit.tags = tags(asked.body, FORMAT)
    else:
        asked.state.plane.documents[_place(asked).lower()]["tags"] = tags(asked.body, FORMAT)
    return _shown(check_circuit(asked))


async def _delete(asked: ArmRequest) -> web.Response:
    """202 in any case; a circuit that the provider still carries stays, and the operation fails."""
    existing, place = _found(asked), _place(asked)
    check_match(asked, existing)
    if existing is None:
        return web.Response(status=204)

    async def remove() -> None:
        asked.state.plane.drop(place)
        if is_own(asked):
            asked.state.plane.deleted.add(place.lower())
            await asked.state.filter_changed()

    carried = existing["properties"]["serviceProviderProvisioningState"] != "NotProvisioned"
    return await removed(asked, place, remove, _STILL_PROVISIONED if carried else None)


async def _get_peering(asked: ArmRequest) -> web.Response:
    await look_at(asked.state, _peering_place(asked))
    return _shown(check_peering(asked))


async def _list_peerings(asked: ArmRequest) -> web.Response:
    check_circuit(asked)
    return page(
        asked, peerings(asked.state) if is_own(asked) else check_circuit(asked)["properties"]["peerings"]
    )


async def _put_peering(asked: ArmRequest) -> web.Response:
    existing, place = _found_peering(asked), _peering_place(asked)
    check_match(asked, existing)
    properties = part(asked.body, "properties", FORMAT)
    _check_peering(asked, place, properties)

    async def apply() -> None:
        await _set_peering(asked, place, properties)

    return await written(asked, place, lambda: check_peering(asked), apply, exists=existing is not None)


async def _set_peering(asked: ArmRequest, place: str, properties: Document) -> None:
    name = _KINDS[place.rpartition("/")[2].lower()]
    if is_own(asked) and name == PEERING:
        asked.state.circuit = _changed_own_peering(asked, properties)
        await asked.state.filter_changed()
        return
    kind = {"peeringType": name, "state": "Enabled", "azureASN": 12076}
    asked.state.plane.documents[place.lower()] = {
        "id": place,
        "name": name,
        "type": _PEERINGS,
        "properties": kind | properties | {"provisioningState": "Succeeded"},
    }


def _changed_own_peering(asked: ArmRequest, properties: Document) -> CircuitState:
    now = asked.state.circuit
    prefixes = part(properties, "microsoftPeeringConfig", FORMAT).get("advertisedPublicPrefixes")
    first, second = now.links
    attached = str(part(properties, "routeFilter", FORMAT).get("id") or "")
    own = attached.lower() == filter_id(asked.state).lower()
    return replace(
        now,
        has_peering=True,
        peering_state=str(properties.get("state") or now.peering_state),
        peer_asn=number(properties, "peerASN", now.peer_asn, FORMAT),
        vlan=number(properties, "vlanId", now.vlan, FORMAT),
        advertised_prefixes=tuple(map(str, prefixes))
        if isinstance(prefixes, list)
        else now.advertised_prefixes,
        links=(
            str(properties.get("primaryPeerAddressPrefix") or first),
            str(properties.get("secondaryPeerAddressPrefix") or second),
        ),
        filter_attached=bool(attached),
        other_filter="" if own else attached,
    )


def _check_peering(asked: ArmRequest, place: str, properties: Document) -> None:
    """Refuse a peering that is none, or that names a filter that does not exist, before anything changes."""
    name = place.rpartition("/")[2]
    if name.lower() not in _KINDS:
        raise ArmError(400, FORMAT, f"'{name}' is no peering: {', '.join(_KINDS.values())}.")
    _changed_own_peering(asked, properties)
    wanted = str(part(properties, "routeFilter", FORMAT).get("id") or "")
    known = {str(one["id"]).lower() for one in route_filters(asked.state)}
    if wanted and wanted.lower() not in known:
        raise ArmError(
            400,
            "InvalidResourceReference",
            f"Resource {wanted} referenced by resource {place} was not found. Please make sure that the "
            "referenced resource exists, and that both resources are in the same region.",
        )


async def _delete_peering(asked: ArmRequest) -> web.Response:
    existing, place = _found_peering(asked), _peering_place(asked)
    check_match(asked, existing)
    if existing is None:
        return web.Response(status=204)

    async def remove() -> None:
        if is_own(asked) and asked.names["peering"].lower() == PEERING.lower():
            asked.state.circuit.has_peering = False
            await asked.state.filter_changed()
        asked.state.plane.drop(place)

    return await removed(asked, place, remove)


def _sku(body: Document) -> Document:
    sku = part(body, "sku", FORMAT)
    tier, family = str(sku.get("tier") or ""), str(sku.get("family") or "")
    if tier not in _TIERS or family not in _FAMILIES:
        raise ArmError(
            400,
            FORMAT,
            f"A circuit's sku has a tier of {', '.join(_TIERS)} and a family of {', '.join(_FAMILIES)}.",
        )
    return {"name": f"{tier}_{family}", "tier": tier, "family": family}


_IN_GROUP = f"/subscriptions/{{subscription}}/resourceGroups/{{group}}/providers/{CIRCUITS}"
_ONE = f"{_IN_GROUP}/{{circuit}}"
_PEERING = f"{_ONE}/peerings/{{peering}}"
ROUTES = (
    Operation("GET", _ONE, _get, f"{CIRCUITS}/read"),
    Operation("PUT", _ONE, _put, f"{CIRCUITS}/write"),
    Operation("PATCH", _ONE, _patch, f"{CIRCUITS}/write"),
    Operation("DELETE", _ONE, _delete, f"{CIRCUITS}/delete"),
    Operation("GET", _IN_GROUP, _list, f"{CIRCUITS}/read"),
    Operation("GET", f"/subscriptions/{{subscription}}/providers/{CIRCUITS}", _list, f"{CIRCUITS}/read"),
    Operation("GET", _PEERING, _get_peering, f"{_PEERINGS}/read"),
    Operation("PUT", _PEERING, _put_peering, f"{_PEERINGS}/write"),
    Operation("DELETE", _PEERING, _delete_peering, f"{_PEERINGS}/delete"),
    Operation("GET", f"{_ONE}/peerings", _list_peerings, f"{_PEERINGS}/read"),
)
