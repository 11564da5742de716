"""What hosts left on a share: JSON, JSON lines, or a table of the hosts with what failed and why."""

from collections.abc import Iterator
from typing import Any

from rich.console import Console

from arcferry.export.collect import Collection
from arcferry.export.result import Reported
from arcferry.report import findings_document
from arcferry.report.columns import MOST_NAMED, named
from arcferry.report.console import STYLES, print_line, print_marked, print_sum, print_table
from arcferry.report.fleet import causes, host_document, print_failures
from arcferry.times import to_text

_SCHEMA = 1
_HEADINGS = ("HOST", "RESULT", "BY", "ENDED", "STEP", "CODE", "CAUSE")


def document(collection: Collection) -> dict[str, Any]:
    """Everything as one JSON document."""
    return {
        **_head(collection),
        "hosts": [_host(host) for host in collection.hosts],
        **_left_out(collection),
        **findings_document.fields(collection.diagnosis),
    }


def json_lines(collection: Collection) -> Iterator[dict[str, Any]]:
    """One line a host, one a finding, then one for the whole."""
    for host in collection.hosts:
        yield {"schema": _SCHEMA, "kind": "host", **_host(host)}
    yield from findings_document.lines(collection.diagnosis)
    yield _head(collection) | _left_out(collection)


def _left_out(collection: Collection) -> dict[str, Any]:
    return {
        "skipped": [{"file": one.file, "why": one.why} for one in collection.skipped],
        "missing": list(collection.missing),
        "strangers": list(collection.strangers),
        "unclear": [{"host": one.host, "may_be": list(one.may_be)} for one in collection.unclear],
        "doubts": [{"file": one.file, "says": one.why} for one in collection.doubts],
    }


def _head(collection: Collection) -> dict[str, Any]:
    return {
        "schema": _SCHEMA,
        "kind": "collected",
        "share": str(collection.share),
        "summary": {
            "hosts": len(collection.hosts),
            "connected": len(collection.hosts) - len(collection.failed),
            "failed": len(collection.failed),
            "missing": len(collection.missing),
            "skipped": len(collection.skipped),
        },
    }


def _host(host: Reported) -> dict[str, Any]:
    instants = {"began": host.began, "ended": host.ended}
    known = {name: to_text(instant) if instant else None for name, instant in instants.items()}
    return {**host_document(host.run), "via": host.via, "bundle": host.bundle, **known, "file": host.file}


def draw(collection: Collection, console: Console) -> None:
    """A table, then each failure once with its hosts and the way out, then the sum."""
    print_table(console, _HEADINGS, _rows(collection))
    print_line(console)
    print_failures(console, (host.run for host in collection.failed))
    for line in causes(collection.diagnosis.findings):
        print_line(console, line)
    for says in _doubtful(collection):
        print_marked(console, "warn", says)
    print_sum(console, "ok" if collection.all_good else "FAIL", summary(collection))


def summary(collection: Collection) -> str:
    """One line: how many are connected, and what became of the others."""
    connected = len(collection.hosts) - len(collection.failed)
    parts = [f"{connected} of {len(collection.hosts)} hosts that reported are connected"]
    if collection.failed:
        parts.append(f"{len(collection.failed)} failed")
    if collection.missing:
        parts.append(f"{len(collection.missing)} of the inventory did not report")
    if collection.skipped:
        count = len(collection.skipped)
        parts.append(f"{count} file{'' if count == 1 else 's'} left out")
    return ", ".join(parts)


def _rows(collection: Collection) -> Iterator[tuple[tuple[str, ...], str]]:
    causes: dict[str, str] = {}
    for one in collection.diagnosis.findings:
        for name in one.servers:
            causes.setdefault(name, one.cause)
    for host in collection.hosts:
        failure, word = host.run.failure, "FAIL" if host.failed else "ok"
        ended = to_text(host.ended) if host.ended else ""
        step, code = (failure.step, failure.code) if failure else ("", "")
        cells = (host.name, word, host.via, ended, step, code, causes.get(host.name, ""))
        yield cells, STYLES["FAIL"] if host.failed else ""


def _doubtful(collection: Collection) -> Iterator[str]:
    if collection.missing:
        yield f"not reported: {named(collection.missing)}"
    if collection.strangers:
        yield f"not in the inventory: {named(collection.strangers)}"
    for unclear in collection.unclear:
        names = " or ".join(unclear.may_be[:MOST_NAMED])
        yield f"{unclear.host} may be {names}: it counts for none; list servers by their whole names"
    for one in (*collection.doubts, *collection.skipped):
        yield f"{one.file}: {one.why}"
