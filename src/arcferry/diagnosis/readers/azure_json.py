"""Route filters, service tags and community lists: which is which, and how `routing` reads them."""

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime, time

from arcferry.diagnosis.document import Document, FilterRule, FilterSeen, Kind
from arcferry.diagnosis.readers import values
from arcferry.errors import FileInputError, InputError
from arcferry.routing.communities import read_community_list
from arcferry.routing.route_filter import read_route_filter
from arcferry.routing.service_tags import read_service_tags

_GROUP = re.compile(r"/resourceGroups/([A-Za-z0-9._()-]{1,90})/", re.IGNORECASE)


def _fields(value: object) -> dict[str, object]:
    """An object's own fields and those of its `properties`, with keys in lower case."""
    own = {str(key).lower(): item for key, item in values.mapping(value).items()}
    inner = {str(key).lower(): item for key, item in values.mapping(own.get("properties")).items()}
    return {**inner, **own}


def _rows(value: object) -> list[object]:
    """The rows of a list, or of an object that wraps one."""
    if isinstance(value, list):
        return value
    fields = _fields(value)
    for key in ("value", "values", "entries"):
        if isinstance(rows := fields.get(key), list):
            return rows
    return []


def _only(value: object) -> object:
    """The one element of a list of one, bare or wrapped; anything else as it is."""
    rows = value if isinstance(value, list) else values.mapping(value).get("value")
    return rows[0] if isinstance(rows, list) and len(rows) == 1 else value


def is_route_filter(value: object) -> bool:
    """Whether this is one route filter, of REST, az or PowerShell; it may have no rules yet."""
    fields = _fields(_only(value))
    rules = fields.get("rules")
    if not isinstance(rules, list):
        return False
    if not rules:
        return bool({"peerings", "ipv6peerings", "provisioningstate"} & set(fields))
    return all("communities" in _fields(rule) for rule in rules)


def is_service_tags(value: object) -> bool:
    """Whether this is a service tags file or the API's answer."""
    rows = _rows(value)
    return bool(rows) and all("addressprefixes" in _fields(row) for row in rows[:20])


def is_community_list(value: object) -> bool:
    """Whether this is a list of BGP service communities."""
    rows = _rows(value)
    keys = ("bgpcommunities", "communityvalue", "communityprefixes")
    return bool(rows) and all(any(key in _fields(row) for key in keys) for row in rows[:20])


def _at_midnight(day: date | None) -> datetime | None:
    return datetime.combine(day, time.min, tzinfo=UTC) if day else None


def _rule(value: object) -> FilterRule:
    """The first rule that allows, because a filter may have one only."""
    fields = _fields(_only(value))
    group = _GROUP.search(text) if isinstance(text := fields.get("id"), str) else None
    rules = fields.get("rules")
    allowing = [
        rule
        for rule in map(_fields, rules if isinstance(rules, list) else [])
        if str(rule.get("access", "")).lower() == "allow"
    ]
    first: Mapping[str, object] = allowing[0] if allowing else {}
    return FilterRule(
        resource_group=group[1] if group else values.short(fields.get("resourcegroup"), 90),
        name=values.short(first.get("name"), 80),
        communities=tuple(values.texts(first.get("communities"), 500)),
    )


def read(name: str, value: object) -> Document | None:
    """The document, or None where `value` is none of the three.

    Raises:
        FileInputError: it is one of them, and a part of it is wrong.
    """
    try:
        if is_route_filter(value):
            seen = FilterSeen(read_route_filter(value, name), _rule(value), name)
            return Document(name, Kind.ROUTE_FILTER, route_filter=seen)
        if is_community_list(value):
            listed = read_community_list(value, name)
            return Document(name, Kind.COMMUNITY_LIST, _at_midnight(listed.taken), community_list=listed)
        if is_service_tags(value):
            tags = read_service_tags(value, name)
            return Document(name, Kind.SERVICE_TAGS, _at_midnight(tags.taken), service_tags=tags)
    except FileInputError:
        raise
    except InputError as error:
        raise FileInputError(name, error.message, hint=error.hint) from error
    return None
