from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from arcferry.cli import azure_options, options
from arcferry.cli.inventory import EncodingOption, check_complete, completed, read
from arcferry.cli.onboard_options import SelectionOptions, tagged
from arcferry.cli.options import argument, grouped, option
from arcferry.cli.output import show_by
from arcferry.cli.sign_in import principal
from arcferry.cli.talk import say
from arcferry.errors import BundleFault, BundleRefusedError, InputError
from arcferry.language import _

if TYPE_CHECKING:
    from arcferry.azure import AzureTarget, Identity
    from arcferry.fleet.inventory import Inventory
    from arcferry.verify import AgentGoal, Source, Verification, Wanted

OF_IDENTITY, HALF = 4, 3


@dataclass(frozen=True, kw_only=True)
class VerifyOptions(
    SelectionOptions, azure_options.WhereOptions, azure_options.AccessOptions, azure_options.IdentityOptions
):
    """Whose machines are meant, where they should be, and who asks."""

    cloud: options.CloudOption = options.DEFAULT_CLOUD
    location: options.OptionalLocationOption = None
    location_unlisted: options.UnlistedOption = False
    inventory_encoding: EncodingOption = ""
    tags: azure_options.TagsOption = None
    bundle: options.OptionalBundleOption = None
    bundle_key: options.OptionalBundleKeyOption = None
    state: options.StateOption = None


@grouped
def verify(
    inventory: Annotated[
        Path | None,
        argument(
            "[INVENTORY]",
            "The servers, as for onboard. Without it, every machine of the resource group, of which none is "
            "then missing or extra.",
        ),
    ] = None,
    *,
    given: VerifyOptions,
    ask: Annotated[
        Literal["graph", "arm"],
        option(
            "--ask WHOM",
            "graph: Azure Resource Graph, a thousand machines a request, which may be minutes behind. "
            "arm: Resource Manager's own lists of the groups, asked too where Resource Graph is refused.",
            panel=options.AZURE,
        ),
    ] = "graph",
    stale_after: Annotated[
        int,
        option(
            "--stale-after DAYS",
            "A machine that is disconnected for longer is stale. Azure lets one expire after 45 days.",
            min=0,
            max=45,
        ),
    ] = 7,
    every: Annotated[
        bool, option("--every-machine", "Also list the machines that are as they should be.")
    ] = False,
    output: options.PageOutputOption = "table",
) -> None:
    """Say how every server stands in Azure: connected, silent, or not there. Changes nothing.

    Connected, disconnected, stale, expired, missing, extra (in a group of the inventory's and in no row);
    one VM id twice, another group, location or tags than the row's, an agent older than the bundle's or out
    of Microsoft's support. A silent server is named with the cause that its last path evidence led to, where
    a run of onboard remembers one.

    A machine is missing only where Resource Manager itself says so. What could not be asked, for want of a
    right or because Azure did not answer, is unknown.

    Exit code 0 when every server is connected and as it should be, 1 when one is not, 3 when Azure's answer
    was not whole, 4 when signing in failed or a right is missing. Extra machines alone are no failure.
    """
    from arcferry.cli import stopping
    from arcferry.report import verify as report
    from arcferry.report.console import waiting_for
    from arcferry.verify import Source

    who = principal(given, ask=True)
    if who is None:
        raise InputError(
            "no secret and no certificate to sign in to Azure with",
            hint=f"Set {given.secret_env}, pass --secret-file or --certificate, or sign in as somebody "
            "else: --az-login, --managed-identity or --federated-token-file.",
        )
    wanted = wanted_of(inventory, given, timedelta(days=stale_after))
    with waiting_for(_("Asking Azure for the machines")):
        found = stopping.run(verified(wanted, who, Source(ask)), says="stopped; nothing was changed")
    show_by(output, report, report.Verified(found, every))
    if found.half:
        raise typer.Exit(OF_IDENTITY if found.refused else HALF)
    if not found.good:
        raise typer.Exit(1)


async def verified(wanted: "Wanted", who: "Identity", source: "Source") -> "Verification":
    """What Azure says of the machines, compared.

    Raises:
        SignInError: no token.
        InputError: as for `azure.signed_in`.
    """
    from arcferry import times
    from arcferry.verify import ask, join

    answer = await ask(wanted.target, who, wanted.groups, source)
    return join(wanted, answer, times.now())


def wanted_of(path: Path | None, given: VerifyOptions, stale_after: timedelta) -> "Wanted":
    """What the machines are compared with, read and checked.

    Raises:
        InputError: an option or the inventory is wrong.
        BundleRefusedError: the bundle is not what its seal says.
    """
    from arcferry.cli.evidence import held_beside
    from arcferry.files import state_folder
    from arcferry.fleet.selection import selected
    from arcferry.verify import Wanted

    everyone = read(path, given.inventory_encoding, given.cloud) if path else None
    target = _target(given, everyone)
    goal = goal_of(given)
    folder = given.state or state_folder()
    held = held_beside((), target.cloud)
    if everyone is None:
        return Wanted(target, goal, stale_after=stale_after, state=folder, held=held)
    hosts = selected(tagged(everyone, given.tags or []), given.limit or [], given.site or [])
    return Wanted(target, goal, hosts, everyone, given.location is not None, stale_after, folder, held)


def _target(given: VerifyOptions, inventory: "Inventory | None") -> "AzureTarget":
    """Where a row's machine should be that names no place.

    Raises:
        InputError: a part of it is missing or wrong.
    """
    from arcferry import catalog

    if not given.tenant_id:
        raise InputError("no tenant to ask", hint="Pass --tenant-id, or set AZURE_TENANT_ID.")
    place = azure_options.HostPlaceOptions(
        cloud=given.cloud,
        # A location that was not named is compared with nothing, so that any will do.
        location=given.location or catalog.regions(catalog.cloud(given.cloud))[0].name,
        location_unlisted=given.location_unlisted,
        tenant_id=given.tenant_id,
        subscription_id=given.subscription_id or "",
        resource_group=given.resource_group or "",
    )
    if inventory is None:
        check_complete(place)
    else:
        place = completed(place, inventory)
    return place.target(**given.access())


def goal_of(given: VerifyOptions) -> "AgentGoal":
    """How new the agents should be.

    A bundle that is too old to be installed from, as weeks later one may be, is told and left out.

    Raises:
        InputError: there is a bundle and no key for it.
        BundleRefusedError: the bundle is not what its seal says.
    """
    from arcferry import times
    from arcferry.cli.bundle_shared import open_bundle
    from arcferry.verify import AgentGoal

    opened = None
    if given.bundle:
        if given.bundle_key is None:
            hint = "Pass --bundle-key, or set ARCFERRY_BUNDLE_KEY."
            raise InputError("a bundle, and no key to check its seal with", hint=hint)
        try:
            opened = open_bundle(given.bundle, given.bundle_key, given.state, "", keeps=False)
        except BundleRefusedError as error:
            if error.fault not in (BundleFault.DATES, BundleFault.OLDER):
                raise
            say(f"note: agents are not compared with the bundle's: {error.message}")
    return AgentGoal.of(opened, times.now().date())
