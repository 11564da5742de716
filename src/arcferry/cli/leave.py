from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from arcferry.cli import azure_options, options
from arcferry.cli.errand_options import ApplyOption, ServerOptions, errand_request
from arcferry.cli.inventory import InventoryOption
from arcferry.cli.options import argument, grouped, option
from arcferry.cli.output import show
from arcferry.cli.sign_in import principal
from arcferry.cli.talk import say
from arcferry.cli.watch_service import UNITS, UnitsOption
from arcferry.errors import InputError, InterruptedRunError
from arcferry.language import spoken

if TYPE_CHECKING:
    from arcferry.fleet.errands.errand import ErrandRequest
    from arcferry.leave import LeaveRequest, ServersLeft

_GO_ON = "Run the same command again: what is gone is found gone."


@dataclass(frozen=True, kw_only=True)
class LeaveOptions(ServerOptions):
    """What offboard takes, of which nothing is needed for a list."""

    tenant_id: azure_options.OptionalTenantOption = ""


@grouped
def leave(
    exports: Annotated[
        list[Path] | None, argument("[EXPORT]...", "Folders that arcferry export wrote.")
    ] = None,
    *,
    inventory: InventoryOption = None,
    forget: Annotated[
        bool,
        option("--forget", "Remove what is remembered and held here too, once every server is clean."),
    ] = False,
    data: options.DataOption = None,
    units: UnitsOption = UNITS,
    servers: LeaveOptions,
    apply: ApplyOption = False,
    output: options.OutputOption = "table",
) -> None:
    """List what arcferry put where, each with its remover; with --apply take away what is arcferry's own.

    By export and by run: servers, scheduled tasks, policies and shares, watches, the service principal and
    its roles, the communities that letters asked for, and what is remembered and held on this machine.

    --apply does what arcferry may do itself: with --inventory it offboards and uninstalls the servers that a
    run remembers, as these commands do; it removes units of watches that do not run; with --forget it
    removes what is remembered here. Everything else is listed for whoever owns it, with the commands.

    Exit code 0 when all of that is gone or would be, 1 when something stands in the way, 3 when another
    apply is at work, 4 when signing in failed.
    """
    from arcferry import times
    from arcferry.files import data_folder, state_folder
    from arcferry.leave import LeaveRequest, Leaving, removed, traces
    from arcferry.report import as_json, console
    from arcferry.report import leave as report

    offboard = _offboarding(inventory, servers) if inventory else None
    request = LeaveRequest(
        tuple(exports or ()),
        servers.state or state_folder(),
        data or data_folder(),
        units,
        servers.client_id or "",
        frozenset(host.name for host in offboard.inventory.hosts) if offboard else frozenset(),
        forget,
    )
    found = traces(request, times.now().date())
    taken = _servers(request, offboard, servers, applies=apply) if offboard else None
    if apply:
        found = removed(request, found)
    result = Leaving(apply, found, taken)
    show(
        output,
        table=lambda: report.draw(result, console.stdout()),
        document=lambda: report.document(result),
        lines=lambda: as_json.lines(report.document(result), *report.ROWS),
    )
    if taken and any(run.interrupted for run in taken.runs):
        raise InterruptedRunError("stopped; what is done is kept", hint=_GO_ON)
    if not result.all_good:
        raise typer.Exit(1)


def _offboarding(inventory: Path, given: LeaveOptions) -> "ErrandRequest":
    from arcferry.fleet.errands.errand import Wishes
    from arcferry.fleet.errands.leaving import OFFBOARD

    if not given.tenant_id:
        raise InputError("--tenant-id is missing", hint="As for onboard: where the servers are in Azure.")
    return errand_request(OFFBOARD, inventory, given, Wishes())


def _servers(
    request: "LeaveRequest", offboard: "ErrandRequest", given: LeaveOptions, *, applies: bool
) -> "ServersLeft":
    from arcferry.cli import stopping
    from arcferry.fleet.errands.leaving import UNINSTALL
    from arcferry.fleet.stop import Stop
    from arcferry.leave import take_servers
    from arcferry.report import console
    from arcferry.report.progress import tell_in

    who = principal(given, ask=applies)
    stop, screen = Stop(), console.stderr()

    def ask() -> None:
        stop.ask()
        say("stopping: the step that is at work ends first")

    work = take_servers(
        request,
        offboard,
        replace(offboard, errand=UNINSTALL),
        who,
        observer=partial(tell_in, spoken(), screen),
        stop=stop,
        applies=applies,
    )
    return stopping.run(work, says="stopped", hint=_GO_ON, ask=ask)
