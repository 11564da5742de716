"""What is remembered of runs: `onboard status`."""

from typing import Any

import typer

from arcferry.cli import options
from arcferry.cli.output import show


def status(*, state: options.StateOption = None, output: options.CheckOutputOption = "table") -> None:
    """List the runs that are remembered here, the newest first, and how far each host came.

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
