"""Where one address lies: the coverage that decides, out of every combination of the sources at hand."""

import re
from collections.abc import Iterable
from dataclasses import replace
from ipaddress import ip_address

from arcferry import catalog
from arcferry.catalog import Carrier
from arcferry.evidence.case import Case
from arcferry.routing.communities import CommunityList
from arcferry.routing.coverage import Coverage, Verdict, coverage
from arcferry.routing.reception import NOTHING_RECEIVED, reception
from arcferry.routing.route import RouteTable, Vantage
from arcferry.routing.route_filter import RouteFilter
from arcferry.routing.service_tags import ServiceTags
from arcferry.routing.weighing import WHOLE_CLOUD

_REGION_LINK = re.compile(
    r"\.([a-z0-9]{4,40})\.cloudapp\.(?:azure\.com|chinacloudapi\.cn|usgovcloudapi\.net)$"
)
_ORDER = (
    Verdict.NOT_IN_FILTER,
    Verdict.NO_DOCUMENTED_COMMUNITY,
    Verdict.NOT_ON_PEERING,
    Verdict.PRIVATE,
    Verdict.UNKNOWN,
    Verdict.CARRIED,
)


def worst_first(coverages: Iterable[Coverage]) -> tuple[Coverage, ...]:
    """Those that are least likely to be carried first; IPv4 before IPv6 among equals."""
    return tuple(sorted(coverages, key=_hope))


def _hope(one: Coverage) -> tuple[bool, bool, int, int, str]:
    """What is seen of routes before what is expected, then the family and the address."""
    expected_only = one.verdict is Verdict.CARRIED and not one.lacks_route
    address = one.address
    return one.has_route, expected_only, _ORDER.index(one.verdict), ip_address(address).version, address


def _is_sent(address: str, tables: Iterable[RouteTable]) -> bool:
    own = [table for table in tables if table.vantage is not Vantage.AZURE]
    return any(route.from_microsoft for table in own for route in table.covering(address))


def _region_in(chain: tuple[str, ...]) -> str:
    """The region that a `*.<region>.cloudapp.azure.com` link names, also a new one; empty where none does."""
    for link in reversed(chain):
        if found := _REGION_LINK.search(link):
            return found[1]
    return ""


def _is_placeless(found: Coverage) -> bool:
    """Whether no tag and no list says a region or a community, so that a name of Microsoft's leads."""
    unknown = found.verdict in (Verdict.UNKNOWN, Verdict.NOT_ON_PEERING)
    return unknown and found.service_tag in ("", WHOLE_CLOUD) and not (found.region or found.candidates)


def _by_name(found: Coverage, chain: tuple[str, ...], seen: RouteFilter | None) -> Coverage:
    """The coverage that the region in the chain leads to, where tags and lists say nothing."""
    region = _region_in(chain)
    if not region:
        return found
    documented = catalog.region_community(region)
    if documented is None:
        return replace(found, region=region, verdict=Verdict.NO_DOCUMENTED_COMMUNITY)
    allowed = seen is not None and seen.allows(documented.value)
    verdict = Verdict.UNKNOWN if seen is None else Verdict.CARRIED if allowed else Verdict.NOT_IN_FILTER
    return replace(
        found,
        region=documented.region,
        community=documented.value,
        candidates=(documented.value,),
        allowed_by=(documented.value,) if allowed else (),
        verdict=verdict,
    )


def _tags_for(address: str, case: Case) -> ServiceTags | None:
    """The newest file that knows the address, else the newest."""
    known = case.service_tags
    return next((tags for tags in known if tags.matches(address)), known[0] if known else None)


def _list_for(address: str, case: Case) -> CommunityList | None:
    """The newest list that knows the address, else the newest."""
    known = case.community_lists
    return next((one for one in known if one.containing(address)), known[0] if known else None)


def _conflicts(chosen: Coverage, carrier: Carrier, chain: tuple[str, ...], case: Case) -> tuple[str, ...]:
    """What the sources that were not followed say instead."""
    found = chosen
    says = list(found.conflicts)
    by_name = _region_in(chain)
    if by_name and found.region and by_name != found.region:
        says.append(f"a name in the DNS answer says region {by_name}, the sources say {found.region}")
    for tags in case.service_tags:
        match = next((match for match in tags.matches(found.address) if match.region), None)
        if tags is not chosen.tags and match and match.region != found.region:
            says.append(
                f"{tags.name} ({tags.taken or 'undated'}) puts {found.address} in {match.tag}: not followed"
            )
    for other in case.community_lists:
        if other is not chosen.community_list:
            says += coverage(
                found.host,
                found.address,
                carrier=carrier,
                tags=chosen.tags,
                communities=other,
                route_filter=None,
            ).conflicts
    if chosen.verdict is Verdict.CARRIED:
        says += [
            f"route filter {seen.name} allows none of {', '.join(found.candidates)}"
            for seen in case.filters_in_effect
            if not any(seen.allows(value) for value in found.candidates)
        ]
    return tuple(dict.fromkeys(says))


def place(host: str, address: str, carrier: Carrier, chain: tuple[str, ...], case: Case) -> Coverage:
    """Where `address` lies by everything at hand.

    Of several service-tag files and community lists the newest that knows the address is followed; what the
    others say instead is named as a conflict. Of several route filters one that lets the address through
    suffices;
    where a circuit tells which one is attached, the others do not count.

    Args:
        host: the name that answered with the address.
        address: an IP address.
        carrier: the service behind the host.
        chain: the links of the DNS answer, which may name a region.
        case: everything that was handed in.
    """
    tags, communities = _tags_for(address, case), _list_for(address, case)
    found = []
    tables = case.route_tables
    received = reception(address, tables, links=case.links) if tables else NOTHING_RECEIVED
    sent = _is_sent(address, tables)
    for seen in case.filters_in_effect or (None,):
        one = coverage(
            host,
            address,
            carrier=carrier,
            tags=tags,
            communities=communities,
            route_filter=seen,
        )
        named = _by_name(one, chain, seen) if _is_placeless(one) else one
        found.append(replace(named, by_name=named is not one, received=received, sent=sent))
    chosen = next((one for one in found if one.verdict is Verdict.CARRIED), found[0])
    return replace(chosen, conflicts=_conflicts(chosen, carrier, chain, case))
