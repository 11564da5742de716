"""Azure: signing in, what must be true before a run, and the machines as ARM reports them."""

from arcferry.azure.credentials import (
    AzLogin,
    FederatedIdentity,
    Identity,
    ManagedIdentity,
    ServicePrincipal,
    federated,
    managed_identity,
    secret_from_environment,
    secret_from_file,
    with_certificate,
    with_secret,
)
from arcferry.azure.machines import Machine, get_machine, list_machines
from arcferry.azure.preflight import (
    SETTLING,
    CheckStatus,
    Preflight,
    PreflightCheck,
    Wanted,
    blocked,
    examine,
    prepare,
    register,
)
from arcferry.azure.session import AzureSession, Token, signed_in
from arcferry.azure.target import AzureTarget, target

__all__ = [
    "SETTLING",
    "AzLogin",
    "AzureSession",
    "AzureTarget",
    "CheckStatus",
    "FederatedIdentity",
    "Identity",
    "Machine",
    "ManagedIdentity",
    "Preflight",
    "PreflightCheck",
    "ServicePrincipal",
    "Token",
    "Wanted",
    "blocked",
    "examine",
    "federated",
    "get_machine",
    "list_machines",
    "managed_identity",
    "prepare",
    "register",
    "secret_from_environment",
    "secret_from_file",
    "signed_in",
    "target",
    "with_certificate",
    "with_secret",
]
