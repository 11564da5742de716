"""Findings as data: the JSON document, or one JSON object a line."""

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from arcferry.diagnosis import Diagnosis, Severity
from arcferry.diagnosis.finding import Evidence, Finding, Taken
from arcferry.evidence import kept
from arcferry.times import to_text

SCHEMA = 1


def inputs(diagnosis: Diagnosis) -> list[dict[str, Any]]:
    """What each file that was handed in was taken for."""
    return [_input(taken) for taken in diagnosis.inputs]


def _input(taken: Taken) -> dict[str, Any]:
    return {"name": taken.name, "kind": taken.kind, "taken": to_text(taken.taken) if taken.taken else None}


def _evidence(line: Evidence) -> dict[str, Any]:
    return {"origin": line.origin, "says": line.says, "taken": to_text(line.taken) if line.taken else None}


def finding_document(finding: Finding) -> dict[str, Any]:
    """One finding as in the findings document; an unknown field is an empty text, an unknown instant null."""
    return {
        "cause": finding.cause,
        "title": finding.title,
        "severity": finding.severity.value,
        "confidence": finding.confidence.value,
        "owner": finding.owner.value,
        "endpoints": list(map(asdict, finding.endpoints)),
        "evidence": [_evidence(line) for line in finding.evidence],
        "would_decide": list(finding.would_decide),
        "remedy": asdict(finding.remedy),
        **({"hosts": list(finding.servers)} if finding.servers else {}),
    }


def fields(diagnosis: Diagnosis) -> dict[str, Any]:
    """What every document with findings has: these, and the evidence, from which `explain` has the same."""
    return {
        "findings": [finding_document(finding) for finding in diagnosis.findings],
        kept.KEY: kept.to_json(diagnosis.case, diagnosis.left_out),
    }


def lines(diagnosis: Diagnosis) -> Iterator[dict[str, Any]]:
    """The same as lines: one a finding, then one for the evidence."""
    for finding in diagnosis.findings:
        yield {"schema": SCHEMA, "kind": "finding", **finding_document(finding)}
    yield kept.to_json(diagnosis.case, diagnosis.left_out)


def document(diagnosis: Diagnosis) -> dict[str, Any]:
    """The findings document."""
    return {
        "schema": SCHEMA,
        "kind": "findings",
        "inputs": inputs(diagnosis),
        **fields(diagnosis),
    }


def json_lines(diagnosis: Diagnosis) -> Iterator[dict[str, Any]]:
    """One line a finding, one for the evidence, then one that sums up what was handed in."""
    yield from lines(diagnosis)
    errors = sum(finding.severity is Severity.ERROR for finding in diagnosis.findings)
    yield {"schema": SCHEMA, "kind": "findings", "inputs": inputs(diagnosis), "errors": errors}
