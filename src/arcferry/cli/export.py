from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import typer

from arcferry.cli import azure_options, options
from arcferry.cli.bundle_shared import open_bundle
from arcferry.cli.inventory import EncodingOption, InventoryOption, completed, read
from arcferry.cli.onboard_options import window_of
from arcferry.cli.options import argument, grouped, is_on_command_line, option
from arcferry.errors import InputError

if TYPE_CHECKING:
    from arcferry.azure import AzureTarget
    from arcferry.export import SignIn
    from arcferry.fleet.inventory import Inventory

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


@dataclass(frozen=True, kw_only=True)
class ServerOptions:
    """Where the servers find the share, and when they begin."""

    share: ShareOption = ""
    group: ServersGroupOption = ""
    delay: Annotated[
        int | None,
        option(
            "--delay MINUTES",
            "Started by a task or a tool, each server begins at a random instant within so long, so not "
            "all read the share at once; by hand, at once. Without it 30; 0 for configmgr and intune, which "
            "spread their starts themselves.",
            panel=SERVERS,
        ),
    ] = None
    wait: Annotated[
        int,
        option(
            "--wait SECONDS",
            "How long a server waits, once it is connected, for Azure to hear from it; then it is reported "
            "as connected, not yet heard from.",
            panel=SERVERS,
        ),
    ] = 300
    window: options.WindowOption = None
    agent_proxy: options.AgentProxyOption = ""

    def given(self) -> dict[str, Any]:
        """The same for `ExportOptions`.

        Raises:
            InputError: the window is none.
        """
        return {
            "share": self.share,
            "group": self.group,
            "delay": self.delay,
            "wait": self.wait,
            "window": window_of(self.window),
            "proxy": self.agent_proxy,
        }


@dataclass(frozen=True, kw_only=True)
class SignInOptions:
    """How the servers sign in."""

    certificate_thumbprint: Annotated[
        str,
        option(
            "--certificate-thumbprint HEX",
            "A certificate that is in each Windows server's own store; with --client-id.",
            panel=SIGN_IN,
        ),
    ] = ""
    client_id: azure_options.ClientOption = None
    token_file: Annotated[
        str,
        option(
            "--token-file PATH",
            r"Where the servers read a short-lived token, such as `\\fs01\arcferry-token$\token`: a "
            "share of its own, which --group alone may read.",
            panel=SIGN_IN,
        ),
    ] = ""

    def sign_in(self, context: typer.Context) -> "SignIn | None":
        """The way that was chosen; None where none was.

        Raises:
            InputError: two were, or what was given cannot be used.
        """
        from arcferry import export

        # One of the environment or the site file is the administrator's own, unless a certificate needs it.
        asked = self.certificate_thumbprint or is_on_command_line(context, "client_id")
        client = (self.client_id if asked else None) or ""
        certificate = self.certificate_thumbprint or client
        if self.token_file and certificate:
            raise InputError(
                "--token-file and --certificate-thumbprint were both given",
                hint="Servers sign in one way: the certificate is the better one where each has it.",
            )
        if self.token_file:
            return export.TokenFile(self.token_file)
        return export.CertificateSignIn(client, self.certificate_thumbprint) if certificate else None


@grouped
def export(
    tool: Annotated[str, argument("TOOL", "gpo, configmgr, intune, ansible or script.")],
    *,
    context: typer.Context,
    bundle: options.BundleOption,
    bundle_key: options.BundleKeyOption,
    out: options.OutOption,
    servers: ServerOptions,
    place: azure_options.HostPlaceOptions,
    connect: azure_options.ConnectOptions,
    signs_in: SignInOptions,
    upgrade: Annotated[
        bool,
        option(
            "--upgrade",
            "Give servers that are connected the bundle's agent where theirs is older. No other is touched, "
            "and nobody signs in.",
            panel=SERVERS,
        ),
    ] = False,
    inventory: InventoryOption = None,
    inventory_encoding: EncodingOption = "",
    allow_older: options.AllowOlderOption = "",
    state: options.StateOption = None,
) -> None:
    """Write what Group Policy, Configuration Manager, Intune, Ansible or another tool needs for servers.

    Each runs the host script of the bundle on the server, and leaves one result file a host on the share;
    arcferry collect reads them back. Nothing in the folder is secret. STEPS.html in it says what to do.

    With --inventory each server goes where its row or its site says, with that proxy, private link scope,
    gateway, window and tags; the options are for rows that say nothing. Servers look for their short host
    name, and one that is not in the inventory is left alone and reports that.

    With --upgrade the same tools bring a newer agent to servers that are connected, and leave others alone.

    The bundle is verified first; exit code 3 when it is refused. The folder that --out names must not exist
    yet; it appears whole or not at all.
    """
    from arcferry import export

    chosen = export.tool(tool)
    listed = read(inventory, inventory_encoding, place.cloud) if inventory else None
    where = _target(place, listed)
    sign_in = signs_in.sign_in(context)
    opened = open_bundle(bundle, bundle_key, state, allow_older)
    wanted = export.ExportOptions(
        opened, where,
        sign_in=sign_in, tags=export.read_tags(connect.tags or ()),
        private_link_scope=connect.private_link_scope, gateway_id=connect.gateway_id,
        inventory=listed, upgrades=upgrade, **servers.given(),
    )  # fmt: skip
    export.export(wanted, chosen, out)
    typer.echo(str(out))
    typer.echo(f"hint: {out / 'STEPS.md'} says what to do next", err=True)


def _target(place: azure_options.HostPlaceOptions, inventory: "Inventory | None") -> "AzureTarget":
    """Where servers go whose rows say nothing.

    Raises:
        InputError: it is not known, and a row says nothing.
    """
    if inventory is not None:
        return completed(place, inventory).target()
    needed = ("location", "subscription_id", "resource_group")
    missing = [f"--{name.replace('_', '-')}" for name in needed if not getattr(place, name)]
    if missing:
        raise InputError(
            f"{' and '.join(missing)} not given",
            hint="Where servers go to several places, --inventory may name them for each.",
        )
    return place.target()
