"""The forms in which commands print what they found, and the one place that chooses between them."""

import json
from collections.abc import Callable, Iterable, Mapping
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Protocol, TypeVar, assert_never

import typer

if TYPE_CHECKING:
    from rich.console import Console

Document = Mapping[str, Any]
Result = TypeVar("Result")
Read_contra = TypeVar("Read_contra", contravariant=True)


class Output(StrEnum):
    """A table for people, one JSON document, or one JSON object a line."""

    TABLE = "table"
    JSON = "json"
    JSONL = "jsonl"


class CheckOutput(StrEnum):
    """The same for commands that judge, and JUnit's XML, which CI systems read."""

    TABLE = "table"
    JSON = "json"
    JSONL = "jsonl"
    JUNIT = "junit"


def show(
    output: Output,
    *,
    table: Callable[[], None],
    document: Callable[[], Document],
    lines: Callable[[], Iterable[Document | str]],
) -> None:
    """Print a result to standard output. What is not asked for is not made."""
    match output:
        case Output.TABLE:
            table()
        case Output.JSON:
            typer.echo(indented(document()))
        case Output.JSONL:
            for line in lines():
                typer.echo(line if isinstance(line, str) else json.dumps(line))
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


def show_check(
    output: CheckOutput,
    *,
    table: Callable[[], None],
    document: Callable[[], Document],
    lines: Callable[[], Iterable[Document | str]],
    junit: Callable[[], str],
) -> None:
    """The same for a command that judges."""
    match output:
        case CheckOutput.TABLE | CheckOutput.JSON | CheckOutput.JSONL:
            show(Output(output.value), table=table, document=document, lines=lines)
        case CheckOutput.JUNIT:
            typer.echo(junit(), nl=False)
        case _:
            assert_never(output)


class Report(Protocol[Read_contra]):
    """A module of `arcferry.report`, which draws one kind of result."""

    def draw(self, result: Read_contra, console: "Console", /) -> None: ...  # noqa: D102
    def document(self, result: Read_contra, /) -> Document: ...  # noqa: D102
    def json_lines(self, result: Read_contra, /) -> Iterable[Document | str]: ...  # noqa: D102


def show_by(
    output: CheckOutput, report: Report[Result], result: Result, junit: Callable[[Result], str]
) -> None:
    """Print what a module of `arcferry.report` makes of a result."""
    from arcferry.report import console

    show_check(
        output,
        table=lambda: report.draw(result, console.stdout()),
        document=lambda: report.document(result),
        lines=lambda: report.json_lines(result),
        junit=lambda: junit(result),
    )
