"""The forms in which commands print what they found, and the one place that chooses between them."""

import json
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeVar, assert_never

import typer

if TYPE_CHECKING:
    from rich.console import Console

Document = Mapping[str, Any]
Read_contra = TypeVar("Read_contra", contravariant=True)
Result = TypeVar("Result")
Output = Literal["table", "json", "jsonl"]
"""A table for people, one JSON document, or one JSON object a line."""

CheckOutput = Literal["table", "json", "jsonl", "junit"]
"""The same for commands that judge, and JUnit's XML, which CI systems read."""

PlanOutput = Literal["table", "json", "jsonl", "html", "markdown", "csv"]
"""A table, JSON, and a page to be looked at, one HTML file that needs no network, or as Markdown or CSV."""

PageOutput = Literal["table", "json", "jsonl", "junit", "html", "markdown", "csv"]
"""All of them."""


def show(
    output: PageOutput,
    *,
    table: Callable[[], None],
    document: Callable[[], Document],
    lines: Callable[[], Iterable[Document]],
    junit: Callable[[], str] = str,
) -> None:
    """Print a result to standard output. What is not asked for is not made."""
    match output:
        case "table":
            table()
        case "json":
            typer.echo(indented(document()))
        case "jsonl":
            for line in lines():
                typer.echo(json.dumps(line))
        case "junit":
            typer.echo(junit(), nl=False)
        case "html" | "markdown" | "csv":
            from arcferry.report import page

            typer.echo(page.of(document(), output), nl=False)
        case _:
            assert_never(output)


def indented(document: Document) -> str:
    """A document as JSON for people too: the evidence, for `explain` alone, is one line at its end."""
    rest = {key: value for key, value in document.items() if key != "evidence"}
    text = json.dumps(rest, indent=2)
    if len(rest) == len(document):
        return text
    evidence = json.dumps(document["evidence"], separators=(",", ":"))
    return f'{text[:-2]},\n  "evidence": {evidence}\n}}'


class Report(Protocol[Read_contra]):
    """A module of `arcferry.report`, which draws one kind of result.

    Attributes:
        ROWS: the field of its document with a row for everything looked at, and the `kind` of such a row.
    """

    ROWS: tuple[str, str]

    def draw(self, result: Read_contra, console: "Console", /) -> None: ...  # noqa: D102  # its name says it
    def document(self, result: Read_contra, /) -> Document: ...  # noqa: D102  # its name says it
    def junit(self, result: Read_contra, /) -> str: ...  # noqa: D102  # its name says it


def show_by(output: PageOutput, report: Report[Result], result: Result) -> None:
    """Print what a module of `arcferry.report` makes of a result."""
    from arcferry.report import as_json, console

    show(
        output,
        table=lambda: report.draw(result, console.stdout()),
        document=lambda: report.document(result),
        lines=lambda: as_json.lines(report.document(result), *report.ROWS),
        junit=lambda: report.junit(result),
    )
