"""Findings as data: the JSON document, or one JSON object a line."""

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from arcferry.diagnosis import Diagnosis, Severity
from arcferry.diagnosis.finding import Evidence, Finding, Taken
from arcferry.times import to_text

SCHEMA = 1


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
    }


def document(diagnosis: Diagnosis) -> dict[str, Any]:
    """The findings document."""
    return {
        "schema": SCHEMA,
        "kind": "findings",
        "inputs": [_input(taken) for taken in diagnosis.inputs],
        "findings": [finding_document(finding) for finding in diagnosis.findings],
    }


def json_lines(diagnosis: Diagnosis) -> Iterator[dict[str, Any]]:
    """One line a finding, then one that sums up what was handed in."""
    for finding in diagnosis.findings:
        yield {"schema": SCHEMA, "kind": "finding", **finding_document(finding)}
    errors = sum(finding.severity is Severity.ERROR for finding in diagnosis.findings)
    inputs = [_input(taken) for taken in diagnosis.inputs]
    yield {"schema": SCHEMA, "kind": "findings", "inputs": inputs, "errors": errors}
