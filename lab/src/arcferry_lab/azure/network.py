"""Microsoft.Network, as far as Microsoft peering needs it: route filter, communities, service tags."""

import re
from typing import Any

from aiohttp import web

from arcferry_lab.azure.circuits import IPV6_FILTER, attached_filter, ipv6_filter, network_there
from arcferry_lab.azure.errors import ArmError, resource_not_found
from arcferry_lab.azure.groups import group_named
from arcferry_lab.azure.ids import FILTERS, filter_id, peering_id
from arcferry_lab.azure.paging import page
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
    rule = {
        "id": f"{path}/routeFilterRules/allow",
        "name": "allow",
        "properties": {
            "provisioningState": "Succeeded",
            "access": "Deny" if state.faults.holds("route/community-denied") else "Allow",
            "routeFilterRuleType": "Community",
            "communities": communities,
        },
    }
    return {
        "id": path,
        "name": ROUTE_FILTER,
        "type": FILTERS,
        "location": state.location,
        "properties": {
            "provisioningState": "Succeeded",
            "rules": [rule] if communities else [],
            "peerings": [{"id": peering_id(state)}] if attached else [],
        },
    }


def route_filters(state: AzureState) -> list[dict[str, Any]]:
    """Every route filter: the peering's, and that of its IPv6 side where this has one of its own."""
    found = [route_filter(state)]
    path = filter_id(state, IPV6_FILTER)
    if ipv6_filter(state) == path:
        elsewhere = {"access": "Allow", "routeFilterRuleType": "Community", "communities": ["12076:51004"]}
        own = {
            "rules": [{"id": f"{path}/routeFilterRules/allow", "name": "allow", "properties": elsewhere}],
            "peerings": [],
            "ipv6Peerings": [{"id": peering_id(state)}],
        }
        found.append(found[0] | {"id": path, "name": IPV6_FILTER, "properties": own})
    return found


def community(value: object) -> str:
    """A community value as a route filter takes it, such as `12076:51012`.

    Raises:
        ArmError: 400, it is none of Microsoft's.
    """
    if not isinstance(value, str) or not _COMMUNITY.fullmatch(value):
        raise ArmError(400, "InvalidBgpCommunity", f"'{value}' is no community of Microsoft peering.")
    return value


async def _get(asked: ArmRequest) -> web.Response:
    _check_place(asked)
    name = asked.names["name"].lower()
    found = next((one for one in route_filters(asked.state) if one["name"] == name), None)
    if found is None:
        raise resource_not_found(FILTERS, name, asked.names["group"])
    return web.json_response(found)


async def _put(asked: ArmRequest) -> web.Response:
    _check_name(asked)
    rules = _rules(asked.body)
    if len(rules) > 1:
        raise ArmError(400, "RouteFilterRuleCountExceeded", "A route filter takes one rule.")
    await asked.state.allow([value for rule in rules for value in _communities(rule)])
    return web.json_response(route_filter(asked.state))


async def _list(asked: ArmRequest) -> web.Response:
    return page(asked, route_filters(asked.state) if network_there(asked) else [])


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
    return web.json_response(
        {
            "name": location,
            "id": f"{base}/{location}",
            "type": "Microsoft.Network/serviceTags",
            "changeNumber": str(document["changeNumber"]),
            "cloud": document["cloud"],
            "values": rows,
            "nextLink": None,
        }
    )


def _check_place(asked: ArmRequest) -> None:
    group, name = asked.names["group"], asked.names["name"]
    group_named(asked.state, group)
    if not asked.state.network_in(group):
        raise resource_not_found(FILTERS, name, group)


def _check_name(asked: ArmRequest) -> None:
    _check_place(asked)
    if asked.names["name"].lower() != ROUTE_FILTER:
        raise resource_not_found(FILTERS, asked.names["name"], asked.names["group"])


def _rules(body: dict[str, Any]) -> list[Any]:
    properties = body.get("properties")
    rules = properties.get("rules") if isinstance(properties, dict) else None
    if not isinstance(rules, list):
        raise ArmError(400, "InvalidRequestFormat", "A route filter needs properties.rules, a list.")
    return rules


def _communities(rule: object) -> list[str]:
    properties = rule.get("properties") if isinstance(rule, dict) else None
    if not isinstance(properties, dict) or not isinstance(properties.get("communities"), list):
        raise ArmError(400, "InvalidRequestFormat", "A rule needs properties.communities, a list.")
    if properties.get("access") != "Allow":
        raise ArmError(400, "InvalidRouteFilterRuleAccess", "A rule's access must be Allow.")
    return [community(value) for value in properties["communities"]]


_SUBSCRIPTION = "/subscriptions/{subscription}"
_GROUP_FILTERS = f"{_SUBSCRIPTION}/resourceGroups/{{group}}/providers/{FILTERS}"
_NETWORK = f"{_SUBSCRIPTION}/providers/Microsoft.Network"
ROUTES = (
    Operation("GET", f"{_GROUP_FILTERS}/{{name}}", _get, f"{FILTERS}/read"),
    Operation("PUT", f"{_GROUP_FILTERS}/{{name}}", _put, f"{FILTERS}/write"),
    Operation("GET", _GROUP_FILTERS, _list, f"{FILTERS}/read"),
    Operation("GET", f"{_SUBSCRIPTION}/providers/{FILTERS}", _list, f"{FILTERS}/read"),
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
