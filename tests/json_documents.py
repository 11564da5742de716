"""Documents that commands really print, beside what the reference of the site says of them."""

import importlib.util
import json
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

SCRIPT = Path(__file__).parents[1] / "scripts/json_documents.py"


@cache
def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("json_documents", SCRIPT)
    assert spec
    assert spec.loader
    module = sys.modules["json_documents"] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@cache
def kinds() -> dict[str, Any]:
    """Every kind that the reference has, with its fields."""
    return {one.kind: one.fields for one in script().documents()}


def known(printed: str) -> dict[str, Any]:
    """The document that a command has printed; the reference must have all of its fields."""
    document: dict[str, Any] = json.loads(printed)
    lacking = unknown(document)
    assert lacking == [], lacking
    return document


def unknown(document: Any) -> list[str]:  # noqa: ANN401  # any JSON
    """The fields of a document that the reference does not have."""
    return list(_unknown(document, kinds()[document["kind"]], str(document["kind"])))


def _unknown(value: Any, fields: Any, place: str) -> Iterator[str]:  # noqa: ANN401  # any JSON
    if place.count(".") == 1 and place.endswith(".evidence"):  # which has a reader of its own
        return
    if isinstance(value, list):
        for one in value:
            yield from _unknown(one, fields, place)
    elif isinstance(value, dict):
        for name, inner in value.items():
            known = fields.of.get(name, fields.of.get("NAME"))
            if known is not None:
                yield from _unknown(inner, known, f"{place}.{name}")
            elif not fields.open:
                yield f"{place}.{name}"
