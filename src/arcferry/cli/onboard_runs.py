"""The runs that are remembered: how they stand, and one of them as it goes on."""

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from arcferry.cli import options
from arcferry.cli.output import show
from arcferry.cli.run_choice import RunOption, chosen
from arcferry.cli.talk import in_window

if TYPE_CHECKING:
    from arcferry.fleet.run_folder import RunFolder


def status(*, state: options.StateOption = None, output: options.PageOutputOption = "table") -> None:
    """List the runs that are remembered here, the newest first, whether each is at work, and its hosts.

    Reads the state folder alone: neither Azure nor a server is asked. JSON has the findings of the newest run
    that was judged, too, by the data that were at hand then.
    """
    from arcferry.files import state_folder
    from arcferry.fleet.findings import judged_again
    from arcferry.report import as_json, runs
    from arcferry.report.console import print_lines, stdout

    folder = state or state_folder()
    found = runs.remembered(folder)

    def lines() -> Iterator[dict[str, Any]]:
        return as_json.lines({"runs": found, **as_json.fields(judged_again(folder))}, "runs", "run-state")

    show(
        output,
        table=lambda: print_lines(stdout(), "\n".join(runs.plain(found)), indent=0),
        document=lambda: runs.document(found, judged_again(folder)),
        lines=lines,
        junit=lambda: runs.junit(found),
    )


def follow(
    *,
    run: RunOption = "",
    state: options.StateOption = None,
    output: Annotated[Literal["table", "jsonl"], options.FORM] = "table",
) -> None:
    """Show what a run does while it does it, also one that another process works on, until it ends.

    Of a run that has ended, all that its last apply did. jsonl gives the journal's own lines.

    Exit code 0 when every server of the run is connected, 1 when one is not or the run was broken off, 2 when
    no run is remembered, 130 after Ctrl-C, which leaves the run alone.
    """
    from arcferry.cli import stopping
    from arcferry.fleet.following import RunState, all_connected, standing

    found = chosen(state, run)
    stopping.run(_print(found, output), says="stopped following; the run goes on")
    stands = standing(found)
    if stands["state"] == RunState.BROKEN_OFF:
        says = "the run was broken off: its process is gone. Apply again: it goes on where it was"
        typer.echo(in_window(says), err=True)
    if not all_connected(found, stands):
        raise typer.Exit(1)


async def _print(run: "RunFolder", output: str) -> None:
    import json

    from arcferry.fleet.following import follow as followed
    from arcferry.report import runs
    from arcferry.report.console import stdout

    console = stdout()
    tell: dict[str, Callable[[Mapping[str, Any]], None]] = {
        "table": lambda event: runs.draw_event(event, console),
        "jsonl": lambda event: typer.echo(json.dumps(event, ensure_ascii=False)),
    }
    async for event in followed(run):
        tell[output](event)
