from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from arcferry.cli import onboard_control, onboard_runs, options
from arcferry.cli.inventory import InventoryArgument
from arcferry.cli.onboard_options import (
    FleetOptions,
    OnboardOptions,
    OrderOptions,
    RunOptions,
    request_of,
    who_signs_in,
)
from arcferry.cli.options import grouped, option
from arcferry.cli.output import PageOutput, show_by
from arcferry.cli.run_choice import RunOption
from arcferry.cli.sign_in import principal
from arcferry.cli.talk import say
from arcferry.errors import InputError, InterruptedRunError
from arcferry.language import _

if TYPE_CHECKING:
    from arcferry.fleet.saved_plan import SavedPlan
    from arcferry.fleet.task import RunRequest

app = typer.Typer(
    no_args_is_help=True,
    help="Install the agent on servers over SSH or WinRM, connect them to Azure Arc, and verify in Azure.",
)
app.command("status")(onboard_runs.status)
app.command("follow")(onboard_runs.follow)
for _order in (onboard_control.pause, onboard_control.resume, onboard_control.cancel):
    app.command()(_order)
_GO_ON = "Run the same command again: it goes on where it was."
_STOPPING = "stopping: what is being installed or connected ends first; once more to leave it"


@app.command("plan")
@grouped
def plan(
    inventory: InventoryArgument,
    *,
    fleet: OnboardOptions,
    order: OrderOptions,
    save: Annotated[
        Path | None,
        option("--save FILE", "Keep the plan, without any secret, for apply --plan FILE.", panel=options.RUN),
    ] = None,
    output: options.CheckOutputOption = "table",
) -> None:
    """Show what apply would do with every server, and in which order. Changes nothing.

    Reads each server's facts and decides as apply does. With a secret or a certificate it also asks
    Azure whether everything is ready there; without one it says that Azure was not asked.

    Exit code 0 when every server could go on, 1 when one could not or Azure gave no usable answer, 3 when
    Azure is not ready, 4 when signing in failed.
    """
    from arcferry.cli import stopping
    from arcferry.fleet import saved_plan
    from arcferry.fleet.plan import plan_fleet
    from arcferry.report import plan as report
    from arcferry.report.console import waiting_for

    request = request_of(inventory, fleet, acts=False, run=order)
    with waiting_for(_("Reading {count} hosts and Azure", count=len(request.inventory.hosts))):
        result = stopping.run(plan_fleet(request), says="stopped; nothing was changed")
    if save is not None:
        saved_plan.save(result, save)
    show_by(output, report, result)
    if not all(host.good for host in result.hosts):
        raise typer.Exit(1)


@app.command("apply")
@grouped
def apply(
    inventory: InventoryArgument,
    *,
    fleet: OnboardOptions,
    run_options: RunOptions,
    plan_file: Annotated[
        Path | None,
        option(
            "--plan FILE",
            "Apply what plan --save kept, and nothing where bundle, inventory, target or what would be done "
            "with a server is another now.",
            panel=options.RUN,
        ),
    ] = None,
    output: options.PageOutputOption = "table",
) -> None:
    """Bring every server of the inventory into Azure Arc.

    First one server of each network measures the path to Azure, and nothing is left on it. Where the path is
    not there, nothing is installed anywhere, and the answer says why and who can change it. Then the same
    servers go before the others, to Connected; then the waves follow. Where a server that went before fails,
    or too many of a wave, nothing further is begun.

    For each: facts, files carried, verified on the server, agent installed, connection checked, connected,
    and done only when Azure itself reports it Connected, with at least the bundle's version and a heartbeat
    newer than the run. A server gets a short-lived token, never the secret. The service principal needs the
    role Azure Connected Machine Onboarding.

    Run the same command again at any time, also after a crash or Ctrl-C: it goes on where it was, repeats
    nothing that is done, and tries again what failed.

    Ctrl-C and SIGTERM let what is being installed or connected end, and begin nothing else; a second one
    leaves that too. What is done is kept. From another terminal: pause, resume, cancel, follow.

    Exit code 0 when every server is connected, 1 when one is not, 2 when an option or a file is wrong or the
    disk with the state is full, 3 when nothing was begun because something must change first, 4 when signing
    in failed, 130 after Ctrl-C or SIGTERM.
    """
    from arcferry.fleet import saved_plan

    request = request_of(inventory, fleet, acts=True, run=run_options)
    planned = saved_plan.read(plan_file) if plan_file is not None else None
    carry_out(request, fleet, output, planned)


@app.command("retry")
@grouped
def retry(
    inventory: InventoryArgument,
    *,
    fleet: OnboardOptions,
    run_options: RunOptions,
    failed: Annotated[
        bool,
        option(
            "--failed", "Take up the servers that failed; the others stand as they are.", panel=options.RUN
        ),
    ] = False,
    cause: Annotated[
        str,
        option(
            "--cause SLUG", "Only those that failed of this cause, such as arm/throttled.", panel=options.RUN
        ),
    ] = "",
    run: RunOption = "",
    output: options.PageOutputOption = "table",
) -> None:
    """Take up the servers again that failed in a run, all of them or those of one cause.

    Give the inventory, the bundle and the place in Azure that the run was begun with. With --run it is made
    sure that they are that run's. What passes by itself, as another installation on the server does, an
    apply has already tried again.

    Exit codes are those of apply, for the servers that are taken up; 3 also when no server failed.
    """
    from arcferry.fleet.failed import run_of, taking_up

    if not failed:
        raise InputError("what is to be taken up again?", hint="--failed for the servers that failed.")
    request = request_of(inventory, fleet, acts=True, run=run_options)
    carry_out(taking_up(request, run_of(request, run), cause), fleet, output)


def carry_out(
    request: "RunRequest", fleet: FleetOptions, output: PageOutput, planned: "SavedPlan | None" = None
) -> None:
    """Work on every server of a run and show how it ended; ends with the command's exit code."""
    from arcferry import catalog, log
    from arcferry.cli import stopping
    from arcferry.cli.evidence import held_beside, warn
    from arcferry.fleet.baselines import with_baselines
    from arcferry.fleet.findings import findings_of_run, keep
    from arcferry.fleet.pipeline import NAMES
    from arcferry.fleet.run import apply_fleet
    from arcferry.fleet.stop import Stop
    from arcferry.report import fleet as report
    from arcferry.report.progress import watching

    who = who_signs_in(request, fleet)
    stop = Stop()

    def ask() -> None:
        """Once to end in order, twice to leave what is at work."""
        stop.ask()
        if stop.asked == 1:
            say(_STOPPING)

    names = [host.name for host in request.inventory.hosts]
    with watching(names, len(NAMES), lines=log.is_on()) as observer:
        result = stopping.run(
            apply_fleet(
                request, who, observer=observer, stop=stop, planned=planned, reread=lambda: principal(fleet)
            ),
            says="stopped",
            hint=_GO_ON,
            ask=ask,
        )
    held = held_beside((), catalog.cloud(fleet.cloud), request.bundle)
    warn(held)
    judged = replace(result, diagnosis=findings_of_run(result.hosts, held))
    judged, notes = with_baselines(judged, request.state, held)
    for note in notes:
        say(f"note: {note}")
    show_by(output, report, judged)
    keep(judged.diagnosis, Path(judged.state))
    if judged.cancelled:
        hint = f"To apply it again: arcferry onboard resume --run {judged.id}, then apply."
        raise InterruptedRunError(f"{judged.cancelled}; what is done is kept", hint=hint)
    if stopping.asked():
        raise InterruptedRunError("stopped; what is done is kept", hint=_GO_ON)
    if not result.are_connected(request.only):
        raise typer.Exit(3 if result.blocked else 1)
