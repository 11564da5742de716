"""Where two dated sources disagree: prefixes that the community list has in another region than the tags."""

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from arcferry import catalog
from arcferry.routing.azure_json import WHOLE_CLOUD, CommunityList, ServiceTags
from arcferry.routing.prefixes import holding, prefix_key, prefix_span, prefix_text

_EARLY_ACCESS = "euap"
_Known = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Conflict:
    """One prefix of the community list of which the service tags say something else.

    Attributes:
        prefix: as the community list has it.
        value: its regional community, such as `12076:51006`.
        listed_region: ARM name of that community's region.
        tag_region: ARM name of the region that the service tags give.
        tag: the tag behind that, `AzureCloud` of a region before those of single services.
        part: the tag's widest prefix in question; within `prefix`, or around it.
        addresses: how many addresses of `prefix` are in question.
    """

    prefix: str
    value: str
    listed_region: str
    tag_region: str
    tag: str
    part: str
    addresses: int


@dataclass(frozen=True, slots=True)
class Comparison:
    """Service tags and a community list, compared.

    Attributes:
        compared: how many prefixes of regional communities the list has.
        conflicts: what the two disagree about, the widest first.
    """

    tags: ServiceTags
    listed: CommunityList
    compared: int
    conflicts: tuple[Conflict, ...]

    @property
    def newer(self) -> str:
        """`service tags` or `community list`; empty if neither is known to be newer."""
        tags, listed = self.tags.taken, self.listed.taken
        if not tags or not listed or tags == listed:
            return ""
        return "service tags" if tags > listed else "community list"

    @property
    def prefixes(self) -> int:
        """How many prefixes of the list are in question."""
        return len({conflict.prefix for conflict in self.conflicts})


def compare(tags: ServiceTags, communities: CommunityList) -> Comparison:
    """Every prefix of a regional community whose addresses the service tags have in another region.

    A region in early access (`eastus2euap`) uses the community of the region it stands beside. What the tags
    have in no region is no conflict.
    """
    regional = _regional(tags)
    keys = sorted(regional)
    found: list[Conflict] = []
    compared = 0
    for prefix, value, region in _listed(communities):
        compared += 1
        found += _against(prefix, value, region, regional, keys)
    found.sort(key=lambda one: (-one.addresses, prefix_key(one.prefix), one.tag_region))
    return Comparison(tags, communities, compared, tuple(found))


def _listed(communities: CommunityList) -> Iterator[tuple[str, str, str]]:
    """Each prefix of each regional community once, with the community's region."""
    seen = set()
    for prefix, (value, _, _) in communities.prefixes.items():
        documented = catalog.community(value)
        if documented and documented.kind == "region" and (prefix, value) not in seen:
            seen.add((prefix, value))
            yield prefix, value, documented.region


def _regional(tags: ServiceTags) -> dict[int, _Known]:
    """Every prefix (`prefix_key`) that a regional tag has, with that tag and its region."""
    return {
        key: min(regional, key=lambda known: (not known[0].startswith(f"{WHOLE_CLOUD}."), known[0]))
        for key, held in tags.prefixes.entries()
        if (regional := [known for known in held if known[1]])
    }


def _against(
    prefix: str, value: str, region: str, regional: Mapping[int, _Known], keys: Sequence[int]
) -> Iterator[Conflict]:
    """What the tags have in other regions of one listed prefix, whose community is that of `region`."""
    own = prefix_key(prefix)
    start, end = prefix_span(own)
    around = next((key for key in holding(own) if key in regional), own)
    inside = keys[bisect_left(keys, own) : bisect_left(keys, end << 8)]
    sizes: Counter[str] = Counter()
    widest: dict[str, int] = {}
    # Each prefix takes its addresses from the one that holds it, which stands before it: in the end every
    # address counts for the longest one. An address that only `prefix` itself holds is in no region.
    holders = [(end, "")]
    for key in inside if around == own else (around, *inside):
        first, last = max(prefix_span(key)[0], start), min(prefix_span(key)[1], end)
        while holders[-1][0] <= first:
            holders.pop()
        tag_region = regional[key][1]
        sizes[holders[-1][1]] -= last - first
        sizes[tag_region] += last - first
        holders.append((last, tag_region))
        widest[tag_region] = min(widest.get(tag_region, key), key, key=lambda one: one & 0xFF)
    for tag_region, key in widest.items():
        if sizes[tag_region] and tag_region.removesuffix(_EARLY_ACCESS) != region:
            tag = regional[key][0]
            yield Conflict(prefix, value, region, tag_region, tag, prefix_text(key), sizes[tag_region])
