"""What a plan of communities holds."""

from dataclasses import dataclass
from enum import StrEnum

from arcferry.catalog import Cloud, Endpoint, Region
from arcferry.routing.brings import Brought
from arcferry.routing.plan_notes import Scope
from arcferry.routing.route_filter import RouteFilter


class Steered(StrEnum):
    """The regions in which a name without a region of its own is expected to answer."""

    REGION = "region"
    GEOGRAPHY = "geography"
    ALL = "all"


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
        brings: how many prefixes; None where no source at hand tells.
        allowed: whether the route filter lets it through; None without a filter.
        in_reach: whether the circuit's SKU gets its prefixes at all; None where that is not known.
        smallest: whether the smallest set has it too.
    """

    value: str
    name: str
    region: str
    hosts: tuple[str, ...]
    required: bool
    why: str
    brings: Brought | None
    allowed: bool | None
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
        private: those of them that an Arc private link scope can serve instead.
    """

    region: str
    home: bool
    hosts: tuple[str, ...]
    private: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Unneeded:
    """What the filter allows and nothing of Arc needs; others may."""

    value: str
    name: str


@dataclass(frozen=True, slots=True)
class RoutePlan:
    """The communities for one location, and what they cannot do.

    Attributes:
        communities: the comfortable set: the machine's region, the services, then the other regions.
        loses: what one gives up with the smallest set instead, a sentence each.
        never: names that Microsoft peering never carries.
        without: regions without a documented community, the machine's own first.
        unneeded: empty without a filter.
        notes: what a reader should know besides.
        sources: what the plan rests on, each with its date.
    """

    cloud: Cloud
    region: Region
    scope: Scope
    features: tuple[str, ...]
    route_filter: RouteFilter | None
    communities: tuple[PlannedCommunity, ...]
    loses: tuple[str, ...]
    never: tuple[NeverCarried, ...]
    without: tuple[RegionWithout, ...]
    unneeded: tuple[Unneeded, ...]
    notes: tuple[str, ...]
    sources: tuple[str, ...]

    @property
    def comfortable(self) -> tuple[str, ...]:
        """Every value of the plan."""
        return tuple(one.value for one in self.communities)

    @property
    def smallest(self) -> tuple[str, ...]:
        """The fewest values that carry every name where it is expected to answer."""
        return tuple(one.value for one in self.communities if one.smallest)

    @property
    def missing(self) -> tuple[str, ...]:
        """What the filter lacks of the comfortable set; all of it without a filter."""
        return tuple(one.value for one in self.communities if not one.allowed)
