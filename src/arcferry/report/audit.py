"""An audit: a document, lines of documents, or a table of expected and observed with what follows from it."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from rich.console import Console

from arcferry.diagnosis.audit import Audit, Observed, Path, Row
from arcferry.diagnosis.words import how_to_get
from arcferry.report import as_json, findings
from arcferry.report.as_json import SCHEMA, picked
from arcferry.report.columns import UNDISCOVERED, UNDISCOVERED_CELL, named
from arcferry.report.console import print_line, print_rows, print_table, print_text
from arcferry.report.junit import JunitCase, JunitResult, xml
from arcferry.routing.reception import Reception
from arcferry.text import one_line

ROWS = "endpoints", "audited-endpoint"
HEADERS = ("ENDPOINT", "EXPECTED", "OBSERVED", "AGREES", "PATH")
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
        "inputs": as_json.inputs(result.diagnosis),
        "circuits": list(result.circuits),
        "endpoints": [_row(row) for row in result.rows],
        "missing": list(result.missing),
        "would_sharpen": list(result.would_sharpen),
        **as_json.fields(result.diagnosis),
    }


def _row(row: Row) -> dict[str, Any]:
    expected = ("verdict", "service_tag", "region", "community", "route_filter", "in_filter", "within_reach")
    observed = (
        "reception",
        "prefixes",
        "communities",
        "next_hops",
        "table",
        "taken",
        "connection",
        "connected",
    )
    return {
        **picked(row, "host", "purpose", "required", "addresses", "resolver", "answered"),
        "expected": picked(row.expected, *expected, "peering", "path", "says"),
        "observed": picked(row.observed, *observed, "path", "says"),
        **picked(row, "agrees", "path", "differences"),
    }


def junit(result: Audit) -> str:
    """A case an endpoint: the path to it is there, missing, or not known. Then the findings."""
    outcomes = {
        Path.THERE: JunitResult.PASSED,
        Path.MISSING: JunitResult.FAILURE,
        Path.UNKNOWN: JunitResult.SKIPPED,
    }
    cases = []
    for row in result.rows:
        outcome = outcomes[row.path]
        if not row.required and outcome is JunitResult.FAILURE:
            outcome = JunitResult.SKIPPED
        says = "; ".join(filter(None, (row.expected.says, row.observed.says)))
        name = " ".join((row.host or UNDISCOVERED, *row.addresses[:1]))
        cases.append(JunitCase(name, outcome, says, f"path {row.path}", "\n".join(row.differences)))
    return xml({"routes audit": cases}, result.diagnosis)


def draw(result: Audit, console: Console) -> None:
    """What each file was taken for, the table, the differences, the findings, and what would tell more."""
    print_line(console, "Taken for", "bold")
    inputs = []
    for one in result.diagnosis.inputs:
        asof = f", as of {one.taken.date()}" if one.taken else ""
        inputs.append((one_line(one.name, limit=120), one.kind.replace("-", " ") + asof))
    print_rows(console, 2, inputs)
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
    print_text(console, summary(result))


def _section(console: Console, title: str, lines: Iterable[str]) -> None:
    for number, line in enumerate(lines):
        if number == 0:
            print_line(console)
            print_line(console, title, "bold")
        print_text(console, line, indent=2)


def cells(row: Row) -> tuple[str, ...]:
    """One endpoint's cells."""
    more = f" and {len(row.addresses) - 1} more" if len(row.addresses) > 1 else ""
    endpoint = f"{' '.join((row.host or UNDISCOVERED_CELL, *row.addresses[:1]))}{more}"
    reach = "beyond the SKU's reach" if row.expected.within_reach is False else ""
    expected = ", ".join(filter(None, (row.expected.service_tag, row.expected.says, reach)))
    return (
        endpoint if row.required else f"{endpoint} (optional)",
        one_line(expected),
        _observation(row.observed),
        _AGREES[row.agrees],
        _PATHS[row.path],
    )


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
            about.setdefault(sentence, {})[row.host or UNDISCOVERED_CELL] = None
    every = {row.host or UNDISCOVERED_CELL for row in rows}
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
    judged = result.diagnosis
    found = f"Findings: {findings.summary(judged)}" if judged.findings else "No findings."
    return (
        f"{total}{where}: the path to {counts[Path.THERE]} is there, to {counts[Path.MISSING]} missing, "
        f"to {counts[Path.UNKNOWN]} not known; {differing} not as expected. {found}"
    )
