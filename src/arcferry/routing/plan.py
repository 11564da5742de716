"""What a route filter needs for Azure Arc at one location: which communities, for which names, and why."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from fnmatch import fnmatchcase

from arcferry import catalog, times
from arcferry.catalog import Carrier, Cloud, Endpoint, Region
from arcferry.language import _
from arcferry.routing import plan_notes
from arcferry.routing.circuit import Circuit, reaches
from arcferry.routing.planned import (
    KnownAnswer,
    NeverCarried,
    PlannedCommunity,
    PrefixCounts,
    RegionWithout,
    RoutePlan,
    Scope,
    Steered,
)
from arcferry.routing.route_filter import RouteFilter

# Early-access regions use the community of the region that they stand beside (community list, 2019-05-30).
_EARLY_ACCESS = "euap"
_WHOLE = ("region", "service")


@dataclass(frozen=True, slots=True)
class _Need:
    """One name in one region in which it answered or may answer.

    Attributes:
        carried_by: the communities of which each alone carries the answer, a service's own first.
        seen: the day of the answer; None where it only may answer there.
    """

    endpoint: Endpoint
    host: str
    region: str
    carried_by: tuple[str, ...]
    seen: str | None = None


def plan(
    cloud: Cloud,
    region: Region,
    *,
    steered: Steered = Steered.GEOGRAPHY,
    features: Sequence[str] = (),
    counts: PrefixCounts | None = None,
    route_filter: RouteFilter | None = None,
    circuit: Circuit | None = None,
    answers: Sequence[KnownAnswer] = (),
    today: date | None = None,
) -> RoutePlan:
    """What the route filter of a circuit needs, so that servers become machines of `region`.

    Provided for are the regions in which names answered by the evidence, and those in which they may. A name
    with a region in it is expected to answer there. Where any other name answers, nobody documents;
    `steered` says what to provide for. What carries an answer:

    - Entra ID has a community of its own, and no other is planned for it: not one of the
      sign-in prefixes of the service tags of 2025-10-28 lies in a region of the community list of 2019-05-30,
      though two stand under 12076:51017 in an undated sample of Azure's own.
    - Resource Manager has one too, and its addresses lie in the regions' own prefixes as well.
    - everything else rides on the community of the region that answers.

    The circuit's SKU decides what Microsoft advertises at all. The day from which to look ahead is `today`.

    Raises:
        UnknownNameError: there is no such feature.
        InputError: the region belongs to another cloud.
    """
    wants = _Requirements(
        cloud, region, catalog.requirements(cloud, region, features), counts or PrefixCounts()
    )
    scope = _scope(cloud, region, steered)
    answered = tuple(wants.known_answers(answers))
    may = tuple(wants.may_answer(scope.regions))
    needs = [one for one in (*wants.answered(answered), *may) if one.carried_by]
    communities = tuple(_communities(needs, wants, route_filter, circuit))
    wanted = {one.value for one in communities}
    judged = tuple(wants.judged(one, wanted, route_filter) for one in answered)
    unseen = tuple(wants.unseen({one.host for one in judged}))
    never = (one for one in wants.endpoints if one.at_the_edge)
    return RoutePlan(
        cloud=cloud,
        region=region,
        scope=scope,
        features=tuple(features),
        route_filter=route_filter,
        communities=communities,
        answers=judged,
        unseen=unseen,
        loses=tuple(_loses(communities)),
        never=tuple(NeverCarried(one, *catalog.way_out(one)) for one in never),
        without=tuple(_without([one for one in may if not one.carried_by], region)),
        unneeded=tuple(_unneeded(route_filter, wanted)),
        notes=(
            *plan_notes.about_filter(route_filter, wanted),
            *plan_notes.about_answers(judged, unseen),
            *plan_notes.notes(cloud, region, scope, features, wants.endpoints),
        ),
        ahead=catalog.ahead(today or times.now().date(), cloud),
        sources=(*wants.counts.sources, *plan_notes.sources(route_filter, circuit)),
    )


def _scope(cloud: Cloud, region: Region, steered: Steered) -> Scope:
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
        return Scope(steered, area, tuple(every))
    if steered is Steered.REGION or not area:
        return Scope(steered, area, (region.name,))
    areas = {name: catalog.geography_of(name) for name in every}
    inside = tuple(name for name in every if areas[name] == area)
    return Scope(steered, area, inside, tuple(name for name in every if not areas[name]))


@dataclass(frozen=True, slots=True)
class _Requirements:
    """What is planned for: the endpoints that machines of a region use, and what tells of communities."""

    cloud: Cloud
    region: Region
    endpoints: tuple[Endpoint, ...]
    counts: PrefixCounts

    def is_at_home(self, endpoint: Endpoint) -> bool:
        """Whether the name itself says that it answers in the machines' region."""
        return endpoint.discovered or self.region.name in endpoint.host

    def endpoint_of(self, host: str) -> Endpoint | None:
        """The endpoint that a name belongs to, maybe by a pattern; None for what the plan leaves aside."""
        carried = [one for one in self.endpoints if not one.at_the_edge]
        exact = next((one for one in carried if one.host == host), None)
        return exact or next(
            (one for one in carried if "*" in one.host and fnmatchcase(host, one.host)), None
        )

    def carried_by(self, carrier: Carrier, region: str) -> tuple[str, ...]:
        """The communities of which each alone carries an answer of this service there, its own first."""
        service = catalog.service_community(carrier, self.cloud)
        if service and carrier is Carrier.ENTRA:
            return (service.value,)
        documented = catalog.region_community(region.removesuffix(_EARLY_ACCESS))
        regional = documented.value if documented else self.counts.community_of(region)
        return tuple(value for value in (service.value if service else "", regional) if value)

    def may_answer(self, regions: Sequence[str]) -> Iterator[_Need]:
        """What names need where they may answer: those with a region in it there, others in all of these."""
        for endpoint in self.endpoints:
            if not endpoint.at_the_edge:
                # The regional HIS host before discovery is its pattern.
                host = endpoint.host or f"*.{self.cloud.his_suffix}"
                for place in self.places(endpoint, regions):
                    yield _Need(endpoint, host, place, self.carried_by(endpoint.carrier, place))

    def places(self, endpoint: Endpoint, regions: Sequence[str]) -> Sequence[str]:
        """The regions in which a name may answer, of these where its own place is not known."""
        if self.is_at_home(endpoint):
            return (self.region.name,)
        if tagged := self.counts.regions_of(endpoint.placed_by) if endpoint.placed_by else frozenset():
            return [region for region in regions if region in tagged]
        elsewhere = endpoint.answers_in and not (endpoint.placed_by or endpoint.place_is_unknown)
        return (endpoint.answers_in,) if elsewhere else regions

    def known_answers(self, seen: Sequence[KnownAnswer]) -> Iterator[KnownAnswer]:
        """The answers that were seen; of names without any, those that were published."""
        mine = [one for one in seen if self.endpoint_of(one.host)]
        yield from mine
        for one in catalog.published_answers(self.cloud):
            if self.endpoint_of(one.host) and one.host not in {known.host for known in mine}:
                origin = _("{source}, asked from {place}", source=_(one.source), place=_(one.asked_from))
                yield KnownAnswer(one.host, one.region, one.address, one.seen, origin, published=True)

    def answered(self, answers: Iterable[KnownAnswer]) -> Iterator[_Need]:
        """What each answer of this network needs; a service's own community is enough where there is one."""
        for one in answers:
            endpoint = self.endpoint_of(one.host)
            if endpoint and one.region and one.on_peering and not one.published:
                carried_by = self.carried_by(endpoint.carrier, one.region)[:1]
                yield _Need(endpoint, one.host, one.region, carried_by, seen=one.day)

    def judged(self, answer: KnownAnswer, wanted: set[str], seen: RouteFilter | None) -> KnownAnswer:
        """The answer with what carries it, and whether the plan and the filter have that."""
        endpoint = self.endpoint_of(answer.host)
        if not (endpoint and answer.on_peering):
            return answer
        # A service's own community carries it wherever it answers, also where nothing tells the region.
        carried_by = self.carried_by(endpoint.carrier, answer.region)
        return replace(
            answer,
            community=next(iter(carried_by), ""),
            carried=bool(wanted & {*carried_by}),
            in_filter=any(map(seen.allows, carried_by)) if seen else None,
        )

    def unseen(self, answered: set[str]) -> Iterator[str]:
        """Required names that may answer anywhere, and of which no answer is known."""
        for one in self.endpoints:
            anywhere = not self.is_at_home(one) and not catalog.service_community(one.carrier, self.cloud)
            if one.required and anywhere and one.host not in answered and not one.at_the_edge:
                yield one.host


def _communities(
    needs: Sequence[_Need], wants: _Requirements, route_filter: RouteFilter | None, circuit: Circuit | None
) -> Iterator[PlannedCommunity]:
    by_value: dict[str, list[_Need]] = {}
    for need in needs:
        for value in need.carried_by:
            by_value.setdefault(value, []).append(need)
    few = smallest(one.carried_by for one in needs)
    for value in sorted(by_value, key=lambda value: _place_in_order(value, by_value[value], wants.region)):
        mine = by_value[value]
        name, where = _identity(value, mine)
        yield PlannedCommunity(
            value=value,
            name=name,
            region=where,
            hosts=tuple(dict.fromkeys(one.host for one in mine)),
            required=any(one.endpoint.required for one in mine),
            why=_why(where, mine, wants.region),
            prefixes=wants.counts.of(value, where),
            in_filter=route_filter.allows(value) if route_filter else None,
            in_reach=reaches((circuit,), where) if circuit else None,
            smallest=value in few,
        )


def smallest(needs: Iterable[tuple[str, ...]]) -> set[str]:
    """The fewest communities of which each need has at least one.

    A need names the region's community, or a service's own, or the service's own and then the region's. What
    stands alone is forced; whatever of a service is still open then, its own community meets at once, so that
    no search is needed (docs/decisions/0015).
    """
    every = set(needs)
    forced = {need[0] for need in every if len(need) == 1}
    return forced | {need[0] for need in every if not forced & {*need}}


def _identity(value: str, needs: Sequence[_Need]) -> tuple[str, str]:
    """A community's name, and its region where it is a region's."""
    known, region = catalog.community(value), needs[0].region
    return (
        (known.name, known.region) if known else (_("{region}, by the list at hand", region=region), region)
    )


def _place_in_order(value: str, needs: Sequence[_Need], region: Region) -> tuple[int, int, str]:
    where = _identity(value, needs)[1]
    seen = any(one.seen is not None for one in needs)
    rank = 0 if where == region.name else 1 if not where else 2 if seen else 3
    return rank, len(value), value


def _why(where: str, needs: Sequence[_Need], region: Region) -> str:
    if not where:
        return _("the service, wherever it answers")
    if where == region.name:
        return _("the machines' region")
    seen = [one.seen for one in needs if one.seen is not None]
    return _("names answered here {seen}", seen=max(seen)).rstrip() if seen else _("names may answer here")


def _loses(communities: Sequence[PlannedCommunity]) -> Iterator[str]:
    for one in communities:
        if not one.smallest:
            yield _(
                "without {value} ({name}), {names} is carried by the plan's other communities alone: "
                "an answer outside of them has no route",
                value=one.value,
                name=one.name,
                names=", ".join(one.hosts),
            )


def _without(needs: Sequence[_Need], region: Region) -> Iterator[RegionWithout]:
    by_region: dict[str, dict[str, Endpoint]] = {}
    for need in needs:
        by_region.setdefault(need.region, {})[need.host] = need.endpoint
    for name in sorted(by_region, key=lambda name: (name != region.name, name)):
        hosts = by_region[name]
        private = tuple(host for host, endpoint in hosts.items() if endpoint.private_link)
        yield RegionWithout(name, name == region.name, tuple(hosts), private)


def _unneeded(route_filter: RouteFilter | None, wanted: set[str]) -> Iterator[tuple[str, str]]:
    """What the filter allows besides, with a name such as `storage in East Asia`; empty where unknown."""
    held = route_filter.communities - wanted if route_filter else frozenset()
    for value in sorted(held, key=lambda value: (len(value), value)):
        known = catalog.community(value)
        part = f"{known.kind.replace('-', ' ')} in " if known and known.kind not in _WHOLE else ""
        yield value, f"{part}{known.name}" if known else ""
