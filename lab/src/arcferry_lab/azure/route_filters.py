"""Route filters and their rules in ARM: read, written, deleted."""

from aiohttp import web

from arcferry_lab.azure.bodies import FORMAT, part, parts, tags
from arcferry_lab.azure.circuits import attached_to, network_there
from arcferry_lab.azure.errors import ArmError, resource_not_found
from arcferry_lab.azure.etags import check_match, stamped
from arcferry_lab.azure.groups import group_id, group_named
from arcferry_lab.azure.ids import FILTERS, filter_id
from arcferry_lab.azure.long_running import look_at, removed, written
from arcferry_lab.azure.network import community, route_filters
from arcferry_lab.azure.paging import page
from arcferry_lab.azure.plane import Document
from arcferry_lab.azure.routes import ArmRequest, Operation
from arcferry_lab.azure.state import AzureState

_RULES = f"{FILTERS}/routeFilterRules"


def _place(asked: ArmRequest) -> str:
    """The id of the filter that is asked for, whether it exists or not."""
    group = group_named(asked.state, asked.names["group"])
    return f"{group_id(asked.state, group)}/providers/{FILTERS}/{asked.names['name']}"


def _found(asked: ArmRequest) -> Document | None:
    place = _place(asked).lower()
    return next((one for one in route_filters(asked.state) if str(one["id"]).lower() == place), None)


def _existing(asked: ArmRequest) -> Document:
    found = _found(asked)
    if found is None:
        raise resource_not_found(FILTERS, asked.names["name"], asked.names["group"])
    return found


def _is_own(state: AzureState, place: str) -> bool:
    return place.lower() == filter_id(state).lower()


def _shown(document: Document, status: int = 200) -> web.Response:
    return web.json_response(document, status=status, headers={"ETag": str(document["etag"])})


async def _get(asked: ArmRequest) -> web.Response:
    await look_at(asked.state, _place(asked))
    return _shown(_existing(asked))


async def _list(asked: ArmRequest) -> web.Response:
    found = route_filters(asked.state)
    if "group" in asked.names:
        network_there(asked)
        start = f"{group_id(asked.state, group_named(asked.state, asked.names['group']))}/".lower()
        found = [one for one in found if str(one["id"]).lower().startswith(start)]
    return page(asked, found)


async def _put(asked: ArmRequest) -> web.Response:
    existing, place = _found(asked), _place(asked)
    check_match(asked, existing)
    rules = parts(part(asked.body, "properties", FORMAT), "rules", FORMAT)
    if len(rules) > 1:
        raise ArmError(400, "RouteFilterRuleCountExceeded", "A route filter takes one rule.")
    rules = [_rule(place, str(one.get("name") or "allow"), one) for one in map(_checked, rules)]
    labels = tags(asked.body, FORMAT)
    location = str(asked.body.get("location") or asked.state.location)

    async def apply() -> None:
        if _is_own(asked.state, place):
            asked.state.plane.deleted.discard(place.lower())
            asked.state.plane.filter_tags = labels
        else:
            name = asked.names["name"] if existing is None else existing["name"]
            asked.state.plane.documents.setdefault(place.lower(), _new(place, name)).update(
                location=location, tags=labels
            )
        await _set_rules(asked.state, place, rules)

    return await written(asked, place, lambda: _existing(asked), apply, exists=existing is not None)


async def _patch(asked: ArmRequest) -> web.Response:
    """Tags alone, at once; what else a filter has is changed by PUT."""
    existing, place = _existing(asked), _place(asked)
    check_match(asked, existing)
    if _is_own(asked.state, place):
        asked.state.plane.filter_tags = tags(asked.body, FORMAT)
    else:
        asked.state.plane.documents[place.lower()]["tags"] = tags(asked.body, FORMAT)
    return _shown(_existing(asked))


async def _delete(asked: ArmRequest) -> web.Response:
    existing, place = _found(asked), _place(asked)
    check_match(asked, existing)
    if existing is None:
        return web.Response(status=204)
    if attached_to(asked.state, place):
        raise ArmError(
            400, "InUseRouteFilterCannotBeDeleted", f"Route filter {existing['name']} is in use by a peering."
        )

    async def remove() -> None:
        asked.state.plane.drop(place)
        if _is_own(asked.state, place):
            asked.state.plane.deleted.add(place.lower())
            await asked.state.allow([])

    return await removed(asked, place, remove)


async def _list_rules(asked: ArmRequest) -> web.Response:
    return page(asked, [stamped(one) for one in _existing(asked)["properties"]["rules"]])


async def _get_rule(asked: ArmRequest) -> web.Response:
    await look_at(asked.state, _place(asked))
    return _shown(_existing_rule(asked))


async def _put_rule(asked: ArmRequest) -> web.Response:
    filter_, place = _existing(asked), _place(asked)
    others = [one for one in filter_["properties"]["rules"] if not _is_named(one, asked.names["rule"])]
    if others:
        raise ArmError(400, "RouteFilterRuleCountExceeded", "A route filter takes one rule.")
    existing = _found_rule(asked)
    check_match(asked, existing)
    rule = _rule(place, asked.names["rule"], _checked(asked.body))

    async def apply() -> None:
        await _set_rules(asked.state, place, [rule])

    return await written(asked, place, lambda: _existing_rule(asked), apply, exists=existing is not None)


async def _delete_rule(asked: ArmRequest) -> web.Response:
    place = _place(asked)
    _existing(asked)
    existing = _found_rule(asked)
    check_match(asked, existing)
    if existing is None:
        return web.Response(status=204)

    async def remove() -> None:
        await _set_rules(asked.state, place, [])

    return await removed(asked, place, remove)


def _found_rule(asked: ArmRequest) -> Document | None:
    rules = _existing(asked)["properties"]["rules"]
    return next((stamped(one) for one in rules if _is_named(one, asked.names["rule"])), None)


def _existing_rule(asked: ArmRequest) -> Document:
    found = _found_rule(asked)
    if found is None:
        name = f"{asked.names['name']}/{asked.names['rule']}"
        raise resource_not_found(_RULES, name, asked.names["group"])
    return found


def _is_named(rule: Document, name: str) -> bool:
    return str(rule["name"]).lower() == name.lower()


async def _set_rules(state: AzureState, place: str, rules: list[Document]) -> None:
    if _is_own(state, place):
        state.plane.filter_rule = str(rules[0]["name"]) if rules else ""
        await state.allow([value for rule in rules for value in rule["properties"]["communities"]])
        return
    state.plane.documents[place.lower()]["properties"]["rules"] = rules
    await state.filter_changed()


def _new(place: str, name: str) -> Document:
    return {"id": place, "name": name, "type": FILTERS, "properties": {"rules": []}}


def _rule(place: str, name: str, communities: Document) -> Document:
    return {
        "id": f"{place}/routeFilterRules/{name}",
        "name": name,
        "properties": {
            "provisioningState": "Succeeded",
            "access": "Allow",
            "routeFilterRuleType": "Community",
            "communities": communities["communities"],
        },
    }


def _checked(rule: Document) -> Document:
    """The name and the communities of a rule as a client gave it."""
    properties = part(rule, "properties", FORMAT)
    if not isinstance(properties.get("communities"), list):
        raise ArmError(400, FORMAT, "A rule needs properties.communities, a list.")
    if properties.get("access") != "Allow":
        raise ArmError(400, "InvalidRouteFilterRuleAccess", "A rule's access must be Allow.")
    return {
        "name": rule.get("name"),
        "communities": [community(value) for value in properties["communities"]],
    }


_IN_SUBSCRIPTION = f"/subscriptions/{{subscription}}/providers/{FILTERS}"
_IN_GROUP = f"/subscriptions/{{subscription}}/resourceGroups/{{group}}/providers/{FILTERS}"
_ONE = f"{_IN_GROUP}/{{name}}"
_RULE = f"{_ONE}/routeFilterRules/{{rule}}"
ROUTES = (
    Operation("GET", _ONE, _get, f"{FILTERS}/read"),
    Operation("PUT", _ONE, _put, f"{FILTERS}/write"),
    Operation("PATCH", _ONE, _patch, f"{FILTERS}/write"),
    Operation("DELETE", _ONE, _delete, f"{FILTERS}/delete"),
    Operation("GET", _IN_GROUP, _list, f"{FILTERS}/read"),
    Operation("GET", _IN_SUBSCRIPTION, _list, f"{FILTERS}/read"),
    Operation("GET", f"{_ONE}/routeFilterRules", _list_rules, f"{_RULES}/read"),
    Operation("GET", _RULE, _get_rule, f"{_RULES}/read"),
    Operation("PUT", _RULE, _put_rule, f"{_RULES}/write"),
    Operation("PATCH", _RULE, _put_rule, f"{_RULES}/write"),
    Operation("DELETE", _RULE, _delete_rule, f"{_RULES}/delete"),
)
