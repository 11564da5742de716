import json
import re
from collections.abc import Callable, Sequence
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, assert_never

import typer

from arcferry.cli import options
from arcferry.cli.options import option
from arcferry.cli.output import Output, indented
from arcferry.errors import InputError
from arcferry.text import quoted

if TYPE_CHECKING:
    from arcferry.catalog import Cloud, Region
    from arcferry.evidence.case import Case
    from arcferry.report.watch import HistoryView
    from arcferry.watch.changes import Notice, Round

app = typer.Typer(help="Record where Azure Arc's names answer over time, and warn before it breaks.")

_DURATION = re.compile(r"(\d{1,6})(s|m|h|d)")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_LONGEST_INTERVAL = timedelta(days=1)


@app.callback(invoke_without_command=True)
def record(
    context: typer.Context,
    *,
    location: options.OptionalLocationOption = None,
    location_unlisted: options.UnlistedOption = False,
    cloud: options.CloudOption = options.DEFAULT_CLOUD,
    every: Annotated[str, option("--every TIME", "From round to round, such as 30s, 5m or 1h.")] = "5m",
    resolver: options.ResolversOption = None,
    rounds: Annotated[int | None, option("--rounds N", "Stop after N rounds. Default: never.", min=1)] = None,
    evidence: options.WithOption = None,
    proxy: options.ProxyOption = None,
    ca_file: options.CaFileOption = None,
    port: options.PortOption = None,
    state: options.StateOption = None,
    output: options.OutputOption = "table",
) -> None:
    """Record where Azure Arc's names answer, and what can be reached, round after round.

    Tells what changes: an answer that moves to another region, nears or leaves what the route filter carries,
    an endpoint that falls silent. Changes nothing, and needs no sign-in. One watch a location runs at a time;
    its history is bounded, and goes on after a restart. `arcferry watch show` draws it. --resolver may be
    repeated: through the first, the servers' own, endpoints are reached; the others are only asked.

    Exit code with --rounds: 0 when all was well in the last round, 1 when not.
    """
    if context.invoked_subcommand:
        return
    from arcferry import catalog, times
    from arcferry.cli import stopping
    from arcferry.cli.evidence import evidence_and_held
    from arcferry.evidence.case import Case
    from arcferry.files import only_one, state_folder
    from arcferry.probe.step import ProbeSettings
    from arcferry.watch.history import History, history_path
    from arcferry.watch.watcher import watch

    if not location:
        raise InputError("which location is to be watched?", hint="Give --location, such as eastasia.")
    chosen = catalog.cloud(cloud)
    region = options.region_of(location, chosen, unlisted=location_unlisted)
    interval = _duration(every, longest=_LONGEST_INTERVAL)
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
                evidence=lambda: Case.of(*evidence_and_held(evidence or [], chosen, whole=True)),
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
    location: options.OptionalLocationOption = None,
    cloud: options.CloudOption = options.DEFAULT_CLOUD,
    since: Annotated[str | None, option("--since TIME", "Only this long back, such as 12h or 7d.")] = None,
    evidence: options.WithOption = None,
    state: options.StateOption = None,
    out: options.OptionalOutOption = None,
    output: Annotated[Literal["table", "json", "svg"], options.FORM] = "table",
) -> None:
    """Show a watch's history: a table, a JSON document that explain reads, or an SVG picture.

    Answers are judged by the data at hand now, so a filter that was changed since changes what counts as
    carried.
    """
    from arcferry import files
    from arcferry.cli.evidence import evidence_and_held
    from arcferry.diagnosis import judge
    from arcferry.evidence.case import Case
    from arcferry.evidence.readers import arcferry_check
    from arcferry.report import as_json, console
    from arcferry.report import watch as report
    from arcferry.report.watch_svg import svg
    from arcferry.watch.changes import ORIGIN

    chosen, region, path = _watched(location, cloud, state)
    case = Case.of(*evidence_and_held(evidence or [], chosen, whole=True))
    shown = _shown(path, chosen, region, since, case)
    match output:
        case "table" if out is None:
            report.draw(shown, console.stdout())
            return
        case "table":
            hint = "Give --output svg or --output json with --out."
            raise InputError("a table goes to the terminal", hint=hint)
        case "json":
            # Judged as explain reads it, so that both give the same.
            history = report.document(shown)
            judged = judge((arcferry_check.read_history(ORIGIN, history), *case.handed_in))
            text = indented(history | as_json.fields(judged))
        case "svg":
            text = svg(shown)
        case _:
            assert_never(output)
    if out is None:
        typer.echo(text)
    else:
        files.write_whole(out, text.encode())
        typer.echo(f"Written: {out}", err=True)


def _duration(text: str, *, longest: timedelta | None = None) -> timedelta:
    """A time that was typed: a second at least, and not longer than `longest`."""
    found = _DURATION.fullmatch(text.strip().lower())
    duration = timedelta(seconds=int(found[1]) * _SECONDS[found[2]] if found else 0)
    if not duration or (longest and duration > longest):
        bounds = " between 1s and 1d" if longest else ""
        hint = "Give a number with s, m, h or d, such as 5m or 7d."
        raise InputError(f"{quoted(text)} is no time{bounds}", hint=hint)
    return duration


def _watched(location: str | None, cloud: str, state: Path | None) -> "tuple[Cloud, Region, Path]":
    from arcferry import catalog
    from arcferry.files import state_folder
    from arcferry.watch.history import history_path

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


def _shown(path: Path, cloud: "Cloud", region: "Region", since: str | None, case: "Case") -> "HistoryView":
    from arcferry import times
    from arcferry.report.watch import HistoryView
    from arcferry.watch.changes import region_of_answer
    from arcferry.watch.history import History

    with History.open(path, existing=True) as history:
        record = history.read(times.now() - _duration(since) if since else None)
    found = {span: region_of_answer(span.answer, case) for span in record.answers}
    return HistoryView(cloud, region, record, found, tuple(document.name for document in case.handed_in))


def _teller(output: Output) -> "Callable[[Round, Sequence[Notice]], None]":
    from arcferry.report import as_json, console
    from arcferry.report import watch as report

    def tell(seen: "Round", notices: "Sequence[Notice]") -> None:
        match output:
            case "table":
                for notice in notices:
                    report.draw_notice(seen, notice, console.stdout())
            case "json" | "jsonl":  # rounds have no end that a single document could wait for
                for notice in notices:
                    typer.echo(json.dumps(report.notice_document(seen, notice)))
                for line in as_json.lines(as_json.fields(seen.diagnosis)):
                    typer.echo(json.dumps(line))
                typer.echo(json.dumps(report.round_document(seen)))
            case _:
                assert_never(output)

    return tell
