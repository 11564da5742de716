"""Documents that commands really print, beside what the reference of the site says of them."""

import importlib.util
import json
import re
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

TYPES = {
    "text": (str,),
    "number": (int, float),
    "true or false": (bool,),
    "object": (dict,),
    "list": (list,),
    "null": (type(None),),
}
SHAPES = {
    "instant": re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z"),
    "day": re.compile(r"\d{4}-\d\d-\d\d"),
    "empty text": re.compile(""),
}
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
    """The document that a command has printed; the reference must have all of its fields, and their types."""
    document: dict[str, Any] = json.loads(printed)
    lacking = unknown(document)
    assert lacking == [], lacking
    return document


def unknown(document: Any) -> list[str]:  # noqa: ANN401  # any JSON
    """The fields of a document that the reference does not have, or of which it names another type."""
    return list(_unknown(document, kinds()[document["kind"]], str(document["kind"])))


def _unknown(value: Any, fields: Any, place: str) -> Iterator[str]:  # noqa: ANN401  # any JSON
    if fields.type and not is_of(value, fields.type):
        yield f"{place}: {fields.type} in the reference, and here {json.dumps(value)[:60]}"
    if place.count(".") == 1 and place.endswith(".evidence"):  # which has a reader of its own
        return
    fields = kinds()[fields.kind] if fields.kind else fields
    for one in value if isinstance(value, list) else [value]:
        for name, inner in one.items() if isinstance(one, dict) else ():
            known = fields.of.get(name, fields.of.get("NAME"))
            if known is not None:
                yield from _unknown(inner, known, f"{place}.{name}")
            elif not fields.open:
                yield f"{place}.{name}"


def is_of(value: object, words: str) -> bool:
    """Whether a value is what the reference calls so, such as `list of texts or null`."""
    return any(_is(value, one) for one in re.split("(?<!true) or ", words))


def _is(value: object, word: str) -> bool:
    word = word.partition(" of kind ")[0]
    if word.startswith("list of "):
        single = re.sub("^([a-z]+)s", r"\1", word.removeprefix("list of "))
        return isinstance(value, list) and all(_is(one, single) for one in value)
    if word in SHAPES:
        return isinstance(value, str) and SHAPES[word].fullmatch(value) is not None
    return type(value) in TYPES[word]
