"""The way from the servers to Azure as a picture shows it: where it ends, and what lies behind."""

from collections.abc import Iterator, Sequence

from arcferry import catalog
from arcferry.diagnosis.names import region_name
from arcferry.report.page.documents import Affected, Written, every
from arcferry.report.page.page import RANK, Cause, Goal, Level, Names, Path
from arcferry.report.page.words import Words

UNKNOWN = "unknown"
_MOST_GOALS = 6
_SAID: dict[str, Level] = {"there": "ok", "missing": "FAIL", "yes": "ok", "no": "FAIL"}

Seen = tuple[str, str, Level, str]
"""A community, a region, how it stands, and the name that answers there."""


def path(documents: Sequence[Written], causes: Sequence[Cause], words: Words) -> Path | None:
    """The picture; None where nothing tells of a path."""
    goals = _goals([*_of_documents(documents), *_of_causes(causes)])
    errors = [one for one in causes if one.level == "FAIL"]
    stations = [(one, _station(one.slug, words)) for one in errors]
    first = next(((one, at) for one, at in stations if at), None)
    if first is None and errors and any(one.endpoints for one in errors):
        first = errors[0], UNKNOWN
    if not goals and first is None:
        return None
    broken = first[1] if first else ""
    return Path(
        servers=_servers(documents, errors, words),
        filter=_filter(documents),
        broken=broken,
        why=words.was(first[0]) if first else "",
        sure=bool(first and first[0].confidence == "observed"),
        goals=goals[:_MOST_GOALS],
        left=max(0, len(goals) - _MOST_GOALS),
    )


def _station(slug: str, words: Words) -> str:
    table: dict[str, str] = words.table["station"]
    return table.get(slug) or table.get(slug.partition("/")[0], "")


def _servers(documents: Sequence[Written], errors: Sequence[Cause], words: Words) -> str:
    names = tuple(dict.fromkeys(name for one in errors for name in one.hosts.shown))
    if not names:
        names = tuple(dict.fromkeys(one.name for one in every(documents, "hosts")))
    return words.servers(len(names)) if len(names) > 1 else "".join(names)


def _filter(documents: Sequence[Written]) -> str:
    for document in documents:
        audited = (one.expected.route_filter for one in document.endpoints)
        kept = (one.route_filter.name for one in document.evidence.documents if one.route_filter)
        if name := next(filter(None, (document.route_filter, *audited, *kept)), ""):
            return name
    return ""


def _goals(seen: Sequence[Seen]) -> tuple[Goal, ...]:
    """By community, or by region where that has none; the worst that is said of it counts."""
    groups: dict[str, list[Seen]] = {}
    for one in seen:
        groups.setdefault(one[0] or one[1], []).append(one)
    goals = [_goal(group) for key, group in groups.items() if key]
    return tuple(sorted(goals, key=lambda one: (RANK[one.level], one.community)))


def _goal(group: Sequence[Seen]) -> Goal:
    community, region = group[0][:2]
    known = catalog.community(community) if community else None
    level = min((one[2] for one in group), key=RANK.__getitem__)
    hosts = Names.of(tuple(one[3] for one in group if one[2] == level and one[3]))
    return Goal(known.name if known else region_name(region), community, level, hosts)


def _of_documents(documents: Sequence[Written]) -> Iterator[Seen]:
    for document in documents:
        for row in document.endpoints if document.kind == "audit" else ():
            yield row.expected.community, row.expected.region, _SAID.get(row.path, "unknown"), row.host
        for one in document.communities:
            carried: Level = "unknown" if one.in_filter is None else "ok" if one.in_filter else "warn"
            for host in one.hosts or ("",):
                yield one.value, one.region, carried, host
        if document.kind == "watch-history":
            yield from _of_watch(document)


def _of_watch(document: Written) -> Iterator[Seen]:
    """Where its names answered at last; what was reached there is not in doubt."""
    reached = {one.host: one.reached for one in document.reach}
    newest = {(one.host, one.resolver): one for one in document.answers}
    for span in newest.values():
        if span.region or span.community:
            carried = _SAID.get(str(span.carried), "unknown")
            there: Level = "ok" if carried == "unknown" and reached.get(span.host) else carried
            yield span.community, span.region, there, span.host


def _of_causes(causes: Sequence[Cause]) -> Iterator[Seen]:
    """What a cause is about is out of reach; where only a warning says so, it stands as it does otherwise."""
    for cause in causes:
        if cause.level == "FAIL":
            endpoints: tuple[Affected, ...] = cause.endpoints
            yield from ((one.community, one.region, cause.level, one.host) for one in endpoints)
