"""The twin's ExpressRoute circuit in ARM: its document, its peering, and the tables of its links."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from ipaddress import ip_network
from typing import Any
from uuid import uuid4

from aiohttp import web

from arcferry_lab.azure.errors import ArmError, resource_not_found
from arcferry_lab.azure.groups import group_named
from arcferry_lab.azure.ids import CIRCUIT, CIRCUITS, PEERING, circuit_id, filter_id, peering_id
from arcferry_lab.azure.paging import page
from arcferry_lab.azure.routes import ArmRequest, Handler, Operation
from arcferry_lab.azure.state import AzureState, CircuitState
from arcferry_lab.peering import far_location

_OTHER_FILTER = "rf-office-only"
IPV6_FILTER = "rf-msp-ipv6"
"""The filter of the peering's IPv6 side, where that has one of its own."""
_MICROSOFT_AS = 12076
_MOST_OPERATIONS = 100
_LINKS = ("primary", "secondary")


def circuit_now(state: AzureState) -> CircuitState:
    """The circuit as the faults that are switched on have it."""
    now, holds = state.circuit, state.faults.holds
    if holds("route/peering-down"):
        now = replace(now, peering_state="Disabled")
    if holds("route/no-route-filter"):
        now = replace(now, filter_attached=False)
    if holds("route/outside-sku-geography"):
        now = replace(now, tier="Standard", peering_location=far_location(state.location))
    if holds("tcp/nat-prefix-not-validated"):
        now = replace(now, advertised_state="ValidationNeeded")
    if holds("route/ipv6-filtered") or holds("route/ipv6-swallowed"):
        now = replace(now, ipv6=True)
    return now


def ipv6_filter(state: AzureState) -> str:
    """The id of the route filter that is attached to the IPv6 side."""
    own = state.faults.holds("route/ipv6-filtered")
    return filter_id(state, IPV6_FILTER) if own else attached_filter(state)


def attached_filter(state: AzureState) -> str:
    """The id of the route filter that is attached to the peering, empty where none is."""
    if not circuit_now(state).filter_attached:
        return ""
    other = state.faults.holds("route/filter-not-attached")
    return filter_id(state, _OTHER_FILTER) if other else filter_id(state)


def circuit(state: AzureState) -> dict[str, Any]:
    """The circuit with its Microsoft peering, in the REST shape (api-version 2024-05-01)."""
    now = circuit_now(state)
    return {
        "id": circuit_id(state),
        "name": CIRCUIT,
        "type": CIRCUITS,
        "location": state.location,
        "sku": {"name": f"{now.tier}_MeteredData", "tier": now.tier, "family": "MeteredData"},
        "properties": {
            "provisioningState": "Succeeded",
            "circuitProvisioningState": "Enabled",
            "serviceProviderProvisioningState": now.provisioning,
            "serviceProviderProperties": {
                "serviceProviderName": "Contoso Carrier",
                "peeringLocation": now.peering_location,
                "bandwidthInMbps": 1000,
            },
            "peerings": [peering(state)],
            "authorizations": [],
            "allowClassicOperations": False,
            "globalReachEnabled": False,
        },
    }


def peering(state: AzureState) -> dict[str, Any]:
    """The Microsoft peering, in the REST shape."""
    now, attached = circuit_now(state), attached_filter(state)
    primary, secondary = now.links
    properties: dict[str, Any] = {
        "provisioningState": "Succeeded",
        "peeringType": PEERING,
        "state": now.peering_state,
        "azureASN": _MICROSOFT_AS,
        "peerASN": now.peer_asn,
        "primaryPeerAddressPrefix": primary,
        "secondaryPeerAddressPrefix": secondary,
        "vlanId": 300,
        "microsoftPeeringConfig": {
            "advertisedPublicPrefixes": list(now.advertised_prefixes),
            "advertisedPublicPrefixesState": now.advertised_state,
            "advertisedCommunities": [],
            "legacyMode": 0,
            "customerASN": 0,
            "routingRegistryName": "NONE",
        },
    }
    if attached:
        properties["routeFilter"] = {"id": attached}
    if now.ipv6:
        properties["ipv6PeeringConfig"] = {
            "state": now.peering_state,
            "routeFilter": {"id": ipv6_filter(state)},
        }
    return {
        "id": peering_id(state),
        "name": PEERING,
        "type": f"{CIRCUITS}/peerings",
        "properties": properties,
    }


async def route_rows(state: AzureState, link: str) -> list[dict[str, Any]]:
    """What Azure's route table shows of a link: the routers' own where there are any.

    Without routers these are the customer's prefixes, as a working session would bring them.
    """
    if state.route_rows is not None:
        return await state.route_rows(link)
    now = circuit_now(state)
    if not _session_is_up(now):
        return []
    next_hop = _customer_side(now, link)
    return [
        {"network": prefix, "nextHop": next_hop, "locPrf": "", "weight": 0, "path": f"{now.peer_asn} I"}
        for prefix in now.advertised_prefixes
    ]


def _session_is_up(now: CircuitState) -> bool:
    return now.peering_state == "Enabled" and now.provisioning == "Provisioned"


def _customer_side(now: CircuitState, link: str) -> str:
    """The first address of a /30 is the customer's, the second Microsoft's."""
    return str(ip_network(now.links[_LINKS.index(link)])[1])


async def _summary_rows(state: AzureState, link: str) -> list[dict[str, Any]]:
    now = circuit_now(state)
    up = _session_is_up(now)
    rows = await route_rows(state, link)
    received = sum(1 for row in rows if str(row.get("path", "")).startswith(str(now.peer_asn)))
    return [
        {
            "neighbor": _customer_side(now, link),
            "v": 4,
            "as": now.peer_asn,
            "upDown": "8w4d" if up else "00:04:11",
            "statePfxRcd": str(received) if up else "Idle",
        }
    ]


async def _arp_rows(state: AzureState, link: str) -> list[dict[str, Any]]:
    now = circuit_now(state)
    network = ip_network(now.links[_LINKS.index(link)])
    sides = (("On-Prem", network[1], "0200.0000.0001"), ("Microsoft", network[2], "0200.0000.0002"))
    return [
        {"age": 12, "interface": side, "ipAddress": str(address), "macAddress": mac}
        for side, address, mac in sides
        if side == "Microsoft" or _session_is_up(now)
    ]


def network_there(asked: ArmRequest) -> bool:
    """Whether filter and circuit lie where a list was asked for: in one group, or anywhere.

    Raises:
        ArmError: 404, there is no such group.
    """
    if "group" not in asked.names:
        return asked.state.has_network
    return asked.state.network_in(group_named(asked.state, asked.names["group"]).name)


def _check_circuit(asked: ArmRequest) -> None:
    group, name = asked.names["group"], asked.names["circuit"]
    group_named(asked.state, group)
    if name.lower() != CIRCUIT or not asked.state.network_in(group):
        raise resource_not_found(CIRCUITS, name, group)


def _check_peering(asked: ArmRequest) -> None:
    _check_circuit(asked)
    name = asked.names["peering"]
    if name.lower() != PEERING.lower():
        raise resource_not_found(f"{CIRCUITS}/peerings", f"{CIRCUIT}/{name}", asked.names["group"])


async def _get(asked: ArmRequest) -> web.Response:
    _check_circuit(asked)
    return web.json_response(circuit(asked.state))


async def _list(asked: ArmRequest) -> web.Response:
    return page(asked, [circuit(asked.state)] if network_there(asked) else [])


async def _get_peering(asked: ArmRequest) -> web.Response:
    _check_peering(asked)
    return web.json_response(peering(asked.state))


async def _list_peerings(asked: ArmRequest) -> web.Response:
    _check_circuit(asked)
    return page(asked, [peering(asked.state)])


def _table(rows: Callable[[AzureState, str], Awaitable[list[dict[str, Any]]]]) -> Handler:
    """A table that Azure asks its routers for: 202 at once, and the rows where `Location` points."""

    async def begin(asked: ArmRequest) -> web.Response:
        _check_peering(asked)
        link = asked.names["link"].lower()
        if link not in _LINKS:
            raise ArmError(400, "InvalidDevicePath", f"'{asked.names['link']}' is no path of a peering.")
        state = asked.state
        number = str(uuid4())
        state.operations[number] = {"value": await rows(state, link), "nextLink": None}
        while len(state.operations) > _MOST_OPERATIONS:
            del state.operations[next(iter(state.operations))]
        path = _OPERATIONS.format(subscription=state.subscription_id, location=state.location, number=number)
        url = asked.request.url.with_scheme("https").with_path(path)
        target = str(url.with_query({"api-version": asked.parameter("api-version")}))
        return web.Response(status=202, headers={"Location": target, "Retry-After": "0"})

    return begin


async def _result(asked: ArmRequest) -> web.Response:
    found = asked.state.operations.get(asked.names["number"])
    if found is None:
        raise ArmError(404, "OperationNotFound", "The operation could not be found.")
    return web.json_response(found)


_SUBSCRIPTION = "/subscriptions/{subscription}"
_OPERATIONS = (
    f"{_SUBSCRIPTION}/providers/Microsoft.Network/locations/{{location}}/operationResults/{{number}}"
)
_CIRCUITS = f"{_SUBSCRIPTION}/resourceGroups/{{group}}/providers/{CIRCUITS}"
_PEERINGS = f"{_CIRCUITS}/{{circuit}}/peerings"
_TABLES = {"routeTables": route_rows, "routeTablesSummary": _summary_rows, "arpTables": _arp_rows}
ROUTES = (
    Operation("GET", f"{_CIRCUITS}/{{circuit}}", _get, f"{CIRCUITS}/read"),
    Operation("GET", _CIRCUITS, _list, f"{CIRCUITS}/read"),
    Operation("GET", f"{_SUBSCRIPTION}/providers/{CIRCUITS}", _list, f"{CIRCUITS}/read"),
    Operation("GET", f"{_PEERINGS}/{{peering}}", _get_peering, f"{CIRCUITS}/peerings/read"),
    Operation("GET", _PEERINGS, _list_peerings, f"{CIRCUITS}/peerings/read"),
    *(
        Operation(
            "POST",
            f"{_PEERINGS}/{{peering}}/{table}/{{link}}",
            _table(rows),
            f"{CIRCUITS}/peerings/{table}/action",
        )
        for table, rows in _TABLES.items()
    ),
    Operation("GET", _OPERATIONS, _result),
)
