import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from arcferry.cli.options import CloudOption, Output, OutputOption
from arcferry.errors import InputError

if TYPE_CHECKING:
    from arcferry.catalog import Cloud
    from arcferry.diagnosis.audit import Audit
    from arcferry.diagnosis.document import Document

_KNOWN = (
    "Known are: route filters, circuits, the routes of a router or of Azure, DNS answers, arcferry check, "
    "azcmagent check, service tags, lists of BGP communities."
)
_STREAMED = 8 * 1024 * 1024
_STDIN = "-"


def audit(
    files: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="FILE",
            show_default=False,
            help="Files of any of these kinds, - for standard input: the circuit's route filter; the circuit "
            "or its peering; Azure's route table of it; the router's own routes, as text, JSON, XML or MRT; "
            "DNS answers; arcferry check; service tags; lists of BGP communities.",
        ),
    ] = None,
    *,
    location: Annotated[
        str | None,
        typer.Option(
            "--location",
            "-l",
            metavar="REGION",
            help="Where the machines are to appear, such as eastasia: every endpoint required there is "
            "audited too, also where nothing that was handed in speaks of it.",
        ),
    ] = None,
    cloud: CloudOption = "AzureCloud",
    output: OutputOption = Output.TABLE,
) -> None:
    """Show what is expected of every endpoint beside what was really seen, and explain each difference.

    Expected comes from service tags, communities, the route filter and the circuit; observed from routes that
    a router holds and from connections that were tried. Each file is recognised by its content. What arcferry
    data holds fills in what was not handed in. Needs no network.

    Exit code 0 when no required endpoint lacks its path, 1 when one does or a finding is an error, 2 where a
    file cannot be used.
    """
    from arcferry import catalog
    from arcferry.diagnosis import audit as auditing

    chosen = catalog.cloud(cloud)
    region = catalog.region(location, chosen) if location else None
    documents = _documents(files or [])
    documents += _held(chosen, documents)
    _warn(documents)
    result = auditing.audit(documents, chosen, region)
    if not result.rows:
        raise InputError(
            "there is nothing to audit: no endpoint is named",
            hint="Give --location, or hand in DNS answers or the output of arcferry check.",
        )
    _print(result, output)
    if result.missing or result.diagnosis.has_errors:
        raise typer.Exit(1)


def _documents(files: list[Path]) -> "list[Document]":
    """Everything the files say; every file that cannot be used is named, not only the first."""
    alike = Counter(path.name for path in dict.fromkeys(files))
    found: list[Document] = []
    problems: list[InputError] = []
    for path in dict.fromkeys(files):
        try:
            found += _read(path, str(path) if alike[path.name] > 1 else path.name)
        except InputError as problem:
            problems.append(problem)
    if problems:
        hint = problems[0].hint if len(problems) == 1 else ""
        raise InputError("\n".join(problem.message for problem in problems), hint=hint)
    return found


def _read(path: Path, name: str) -> "tuple[Document, ...]":
    from arcferry.diagnosis.document import Kind
    from arcferry.diagnosis.readers import FILE_LIMIT, read_document, read_path
    from arcferry.errors import FileInputError

    if name == _STDIN:
        data = sys.stdin.buffer.read(FILE_LIMIT + 1)
        if len(data) > FILE_LIMIT:
            raise FileInputError("standard input", f"larger than the {FILE_LIMIT:,} bytes that are read")
        documents = read_document("standard input", data)
    elif _size(path) > _STREAMED and (routes := _routes(path, name)):
        documents = (routes,)
    else:
        documents = read_path(path, name)
    if all(one.kind is Kind.UNRECOGNISED for one in documents):
        like = "; ".join(note for one in documents for note in one.notes)
        raise FileInputError(name, f"not recognised{f': {like}' if like else ''}", hint=_KNOWN)
    return documents


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


def _routes(path: Path, name: str) -> "Document | None":
    """The routes of a dump that is too large to be held; None where the file is no such dump."""
    from arcferry.diagnosis.document import Document, Kind
    from arcferry.routing.route import Vantage
    from arcferry.routing.tables import read_route_file

    with _progress(path) as step:
        table = read_route_file(path, progress=step)
    if table is None:
        return None
    kind = Kind.AZURE_ROUTES if table.vantage is Vantage.AZURE else Kind.RECEIVED_ROUTES
    renamed = replace(table, name=name)
    return Document(name, kind, table.taken, route_table=renamed, notes=table.notes)


@contextmanager
def _progress(path: Path) -> Iterator[Callable[[int], None] | None]:
    """A line on a terminal's stderr that counts; nothing elsewhere."""
    if not sys.stderr.isatty():
        yield None
        return
    from arcferry.report import console

    with console.stderr().status(f"Reading {path.name}") as status:
        yield lambda count: status.update(f"Reading {path.name}: {count:,}")


def _warn(documents: "list[Document]") -> None:
    for one in documents:
        for note in one.notes:
            typer.echo(f"warning: {one.name}: {note}", err=True)


def _held(cloud: "Cloud", given: "list[Document]") -> "tuple[Document, ...]":
    from arcferry import data

    return data.documents(data.Store(data.data_folder()), cloud, besides={one.kind for one in given})


def _print(result: "Audit", output: Output) -> None:
    from arcferry.report import audit as report
    from arcferry.report import console

    match output:
        case Output.JSON:
            typer.echo(report.as_json(result))
        case Output.JSONL:
            typer.echo("\n".join(report.json_lines(result)))
        case Output.TABLE:
            report.draw(result, console.stdout())
