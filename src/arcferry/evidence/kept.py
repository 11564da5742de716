"""The evidence of a judgement as JSON, shortened to what matters, so that `explain` can judge it again.

`evidence.readers.kept` reads it back. Both do without the findings: those are concluded anew. Filters,
circuits, tags and lists stand in Azure's own form, so that the readers of Azure's documents take them.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import MISSING, fields
from datetime import datetime
from ipaddress import ip_network
from itertools import islice
from typing import Any

from arcferry import catalog
from arcferry.evidence.case import Case, Document, Kind
from arcferry.probe.observation import Attempt
from arcferry.routing.azure_json import WHOLE_CLOUD, CommunityList, ServiceTags
from arcferry.routing.circuit import TELLS_NO_FILTER, Circuit, Peering
from arcferry.routing.prefixes import prefix_text
from arcferry.routing.route import MICROSOFT_AS, Route, RouteTable
from arcferry.routing.route_filter import RouteFilter

SCHEMA = 1
KEY = "evidence"
"""The field, or the `kind` of a line, that holds the evidence in every document that has findings."""

_MOST_ROUTES = 5000
_MOST_VALUES = 2000


def to_json(case: Case, left_out: Sequence[str] = ()) -> dict[str, Any]:
    """Everything that the case was judged by, without what no address of it is concerned by.

    Of service tags and lists those entries are kept that hold an address of the case, of route tables the
    routes that cover one. What was odd in a file is left out, unless it could not be read at all.

    Args:
        case: what was judged.
        left_out: servers that were judged too, and that the case does not tell of.
    """
    groups = list(dict.fromkeys(one.servers for one in case.handed_in if one.servers))
    found: dict[str, Any] = {"schema": SCHEMA, "kind": KEY}
    if groups:
        found["servers"] = [list(names) for names in groups]
    if left_out:
        found["left_out"] = list(left_out)
    found["documents"] = [
        _document(one, case) | ({"servers": groups.index(one.servers)} if one.servers else {})
        for one in case.handed_in
    ]
    return found


def _document(one: Document, case: Case) -> dict[str, Any]:
    found: dict[str, Any] = {"name": one.name, "kind": one.kind.value}
    found |= _given({"taken": one.taken.isoformat() if one.taken else None, "location": one.location})
    for key in ("attempts", "answers", "codes", "error_lines", "bundle_problems", "sessions", "arp"):
        found |= _given({key: [_plain(value, one.name) for value in getattr(one, key)]})
    if one.agent_state:
        found["agent"] = _plain(one.agent_state, one.name)
    if one.circuit:
        found["circuit"] = _circuit(one.circuit, one.name)
    for key, name, part in _parts(one, case):
        # What is held is called so, and what it holds by the name that its file had.
        found[key] = ({} if name == one.name else {"file": name}) | part
    # The notes of other documents are warnings for who handed them in, and no finding rests on them.
    return found | (_given({"notes": list(one.notes)}) if one.kind is Kind.UNREADABLE else {})


def _parts(one: Document, case: Case) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """A document's filter, tags, list or routes, each with its key and its file's name."""
    if one.route_filter:
        yield "route_filter", one.route_filter.origin, _filter(one.route_filter)
    if one.service_tags:
        yield "service_tags", one.service_tags.name, _tags(one.service_tags, case)
    if one.community_list:
        yield "community_list", one.community_list.name, _list(one.community_list, case)
    if one.route_table:
        yield "routes", one.route_table.name, _table(one.route_table, case)


def _given(pairs: dict[str, Any]) -> dict[str, Any]:
    """Without what says nothing."""
    return {key: value for key, value in pairs.items() if value not in (None, "", [], {})}


def _plain(value: Any, origin: str) -> dict[str, Any]:  # noqa: ANN401  # any of the case's dataclasses
    """The fields of a dataclass that are not as they would be by themselves, by their own names."""
    found = {}
    # A probe's observation has more, which no rule asks for.
    for one in fields(Attempt if isinstance(value, Attempt) else value):
        item = getattr(value, one.name)
        if (one.default is not MISSING and item == one.default) or (one.name == "origin" and item == origin):
            continue
        if isinstance(item, datetime):
            item = item.isoformat()
        elif hasattr(item, "__dataclass_fields__"):
            item = _plain(item, "")
        found[one.name] = item
    return found


def _filter(seen: RouteFilter) -> dict[str, Any]:
    rules = [{"name": seen.rule, "access": "Allow", "communities": list(seen.in_order)}]
    if others := sorted(seen.communities - set(seen.in_order)):
        rules.append({"name": "", "access": "Allow", "communities": others})
    if not (seen.rule or seen.communities):
        rules = []
    denied = sorted(seen.denied)
    for name in seen.denying or (("",) if denied else ()):
        rules.append({"name": name, "access": "Deny", "communities": denied})
        denied = []
    return {
        **_given(
            {
                # A filter without a name is called by its file's, from which it is told apart by `origin`.
                "name": "" if seen.name == seen.origin else seen.name,
                "id": seen.resource_id,
                "resourceGroup": seen.resource_group,
                "location": seen.location,
                "provisioningState": seen.provisioning_state,
                "day": seen.taken.isoformat() if seen.taken else None,
            }
        ),
        "rules": rules,
        **({} if seen.attached_to is None else {"peerings": [{"id": one} for one in seen.attached_to]}),
    }


def _circuit(seen: Circuit, document: str) -> dict[str, Any]:
    peerings = [_peering(seen.microsoft, seen.microsoft_ipv6)] if seen.microsoft else []
    return {
        **_given(
            {
                "name": "" if seen.name == document else seen.name,
                "id": seen.resource_id,
                "resourceGroup": seen.resource_group,
                "location": seen.location,
                "sku": _given({"tier": seen.tier.value, "family": seen.family}),
                "serviceProviderProvisioningState": seen.provisioning,
                "circuitProvisioningState": seen.state,
                "expressRoutePort": {"id": "kept"} if seen.direct else None,
            }
        ),
        "serviceProviderProperties": _given({"peeringLocation": seen.peering_location}),
        **({"peerings": peerings} if seen.lists_peerings else {}),
    }


def _peering(seen: Peering, ipv6: Peering | None = None) -> dict[str, Any]:
    legacy = None if seen.legacy is None else int(seen.legacy)
    config = {
        "advertisedPublicPrefixes": list(seen.advertised_prefixes),
        "advertisedPublicPrefixesState": seen.advertised_state,
        "legacyMode": legacy,
        "advertisedPublicPrefixInfo": [
            {"prefix": prefix, "validationState": state} for prefix, state in seen.validations
        ],
    }
    return {
        "peeringType": "MicrosoftPeering",
        **_given(
            {
                "state": seen.state,
                "primaryPeerAddressPrefix": seen.primary_prefix,
                "secondaryPeerAddressPrefix": seen.secondary_prefix,
                "routeFilter": _given({"id": seen.route_filter}),
                "microsoftPeeringConfig": _given(config),
                TELLS_NO_FILTER: None if seen.tells_filter else True,
                "ipv6PeeringConfig": _peering(ipv6) if ipv6 else None,
            }
        ),
    }


def _tags(seen: ServiceTags, case: Case) -> dict[str, Any]:
    """The tags that hold an address, and of each such service one prefix in every other region.

    A steered name may answer in any region of its service, and a finding tells in which.
    """
    held: dict[tuple[str, str], list[str]] = {}
    for address in sorted(case.addresses):
        for prefix, known in seen.prefixes.covering(address):
            held.setdefault(known, []).append(prefix)
    services = {tag.partition(".")[0] for tag, _ in held} - {WHOLE_CLOUD}
    for key, tags in seen.prefixes.entries() if services else ():
        for tag, region in tags:
            if region and (tag, region) not in held and tag.partition(".")[0] in services:
                held[tag, region] = [prefix_text(key)]
    rows = [
        {"name": tag, "properties": {"region": region, "addressPrefixes": list(dict.fromkeys(prefixes))}}
        for (tag, region), prefixes in held.items()
    ]
    day = {"day": seen.taken.isoformat()} if seen.taken else {}
    return {"cloud": seen.cloud, "changeNumber": seen.change_number, **day, "values": rows}


def _list(seen: CommunityList, case: Case) -> dict[str, Any]:
    """The entries that hold an address, and which communities of services the list knows at all."""
    held: dict[tuple[str, str, str], list[str]] = {}
    for address in sorted(case.addresses):
        for prefix, entry in seen.prefixes.covering(address):
            held.setdefault(entry, []).append(prefix)
    rows = [
        {
            "communityValue": value,
            "communityName": name,
            "serviceGroup": group,
            "communityPrefixes": list(dict.fromkeys(prefixes)),
        }
        for (value, name, group), prefixes in held.items()
    ]
    known = [one for value in sorted(seen.values) if (one := catalog.community(value))]
    services = [one.value for one in known if one.kind == "service"]
    # A list of none is no list, so that one entry stands there in any case.
    others = services or sorted(seen.values)[:1]
    rows += [{"communityValue": one} for one in others if one not in {row["communityValue"] for row in rows}]
    return {**({"day": seen.taken.isoformat()} if seen.taken else {}), "entries": rows}


def _table(seen: RouteTable, case: Case) -> dict[str, Any]:
    """The routes that cover an address or an advertised prefix, and how many carry which community.

    Nearly every rule asks for one address. Two things are asked of the whole table: which communities of
    Microsoft's it shows, and whether it shows AS paths. The counts and a route as a witness answer these.
    """
    counted = {
        value: count for value, count in seen.values.items() if value.startswith(f"{MICROSOFT_AS}:")
    } | {value: count for value, count in seen.values.items() if catalog.community(value)}
    held: dict[str, list[Route]] = {}
    prefixes = (ip_network(prefix) for side in case.peerings for prefix in side.advertised_prefixes)
    for address in (*sorted(case.addresses), *(str(prefix.network_address) for prefix in prefixes)):
        found: dict[str, list[Route]] = {}
        for route in seen.covering(address):
            found.setdefault(route.prefix, []).append(route)
        held |= found
    routes = [route for rows in held.values() for route in rows][:_MOST_ROUTES]
    return {
        "format": seen.format,
        "vantage": seen.vantage.value,
        **({"taken": seen.taken.isoformat()} if seen.taken else {}),
        "size": seen.size,
        "shows_communities": seen.shows_communities,
        "complete": seen.complete,
        **({"asked": list(seen.asked)} if seen.asked else {}),
        "values": dict(islice(counted.items(), _MOST_VALUES)),
        "routes": [_plain(route, "") for route in (*routes, *_witnesses(seen, routes))],
    }


def _witnesses(seen: RouteTable, kept: Iterable[Route]) -> Iterator[Route]:
    """Routes that show what those kept do not: that there are AS paths, and that Microsoft is in one."""
    paths = [route.as_path for route in kept if route.as_path]
    if not paths and seen.routes.shows_paths:
        yield next(route for route in seen.routes if route.as_path)
    if not seen.shows_communities and not any(MICROSOFT_AS in path for path in paths):
        yield from islice((route for route in seen.routes if MICROSOFT_AS in route.as_path), 1)
