"""Every case: a document as somebody hands it over, and what must be read from it."""

import json
from pathlib import Path

import pytest

from arcferry.routing.route import RouteTable
from arcferry.routing.tables import FORMATS, read_route_file, read_route_table

CASES = sorted(path for path in (Path(__file__).parent / "cases").iterdir() if path.is_dir())


def document(case: Path) -> Path:
    return next(path for path in case.iterdir() if path.stem == "input")


def as_json(table: RouteTable) -> dict[str, object]:
    return {
        "format": table.format,
        "vantage": table.vantage.value,
        "taken": table.taken.isoformat() if table.taken else None,
        "shows_communities": table.shows_communities,
        "complete": table.complete,
        "values": table.values,
        "notes": list(table.notes),
        **({"asked": list(table.asked)} if table.asked else {}),
        "routes": [
            [
                route.prefix,
                route.next_hop,
                " ".join(map(str, route.as_path)),
                " ".join(route.communities),
                route.best,
                route.filtered,
                *(["own"] if route.own else []),
            ]
            for route in table.routes
        ],
    }


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_is_read_as_expected(case: Path) -> None:
    table = read_route_table("dump", document(case).read_bytes())
    assert table is not None
    assert as_json(table) == json.loads((case / "expected.json").read_text(encoding="utf-8"))
    assert table.size == len(list(table.routes))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_is_taken_for_its_own_format(case: Path) -> None:
    """A case's folder begins with its format."""
    table = read_route_table("dump", document(case).read_bytes())
    assert table is not None
    assert max((name for name in FORMATS if case.name.startswith(name)), key=len) == table.format


def test_every_format_has_cases() -> None:
    found = {json.loads((case / "expected.json").read_text(encoding="utf-8"))["format"] for case in CASES}
    assert found == set(FORMATS)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_file_reads_as_its_bytes(case: Path) -> None:
    path = document(case)
    streamed, held = read_route_file(path), read_route_table(path.name, path.read_bytes())
    assert streamed is not None
    assert held is not None
    assert as_json(streamed) == as_json(held)
