"""Many failing hosts: each cause once, and no more evidence than a file may hold."""

import json
from pathlib import Path

import pytest

from arcferry.diagnosis import judge
from arcferry.evidence import kept
from arcferry.evidence.case import Document
from arcferry.evidence.reading import read_document
from arcferry.fleet import findings
from arcferry.report import as_json

SAMPLES = Path(__file__).parents[1] / "evidence/readers/samples/agent-check"


def documents() -> tuple[Document, ...]:
    path = SAMPLES / "old-table.txt"
    return read_document(path.name, path.read_bytes())


def test_hosts_whose_evidence_finds_no_room_are_named_and_judged_all_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    alone = findings.findings_of([(["web01"], documents())])
    monkeypatch.setattr(findings, "_MOST_KEPT", len(json.dumps(kept.to_json(alone.case))))
    found = findings.findings_of([(["web01"], documents()), (["web02", "web03"], documents())])
    assert found.left_out == ("web02", "web03")
    assert {finding.servers for finding in found.findings} == {("web01", "web02", "web03")}
    assert {document.servers for document in found.case.handed_in} == {("web01",)}
    again = judge(read_document("run.json", json.dumps(as_json.fields(found)).encode()))
    assert [one.title for one in again.findings] == [one.title for one in found.findings]
