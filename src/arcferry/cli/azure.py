from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from arcferry.cli import azure_options, options
from arcferry.cli.options import argument, grouped, option
from arcferry.cli.output import show_by
from arcferry.cli.sign_in import principal
from arcferry.errors import InputError

if TYPE_CHECKING:
    from arcferry.azure import AzureTarget, Identity, Preflight, Wanted

app = typer.Typer(no_args_is_help=True, help="Ask Azure whether everything is ready there.")

_OF_IDENTITY = 4
_BLOCKED = 3


@dataclass(frozen=True, kw_only=True)
class PreflightOptions(
    azure_options.PlaceOptions, azure_options.AccessOptions, azure_options.IdentityOptions
):
    """Where machines are to appear, and who asks."""

    private_link_scope: azure_options.ScopeOption = None
    tags: azure_options.TagsOption = None


@app.command("preflight")
@grouped
def preflight(
    inventory: Annotated[
        Path | None,
        argument(
            "[INVENTORY]",
            "The servers, as for onboard: whether their names are taken and their tags are those that "
            "policies want.",
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
    that are taken, and the directory's quota. All that hinders is told at once. What this identity may not
    see is unknown, with the command by which an owner can tell. `onboard plan` and `onboard apply` check the
    same first.

    Exit code 0 when nothing hinders, 1 when Azure gave no usable answer, 3 when something must change first,
    4 when signing in failed or a right is missing, and nothing else.
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
    target = azure.target(**azure.access())
    wanted = _wanted(inventory, azure, target)
    found = stopping.run(_ask(target, who, wanted, register=register), says="stopped")
    show_by(output, report, report.Asked(target, found))
    if found.hindrances:
        raise typer.Exit(_OF_IDENTITY if all(one.of_identity for one in found.hindrances) else _BLOCKED)


def _wanted(inventory: Path | None, given: PreflightOptions, target: "AzureTarget") -> "Wanted":
    """What is to be made at the target; that hosts go elsewhere is told on stderr."""
    from arcferry.azure import Wanted
    from arcferry.cli.inventory import read
    from arcferry.cli.onboard_options import tagged
    from arcferry.fleet.place import target_of

    scope = azure_options.scope_of(given.private_link_scope or "")
    if inventory is None:
        return Wanted(private_link_scope=scope)
    hosts = tagged(read(inventory, "", given.cloud), given.tags or []).hosts
    here = [host for host in hosts if target_of(target, host.place) == target]
    if others := len(hosts) - len(here):
        typer.echo(
            f"note: {others} of {len(hosts)} hosts go to other places, which are not asked about here; "
            "arcferry onboard plan asks about each",
            err=True,
        )
    return Wanted({host.name: host.tags for host in here}, scope)


async def _ask(target: "AzureTarget", who: "Identity", wanted: "Wanted", *, register: bool) -> "Preflight":
    from arcferry import azure

    async with azure.signed_in(target, who) as session:
        if register:
            await azure.register(session, lambda did: typer.echo(did, err=True))
        return await azure.examine(session, wanted=wanted)
