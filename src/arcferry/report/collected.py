"""What hosts left on a share: JSON, JSON lines, or a table of the hosts with what failed and why."""

import json
from collections.abc import Iterator
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from arcferry.export.collect import Collection
from arcferry.export.result import Reported
from arcferry.report.console import mark
from arcferry.report.fleet import STYLES, causes, finding_fields, host_document, named_hosts
from arcferry.text import one_line
from arcferry.times import to_text

_SCHEMA = 1
_MOST_NAMED = 8
_HEADERS = ("HOST", "RESULT", "BY", "ENDED", "STEP", "CODE", "CAUSE")


def document(collection: Collection) -> dict[str, Any]:
    """Everything as one JSON document."""
    return {
        **_head(collection),
        "hosts": [_host(host) for host in collection.hosts],
        "skipped": [{"file": one.file, "why": one.why} for one in collection.skipped],
        "missing": list(collection.missing),
        "strangers": list(collection.strangers),
        "unclear": _unclear(collection),
        "doubts": [{"file": one.file, "says": one.why} for one in collection.doubts],
        "findings": [finding_fields(one) for one in collection.findings],
    }


def json_lines(collection: Collection) -> Iterator[str]:
    """One line a host, one a finding, then one for the whole."""
    for host in collection.hosts:
        yield _line({"schema": _SCHEMA, "kind": "host", **_host(host)})
    for one in collection.findings:
        yield _line({"schema": _SCHEMA, "kind": "finding", **finding_fields(one)})
    skipped = [{"file": one.file, "why": one.why} for one in collection.skipped]
    rest = {
        "skipped": skipped,
        "missing": list(collection.missing),
        "strangers": list(collection.strangers),
        "unclear": _unclear(collection),
        "doubts": [{"file": one.file, "says": one.why} for one in collection.doubts],
    }
    yield _line(_head(collection) | rest)


def _unclear(collection: Collection) -> list[dict[str, Any]]:
    return [{"host": one.host, "may_be": list(one.may_be)} for one in collection.unclear]


def _line(fields: dict[str, Any]) -> str:
    return json.dumps(fields, ensure_ascii=False)


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
    table = Table(box=None, header_style="bold", pad_edge=False)
    for header in _HEADERS:
        table.add_column(header, overflow="fold")
    for host, cells in zip(collection.hosts, _rows(collection), strict=True):
        word = _word(host)
        table.add_row(*map(Text, (cells[0], mark(word, console), *cells[2:])), style=_style(word))
    console.print(table)
    for line in _beneath(collection):
        style = "" if line.startswith(" ") else _style(line.partition("  ")[0])
        console.print(Text(line, style=style), soft_wrap=True)
    word = "ok" if collection.all_good else "FAIL"
    console.print(Text(f"{mark(word, console)}  {summary(collection)}", style=STYLES[word]), soft_wrap=True)


def plain(collection: Collection) -> Iterator[str]:
    """The same without a terminal: columns by two blanks."""
    rows = [_HEADERS, *_rows(collection)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for cells in rows:
        yield "  ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)).rstrip()
    yield ""
    yield from _beneath(collection)
    yield summary(collection)


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


def _rows(collection: Collection) -> list[tuple[str, ...]]:
    causes: dict[str, str] = {}
    for one in collection.findings:
        for name in one.hosts:
            causes.setdefault(name, one.finding.cause)
    return [_row(host, causes.get(host.name, "")) for host in collection.hosts]


def _row(host: Reported, cause: str) -> tuple[str, ...]:
    failure = host.run.failure
    ended = to_text(host.ended) if host.ended else ""
    step, code = (failure.step, failure.code) if failure else ("", "")
    return (host.name, _word(host), host.via, ended, step, code, cause)


def _word(host: Reported) -> str:
    return "FAIL" if host.failed else "ok"


def _style(word: str) -> str:
    return "" if word == "ok" else STYLES.get(word, "")


def _beneath(collection: Collection) -> Iterator[str]:
    yield from _failures(collection)
    yield from causes(collection.findings)
    if collection.missing:
        yield f"warn  not reported: {named_hosts(collection.missing)}"
    if collection.strangers:
        yield f"warn  not in the inventory: {named_hosts(collection.strangers)}"
    for unclear in collection.unclear:
        names = " or ".join(unclear.may_be[:_MOST_NAMED])
        yield f"warn  {unclear.host} may be {names}: it counts for none; list servers by their whole names"
    for doubt in collection.doubts:
        yield f"warn  {doubt.file}: {doubt.why}"
    for skipped in collection.skipped:
        yield f"warn  {skipped.file}: {skipped.why}"


def _failures(collection: Collection) -> Iterator[str]:
    """One line for each way to fail, with the hosts, then the way out."""
    groups: dict[tuple[str, str, str], list[str]] = {}
    for host in collection.failed:
        failure = host.run.failure
        if failure is not None:
            groups.setdefault((failure.step, failure.says, failure.hint), []).append(host.name)
    for (step, says, hint), names in groups.items():
        yield f"FAIL  {named_hosts(names)}: {step}: {one_line(says, limit=600)}"
        if hint:
            yield f"      way out: {one_line(hint, limit=600)}"
