"""Whether Microsoft peering is expected to carry an address, and through which community."""

import ipaddress
from dataclasses import dataclass
from enum import StrEnum

from arcferry import catalog, typed
from arcferry.catalog import Carrier, Cloud
from arcferry.errors import InputError
from arcferry.routing.communities import CommunityList
from arcferry.routing.prefixes import Address
from arcferry.routing.reception import NOTHING_RECEIVED, Received, Reception
from arcferry.routing.route_filter import RouteFilter
from arcferry.routing.service_tags import ServiceTags
from arcferry.routing.weighing import WHOLE_CLOUD, Attribution, attribute

# RFC 1918, RFC 6598 (which virtual networks may use too) and RFC 4193. Loopback is left out: there the
# service tags decide, as for any other address.
_PRIVATE = tuple(
    ipaddress.ip_network(prefix)
    for prefix in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7")
)


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
            return not self.sent
        return self.received.reception is Reception.NOT_RECEIVED

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

    Args:
        host: the name that answered with the address.
        address: the address to judge.
        carrier: the service behind the host, which may have a community of its own.
        tags: the service tags to look the address up in.
        communities: the community list to look it up in.
        route_filter: the circuit's filter.

    Raises:
        InputError: `address` is no IP address.
    """
    parsed = _parse(host, address)
    if any(parsed in network for network in _PRIVATE):
        return Coverage(
            host,
            address,
            "",
            "",
            "",
            (),
            (),
            Verdict.PRIVATE,
            (),
            tags=tags,
            community_list=communities,
            route_filter=route_filter,
        )
    cloud = _cloud(host, tags)
    found = attribute(parsed, carrier, cloud, tags, communities)
    allowed = tuple(value for value in found.trusted if route_filter and route_filter.allows(value))
    verdict = _verdict(parsed, found, carrier, route_filter, allowed)
    return Coverage(
        host=host,
        address=address,
        service_tag=found.service_tag,
        region=found.region,
        community=_community(verdict, found, allowed),
        candidates=(*found.trusted, *found.doubted),
        allowed_by=allowed,
        verdict=verdict,
        conflicts=(*found.conflicts, *_about_cloud(host, tags), *_about_filter(found, route_filter)),
        tags=tags,
        community_list=communities,
        route_filter=route_filter,
    )


def _parse(host: str, address: str) -> Address:
    try:
        return ipaddress.ip_address(address)
    except ValueError as error:
        raise InputError(f"{host}: {typed.shown(address)} is no IP address") from error


def _cloud(host: str, tags: ServiceTags | None) -> Cloud:
    if found := catalog.cloud_of(host):
        return found
    named = {cloud.service_tag_cloud: cloud for cloud in catalog.clouds()}
    return named.get(tags.cloud if tags else "", catalog.clouds()[0])


def _verdict(
    address: Address,
    found: Attribution,
    carrier: Carrier,
    route_filter: RouteFilter | None,
    allowed: tuple[str, ...],
) -> Verdict:
    if found.off_peering:
        return Verdict.UNKNOWN if _is_nowhere(address) else Verdict.NOT_ON_PEERING
    if not found.trusted:
        if found.region:
            return Verdict.NO_DOCUMENTED_COMMUNITY
        unseen = not found.service_tag and carrier is Carrier.EDGE
        return Verdict.NOT_ON_PEERING if unseen else Verdict.UNKNOWN
    if route_filter is None:
        return Verdict.UNKNOWN
    return Verdict.CARRIED if allowed else Verdict.NOT_IN_FILTER


def _is_nowhere(address: Address) -> bool:
    """Whether no route can lead to the address, so that its lack of a tag says nothing about peering."""
    return address.is_unspecified or address.is_link_local or address.is_multicast or address.is_reserved


def _community(verdict: Verdict, found: Attribution, allowed: tuple[str, ...]) -> str:
    if verdict is Verdict.NOT_ON_PEERING:
        return ""
    return next(iter((*allowed, *found.trusted)), "")


def _about_cloud(host: str, tags: ServiceTags | None) -> tuple[str, ...]:
    cloud = catalog.cloud_of(host)
    if cloud is None or tags is None or tags.cloud == cloud.service_tag_cloud:
        return ()
    return (f"{tags.name} is of the cloud {tags.cloud}, but {host} belongs to {cloud.name}",)


def _about_filter(found: Attribution, route_filter: RouteFilter | None) -> tuple[str, ...]:
    if route_filter is None:
        return ()
    says = [
        f"route filter {route_filter.name} denies {value}"
        for value in (*found.trusted, *found.doubted)
        if value in route_filter.denied
    ]
    says += [
        f"route filter {route_filter.name} allows {value}, but only the older source puts the address there"
        for value in found.doubted
        if route_filter.allows(value)
    ]
    if route_filter.provisioning_state.lower() not in ("", "succeeded"):
        says.append(
            f"route filter {route_filter.name} is in state {route_filter.provisioning_state}: "
            "what is in effect may differ from what it says"
        )
    return tuple(says)
