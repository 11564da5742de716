import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from arcferry.cli.data_output import FolderOption, print_rows, today
from arcferry.cli.data_update import update
from arcferry.cli.options import Output, OutputOption
from arcferry.errors import FileInputError, InputError
from arcferry.folders import data_folder
from arcferry.text import quoted

if TYPE_CHECKING:
    from datetime import date

    from arcferry.data import Comparison, Store

app = typer.Typer(
    no_args_is_help=True,
    help="Keep Azure's service tags, BGP communities, route filter and circuit at hand, each with its day.",
)


@app.command("import")
def import_(
    *,
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="Files of any of these kinds.")],
    taken: Annotated[
        str | None,
        typer.Option(
            "--taken", metavar="DATE", help="The day the data was true, such as 2026-11-23, if no file says."
        ),
    ] = None,
    cloud: Annotated[
        str | None,
        typer.Option("--cloud", metavar="CLOUD", help="Whose data it is, where the file does not tell."),
    ] = None,
    folder: FolderOption = None,
    output: OutputOption = Output.TABLE,
) -> None:
    """Take files in: service tags, BGP communities, a route filter, a circuit, an endpoint catalogue.

    Each is recognised by its content and checked whole. Nothing is taken where one of them is wrong. Several
    dated copies of a kind are kept, and the newest leads. Keys in a circuit are left out.
    """
    from arcferry import catalog
    from arcferry.data import Store, recognise
    from arcferry.evidence.readers import FILE_LIMIT
    from arcferry.files import read_bounded
    from arcferry.report import data as report

    chosen = catalog.cloud(cloud).name if cloud else ""
    day = _day(taken)
    found, problems = [], []
    for file in dict.fromkeys(files):
        try:
            content = read_bounded(file, limit=FILE_LIMIT)
            found.append(recognise(content, file.name, taken=day, cloud=chosen, source=str(file.absolute())))
        except FileInputError as problem:
            problems.append(problem)
    if problems:
        raise InputError("\n".join(problem.message for problem in problems), hint=problems[0].hint)
    store = Store(folder or data_folder())
    held = [store.put(one) for one in found]
    leads = report.leading(store.held())
    rows = [report.row(one, today(), leads=one.sha256 in leads) for one in held]
    print_rows(output, "data-import", "imported", rows, report.imported(held, leads))


@app.command("show")
def show(
    *,
    conflicts: Annotated[
        bool, typer.Option("--conflicts", help="Every prefix that two sources disagree about.")
    ] = False,
    folder: FolderOption = None,
    output: OutputOption = Output.TABLE,
) -> None:
    """Show what is held, how old it is, and where dated sources disagree.

    A star marks what leads: the newest of its kind and cloud. Where the community list has a prefix in
    another region than the service tags, both days are named, and which is newer.
    """
    from arcferry.data import Store
    from arcferry.report import console
    from arcferry.report import data as report

    store = Store(folder or data_folder())
    held = store.held()
    leads = report.leading(held)
    compared, problems = _comparisons(store, leads)
    problems += [f"{path}: does not say what is held; remove it" for path in store.unreadable()]
    problems += _idle_catalogue(store)
    view = report.DataView(store.folder, held, leads, tuple(compared), tuple(problems), today())
    if output is Output.JSON:
        typer.echo(json.dumps(report.document(view), indent=2, ensure_ascii=False))
    elif output is Output.JSONL:
        for row in report.document(view)["held"]:
            typer.echo(json.dumps({"schema": report.SCHEMA, "type": "held", **row}, ensure_ascii=False))
    elif not held and not problems:
        typer.echo(f"nothing is held in {store.folder}")
        typer.echo(
            "hint: arcferry data import FILE..., or arcferry data update on a connected machine", err=True
        )
    elif sys.stdout.isatty():
        report.draw(view, console.stdout(), every=conflicts)
    else:
        typer.echo("\n".join(report.plain(view, every=conflicts)))


@app.command("export")
def export(
    *,
    target: Annotated[Path, typer.Argument(metavar="FOLDER", help="Where the files are to lie.")],
    folder: FolderOption = None,
    output: OutputOption = Output.TABLE,
) -> None:
    """Write what leads into a folder, to carry it to a machine that cannot fetch it.

    The files are as they came, without keys, with their day in their names: import them on the other side.
    """
    from arcferry.data import Store
    from arcferry.report import data as report

    store = Store(folder or data_folder())
    held = store.held()
    leads = report.leading(held)
    found = [(one, store.export(one, target)) for one in held if one.sha256 in leads]
    rows = [report.row(one, today(), leads=True) | {"file": str(path)} for one, path in found]
    lines = [f"{path}" for _, path in found] or [f"nothing is held in {store.folder}"]
    print_rows(output, "data-export", "exported", rows, lines)


@app.command("remove")
def remove(
    *,
    ids: Annotated[
        list[str] | None, typer.Argument(metavar="ID...", help="As data show gives them; the start will do.")
    ] = None,
    older: Annotated[bool, typer.Option("--older", help="Everything that does not lead.")] = False,
    every: Annotated[bool, typer.Option("--all", help="Everything.")] = False,
    folder: FolderOption = None,
    output: OutputOption = Output.TABLE,
) -> None:
    """Hold documents no longer."""
    from arcferry.data import Store
    from arcferry.report import data as report

    if bool(ids) + older + every != 1:
        raise InputError("say what to remove: ids, or --older, or --all")
    store = Store(folder or data_folder())
    held = store.held()
    leads = report.leading(held)
    gone = store.named(ids) if ids else [one for one in held if every or one.sha256 not in leads]
    store.remove(gone)
    rows = [report.row(one, today(), leads=False) for one in gone]
    lines = [f"removed {one.name} ({one.kind.words}, {one.id})" for one in gone] or ["nothing to remove"]
    print_rows(output, "data-remove", "removed", rows, lines)


app.command("update")(update)


def adopt_held() -> None:
    """Use a held endpoint catalogue that is newer than the built-in one; says so where it cannot be used."""
    folder = data_folder()
    if not (folder / "endpoints").is_dir():
        return
    from arcferry.data import Store
    from arcferry.data import adopt_held as adopt

    try:
        adopt(Store(folder))
    except InputError as error:
        typer.echo(f"warning: the built-in endpoint catalogue is used: {error.message}", err=True)
        typer.echo(f"hint: {error.hint}", err=True)


def _day(text: str | None) -> "date | None":
    from datetime import date

    from arcferry.data import is_to_come

    if not text:
        return None
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise InputError(f"--taken {quoted(text)} is no day such as 2026-11-23") from None
    if is_to_come(day):
        hint = "Data of a day to come would lead over every newer copy. Give the day on which it was true."
        raise InputError(f"--taken {day} lies after today, {today()}", hint=hint)
    return day


def _idle_catalogue(store: "Store") -> list[str]:
    from arcferry.catalog import store as own
    from arcferry.data import HeldKind
    from arcferry.data.catalogue import NAME

    built_in = own.built_in(NAME).source.taken
    newest = next(iter(store.newest(HeldKind.ENDPOINTS, "")), None)
    if newest is None or own.load(NAME) is not own.built_in(NAME):
        return []
    return [f"{newest.name}: not used, because arcferry's own endpoint catalogue is of {built_in}"]


def _comparisons(store: "Store", leads: frozenset[str]) -> "tuple[list[Comparison], list[str]]":
    """The leading service tags of each cloud beside its leading community list, and what cannot be used."""
    from arcferry import catalog
    from arcferry.data import compare, documents
    from arcferry.evidence.document import Kind

    found: list[Comparison] = []
    problems: list[str] = []
    clouds = {held.cloud for held in store.held() if held.sha256 in leads}
    skipped = (Kind.ROUTE_FILTER, Kind.CIRCUIT)
    for cloud in catalog.clouds():
        if cloud.name not in clouds:
            continue
        held = documents(store, cloud, besides=skipped)
        problems += [note for document in held for note in document.notes]
        tags = [document.service_tags for document in held if document.service_tags]
        lists = [document.community_list for document in held if document.community_list]
        found += [pair for one in tags for other in lists if (pair := compare(one, other)).compared]
    return found, problems
