"""What a plan of communities holds, and how many prefixes each adds, as far as dated sources tell."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property

from arcferry import catalog
from arcferry.catalog import Announced, Cloud, Endpoint, Region
from arcferry.routing.azure_json import CommunityList, ServiceTags
from arcferry.routing.coverage import dated
from arcferry.routing.route_filter import RouteFilter


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

    def regions_of(self, tags: Sequence[str]) -> frozenset[str]:
        """The regions, by ARM name, in which these service tags have prefixes; none without service tags."""
        return frozenset().union(*(self._placed.get(tag, ()) for tag in tags))

    @cached_property
    def _placed(self) -> dict[str, set[str]]:
        """By the service tags that span regions and tell where a name answers."""
        wanted = {tag.name for tag in catalog.called_tags() if tag.whole}
        found: dict[str, set[str]] = {}
        for prefix, (tag, _) in self._tags.prefixes.items() if self._tags else ():
            if self._tags and tag in wanted:
                matches = self._tags.matches(prefix.partition("/")[0])
                found.setdefault(tag, set()).update(one.region for one in matches if one.region)
        return found

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


class Steered(StrEnum):
    """The regions in which a name without a region of its own is provided for."""

    REGION = "region"
    GEOGRAPHY = "geography"
    ALL = "all"


@dataclass(frozen=True, slots=True)
class Scope:
    """The regions in which a name without a region of its own is provided for.

    Attributes:
        area: the geopolitical area of the machines' region; empty where no document gives it.
        regions: ARM names, the machines' own first.
        unplaced: regions of which no document says whether they belong to the area.
    """

    steered: Steered
    area: str
    regions: tuple[str, ...]
    unplaced: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class KnownAnswer:
    """Where a name answered: by evidence, or as somebody published it.

    Attributes:
        region: ARM name; empty where neither tag, list nor name tells.
        address: empty where only names were published.
        day: `2026-11-28`, or the month; empty where the evidence has no date.
        origin: the document, or who published it and from where it was asked.
        published: whether it is somebody else's, and not of this network.
        reached: whether the address was connected to; None where nobody tried.
        on_peering: whether Microsoft peering carries the address at all.
        community: what would carry it; empty where no document gives one. The plan fills it in, and:
        carried: whether the planned communities carry it.
        in_filter: whether the route filter at hand lets it through; None without one.
    """

    host: str
    region: str
    address: str
    day: str
    origin: str
    published: bool = False
    reached: bool | None = None
    on_peering: bool = True
    community: str = ""
    carried: bool = False
    in_filter: bool | None = None

    @property
    def says(self) -> str:
        """For a reader: `Japan East, 40.115.144.3, 2026-11-28 (check.json)`."""
        known = catalog.region_community(self.region)
        where = known.name if known else self.region or "region unknown"
        return f"{', '.join(filter(None, (where, self.address, self.day)))} ({self.origin})"


@dataclass(frozen=True, slots=True)
class PlannedCommunity:
    """A community that the plan asks for.

    Attributes:
        value: such as `12076:51010`.
        name: such as `East Asia` or `Microsoft Entra ID`.
        region: ARM name; empty for the community of a service.
        hosts: the names that need it, or that it carries as well as another community does.
        required: whether the agent itself fails without one of these names.
        why: what ties the names to it.
        prefixes: how many it has; None where no source at hand tells.
        in_filter: whether the route filter lets it through; None without a filter.
        in_reach: whether the circuit's SKU gets its prefixes at all; None where that is not known.
        smallest: whether the smallest set has it too.
    """

    value: str
    name: str
    region: str
    hosts: tuple[str, ...]
    required: bool
    why: str
    prefixes: PrefixCount | None
    in_filter: bool | None
    in_reach: bool | None
    smallest: bool


@dataclass(frozen=True, slots=True)
class NeverCarried:
    """A name that no route filter lets through, because Microsoft peering does not carry its service.

    Attributes:
        way: the way out in a word: `bundle`, `proxy` or `nothing`.
        instead: what to do.
    """

    endpoint: Endpoint
    way: str
    instead: str


@dataclass(frozen=True, slots=True)
class RegionWithout:
    """A region in which a name may answer and for which no document gives a community.

    Attributes:
        home: whether it is the machine's own, so that names surely answer there.
        hosts: the names that nothing would carry if they answered there.
        private_link: those of them that an Arc private link scope can serve instead.
    """

    region: str
    home: bool
    hosts: tuple[str, ...]
    private_link: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RoutePlan:
    """The communities for one location, and what they cannot do.

    Attributes:
        communities: the whole set: the machine's region, the services, the regions in which names answered,
            then the others in which they may.
        answers: where names answered; of a name that the evidence does not have, what was published.
        unseen: required names without a region of their own of which no answer is known at all.
        loses: what one gives up with the smallest set instead, a sentence each.
        never: names that Microsoft peering never carries.
        without: regions without a documented community, the machine's own first.
        unneeded: what the filter allows and nothing of Arc needs, with its name; others may.
        notes: what a reader should know besides.
        ahead: what begins or ends on a day that is known.
        sources: what the plan rests on, each with its date.
    """

    cloud: Cloud
    region: Region
    scope: Scope
    features: tuple[str, ...]
    route_filter: RouteFilter | None
    communities: tuple[PlannedCommunity, ...]
    answers: tuple[KnownAnswer, ...]
    unseen: tuple[str, ...]
    loses: tuple[str, ...]
    never: tuple[NeverCarried, ...]
    without: tuple[RegionWithout, ...]
    unneeded: tuple[tuple[str, str], ...]
    notes: tuple[str, ...]
    ahead: tuple[Announced, ...]
    sources: tuple[str, ...]

    @property
    def values(self) -> tuple[str, ...]:
        """Every value."""
        return tuple(one.value for one in self.communities)

    @property
    def smallest(self) -> tuple[str, ...]:
        """The fewest values that carry every name where it answered or is expected to answer."""
        return tuple(one.value for one in self.communities if one.smallest)

    @property
    def missing(self) -> tuple[str, ...]:
        """What the filter lacks of the whole set; all of it without a filter."""
        return tuple(one.value for one in self.communities if not one.in_filter)

    @property
    def left_out(self) -> tuple[KnownAnswer, ...]:
        """The answers that the whole set does not carry."""
        return tuple(one for one in self.answers if not one.carried)

    @property
    def is_comfortable(self) -> bool:
        """Whether an answer of every name that may lie anywhere is known, and the set carries them all.

        Without evidence and without published answers nobody knows what a set is worth.
        """
        return bool(self.answers) and not self.unseen and not self.left_out
