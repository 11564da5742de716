"""Every case folder, ours and the shared ones: files somebody would hand in, and what must follow."""

import tomllib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from arcferry.diagnosis import Diagnosis, Finding, Severity, judge
from arcferry.evidence.reading import read_document
from arcferry.language import speaking

_OURS = Path(__file__).parents[1] / "cases"
_SHARED = Path(__file__).parents[3] / "shared"
_SHARED_DATA = ("ServiceTags_Public_20251028.json", "bgp-service-communities-2019-05-30.json")
_ALONE = {"check_alone": "check.txt", "connect_alone": "connect.txt", "download": "download.txt"}
_LEVELS = {"warning": Severity.WARNING, "info": Severity.INFO}


def _folders() -> Iterator[Any]:
    for place in sorted(_OURS.glob("*/expected.toml")):
        yield pytest.param(place.parent, id=place.parent.name)
    for place in sorted(_SHARED.glob("cases/*/expected.toml")):
        yield pytest.param(place.parent, id=f"shared-{place.parent.name}", marks=pytest.mark.shared)
    if not _SHARED.exists():
        skip = pytest.mark.skip(reason="no shared cases beside the checkout")
        yield pytest.param(_OURS, id="shared", marks=skip)


def _expected(folder: Path) -> dict[str, Any]:
    return tomllib.loads((folder / "expected.toml").read_text(encoding="utf-8"))


def _diagnosed(*paths: Path) -> Diagnosis:
    return judge(document for path in paths for document in read_document(path.name, path.read_bytes()))


def _whole(folder: Path, expected: Mapping[str, Any]) -> Diagnosis:
    """Everything in the folder that has no section of its own, with the shared data where a case has none."""
    apart = {_ALONE[section] for section in expected if section in _ALONE} - {"check.txt"}
    paths = [path for path in sorted(folder.iterdir()) if path.name not in apart | {"expected.toml"}]
    if folder.is_relative_to(_SHARED):
        paths += [_SHARED / "data" / name for name in _SHARED_DATA]
    return _diagnosed(*paths)


def _hosts(finding: Finding) -> list[str]:
    return sorted(affected.host for affected in finding.endpoints)


def _wanted_hosts(wanted: Mapping[str, Any]) -> list[str]:
    return sorted([wanted["endpoint"]] if "endpoint" in wanted else wanted.get("endpoints", []))


def _agrees(finding: Finding, wanted: Mapping[str, Any]) -> None:
    for field in ("address", "region", "service_tag", "community"):
        if field in wanted:
            assert {getattr(affected, field) for affected in finding.endpoints} == {wanted[field]}
    for field in ("owner", "confidence", "severity"):
        if field in wanted:
            assert getattr(finding, field) == wanted[field]
    assert set(wanted.get("would_decide", [])) <= set(finding.would_decide)
    assert bool(finding.would_decide) or finding.confidence != "undetermined"
    assert not finding.would_decide or finding.confidence != "observed"
    _says(wanted.get("evidence", []), [f"{line.says} {line.taken}" for line in finding.evidence])
    _says(wanted.get("commands", []), [command.text for command in finding.remedy.commands])
    _says(wanted.get("steps", []), finding.remedy.steps)
    _says(wanted.get("request", []), [finding.remedy.request])


def _says(parts: list[str], texts: Sequence[str]) -> None:
    for part in parts:
        assert any(part in text for text in texts), f"{part!r} is in none of {texts}"


def _matched(diagnosis: Diagnosis, wanted: Mapping[str, Any], severity: Severity) -> Finding:
    """The one finding of this cause about just these endpoints."""
    found = [
        finding
        for finding in diagnosis.findings
        if finding.cause == wanted["cause"]
        and finding.severity is severity
        and (_hosts(finding) == _wanted_hosts(wanted) or not {"endpoint", "endpoints"} & set(wanted))
    ]
    said = [(one.cause, one.severity.value, _hosts(one)) for one in diagnosis.findings]
    assert len(found) == 1, f"wanted {wanted}, found {said}"
    return found[0]


@pytest.mark.parametrize("folder", list(_folders()))
def test_a_case_comes_out_as_its_folder_says(folder: Path) -> None:
    expected = _expected(folder)
    diagnosis = _whole(folder, expected)
    wanted = [(one, Severity.ERROR) for one in [expected.get("finding"), *expected.get("also", [])] if one]
    wanted += [(one, level) for section, level in _LEVELS.items() for one in expected.get(section, [])]
    if at_risk := expected.get("at_risk"):
        risk = {"cause": "risk/steered-answer-may-leave-filter", **at_risk}
        wanted.append((risk, Severity.WARNING))
    for one, severity in wanted:
        _agrees(_matched(diagnosis, one, severity), one)
    assert len(diagnosis.findings) == len(wanted), [finding.cause for finding in diagnosis.findings]
    assert diagnosis.has_errors == any(severity is Severity.ERROR for _, severity in wanted)
    for name, kinds in expected.get("inputs", {}).items():
        assert sorted(kinds.split()) == sorted(taken.kind for taken in diagnosis.inputs if taken.name == name)
    assert "unrecognised" not in {taken.kind for taken in diagnosis.inputs}


def _alone() -> Iterator[Any]:
    for folder in sorted(_SHARED.glob("cases/*")):
        if (folder / "expected.toml").is_file():
            for section in sorted(set(_ALONE) & set(_expected(folder))):
                yield pytest.param(folder, section, id=f"{folder.name}-{section}")


@pytest.mark.shared
@pytest.mark.parametrize(("folder", "section"), list(_alone()))
def test_one_file_of_a_case_alone(folder: Path, section: str) -> None:
    wanted = _expected(folder)[section]
    diagnosis = _diagnosed(folder / _ALONE[section])
    assert len(diagnosis.findings) == 1
    finding = _matched(diagnosis, wanted, Severity.ERROR)
    _agrees(finding, wanted)
    if "code" in wanted:
        assert any(wanted["code"] in line.says for line in finding.evidence)


@pytest.mark.parametrize(
    ("case", "evidence"),
    [("answers-differ-by-resolver", "Japan East (不在篩選器中)"), ("clock-three-minutes", "快 181 秒")],
)
def test_what_code_puts_into_a_line_is_of_the_reader_s_language(case: str, evidence: str) -> None:
    with speaking("zh-TW"):
        found = _whole(_OURS / case, _expected(_OURS / case))
    assert any(evidence in line.says for finding in found.findings for line in finding.evidence)
