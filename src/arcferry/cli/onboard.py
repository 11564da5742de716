from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from arcferry.cli import onboard_runs, options
from arcferry.cli.inventory import InventoryArgument
from arcferry.cli.onboard_options import FleetOptions, RolloutOptions, request_of
from arcferry.cli.options import grouped, option
from arcferry.cli.output import show_by
from arcferry.errors import InputError, InterruptedRunError

app = typer.Typer(
    no_args_is_help=True,
    help="Install the agent on servers over SSH or WinRM, connect them to Azure Arc, and verify in Azure.",
)
_GO_ON = "Run the same command again: it goes on where it was."
_STOPPING = "stopping: what is being installed or connected ends first; once more to leave it"


@app.command("plan")
@grouped
def plan(
    inventory: InventoryArgument,
    *,
    fleet: FleetOptions,
    output: options.CheckOutputOption = "table",
) -> None:
    """Show what apply would do with every server. Changes nothing.

    Reads each server's facts and decides as apply does. With a secret or a certificate it also asks
    Azure whether everything is ready there; without one it says that Azure was not asked.

    Exit code 0 when every server could go on, 1 when one could not or Azure gave no usable answer, 3 when
    Azure is not ready, 4 when signing in failed.
    """
    from arcferry.cli import stopping
    from arcferry.fleet.plan import plan_fleet
    from arcferry.report import plan as report

    request = request_of(inventory, fleet, acts=False)
    result = stopping.run(plan_fleet(request), says="stopped; nothing was changed")
    show_by(output, report, result)
    if not all(host.good for host in result.hosts):
        raise typer.Exit(1)


@app.command("apply")
@grouped
def apply(
    inventory: InventoryArgument,
    *,
    fleet: FleetOptions,
    rollout: RolloutOptions,
    patience: Annotated[
        float,
        option(
            "--patience SECONDS",
            "How long a machine may take to be Connected in Azure, with the bundle's version and a "
            "heartbeat newer than the run. An agent sends one every five minutes.",
            panel=options.RUN,
            min=1,
            max=3600,
        ),
    ] = 420,
    output: options.CheckOutputOption = "table",
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
    leaves that too. What is done is kept.

    Exit code 0 when every server is connected, 1 when one is not, 2 when an option or a file is wrong or the
    disk with the state is full, 3 when nothing was begun because something must change first, 4 when signing
    in failed, 130 after Ctrl-C or SIGTERM.
    """
    from arcferry import catalog, log
    from arcferry.cli import stopping
    from arcferry.cli.evidence import held_beside, warn
    from arcferry.fleet.findings import findings_of_run, keep
    from arcferry.fleet.pipeline import NAMES
    from arcferry.fleet.run import apply_fleet
    from arcferry.fleet.stop import Stop
    from arcferry.report import fleet as report
    from arcferry.report.progress import watching

    request = request_of(inventory, fleet, acts=True)
    who = request.principal
    if who is None:
        raise InputError(
            "no secret and no certificate to sign in to Azure with",
            hint=f"Set {fleet.secret_env}, or pass --secret-file or --certificate.",
        )
    request = replace(rollout.of(request), patience=patience)
    stop = Stop()

    def ask() -> None:
        """Once to end in order, twice to leave what is at work."""
        stop.ask()
        if stop.asked == 1:
            typer.echo(_STOPPING, err=True)

    names = [host.name for host in request.inventory.hosts]
    with watching(names, len(NAMES), lines=log.is_on()) as observer:
        result = stopping.run(
            apply_fleet(request, who, observer=observer, stop=stop), says="stopped", hint=_GO_ON, ask=ask
        )
    held = held_beside((), catalog.cloud(fleet.cloud))
    warn(held)
    judged = replace(result, diagnosis=findings_of_run(result.hosts, held))
    show_by(output, report, judged)
    keep(judged.diagnosis, Path(judged.state))
    if stopping.asked():
        raise InterruptedRunError("stopped; what is done is kept", hint=_GO_ON)
    if not result.all_connected:
        raise typer.Exit(3 if result.blocked else 1)


app.command("status")(onboard_runs.status)
