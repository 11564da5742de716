"""How many prefixes a community adds to what a router receives, as far as dated sources tell."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from arcferry import catalog
from arcferry.routing.azure_json import CommunityList, ServiceTags
from arcferry.routing.coverage import dated


@dataclass(frozen=True, slots=True)
class PrefixCount:
    """The prefixes of one community.

    Attributes:
        listed: whether a community list says so. Else it is expected: the prefixes of the region's
            `AzureCloud` service tag, which is near the regional community and not the same.
        source: the list or the service tags, with its date.
    """

    ipv4: int
    ipv6: int
    listed: bool
    source: str


class PrefixCounts:
    """What the community list and the service tags at hand say; without either, nothing is known."""

    def __init__(self, tags: ServiceTags | None = None, communities: CommunityList | None = None) -> None:
        self._tags = tags
        self._communities = communities

    @property
    def sources(self) -> tuple[str, ...]:
        """The sources, each with its date."""
        named = ((self._communities, "community list"), (self._tags, "service tags"))
        return tuple(f"{kind} {dated(source)}" for source, kind in named if source)

    def of(self, value: str, region: str) -> PrefixCount | None:
        """How many prefixes the community of this region has; None where neither source tells.

        A service's community has no region, and no service tag to count by, so only a list tells of it.
        """
        if self._communities and value in self._listed:
            return PrefixCount(*self._listed[value], listed=True, source=dated(self._communities))
        if self._tags and region and region in self._tagged:
            return PrefixCount(*self._tagged[region], listed=False, source=dated(self._tags))
        return None

    def community_of(self, region: str) -> str:
        """The community that the list names after a region, where no document knows one; else empty."""
        return self._by_name.get(region, "")

    @cached_property
    def _listed(self) -> dict[str, tuple[int, int]]:
        """By value. Several entries may share one value, and one prefix, which is counted once."""
        return _counted({(value, prefix) for prefix, (value, _, _) in self._entries()})

    @cached_property
    def _tagged(self) -> dict[str, tuple[int, int]]:
        """By the region of its `AzureCloud` tag."""
        rows = self._tags.prefixes.items() if self._tags else ()
        return _counted(
            (catalog.arm_region(region), prefix)
            for prefix, (tag, region) in rows
            if region and tag.startswith("AzureCloud.")
        )

    @cached_property
    def _by_name(self) -> dict[str, str]:
        return {
            "".join(name.removeprefix("Azure ").removesuffix(" IPv6").lower().split()): value
            for _, (value, name, group) in self._entries()
            if group == "Azure"
        }

    def _entries(self) -> Iterable[tuple[str, tuple[str, str, str]]]:
        return self._communities.prefixes.items() if self._communities else ()


def _counted(pairs: Iterable[tuple[str, str]]) -> dict[str, tuple[int, int]]:
    """How many IPv4 and how many IPv6 prefixes stand beside each key."""
    found: dict[str, tuple[int, int]] = {}
    for key, prefix in pairs:
        ipv4, ipv6 = found.get(key, (0, 0))
        found[key] = (ipv4, ipv6 + 1) if ":" in prefix else (ipv4 + 1, ipv6)
    return found
