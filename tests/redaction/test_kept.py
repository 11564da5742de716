"""What is no secret stays: hosts, GUIDs, hashes, paths, versions, codes, instants, files and regions."""

import json
from pathlib import Path

import pytest

from arcferry.redaction import mask, redact

_TESTS = Path(__file__).parents[1]
_SHARED = _TESTS.parents[1] / "shared"
_HIDDEN_RIGHTLY = {
    "neighbor 192.0.2.2 password 7 0822455D0A16544541",
    "snmp-server community s3cr3tRO RO",
    # Who holds a circuit's service key can connect to it, and a signature proves who holds a prefix.
    "ServiceKey                       : 11111111-2222-3333-4444-555555555555",
    '"Signature": "c2VjcmV0LXNpZ25hdHVyZQ==",',
    (
        "False                     Enabled                     eastasia    er-quay  Succeeded"
        "            rg-quay          0badf00d-1111-4222-8333-00000000beef  NotProvisioned"
    ),
}


@pytest.mark.parametrize(
    "line",
    json.loads(Path(__file__).with_name("kept.json").read_text(encoding="utf-8")),
)
def test_a_line(line: str) -> None:
    assert mask(line) == line


def _texts() -> list[Path]:
    places = (_TESTS / "cases", _TESTS / "routing/tables/cases", _TESTS / "evidence/readers/samples")
    return [path for place in places for path in sorted(place.rglob("*")) if path.suffix in (".txt", ".log")]


def _changed(path: Path) -> list[str]:
    data = path.read_bytes()
    text = data.decode("utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8", errors="replace")
    lines = zip(text.split("\n"), mask(text).split("\n"), strict=True)
    return [before.strip() for before, after in lines if before != after]


def test_every_sample_and_case() -> None:
    assert {line for path in _texts() for line in _changed(path)} <= _HIDDEN_RIGHTLY


@pytest.mark.shared
def test_service_tags_are_not_touched() -> None:
    path = _SHARED / "data/ServiceTags_Public_20251028.json"
    if not path.exists():
        pytest.skip("no shared data beside the checkout")
    text = path.read_text(encoding="utf-8")
    assert redact(text) == text
