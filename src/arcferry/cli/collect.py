from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from arcferry.cli import azure_options, options
from arcferry.cli.inventory import EncodingOption, InventoryOption, read
from arcferry.cli.options import argument, grouped, option
from arcferry.cli.output import show_by
from arcferry.cli.talk import say
from arcferry.language import _

if TYPE_CHECKING:
    from arcferry.export.collect import InAzure


@grouped
def collect(
    share: Annotated[Path, argument("SHARE", "The share of an export, or its folder of results.")],
    *,
    inventory: InventoryOption = None,
    inventory_encoding: EncodingOption = "",
    evidence: Annotated[
        Path | None,
        option(
            "--evidence DIR",
            "Write what hosts that are not connected handed in here, as files for arcferry explain.",
        ),
    ] = None,
    azure: azure_options.QueryOptions,
    context: options.WithOption = None,
    state: options.StateOption = None,
    cloud: options.CloudOption = options.DEFAULT_CLOUD,
    output: options.PageOutputOption = "table",
) -> None:
    """Read the result files that servers left on a share: who is connected, what failed, why, the way out.

    Every word in them is the server's own: a file that is cut short, too large, a link, or another host's is
    named and left out. A host is connected when its agent says that Azure hears from it; with a tenant, a
    subscription, a resource group and a service principal at hand Azure is asked too, and what it shows
    counts. Without a secret or a certificate, or where Azure gives no answer, the hosts' own word stands.

    With --inventory a server of it that did not report is named, too.

    The path that a connected server tells is kept in the state folder, as its network's by the inventory,
    else as its own; where one is broken later, its findings say what changed since.

    Exit code 0 when every host is connected, 1 when one is not, is not yet heard from, or one of the
    inventory did not report.
    """
    from arcferry import catalog
    from arcferry.cli.evidence import evidence_and_held
    from arcferry.export import collect as reading
    from arcferry.export.baselines import with_baselines
    from arcferry.files import state_folder
    from arcferry.report import collected as report

    hosts = read(inventory, inventory_encoding, cloud) if inventory else None
    given, held = evidence_and_held(context or [], catalog.cloud(cloud))
    collection = reading.collect(share, hosts, given, held, _in_azure(azure, cloud))
    collection, notes = with_baselines(collection, hosts, state or state_folder(), (*given, *held))
    for note in notes:
        say(f"note: {note}")
    if evidence:
        count = reading.write_evidence(collection, evidence)
        say(f"{count} files of evidence written to {evidence}")
    show_by(output, report, collection)
    if not collection.all_good:
        raise typer.Exit(1)


def _in_azure(given: azure_options.QueryOptions, cloud: str) -> "InAzure | None":
    """The machines that Azure shows; None if it cannot be asked, or gives no answer, which stderr tells."""
    if not (given.tenant_id and given.subscription_id and given.resource_group and given.client_id):
        return None

    from arcferry import azure
    from arcferry.cli import stopping
    from arcferry.cli.sign_in import principal, sign_in
    from arcferry.errors import AzureError
    from arcferry.export.collect import InAzure
    from arcferry.report.console import waiting_for

    if principal(given) is None or (place := sign_in(given, cloud)) is None:
        return None

    async def listed() -> InAzure:
        async with azure.signed_in(place.target, place.principal) as session:
            there = place.target
            return InAzure(await azure.list_machines(session), there.resource_group, there.subscription_id)

    try:
        with waiting_for(_("Asking Azure for the machines")):
            return stopping.run(listed(), says="stopped")
    except AzureError as error:
        typer.echo(f"warn: Azure was not asked: {error}", err=True)
        return None
