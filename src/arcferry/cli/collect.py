from pathlib import Path
from typing import Annotated

import typer

from arcferry.cli import options
from arcferry.cli.options import argument, option
from arcferry.cli.output import show_by


def collect(
    share: Annotated[Path, argument("SHARE", "The share of an export, or its folder of results.")],
    *,
    inventory: Annotated[
        Path | None, option("--inventory FILE", "Who should have reported: CSV or YAML, as for onboard.")
    ] = None,
    evidence: Annotated[
        Path | None,
        option(
            "--evidence DIR",
            "Write what failed hosts handed in to this folder, as files for arcferry explain.",
        ),
    ] = None,
    context: options.WithOption = None,
    cloud: options.CloudOption = options.DEFAULT_CLOUD,
    output: options.CheckOutputOption = "table",
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
    from arcferry.report import collected as report

    hosts = read_inventory(inventory) if inventory else None
    given, held = evidence_and_held(context or [], catalog.cloud(cloud))
    collection = reading.collect(share, hosts, given, held)
    if evidence:
        count = reading.write_evidence(collection, evidence)
        typer.echo(f"{count} files of evidence written to {evidence}", err=True)
    show_by(output, report, collection)
    if not collection.all_good:
        raise typer.Exit(1)
