"""Weighing dated sources: where they disagree, the newer leads and both are named."""

from collections.abc import Sequence
from dataclasses import dataclass

from arcferry import catalog
from arcferry.catalog import Carrier, Cloud, DocumentedCommunity
from arcferry.routing.communities import CommunityList, ListedCommunity
from arcferry.routing.prefixes import Address
from arcferry.routing.service_tags import ServiceTags, TagMatch

_FAMILIES = {
    Carrier.ARC: ("AzureArcInfrastructure", "GuestAndHybridManagement"),
    Carrier.ENTRA: ("AzureActiveDirectory",),
    Carrier.ARM: ("AzureResourceManager",),
    Carrier.REGIONAL: (),
    Carrier.EDGE: ("AzureFrontDoor",),
}
FRONT_DOOR = "AzureFrontDoor"
WHOLE_CLOUD = "AzureCloud"
"""The tag of every address of Azure's; where it alone holds one, no tag names the region."""


@dataclass(frozen=True, slots=True)
class Attribution:
    """What the sources say of one address.

    Attributes:
        service_tag: the most informative tag for the host's service, empty if none holds the address.
        region: ARM name, by the source that leads; empty if unknown.
        trusted: communities that may carry the address, the one to ask for first.
        doubted: communities that only the older of two disagreeing sources gives.
        off_peering: whether the leading source puts the address outside what Microsoft peering carries.
        conflicts: sentences for a reader.
    """

    service_tag: str
    region: str
    trusted: tuple[str, ...]
    doubted: tuple[str, ...]
    off_peering: bool
    conflicts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _BothSources:
    """One address as both sources have it.

    Attributes:
        tag_region: the region that the service tags give, empty if they give none.
        outside: whether the tags put it on Front Door's edge or outside Azure.
        disputed: the list's entries that contradict the tags.
    """

    address: Address
    tags: ServiceTags | None
    communities: CommunityList | None
    matches: tuple[TagMatch, ...]
    listed: tuple[ListedCommunity, ...]
    tag_region: str
    outside: bool
    disputed: tuple[ListedCommunity, ...]

    @property
    def list_leads(self) -> bool:
        """Whether the sources disagree and the community list is the newer one."""
        before = self.tags.taken if self.tags else None
        after = self.communities.taken if self.communities else None
        return bool(self.disputed and before and after and after > before)

    @property
    def region(self) -> str:
        """The region by the source that leads."""
        listed = next((region for entry in self.listed if (region := _listed_region(entry))), "")
        if self.list_leads:
            return listed or self.tag_region
        return self.tag_region or ("" if self.outside else listed)


def dated(source: ServiceTags | CommunityList) -> str:
    """The source's name and day, for a reader."""
    return f"{source.name} ({source.taken or 'undated'})"


def attribute(
    address: Address,
    carrier: Carrier,
    cloud: Cloud,
    tags: ServiceTags | None,
    communities: CommunityList | None,
) -> Attribution:
    """Join service tags, community list and documented communities for one address.

    The community of the host's own service leads, because it carries the service wherever its address moves;
    then the region's; then whatever else the list has for the address.
    """
    found = tags.matches(address) if tags else ()
    matches = tuple(sorted(found, key=lambda match: match.tag.partition(".")[0] not in _FAMILIES[carrier]))
    listed = communities.containing(address) if communities else ()
    tag_region = next((match.region for match in matches if match.region), "")
    # That tags of another cloud do not have the address says nothing.
    complete = tags is not None and tags.cloud == cloud.service_tag_cloud
    outside = complete and _is_outside(matches, carrier)
    disputed = tuple(entry for entry in listed if outside or _is_elsewhere(entry, tag_region))
    seen = _BothSources(address, tags, communities, matches, listed, tag_region, outside, disputed)
    service = catalog.service_community(carrier, cloud)
    agreed = [entry.value for entry in seen.listed if seen.list_leads or entry not in seen.disputed]
    documented = [one.value for one in (service, catalog.region_community(seen.region)) if one]
    trusted = tuple(dict.fromkeys([*documented, *agreed]))
    older = [entry.value for entry in disputed]
    if seen.list_leads:
        by_tags = catalog.region_community(tag_region)
        older = [by_tags.value] if by_tags else []
    return Attribution(
        service_tag=seen.matches[0].tag if seen.matches else "",
        region=seen.region,
        trusted=trusted,
        doubted=tuple(value for value in dict.fromkeys(older) if value not in trusted),
        off_peering=seen.outside and not seen.list_leads,
        conflicts=tuple(filter(None, (_dispute(seen), _front_door(seen), _unlisted(seen, service)))),
    )


def _is_outside(matches: Sequence[TagMatch], carrier: Carrier) -> bool:
    """Whether the tags put an address on Front Door's edge, or know nothing of it.

    An address that AzureCloud alone holds is inside, in a region that the tags do not name.
    """
    services = {match.tag.partition(".")[0] for match in matches} - {WHOLE_CLOUD}
    in_a_region = any(match.region for match in matches)
    if matches and not services and not in_a_region:
        return carrier is Carrier.EDGE
    return services <= {FRONT_DOOR} and (not in_a_region or (carrier is Carrier.EDGE and bool(services)))


def _is_elsewhere(entry: ListedCommunity, tag_region: str) -> bool:
    """Whether an entry belongs to another region than the tags give.

    Early-access regions (`eastus2euap`) use the community of the region they stand beside.
    """
    region = _listed_region(entry)
    return bool(region and tag_region) and region not in (tag_region, tag_region.removesuffix("euap"))


def _listed_region(entry: ListedCommunity) -> str:
    documented = catalog.community(entry.value)
    return documented.region if documented else ""


def _dispute(seen: _BothSources) -> str:
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


def _by_tags(seen: _BothSources) -> str:
    if seen.outside and not seen.matches:
        return "in no service tag"
    if seen.outside:
        return f"in {seen.matches[0].tag}, which Microsoft peering does not carry"
    if documented := catalog.region_community(seen.tag_region):
        return f"in {documented.name} ({documented.value})"
    return f"in {seen.tag_region}, which has no documented community"


def _front_door(seen: _BothSources) -> str:
    edge = next((match.tag for match in seen.matches if match.tag.startswith(FRONT_DOOR)), "")
    if not edge or seen.outside or seen.tags is None:
        return ""
    return (
        f"{dated(seen.tags)} has {seen.address} in {edge} as well, and Microsoft peering does not carry "
        "Front Door: only a received route or a connection decides"
    )


def _unlisted(seen: _BothSources, service: DocumentedCommunity | None) -> str:
    """What to say if the service's own community is in the list, and the address is not in it."""
    if service is None or seen.communities is None or service.value not in seen.communities.values:
        return ""
    if any(entry.value == service.value for entry in seen.listed):
        return ""
    return (
        f"{dated(seen.communities)} does not list {seen.address} under {service.value} ({service.name}), "
        "which is documented for this service: only a received route or a newer list decides"
    )
