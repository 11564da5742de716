from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from arcferry.cli import azure_options, options
from arcferry.cli.inventory import EncodingOption
from arcferry.cli.options import argument, grouped, option
from arcferry.cli.output import show_by
from arcferry.cli.sign_in import principal
from arcferry.cli.talk import say
from arcferry.errors import InputError

if TYPE_CHECKING:
    from arcferry.azure import AzureTarget, Identity, Preflight, Wanted

app = typer.Typer(no_args_is_help=True, help="Ask Azure whether everything is ready there.")

_OF_IDENTITY = 4
_BLOCKED = 3


@dataclass(frozen=True, kw_only=True)
class PreflightOptions(
    azure_options.HostPlaceOptions, azure_options.AccessOptions, azure_options.IdentityOptions
):
    """Where machines are to appear, and who asks."""

    private_link_scope: azure_options.ScopeOption = None
    tags: azure_options.TagsOption = None
    inventory_encoding: EncodingOption = ""


@app.command("preflight")
@grouped
def preflight(
    inventory: Annotated[
        Path | None,
        argument(
            "[INVENTORY]",
            "The servers, as for onboard: every place that they go to, whether their names are taken, and "
            "whether their tags are those that policies want.",
        ),
    ] = None,
    *,
    azure: PreflightOptions,
    register: Annotated[
        bool,
        option(
            "--register",
            "Register the resource providers that are not, and wait for them. Changes the subscription; "
            "needs the right to, such as Contributor.",
            panel=options.AZURE,
        ),
    ] = False,
    output: options.CheckOutputOption = "table",
) -> None:
    """Check in Azure what would keep servers from being connected. Changes nothing without --register.

    The sign-in and what it rests on, the subscription, the resource providers, the location, the resource
    group, the right to make machines and rights beyond it, locks, policies, the private link scope, names
    that are taken, and the directory's quota; of every place that servers of the inventory go to. All that
    hinders is told at once. What this identity may not see is unknown, with the command by which an owner can
    tell. `onboard plan` and `onboard apply` check the same first.

    Exit code 0 when nothing hinders, 1 when Azure gave no usable answer about any place, 3 when something
    must change first, 4 when signing in failed or a right is missing, and nothing else.
    """
    from arcferry.cli import stopping
    from arcferry.report import preflight as report

    who = principal(azure, ask=True)
    if who is None:
        raise InputError(
            "no secret and no certificate to sign in to Azure with",
            hint=f"Set {azure.secret_env}, pass --secret-file or --certificate, or sign in as somebody "
            "else: --az-login, --managed-identity or --federated-token-file.",
        )
    wanted = _wanted(inventory, azure)
    found = stopping.run(_ask(wanted, who, register=register), says="stopped")
    servers = {target: len(one.machines) for target, one in wanted.items()} if inventory else {}
    asked = report.Asked(found, servers)
    show_by(output, report, asked)
    if hindrances := asked.whole.hindrances:
        raise typer.Exit(_OF_IDENTITY if all(one.of_identity for one in hindrances) else _BLOCKED)


def _wanted(inventory: Path | None, given: PreflightOptions) -> "dict[AzureTarget, Wanted]":
    """What is to be made in each place that hosts of the inventory go to; without one, in the place given."""
    from arcferry.azure import Wanted
    from arcferry.cli.inventory import check_complete, completed, read
    from arcferry.cli.onboard_options import tagged
    from arcferry.fleet.in_azure import targets_of, wanted_of

    scope = azure_options.scope_of(given.private_link_scope or "")
    if inventory is None:
        check_complete(given)
        return {given.target(**given.access()): Wanted(private_link_scopes=(scope,) if scope else ())}
    target = given.target(**given.access()) if given.complete else None
    found = tagged(read(inventory, given.inventory_encoding, given.cloud), given.tags or [])
    target = target or completed(given, found).target(**given.access())
    return {place: wanted_of(hosts, scope) for place, hosts in targets_of(target, found.hosts).items()}


async def _ask(
    wanted: "dict[AzureTarget, Wanted]", who: "Identity", *, register: bool
) -> "dict[AzureTarget, Preflight]":
    from arcferry import azure
    from arcferry.fleet.in_azure import examined, sessions_at

    async with sessions_at(tuple(wanted), who) as sessions:
        if register:
            by_subscription = {target.subscription_id: session for target, session in sessions.items()}
            for session in by_subscription.values():
                await azure.register(session, say)
        return await examined(sessions, wanted)
