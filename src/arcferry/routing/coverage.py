"""Whether Microsoft peering is expected to carry an address, and through which community.

Service tags and community list are dated sources: where they disagree, the newer leads and both are named.
"""

import ipaddress
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property

from arcferry import catalog, typed
from arcferry.catalog import Carrier, Cloud, DocumentedCommunity
from arcferry.errors import InputError
from arcferry.routing.azure_json import WHOLE_CLOUD, CommunityList, ListedCommunity, ServiceTags, TagMatch
from arcferry.routing.prefixes import Address
from arcferry.routing.reception import NOTHING_RECEIVED, Received, Reception
from arcferry.routing.route_filter import RouteFilter

# RFC 1918, RFC 6598 (which virtual networks may use too) and RFC 4193. Loopback is left out: there the
# service tags decide, as for any other address.
_PRIVATE = tuple(
    ipaddress.ip_network(prefix)
    for prefix in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7")
)


_FAMILIES = {
    Carrier.ARC: ("AzureArcInfrastructure", "GuestAndHybridManagement"),
    Carrier.ENTRA: ("AzureActiveDirectory",),
    Carrier.ARM: ("AzureResourceManager",),
    Carrier.REGIONAL: (),
    Carrier.EDGE: ("AzureFrontDoor",),
}
FRONT_DOOR = "AzureFrontDoor"


class Verdict(StrEnum):
    """What tags, communities and route filter lead to expect. Only a route or a connection is observed."""

    CARRIED = "carried"
    NOT_IN_FILTER = "not-in-filter"
    NOT_ON_PEERING = "not-on-peering"
    NO_DOCUMENTED_COMMUNITY = "no-documented-community"
    PRIVATE = "private"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Coverage:
    """What is expected of one address of one host, and what the router's own tables show of it.

    Attributes:
        service_tag: the most informative service tag, empty where none holds the address.
        region: ARM name of the region the address is in, empty where unknown.
        community: the one that carries the address, or the one to add; empty where there is none.
        candidates: every community that may carry it, those of the newer source first.
        allowed_by: the candidates that the route filter lets through, without those that only the older of
            two disagreeing sources gives.
        conflicts: sentences on what the sources disagree about, or leave open.
        tags: the service tags that were asked; None if none were at hand, as for the next two.
        community_list: the community list that was asked.
        route_filter: the route filter that was asked.
        by_name: whether only a name in the DNS answer says the region, no service tag and no list.
        received: what the router's own tables say of the address.
        sent: whether any of them holds a route of Microsoft's to it, used or not.
    """

    host: str
    address: str
    service_tag: str
    region: str
    community: str
    candidates: tuple[str, ...]
    allowed_by: tuple[str, ...]
    verdict: Verdict
    conflicts: tuple[str, ...]
    tags: ServiceTags | None = None
    community_list: CommunityList | None = None
    route_filter: RouteFilter | None = None
    by_name: bool = False
    received: Received = NOTHING_RECEIVED
    sent: bool = False

    @property
    def has_route(self) -> bool:
        """Whether a route of Microsoft's is seen in use."""
        return self.received.reception is Reception.RECEIVED

    @property
    def lacks_route(self) -> bool:
        """Whether it is seen that Microsoft sent no route; a default route of another's may remain."""
        if self.received.reception is Reception.ANOTHER_PATH:
            return not self.sent and not self.hides_others
        return self.received.reception is Reception.NOT_RECEIVED

    @property
    def hides_others(self) -> bool:
        """Whether a route of the router's own wins in a table that shows nothing but the winner."""
        route, table = self.received.route, self.received.table
        is_told = route is not None and route.own and not route.prefix.endswith("/0")
        return is_told and table is not None and not table.shows_communities

    @property
    def is_in_an_unnamed_region(self) -> bool:
        """Whether it is Azure's, and neither tag nor list nor name says in which region."""
        return self.service_tag == WHOLE_CLOUD and not self.region and not self.candidates

    @property
    def is_expected(self) -> bool:
        """Whether the filter lets the address through, or a route to it is seen."""
        return self.has_route or self.verdict is Verdict.CARRIED


def coverage(
    host: str,
    address: str,
    *,
    carrier: Carrier,
    tags: ServiceTags | None,
    communities: CommunityList | None,
    route_filter: RouteFilter | None,
) -> Coverage:
    """What to expect of one address over Microsoft peering, from documents alone.

    The service behind the host, which answered with the address, may have a community of its own.

    Raises:
        InputError: `address` is no IP address.
    """
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError as error:
        raise InputError(f"{host}: {typed.shown(address)} is no IP address") from error
    if any(parsed in network for network in _PRIVATE):
        asked = (tags, communities, route_filter)
        return Coverage(host, address, "", "", "", (), (), Verdict.PRIVATE, (), *asked)
    named = catalog.cloud_of(host)
    seen = _Sources(parsed, carrier, named or _cloud_of(tags), tags, communities)
    allowed = tuple(value for value in seen.trusted if route_filter and route_filter.allows(value))
    verdict = _verdict(seen, route_filter, allowed)
    conflicts = [says for says in (_dispute(seen), _front_door(seen), _unlisted(seen)) if says]
    if named and tags and tags.cloud != named.service_tag_cloud:
        conflicts.append(f"{tags.name} is of the cloud {tags.cloud}, but {host} belongs to {named.name}")
    if route_filter:
        conflicts += _about_filter(seen, route_filter)
    off = verdict is Verdict.NOT_ON_PEERING
    return Coverage(
        host=host,
        address=address,
        service_tag=seen.matches[0].tag if seen.matches else "",
        region=seen.region,
        community="" if off else next(iter((*allowed, *seen.trusted)), ""),
        candidates=(*seen.trusted, *seen.doubted),
        allowed_by=allowed,
        verdict=verdict,
        conflicts=tuple(conflicts),
        tags=tags,
        community_list=communities,
        route_filter=route_filter,
    )


def _cloud_of(tags: ServiceTags | None) -> Cloud:
    """The cloud that the tags are of; the public one if nothing tells."""
    clouds = catalog.clouds()
    return next((one for one in clouds if tags and one.service_tag_cloud == tags.cloud), clouds[0])


@dataclass(frozen=True)
class _Sources:
    """What service tags and community list say of one address of a service, which is of one cloud."""

    address: Address
    carrier: Carrier
    cloud: Cloud
    tags: ServiceTags | None
    communities: CommunityList | None

    @cached_property
    def matches(self) -> tuple[TagMatch, ...]:
        """The tags that hold it, those of the host's own service first."""
        found, own = self.tags.matches(self.address) if self.tags else (), _FAMILIES[self.carrier]
        return tuple(sorted(found, key=lambda match: match.tag.partition(".")[0] not in own))

    @cached_property
    def listed(self) -> tuple[ListedCommunity, ...]:
        """The list's entries that hold it."""
        return self.communities.containing(self.address) if self.communities else ()

    @property
    def service(self) -> DocumentedCommunity | None:
        """The community of the host's own service, None if it has none."""
        return catalog.service_community(self.carrier, self.cloud)

    @property
    def tag_region(self) -> str:
        """The region that the service tags give, empty if they give none."""
        return next((match.region for match in self.matches if match.region), "")

    @cached_property
    def outside(self) -> bool:
        """Whether the tags put it on Front Door's edge or outside Azure; those of another cloud say nothing.

        An address that AzureCloud alone holds is inside, in a region that the tags do not name.
        """
        if self.tags is None or self.tags.cloud != self.cloud.service_tag_cloud:
            return False
        at_the_edge, in_a_region = self.carrier is Carrier.EDGE, bool(self.tag_region)
        services = {match.tag.partition(".")[0] for match in self.matches} - {WHOLE_CLOUD}
        if self.matches and not services and not in_a_region:
            return at_the_edge
        return services <= {FRONT_DOOR} and (not in_a_region or (at_the_edge and bool(services)))

    @cached_property
    def disputed(self) -> tuple[ListedCommunity, ...]:
        """The list's entries that contradict the tags, whose region is another.

        Early-access regions (`eastus2euap`) use the community of the region they stand beside.
        """
        same = ("", self.tag_region, self.tag_region.removesuffix("euap"))
        return tuple(
            entry
            for entry in self.listed
            if self.outside or (self.tag_region and _listed_region(entry) not in same)
        )

    @property
    def list_leads(self) -> bool:
        """Whether the sources disagree and the community list is the newer one."""
        before = self.tags.taken if self.tags else None
        after = self.communities.taken if self.communities else None
        return bool(self.disputed and before and after and after > before)

    @property
    def region(self) -> str:
        """The region by the source that leads, as an ARM name; empty if unknown."""
        listed = next((region for entry in self.listed if (region := _listed_region(entry))), "")
        if self.list_leads:
            return listed or self.tag_region
        return self.tag_region or ("" if self.outside else listed)

    @property
    def trusted(self) -> tuple[str, ...]:
        """The communities that may carry the address, the one to ask for first.

        That of the host's own service leads, because it carries the service wherever its address moves; then
        the region's; then whatever else the list has for the address.
        """
        documented = [one.value for one in (self.service, catalog.region_community(self.region)) if one]
        agreed = [one.value for one in self.listed if self.list_leads or one not in self.disputed]
        return tuple(dict.fromkeys([*documented, *agreed]))

    @property
    def doubted(self) -> tuple[str, ...]:
        """The communities that only the older of two disagreeing sources gives."""
        by_tags = catalog.region_community(self.tag_region)
        older = [one.value for one in self.disputed]
        if self.list_leads:
            older = [by_tags.value] if by_tags else []
        return tuple(value for value in dict.fromkeys(older) if value not in self.trusted)


def _verdict(seen: _Sources, route_filter: RouteFilter | None, allowed: tuple[str, ...]) -> Verdict:
    address = seen.address
    if seen.outside and not seen.list_leads:
        # No route can lead there, so that its lack of a tag says nothing about peering.
        nowhere = address.is_unspecified or address.is_link_local or address.is_multicast
        return Verdict.UNKNOWN if nowhere or address.is_reserved else Verdict.NOT_ON_PEERING
    if not seen.trusted:
        if seen.region:
            return Verdict.NO_DOCUMENTED_COMMUNITY
        unseen = not seen.matches and seen.carrier is Carrier.EDGE
        return Verdict.NOT_ON_PEERING if unseen else Verdict.UNKNOWN
    if route_filter is None:
        return Verdict.UNKNOWN
    return Verdict.CARRIED if allowed else Verdict.NOT_IN_FILTER


def _about_filter(seen: _Sources, route_filter: RouteFilter) -> list[str]:
    says = [
        f"route filter {route_filter.name} denies {value}"
        for value in (*seen.trusted, *seen.doubted)
        if value in route_filter.denied
    ]
    says += [
        f"route filter {route_filter.name} allows {value}, but only the older source puts the address there"
        for value in seen.doubted
        if route_filter.allows(value)
    ]
    return [one for one in (*says, route_filter.unsettled) if one]


def dated(source: ServiceTags | CommunityList) -> str:
    """The source's name and day, for a reader."""
    return f"{source.name} ({source.taken or 'undated'})"


def _listed_region(entry: ListedCommunity) -> str:
    documented = catalog.community(entry.value)
    return documented.region if documented else ""


def _dispute(seen: _Sources) -> str:
    if not seen.disputed or seen.tags is None or seen.communities is None:
        return ""
    others = " and ".join(dict.fromkeys(f"{entry.name} ({entry.value})" for entry in seen.disputed))
    before, after = seen.tags.taken, seen.communities.taken
    if seen.list_leads:
        leads = "the community list is newer and is followed"
    elif before and after and before > after:
        leads = "the service tags are newer and are followed"
    else:
        leads = "neither is known to be newer, the service tags are followed"
    return (
        f"{dated(seen.tags)} puts {seen.address} {_by_tags(seen)}, "
        f"{dated(seen.communities)} puts it in {others}: {leads}"
    )


def _by_tags(seen: _Sources) -> str:
    if seen.outside and not seen.matches:
        return "in no service tag"
    if seen.outside:
        return f"in {seen.matches[0].tag}, which Microsoft peering does not carry"
    if documented := catalog.region_community(seen.tag_region):
        return f"in {documented.name} ({documented.value})"
    return f"in {seen.tag_region}, which has no documented community"


def _front_door(seen: _Sources) -> str:
    edge = next((match.tag for match in seen.matches if match.tag.startswith(FRONT_DOOR)), "")
    if not edge or seen.outside or seen.tags is None:
        return ""
    return (
        f"{dated(seen.tags)} has {seen.address} in {edge} as well, and Microsoft peering does not carry "
        "Front Door: only a received route or a connection decides"
    )


def _unlisted(seen: _Sources) -> str:
    """What to say if the service's own community is in the list, and the address is not in it."""
    service, known = seen.service, seen.communities
    if service is None or known is None or service.value in {entry.value for entry in seen.listed}:
        return ""
    if service.value not in known.values:
        return ""
    return (
        f"{dated(known)} does not list {seen.address} under {service.value} ({service.name}), "
        "which is documented for this service: only a received route or a newer list decides"
    )
