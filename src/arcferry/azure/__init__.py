"""Azure: signing in, what must be true before a run, and the machines as ARM reports them."""

from arcferry.azure.credentials import (
    ServicePrincipal,
    secret_from_environment,
    secret_from_file,
    with_certificate,
    with_secret,
)
from arcferry.azure.machines import MACHINE_ID, Machine, delete_machine, get_machine, is_gone, list_machines
from arcferry.azure.prepare import SETTLING, CheckStatus, Preflight, PreflightCheck, prepare
from arcferry.azure.session import AzureSession, Token, signed_in
from arcferry.azure.target import AzureTarget, target

__all__ = [
    "MACHINE_ID",
    "SETTLING",
    "AzureSession",
    "AzureTarget",
    "CheckStatus",
    "Machine",
    "Preflight",
    "PreflightCheck",
    "ServicePrincipal",
    "Token",
    "delete_machine",
    "get_machine",
    "is_gone",
    "list_machines",
    "prepare",
    "secret_from_environment",
    "secret_from_file",
    "signed_in",
    "target",
    "with_certificate",
    "with_secret",
]
