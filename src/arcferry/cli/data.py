from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from arcferry.cli import azure_options, options
from arcferry.cli.options import argument, grouped, is_on_command_line, option, setting
from arcferry.cli.output import Output
from arcferry.cli.output import show as show_in
from arcferry.cli.sign_in import sign_in
from arcferry.cli.talk import say
from arcferry.errors import FileInputError, InputError, UnknownNameError
from arcferry.files import data_folder
from arcferry.language import _
from arcferry.text import quoted

if TYPE_CHECKING:
    from datetime import date

    from arcferry.data.conflicts import Comparison
    from arcferry.data.store import Held, HeldKind, Store
    from arcferry.data.update import SignIn

app = typer.Typer(
    no_args_is_help=True,
    help="Keep Azure's service tags, BGP communities, route filter and circuit at hand, each with its day.",
)


@app.command("import")
def import_(
    *,
    files: Annotated[list[Path], argument("FILE...", "Files of any of these kinds, and sealed bundles.")],
    taken: Annotated[
        str | None, option("--taken DATE", "The day the data was true, such as 2026-11-23, if no file says.")
    ] = None,
    of_cloud: Annotated[
        str | None, option("--of-cloud CLOUD", "Whose data it is, if the file does not tell.")
    ] = None,
    bundle_key: options.OptionalBundleKeyOption = None,
    allow_older: options.AllowOlderOption = "",
    state: options.StateOption = None,
    data: options.DataOption = None,
    output: options.OutputOption = "table",
) -> None:
    """Take files in: service tags, BGP communities, a route filter, a circuit, an endpoint catalogue.

    Each is recognised by its content and checked whole. Of a bundle, a folder or a zip, every document of
    these kinds is taken, once its seal is proved by --bundle-key. Nothing is taken where one of them is
    wrong. Several dated copies of a kind are kept, and the newest leads. Keys in a circuit are left out.
    """
    from arcferry import catalog
    from arcferry.data.bundled import is_bundle
    from arcferry.data.kinds import recognise
    from arcferry.data.store import Store
    from arcferry.files import FILE_LIMIT, read_bounded
    from arcferry.report import data as report

    chosen = catalog.cloud(of_cloud).name if of_cloud else ""
    day = _day(taken)
    found: list[tuple[Held, bytes]] = []
    problems: list[FileInputError] = []
    for file in dict.fromkeys(files):
        try:
            if is_bundle(file):
                found += _of_bundle(file, bundle_key, state, allow_older, day)
                continue
            content = read_bounded(file, limit=FILE_LIMIT)
            found.append(recognise(content, file.name, taken=day, cloud=chosen, source=str(file.absolute())))
        except FileInputError as problem:
            problems.append(problem)
    if problems:
        raise InputError("\n".join(problem.message for problem in problems), hint=problems[0].hint)
    store = Store(data or data_folder())
    held = [store.put(*one) for one in found]
    leads = report.leading(store.held())
    rows = [report.row(one, _today(), leads) for one in held]
    _print_rows(output, "data-import", "imported", rows, report.imported(held, leads))


@app.command("show")
def show(
    *,
    conflicts: Annotated[
        bool, option("--conflicts", "Every prefix that two sources disagree about.")
    ] = False,
    data: options.DataOption = None,
    output: options.OutputOption = "table",
) -> None:
    """Show what is held, how old it is, and where dated sources disagree.

    A star marks what leads: the newest of its kind and cloud. Where the community list has a prefix in
    another region than the service tags, both days are named, and which is newer.
    """
    from arcferry.data.store import Store
    from arcferry.report import console
    from arcferry.report import data as report
    from arcferry.report.as_json import SCHEMA

    store = Store(data or data_folder())
    held = store.held()
    leads = report.leading(held)
    compared, problems = _comparisons(store, leads)
    problems += [f"{path}: does not say what is held; remove it" for path in store.unreadable()]
    problems += _idle_catalogue(store)
    view = report.DataView(store.folder, held, leads, tuple(compared), tuple(problems), _today())

    def table() -> None:
        if held or problems:
            report.draw(view, console.stdout(), every=conflicts)
            return
        typer.echo(_("nothing is held in {folder}", folder=store.folder))
        say("hint: arcferry data import FILE..., or arcferry data update on a connected machine")

    show_in(
        output,
        table=table,
        document=lambda: report.document(view),
        lines=lambda: ({"schema": SCHEMA, **row} for row in report.document(view)["held"]),
    )


@app.command("export")
def export(
    *,
    target: Annotated[Path, argument("FOLDER", "Where the files are to lie.")],
    data: options.DataOption = None,
    output: options.OutputOption = "table",
) -> None:
    """Write what leads into a folder, to carry it to a machine that cannot fetch it.

    The files are as they came, without keys, with their day in their names: import them on the other side.
    """
    from arcferry.data.store import Store
    from arcferry.report import data as report

    store = Store(data or data_folder())
    held = store.held()
    leads = report.leading(held)
    found = [(one, store.export(one, target)) for one in held if one.sha256 in leads]
    rows = [report.row(one, _today(), leads) | {"file": str(path)} for one, path in found]
    lines = [f"{path}" for _unit, path in found] or [_("nothing is held in {folder}", folder=store.folder)]
    _print_rows(output, "data-export", "exported", rows, lines)


@app.command("remove")
def remove(
    *,
    ids: Annotated[list[str] | None, argument("ID...", "As data show gives them; the start will do.")] = None,
    older: Annotated[bool, option("--older", "Everything that does not lead.")] = False,
    everything: Annotated[bool, option("--everything", "Everything.")] = False,
    data: options.DataOption = None,
    output: options.OutputOption = "table",
) -> None:
    """Hold documents no longer."""
    from arcferry.data.store import Store
    from arcferry.report import data as report

    if bool(ids) + older + everything != 1:
        raise InputError("say what to remove: ids, or --older, or --everything")
    store = Store(data or data_folder())
    held = store.held()
    leads = report.leading(held)
    gone = store.named(ids) if ids else [one for one in held if everything or one.sha256 not in leads]
    store.remove(gone)
    rows = [report.row(one, _today(), ()) for one in gone]
    lines = [f"removed {one.name} ({one.kind.words}, {one.id})" for one in gone] or ["nothing to remove"]
    _print_rows(output, "data-remove", "removed", rows, lines)


@app.command("update")
@grouped
def update(
    *,
    context: typer.Context,
    cloud: options.CloudOption = options.DEFAULT_CLOUD,
    only: Annotated[
        list[str] | None, option("--only KIND", "service-tags or community-list, where not both.")
    ] = None,
    route_filter_name: azure_options.FilterNameOption = "",
    circuit: azure_options.CircuitOption = "",
    source: Annotated[
        Literal["page", "arm"] | None,
        typer.Option(
            "--from",
            help="Where the service tags come from: Microsoft's download page alone, or Azure Resource "
            "Manager, which Microsoft peering carries. Without it the page, else Resource Manager.",
        ),
    ] = None,
    accept_older: Annotated[
        bool, option("--accept-older", "Take a document that is older than what is held.")
    ] = False,
    lookup: azure_options.QueryOptions,
    download_url: Annotated[
        str, setting("--download-url URL", "Where Microsoft's download pages are, if a mirror stands in.")
    ] = "https://www.microsoft.com",
    data: options.DataOption = None,
    output: options.OutputOption = "table",
) -> None:
    """Fetch what is newer, from a connected machine or over Microsoft peering.

    The service tags come from Microsoft's download page, which needs no sign-in, and which Microsoft peering
    never carries; where it does not answer, or with --from arm, from Azure Resource Manager. Those may be
    four weeks behind: what they lack of the file that is held is said. The list of BGP communities, a route
    filter and a circuit come from Resource Manager. That takes an identity that may read them (the role
    Reader is enough); without one they are left out. Every document is checked whole; what is older than
    what is held is refused.
    """
    from arcferry import catalog
    from arcferry.cli import stopping
    from arcferry.data.store import HeldKind, Store
    from arcferry.data.update import Origin, Status, UpdateRequest
    from arcferry.data.update import update as fetch
    from arcferry.report import data as report

    chosen = catalog.cloud(cloud)
    kinds = _kinds(only)
    typed = is_on_command_line(context, "circuit")
    asks = route_filter_name or typed or HeldKind.COMMUNITY_LIST in kinds or source == "arm"
    signing_in = sign_in(lookup, chosen.name) if asks else None if source else _spare(lookup, chosen.name)
    if not typed and not (asks and signing_in and lookup.resource_group):
        circuit = ""  # the site file names it for whoever may ask Azure
    wanted = "--from arm" if source == "arm" else "--only community-list" if only else ""
    _explain_left_out(kinds, signing_in, route_filter_name, circuit, wanted)
    request = UpdateRequest(
        chosen, kinds, download_url, lookup.proxy, lookup.ca_file, signing_in, route_filter_name, circuit,
        accept_older, Origin(source) if source else None,
    )  # fmt: skip
    store = Store(data or data_folder())
    found = stopping.run(fetch(store, request), says="stopped; what was held stays as it was")
    leads = report.leading(store.held())
    rows = [report.outcome_row(one, _today(), leads) for one in found]
    _print_rows(output, "data-update", "outcomes", rows, report.outcomes(found, leads))
    failed = [one.error for one in found if one.status is Status.FAILED and one.error]
    for hint in dict.fromkeys(error.hint for error in failed if error.hint):
        say(f"hint: {hint}")
    if failed:
        raise typer.Exit(max(error.exit_code for error in failed))


def _of_bundle(
    path: Path, key: Path | None, state: Path | None, allow_older: str, day: "date | None"
) -> "tuple[tuple[Held, bytes], ...]":
    """The documents in a bundle; `day` is that of those which nothing else dates.

    Raises:
        InputError: there is no key to prove its seal by, or it has no such document.
        BundleRefusedError: it is not what its seal says, or too old.
    """
    from dataclasses import replace

    from arcferry.cli.bundle_shared import open_bundle
    from arcferry.data.bundled import documents_in

    if key is None:
        raise InputError(
            f"{path} is a bundle, and nothing proves its seal",
            hint="--bundle-key FILE: the public key of whoever sealed it.",
        )
    found = documents_in(open_bundle(path, key, state, allow_older))
    if not found:
        raise InputError(
            f"{path} holds no document that can be held",
            hint="arcferry bundle show BUNDLE lists what it holds.",
        )
    return tuple((replace(held, taken=held.taken or day), data) for held, data in found)


def _day(text: str | None) -> "date | None":
    from datetime import date

    from arcferry.data.kinds import is_to_come

    if not text:
        return None
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise InputError(f"--taken {quoted(text)} is no day such as 2026-11-23") from None
    if is_to_come(day):
        hint = "Data of a day to come would lead over every newer copy. Give the day on which it was true."
        raise InputError(f"--taken {day} lies after today, {_today()}", hint=hint)
    return day


def _idle_catalogue(store: "Store") -> list[str]:
    from arcferry.catalog import store as own
    from arcferry.data.catalogue import NAME
    from arcferry.data.store import HeldKind

    built_in = own.built_in(NAME).source.taken
    newest = next(iter(store.newest(HeldKind.ENDPOINTS, "")), None)
    if newest is None or own.load(NAME) is not own.built_in(NAME):
        return []
    return [f"{newest.name}: not used, because arcferry's own endpoint catalogue is of {built_in}"]


def _comparisons(store: "Store", leads: frozenset[str]) -> "tuple[list[Comparison], list[str]]":
    """The leading service tags of each cloud beside its leading community list, and what cannot be used."""
    from arcferry import catalog
    from arcferry.data.conflicts import compare
    from arcferry.data.store import documents
    from arcferry.evidence.case import Kind

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


def _kinds(only: Sequence[str] | None) -> "tuple[HeldKind, ...]":
    from arcferry.data.store import HeldKind

    fetched = (HeldKind.SERVICE_TAGS, HeldKind.COMMUNITY_LIST)
    for name in only or ():
        if name not in fetched:
            raise UnknownNameError("kind", name, fetched)
    return tuple(kind for kind in fetched if not only or kind in only)


def _spare(lookup: azure_options.QueryOptions, cloud: str) -> "SignIn | None":
    """How to ask Resource Manager where the download page gives nothing; None if that is not all given."""
    try:
        return sign_in(lookup, cloud)
    except InputError:
        return None


def _explain_left_out(
    kinds: "Sequence[HeldKind]",
    signing_in: "SignIn | None",
    route_filter: str,
    circuit: str,
    wanted: str,
) -> None:
    """Refuse what needs a sign-in without one: names, and what `wanted` asks; tell what is left out."""
    needs = [name for name, value in (("--route-filter-name", route_filter), ("--circuit", circuit)) if value]
    asks = "community-list" in kinds or wanted == "--from arm"
    if signing_in is None and (needs or (wanted and asks)):
        what = " and ".join(needs) or wanted
        raise InputError(
            f"{what} needs a sign-in: --tenant-id, --subscription-id, --client-id and a secret or certificate"
        )
    if needs and signing_in is not None and signing_in.target.resource_group == "none":
        raise InputError(f"{' and '.join(needs)} needs --resource-group")
    if signing_in is None and "community-list" in kinds:
        say("note: without a sign-in (--tenant-id …) the list of BGP communities is left out")


def _today() -> "date":
    """The day in UTC."""
    from arcferry import times

    return times.now().date()


def _print_rows(
    output: Output, kind: str, key: str, rows: list[dict[str, Any]], lines: Iterable[str]
) -> None:
    from arcferry.report.as_json import SCHEMA
    from arcferry.report.console import print_text, stdout

    def table() -> None:
        for line in lines:
            text = line.lstrip()
            print_text(stdout(), text, indent=2 + len(line) - len(text), first=" " * (len(line) - len(text)))

    show_in(
        output,
        table=table,
        document=lambda: {"schema": SCHEMA, "kind": kind, key: rows},
        lines=lambda: ({"schema": SCHEMA, **row} for row in rows),
    )
