"""A plan of communities: one JSON document, or one JSON object a line."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

from arcferry.report import ahead
from arcferry.routing.filter_change import Change
from arcferry.routing.planned import PlannedCommunity, RoutePlan

SCHEMA = 1


@dataclass(frozen=True, slots=True)
class RoutePlanView:
    """A plan with the change that it asks for.

    Attributes:
        changes: in every language, the letter last; none where the filter is enough.
        effects: what the change does besides.
        doubts: why the filter at hand may not be the one in effect, to be told first.
    """

    plan: RoutePlan
    changes: tuple[Change, ...]
    effects: tuple[str, ...]
    doubts: tuple[str, ...]


def document(shown: RoutePlanView) -> dict[str, Any]:
    """The whole plan as one JSON document."""
    return {**_head(shown), "communities": [_community(one) for one in shown.plan.communities]}


def json_lines(shown: RoutePlanView) -> Iterator[dict[str, Any]]:
    """One line a community, then one with everything else."""
    for one in shown.plan.communities:
        yield {"schema": SCHEMA, "kind": "planned-community", **_community(one)}
    yield _head(shown)


def _head(shown: RoutePlanView) -> dict[str, Any]:
    plan = shown.plan
    return {
        "schema": SCHEMA,
        "kind": "route-plan",
        "cloud": plan.cloud.name,
        "location": plan.region.name,
        "steered": {
            "choice": plan.scope.steered,
            "area": plan.scope.area or None,
            "regions": list(plan.scope.regions),
            "unplaced": list(plan.scope.unplaced),
        },
        "features": list(plan.features),
        "route_filter": plan.route_filter.name if plan.route_filter else None,
        "first": list(shown.doubts),
        "planned": list(plan.values),
        # None where too little is known of the answers to call a set comfortable.
        "comfortable": list(plan.values) if plan.is_comfortable else None,
        "smallest": list(plan.smallest),
        "loses": list(plan.loses),
        "missing": list(plan.missing),
        "answers": [
            {key: None if value == "" else value for key, value in asdict(one).items()}
            for one in plan.answers
        ],
        "unseen": list(plan.unseen),
        "unneeded": [{"value": value, "name": name} for value, name in plan.unneeded],
        "never": [
            {name: getattr(one.endpoint, name) for name in ("host", "port", "purpose", "when")}
            | {"way": one.way, "instead": one.instead}
            for one in plan.never
        ],
        "regions_without_community": [asdict(one) for one in plan.without],
        "notes": list(plan.notes),
        "ahead": ahead.fields(plan.ahead),
        "sources": list(plan.sources),
        "changes": [
            {**asdict(one), "withheld": one.withheld or None, "fetch": one.fetch or None}
            for one in shown.changes
        ],
        "effects": list(shown.effects),
    }


def _community(one: PlannedCommunity) -> dict[str, Any]:
    return {**asdict(one), "region": one.region or None}
