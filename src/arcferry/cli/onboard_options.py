"""What `onboard plan` and `onboard apply` both take."""

from pathlib import Path
from typing import Annotated

import typer

from arcferry.cli.options import LOCATION_VARIABLE

HOSTS, AZURE, RUN = "Hosts", "Azure", "Run"

InventoryArgument = Annotated[
    Path,
    typer.Argument(
        metavar="INVENTORY",
        help="CSV or YAML with the columns name, address, port, transport, user, tags (k=v;k2=v2, or "
        "k=v,k2=v2 in quotes) and site. "
        "A host's name becomes its machine's name in Azure.",
    ),
]
BundleOption = Annotated[
    Path,
    typer.Option("--bundle", envvar="ARCFERRY_BUNDLE", metavar="PATH", help="The bundle: a folder or a zip."),
]
BundleKeyOption = Annotated[
    Path,
    typer.Option(
        "--bundle-key",
        envvar="ARCFERRY_BUNDLE_KEY",
        metavar="FILE",
        help="The public key of whoever sealed the bundle.",
    ),
]
KnownHostsOption = Annotated[
    Path,
    typer.Option(
        "--known-hosts",
        envvar="ARCFERRY_KNOWN_HOSTS",
        metavar="FILE",
        help="The servers' SSH host keys. A server whose key is not in it is refused.",
        rich_help_panel=HOSTS,
    ),
]
SshKeyOption = Annotated[
    Path | None,
    typer.Option(
        "--ssh-key",
        envvar="ARCFERRY_SSH_KEY",
        metavar="FILE",
        help="The private key to sign in to the servers with. Without it the SSH agent is asked.",
        rich_help_panel=HOSTS,
    ),
]
UserOption = Annotated[
    str,
    typer.Option(
        "--user",
        envvar="ARCFERRY_SSH_USER",
        metavar="NAME",
        help="The user where the inventory names none: root, or one with sudo without a password.",
        rich_help_panel=HOSTS,
    ),
]
TenantOption = Annotated[
    str,
    typer.Option(
        "--tenant-id",
        envvar=["ARCFERRY_TENANT_ID", "AZURE_TENANT_ID"],
        metavar="GUID",
        help="The Entra tenant.",
        rich_help_panel=AZURE,
    ),
]
SubscriptionOption = Annotated[
    str,
    typer.Option(
        "--subscription-id",
        envvar=["ARCFERRY_SUBSCRIPTION_ID", "AZURE_SUBSCRIPTION_ID"],
        metavar="GUID",
        help="The subscription.",
        rich_help_panel=AZURE,
    ),
]
GroupOption = Annotated[
    str,
    typer.Option(
        "--resource-group",
        "-g",
        envvar="ARCFERRY_RESOURCE_GROUP",
        metavar="NAME",
        help="The resource group that the machines go into; it must exist.",
        rich_help_panel=AZURE,
    ),
]
PlaceOption = Annotated[
    str,
    typer.Option(
        "--location",
        "-l",
        envvar=LOCATION_VARIABLE,
        metavar="REGION",
        help="The Azure region where the machines are to appear, such as eastasia.",
        rich_help_panel=AZURE,
    ),
]
ClientOption = Annotated[
    str | None,
    typer.Option(
        "--client-id",
        envvar=["ARCFERRY_CLIENT_ID", "AZURE_CLIENT_ID"],
        metavar="GUID",
        help="The service principal's application id. It needs the role Azure Connected Machine Onboarding.",
        rich_help_panel=AZURE,
    ),
]
SecretEnvOption = Annotated[
    str,
    typer.Option(
        "--secret-env",
        metavar="NAME",
        help="The environment variable that holds the service principal's secret.",
        rich_help_panel=AZURE,
    ),
]
SecretFileOption = Annotated[
    Path | None,
    typer.Option(
        "--secret-file",
        envvar="ARCFERRY_SECRET_FILE",
        metavar="FILE",
        help="A file with the secret, readable by its owner alone.",
        rich_help_panel=AZURE,
    ),
]
CertificateOption = Annotated[
    Path | None,
    typer.Option(
        "--certificate",
        envvar="ARCFERRY_CERTIFICATE",
        metavar="FILE",
        help="A certificate with its key (PEM, or PFX without a password) in place of a secret.",
        rich_help_panel=AZURE,
    ),
]
ArmUrlOption = Annotated[
    str | None,
    typer.Option(
        "--arm-url",
        envvar="ARCFERRY_ARM_URL",
        metavar="URL",
        help="Azure Resource Manager's address, where it is not the cloud's own.",
        rich_help_panel=AZURE,
    ),
]
AuthorityOption = Annotated[
    str | None,
    typer.Option(
        "--authority",
        envvar="ARCFERRY_AUTHORITY",
        metavar="URL",
        help="Entra's sign-in address, where it is not the cloud's own.",
        rich_help_panel=AZURE,
    ),
]
StateOption = Annotated[
    Path | None,
    typer.Option(
        "--state",
        envvar="ARCFERRY_STATE",
        metavar="DIR",
        help="Where runs are remembered, without any secret. Without it the user's state folder.",
        rich_help_panel=RUN,
    ),
]
ConcurrencyOption = Annotated[
    int,
    typer.Option(
        "--concurrency", min=1, max=500, metavar="N", help="Hosts at one time.", rich_help_panel=RUN
    ),
]
