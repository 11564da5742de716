"""Runs over servers that are connected: a newer agent for them, or a connection made anew."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from arcferry.cli import options
from arcferry.cli.errand_options import ApplyOption
from arcferry.cli.inventory import InventoryArgument
from arcferry.cli.onboard import carry_out
from arcferry.cli.onboard_options import ConnectingOptions, FleetOptions, RunOptions, request_of
from arcferry.cli.options import grouped
from arcferry.cli.output import CheckOutput, show_by

if TYPE_CHECKING:
    from arcferry.fleet.host_state import Way


@grouped
def upgrade(
    inventory: InventoryArgument,
    *,
    fleet: FleetOptions,
    run_options: RunOptions,
    apply: ApplyOption = False,
    output: options.CheckOutputOption = "table",
) -> None:
    """Give connected servers the bundle's agent where theirs is older: canaries first, then the waves.

    It connects and moves nothing: a server that is not connected to the machine that the inventory means is
    left alone. A server is done when Azure shows it Connected with at least the bundle's version, and a
    heartbeat newer than the installation. A newer agent is never replaced.

    It is a run as that of onboard apply: run again it goes on where it was, and arcferry onboard status,
    follow, pause, resume and cancel are for it too. Exit codes are those of onboard apply.
    """
    from arcferry.fleet.host_state import Way

    _run(inventory, fleet, run_options, Way.UPGRADE, output, applies=apply)


@grouped
def reconnect(
    inventory: InventoryArgument,
    *,
    fleet: ConnectingOptions,
    run_options: RunOptions,
    apply: ApplyOption = False,
    output: options.CheckOutputOption = "table",
) -> None:
    """Disconnect servers and connect them anew: for one that has expired, or was cloned.

    That deletes each machine in Azure, with its extensions and role assignments, and makes it again under
    the same name, with the tags, private link scope and gateway of the inventory or else of the options. An
    agent that is older than the bundle's is upgraded. A server that is connected elsewhere is left alone:
    onboard apply --reconnect moves it. The identity that signs in must be allowed to delete machines:
    docs/rights.md, offboard.

    It is a run as that of onboard apply; run again before all are connected it goes on where it was, and
    after that it begins anew. Exit codes are those of onboard apply.
    """
    from arcferry.fleet.host_state import Way

    _run(inventory, fleet, run_options, Way.RECONNECT, output, applies=apply)


def _run(
    inventory: Path, fleet: FleetOptions, order: RunOptions, way: "Way", output: CheckOutput, *, applies: bool
) -> None:
    from arcferry.cli import stopping
    from arcferry.fleet.following import in_turn
    from arcferry.fleet.plan import plan_fleet
    from arcferry.report import plan as report

    asked = request_of(inventory, fleet, acts=applies, run=order)
    # Of the hosts that are chosen: what is done with some does not wait for the others.
    request = in_turn(replace(asked, way=way, everyone=None))
    if applies:
        carry_out(request, fleet, output)
        return
    result = stopping.run(plan_fleet(request), says="stopped; nothing was changed")
    show_by(output, report, result)
    if not all(host.good for host in result.hosts):
        raise typer.Exit(1)
