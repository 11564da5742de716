"""The reference of JSON documents is what commands really print."""

import json

import pytest
from tests.cli.running import Run
from tests.cli.test_explain import CASES
from tests.cli.test_report import handed_in
from tests.json_documents import kinds, script, unknown

from arcferry.report.page.documents import KINDS

COMMANDS = {
    "findings": ("explain", *map(str, handed_in())),
    "pages": ("explain", "AZCM0026", "route/community-not-in-filter"),
    "names": ("explain", "--list"),
    "route-plan": ("routes", "plan", "--location", "eastasia", "--with", str(handed_in()[-1])),
    "audit": ("routes", "audit", "--location", "eastasia", *map(str, handed_in())),
    "features": ("features", "--location", "eastasia"),
    "alternatives": ("alternatives", "--location", "eastasia"),
    "locations": ("locations",),
    "data": ("data", "show"),
    "runs": ("onboard", "status"),
}


@pytest.mark.parametrize("kind", COMMANDS)
def test_every_field_that_is_printed_stands_there(arcferry: Run, kind: str) -> None:
    ended = arcferry(*COMMANDS[kind], "--output", "json")
    document = json.loads(ended.out)
    assert document["kind"] == kind
    assert unknown(document) == []
    told = kinds()[kind]
    assert told.open or set(told.of) - set(document) <= {"private_link", "since"}


def test_a_check_and_its_findings_stand_there() -> None:
    document = json.loads((CASES / "kept-evidence/check.json").read_text(encoding="utf-8"))
    assert unknown(document) == []
    assert {"endpoints", "findings", "evidence"} <= set(kinds()["check"].of)


def test_a_field_that_nobody_wrote_down_is_found() -> None:
    assert unknown({"schema": 1, "kind": "audit", "endpoints": [{"host": "a", "extra": 1}]}) == [
        "audit.endpoints.extra"
    ]


def test_every_kind_that_a_page_is_made_of_is_there() -> None:
    assert set(KINDS) <= set(kinds())
    assert all({"schema", "kind"} <= set(one.fields.of) for one in script().documents())
