"""Findings as data: the JSON document, or one JSON object a line."""

import json
from collections.abc import Iterator
from typing import Any

from arcferry.diagnosis import Diagnosis, Severity
from arcferry.diagnosis.finding import Affected, Evidence, Finding, Remedy, Taken
from arcferry.times import to_text

SCHEMA = 1


def _input(taken: Taken) -> dict[str, Any]:
    return {"name": taken.name, "kind": taken.kind, "taken": to_text(taken.taken) if taken.taken else None}


def _endpoint(affected: Affected) -> dict[str, Any]:
    return {
        "host": affected.host,
        "address": affected.address,
        "region": affected.region,
        "service_tag": affected.service_tag,
        "community": affected.community,
    }


def _evidence(line: Evidence) -> dict[str, Any]:
    return {"origin": line.origin, "says": line.says, "taken": to_text(line.taken) if line.taken else None}


def _remedy(remedy: Remedy) -> dict[str, Any]:
    return {
        "summary": remedy.summary,
        "steps": list(remedy.steps),
        "commands": [{"tool": command.tool, "text": command.text} for command in remedy.commands],
        "request": remedy.request,
    }


def finding_document(finding: Finding) -> dict[str, Any]:
    """One finding as in the findings document; an unknown field is an empty text, an unknown instant null."""
    return {
        "cause": finding.cause,
        "title": finding.title,
        "severity": finding.severity.value,
        "confidence": finding.confidence.value,
        "owner": finding.owner.value,
        "endpoints": [_endpoint(affected) for affected in finding.endpoints],
        "evidence": [_evidence(line) for line in finding.evidence],
        "would_decide": list(finding.would_decide),
        "remedy": _remedy(finding.remedy),
    }


def document(diagnosis: Diagnosis) -> dict[str, Any]:
    """The findings document."""
    return {
        "schema": SCHEMA,
        "kind": "findings",
        "inputs": [_input(taken) for taken in diagnosis.inputs],
        "findings": [finding_document(finding) for finding in diagnosis.findings],
    }


def as_json(diagnosis: Diagnosis) -> str:
    """The findings document as indented JSON text."""
    return json.dumps(document(diagnosis), indent=2, ensure_ascii=True)


def json_lines(diagnosis: Diagnosis) -> Iterator[str]:
    """One line a finding, then one that sums up what was handed in."""
    for finding in diagnosis.findings:
        line = {"schema": SCHEMA, "kind": "finding", **finding_document(finding)}
        yield json.dumps(line, ensure_ascii=True)
    errors = sum(finding.severity is Severity.ERROR for finding in diagnosis.findings)
    inputs = [_input(taken) for taken in diagnosis.inputs]
    summary = {"schema": SCHEMA, "kind": "findings", "inputs": inputs, "errors": errors}
    yield json.dumps(summary, ensure_ascii=True)
