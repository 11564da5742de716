import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from arcferry.cli.options import CloudOption, Output, OutputOption, WithOption

if TYPE_CHECKING:
    from arcferry.export.collect import Collection


def collect(
    share: Annotated[
        Path,
        typer.Argument(metavar="SHARE", help="The share of an export, or its folder of results."),
    ],
    *,
    inventory: Annotated[
        Path | None,
        typer.Option(
            "--inventory", metavar="FILE", help="Who should have reported: CSV or YAML, as for onboard."
        ),
    ] = None,
    evidence: Annotated[
        Path | None,
        typer.Option(
            "--evidence",
            metavar="DIR",
            help="Write what failed hosts handed in to this folder, as files for arcferry explain.",
        ),
    ] = None,
    context: WithOption = None,
    cloud: CloudOption = "AzureCloud",
    output: OutputOption = Output.TABLE,
) -> None:
    """Read the result files that servers left on a share: who is connected, what failed, why, the way out.

    Every word in them is the server's own: a file that is cut short, too large, a link, or another host's is
    named and left out. A host that says connected is done when Azure shows its machine Connected, too.

    Exit code 0 when every host is connected, 1 when one is not, or one of the inventory did not report.
    """
    from arcferry import catalog
    from arcferry.cli.evidence import evidence_and_held
    from arcferry.export import collect as reading
    from arcferry.fleet.inventory import read_inventory

    hosts = read_inventory(inventory) if inventory else None
    given, held = evidence_and_held(context or [], catalog.cloud(cloud))
    collection = reading.collect(share, hosts, given, held)
    if evidence:
        count = reading.write_evidence(collection, evidence)
        typer.echo(f"{count} files of evidence written to {evidence}", err=True)
    _print(collection, output)
    if not collection.all_good:
        raise typer.Exit(1)


def _print(collection: "Collection", output: Output) -> None:
    from arcferry.report import collected as report
    from arcferry.report import console

    match output:
        case Output.JSON:
            typer.echo(json.dumps(report.document(collection), indent=2, ensure_ascii=False))
        case Output.JSONL:
            typer.echo("\n".join(report.json_lines(collection)))
        case Output.TABLE if console.stdout_is_terminal():
            report.draw(collection, console.stdout())
        case Output.TABLE:
            typer.echo("\n".join(report.plain(collection)))
