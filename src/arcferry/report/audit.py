"""An audit: a document, lines of documents, or a table of expected and observed with what follows from it."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from rich.console import Console

from arcferry.diagnosis.audit import Audit, Observed, Path, Row
from arcferry.diagnosis.words import how_to_get
from arcferry.language import _, headings, marked, ngettext, translated
from arcferry.report import as_json, findings
from arcferry.report.as_json import SCHEMA, picked
from arcferry.report.columns import UNDISCOVERED, UNDISCOVERED_CELL, named
from arcferry.report.console import print_line, print_rows, print_table, print_text
from arcferry.report.junit import JunitCase, JunitResult, xml
from arcferry.routing.reception import Reception
from arcferry.text import one_line

ROWS = "endpoints", "audited-endpoint"
HEADERS = headings("ENDPOINT", "EXPECTED", "OBSERVED", "AGREES", "PATH")
_AGREES = {True: marked("yes"), False: marked("NO"), None: marked("unknown")}
_PATHS = {Path.THERE: marked("there"), Path.MISSING: marked("MISSING"), Path.UNKNOWN: marked("not known")}
_STYLES = {"there": "green", "MISSING": "bold red", "not known": "dim"}
_ROUTES = {
    Reception.RECEIVED: marked("received"),
    Reception.FILTERED_HERE: marked("dropped by this router's policy"),
    Reception.ANOTHER_PATH: marked("another path"),
    Reception.NOT_RECEIVED: marked("no route"),
    Reception.UNKNOWN: marked("not known"),
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
    print_line(console, _("Taken for"), "bold")
    inputs = result.diagnosis.inputs
    print_rows(console, 2, ((one_line(one.name, limit=120), findings.taken_for(one)) for one in inputs))
    print_line(console)
    rows = ((cells(row), "") for row in result.rows)
    print_table(
        console, HEADERS, rows, between="  |", styles={_(word): style for word, style in _STYLES.items()}
    )
    _section(console, _("Circuit"), (one_line(sentence, limit=900) for sentence in result.circuits))
    _section(console, _("Differences, and what the sources leave open"), _differences(result.rows))
    for finding in result.diagnosis.findings:
        print_line(console)
        findings.draw_finding(finding, console)
    ways = how_to_get()
    more = (
        _("{name}: {says}", name=kind, says=ways[kind]) if kind in ways else kind
        for kind in result.would_sharpen
    )
    _section(console, _("Would tell more"), more)
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
    endpoint = " ".join((row.host or _(UNDISCOVERED_CELL), named(row.addresses, most=1))).rstrip()
    reach = _("beyond the SKU's reach") if row.expected.within_reach is False else ""
    expected = ", ".join(filter(None, (row.expected.service_tag, translated(row.expected.says), reach)))
    return (
        endpoint if row.required else _("{endpoint} (optional)", endpoint=endpoint),
        one_line(expected),
        _observation(row.observed),
        _(_AGREES[row.agrees]),
        _(_PATHS[row.path]),
    )


def _observation(observed: Observed) -> str:
    if observed.reception is Reception.UNKNOWN and not observed.connection and not observed.says:
        return _("nothing")
    parts = [_route(observed)] if observed.table else []
    return one_line(", ".join(filter(None, (*parts, _(observed.connection)))))


def _route(observed: Observed) -> str:
    if observed.reception is Reception.UNKNOWN or not observed.prefixes:
        return translated(observed.says)
    carried = via = asof = ""
    if observed.communities:
        carried = _(" with {communities}", communities=", ".join(observed.communities[:3]))
    if observed.next_hops:
        via = _(" through {next_hop}", next_hop=observed.next_hops[0])
    if observed.taken:
        asof = _(" of {day}", day=observed.taken.date())
    route = f"{observed.route}{carried}{via} ({observed.table}{asof})"
    return _("{name}: {says}", name=_(_ROUTES[observed.reception]), says=route)


def _differences(rows: Sequence[Row]) -> Iterator[str]:
    """Each sentence once, with the endpoints that it is about."""
    about: dict[str, dict[str, None]] = {}
    for row in rows:
        for sentence in row.differences:
            about.setdefault(sentence, {})[row.host or _(UNDISCOVERED_CELL)] = None
    every = {row.host or _(UNDISCOVERED_CELL) for row in rows}
    for sentence, hosts in about.items():
        whole = set(hosts) == every and len(every) > 1
        whose = _("every endpoint") if whole else named(tuple(hosts), most=_MOST_HOSTS)
        yield _("{name}: {says}", name=whose, says=one_line(translated(sentence), limit=900))


def summary(result: Audit) -> str:
    """One line: of how many required endpoints the path is there, is missing, and is not known."""
    paths = [result.path_to(host) for host in result.required]
    counts = {path: paths.count(path) for path in Path}
    differing = len({row.host for row in result.rows if row.agrees is False})
    total = ngettext("{count} required endpoint", "{count} required endpoints", len(paths))
    where = _(" for {location}", location=result.region.name) if result.region else ""
    judged = result.diagnosis
    found = _("No findings.")
    if judged.findings:
        found = _("Findings: {summary}", summary=findings.summary(judged))
    told = _(
        "{total}{where}: the path to {there} is there, to {missing} missing, to {unknown} not known; "
        "{differing} not as expected.",
        total=total,
        where=where,
        there=counts[Path.THERE],
        missing=counts[Path.MISSING],
        unknown=counts[Path.UNKNOWN],
        differing=differing,
    )
    return f"{told} {found}"
