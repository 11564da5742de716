"""Sheets of firewall rules: a table, one JSON document, or CSV that a spreadsheet opens safely."""

import csv
import io
from collections.abc import Iterator, Sequence
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
    return {
        "schema": SCHEMA,
        "kind": "firewall-names",
        "cloud": cloud,
        "location": location,
        "rules": [
            {
                "host": rule.host,
                "pattern": rule.is_pattern,
                "port": rule.port,
                "protocol": _TCP,
                "direction": _OUT,
                "when": rule.when,
                "required": rule.required,
                "over_peering": rule.over_peering,
                "reason": rule.reason,
                "source": rule.source,
            }
            for rule in rules
        ],
    }


def prefixes_document(sheet: PrefixSheet, location: str, cloud: str) -> dict[str, Any]:
    """The rules by prefix as one JSON document."""
    return {
        "schema": SCHEMA,
        "kind": "firewall-prefixes",
        "cloud": cloud,
        "location": location,
        "rules": [
            {
                "prefix": rule.prefix,
                "port": rule.port,
                "protocol": _TCP,
                "direction": _OUT,
                "tag": rule.tag,
                "region": rule.region or None,
                "when": rule.when,
                "taken": rule.taken.isoformat() if rule.taken else None,
                "reason": rule.reason,
            }
            for rule in sheet.rules
        ],
        "lacking": list(sheet.lacking),
        "sources": list(sheet.sources),
    }


def name_rows(rules: Sequence[NameRule]) -> Iterator[tuple[str, ...]]:
    """The headings, then one row a name."""
    yield _NAMES
    for rule in rules:
        required, carried = (("no", "yes")[fact] for fact in (rule.required, rule.over_peering))
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
    return columns(tuple(one_line(cell) for cell in row) for row in rows)


def as_csv(rows: Iterator[tuple[str, ...]]) -> str:
    """Comma-separated values, headings in lower case; a cell that would be a formula gets an apostrophe."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    for number, row in enumerate(rows):
        cells = [one_line(cell) for cell in row]
        if number:
            cells = [f"'{cell}" if cell.startswith(_FORMULA) else cell for cell in cells]
        else:
            cells = [cell.lower().replace(" ", "_") for cell in cells]
        writer.writerow(cells)
    return text.getvalue()
