"""Where one address lies: the coverage that decides, out of every combination of the sources at hand."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from ipaddress import ip_address

from arcferry import catalog
from arcferry.catalog import Carrier
from arcferry.evidence.case import Case
from arcferry.evidence.document import FilterSeen
from arcferry.routing.communities import CommunityList
from arcferry.routing.coverage import Coverage, Verdict, coverage
from arcferry.routing.reception import Received, Reception, reception
from arcferry.routing.route import RouteTable, Vantage
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
_NO_TABLE = Received(Reception.UNKNOWN, None, None, "")


@dataclass(frozen=True, slots=True)
class Placement:
    """One address with the sources that place it.

    Attributes:
        coverage: what `routing` makes of it.
        tags: the service tags that were asked, None where none were handed in.
        communities: the community list that was asked, None where none was handed in.
        filter: the route filter that was asked, None where none was handed in.
        by_name: whether only a name in the DNS answer says the region, no service tag and no list.
        conflicts: what the sources disagree about.
        received: what the router's own tables say of the address.
        sent: whether any of them holds a route of Microsoft's to it, used or not.
    """

    coverage: Coverage
    tags: ServiceTags | None
    communities: CommunityList | None
    filter: FilterSeen | None
    by_name: bool = False
    conflicts: tuple[str, ...] = ()
    received: Received = _NO_TABLE
    sent: bool = False

    @property
    def has_route(self) -> bool:
        """Whether a route of Microsoft's is seen in use."""
        return self.received.reception is Reception.RECEIVED

    @property
    def lacks_route(self) -> bool:
        """Whether it is seen that Microsoft sent no route, where a default route of another's may remain."""
        if self.received.reception is Reception.ANOTHER_PATH:
            return not self.sent
        return self.received.reception is Reception.NOT_RECEIVED

    @property
    def is_in_an_unnamed_region(self) -> bool:
        """Whether it is Azure's, and neither tag nor list nor name says in which region."""
        found = self.coverage
        return found.service_tag == WHOLE_CLOUD and not found.region and not found.candidates

    @property
    def is_expected(self) -> bool:
        """Whether the filter lets the address through, or a route to it is seen."""
        return self.has_route or self.verdict is Verdict.CARRIED

    @property
    def verdict(self) -> Verdict:
        """What is expected of the address."""
        return self.coverage.verdict


def worst_first(placements: Iterable[Placement]) -> tuple[Placement, ...]:
    """Those that are least likely to be carried first; IPv4 before IPv6 among equals."""
    return tuple(sorted(placements, key=_hope))


def _hope(one: Placement) -> tuple[bool, bool, int, int, str]:
    """What is seen of routes before what is expected, then the family and the address."""
    expected_only = one.verdict is Verdict.CARRIED and not one.lacks_route
    address = one.coverage.address
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


def _by_name(found: Coverage, chain: tuple[str, ...], seen: FilterSeen | None) -> Coverage:
    """The coverage that the region in the chain leads to, where tags and lists say nothing."""
    region = _region_in(chain)
    if not region:
        return found
    documented = catalog.region_community(region)
    if documented is None:
        return replace(found, region=region, verdict=Verdict.NO_DOCUMENTED_COMMUNITY)
    allowed = seen is not None and seen.route_filter.allows(documented.value)
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


def _conflicts(chosen: Placement, carrier: Carrier, chain: tuple[str, ...], case: Case) -> tuple[str, ...]:
    """What the sources that were not followed say instead."""
    found = chosen.coverage
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
        if other is not chosen.communities:
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
            f"route filter {seen.route_filter.name} allows none of {', '.join(found.candidates)}"
            for seen in case.filters_in_effect
            if not any(seen.route_filter.allows(value) for value in found.candidates)
        ]
    return tuple(dict.fromkeys(says))


def place(host: str, address: str, carrier: Carrier, chain: tuple[str, ...], case: Case) -> Placement:
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
    received = reception(address, tables, links=case.links) if tables else _NO_TABLE
    sent = _is_sent(address, tables)
    for seen in case.filters_in_effect or (None,):
        one = coverage(
            host,
            address,
            carrier=carrier,
            tags=tags,
            communities=communities,
            route_filter=seen.route_filter if seen else None,
        )
        named = _by_name(one, chain, seen) if _is_placeless(one) else one
        by_name = named is not one
        found.append(Placement(named, tags, communities, seen, by_name, (), received, sent))
    chosen = next((one for one in found if one.verdict is Verdict.CARRIED), found[0])
    return replace(chosen, conflicts=_conflicts(chosen, carrier, chain, case))
