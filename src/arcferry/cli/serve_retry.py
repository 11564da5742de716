"""What the live page takes failed servers up with: the options of `onboard retry`, read before it begins."""

import sys
from collections.abc import Sequence
from pathlib import Path

import typer

from arcferry.cli.app import within
from arcferry.cli.inventory import InventoryArgument
from arcferry.cli.onboard_options import OnboardOptions, RunOptions, request_of, who_signs_in
from arcferry.cli.options import grouped
from arcferry.errors import InputError
from arcferry.fleet.task import RunRequest
from arcferry.language import spoken
from arcferry.serve.retrying import Command

_APP = typer.Typer(add_completion=False)


@_APP.command()
@grouped
def _run(inventory: InventoryArgument, *, fleet: OnboardOptions, run_options: RunOptions) -> RunRequest:
    """What a run was begun with, so that the page can try its failed servers again."""
    if fleet.limit or fleet.site:
        raise InputError(
            "which servers are tried again is chosen on the page",
            hint="Leave --limit and --site out of what stands after the --.",
        )
    request = request_of(inventory, fleet, acts=False, run=run_options)
    who_signs_in(request, fleet)
    return request


def command_of(given: Sequence[str], state: Path) -> Command:
    """The command for the run that inventory and options make; a secret is looked for, and not kept.

    Raises:
        ArcferryError: they would begin no run, or one that is remembered elsewhere.
    """
    own = ("--state", str(state))
    command = within(typer.main.get_command(_APP))
    with command.make_context("arcferry serve --allow-actions --", [*own, *given]) as context:
        request: RunRequest = command.invoke(context)
    if request.state != state:
        raise InputError(
            f"the page shows the runs of {state}, not those of {request.state}",
            hint="Give --state before the --.",
        )
    # -P: no module of the folder that the page was begun in takes the place of arcferry's.
    program = (sys.executable, "-P", "-m", "arcferry", "onboard", "retry", "--quiet", "--lang", spoken())
    return Command(request.run, (*program, "--run", request.run, *own), tuple(given))
