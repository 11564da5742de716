"""A plan of communities: one JSON document, or one JSON object a line."""

from collections.abc import Iterator, Sequence
from typing import Any

from arcferry.routing.brings import Brought
from arcferry.routing.filter_change import Change
from arcferry.routing.planned import PlannedCommunity, RoutePlan

SCHEMA = 1


def document(plan: RoutePlan, changes: Sequence[Change]) -> dict[str, Any]:
    """The whole plan as one JSON document."""
    return {**_head(plan, changes), "communities": [_community(one) for one in plan.communities]}


def json_lines(plan: RoutePlan, changes: Sequence[Change]) -> Iterator[dict[str, Any]]:
    """One line a community, then one with everything else."""
    for one in plan.communities:
        yield {"schema": SCHEMA, "kind": "planned-community", **_community(one)}
    yield _head(plan, changes)


def _head(plan: RoutePlan, changes: Sequence[Change]) -> dict[str, Any]:
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
        "comfortable": list(plan.comfortable),
        "smallest": list(plan.smallest),
        "loses": list(plan.loses),
        "missing": list(plan.missing),
        "unneeded": [{"value": one.value, "name": one.name} for one in plan.unneeded],
        "never": [
            {
                "host": one.endpoint.host,
                "port": one.endpoint.port,
                "purpose": one.endpoint.purpose,
                "when": one.endpoint.when.value,
                "way": one.way,
                "instead": one.instead,
            }
            for one in plan.never
        ],
        "regions_without_community": [
            {
                "region": one.region,
                "home": one.home,
                "hosts": list(one.hosts),
                "private_link": list(one.private),
            }
            for one in plan.without
        ],
        "notes": list(plan.notes),
        "sources": list(plan.sources),
        "changes": [_change(change) for change in changes],
    }


def _change(change: Change) -> dict[str, Any]:
    return {
        "tool": change.tool,
        "text": change.text,
        "withheld": change.withheld or None,
        "fetch": change.fetch or None,
    }


def _community(one: PlannedCommunity) -> dict[str, Any]:
    return {
        "value": one.value,
        "name": one.name,
        "region": one.region or None,
        "hosts": list(one.hosts),
        "required": one.required,
        "why": one.why,
        "prefixes": _prefixes(one.brings) if one.brings else None,
        "in_filter": one.allowed,
        "in_reach": one.in_reach,
        "smallest": one.smallest,
    }


def _prefixes(brings: Brought) -> dict[str, Any]:
    return {"ipv4": brings.ipv4, "ipv6": brings.ipv6, "listed": brings.listed, "source": brings.source}
