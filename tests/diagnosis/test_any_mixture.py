"""Whatever is handed in together, what follows stays sane: every document of every case, in any mixture."""

from collections import Counter
from functools import cache
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from arcferry.diagnosis import Finding, Severity, judge
from arcferry.diagnosis.causes import CAUSES
from arcferry.diagnosis.destination import destinations_of
from arcferry.evidence.case import Case, Document
from arcferry.evidence.reading import read_document

CASES = Path(__file__).parents[1] / "cases"
_MOST = 6


@cache
def documents() -> tuple[Document, ...]:
    """Every document of every case; of the many equal files one each."""
    seen: dict[bytes, Path] = {}
    for path in sorted(CASES.glob("*/*")):
        if path.name != "expected.toml":
            seen.setdefault(path.read_bytes(), path)
    return tuple(one for data, path in seen.items() for one in read_document(path.name, data))


def mixtures() -> st.SearchStrategy[list[Document]]:
    return st.lists(st.integers(0, len(documents()) - 1), max_size=_MOST, unique=True).map(
        lambda chosen: [documents()[number] for number in chosen]
    )


@given(mixtures())
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_any_mixture_of_documents_is_explained_without_contradiction(mixture: list[Document]) -> None:
    findings = judge(mixture).findings
    reached = {one.host for one in destinations_of(Case.of(mixture)) if one.reached}
    for finding in findings:
        assert finding.cause in CAUSES
        assert finding.title
        assert finding.evidence
        assert finding.remedy.summary
        assert bool(finding.would_decide) or finding.confidence != "undetermined"
        assert not finding.would_decide or finding.confidence != "observed"
        if finding.severity is Severity.ERROR:
            assert not reached & {affected.host for affected in finding.endpoints}, finding.title
    once = Counter((finding.cause, affected.host) for finding in findings for affected in finding.endpoints)
    assert not [twice for twice, count in once.items() if count > 1]
    whole = Counter((one.cause, one.title, one.evidence) for one in findings)
    assert not [twice for twice, count in whole.items() if count > 1]


@pytest.mark.parametrize(
    "folder", sorted(path.parent for path in CASES.glob("*/expected.toml")), ids=lambda p: p.name
)
def test_the_order_in_which_a_cases_files_are_handed_in_changes_nothing(folder: Path) -> None:
    files = [path for path in sorted(folder.iterdir()) if path.name != "expected.toml"]
    every = [one for path in files for one in read_document(path.name, path.read_bytes())]
    there, back = judge(every).findings, judge(reversed(every)).findings
    assert [_told(one) for one in there] == [_told(one) for one in back]


def _told(finding: Finding) -> tuple[str, str, list[str]]:
    return finding.cause, finding.confidence, sorted(affected.host for affected in finding.endpoints)
