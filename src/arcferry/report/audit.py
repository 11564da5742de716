"""An audit: a document, lines of documents, or a table of expected and observed with what follows from it."""

import json
from collections.abc import Iterator, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from arcferry.diagnosis.audit import Audit, Expected, Observed, Path, Row
from arcferry.diagnosis.finding import Diagnosis, Taken
from arcferry.diagnosis.words import how_to_get
from arcferry.report import findings, findings_document
from arcferry.routing.reception import Reception
from arcferry.text import one_line
from arcferry.times import to_text

SCHEMA = 1
HEADERS = ("ENDPOINT", "EXPECTED", "OBSERVED", "AGREES", "PATH")
_UNDISCOVERED = "<regional HIS>"
_AGREES = {True: "yes", False: "NO", None: "unknown"}
_PATHS = {Path.THERE: "there", Path.MISSING: "MISSING", Path.UNKNOWN: "not known"}
_STYLES = {Path.THERE: "green", Path.MISSING: "bold red", Path.UNKNOWN: "dim"}
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
    of_findings = findings_document.document(result.diagnosis)
    return {
        "schema": SCHEMA,
        "kind": "audit",
        "cloud": result.cloud.name,
        "location": result.region.name if result.region else None,
        "inputs": of_findings["inputs"],
        "circuits": list(result.circuits),
        "endpoints": [_row(row) for row in result.rows],
        "missing": list(result.missing),
        "would_sharpen": list(result.would_sharpen),
        "findings": of_findings["findings"],
    }


def as_json(result: Audit) -> str:
    """The document as indented JSON text."""
    return json.dumps(document(result), indent=2, ensure_ascii=True)


def json_lines(result: Audit) -> Iterator[str]:
    """One line an endpoint, one a finding, then one that sums up."""
    whole = document(result)
    for row in whole.pop("endpoints"):
        yield json.dumps({"schema": SCHEMA, "kind": "audited-endpoint", **row}, ensure_ascii=True)
    for finding in whole.pop("findings"):
        yield json.dumps({"schema": SCHEMA, "kind": "finding", **finding}, ensure_ascii=True)
    yield json.dumps(whole, ensure_ascii=True)


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
    _draw_inputs(result.diagnosis.inputs, console)
    console.print()
    if console.is_terminal:
        console.print(_table(result.rows))
    else:
        for line in _plain_table(result.rows):
            _line(console, line)
    _draw_circuits(result.circuits, console)
    _draw_differences(result.rows, console)
    for finding in result.diagnosis.findings:
        console.print()
        findings.draw_finding(finding, console)
    _draw_sharpening(result, console)
    console.print()
    _line(console, summary(result))


def _draw_inputs(inputs: Sequence[Taken], console: Console) -> None:
    _line(console, "Taken for", "bold")
    width = max((len(taken.name) for taken in inputs), default=0)
    for taken in inputs:
        asof = f", as of {taken.taken.date()}" if taken.taken else ""
        name = one_line(taken.name, limit=120)
        _line(console, f"  {name.ljust(min(width, 120))}  {taken.kind.replace('-', ' ')}{asof}")


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


def _table(rows: Sequence[Row]) -> Table:
    table = Table(box=None, header_style="bold", pad_edge=False)
    for header in HEADERS:
        table.add_column(header, overflow="fold", no_wrap=header in ("AGREES", "PATH"))
    for row in rows:
        *told, path = cells(row)
        table.add_row(*map(Text, told), Text(path, _STYLES[row.path]))
    return table


def _plain_table(rows: Sequence[Row]) -> Iterator[str]:
    listed = [HEADERS, *map(cells, rows)]
    widths = [max(map(len, column)) for column in zip(*listed, strict=True)]
    for line in listed:
        yield "  |".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()


def _draw_circuits(circuits: Sequence[str], console: Console) -> None:
    if circuits:
        console.print()
        _line(console, "Circuit", "bold")
        for sentence in circuits:
            _line(console, f"  {one_line(sentence, limit=900)}")


def _draw_differences(rows: Sequence[Row], console: Console) -> None:
    """Each sentence once, with the endpoints that it is about."""
    about: dict[str, dict[str, None]] = {}
    for row in rows:
        for sentence in row.differences:
            about.setdefault(sentence, {})[row.host or _UNDISCOVERED] = None
    if not about:
        return
    every = {row.host or _UNDISCOVERED for row in rows}
    console.print()
    _line(console, "Differences, and what the sources leave open", "bold")
    for sentence, hosts in about.items():
        whose = "every endpoint" if set(hosts) == every and len(every) > 1 else _hosts(list(hosts))
        _line(console, f"  {whose}: {one_line(sentence, limit=900)}")


def _hosts(hosts: Sequence[str]) -> str:
    shown = ", ".join(hosts[:_MOST_HOSTS])
    return f"{shown} and {len(hosts) - _MOST_HOSTS} more" if len(hosts) > _MOST_HOSTS else shown


def _draw_sharpening(result: Audit, console: Console) -> None:
    if not result.would_sharpen:
        return
    console.print()
    _line(console, "Would tell more", "bold")
    for kind in result.would_sharpen:
        _line(console, f"  {kind}: {how_to_get()[kind]}" if kind in how_to_get() else f"  {kind}")


def _line(console: Console, text: str, style: str = "") -> None:
    console.print(Text(text, style), soft_wrap=not console.is_terminal)


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
