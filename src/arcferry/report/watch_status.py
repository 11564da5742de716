"""Whether watches still take rounds, for people and for programs."""

from collections.abc import Sequence
from typing import Any

from rich.console import Console

from arcferry.language import _, headings
from arcferry.report.as_json import SCHEMA, picked
from arcferry.report.console import print_table
from arcferry.times import to_text
from arcferry.watch.standing import Standing

ROWS = ("watches", "watch")


def document(found: Sequence[Standing]) -> dict[str, Any]:
    """The standings as one document."""
    return {
        "schema": SCHEMA,
        "kind": "watch-status",
        "watches": [
            picked(one, "watched", "runs", "late", "last")
            | {"interval_seconds": round(one.interval.total_seconds()), "history": str(one.history)}
            for one in found
        ],
    }


def draw(found: Sequence[Standing], console: Console) -> None:
    """One line a watch."""
    rows = [
        (
            (one.watched, _says(one), to_text(one.last) if one.last else "-", str(one.history)),
            "" if one.well else "red",
        )
        for one in found
    ]
    print_table(console, headings("WATCH", "STANDS", "LAST ROUND", "HISTORY"), rows)


def _says(one: Standing) -> str:
    if not one.runs:
        return _("stopped")
    return _("runs, and is late") if one.late else _("runs")
