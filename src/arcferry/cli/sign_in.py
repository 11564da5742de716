"""How a command signs in to Azure, made of its options."""

import sys
from typing import TYPE_CHECKING

import typer

from arcferry.cli.azure_options import IdentityOptions, QueryOptions
from arcferry.errors import InputError

if TYPE_CHECKING:
    from arcferry.azure import Identity
    from arcferry.data.update import SignIn


def principal(given: IdentityOptions, *, ask: bool = False) -> "Identity | None":
    """Who signs in; None if nothing to sign in with is at hand.

    Args:
        given: the options.
        ask: whether to ask for the secret on a terminal.

    Raises:
        InputError: no client id where one is needed, or a part is wrong.
    """
    from arcferry import azure

    named = _other_ways(given)
    if len(named) > 1:
        raise InputError(f"{' and '.join(named)} are different identities", hint="Name one of them.")
    if given.az_login:
        return azure.AzLogin()
    if given.managed_identity:
        return azure.managed_identity(given.client_id or "")
    if given.client_id is None:
        if ask:
            raise InputError("no service principal", hint="Pass --client-id, or set AZURE_CLIENT_ID.")
        return None
    if given.federated_token_file is not None:
        return azure.federated(given.client_id, given.federated_token_file)
    if given.certificate is not None:
        return azure.with_certificate(given.client_id, given.certificate)
    secret = (
        azure.secret_from_file(given.secret_file)
        if given.secret_file
        else azure.secret_from_environment(given.secret_env)
    )
    if secret is None and ask and sys.stdin.isatty():
        secret = typer.prompt("Secret of the service principal", hide_input=True, err=True)
    return None if secret is None else azure.with_secret(given.client_id, secret)


def _other_ways(given: IdentityOptions) -> list[str]:
    """The options for identities other than a service principal's that were given."""
    ways = {
        "--az-login": given.az_login,
        "--managed-identity": given.managed_identity,
        "--federated-token-file": given.federated_token_file is not None,
    }
    return [name for name, on in ways.items() if on]


def sign_in(given: QueryOptions, cloud: str) -> "SignIn | None":
    """How to ask Azure for what a bundle or the data folder holds; None if nothing was given for it.

    Raises:
        InputError: only a part of it was given, or a part is wrong.
    """
    from arcferry import azure, catalog
    from arcferry.data.update import SignIn

    needed = {"--tenant-id": given.tenant_id, "--subscription-id": given.subscription_id}
    if not (given.az_login or given.managed_identity):
        needed["--client-id"] = given.client_id
    if not any(needed.values()):
        return None
    if missing := [name for name, value in needed.items() if not value]:
        raise InputError(f"to ask Azure, {', '.join(missing)} is needed too")
    who = principal(given)
    if who is None:
        raise InputError(
            "to ask Azure, the service principal's secret or certificate is needed",
            hint=f"Put the secret in {given.secret_env}, or name its file with --secret-file.",
        )
    target = azure.target(
        cloud=cloud,
        tenant_id=given.tenant_id or "",
        subscription_id=given.subscription_id or "",
        # Nothing is made anywhere, so a place that is not asked for is any that passes.
        resource_group=given.resource_group or "none",
        location=catalog.regions(catalog.cloud(cloud))[0].name,
        **given.access(),
    )
    return SignIn(target, who)
