import json
import re
import sys
from collections.abc import Callable, Sequence
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from arcferry.cli.location import UnlistedOption, region_of
from arcferry.cli.options import (
    LOCATION_VARIABLE,
    CaFileOption,
    CloudOption,
    Output,
    OutputOption,
    PortOption,
    ProxyOption,
    WithOption,
)
from arcferry.errors import InputError
from arcferry.text import quoted

if TYPE_CHECKING:
    from arcferry.catalog import Cloud, Region
    from arcferry.report.watch import Shown
    from arcferry.watch import Notice, Round

app = typer.Typer(help="Record where Azure Arc's names answer over time, and warn before it breaks.")

_DURATION = re.compile(r"(\d{1,6})(s|m|h|d)")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_FEWEST_SECONDS, _MOST_SECONDS = 1, 86400


class Drawing(StrEnum):
    """The forms in which a history is shown."""

    TABLE = "table"
    JSON = "json"
    SVG = "svg"


StateOption = Annotated[
    Path | None,
    typer.Option(
        "--state",
        envvar="ARCFERRY_STATE",
        metavar="DIR",
        help="Where histories are kept. Without it the user's state folder.",
    ),
]
OptionalLocation = Annotated[
    str | None,
    typer.Option(
        "--location",
        "-l",
        envvar=LOCATION_VARIABLE,
        metavar="REGION",
        help="The Azure region of the machines.",
    ),
]


@app.callback(invoke_without_command=True)
def record(
    context: typer.Context,
    *,
    location: OptionalLocation = None,
    location_unlisted: UnlistedOption = False,
    cloud: CloudOption = "AzureCloud",
    every: Annotated[
        str, typer.Option("--every", metavar="TIME", help="From round to round, such as 30s, 5m or 1h.")
    ] = "5m",
    resolver: Annotated[
        list[str] | None,
        typer.Option(
            "--resolver",
            envvar="ARCFERRY_RESOLVER",
            metavar="IP[:PORT]",
            help="May be repeated. The first is the servers' own, through which endpoints are reached; the "
            "others are only asked. Default: the system's.",
        ),
    ] = None,
    rounds: Annotated[
        int | None, typer.Option("--rounds", min=1, metavar="N", help="Stop after N rounds. Default: never.")
    ] = None,
    evidence: WithOption = None,
    proxy: ProxyOption = None,
    ca_file: CaFileOption = None,
    port: PortOption = None,
    state: StateOption = None,
    output: OutputOption = Output.TABLE,
) -> None:
    """Record where Azure Arc's names answer, and what can be reached, round after round.

    Tells what changes: an answer that moves to another region, nears or leaves what the route filter carries,
    an endpoint that falls silent. Changes nothing, and needs no sign-in. One watch a location runs at a time;
    its history is bounded, and goes on after a restart. `arcferry watch show` draws it.

    Exit code with --rounds: 0 when all was well in the last round, 1 when not.
    """
    if context.invoked_subcommand:
        return
    from arcferry import catalog, times
    from arcferry.cli import stopping
    from arcferry.folders import state_folder
    from arcferry.lock import only_one
    from arcferry.probe import ProbeSettings
    from arcferry.watch import History, history_path, watch

    if not location:
        raise InputError("which location is to be watched?", hint="Give --location, such as eastasia.")
    chosen = catalog.cloud(cloud)
    region = region_of(location, chosen, unlisted=location_unlisted)
    interval = _duration(every)
    asked = resolver or []
    settings = ProbeSettings(resolver=asked[0] if asked else None, proxy=proxy, ca_file=ca_file, port=port)
    for one in asked:
        ProbeSettings(resolver=one)
    path = history_path(state or state_folder(), chosen, region)
    hint = "One watch a location suffices; stop the other one, or use another folder with --state."
    with only_one(path.parent, "watch", name=f"{path.stem}.lock", hint=hint), History.open(path) as history:
        typer.echo(f"Watching {region.name} every {every}; history in {path}", err=True)
        for announced in catalog.ahead(times.now().date(), chosen):
            typer.echo(f"note: {announced}", err=True)
        good = stopping.run(
            watch(
                chosen,
                region,
                settings,
                history,
                evidence=_evidence(evidence, chosen),
                tell=_teller(output),
                every=interval,
                besides=asked[1:],
                rounds=rounds,
            ),
            says="stopped; the history is kept",
        )
    if not good:
        raise typer.Exit(1)


@app.command("show")
def show(
    *,
    location: OptionalLocation = None,
    cloud: CloudOption = "AzureCloud",
    since: Annotated[
        str | None, typer.Option("--since", metavar="TIME", help="Only this long back, such as 12h or 7d.")
    ] = None,
    evidence: WithOption = None,
    state: StateOption = None,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FILE", help="Write here instead of to standard output.")
    ] = None,
    output: Annotated[
        Drawing,
        typer.Option("--output", "-o", help="A table, one JSON document that explain reads, or a picture."),
    ] = Drawing.TABLE,
) -> None:
    """Show a watch's history: a table, a JSON document, or an SVG picture.

    Answers are judged by the data at hand now, so a filter that was changed since changes what counts as
    carried.
    """
    from arcferry import files
    from arcferry.report import console
    from arcferry.report import watch as report
    from arcferry.report.watch_svg import svg

    chosen, region, path = _watched(location, cloud, state)
    shown = _shown(path, chosen, region, since, _evidence(evidence, chosen))
    if output is Drawing.TABLE and out is None:
        report.draw(shown, console.stdout())
        return
    if output is Drawing.TABLE:
        raise InputError(
            "a table goes to the terminal", hint="Give --output svg or --output json with --out."
        )
    text = svg(shown) if output is Drawing.SVG else report.as_json(shown)
    if out is None:
        typer.echo(text)
    else:
        files.write_whole(out, text.encode())
        typer.echo(f"Written: {out}", err=True)


def _duration(text: str) -> timedelta:
    found = _DURATION.fullmatch(text.strip().lower())
    seconds = int(found[1]) * _SECONDS[found[2]] if found else 0
    if not _FEWEST_SECONDS <= seconds <= _MOST_SECONDS:
        raise InputError(
            f"{quoted(text)} is no time between 1s and 1d",
            hint="Give a number with s, m, h or d, such as 5m.",
        )
    return timedelta(seconds=seconds)


def _ago(text: str) -> timedelta:
    found = _DURATION.fullmatch(text.strip().lower())
    if not found or int(found[1]) == 0:
        raise InputError(
            f"{quoted(text)} is no time", hint="Give a number with s, m, h or d, such as 12h or 7d."
        )
    return timedelta(seconds=int(found[1]) * _SECONDS[found[2]])


def _evidence(given: list[Path] | None, cloud: "Cloud") -> "Callable[[], Case]":
    from arcferry.cli.evidence import evidence_and_held
    from arcferry.evidence.case import Case

    return lambda: Case.of(*evidence_and_held(given or [], cloud))


def _watched(location: str | None, cloud: str, state: Path | None) -> "tuple[Cloud, Region, Path]":
    from arcferry import catalog
    from arcferry.folders import state_folder
    from arcferry.watch import history_path

    chosen, folder = catalog.cloud(cloud), state or state_folder()
    if location is None:
        known = sorted((folder / "watch").glob(f"{chosen.name}-*.sqlite"))
        names = [path.stem.removeprefix(f"{chosen.name}-") for path in known]
        if len(names) != 1:
            has = f"histories of {', '.join(names)} are there" if names else "nothing was watched yet"
            raise InputError(f"which location? {has}", hint="Give --location, such as eastasia.")
        location = names[0]
    region = catalog.region(location, chosen, unlisted=True)
    path = history_path(folder, chosen, region)
    # A history is shown whatever the lists say of its location; without one a misspelling is the likelier.
    return chosen, region if path.is_file() else catalog.region(location, chosen), path


def _shown(
    path: Path,
    cloud: "Cloud",
    region: "Region",
    since: str | None,
    evidence: "Callable[[], Case]",
) -> "Shown":
    from arcferry import times
    from arcferry.report.watch import Shown
    from arcferry.watch import History, region_of_answer

    with History.open(path, existing=True) as history:
        record = history.read(times.now() - _ago(since) if since else None)
    case = evidence()
    found = {span: region_of_answer(span.answer, case) for span in record.answers}
    return Shown(cloud, region, record, found, tuple(document.name for document in case.handed_in))


def _teller(output: Output) -> "Callable[[Round, Sequence[Notice]], None]":
    from arcferry.report import console
    from arcferry.report import watch as report

    def tell(seen: "Round", notices: "Sequence[Notice]") -> None:
        if output is not Output.TABLE:
            for notice in notices:
                typer.echo(json.dumps(report.notice_document(seen, notice)))
            typer.echo(json.dumps(report.round_document(seen)))
            return
        for notice in notices:
            if sys.stdout.isatty():
                report.draw_notice(seen, notice, console.stdout())
            else:
                typer.echo(report.notice_line(seen, notice))

    return tell


if TYPE_CHECKING:
    from arcferry.evidence.case import Case
