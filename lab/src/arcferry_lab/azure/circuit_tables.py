"""What Azure asks the routers of a circuit for: the tables of each link, and its traffic."""

from collections.abc import Awaitable, Callable
from ipaddress import ip_network
from typing import Any
from uuid import uuid4

from aiohttp import web

from arcferry_lab.azure.circuit_requests import check_circuit, check_peering, is_own
from arcferry_lab.azure.circuits import circuit_now
from arcferry_lab.azure.errors import ArmError
from arcferry_lab.azure.ids import CIRCUITS
from arcferry_lab.azure.long_running import begin, links, nothing
from arcferry_lab.azure.routes import ArmRequest, Handler, Operation
from arcferry_lab.azure.state import AzureState, CircuitState

_MOST_OPERATIONS = 100
_LINKS = ("primary", "secondary")


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


def _table(rows: Callable[[AzureState, str], Awaitable[list[dict[str, Any]]]]) -> Handler:
    """A table that Azure asks its routers for: 202 at once, and the rows where `Location` points."""

    async def answer(asked: ArmRequest) -> web.Response:
        check_peering(asked)
        link = asked.names["link"].lower()
        if link not in _LINKS:
            raise ArmError(400, "InvalidDevicePath", f"'{asked.names['link']}' is no path of a peering.")
        state = asked.state
        number = begin(state, f"{asked.request.path}#{uuid4()}", "Updating", nothing)
        state.operations[number] = {
            "value": await rows(state, link) if is_own(asked) else [],
            "nextLink": None,
        }
        while len(state.operations) > _MOST_OPERATIONS:
            del state.operations[next(iter(state.operations))]
        return web.Response(status=202, headers=links(asked, number, location=True))

    return answer


async def _stats(asked: ArmRequest) -> web.Response:
    """Bytes since the circuit was made; none where no session is up."""
    (check_peering if "peering" in asked.names else check_circuit)(asked)
    up = is_own(asked) and _session_is_up(circuit_now(asked.state))
    bytes_in, bytes_out = (734_003_200, 1_153_433_600) if up else (0, 0)
    return web.json_response(
        {
            "primarybytesIn": bytes_in,
            "primarybytesOut": bytes_out,
            "secondarybytesIn": bytes_in,
            "secondarybytesOut": bytes_out,
        }
    )


_SUBSCRIPTION = "/subscriptions/{subscription}"
_CIRCUITS = f"{_SUBSCRIPTION}/resourceGroups/{{group}}/providers/{CIRCUITS}"
_PEERINGS = f"{_CIRCUITS}/{{circuit}}/peerings"
_TABLES = {"routeTables": route_rows, "routeTablesSummary": _summary_rows, "arpTables": _arp_rows}
ROUTES = (
    Operation("GET", f"{_CIRCUITS}/{{circuit}}/stats", _stats, f"{CIRCUITS}/stats/read"),
    Operation("GET", f"{_PEERINGS}/{{peering}}/stats", _stats, f"{CIRCUITS}/peerings/stats/read"),
    *(
        Operation(
            "POST",
            f"{_PEERINGS}/{{peering}}/{table}/{{link}}",
            _table(rows),
            f"{CIRCUITS}/peerings/{table}/action",
        )
        for table, rows in _TABLES.items()
    ),
)
