"""Results as data: what all JSON documents have in common, and the lines that each of them becomes."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict
from datetime import date, datetime
from typing import Any

from arcferry.catalog import Announced
from arcferry.diagnosis import Diagnosis, Severity
from arcferry.diagnosis.finding import Finding
from arcferry.evidence import kept
from arcferry.times import to_text

SCHEMA = 1


def picked(one: object, *names: str) -> dict[str, Any]:
    """These attributes as JSON has them: an instant or a day is a text, a tuple a list."""
    return {name: _plain(getattr(one, name)) for name in names}


def _plain(value: object) -> object:
    match value:
        case datetime():
            return to_text(value)
        case date():
            return value.isoformat()
        case tuple():
            return list(value)
        case Mapping():
            return dict(value)
        case _:
            return value


def inputs(diagnosis: Diagnosis) -> list[dict[str, Any]]:
    """What each file that was handed in was taken for."""
    return [picked(taken, "name", "kind", "taken") for taken in diagnosis.inputs]


def finding_document(finding: Finding) -> dict[str, Any]:
    """One finding as in every document; an unknown field is an empty text, an unknown instant null."""
    return {
        **picked(finding, "cause", "title", "severity", "confidence", "owner"),
        "endpoints": list(map(asdict, finding.endpoints)),
        "evidence": [picked(line, "origin", "says", "taken") for line in finding.evidence],
        "would_decide": list(finding.would_decide),
        "remedy": asdict(finding.remedy),
        **({"hosts": list(finding.servers)} if finding.servers else {}),
    }


def fields(diagnosis: Diagnosis) -> dict[str, Any]:
    """What every document with findings has: these, and the evidence, from which `explain` has the same."""
    return {
        "findings": list(map(finding_document, diagnosis.findings)),
        kept.KEY: kept.to_json(diagnosis.case, diagnosis.left_out),
    }


def findings(diagnosis: Diagnosis) -> dict[str, Any]:
    """The findings document."""
    told = {"inputs": inputs(diagnosis), "outcome": diagnosis.outcome.value}
    return {"schema": SCHEMA, "kind": "findings", **told, **fields(diagnosis)}


def ahead(found: Iterable[Announced]) -> list[dict[str, Any]]:
    """What begins or ends on a day that is known."""
    return [picked(one, "day", "host", "says", "source", "begins") for one in found]


def lines(document: Mapping[str, Any], rows: str = "", kind: str = "") -> Iterator[dict[str, Any]]:
    """A document as lines: one a row, one a finding, one for the evidence, then one for the rest.

    Args:
        document: all of it, or the fields that are wanted.
        rows: the field with a row for everything that was looked at.
        kind: what such a row is called.
    """
    rest = dict(document)
    for row in rest.pop(rows, ()):
        yield {"schema": SCHEMA, "kind": kind, **row}
    for finding in rest.pop("findings", ()):
        yield {"schema": SCHEMA, "kind": "finding", **finding}
    if kept.KEY in rest:
        yield rest.pop(kept.KEY)
    if rest:
        yield rest


def finding_lines(diagnosis: Diagnosis) -> Iterator[dict[str, Any]]:
    """The findings document as lines; the last one counts the errors."""
    errors = sum(finding.severity is Severity.ERROR for finding in diagnosis.findings)
    return lines(findings(diagnosis) | {"errors": errors})
