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
from arcferry.azure.machines import MACHINE_ID, Machine, delete_machine, get_machine, is_gone, list_machines
from arcferry.azure.preflight import (
    SETTLING,
    CheckStatus,
    Once,
    Preflight,
    PreflightCheck,
    Subject,
    Wanted,
    blocked,
    examine,
    prepare,
    register,
)
from arcferry.azure.resource_graph import graph_machines
from arcferry.azure.session import AzureSession, Token, signed_in
from arcferry.azure.target import AzureTarget, target

__all__ = [
    "MACHINE_ID",
    "SETTLING",
    "AzLogin",
    "AzureSession",
    "AzureTarget",
    "CheckStatus",
    "FederatedIdentity",
    "Identity",
    "Machine",
    "ManagedIdentity",
    "Once",
    "Preflight",
    "PreflightCheck",
    "ServicePrincipal",
    "Subject",
    "Token",
    "Wanted",
    "blocked",
    "delete_machine",
    "examine",
    "federated",
    "get_machine",
    "graph_machines",
    "is_gone",
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
