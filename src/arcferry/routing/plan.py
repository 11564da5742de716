"""What a route filter needs for Azure Arc at one location: which communities, for which names, and why."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from arcferry import catalog
from arcferry.catalog import Carrier, Cloud, Endpoint, Region
from arcferry.routing import plan_notes
from arcferry.routing.brings import Brings
from arcferry.routing.carriage import reaches
from arcferry.routing.circuit import Circuit
from arcferry.routing.cover import Need, smallest
from arcferry.routing.plan_notes import Scope
from arcferry.routing.planned import (
    NeverCarried,
    PlannedCommunity,
    RegionWithout,
    RoutePlan,
    Steered,
    Unneeded,
)
from arcferry.routing.route_filter import RouteFilter

_OFF_PEERING = (catalog.Steering.FRONT_DOOR, catalog.Steering.CDN)
# Early-access regions use the community of the region that they stand beside (community list, 2019-05-30).
_EARLY_ACCESS = "euap"


@dataclass(frozen=True, slots=True)
class _Answer:
    """One name in one region where it is expected to answer, and the communities that carry it there."""

    endpoint: Endpoint
    region: str
    carried_by: Need


def plan(
    cloud: Cloud,
    region: Region,
    *,
    steered: Steered = Steered.GEOGRAPHY,
    features: Sequence[str] = (),
    brings: Brings | None = None,
    route_filter: RouteFilter | None = None,
    circuit: Circuit | None = None,
) -> RoutePlan:
    """What the route filter of a circuit needs, so that servers become machines of `region`.

    A name with a region in it is expected to answer there. Where any other name answers, nobody documents;
    `steered` says what to provide for. What carries an answer:

    - Entra ID has a community of its own, and in the public cloud nothing else carries it: not one of the
      sign-in prefixes of the service tags of 2025-10-28 lies in a region of the community list of 2019-05-30.
    - Resource Manager has one too, and its addresses lie in the regions' own prefixes as well.
    - everything else rides on the community of the region that answers.

    Args:
        cloud: the cloud that the region belongs to.
        region: where the machines are to appear.
        steered: where names without a region may answer.
        features: what is wanted besides the agent itself, such as `esu`.
        brings: the dated sources that tell what a community brings.
        route_filter: the filter to compare with.
        circuit: the circuit whose SKU decides what Microsoft advertises at all.

    Raises:
        UnknownNameError: there is no such feature.
        InputError: the region belongs to another cloud.
    """
    known = brings or Brings()
    scope = _scope(cloud, region, steered)
    endpoints = catalog.requirements(cloud, region, features)
    answers = tuple(_answers(endpoints, cloud, region, scope, known))
    carried = [one for one in answers if one.carried_by]
    communities = tuple(
        _communities(carried, cloud, region, known, route_filter=route_filter, circuit=circuit)
    )
    wanted = {one.value for one in communities}
    return RoutePlan(
        cloud=cloud,
        region=region,
        scope=scope,
        features=tuple(features),
        route_filter=route_filter,
        communities=communities,
        loses=tuple(_loses(communities)),
        never=tuple(NeverCarried(one, *plan_notes.instead(one)) for one in endpoints if is_off_peering(one)),
        without=tuple(_without([one for one in answers if not one.carried_by], cloud, region)),
        unneeded=tuple(_unneeded(route_filter, wanted)),
        notes=(
            *plan_notes.about_filter(route_filter, wanted),
            *plan_notes.notes(cloud, region, scope, features, endpoints),
        ),
        sources=(*known.sources, *plan_notes.sources(route_filter, circuit)),
    )


def _scope(cloud: Cloud, region: Region, steered: Steered) -> Scope:
    """The regions in which a name without a region of its own is expected to answer, the machine's first."""
    every = dict.fromkeys(
        [
            region.name,
            *(known.region for known in catalog.communities(cloud) if known.kind == "region"),
            *(one.name for one in catalog.regions(cloud)),
            *catalog.regions_without_community(cloud),
        ]
    )
    area = catalog.geography_of(region.name)
    if steered is Steered.ALL:
        return Scope(steered.value, area, tuple(every))
    if steered is Steered.REGION or not area:
        return Scope(steered.value, area, (region.name,))
    areas = {name: catalog.geography_of(name) for name in every}
    inside = tuple(name for name in every if areas[name] == area)
    return Scope(steered.value, area, inside, tuple(name for name in every if not areas[name]))


def is_off_peering(endpoint: Endpoint) -> bool:
    """Whether Microsoft peering carries the endpoint's service nowhere, whatever the route filter holds."""
    return endpoint.carrier is Carrier.EDGE or endpoint.steering in _OFF_PEERING


def _answers(
    endpoints: Iterable[Endpoint], cloud: Cloud, region: Region, scope: Scope, known: Brings
) -> Iterator[_Answer]:
    for endpoint in endpoints:
        if not is_off_peering(endpoint):
            at_home = endpoint.discovered or region.name in endpoint.host
            for place in (region.name,) if at_home else scope.regions:
                yield _Answer(endpoint, place, _carried_by(endpoint.carrier, cloud, place, known))


def _carried_by(carrier: Carrier, cloud: Cloud, region: str, known: Brings) -> Need:
    """The communities of which each alone carries an answer of this service in this region."""
    service = catalog.service_community(carrier, cloud)
    documented = catalog.region_community(region.removesuffix(_EARLY_ACCESS))
    regional = documented.value if documented else known.listed_region(region)
    if service and carrier is Carrier.ENTRA:
        return frozenset({service.value})
    return frozenset(value for value in (service.value if service else "", regional) if value)


def _communities(
    answers: Sequence[_Answer],
    cloud: Cloud,
    region: Region,
    known: Brings,
    *,
    route_filter: RouteFilter | None,
    circuit: Circuit | None,
) -> Iterator[PlannedCommunity]:
    by_value: dict[str, list[_Answer]] = {}
    for answer in answers:
        for value in answer.carried_by:
            by_value.setdefault(value, []).append(answer)
    few = smallest((answer.carried_by for answer in answers), _sizes(by_value, known))
    for value in sorted(by_value, key=lambda value: _place_in_order(value, by_value[value], region)):
        mine = by_value[value]
        name, where = _identity(value, mine)
        yield PlannedCommunity(
            value=value,
            name=name,
            region=where,
            hosts=tuple(dict.fromkeys(_host(one.endpoint, cloud) for one in mine)),
            required=any(one.endpoint.required for one in mine),
            why=_why(where, region),
            brings=known.prefixes(value, where),
            allowed=route_filter.allows(value) if route_filter else None,
            in_reach=reaches((circuit,), where) if circuit else None,
            smallest=value in few,
        )


def _sizes(values: Mapping[str, Sequence[_Answer]], known: Brings) -> dict[str, int]:
    found = {value: known.prefixes(value, _identity(value, answers)[1]) for value, answers in values.items()}
    return {value: brought.total for value, brought in found.items() if brought}


def _identity(value: str, answers: Sequence[_Answer]) -> tuple[str, str]:
    """A community's name, and its region where it is a region's."""
    documented = catalog.community(value)
    if documented:
        return documented.name, documented.region
    return f"{answers[0].region}, by the list at hand", answers[0].region


def _host(endpoint: Endpoint, cloud: Cloud) -> str:
    """The endpoint's name; the regional HIS host before discovery is its pattern."""
    return endpoint.host or f"*.{cloud.his_suffix}"


def _place_in_order(value: str, answers: Sequence[_Answer], region: Region) -> tuple[int, int, str]:
    where = _identity(value, answers)[1]
    rank = 0 if where == region.name else 1 if not where else 2
    return rank, len(value), value


def _why(where: str, region: Region) -> str:
    if not where:
        return "the service, wherever it answers"
    if where == region.name:
        return "the machines' region"
    return "names may answer here"


def _loses(communities: Sequence[PlannedCommunity]) -> Iterator[str]:
    for one in communities:
        if not one.smallest:
            yield (
                f"without {one.value} ({one.name}), {', '.join(one.hosts)} is carried by the plan's other "
                "communities alone: an answer outside of them has no route"
            )


def _without(answers: Sequence[_Answer], cloud: Cloud, region: Region) -> Iterator[RegionWithout]:
    by_region: dict[str, dict[str, Endpoint]] = {}
    for answer in answers:
        by_region.setdefault(answer.region, {})[_host(answer.endpoint, cloud)] = answer.endpoint
    for name in sorted(by_region, key=lambda name: (name != region.name, name)):
        hosts = by_region[name]
        private = tuple(host for host, endpoint in hosts.items() if endpoint.private_link)
        yield RegionWithout(name, name == region.name, tuple(hosts), private)


def _unneeded(route_filter: RouteFilter | None, wanted: set[str]) -> Iterator[Unneeded]:
    held = route_filter.communities - wanted if route_filter else frozenset()
    for value in sorted(held, key=lambda value: (len(value), value)):
        documented = catalog.community(value)
        yield Unneeded(value, _described(documented) if documented else "")


def _described(documented: catalog.DocumentedCommunity) -> str:
    """`Storage in East Asia` for one of a region's own services, else the documented name."""
    if documented.kind in ("region", "service"):
        return documented.name
    return f"{documented.kind.replace('-', ' ')} in {documented.name}"
