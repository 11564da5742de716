"""A plan of communities: one JSON document, one JSON object a line, or text to read and to send."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import compress
from typing import Any

from rich.console import Console

from arcferry import catalog
from arcferry.report import as_json
from arcferry.report.as_json import SCHEMA, picked
from arcferry.report.console import print_letter, print_line, print_rows, print_table, print_text
from arcferry.routing.filter_change import Change
from arcferry.routing.planned import PlannedCommunity, PrefixCount, RoutePlan
from arcferry.text import clean, one_line

ROWS = "communities", "planned-community"
_MISSING = "MISSING"
_REACH = {True: "yes", False: "NOT ITS SKU", None: "unknown"}
_ALARMS = dict.fromkeys((_MISSING, _REACH[False]), "bold red")
_HTTPS = 443
_ASK_AZURE = (
    "ask Azure, arcferry does not guess: az network route-filter rule list-service-communities --output json "
    "> communities-YYYY-MM-DD.json, then hand it in with --with"
)


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
        "lacks": list(catalog.left_out(plan.cloud, plan.features)),
        "route_filter": plan.route_filter.name if plan.route_filter else None,
        "first": list(shown.doubts),
        "planned": list(plan.values),
        # None where too little is known of the answers to call a set comfortable.
        "comfortable": list(plan.values) if plan.is_comfortable else None,
        **picked(plan, "smallest", "loses", "missing"),
        "answers": [
            {key: None if value == "" else value for key, value in asdict(one).items()}
            for one in plan.answers
        ],
        "unseen": list(plan.unseen),
        "unneeded": [{"value": value, "name": name} for value, name in plan.unneeded],
        "never": [
            picked(one.endpoint, "host", "port", "purpose", "when") | {"way": one.way, "instead": one.instead}
            for one in plan.never
        ],
        "regions_without_community": [asdict(one) for one in plan.without],
        "notes": list(plan.notes),
        "ahead": as_json.ahead(plan.ahead),
        "sources": list(plan.sources),
        "changes": [
            {
                **asdict(one),
                "withheld": one.withheld or None,
                "fetch": one.fetch or None,
                "does": None if one.tool == "request" else one.does,
            }
            for one in shown.changes
        ],
        "effects": list(shown.effects),
        "communities": [asdict(one) | {"region": one.region or None} for one in plan.communities],
    }


def draw(shown: RoutePlanView, languages: Collection[str], console: Console) -> None:
    """The communities, what they carry, what nothing carries, the smaller set, and the change."""
    plan = shown.plan
    features = f" with {', '.join(plan.features)}" if plan.features else ""
    title = f"A route filter for Azure Arc in {plan.region.display} ({plan.cloud.name}){features}"
    lacks = catalog.says_left_out(plan.cloud, plan.features)
    print_text(console, f"{title}; it {lacks}", "bold")
    if says := summary(plan):
        print_text(console, says, "bold red" if plan.missing else "green")
    for one in shown.doubts:
        print_text(console, f"First: {one_line(one, limit=2000)}", "bold red")
    print_line(console)
    headings, *rows = _communities(plan)
    print_table(console, headings, ((row, "") for row in rows), styles=_ALARMS)
    for title, texts in (
        ("Which names", _names(plan)),
        ("Where names answered", _answers(plan)),
        ("Never over Microsoft peering, whatever the filter holds", _never(plan)),
        ("Regions without a documented community", _without(plan)),
        ("The smallest set beside it", _sets(plan)),
        (
            "In the filter, and not needed by Azure Arc; something else may need it",
            ((value, name or "not documented") for value, name in plan.unneeded),
        ),
        ("Worth knowing", (("-", note) for note in plan.notes)),
        ("Ahead", (("-", str(one)) for one in plan.ahead)),
        ("As of", (("-", source) for source in plan.sources)),
        ("What else the change does", (("-", one) for one in shown.effects)),
    ):
        if listed := [(one_line(label, limit=600), one_line(text, limit=6000)) for label, text in texts]:
            print_line(console, f"\n{title}", "bold")
            print_rows(console, 2, listed)
    _draw_changes(shown, languages, console)


def summary(plan: RoutePlan) -> str:
    """One line: whether the filter at hand is enough; empty where none is at hand."""
    if plan.route_filter is None:
        return ""
    name = f"Route filter {one_line(plan.route_filter.name)}"
    if not plan.missing:
        return f"{name} lets all of it through."
    needed = [value for value in plan.missing if value in plan.smallest]
    enough = "" if needed else "lets the smallest set through, and "
    lacks = f"{len(plan.missing)} of {len(plan.values)} communities: {', '.join(plan.missing)}"
    return f"{name} {enough}lacks {lacks}."


def _communities(plan: RoutePlan) -> list[tuple[str, ...]]:
    """The table's headings, then its rows; with a column for the filter and the circuit where known."""
    compared = plan.route_filter is not None
    reached = any(one.in_reach is not None for one in plan.communities)
    chosen = (True, True, True, compared, reached, True, True)
    headings = ("COMMUNITY", "FOR", "PREFIXES", "IN FILTER", "ON CIRCUIT", "NAMES", "WHY")
    rows = [
        (
            one.value,
            one.name,
            _count(one.prefixes),
            "yes" if one.in_filter else _MISSING,
            _REACH[one.in_reach],
            str(len(one.hosts)),
            one.why,
        )
        for one in plan.communities
    ]
    return [tuple(compress(row, chosen)) for row in (headings, *rows)]


def _count(prefixes: PrefixCount | None) -> str:
    if prefixes is None:
        return "unknown"
    ipv6 = f" + {prefixes.ipv6} IPv6" if prefixes.ipv6 else ""
    return f"{'' if prefixes.listed else 'about '}{prefixes.ipv4}{ipv6}"


def _names(plan: RoutePlan) -> Iterator[tuple[str, str]]:
    """Names that rest on the same communities, together."""
    by_host: dict[str, list[PlannedCommunity]] = {}
    for one in plan.communities:
        for host in one.hosts:
            by_host.setdefault(host, []).append(one)
    groups: dict[str, list[str]] = {}
    for host, communities in by_host.items():
        groups.setdefault(_resting_on(communities), []).append(host)
    for resting_on, hosts in groups.items():
        yield resting_on, ", ".join(hosts)


def _resting_on(communities: Sequence[PlannedCommunity]) -> str:
    services = [one.value for one in communities if not one.region]
    regions = [one for one in communities if one.region]
    if len(regions) > 1:
        by_answer = f"one of {len(regions)} regions, by the answer"
        return f"{services[0]}, or {by_answer}" if services else by_answer
    return " or ".join([*services, *(one.value for one in regions)])


def _answers(plan: RoutePlan) -> Iterator[tuple[str, str]]:
    for one in plan.answers:
        by = "published, " if one.published else ""
        if one.carried:
            lacks = ", which the filter lacks" if one.in_filter is False else ""
            carried = f"carried by {one.community}{lacks}"
        elif not one.on_peering:
            carried = "LEFT OUT: Microsoft peering does not carry that address"
        elif not one.region:
            carried = "not told whether it is carried"
        elif not one.community:
            carried = "LEFT OUT: no document gives a community of that region"
        else:
            carried = f"LEFT OUT by this set: {one.community} would carry it"
        yield one.host, f"{by}{one.says}: {carried}"
    for host in plan.unseen:
        yield host, "no answer of it is known"


def _never(plan: RoutePlan) -> Iterator[tuple[str, str]]:
    """Names with the same way out, together."""
    groups: dict[tuple[str, str], list[str]] = {}
    for one in plan.never:
        port = "" if one.endpoint.port == _HTTPS else f":{one.endpoint.port}"
        groups.setdefault((one.way, one.instead), []).append(f"{one.endpoint.host}{port}")
    for (way, says), hosts in groups.items():
        yield way, f"{', '.join(hosts)}; {says}"


def _without(plan: RoutePlan) -> Iterator[tuple[str, str]]:
    others = [one.region for one in plan.without if not one.home]
    for one in plan.without:
        if one.home:
            says = f"the machines' own region, where {len(one.hosts)} names answer without a way through: "
            yield one.region, says + ", ".join(one.hosts)
    if others:
        yield "others", f"{', '.join(others)}: an answer there has no way through"
    if plan.without:
        yield "way out", _ASK_AZURE
    if private := dict.fromkeys(host for one in plan.without for host in one.private_link):
        yield "or", f"an Arc private link scope, which serves {', '.join(private)}"


def _sets(plan: RoutePlan) -> Iterator[tuple[str, str]]:
    yield "comfortable" if plan.is_comfortable else "planned", _set(plan, plan.values)
    if plan.smallest == plan.values:
        yield "smallest", "the same: every one of them is needed"
        return
    yield "smallest", _set(plan, plan.smallest)
    for sentence in plan.loses:
        yield "you lose", sentence


def _set(plan: RoutePlan, values: Sequence[str]) -> str:
    chosen = [one for one in plan.communities if one.value in values]
    total = sum(one.prefixes.ipv4 + one.prefixes.ipv6 for one in chosen if one.prefixes)
    unknown = [one.value for one in chosen if one.prefixes is None]
    known = f"{total} prefixes" if total else "an unknown number of prefixes"
    more = f" and unknown ones of {' '.join(unknown)}" if total and unknown else ""
    return f"{len(values)} communities, {known}{more}: {' '.join(values)}"


def _draw_changes(shown: RoutePlanView, languages: Collection[str], console: Console) -> None:
    """Each change on lines of its own, so that it can be copied; the request in a frame."""
    for change in (one for one in shown.changes if one.tool in languages):
        print_line(console)
        text = clean(change.text)
        if change.tool != "request":
            print_line(console, f"The change, {change.tool}", "bold")
            if change.withheld:
                print_text(console, f"{one_line(change.withheld, limit=600)} (reads):", indent=2)
            lines = "\n".join(f"  {line}".rstrip() for line in (text or clean(change.fetch)).splitlines())
            print_line(console, lines, "cyan")
        else:
            print_letter(console, "to send to the network team", text)
