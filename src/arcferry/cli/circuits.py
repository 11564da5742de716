from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from arcferry.cli import azure_options, options
from arcferry.cli.options import grouped, is_on_command_line, option
from arcferry.cli.output import show as show_in
from arcferry.cli.sign_in import sign_in
from arcferry.cli.talk import say
from arcferry.errors import InputError

if TYPE_CHECKING:
    from arcferry.data.circuits import CircuitRead
    from arcferry.data.update import SignIn
    from arcferry.diagnosis.audit.paths import ByPath
    from arcferry.evidence.case import Document

app = typer.Typer(
    no_args_is_help=True,
    help="Show an ExpressRoute circuit as it is, its primary and its secondary path apart.",
)
_DUMP = "What the router of the {} path prints of its routes and BGP sessions; may be repeated."


@app.command("show")
@grouped
def show(
    *,
    context: typer.Context,
    circuit: azure_options.CircuitOption = "",
    primary: Annotated[list[Path] | None, option("--primary FILE", _DUMP.format("primary"))] = None,
    secondary: Annotated[list[Path] | None, option("--secondary FILE", _DUMP.format("secondary"))] = None,
    location: options.OptionalLocationOption = None,
    location_unlisted: options.UnlistedOption = False,
    cloud: options.CloudOption = options.DEFAULT_CLOUD,
    evidence: options.WithOption = None,
    keep: Annotated[
        Path | None,
        option("--keep DIR", "Write what Azure answers there too, as files that routes audit takes."),
    ] = None,
    lookup: azure_options.QueryOptions,
    output: options.OutputOption = "table",
) -> None:
    """Show what is configured and what is true of each path, and which names fall where one is down.

    With --circuit Azure Resource Manager is asked for the circuit, its peerings and route filter, the list of
    BGP communities (these four are held, as by arcferry data), and for the ARP table, the BGP session, the
    route table and the traffic of each path. With --primary and --secondary the company's own routers tell,
    which alone show what Microsoft sends; both may be given together. With --location every name that is
    required there is judged by both paths and by each alone: by where it answered, as --with says (arcferry
    check --output json), else by the community that carries it.

    Exit code 0 when each path carries what both do, 1 when a path carries nothing or a required name falls
    where one is down, 4 where Azure refuses to tell a part.
    """
    from arcferry import catalog
    from arcferry.cli import stopping
    from arcferry.cli.evidence import evidence_and_held
    from arcferry.data.circuits import read
    from arcferry.data.store import Store
    from arcferry.diagnosis.audit.paths import circuit_paths
    from arcferry.files import data_folder
    from arcferry.report import as_json, console
    from arcferry.report import circuits as report

    chosen = catalog.cloud(cloud)
    region = options.region_of(location, chosen, unlisted=location_unlisted) if location else None
    if bool(primary) != bool(secondary):
        raise InputError("--primary and --secondary belong together", hint="Hand in a dump of both routers.")
    asked: CircuitRead | None = None
    typed = is_on_command_line(context, "circuit")
    if circuit and (typed or not primary):
        question = read(Store(data_folder()), _sign_in(lookup, chosen.name), circuit)
        asked = stopping.run(question, says="stopped; what was held stays as it was")
        if keep:
            asked.keep(keep)
    elif not primary:
        raise InputError(
            "there is no path to show",
            hint="Name a circuit with --circuit, or give --primary and --secondary.",
        )
    common, held = evidence_and_held(evidence or [], chosen)
    sides = {"primary": _dumps(primary), "secondary": _dumps(secondary)}
    found = circuit_paths(_by_path(common, sides, asked), held, chosen, region)
    view = report.CircuitView(found, asked.errors if asked else ())
    show_in(
        output,
        table=lambda: report.draw(view, console.stdout()),
        document=lambda: report.document(view),
        lines=lambda: as_json.lines(report.document(view), *report.ROWS),
    )
    for hint in dict.fromkeys(error.hint for error in view.not_read if error.hint):
        say(f"hint: {hint}")
    if view.not_read:
        raise typer.Exit(max(error.exit_code for error in view.not_read))
    if not found.is_sound:
        raise typer.Exit(1)


def _sign_in(lookup: azure_options.QueryOptions, cloud: str) -> "SignIn":
    found = sign_in(lookup, cloud)
    if found is None:
        raise InputError(
            "--circuit needs a sign-in: --tenant-id, --subscription-id, --client-id and a secret or "
            "certificate",
            hint="Without one, --primary and --secondary take what the routers print.",
        )
    if not lookup.resource_group:
        raise InputError("--circuit needs --resource-group")
    return found


def _dumps(files: list[Path] | None) -> "tuple[Document, ...]":
    """What the router of one path printed."""
    from arcferry.cli.evidence import read_files, warn

    found = tuple(read_files([str(path) for path in files or ()]))
    warn(found)
    if files and not any(one.route_table or one.sessions for one in found):
        named = ", ".join(path.name for path in files)
        raise InputError(
            f"{named}: neither routes nor BGP sessions of a router",
            hint="show bgp, show route receive-protocol, show route all …, as for arcferry routes audit.",
        )
    return found


def _by_path(
    common: "tuple[Document, ...]", dumps: "Mapping[str, tuple[Document, ...]]", asked: "CircuitRead | None"
) -> "ByPath":
    """What was handed in, and what Azure told, by path."""
    from arcferry.diagnosis.audit.paths import ByPath

    if asked is None:
        return ByPath(common, dumps)
    sides = {link: (*own, *asked.evidence(link)) for link, own in dumps.items()}
    return ByPath((*common, *asked.evidence("")), sides, {link: asked.traffic(link) for link in dumps})
