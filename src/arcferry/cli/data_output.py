"""What the commands of `arcferry data` share."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from arcferry.cli.options import Output

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date
    from typing import Any

FolderOption = Annotated[
    Path | None,
    typer.Option(
        "--data",
        envvar="ARCFERRY_DATA",
        metavar="DIR",
        help="The folder that data is held in. Without it the user's own data folder.",
    ),
]


def today() -> "date":
    """The day in UTC."""
    from arcferry import times

    return times.now().date()


def print_rows(
    output: Output, kind: str, key: str, rows: "list[dict[str, Any]]", lines: "Iterable[str]"
) -> None:
    """One JSON document, one JSON object a row, or the lines for people."""
    if output is Output.JSON:
        typer.echo(json.dumps({"schema": 1, "kind": kind, key: rows}, indent=2, ensure_ascii=False))
    elif output is Output.JSONL:
        for row in rows:
            typer.echo(json.dumps({"schema": 1, "type": kind, **row}, ensure_ascii=False))
    else:
        typer.echo("\n".join(lines))
