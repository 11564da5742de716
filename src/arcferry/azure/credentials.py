"""The identity that arcferry signs in as. What is secret here never leaves this process."""

import os
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from cryptography.hazmat.primitives.serialization.pkcs12 import load_pkcs12

from arcferry import typed
from arcferry.errors import FileInputError, InputError
from arcferry.files import owner_only, read_bounded, read_secret
from arcferry.text import quoted

_LIMIT = 64 * 1024


@dataclass(frozen=True, slots=True)
class ServicePrincipal:
    """An Entra application with a secret, or with a certificate and its private key.

    Attributes:
        certificate_ends: None for one with a secret, whose end only Entra knows.
    """

    client_id: str
    secret: str | None = field(default=None, repr=False)
    certificate: bytes | None = field(default=None, repr=False)
    certificate_ends: datetime | None = None


@dataclass(frozen=True, slots=True)
class ManagedIdentity:
    """The identity of the Azure VM or the Arc server that arcferry runs on.

    Attributes:
        client_id: of a user-assigned one; empty for the machine's own.
    """

    client_id: str = ""


@dataclass(frozen=True, slots=True)
class AzLogin:
    """Whoever is signed in to az on this machine."""


@dataclass(frozen=True, slots=True)
class FederatedIdentity:
    """An Entra application that trusts another issuer's tokens, such as those of a pipeline or a cluster.

    Attributes:
        token_file: read anew for every sign-in, as such tokens live for minutes.
    """

    client_id: str
    token_file: Path


Identity = ServicePrincipal | ManagedIdentity | AzLogin | FederatedIdentity


def with_secret(client_id: str, secret: str) -> ServicePrincipal:
    """A service principal that signs in with a secret.

    Raises:
        InputError: the client id is no GUID, or the secret is empty.
    """
    if not secret.strip():
        raise InputError("the service principal's secret is empty")
    return ServicePrincipal(_client_id(client_id), secret=secret.strip())


def secret_from_environment(name: str) -> str | None:
    """The secret held by an environment variable, None where it is not set or empty."""
    return os.environ.get(name) or None


def secret_from_file(path: Path) -> str:
    """The secret in a file that only its owner can read.

    Raises:
        FileInputError: the file is missing, empty, of several lines, or readable by others.
    """
    return read_secret(path)


def with_certificate(client_id: str, path: Path) -> ServicePrincipal:
    """A service principal that signs in with a certificate: PEM with its key, or PFX without a password.

    Raises:
        FileInputError: the file is missing, readable by others, or holds no usable certificate and key.
    """
    owner_only(path, "a private key")
    data = read_bounded(path, limit=_LIMIT)
    try:
        if b"-----BEGIN" in data:
            load_pem_private_key(data, password=None)
            certificate = (
                x509.load_pem_x509_certificate(data) if b"-----BEGIN CERTIFICATE-----" in data else None
            )
        else:
            store = load_pkcs12(data, None)
            certificate = store.cert.certificate if store.key and store.cert else None
    except TypeError as error:
        raise FileInputError(path, "its private key has a password, which is not supported") from error
    except ValueError as error:
        raise FileInputError(path, "no certificate with a private key, in PEM or PFX") from error
    if certificate is None:
        raise FileInputError(path, "holds a key but no certificate, or a certificate but no key")
    ends = certificate.not_valid_after_utc
    return ServicePrincipal(_client_id(client_id), certificate=data, certificate_ends=ends)


def managed_identity(client_id: str = "") -> ManagedIdentity:
    """The identity of this machine in Azure, or the user-assigned one of this client id.

    Raises:
        InputError: the client id is no GUID.
    """
    return ManagedIdentity(_client_id(client_id) if client_id else "")


def federated(client_id: str, path: Path) -> FederatedIdentity:
    """An application that signs in with the token in a file, which another issuer keeps fresh.

    Raises:
        FileInputError: the file cannot be read, or is empty.
        InputError: the client id is no GUID.
    """
    if not read_bounded(path, limit=_LIMIT).strip():
        raise FileInputError(path, "holds no token")
    return FederatedIdentity(_client_id(client_id), path)


def _client_id(text: str) -> str:
    if not typed.guid(text.strip()):
        raise InputError(
            f"client id {quoted(text)} is not a GUID",
            hint="it is the application (client) id of the app registration",
        )
    return text.strip().lower()
