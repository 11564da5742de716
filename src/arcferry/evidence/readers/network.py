"""What network and Azure teams hand in: filters, circuits, ARP and BGP of a peering, service tags and lists.

What stands in them is read by `routing`; here it is told which is which: as JSON, as the part that a query of
az gives, and as PowerShell prints it.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING

from arcferry import typed
from arcferry.errors import FileInputError, InputError
from arcferry.evidence.case import Document, Kind
from arcferry.evidence.readers import values
from arcferry.routing.azure_json import Node, read_community_list, read_service_tags
from arcferry.routing.circuit import TELLS_NO_FILTER, is_circuit, is_peering, read_circuit
from arcferry.routing.route_filter import read_route_filter
from arcferry.text import from_json
from arcferry.times import at_midnight

if TYPE_CHECKING:
    from arcferry.routing.session import ArpEntry

_MOST = 1000
_SAMPLE = 20
_Fields = Mapping[str, object]


def _side(**told: object) -> dict[str, object]:
    """A Microsoft peering of which a query shows a part, without its filter."""
    return {"peeringType": "MicrosoftPeering", TELLS_NO_FILTER: True, **told}


_QUERIES: tuple[tuple[frozenset[str], Callable[[_Fields], dict[str, object]]], ...] = (
    (
        frozenset({"filter", "state"}),
        lambda told: {
            "peeringType": "MicrosoftPeering",
            "state": told["state"],
            "routeFilter": {"id": told["filter"]} if isinstance(told["filter"], str) else told["filter"],
        },
    ),
    (
        frozenset({"communities", "state"}),
        lambda told: {"rules": _rules(told["communities"]), "provisioningState": told["state"]},
    ),
    (
        frozenset({"prefixes", "state"}),
        lambda told: _side(
            microsoftPeeringConfig={
                "advertisedPublicPrefixes": told["prefixes"],
                "advertisedPublicPrefixesState": told["state"],
            }
        ),
    ),
    (
        frozenset({"provider", "peerings"}),
        lambda told: {
            "serviceProviderProvisioningState": told["provider"],
            "peerings": [
                {"peeringType": one.get("type"), "state": one.get("state"), TELLS_NO_FILTER: True}
                for one in values.mappings(told["peerings"], _SAMPLE)
            ],
        },
    ),
    (
        frozenset({"tier", "at"}),
        lambda told: {
            "sku": {"tier": told["tier"]},
            "serviceProviderProperties": {"peeringLocation": told["at"]},
        },
    ),
    (frozenset({"access", "communities"}), lambda told: {"rules": [dict(told)]}),
)
"""The objects that the queries which arcferry prints give, by their fields, and what they are a part of."""


def _rules(communities: object) -> list[dict[str, object]]:
    """Rules of which a query shows the communities alone: a filter has one, which allows."""
    listed = communities if isinstance(communities, list) else []
    several = listed if all(isinstance(one, list) for one in listed) else [listed]
    return [{"access": "Allow", "communities": one} for one in several]


def _of_rules(rules: list[object]) -> dict[str, object]:
    """The filter that has these rules, which `rule list` prints alone; its name and id stand in theirs."""
    listed = [_fields(rule) for rule in rules]
    own = str(listed[0].get("id") or "").rpartition("/routeFilterRules/")[0]
    named = {"id": own, "name": own.rpartition("/")[2]} if own else {}
    return {**named, "rules": listed}


def _queried(value: object) -> object:
    """The part of a resource that a query gives, as that resource; anything else as it is."""
    if isinstance(value, list) and value and all(isinstance(one, str) for one in value):
        is_communities = all(typed.community(one) for one in value)
        return {"rules": _rules(value)} if is_communities else value
    if (
        isinstance(value, list)
        and value
        and all(set(values.lowered(one)) == {"access", "communities"} for one in value)
    ):
        return {"rules": value}
    if isinstance(value, list) and value and all("routefilterruletype" in _fields(one) for one in value):
        return _of_rules(value)
    fields = values.lowered(value)
    if "advertisedpublicprefixes" in fields:
        return _side(microsoftPeeringConfig=value)
    return next((made(fields) for keys, made in _QUERIES if set(fields) == keys), value)


def _with_texts(value: object) -> object:
    """An object of PowerShell's with what it shows as text put in place: `PeeringsText` for `Peerings`.

    `ConvertTo-Json` cuts inner objects short and writes these texts, which hold all of them.
    """
    if not isinstance(value, dict):
        return value
    found = dict(value)
    for key, text in value.items():
        inner = key.removesuffix("Text")
        if key != inner and inner in value and isinstance(text, str) and text[:1] in ("[", "{"):
            with suppress(ValueError, RecursionError):
                found[inner] = from_json(text)
    return found


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


def _arp(rows: list[dict[str, object]]) -> "tuple[ArpEntry, ...]":
    from arcferry.routing.session import ArpEntry  # noqa: PLC0415  # a check reads no routers

    return tuple(
        ArpEntry(
            typed.label(str(row.get("interface") or row.get("interfaceproperty") or ""), 40),
            values.address(row.get("ipaddress")),
            typed.label(str(row.get("macaddress") or ""), 40),
        )
        for row in rows[:_MOST]
        if "macaddress" in row and "ipaddress" in row
    )


def _of_links(name: str, value: object) -> list[Document]:
    """What Azure shows of a peering's links: ARP entries and BGP sessions; also a router's, as JSON."""
    listed = value if isinstance(value, list) else values.lowered(value).get("value")
    rows = [values.lowered(one) for one in (listed if isinstance(listed, list) else [value])]
    if rows and (entries := _arp(rows)):
        return [Document(name, Kind.AZURE_ARP, arp=entries)]
    from arcferry.routing.tables.sessions_json import sessions_in  # noqa: PLC0415  # as above

    found = sessions_in(value)
    return [Document(name, Kind.BGP_SESSIONS, sessions=found)] if found else []


def _read(name: str, value: object) -> list[Document]:
    value = _queried([_with_texts(one) for one in value] if isinstance(value, list) else _with_texts(value))
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
    return _of_links(name, value)


def read_json(name: str, value: object) -> list[Document]:
    """The documents: several where a list holds several filters or circuits, none if it is none of them.

    Recognised are route filters, circuits, peerings of one circuit and parts of them that queries give, ARP
    and BGP of its links, service tags and community lists.

    Raises:
        FileInputError: it is one of them, and a part of it is wrong.
    """
    try:
        return _read(name, value)
    except FileInputError:
        raise
    except InputError as error:
        raise FileInputError(name, error.message, hint=error.hint) from error


_PRINTED = frozenset({"rules", "peeringtype", "serviceproviderprovisioningstate", "circuitprovisioningstate"})
_PARTS = frozenset({"advertisedpublicprefixes", "communities"})


def read_text(name: str, text: str) -> tuple[Document, ...]:
    """The resources that PowerShell prints, and tables of az: circuits, filters, ARP and BGP of a link.

    Raises:
        FileInputError: it is one of them, and a part of it is wrong.
    """
    from arcferry.evidence.readers.records import records, yaml_objects  # noqa: PLC0415  # as above

    resources: list[object] = []
    links: list[object] = []
    for one in records(text):
        fields = values.lowered(one)
        part = {
            key: fields[key]
            for key in ("access", "communities")
            if isinstance(fields.get("communities"), list)
        }
        if fields.keys() & _PRINTED:
            resources.append(_with_texts(one))
        elif fields.keys() & _PARTS:
            resources.append(_queried(part or one))
        elif {"macaddress", "ipaddress"} <= fields.keys() or {"neighbor", "statepfxrcd"} <= fields.keys():
            links.append(one)
    found = read_json(name, resources) if resources else []
    if not found and (given := [one for one in yaml_objects(text) if _tells_of_network(one)]):
        return tuple(document for one in given for document in read_json(name, one))
    return (*found, *(read_json(name, links) if links else ()))


def _tells_of_network(value: object) -> bool:
    """Whether an object, or the first of a list of them, has a name of the kinds that are read here."""
    listed = value if isinstance(value, list) else values.lowered(value).get("value", value)
    first = listed[0] if isinstance(listed, list) and listed else listed
    return bool(values.lowered(first).keys() & (_PRINTED | _PARTS | {"macaddress", "statepfxrcd"}))
