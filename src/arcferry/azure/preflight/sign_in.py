"""Signing in: whether there is a token, whose it is, and how long what it was had by will last."""

from datetime import UTC, datetime

from arcferry import command_line
from arcferry.azure.credentials import FederatedIdentity, Identity, ManagedIdentity, ServicePrincipal
from arcferry.azure.preflight.check import Inquiry, PreflightCheck, hindrance, ok, unknown, warning
from arcferry.azure.preflight.identity import Who
from arcferry.azure.session import AzureSession, Token

SOON = 30
"""Days before the end of a certificate from which on it is warned of."""


def whose(session: AzureSession, token: Token, who: Who) -> PreflightCheck:
    """Whether the token is the identity's that was asked for, in the tenant that was given."""
    name, target = "sign-in", session.target
    until = f"token until {token.expires:%H:%M} UTC"
    client = _client_of(session.identity)
    if who.client_id and client and who.client_id.lower() != client:
        says = f"the token is of application {who.client_id}, not of {client}, which was asked for"
        return hindrance(
            name, says, "Compare --client-id with the identity of this machine.", of_identity=True
        )
    given = command_line.guid(target.tenant_id, "TENANT").text
    if who.tenant_id and given != "TENANT" and who.tenant_id.lower() != given.lower():
        says = f"the token is of tenant {who.tenant_id}, not of {given}, which was asked for"
        hint = "Sign in to the other tenant: " + command_line.line(
            "az login --tenant {tenant}", tenant=command_line.guid(given, "TENANT")
        )
        return hindrance(name, says, hint, of_identity=True)
    kind = "user" if who.user else "service principal"
    return ok(name, f"{until}, of {kind} {who.object_id}" if who.object_id else until)


def lasting(asked: Inquiry) -> list[PreflightCheck]:
    """How long the certificate or the secret is valid; nothing where there is neither."""
    identity, name = asked.session.identity, "credential"
    if not isinstance(identity, ServicePrincipal):
        return []
    if identity.certificate_ends is None:
        command = command_line.line(
            'az ad app credential list --id {client} --query "[].{name:displayName, ends:endDateTime}" '
            "--output table",
            client=command_line.guid(identity.client_id, "CLIENT-ID"),
        )
        return [unknown(name, "when the secret ends stands in Microsoft Graph, which was not asked", command)]
    days = (identity.certificate_ends - datetime.now(UTC)).days
    says = f"the certificate is valid until {identity.certificate_ends:%Y-%m-%d}, {days} days from now"
    if days < 0:
        says = f"the certificate ended on {identity.certificate_ends:%Y-%m-%d}"
        return [hindrance(name, says, _RENEW, of_identity=True)]
    return [warning(name, says, _RENEW) if days < SOON else ok(name, says)]


_RENEW = (
    "Make a new certificate, add it to the app registration (Certificates & secrets), name it with "
    "--certificate, and remove the old one when nothing uses it any more."
)


def _client_of(identity: Identity) -> str:
    if isinstance(identity, ServicePrincipal | FederatedIdentity | ManagedIdentity):
        return identity.client_id
    return ""
