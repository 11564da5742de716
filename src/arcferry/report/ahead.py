"""What begins or ends on a day that is known, beneath what holds today."""

from collections.abc import Iterable, Iterator
from dataclasses import asdict
from typing import Any

from arcferry.catalog import Announced


def fields(found: Iterable[Announced]) -> list[dict[str, Any]]:
    """For a JSON document."""
    return [{**asdict(one), "day": one.day.isoformat()} for one in found]


def lines(found: Iterable[Announced]) -> Iterator[str]:
    """For a reader: an empty line, then one line each; nothing where there is nothing."""
    for number, one in enumerate(found):
        yield from ([""] if number == 0 else [])
        yield f"Ahead, {one}"
