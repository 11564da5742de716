"""Where two dated sources disagree: prefixes that the community list has in another region than the tags."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from arcferry import catalog
from arcferry.routing.communities import CommunityList
from arcferry.routing.prefixes import PrefixIndex, each_value, prefix_key, prefix_span, prefix_text
from arcferry.routing.service_tags import ServiceTags

_WHOLE_CLOUD = "AzureCloud"
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

    tags_name: str
    tags_taken: date | None
    list_name: str
    list_taken: date | None
    compared: int
    conflicts: tuple[Conflict, ...]

    @property
    def newer(self) -> str:
        """`service tags` or `community list`; empty where neither is known to be newer."""
        if not self.tags_taken or not self.list_taken or self.tags_taken == self.list_taken:
            return ""
        return "service tags" if self.tags_taken > self.list_taken else "community list"

    @property
    def prefixes(self) -> int:
        """How many prefixes of the list are in question."""
        return len({conflict.prefix for conflict in self.conflicts})


def compare(tags: ServiceTags, communities: CommunityList) -> Comparison:
    """Every prefix of a regional community whose addresses the service tags have in another region.

    A region in early access (`eastus2euap`) uses the community of the region it stands beside. What the tags
    have in no region is no conflict.
    """
    index = tags.prefixes.index
    regional = _regional(index)
    found: list[Conflict] = []
    compared = 0
    for prefix, value, region in _listed(communities):
        compared += 1
        found += _against(prefix, value, region, index, regional)
    found.sort(key=lambda one: (-one.addresses, prefix_key(one.prefix), one.tag_region))
    return Comparison(tags.name, tags.taken, communities.name, communities.taken, compared, tuple(found))


def _listed(communities: CommunityList) -> Iterator[tuple[str, str, str]]:
    """Each prefix of each regional community once, with the community's region."""
    seen = set()
    for prefix, (value, _, _) in communities.prefixes.items():
        documented = catalog.community(value)
        if documented and documented.kind == "region" and (prefix, value) not in seen:
            seen.add((prefix, value))
            yield prefix, value, documented.region


def _regional(index: PrefixIndex[_Known]) -> list[tuple[int, str, str] | None]:
    """For each prefix the position, region and tag of the longest one around it that has a region."""
    found: list[tuple[int, str, str] | None] = []
    for position, value in enumerate(index.values):
        best = min((known for known in each_value(value) if known[1]), key=_telling, default=None)
        parent = index.parents[position]
        # A prefix stands behind those that hold it, so that its parent is done already.
        found.append((position, best[1], best[0]) if best else found[parent] if parent >= 0 else None)
    return found


def _length(index: PrefixIndex[_Known], position: int) -> int:
    return index.keys[position] & 0xFF


def _telling(known: _Known) -> tuple[bool, str]:
    return not known[0].startswith(f"{_WHOLE_CLOUD}."), known[0]


def _against(
    prefix: str,
    value: str,
    region: str,
    index: PrefixIndex[_Known],
    regional: list[tuple[int, str, str] | None],
) -> Iterator[Conflict]:
    first, end = prefix_span(prefix_key(prefix))
    at = bisect_right(index.starts, first) - 1
    last = bisect_left(index.starts, end)
    sizes: dict[str, int] = {}
    shown: dict[str, tuple[int, str]] = {}
    for stretch in range(at, last):
        cover = index.covers[stretch]
        known = regional[cover] if cover >= 0 else None
        if known is None or known[1].removesuffix(_EARLY_ACCESS) == region:
            continue
        begins = max(index.starts[stretch], first)
        ends = min(index.starts[stretch + 1], end) if stretch + 1 < len(index.starts) else end
        sizes[known[1]] = sizes.get(known[1], 0) + ends - begins
        before = shown.get(known[1])
        if before is None or _length(index, known[0]) < _length(index, before[0]):
            shown[known[1]] = known[0], known[2]
    for tag_region, addresses in sizes.items():
        position, tag = shown[tag_region]
        part = prefix_text(index.keys[position])
        yield Conflict(prefix, value, region, tag_region, tag, part, addresses)
