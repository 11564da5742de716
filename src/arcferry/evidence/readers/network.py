"""What network and Azure teams hand in: filters, circuits, service tags and community lists.

What stands in them is read by `routing`; here it is told which is which.
"""

from collections.abc import Iterator

from arcferry import typed
from arcferry.errors import FileInputError, InputError
from arcferry.evidence.case import Document, Kind, at_midnight
from arcferry.evidence.readers import values
from arcferry.routing.azure_json import Node, read_community_list, read_service_tags
from arcferry.routing.circuit import is_circuit, is_peering, read_circuit
from arcferry.routing.route_filter import read_route_filter

_MOST = 1000
_SAMPLE = 20


def _fields(value: object) -> dict[str, object]:
    """An object's own fields and those of its `properties`, with keys in lower case."""
    own = values.lowered(value)
    return {**values.lowered(own.get("properties")), **own}


def _is_filter(value: object) -> bool:
    """Whether this is a route filter of REST, az or PowerShell; it may have no rules yet."""
    fields = _fields(value)
    rules = fields.get("rules")
    if not isinstance(rules, list):
        return False
    if not rules:
        return bool({"peerings", "ipv6peerings", "provisioningstate"} & set(fields))
    return all("communities" in _fields(rule) for rule in rules)


def _have(rows: list[dict[str, object]], *keys: str) -> bool:
    """Whether there are rows, and each of them has one of the keys."""
    return bool(rows) and all(not row.keys().isdisjoint(keys) for row in rows)


def _is_circuit(value: object) -> bool:
    """Whether this is a circuit, or one peering of it."""
    return is_circuit(Node(value, "")) or is_peering(Node(value, ""))


def _of_resources(name: str, resources: list[object]) -> Iterator[Document]:
    """One document a resource; where there are several, each is called by its own name."""
    if len(resources) > _MOST:
        raise FileInputError(name, f"holds {len(resources)} resources, more than the {_MOST} that are read")
    for index, resource in enumerate(resources):
        own = typed.resource(_fields(resource).get("name")) or f"[{index}]"
        called = name if len(resources) == 1 else f"{name}: {own}"
        if _is_filter(resource):
            found = read_route_filter(resource, called)
            yield Document(called, Kind.ROUTE_FILTER, at_midnight(found.taken), route_filter=found)
        elif _is_circuit(resource):
            yield Document(called, Kind.CIRCUIT, circuit=read_circuit(resource, called))
        else:
            what = "neither a route filter nor a circuit, as the others here are"
            raise FileInputError(name, f"[{index}]: {what}")


def _read(name: str, value: object) -> list[Document]:
    # Resources are listed bare or wrapped as REST does; what is neither is one resource.
    listed = value if isinstance(value, list) else values.lowered(value).get("value")
    resources = listed if isinstance(listed, list) else [value]
    # The peerings of one circuit are listed alone by `az network express-route peering list`.
    if resources and all(is_peering(Node(one, "")) for one in resources):
        return [Document(name, Kind.CIRCUIT, circuit=read_circuit(value, name))]
    if any(_is_filter(one) or _is_circuit(one) for one in resources[:_SAMPLE]):
        return list(_of_resources(name, resources))
    wrapped = (value, *(_fields(value).get(key) for key in ("value", "values", "entries")))
    rows = [_fields(one) for one in next((one for one in wrapped if isinstance(one, list)), [])[:_SAMPLE]]
    if _have(rows, "bgpcommunities", "communityvalue", "communityprefixes"):
        known = read_community_list(value, name)
        return [Document(name, Kind.COMMUNITY_LIST, at_midnight(known.taken), community_list=known)]
    if _have(rows, "addressprefixes"):
        tags = read_service_tags(value, name)
        return [Document(name, Kind.SERVICE_TAGS, at_midnight(tags.taken), service_tags=tags)]
    return []


def read_json(name: str, value: object) -> list[Document]:
    """The documents: several where a list holds several filters or circuits, none if it is none of them.

    Recognised are route filters, circuits, peerings of one circuit, service tags and community lists.

    Raises:
        FileInputError: it is one of them, and a part of it is wrong.
    """
    try:
        return _read(name, value)
    except FileInputError:
        raise
    except InputError as error:
        raise FileInputError(name, error.message, hint=error.hint) from error
