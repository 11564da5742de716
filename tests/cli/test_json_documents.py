"""The reference of JSON documents is what commands really print."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from tests.cli.running import Run
from tests.cli.test_explain import CASES
from tests.cli.test_report import handed_in
from tests.json_documents import is_of, kinds, script, unknown

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


@pytest.mark.parametrize(
    ("field", "told"),
    [
        ({"cloud": None}, "audit.cloud: text in the reference, and here null"),
        ({"circuits": {}}, "audit.circuits: list of texts in the reference, and here {}"),
        (
            {"endpoints": [{"required": "yes"}]},
            'audit.endpoints.required: true or false in the reference, and here "yes"',
        ),
    ],
)
def test_a_value_of_another_type_than_the_reference_says_is_found(
    field: dict[str, object], told: str
) -> None:
    assert unknown({"schema": 1, "kind": "audit", **field}) == [told]


@pytest.mark.parametrize(
    ("value", "words", "is_so"),
    [
        ("2026-11-29T08:00:00Z", "instant", True),
        ("yesterday", "instant or null", False),
        ("", "instant or empty text", True),
        ("2026-11-29", "day", True),
        (True, "number", False),
        (1.5, "number or null", True),
        (False, "true or false or null", True),
        (None, "true or false or null", True),
        (None, "true or false", False),
        ([], "list of objects", True),
        (["a", 1], "list of texts", False),
        ([{}], "list of objects of kind errand", True),
        (["2026-11-29"], "list of days or null", True),
    ],
)
def test_a_type_is_told_in_words(value: object, words: str, is_so: bool) -> None:
    assert is_of(value, words) is is_so


def test_every_field_has_a_type_and_every_type_a_field() -> None:
    named = {
        (kind, place): inner.type for kind, fields in kinds().items() for place, inner in fields_of(fields)
    }
    assert [place for place, words in named.items() if not words] == []
    told = script().types()
    everywhere = {place for _, place in named}
    assert [place for place in told.pop("every") if place not in everywhere] == []
    assert [(kind, place) for kind in told for place in told[kind] if (kind, place) not in named] == []


def fields_of(fields: Any, above: str = "") -> Iterator[tuple[str, Any]]:  # noqa: ANN401  # the script's own
    for name, inner in fields.of.items():
        yield f"{above}{name}", inner
        yield from fields_of(inner, f"{above}{name}.")
