from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from arcferry.cli.location import UnlistedOption, region_of
from arcferry.cli.options import LOCATION_VARIABLE, CloudOption, Output, OutputOption
from arcferry.errors import InputError

if TYPE_CHECKING:
    from arcferry.diagnosis.audit import Audit

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
            envvar=LOCATION_VARIABLE,
            metavar="REGION",
            help="Where the machines are to appear, such as eastasia: every endpoint required there is "
            "audited too, also where nothing that was handed in speaks of it.",
        ),
    ] = None,
    location_unlisted: UnlistedOption = False,
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
    from arcferry.cli.evidence import evidence_and_held
    from arcferry.diagnosis import audit as auditing

    chosen = catalog.cloud(cloud)
    region = region_of(location, chosen, unlisted=location_unlisted) if location else None
    evidence, held = evidence_and_held(files or [], chosen)
    result = auditing.audit(evidence, held, chosen, region)
    if not result.rows:
        raise InputError(
            "there is nothing to audit: no endpoint is named",
            hint="Give --location, or hand in DNS answers or the output of arcferry check.",
        )
    _print(result, output)
    if result.missing or result.diagnosis.has_errors:
        raise typer.Exit(1)


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
