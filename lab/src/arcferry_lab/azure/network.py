"""Microsoft.Network, as far as Microsoft peering needs it: route filter, communities, service tags."""

import re
from typing import Any

from aiohttp import web

from arcferry_lab.azure.circuits import (
    IPV6_FILTER,
    attached_filter,
    attached_to,
    circuit_there,
    ipv6_filter,
)
from arcferry_lab.azure.errors import ArmError
from arcferry_lab.azure.etags import stamped
from arcferry_lab.azure.ids import FILTERS, filter_id, peering_id
from arcferry_lab.azure.paging import page
from arcferry_lab.azure.plane import Document
from arcferry_lab.azure.routes import ArmRequest, Operation
from arcferry_lab.azure.state import ROUTE_FILTER, AzureState
from arcferry_lab.peering import in_filter

_COMMUNITY = re.compile(r"12076:5\d{3,4}")


def route_filter(state: AzureState) -> dict[str, Any]:
    """The route filter of the twin's peering, in the REST shape."""
    path = filter_id(state)
    empty = state.faults.holds("route/empty-route-filter")
    communities = [] if empty else in_filter(state.communities, state.location, state.faults)
    attached = attached_filter(state) == path
    name = state.plane.filter_rule or "allow"
    rule = {
        "id": f"{path}/routeFilterRules/{name}",
        "name": name,
        "properties": {
            "provisioningState": "Succeeded",
            "access": "Deny" if state.faults.holds("route/community-denied") else "Allow",
            "routeFilterRuleType": "Community",
            "communities": communities,
        },
    }
    document = {
        "id": path,
        "name": ROUTE_FILTER,
        "type": FILTERS,
        "location": state.location,
        "properties": {
            "provisioningState": state.plane.provisioning(path),
            "rules": [rule] if communities else [],
            "peerings": [{"id": peering_id(state)}] if attached else [],
        },
    }
    tags = state.plane.filter_tags
    return stamped(document | ({"tags": tags} if tags else {}))


def route_filters(state: AzureState) -> list[dict[str, Any]]:
    """Every route filter: the peering's, that of its IPv6 side where this has one, and what clients wrote."""
    found = []
    if state.has_network and filter_id(state).lower() not in state.plane.deleted:
        found.append(route_filter(state))
    path = filter_id(state, IPV6_FILTER)
    if found and ipv6_filter(state) == path:
        elsewhere = {"access": "Allow", "routeFilterRuleType": "Community", "communities": ["12076:51004"]}
        own = {
            "rules": [{"id": f"{path}/routeFilterRules/allow", "name": "allow", "properties": elsewhere}],
            "peerings": [],
            "ipv6Peerings": [{"id": peering_id(state)}],
        }
        found.append(found[0] | {"id": path, "name": IPV6_FILTER, "properties": own})
    stored = state.plane.documents.values()
    return found + [_written_filter(state, one) for one in stored if one["type"] == FILTERS]


def _written_filter(state: AzureState, document: Document) -> Document:
    place = str(document["id"])
    properties = document["properties"] | {
        "provisioningState": state.plane.provisioning(place),
        "peerings": [{"id": peering_id(state)}] if attached_to(state, place) else [],
    }
    return stamped(document | {"properties": properties})


def communities_in_effect(state: AzureState) -> list[str]:
    """What the filter that clients attached to the peering allows; none attached lets nothing through."""
    now, found = state.circuit, ""
    if circuit_there(state) and now.has_peering and now.peering_state == "Enabled":
        found = now.other_filter or (filter_id(state) if now.filter_attached else "")
    if found.lower() == filter_id(state).lower():
        return [] if found.lower() in state.plane.deleted else state.communities
    document = state.plane.documents.get(found.lower(), {})
    rules = document.get("properties", {}).get("rules", [])
    return [value for rule in rules for value in rule["properties"]["communities"]]


def community(value: object) -> str:
    """A community value as a route filter takes it, such as `12076:51012`.

    Raises:
        ArmError: 400, it is none of Microsoft's.
    """
    if not isinstance(value, str) or not _COMMUNITY.fullmatch(value):
        raise ArmError(400, "InvalidBgpCommunity", f"'{value}' is no community of Microsoft peering.")
    return value


async def _bgp_communities(asked: ArmRequest) -> web.Response:
    return page(asked, asked.state.bgp_communities["value"])


async def _service_tags(asked: ArmRequest) -> web.Response:
    location = asked.names["location"]
    document = asked.state.service_tags
    base = f"/subscriptions/{asked.state.subscription_id}/providers/Microsoft.Network/serviceTags"
    rows = [
        {
            "name": row["name"],
            "id": row["id"],
            "properties": {
                "changeNumber": str(row["properties"]["changeNumber"]),
                "region": row["properties"]["region"],
                "systemService": row["properties"]["systemService"],
                "addressPrefixes": row["properties"]["addressPrefixes"],
            },
        }
        for row in document["values"]
    ]
    around = {
        "name": location,
        "id": f"{base}/{location}",
        "type": "Microsoft.Network/serviceTags",
        "changeNumber": str(document["changeNumber"]),
        "cloud": document["cloud"],
        "nextLink": None,
    }
    return page(asked, rows, key="values", around=around)


_SUBSCRIPTION = "/subscriptions/{subscription}"
_NETWORK = f"{_SUBSCRIPTION}/providers/Microsoft.Network"
ROUTES = (
    Operation(
        "GET",
        f"{_NETWORK}/bgpServiceCommunities",
        _bgp_communities,
        "Microsoft.Network/bgpServiceCommunities/read",
    ),
    Operation(
        "GET",
        f"{_NETWORK}/locations/{{location}}/serviceTags",
        _service_tags,
        "Microsoft.Network/locations/serviceTags/read",
    ),
)
