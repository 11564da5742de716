from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from arcferry.cli.bundle_options import AllowOlderOption, KeyOption, StateOption, version_record
from arcferry.cli.location import UnlistedOption, region_of
from arcferry.cli.onboard_options import (
    AZURE,
    BundleOption,
    GroupOption,
    PlaceOption,
    SubscriptionOption,
    TenantOption,
)
from arcferry.cli.options import CloudOption
from arcferry.errors import InputError

if TYPE_CHECKING:
    from arcferry.export import SignIn

SERVERS, SIGN_IN = "Servers", "How the servers sign in"


def export(
    tool: Annotated[str, typer.Argument(metavar="TOOL", help="gpo, configmgr, intune, ansible or script.")],
    *,
    bundle: BundleOption,
    key: KeyOption,
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="The folder to make; it must not exist.")],
    share: Annotated[
        str,
        typer.Option(
            "--share",
            metavar="PATH",
            help=r"The share as the servers see it, such as `\\fs01\arcferry`, or /mnt/arcferry for Linux "
            "alone. Results go there. Not needed for ansible.",
            rich_help_panel=SERVERS,
        ),
    ] = "",
    group: Annotated[
        str,
        typer.Option(
            "--group",
            metavar=r"DOMAIN\NAME",
            help="The group of the servers: it alone gets rights on the share.",
            rich_help_panel=SERVERS,
        ),
    ] = "",
    delay: Annotated[
        int | None,
        typer.Option(
            "--delay",
            metavar="MINUTES",
            help="Started by a task or a tool, each server begins at a random instant within so long, so not "
            "all read the share at once; by hand, at once. Without it 30; 0 for configmgr and intune, which "
            "spread their starts themselves.",
            rich_help_panel=SERVERS,
        ),
    ] = None,
    proxy: Annotated[
        str,
        typer.Option(
            "--proxy",
            metavar="URL",
            help="The HTTP proxy that the agents are to use, such as http://proxy.example:8080.",
            rich_help_panel=SERVERS,
        ),
    ] = "",
    location: PlaceOption,
    location_unlisted: UnlistedOption = False,
    tenant_id: TenantOption,
    subscription_id: SubscriptionOption,
    resource_group: GroupOption,
    cloud: CloudOption = "AzureCloud",
    tags: Annotated[
        list[str] | None,
        typer.Option(
            "--tags",
            metavar="K=V",
            help="Tags for every machine, with commas between; may be repeated. A value with a comma stands "
            "in quotes.",
            rich_help_panel=AZURE,
        ),
    ] = None,
    private_link_scope: Annotated[
        str,
        typer.Option(
            "--private-link-scope",
            metavar="ID",
            help="The ARM id of an Azure Arc private link scope.",
            rich_help_panel=AZURE,
        ),
    ] = "",
    gateway_id: Annotated[
        str,
        typer.Option(
            "--gateway-id", metavar="ID", help="The ARM id of an Azure Arc gateway.", rich_help_panel=AZURE
        ),
    ] = "",
    certificate_thumbprint: Annotated[
        str,
        typer.Option(
            "--certificate-thumbprint",
            metavar="HEX",
            help="A certificate that is in each Windows server's own store; with --client-id.",
            rich_help_panel=SIGN_IN,
        ),
    ] = "",
    client_id: Annotated[
        str,
        typer.Option(
            "--client-id",
            metavar="GUID",
            help="The service principal that the certificate belongs to.",
            rich_help_panel=SIGN_IN,
        ),
    ] = "",
    token_file: Annotated[
        str,
        typer.Option(
            "--token-file",
            metavar="PATH",
            help=r"Where the servers read a short-lived token, such as `\\fs01\arcferry-token$\token`: a "
            "share of its own, which --group alone may read.",
            rich_help_panel=SIGN_IN,
        ),
    ] = "",
    allow_older: AllowOlderOption = "",
    state: StateOption = None,
) -> None:
    """Write what Group Policy, Configuration Manager, Intune, Ansible or another tool needs for servers.

    Each runs the host script of the bundle on the server, and leaves one result file a host on the share;
    arcferry collect reads them back. Nothing in the folder is secret. STEPS.html in it says what to do.

    The bundle is verified first; exit code 3 when it is refused. The folder appears whole or not at all.
    """
    from arcferry import azure, export, times
    from arcferry.bundle import open_bundle

    chosen = export.tool(tool)
    where = azure.target(
        cloud=cloud,
        tenant_id=tenant_id,
        subscription_id=subscription_id,
        resource_group=resource_group,
        location=region_of(location, cloud, unlisted=location_unlisted),
    )
    sign_in = _sign_in(certificate_thumbprint, client_id, token_file)
    opened = open_bundle(bundle, key, now=times.now(), record=version_record(state), allow_older=allow_older)
    if opened.older:
        typer.echo(f"warning: {opened.older}", err=True)
    options = export.ExportOptions(
        opened, where,
        share=share, sign_in=sign_in, tags=export.read_tags(tags or ()), proxy=proxy,
        private_link_scope=private_link_scope, gateway_id=gateway_id, group=group, delay=delay,
    )  # fmt: skip
    export.export(options, chosen, out)
    typer.echo(str(out))
    typer.echo(f"hint: {out / 'STEPS.md'} says what to do next", err=True)


def _sign_in(thumbprint: str, client_id: str, path: str) -> "SignIn | None":
    from arcferry import export

    if path and (thumbprint or client_id):
        raise InputError(
            "--token-file and --certificate-thumbprint were both given",
            hint="Servers sign in one way: the certificate is the better one where each has it.",
        )
    if path:
        return export.TokenFile(path)
    return export.CertificateSignIn(client_id, thumbprint) if thumbprint or client_id else None
