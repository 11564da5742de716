"""How a command that may ask Azure signs in: its options, and what is made of them."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from arcferry.errors import InputError

if TYPE_CHECKING:
    from arcferry.data.update import SignIn

TenantOption = Annotated[
    str | None,
    typer.Option(
        "--tenant-id",
        envvar=["ARCFERRY_TENANT_ID", "AZURE_TENANT_ID"],
        metavar="GUID",
        help="The Entra tenant, to ask Azure for communities, route filter and circuit.",
        rich_help_panel="Azure",
    ),
]
SubscriptionOption = Annotated[
    str | None,
    typer.Option(
        "--subscription-id",
        envvar=["ARCFERRY_SUBSCRIPTION_ID", "AZURE_SUBSCRIPTION_ID"],
        metavar="GUID",
        help="The subscription; for a route filter or a circuit the one that it is in.",
        rich_help_panel="Azure",
    ),
]
ClientOption = Annotated[
    str | None,
    typer.Option(
        "--client-id",
        envvar=["ARCFERRY_CLIENT_ID", "AZURE_CLIENT_ID"],
        metavar="GUID",
        help="The service principal's application id. The role Reader is enough.",
        rich_help_panel="Azure",
    ),
]
GroupOption = Annotated[
    str | None,
    typer.Option(
        "--resource-group",
        "-g",
        envvar="ARCFERRY_RESOURCE_GROUP",
        metavar="NAME",
        help="The resource group of the route filter and the circuit.",
        rich_help_panel="Azure",
    ),
]


def sign_in(
    *,
    needed: bool,
    cloud: str,
    tenant: str | None,
    subscription: str | None,
    client: str | None,
    group: str | None,
    secret_env: str,
    secret_file: Path | None,
    certificate: Path | None,
    arm_url: str | None,
    authority: str | None,
    proxy: str | None,
    ca_file: Path | None,
) -> "SignIn | None":
    """How to sign in; None where nothing was given for it, or nothing needs it.

    Raises:
        InputError: only a part of it was given, or a part is wrong.
    """
    from arcferry import azure, catalog
    from arcferry.data.update import SignIn

    if not needed:
        return None
    given = {"--tenant-id": tenant, "--subscription-id": subscription, "--client-id": client}
    if not any(given.values()):
        return None
    if missing := [name for name, value in given.items() if not value]:
        raise InputError(f"to ask Azure, {', '.join(missing)} is needed too")
    if certificate:
        principal = azure.with_certificate(client or "", certificate)
    else:
        secret = azure.secret_from_file(secret_file) if secret_file else None
        secret = secret or azure.secret_from_environment(secret_env)
        if not secret:
            raise InputError(
                "to ask Azure, the service principal's secret or certificate is needed",
                hint=f"Put the secret in {secret_env}, or name its file with --secret-file.",
            )
        principal = azure.with_secret(client or "", secret)
    target = azure.target(
        cloud=cloud,
        tenant_id=tenant or "",
        subscription_id=subscription or "",
        # Nothing is made anywhere, so a place that is not asked for is any that passes.
        resource_group=group or "none",
        location=catalog.regions(catalog.cloud(cloud))[0].name,
        arm_url=arm_url,
        authority=authority,
        ca_file=ca_file,
        proxy=proxy,
    )
    return SignIn(target, principal)
