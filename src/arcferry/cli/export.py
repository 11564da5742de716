from typing import TYPE_CHECKING, Annotated

import typer

from arcferry.cli import azure_options, options
from arcferry.cli.bundle_shared import open_bundle
from arcferry.cli.inventory import EncodingOption, InventoryOption, read
from arcferry.cli.onboard_options import window_of
from arcferry.cli.options import argument, grouped, is_on_command_line, option
from arcferry.errors import InputError

if TYPE_CHECKING:
    from arcferry.export import SignIn

SERVERS, SIGN_IN = "Servers", "How the servers sign in"
ShareOption = Annotated[
    str,
    option(
        "--share PATH",
        r"The share as the servers see it, such as `\\fs01\arcferry`, or /mnt/arcferry for Linux "
        "alone. Results go there. Not needed for ansible.",
        panel=SERVERS,
    ),
]
ServersGroupOption = Annotated[
    str,
    option(
        r"--group DOMAIN\NAME",
        "The group of the servers: it alone gets rights on the share.",
        panel=SERVERS,
    ),
]


@grouped
def export(
    tool: Annotated[str, argument("TOOL", "gpo, configmgr, intune, ansible or script.")],
    *,
    context: typer.Context,
    bundle: options.BundleOption,
    bundle_key: options.BundleKeyOption,
    out: options.OutOption,
    share: ShareOption = "",
    group: ServersGroupOption = "",
    delay: Annotated[
        int | None,
        option(
            "--delay MINUTES",
            "Started by a task or a tool, each server begins at a random instant within so long, so not "
            "all read the share at once; by hand, at once. Without it 30; 0 for configmgr and intune, which "
            "spread their starts themselves.",
            panel=SERVERS,
        ),
    ] = None,
    wait: Annotated[
        int,
        option(
            "--wait SECONDS",
            "How long a server waits, once it is connected, for Azure to hear from it; then it is reported "
            "as connected, not yet heard from.",
            panel=SERVERS,
        ),
    ] = 300,
    window: options.WindowOption = None,
    agent_proxy: Annotated[
        str,
        option(
            "--agent-proxy URL",
            "The HTTP proxy that the agents are to use, such as http://proxy.example:8080.",
            panel=SERVERS,
        ),
    ] = "",
    place: azure_options.PlaceOptions,
    tags: azure_options.TagsOption = None,
    private_link_scope: azure_options.ScopeOption = None,
    gateway_id: Annotated[
        str, option("--gateway-id ID", "The ARM id of an Azure Arc gateway.", panel=options.AZURE)
    ] = "",
    certificate_thumbprint: Annotated[
        str,
        option(
            "--certificate-thumbprint HEX",
            "A certificate that is in each Windows server's own store; with --client-id.",
            panel=SIGN_IN,
        ),
    ] = "",
    client_id: azure_options.ClientOption = None,
    token_file: Annotated[
        str,
        option(
            "--token-file PATH",
            r"Where the servers read a short-lived token, such as `\\fs01\arcferry-token$\token`: a "
            "share of its own, which --group alone may read.",
            panel=SIGN_IN,
        ),
    ] = "",
    inventory: InventoryOption = None,
    inventory_encoding: EncodingOption = "",
    allow_older: options.AllowOlderOption = "",
    state: options.StateOption = None,
) -> None:
    """Write what Group Policy, Configuration Manager, Intune, Ansible or another tool needs for servers.

    Each runs the host script of the bundle on the server, and leaves one result file a host on the share;
    arcferry collect reads them back. Nothing in the folder is secret. STEPS.html in it says what to do.

    With --inventory the export for ansible holds the servers too, each with the place in Azure that its row
    or its site names.

    The bundle is verified first; exit code 3 when it is refused. The folder that --out names must not exist
    yet; it appears whole or not at all.
    """
    from arcferry import export

    chosen = export.tool(tool)
    where = place.target()
    # One of the environment or the site file is the administrator's own, unless a certificate asks for it.
    client = client_id if certificate_thumbprint or is_on_command_line(context, "client_id") else None
    sign_in = _sign_in(certificate_thumbprint, client or "", token_file)
    servers = read(inventory, inventory_encoding, place.cloud) if inventory else None
    opened = open_bundle(bundle, bundle_key, state, allow_older)
    wanted = export.ExportOptions(
        opened, where,
        share=share, sign_in=sign_in, tags=export.read_tags(tags or ()), proxy=agent_proxy,
        private_link_scope=private_link_scope or "", gateway_id=gateway_id, group=group, delay=delay,
        wait=wait, window=window_of(window), inventory=servers,
    )  # fmt: skip
    export.export(wanted, chosen, out)
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
