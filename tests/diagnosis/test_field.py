"""Incidents from the field, labelled: what must come out, what must not, and which words must be there."""

import json
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

from arcferry.diagnosis import Diagnosis, Finding, Severity, judge
from arcferry.evidence.reading import read_document
from arcferry.report import as_json

_FIELD = Path(__file__).parents[3] / "shared/cases/field-2026-11"
_DATA = _FIELD.parents[1] / "data"
_FOLDERS = sorted(place.parent for place in _FIELD.glob("*/expected.toml")) or [_FIELD]


def _diagnosed(folder: Path, expected: dict[str, Any]) -> Diagnosis:
    paths = [path for path in sorted(folder.iterdir()) if path.name != "expected.toml"]
    paths.append(_DATA / "ServiceTags_Public_20251028.json")
    if not expected.get("no_default_communities"):
        paths.append(_DATA / "bgp-service-communities-2019-05-30.json")
    return judge(one for path in paths for one in read_document(path.name, path.read_bytes()))


def _is_wanted(finding: Finding, wanted: dict[str, str]) -> bool:
    return bool(
        re.search(wanted["cause"], finding.cause)
        and wanted.get("endpoint") in (None, *(one.host for one in finding.endpoints))
        and wanted.get("community") in (None, *(one.community for one in finding.endpoints))
        and wanted.get("owner") in (None, finding.owner)
        and wanted.get("confidence") in (None, finding.confidence)
    )


@pytest.mark.shared
@pytest.mark.skipif(not _FIELD.exists(), reason="no incidents from the field beside the checkout")
@pytest.mark.parametrize("folder", _FOLDERS, ids=lambda folder: folder.name)
def test_an_incident_comes_out_as_labelled(folder: Path) -> None:
    expected = tomllib.loads((folder / "expected.toml").read_text(encoding="utf-8"))
    diagnosis = _diagnosed(folder, expected)
    found = diagnosis.findings
    told = [(one.cause, one.owner, one.confidence, [at.host for at in one.endpoints]) for one in found]
    errors = [one for one in found if one.severity is Severity.ERROR]
    text = json.dumps(as_json.findings(diagnosis), ensure_ascii=False)
    for wanted in expected.get("finding", ()):
        assert any(_is_wanted(one, wanted) for one in found), (wanted, told)
    if never := expected.get("never", {}).get("cause"):
        assert not [one.cause for one in errors if re.search(never, one.cause)]
    assert len(errors) <= expected.get("errors_at_most", len(errors))
    assert [words for words in expected.get("mentions", ()) if not re.search(words, text)] == []
    assert [secret for secret in expected.get("forbid_text", ()) if secret in text] == []
