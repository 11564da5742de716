"""What commands take that do something with servers which are in Azure Arc, and how each is carried out."""

import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from arcferry.cli import azure_options, options
from arcferry.cli.inventory import EncodingOption, check_complete, completed, read
from arcferry.cli.onboard_options import (
    ConcurrencyOption,
    HostOptions,
    MaxFailuresOption,
    OrderOptions,
    SelectionOptions,
    quiet_libraries,
    sign_in_of,
    window_of,
)
from arcferry.cli.options import option
from arcferry.cli.output import CheckOutput, show_by
from arcferry.cli.sign_in import principal
from arcferry.cli.talk import say
from arcferry.cli.winrm import WinrmOptions
from arcferry.errors import InputError, InterruptedRunError
from arcferry.language import _

if TYPE_CHECKING:
    from arcferry.fleet.errands.errand import Errand, ErrandRequest, Wishes
    from arcferry.fleet.inventory import Inventory

_GO_ON = "Run the same command again: what is done is found done."
ApplyOption = Annotated[
    bool,
    option("--apply", "Do it. Without this, show what would be done with each server, and change nothing."),
]


@dataclass(frozen=True, kw_only=True)
class MachineOptions(
    SelectionOptions,
    azure_options.HostPlaceOptions,
    azure_options.AccessOptions,
    azure_options.IdentityOptions,
):
    """Which machines in Azure are meant, and who asks for them."""

    inventory_encoding: EncodingOption = ""
    state: options.StateOption = None
    concurrency: ConcurrencyOption = 50
    max_failures: MaxFailuresOption = ""


@dataclass(frozen=True, kw_only=True)
class ServerOptions(MachineOptions, HostOptions, WinrmOptions, OrderOptions):
    """The same, how the servers are reached, and in which order."""

    window: options.WindowOption = None


def errand_request(
    errand: "Errand", inventory: Path | None, given: MachineOptions, wishes: "Wishes", machine: str = ""
) -> "ErrandRequest":
    """What was asked for, read and checked: the servers of an inventory, or one machine by its name."""
    from arcferry import catalog
    from arcferry.files import state_folder
    from arcferry.fleet.errands.errand import ErrandRequest
    from arcferry.fleet.inventory import HowReached
    from arcferry.fleet.selection import selected
    from arcferry.fleet.transport import SignIn
    from arcferry.fleet.waves import amount, waves

    quiet_libraries()
    servers = given if isinstance(given, ServerOptions) else None
    # Nothing is made anywhere, so a location that is not given is any that passes.
    anywhere = catalog.regions(catalog.cloud(given.cloud))[0].name
    given = replace(given, location=given.location or anywhere)
    if inventory is None:
        found = hosts = _one_machine(machine, given)
    else:
        how = servers.how if servers else HowReached()
        found = read(inventory, given.inventory_encoding, given.cloud, how)
        hosts = selected(found, given.limit or [], given.site or [])
    asks = errand.asks_host and not wishes.only_azure
    budget = amount(given.max_failures, "--max-failures") if given.max_failures else None
    request = ErrandRequest(
        errand,
        hosts,
        sign_in_of(servers, servers, hosts.hosts) if servers and asks else SignIn(),
        completed(given, found).target(**given.access()),
        given.state or state_folder(),
        wishes,
        given.concurrency,
        budget.least(len(hosts.hosts)) if budget else None,
    )
    if servers is None:
        return request
    return replace(
        request,
        canary=servers.canary,
        waves=waves(servers.waves),
        window=window_of(servers.window),
    )


def _one_machine(name: str, given: MachineOptions) -> "Inventory":
    from arcferry.fleet.inventory import Host, Inventory

    if given.limit or given.site:
        raise InputError("--limit and --site choose of an inventory, and none is given")
    if not re.fullmatch(r"[\w.-]{1,54}", name, re.ASCII):
        raise InputError("--machine takes the name of a machine in Azure: 1 to 54 letters, digits, - _ or .")
    check_complete(given)
    return Inventory(Path("--machine"), (Host(name, name),))


def carry_out(request: "ErrandRequest", given: MachineOptions, output: CheckOutput, *, applies: bool) -> None:
    """Show what would be done, or do it and show what was; ends with the command's exit code."""
    from arcferry import log
    from arcferry.cli import stopping
    from arcferry.fleet.errands.run import apply_errand, plan_errand
    from arcferry.fleet.stop import Stop
    from arcferry.report import errand as report
    from arcferry.report.console import waiting_for
    from arcferry.report.progress import watching

    who = principal(given, ask=applies and request.errand.asks_azure)
    if not applies:
        with waiting_for(_("Reading {count} hosts", count=len(request.inventory.hosts))):
            result = stopping.run(plan_errand(request, who), says="stopped; nothing was changed")
    else:
        stop = Stop()

        def ask() -> None:
            stop.ask()
            say("stopping: the step that is at work ends first")

        names, errand = [host.name for host in request.inventory.hosts], request.errand
        with watching(names, len(errand.steps), done=errand.done, lines=log.is_on()) as observer:
            work = apply_errand(request, who, observer=observer, stop=stop)
            result = stopping.run(work, says="stopped", hint=_GO_ON, ask=ask)
    show_by(output, report, result)
    if result.interrupted:
        raise InterruptedRunError("stopped; what is done is kept", hint=_GO_ON)
    if not result.all_good:
        raise typer.Exit(1)
