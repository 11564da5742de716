"""Azure's own documents: which is which, and how `routing` reads them."""

from collections.abc import Callable

from arcferry import typed
from arcferry.errors import FileInputError, InputError
from arcferry.evidence.case import at_midnight
from arcferry.evidence.document import Document, Kind
from arcferry.evidence.readers import values
from arcferry.routing import circuit
from arcferry.routing.circuit import read_circuit
from arcferry.routing.communities import read_community_list
from arcferry.routing.route_filter import read_route_filter
from arcferry.routing.service_tags import read_service_tags
from arcferry.routing.shapes import Node

_MOST = 1000
_SAMPLE = 20


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


def _resources(value: object) -> list[object]:
    """The resources of a list, bare or wrapped as REST does; else the one resource that this is."""
    if isinstance(value, list):
        return value
    rows = {str(key).lower(): item for key, item in values.mapping(value).items()}.get("value")
    return rows if isinstance(rows, list) else [value]


def _is_filter(value: object) -> bool:
    """Whether this is a route filter of REST, az or PowerShell; it may have no rules yet."""
    fields = _fields(value)
    rules = fields.get("rules")
    if not isinstance(rules, list):
        return False
    if not rules:
        return bool({"peerings", "ipv6peerings", "provisioningstate"} & set(fields))
    return all("communities" in _fields(rule) for rule in rules)


def _is_circuit(value: object) -> bool:
    return circuit.is_circuit(Node(value, ""))


def _is_peering(value: object) -> bool:
    return circuit.is_peering(Node(value, ""))


def _is_service_tags(value: object) -> bool:
    """Whether this is a service tags file or the API's answer."""
    rows = _rows(value)
    return bool(rows) and all("addressprefixes" in _fields(row) for row in rows[:_SAMPLE])


def _is_community_list(value: object) -> bool:
    """Whether this is a list of BGP service communities."""
    rows = _rows(value)
    keys = ("bgpcommunities", "communityvalue", "communityprefixes")
    return bool(rows) and all(any(key in _fields(row) for key in keys) for row in rows[:_SAMPLE])


def _filter(name: str, value: object) -> Document:
    found = read_route_filter(value, name)
    return Document(name, Kind.ROUTE_FILTER, at_midnight(found.taken), route_filter=found)


def _circuit(name: str, value: object) -> Document:
    return Document(name, Kind.CIRCUIT, circuit=read_circuit(value, name))


def _communities(name: str, value: object) -> Document:
    listed = read_community_list(value, name)
    return Document(name, Kind.COMMUNITY_LIST, at_midnight(listed.taken), community_list=listed)


def _tags(name: str, value: object) -> Document:
    tags = read_service_tags(value, name)
    return Document(name, Kind.SERVICE_TAGS, at_midnight(tags.taken), service_tags=tags)


def _reader(resource: object) -> Callable[[str, object], Document] | None:
    if _is_filter(resource):
        return _filter
    return _circuit if _is_circuit(resource) or _is_peering(resource) else None


def _of_resources(name: str, resources: list[object]) -> list[Document]:
    """One document a resource; where there are several, each is called by its own name."""
    if len(resources) > _MOST:
        raise FileInputError(name, f"holds {len(resources)} resources, more than the {_MOST} that are read")
    found = []
    for index, resource in enumerate(resources):
        if (read_one := _reader(resource)) is None:
            raise FileInputError(
                name, f"[{index}]: neither a route filter nor a circuit, as the others here are"
            )
        own = typed.resource(_fields(resource).get("name")) or f"[{index}]"
        found.append(read_one(name if len(resources) == 1 else f"{name}: {own}", resource))
    return found


def _read(name: str, value: object) -> list[Document]:
    resources = _resources(value)
    if resources and all(map(_is_peering, resources)):
        return [_circuit(name, value)]
    if any(_reader(resource) for resource in resources[:_SAMPLE]):
        return _of_resources(name, resources)
    if _is_community_list(value):
        return [_communities(name, value)]
    if _is_service_tags(value):
        return [_tags(name, value)]
    return []


def read_all(name: str, value: object) -> list[Document]:
    """The documents: several where a list holds several filters or circuits, none where it is none of them.

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
