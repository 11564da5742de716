"""Sheets of firewall rules: a table, one JSON document, or CSV that a spreadsheet opens safely."""

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any

from arcferry.report.columns import columns
from arcferry.routing.firewall import NameRule, PrefixRule, PrefixSheet
from arcferry.text import one_line

SCHEMA = 1
_NAMES = ("HOST", "PORT", "PROTOCOL", "DIRECTION", "WHEN", "REQUIRED", "OVER PEERING", "REASON")
_PREFIXES = ("PREFIX", "PORT", "PROTOCOL", "DIRECTION", "TAG", "REGION", "WHEN", "AS OF", "REASON")
# What makes a spreadsheet take a cell for a formula.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_TCP, _OUT = "TCP", "outbound"


def names_document(rules: Sequence[NameRule], location: str, cloud: str) -> dict[str, Any]:
    """The rules by name as one JSON document."""
    rows = [_row(rule) | {"pattern": "*" in rule.host} for rule in rules]
    return _head("names", location, cloud) | {"rules": rows}


def prefixes_document(sheet: PrefixSheet, location: str, cloud: str) -> dict[str, Any]:
    """The rules by prefix as one JSON document."""
    rows = [
        _row(rule) | {"region": rule.region or None, "taken": rule.taken.isoformat() if rule.taken else None}
        for rule in sheet.rules
    ]
    more = {"lacking": list(sheet.lacking), "sources": list(sheet.sources)}
    return _head("prefixes", location, cloud) | {"rules": rows} | more


def _head(form: str, location: str, cloud: str) -> dict[str, Any]:
    return {"schema": SCHEMA, "kind": f"firewall-{form}", "cloud": cloud, "location": location}


def _row(rule: NameRule | PrefixRule) -> dict[str, Any]:
    return {**asdict(rule), "protocol": _TCP, "direction": _OUT}


def name_rows(rules: Sequence[NameRule]) -> Iterator[tuple[str, ...]]:
    """The headings, then one row a name."""
    yield _NAMES
    for rule in rules:
        required, carried = (("no", "yes")[good] for good in (rule.required, rule.over_peering))
        yield rule.host, str(rule.port), _TCP, _OUT, rule.when, required, carried, rule.reason


def prefix_rows(rules: Sequence[PrefixRule]) -> Iterator[tuple[str, ...]]:
    """The headings, then one row a prefix."""
    yield _PREFIXES
    for rule in rules:
        taken = rule.taken.isoformat() if rule.taken else "unknown"
        where = (rule.tag, rule.region, rule.when, taken, rule.reason)
        yield rule.prefix, str(rule.port), _TCP, _OUT, *where


def as_table(rows: Iterator[tuple[str, ...]]) -> Iterator[str]:
    """Aligned columns."""
    return columns(tuple(map(one_line, row)) for row in rows)


def as_csv(rows: Iterator[tuple[str, ...]]) -> str:
    """Comma-separated values, headings in lower case; a cell that would be a formula gets an apostrophe."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(heading.lower().replace(" ", "_") for heading in next(rows))
    for row in rows:
        cells = map(one_line, row)
        writer.writerow(f"'{cell}" if cell.startswith(_FORMULA) else cell for cell in cells)
    return text.getvalue()
