import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, assert_never

import typer

from arcferry.cli import options, watch_service
from arcferry.cli.options import grouped, option
from arcferry.cli.output import Output, indented
from arcferry.cli.talk import say
from arcferry.cli.watch_options import WatchOptions, duration
from arcferry.cli.watch_servers import WatchedServers
from arcferry.errors import InputError
from arcferry.text import quoted

if TYPE_CHECKING:
    from arcferry.catalog import Cloud, Region
    from arcferry.evidence.case import Case
    from arcferry.report.watch import HistoryView
    from arcferry.watch.changes import Notice, Round
    from arcferry.watch.watcher import Looks

_Written = Literal["json", "svg", "html", "markdown", "csv"]
"""A history as a file; a table goes to the terminal."""

app = typer.Typer(help="Record where Azure Arc's names answer over time, and warn before it breaks.")


app.command("install")(watch_service.install)
app.command("uninstall")(watch_service.uninstall)
app.command("status")(watch_service.status)


@app.callback(invoke_without_command=True)
@grouped
def record(
    context: typer.Context,
    *,
    given: WatchOptions,
    servers: WatchedServers,
    rounds: Annotated[int | None, option("--rounds N", "Stop after N rounds. Default: never.", min=1)] = None,
    state: options.StateOption = None,
    output: options.OutputOption = "table",
) -> None:
    """Record where Azure Arc's names answer, and what can be reached, round after round.

    Tells what changes: an answer that moves to another region, nears or leaves what the route filter carries,
    an endpoint that falls silent. Changes nothing, and needs no sign-in. One watch a location runs at a time;
    its history is bounded, and goes on after a restart. `arcferry watch show` draws it. --resolver may be
    repeated: through the first, the servers' own, endpoints are reached; the others are only asked. With
    SITE= before them each site is watched by its own resolvers, into a history of its own.

    With --inventory the servers themselves look: one of each network (its site, else its subnet) is asked for
    the path that it measures, by the host script and with nothing left on it; where it does not answer, the
    next one is. Each network has a history of its own.

    --notify tells others of each change: one message with the cause, who can mend it and the letter to them.
    Whoever does not take it delays a round by no more than --notify-within, which is said on stderr and kept
    in the history; the message is tried again after the next round, for a day.

    Exit code with --rounds: 0 when all was well in the last round, 1 when not.
    """
    if context.invoked_subcommand:
        return
    from arcferry import catalog, times
    from arcferry.cli import stopping
    from arcferry.cli.evidence import evidence_and_held
    from arcferry.evidence.case import Case
    from arcferry.files import only_one, state_folder
    from arcferry.watch.changes import take_round
    from arcferry.watch.history import History, history_path
    from arcferry.watch.watcher import Vantage, watch

    chosen, region = given.target()
    interval, notify, evidence = given.interval, given.notifying(), given.evidence or []
    folder = state or state_folder()
    if servers.inventory:
        servers.refuse_own_way(context)
        looks: Looks = servers.looks(chosen, region, folder)
    else:
        looks = {
            site: partial(take_round, chosen, region, settings, besides=besides, site=site)
            for site, (settings, besides) in given.sites().items()
        }
    whose = "from servers" if servers.inventory else "by the resolvers"
    hint = "One watch a location suffices; stop the other one, or use another folder with --state."
    with ExitStack() as stack:
        vantages = []
        for site, look in looks.items():
            path = history_path(folder, chosen, region, site)
            stack.enter_context(only_one(path.parent, "watch", name=f"{path.stem}.lock", hint=hint))
            vantages.append(Vantage(look, stack.enter_context(History.open(path))))
            by = f" {whose} of {site}" if site else ""
            say(f"Watching {region.name}{by} every {given.every}; history in {path}")
        for announced in catalog.ahead(times.now().date(), chosen):
            say(f"note: {announced}")
        good = stopping.run(
            watch(
                vantages,
                evidence=lambda: Case.of(*evidence_and_held(evidence, chosen, whole=True)),
                tell=_teller(output),
                every=interval,
                rounds=rounds,
                notify=notify,
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
    site: Annotated[str, option("--site SITE", "Only what this site saw, where several were watched.")] = "",
    since: Annotated[str | None, option("--since TIME", "Only this long back, such as 12h or 7d.")] = None,
    evidence: options.WithOption = None,
    state: options.StateOption = None,
    out: options.OptionalOutOption = None,
    output: Annotated[Literal["table", "json", "svg", "html", "markdown", "csv"], options.FORM] = "table",
) -> None:
    """Show a watch's history: a table, a JSON document that explain reads, or an SVG picture.

    Where several sites were watched, they are set side by side: what each sees of an endpoint, since when,
    and where they differ; --site shows one of them as it would be shown alone.

    Answers are judged by the data at hand now, so a filter that was changed since changes what counts as
    carried.
    """
    from arcferry import files, times
    from arcferry.cli.evidence import evidence_and_held
    from arcferry.evidence.case import Case
    from arcferry.report import console, watch_sites
    from arcferry.report import watch as report

    chosen, region, found = _watched(location, cloud, state, site)
    case = Case.of(*evidence_and_held(evidence or [], chosen, whole=True))
    begin = times.now() - duration(since) if since else None
    views = [
        report.view_of(path, chosen, region, case, since=begin, site=of_site)
        for of_site, path in found.items()
    ]
    match output:
        case "table" if out is not None:
            hint = "Give --output html, svg or json with --out."
            raise InputError("a table goes to the terminal", hint=hint)
        case "table" if len(views) > 1:
            watch_sites.draw(views, console.stdout())
            return
        case "table":
            report.draw(views[0], console.stdout())
            return
        case _:
            text = _written(views, case, output)
    if out is None:
        typer.echo(text)
    else:
        files.write_whole(out, text.encode())
        say(f"Written: {out}")


def _written(views: "Sequence[HistoryView]", case: "Case", output: _Written) -> str:
    """The history of each site in a form that is written down.

    Raises:
        InputError: it is a picture, and there are several sites.
    """
    from arcferry.diagnosis import judge
    from arcferry.evidence.readers import arcferry_check
    from arcferry.report import as_json, page, watch_sites
    from arcferry.report import watch as report
    from arcferry.report.watch_svg import svg
    from arcferry.watch.changes import ORIGIN

    def judged(view: "HistoryView") -> dict[str, Any]:
        """Judged as explain reads it, so that both give the same."""
        history = report.document(view)
        found = judge((arcferry_check.read_history(ORIGIN, history), *case.handed_in))
        return history | as_json.fields(found)

    match output:
        case "json":
            return indented(watch_sites.document(views) if len(views) > 1 else judged(views[0]))
        case "html" | "markdown" | "csv":
            return page.written([page.read(judged(view)) for view in views], output)
        case "svg":
            if len(views) > 1:
                hint = f"Give --site, one of {', '.join(view.site for view in views if view.site)}."
                raise InputError("a picture is of one site", hint=hint)
            return svg(views[0])
        case _:
            assert_never(output)


def _watched(
    location: str | None, cloud: str, state: Path | None, site: str
) -> "tuple[Cloud, Region, Mapping[str, Path]]":
    """The location that is shown, and its histories by site."""
    from arcferry import catalog
    from arcferry.files import state_folder
    from arcferry.watch.history import histories, history_path

    chosen, folder = catalog.cloud(cloud), state or state_folder()
    if location is None:
        known = sorted((folder / "watch").glob(f"{chosen.name}-*.sqlite"))
        stems = [path.stem.removeprefix(f"{chosen.name}-") for path in known]
        names = list(dict.fromkeys(stem.partition(".")[0] for stem in stems))
        if len(names) != 1:
            has = f"histories of {', '.join(names)} are there" if names else "nothing was watched yet"
            raise InputError(f"which location? {has}", hint="Give --location, such as eastasia.")
        location = names[0]
    region = catalog.region(location, chosen, unlisted=True)
    found = histories(folder, chosen, region)
    if site:
        if site not in found:
            known_sites = ", ".join(one for one in found if one) or "none"
            raise InputError(f"no history of site {quoted(site)}", hint=f"Watched were: {known_sites}.")
        found = {site: found[site]}
    # A history is shown whatever the lists say of its location; without one a misspelling is the likelier.
    region = region if found else catalog.region(location, chosen)
    return chosen, region, found or {"": history_path(folder, chosen, region)}


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
