"""An audit: a document, lines of documents, or a table of expected and observed with what follows from it."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from rich.console import Console

from arcferry.diagnosis.audit import Audit, Expected, Observed, Path, Row
from arcferry.diagnosis.finding import Diagnosis, Taken
from arcferry.diagnosis.words import how_to_get
from arcferry.report import findings, findings_document
from arcferry.report.columns import named
from arcferry.report.console import print_line, print_rows, print_table
from arcferry.routing.reception import Reception
from arcferry.text import one_line
from arcferry.times import to_text

SCHEMA = 1
HEADERS = ("ENDPOINT", "EXPECTED", "OBSERVED", "AGREES", "PATH")
_UNDISCOVERED = "<regional HIS>"
_AGREES = {True: "yes", False: "NO", None: "unknown"}
_PATHS = {Path.THERE: "there", Path.MISSING: "MISSING", Path.UNKNOWN: "not known"}
_STYLES = {"there": "green", "MISSING": "bold red", "not known": "dim"}
_ROUTES = {
    Reception.RECEIVED: "received",
    Reception.FILTERED_HERE: "dropped by this router's policy",
    Reception.ANOTHER_PATH: "another path",
    Reception.NOT_RECEIVED: "no route",
    Reception.UNKNOWN: "not known",
}
_MOST_HOSTS = 4


def document(result: Audit) -> dict[str, Any]:
    """The whole audit as one JSON document; an unknown fact is null or an empty text."""
    return {
        "schema": SCHEMA,
        "kind": "audit",
        "cloud": result.cloud.name,
        "location": result.region.name if result.region else None,
        "inputs": findings_document.inputs(result.diagnosis),
        "circuits": list(result.circuits),
        "endpoints": [_row(row) for row in result.rows],
        "missing": list(result.missing),
        "would_sharpen": list(result.would_sharpen),
        **findings_document.fields(result.diagnosis),
    }


def json_lines(result: Audit) -> Iterator[dict[str, Any]]:
    """One line an endpoint, one a finding, then one that sums up."""
    whole = document(result)
    for row in whole.pop("endpoints"):
        yield {"schema": SCHEMA, "kind": "audited-endpoint", **row}
    yield from findings_document.lines(result.diagnosis)
    yield {key: value for key, value in whole.items() if key not in ("findings", "evidence")}


def _row(row: Row) -> dict[str, Any]:
    return {
        "host": row.host,
        "purpose": row.purpose,
        "required": row.required,
        "addresses": list(row.addresses),
        "resolver": row.resolver,
        "answered": to_text(row.answered) if row.answered else None,
        "expected": _expected(row.expected),
        "observed": _observed(row.observed),
        "agrees": row.agrees,
        "path": row.path.value,
        "differences": list(row.differences),
    }


def _expected(expected: Expected) -> dict[str, Any]:
    return {
        "verdict": expected.verdict.value,
        "service_tag": expected.service_tag,
        "region": expected.region,
        "community": expected.community,
        "route_filter": expected.route_filter,
        "in_filter": expected.in_filter,
        "within_reach": expected.within_reach,
        "peering": expected.peering,
        "path": expected.path,
        "says": expected.says,
    }


def _observed(observed: Observed) -> dict[str, Any]:
    return {
        "reception": observed.reception.value,
        "prefixes": list(observed.prefixes),
        "communities": list(observed.communities),
        "next_hops": list(observed.next_hops),
        "table": observed.table,
        "taken": to_text(observed.taken) if observed.taken else None,
        "connection": observed.connection,
        "connected": observed.connected,
        "path": observed.path,
        "says": observed.says,
    }


def draw(result: Audit, console: Console) -> None:
    """What each file was taken for, the table, the differences, the findings, and what would tell more."""
    inputs = result.diagnosis.inputs
    print_line(console, "Taken for", "bold")
    print_rows(console, 2, ((one_line(one.name, limit=120), _taken_for(one)) for one in inputs))
    print_line(console)
    rows = ((cells(row), "") for row in result.rows)
    print_table(console, HEADERS, rows, between="  |", styles=_STYLES)
    _section(console, "Circuit", (one_line(sentence, limit=900) for sentence in result.circuits))
    _section(console, "Differences, and what the sources leave open", _differences(result.rows))
    for finding in result.diagnosis.findings:
        print_line(console)
        findings.draw_finding(finding, console)
    ways = how_to_get()
    more = (f"{kind}: {ways[kind]}" if kind in ways else kind for kind in result.would_sharpen)
    _section(console, "Would tell more", more)
    print_line(console)
    print_line(console, summary(result))


def _taken_for(taken: Taken) -> str:
    asof = f", as of {taken.taken.date()}" if taken.taken else ""
    return taken.kind.replace("-", " ") + asof


def _section(console: Console, title: str, lines: Iterable[str]) -> None:
    for number, line in enumerate(lines):
        if number == 0:
            print_line(console)
            print_line(console, title, "bold")
        print_line(console, f"  {line}")


def cells(row: Row) -> tuple[str, ...]:
    """One endpoint's cells."""
    sides = _expectation(row.expected), _observation(row.observed)
    return _endpoint(row), *sides, _AGREES[row.agrees], _PATHS[row.path]


def _endpoint(row: Row) -> str:
    optional = "" if row.required else " (optional)"
    if not row.addresses:
        return f"{row.host or _UNDISCOVERED}{optional}"
    more = len(row.addresses) - 1
    return f"{row.host} {row.addresses[0]}{f' and {more} more' if more else ''}{optional}"


def _expectation(expected: Expected) -> str:
    reach = "beyond the SKU's reach" if expected.within_reach is False else ""
    return one_line(", ".join(filter(None, (expected.service_tag, expected.says, reach))))


def _observation(observed: Observed) -> str:
    if observed.reception is Reception.UNKNOWN and not observed.connection and not observed.says:
        return "nothing"
    parts = [_route(observed)] if observed.table else []
    return one_line(", ".join(filter(None, (*parts, observed.connection))))


def _route(observed: Observed) -> str:
    if observed.reception is Reception.UNKNOWN or not observed.prefixes:
        return observed.says
    carried = f" with {', '.join(observed.communities[:3])}" if observed.communities else ""
    via = f" through {observed.next_hops[0]}" if observed.next_hops else ""
    asof = f" of {observed.taken.date()}" if observed.taken else ""
    return f"{_ROUTES[observed.reception]}: {observed.route}{carried}{via} ({observed.table}{asof})"


def _differences(rows: Sequence[Row]) -> Iterator[str]:
    """Each sentence once, with the endpoints that it is about."""
    about: dict[str, dict[str, None]] = {}
    for row in rows:
        for sentence in row.differences:
            about.setdefault(sentence, {})[row.host or _UNDISCOVERED] = None
    every = {row.host or _UNDISCOVERED for row in rows}
    for sentence, hosts in about.items():
        whole = set(hosts) == every and len(every) > 1
        whose = "every endpoint" if whole else named(tuple(hosts), most=_MOST_HOSTS)
        yield f"{whose}: {one_line(sentence, limit=900)}"


def summary(result: Audit) -> str:
    """One line: of how many required endpoints the path is there, is missing, and is not known."""
    paths = [result.path_to(host) for host in result.required]
    counts = {path: paths.count(path) for path in Path}
    differing = len({row.host for row in result.rows if row.agrees is False})
    total = "1 required endpoint" if len(paths) == 1 else f"{len(paths)} required endpoints"
    where = f" for {result.region.name}" if result.region else ""
    return (
        f"{total}{where}: the path to {counts[Path.THERE]} is there, to {counts[Path.MISSING]} missing, "
        f"to {counts[Path.UNKNOWN]} not known; {differing} not as expected. {_findings(result.diagnosis)}"
    )


def _findings(diagnosis: Diagnosis) -> str:
    return f"Findings: {findings.summary(diagnosis)}" if diagnosis.findings else "No findings."
