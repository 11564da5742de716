"""Which features of connected servers this path carries, by the same plan that `routes plan` makes."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from fnmatch import fnmatchcase

from arcferry import catalog
from arcferry.catalog import Cloud, Endpoint, Feature
from arcferry.language import _, marked, together
from arcferry.routing.planned import KnownAnswer, PlannedCommunity, PrefixCounts, RoutePlan

_UNPLACED = marked("no document says in which region that is answered")
_UNTAGGED = marked("service tags would tell in which regions that is answered: those of")


class Standing(StrEnum):
    """What is to be expected of a name or a feature over Microsoft peering."""

    CARRIED = "carried"
    ANOTHER_PATH = "needs a proxy or private link"
    NEVER = "never on this path"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class FeatureName:
    """One name that a feature needs.

    Attributes:
        communities: of which each alone carries it, where it answers.
        says: why it stands so.
    """

    host: str
    port: int
    standing: Standing
    communities: tuple[str, ...]
    says: str


@dataclass(frozen=True, slots=True)
class FeatureRow:
    """One feature at one location.

    Attributes:
        says: why it stands so, in a few words.
        names: what it needs besides what the agent needs anyway.
        communities: those that its names need; some need one of several, by the answer.
        missing: those of them that the route filter lacks; empty without a filter.
    """

    feature: Feature
    standing: Standing
    says: str
    names: tuple[FeatureName, ...]
    communities: tuple[str, ...]
    missing: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class FeatureTable:
    """What works at one location.

    Attributes:
        plan: the plan that the rows rest on.
        lacking: what is not at hand, and what it would tell.
    """

    plan: RoutePlan
    rows: tuple[FeatureRow, ...]
    lacking: tuple[str, ...]


def table(plan: RoutePlan, counts: PrefixCounts) -> FeatureTable:
    """A row for every feature that is known, judged by a plan that has all of them among its features."""
    every = catalog.requirements(plan.cloud, plan.region, plan.features)
    judged = _Judged(plan, counts, frozenset(one.host for one in every if "*" not in one.host))
    alone = {one.name: judged.row(one) for one in catalog.known_features()}
    rows = tuple(_with_what_it_uses(one, alone) for one in alone.values())
    return FeatureTable(plan, rows, tuple(judged.lacking(rows)))


def _with_what_it_uses(row: FeatureRow, alone: Mapping[str, FeatureRow]) -> FeatureRow:
    """The row of a feature; where its own names are carried, what it needs besides decides."""
    besides = [alone[used] for used in row.feature.uses if alone[used].standing is not Standing.CARRIED]
    if row.standing is not Standing.CARRIED or not besides:
        return row
    standing = (
        Standing.UNKNOWN
        if all(one.standing is Standing.UNKNOWN for one in besides)
        else Standing.ANOTHER_PATH
    )
    return replace(
        row, standing=standing, says=_("its own names are carried; see {besides}", besides=_titles(besides))
    )


@dataclass(frozen=True, slots=True)
class _Judged:
    plan: RoutePlan
    counts: PrefixCounts
    whole: frozenset[str]

    @property
    def cloud(self) -> Cloud:
        return self.plan.cloud

    def row(self, feature: Feature) -> FeatureRow:
        """A feature by the worst of its names; one that has none of its own, by those of what it uses."""
        names = self.names(feature.name) if feature.is_offered_in(self.cloud) else ()
        if not names and feature.name in catalog.features(self.cloud):
            names = tuple(one for used in feature.uses for one in self.names(used))
        wanted = dict.fromkeys(value for one in names for value in one.communities)
        known = {one.value: one for one in self.plan.communities}
        return FeatureRow(
            feature,
            *_standing(feature, names, self.cloud),
            names=names,
            communities=tuple(wanted),
            missing=tuple(value for value in wanted if known[value].in_filter is False),
        )

    def names(self, feature: str) -> tuple[FeatureName, ...]:
        """The names of its own, each with the answers and the communities of what it stands for."""
        endpoints = catalog.requirements(self.cloud, self.plan.region, [feature])
        return tuple(self.name(one) for one in endpoints if feature in one.features)

    def name(self, endpoint: Endpoint) -> FeatureName:
        def stands_for(host: str) -> bool:
            return host == endpoint.host or (host not in self.whole and fnmatchcase(host, endpoint.host))

        carried_by = [one for one in self.plan.communities if any(map(stands_for, one.hosts))]
        answers = [one for one in self.plan.answers if stands_for(one.host) and not one.published]
        standing, says = self.judge(endpoint, carried_by, answers)
        values = [one.community for one in answers] or [one.value for one in carried_by]
        communities = tuple(dict.fromkeys(values)) if standing is Standing.CARRIED else ()
        return FeatureName(endpoint.host, endpoint.port, standing, communities, says)

    def judge(
        self, endpoint: Endpoint, carried_by: Sequence[PlannedCommunity], answers: Sequence[KnownAnswer]
    ) -> tuple[Standing, str]:
        if says := _off_the_path(endpoint, carried_by, answers):
            return Standing.ANOTHER_PATH, says
        if answers and all(one.carried for one in answers):
            return Standing.CARRIED, _("it answered {says}", says=answers[0].says)
        if says := self.undecided(endpoint, carried_by):
            return Standing.UNKNOWN, says
        return Standing.CARRIED, _("by where it answers") if len(carried_by) > 1 else carried_by[0].name

    def undecided(self, endpoint: Endpoint, carried_by: Sequence[PlannedCommunity]) -> str:
        """Why it is not known where a name answers, or what would carry it there; empty where it is."""
        if endpoint.place_is_unknown:
            return _(_UNPLACED)
        tags = _(" and ").join(endpoint.placed_by)
        regions = self.counts.regions_of(endpoint.placed_by) if tags else frozenset()
        if tags and not regions:
            return f"{_(_UNTAGGED)} {tags}"
        if tags and not carried_by:
            return _(
                "{tags} have no prefix in {plan}, but in {regions} other regions",
                tags=tags,
                plan=_scope(self.plan),
                regions=len(regions),
            )
        if not carried_by:
            private = _("; an Azure Arc private link scope serves it") if endpoint.private_link else ""
            return _("no document gives a community of the region where it answers{private}", private=private)
        return ""

    def lacking(self, rows: Sequence[FeatureRow]) -> Iterator[str]:
        """What is not at hand, and of which features it would tell more."""
        by_tags = [one for one in rows if any(name.says.startswith(_(_UNTAGGED)) for name in one.names)]
        if by_tags:
            yield _(
                "service tags, for {by_tags}: arcferry data import ServiceTags_…_YYYYMMDD.json",
                by_tags=_titles(by_tags),
            )
        if any(one.home for one in self.plan.without):
            yield _(
                "a list of BGP communities with {display}: az network route-filter rule "
                "list-service-communities --output json > communities-YYYY-MM-DD.json, then --with it",
                display=self.plan.region.display,
            )
        if self.plan.route_filter is None:
            yield _("your route filter (--with route-filter.json): whether it has these communities")
        by_answer = [one for one in rows if any(name.says == _(_UNPLACED) for name in one.names)]
        if by_answer:
            yield _(
                "what the names answer from your network, for {by_answer}: arcferry check --all "
                "--output json > check.json, then hand it in",
                by_answer=_titles(by_answer),
            )


def _off_the_path(
    endpoint: Endpoint, carried_by: Sequence[PlannedCommunity], answers: Sequence[KnownAnswer]
) -> str:
    """Why Microsoft peering cannot carry a name on this circuit; empty where it may."""
    if outside := next((one for one in answers if not one.on_peering), None):
        return _("it answered outside of Microsoft peering: {says}", says=outside.says)
    if endpoint.at_the_edge:
        return _("Front Door, a CDN or another host at the edge serves it")
    if carried_by and all(one.in_reach is False for one in carried_by):
        return _("the circuit's SKU does not get {name}", name=carried_by[0].name)
    return ""


def _scope(plan: RoutePlan) -> str:
    return plan.scope.area if len(plan.scope.regions) > 1 else plan.region.display


def _titles(rows: Sequence[FeatureRow]) -> str:
    return together(_(one.feature.title) for one in rows)


def _standing(feature: Feature, names: Sequence[FeatureName], cloud: Cloud) -> tuple[Standing, str]:
    if not feature.is_offered_in(cloud):
        return Standing.NEVER, _("not offered in {name}", name=cloud.name)
    if not names:
        return Standing.UNKNOWN, _("no document at hand names an endpoint of it in {name}", name=cloud.name)
    counted = {standing: [one for one in names if one.standing is standing] for standing in Standing}
    elsewhere, unknown = counted[Standing.ANOTHER_PATH], counted[Standing.UNKNOWN]
    if len(elsewhere) == len(names):
        return Standing.NEVER, _("none of its names comes over Microsoft peering")
    if open_names := elsewhere or unknown:
        of_all = (
            _("for {count} of {all} names", count=len(open_names), all=len(names)) if len(names) > 1 else ""
        )
        return Standing.ANOTHER_PATH if elsewhere else Standing.UNKNOWN, of_all
    if feature.undecided:
        return Standing.UNKNOWN, _(feature.undecided)
    return Standing.CARRIED, ""
