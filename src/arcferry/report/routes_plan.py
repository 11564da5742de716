"""A plan of communities: one JSON document, one JSON object a line, or text to read and to send."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import compress
from typing import Any

from rich.console import Console

from arcferry import catalog
from arcferry.diagnosis.finding import Owner, addressed
from arcferry.language import _, headings, marked
from arcferry.report import as_json
from arcferry.report.as_json import SCHEMA, picked
from arcferry.report.console import print_letter, print_line, print_rows, print_table, print_text
from arcferry.routing.filter_change import Change
from arcferry.routing.planned import PlannedCommunity, PrefixCount, RoutePlan
from arcferry.text import clean, one_line

ROWS = "communities", "planned-community"
_MISSING = marked("MISSING")
_REACH = {True: marked("yes"), False: marked("NOT ITS SKU"), None: marked("unknown")}
_ALARMS = dict.fromkeys((_MISSING, _REACH[False]), "bold red")
_HTTPS = 443
_ASK_AZURE = marked(
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
    title = _(
        "A route filter for Azure Arc in {region} ({cloud}){features}; it {lacks}",
        region=plan.region.display,
        cloud=plan.cloud.name,
        features=_(" with {features}", features=", ".join(plan.features)) if plan.features else "",
        lacks=catalog.says_left_out(plan.cloud, plan.features),
    )
    print_text(console, title, "bold")
    if says := summary(plan):
        print_text(console, says, "bold red" if plan.missing else "green")
    for one in shown.doubts:
        print_text(console, _("First: {says}", says=one_line(one, limit=2000)), "bold red")
    print_line(console)
    titles, *rows = _communities(plan)
    alarms = {_(word): style for word, style in _ALARMS.items()}
    print_table(console, titles, ((row, "") for row in rows), styles=alarms)
    for title, texts in (
        (_("Which names"), _names(plan)),
        (_("Where names answered"), _answers(plan)),
        (_("Never over Microsoft peering, whatever the filter holds"), _never(plan)),
        (_("Regions without a documented community"), _without(plan)),
        (_("The smallest set beside it"), _sets(plan)),
        (
            _("In the filter, and not needed by Azure Arc; something else may need it"),
            ((value, name or _("not documented")) for value, name in plan.unneeded),
        ),
        (_("Worth knowing"), (("-", note) for note in plan.notes)),
        (_("Ahead"), (("-", str(one)) for one in plan.ahead)),
        (_("As of"), (("-", source) for source in plan.sources)),
        (_("What else the change does"), (("-", one) for one in shown.effects)),
    ):
        if listed := [(one_line(label, limit=600), one_line(text, limit=6000)) for label, text in texts]:
            print_line(console)
            print_line(console, title, "bold")
            print_rows(console, 2, listed)
    _draw_changes(shown, languages, console)


def summary(plan: RoutePlan) -> str:
    """One line: whether the filter at hand is enough; empty where none is at hand."""
    if plan.route_filter is None:
        return ""
    name = one_line(plan.route_filter.name)
    if not plan.missing:
        return _("Route filter {name} lets all of it through.", name=name)
    text = marked(
        "Route filter {name} lets the smallest set through, and lacks {count} of {all} communities: "
        "{missing}."
    )
    if any(value in plan.smallest for value in plan.missing):
        text = marked("Route filter {name} lacks {count} of {all} communities: {missing}.")
    missing = ", ".join(plan.missing)
    return _(text, name=name, count=len(plan.missing), all=len(plan.values), missing=missing)


def _communities(plan: RoutePlan) -> list[tuple[str, ...]]:
    """The table's headings, then its rows; with a column for the filter and the circuit where known."""
    compared = plan.route_filter is not None
    reached = any(one.in_reach is not None for one in plan.communities)
    chosen = (True, True, True, compared, reached, True, True)
    titles = headings("COMMUNITY", "FOR", "PREFIXES", "IN FILTER", "ON CIRCUIT", "NAMES", "WHY")
    rows = [
        (
            one.value,
            one.name,
            _count(one.prefixes),
            _("yes") if one.in_filter else _(_MISSING),
            _(_REACH[one.in_reach]),
            str(len(one.hosts)),
            _(one.why),
        )
        for one in plan.communities
    ]
    return [tuple(compress(row, chosen)) for row in (titles, *rows)]


def _count(prefixes: PrefixCount | None) -> str:
    if prefixes is None:
        return _("unknown")
    ipv6 = f" + {prefixes.ipv6} IPv6" if prefixes.ipv6 else ""
    count = f"{prefixes.ipv4}{ipv6}"
    return count if prefixes.listed else _("about {count}", count=count)


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
        by_answer = _("one of {count} regions, by the answer", count=len(regions))
        return _("{service}, or {regions}", service=services[0], regions=by_answer) if services else by_answer
    return _(" or ").join([*services, *(one.value for one in regions)])


def _answers(plan: RoutePlan) -> Iterator[tuple[str, str]]:
    for one in plan.answers:
        by = _("published, ") if one.published else ""
        if one.carried:
            carried = _("carried by {community}", community=one.community)
            if one.in_filter is False:
                carried += _(", which the filter lacks")
        elif not one.on_peering:
            carried = _("LEFT OUT: Microsoft peering does not carry that address")
        elif not one.region:
            carried = _("not told whether it is carried")
        elif not one.community:
            carried = _("LEFT OUT: no document gives a community of that region")
        else:
            carried = _("LEFT OUT by this set: {community} would carry it", community=one.community)
        yield one.host, f"{by}{_(one.says)}: {carried}"
    for host in plan.unseen:
        yield host, _("no answer of it is known")


def _never(plan: RoutePlan) -> Iterator[tuple[str, str]]:
    """Names with the same way out, together."""
    groups: dict[tuple[str, str], list[str]] = {}
    for one in plan.never:
        port = "" if one.endpoint.port == _HTTPS else f":{one.endpoint.port}"
        groups.setdefault((one.way, one.instead), []).append(f"{one.endpoint.host}{port}")
    for (way, says), hosts in groups.items():
        yield _(way), _("{hosts}; {says}", hosts=", ".join(hosts), says=says)


def _without(plan: RoutePlan) -> Iterator[tuple[str, str]]:
    others = [one.region for one in plan.without if not one.home]
    for one in plan.without:
        if one.home:
            yield (
                one.region,
                _(
                    "the machines' own region, where {count} names answer without a way through: {names}",
                    count=len(one.hosts),
                    names=", ".join(one.hosts),
                ),
            )
    if others:
        yield _("others"), _("{regions}: an answer there has no way through", regions=", ".join(others))
    if plan.without:
        yield _("way out"), _(_ASK_AZURE)
    if private := dict.fromkeys(host for one in plan.without for host in one.private_link):
        yield _("or"), _("an Arc private link scope, which serves {names}", names=", ".join(private))


def _sets(plan: RoutePlan) -> Iterator[tuple[str, str]]:
    yield _("comfortable") if plan.is_comfortable else _("planned"), _set(plan, plan.values)
    if plan.smallest == plan.values:
        yield _("smallest"), _("the same: every one of them is needed")
        return
    yield _("smallest"), _set(plan, plan.smallest)
    for sentence in plan.loses:
        yield _("you lose"), sentence


def _set(plan: RoutePlan, values: Sequence[str]) -> str:
    chosen = [one for one in plan.communities if one.value in values]
    total = sum(one.prefixes.ipv4 + one.prefixes.ipv6 for one in chosen if one.prefixes)
    unknown = [one.value for one in chosen if one.prefixes is None]
    known = _("{total} prefixes", total=total) if total else _("an unknown number of prefixes")
    if total and unknown:
        known += _(" and unknown ones of {communities}", communities=" ".join(unknown))
    listed = " ".join(values)
    return _("{count} communities, {prefixes}: {values}", count=len(values), prefixes=known, values=listed)


def _draw_changes(shown: RoutePlanView, languages: Collection[str], console: Console) -> None:
    """Each change on lines of its own, so that it can be copied; the request in a frame."""
    for change in (one for one in shown.changes if one.tool in languages):
        print_line(console)
        text = clean(change.text)
        if change.tool != "request":
            print_line(console, _("The change, {tool}", tool=change.tool), "bold")
            if change.withheld:
                print_text(console, _("{why} (reads):", why=one_line(change.withheld, limit=600)), indent=2)
            lines = "\n".join(f"  {line}".rstrip() for line in (text or clean(change.fetch)).splitlines())
            print_line(console, lines, "cyan")
        else:
            print_letter(console, _("to send to {to}", to=addressed("", Owner.NETWORK)), text)
