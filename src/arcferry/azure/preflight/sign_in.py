"""Signing in: whether there is a token, whose it is, and how long what it was had by will last."""

from datetime import UTC, datetime

from arcferry import command_line
from arcferry.azure.credentials import FederatedIdentity, Identity, ManagedIdentity, ServicePrincipal
from arcferry.azure.preflight.check import (
    Inquiry,
    PreflightCheck,
    Subject,
    Topic,
    hindrance,
    ok,
    unknown,
    warning,
)
from arcferry.azure.preflight.identity import Who
from arcferry.azure.session import AzureSession, Token
from arcferry.diagnosis.finding import Owner
from arcferry.language import marked

SIGN_IN = Topic(marked("sign-in"), Subject.IDENTITY, Owner.IDENTITY)
CREDENTIAL = Topic(marked("credential"), Subject.IDENTITY, Owner.IDENTITY)
SOON = 30
"""Days before the end of a certificate from which on it is warned of."""


def whose(session: AzureSession, token: Token, who: Who) -> PreflightCheck:
    """Whether the token is the identity's that was asked for, in the tenant that was given."""
    target = session.target
    until = f"token until {token.expires:%H:%M} UTC"
    client = _client_of(session.identity)
    if who.client_id and client and who.client_id.lower() != client:
        says = f"the token is of application {who.client_id}, not of {client}, which was asked for"
        way = "Compare --client-id with the identity of this machine."
        return hindrance(SIGN_IN, says, way, of_identity=True)
    given = command_line.guid(target.tenant_id, "TENANT").text
    if who.tenant_id and given != "TENANT" and who.tenant_id.lower() != given.lower():
        says = f"the token is of tenant {who.tenant_id}, not of {given}, which was asked for"
        login = command_line.line("az login --tenant {tenant}", tenant=command_line.guid(given, "TENANT"))
        return hindrance(SIGN_IN, says, "Sign in to the other tenant:", login, of_identity=True)
    kind = "user" if who.user else "service principal"
    return ok(SIGN_IN, f"{until}, of {kind} {who.object_id}" if who.object_id else until)


def lasting(asked: Inquiry) -> list[PreflightCheck]:
    """How long the certificate or the secret is valid; nothing where there is neither."""
    identity = asked.session.identity
    if not isinstance(identity, ServicePrincipal):
        return []
    if identity.certificate_ends is None:
        says = "when the secret ends stands in Microsoft Graph, which was not asked"
        command = ends_command(identity.client_id)
        return [unknown(CREDENTIAL, says, command, who="An owner of the application")]
    days = (identity.certificate_ends - datetime.now(UTC)).days
    says = f"the certificate is valid until {identity.certificate_ends:%Y-%m-%d}, {days} days from now"
    if days < 0:
        says = f"the certificate ended on {identity.certificate_ends:%Y-%m-%d}"
        return [hindrance(CREDENTIAL, says, _RENEW, of_identity=True)]
    return [warning(CREDENTIAL, says, _RENEW) if days < SOON else ok(CREDENTIAL, says)]


def ends_command(client_id: str) -> str:
    """The line with which an owner of an application sees when its secrets end."""
    return command_line.line(
        'az ad app credential list --id {client} --query "[].{name:displayName, ends:endDateTime}" '
        "--output table",
        client=command_line.guid(client_id, "CLIENT-ID"),
    )


_RENEW = (
    "Make a new certificate, add it to the app registration (Certificates & secrets), name it with "
    "--certificate, and remove the old one when nothing uses it any more."
)


def _client_of(identity: Identity) -> str:
    if isinstance(identity, ServicePrincipal | FederatedIdentity | ManagedIdentity):
        return identity.client_id
    return ""
