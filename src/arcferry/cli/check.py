import json
import os
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Annotated

import typer

from arcferry.cli.location import UnlistedOption, region_of
from arcferry.cli.options import (
    CaFileOption,
    CloudOption,
    LocationOption,
    Output,
    OutputOption,
    PortOption,
    ProxyOption,
    ResolverOption,
    WithOption,
)

if TYPE_CHECKING:
    from arcferry.diagnosis import Diagnosis
    from arcferry.probe import CheckResult


def check(
    *,
    location: LocationOption,
    location_unlisted: UnlistedOption = False,
    cloud: CloudOption = "AzureCloud",
    every: Annotated[
        bool, typer.Option("--all", help="Also probe what installation and optional features use.")
    ] = False,
    resolver: ResolverOption = None,
    proxy: ProxyOption = None,
    ca_file: CaFileOption = None,
    port: PortOption = None,
    evidence: WithOption = None,
    output: OutputOption = Output.TABLE,
) -> None:
    """Probe every endpoint that Azure Arc requires, from this machine, all at once.

    For each: the name with its CNAME chain, TCP, TLS and who issued the certificate, an HTTP answer, and the
    clock. Any HTTP status counts as reached. Changes nothing, needs no sign-in and no agent, and ends within
    ten seconds. Beneath: what follows from it, by the data at hand, and which data would tell more.

    Exit code 0 when every required endpoint was reached, 1 when one was not.
    """
    from arcferry import catalog
    from arcferry.cli import stopping
    from arcferry.cli.evidence import evidence_and_held
    from arcferry.diagnosis import judge
    from arcferry.evidence.document import observed
    from arcferry.probe import ProbeSettings
    from arcferry.probe import check as check_endpoints

    chosen = catalog.cloud(cloud)
    region = region_of(location, chosen, unlisted=location_unlisted)
    settings = ProbeSettings(resolver=resolver, proxy=proxy, ca_file=ca_file, port=port)
    endpoints = catalog.endpoints(chosen, region, optional=every)
    given, held = evidence_and_held(evidence or [], chosen)
    if not proxy and any(map(os.environ.get, ("HTTPS_PROXY", "https_proxy"))):
        typer.echo("note: HTTPS_PROXY is set, and not used here; give --proxy to go through it", err=True)
    with _counter(len(endpoints)) as step:
        result = stopping.run(
            check_endpoints(chosen, region, settings, optional=every, progress=lambda _: step()),
            says="stopped before every endpoint had answered",
        )
    _print(result, judge((observed(result.observations), *given), held), output)
    if result.failed:
        raise typer.Exit(1)


def _print(result: "CheckResult", diagnosis: "Diagnosis", output: Output) -> None:
    from arcferry import catalog, times
    from arcferry.report import ahead
    from arcferry.report import check as report
    from arcferry.report import check_findings as found

    announced = catalog.ahead(times.now().date(), result.cloud)
    match output:
        case Output.JSON:
            more = found.fields(diagnosis) | {"ahead": ahead.fields(announced)}
            typer.echo(json.dumps(report.document(result) | more, indent=2))
        case Output.JSONL:
            typer.echo("\n".join(found.json_lines(diagnosis, result)))
        case Output.TABLE if sys.stdout.isatty():
            from arcferry.report import check_terminal, console

            check_terminal.draw(result, console.stdout())
            check_terminal.draw_findings(found.styled(diagnosis, result), console.stdout())
        case Output.TABLE:
            typer.echo("\n".join((*report.plain(result), *found.plain(diagnosis, result))))
    if output is Output.TABLE:
        for line in ahead.lines(announced):
            typer.echo(line)


def _counter(total: int) -> AbstractContextManager[Callable[[], None]]:
    if not sys.stderr.isatty():
        return nullcontext(lambda: None)
    from arcferry.report import console

    return console.counter(f"Probing {total} endpoints", total)
