"""The runs that are remembered: how they stand, and one of them as it goes on."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from arcferry.cli import options
from arcferry.cli.output import show
from arcferry.cli.run_choice import RunOption, chosen

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

    folder = state or state_folder()
    found = runs.remembered(folder)

    def content() -> dict[str, Any]:
        return {"runs": found, **as_json.fields(judged_again(folder))}

    show(
        output,
        table=lambda: typer.echo("\n".join(runs.plain(found))),
        document=lambda: {"schema": 1, "kind": "runs", **content()},
        lines=lambda: as_json.lines(content(), "runs", "run-state"),
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
        typer.echo(
            "the run was broken off: its process is gone. Apply again: it goes on where it was", err=True
        )
    if not all_connected(found, stands):
        raise typer.Exit(1)


async def _print(run: "RunFolder", output: str) -> None:
    import json

    from arcferry.fleet.following import follow as followed
    from arcferry.report import runs

    told: dict[str, Callable[[Mapping[str, Any]], str]] = {
        "table": runs.event_line,
        "jsonl": lambda event: json.dumps(event, ensure_ascii=False),
    }
    async for event in followed(run):
        if line := told[output](event):
            typer.echo(line)
