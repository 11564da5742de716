"""A signed-in session with Azure, on the official SDK clients."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import aiohttp
from azure.core.pipeline import PipelineRequest, policies
from azure.core.pipeline.transport import AioHttpTransport
from azure.identity.aio import (
    AzureCliCredential,
    CertificateCredential,
    ClientSecretCredential,
    ManagedIdentityCredential,
    WorkloadIdentityCredential,
)
from azure.mgmt.core.policies import ARMHttpLoggingPolicy, AsyncARMChallengeAuthenticationPolicy
from azure.mgmt.hybridcompute.aio import HybridComputeManagementClient
from azure.mgmt.resource.resources.aio import ResourceManagementClient

from arcferry import command_line
from arcferry.azure.credentials import AzLogin, FederatedIdentity, Identity, ManagedIdentity
from arcferry.azure.entra import DOING, Credential
from arcferry.azure.mapping import translated
from arcferry.azure.target import AzureTarget
from arcferry.azure.turn import BoundedRetry, PatientTransport, SharedTurns, origin
from arcferry.errors import AzureError, InputError
from arcferry.https import connection_pool, safe

# What goes wrong is told once, in our own words: the SDK would print whole answers where nobody listens.
logging.getLogger("azure").addHandler(logging.NullHandler())

RETRIES = 4
_TOKEN_MINIMUM = 15 * 60
_CONNECT_TIMEOUT = 15
_READ_TIMEOUT = 60
_AZ_TIMEOUT = 60
_OF_MACHINE: dict[str, Any] = {"retry_total": 2, "connection_timeout": 5}
_NO_MANAGED_IDENTITY = (
    "Only an Azure VM and a server that Arc has connected have a managed identity. Run arcferry there, as "
    "a user that may read its tokens; --client-id is for a user-assigned one alone."
)


class _AtArmAlone(policies.SansIOHTTPPolicy[Any, Any]):
    """Keeps requests, and the token in them, at Resource Manager: a link in an answer may lead anywhere."""

    def __init__(self, arm_url: str) -> None:
        self._home = origin(arm_url)

    def on_request(self, request: PipelineRequest[Any]) -> None:
        """Refuse a request that leads away.

        Raises:
            AzureError: it does.
        """
        if origin(request.http_request.url) != self._home:
            raise AzureError("an answer of Azure leads away from Resource Manager's address: not followed")


@dataclass(frozen=True, slots=True)
class Token:
    """A short-lived access token for Azure Resource Manager."""

    text: str = field(repr=False)
    expires: datetime


class AzureSession:
    """Azure as one identity sees it. Made by `signed_in`.

    Attributes:
        target: where machines are made.
        identity: who asks.
        machines: the official Arc client.
        resources: the official resource client.
        turns: who has to wait, which is common to all of them.
    """

    def __init__(
        self,
        target: AzureTarget,
        identity: Identity,
        http: aiohttp.ClientSession,
        signed_in: "AzureSession | None" = None,
    ) -> None:
        self.target = target
        self.identity = identity
        self._http = http
        self._signed_in = signed_in
        self.turns: SharedTurns = signed_in.turns if signed_in else SharedTurns()
        self._credential: Credential = (
            signed_in._credential if signed_in else self._new_credential()  # noqa: SLF001  # of this class
        )
        self._minting = self._credential
        self._turn = asyncio.Lock()
        given = (self._credential, target.subscription_id)
        self.machines = HybridComputeManagementClient(*given, **self._of_client())
        self.resources = ResourceManagementClient(*given, **self._of_client())

    def at(self, target: AzureTarget) -> "AzureSession":
        """The same sign-in and turns for another place of the tenant, until this session is closed."""
        return AzureSession(target, self.identity, self._http, self._signed_in or self)

    async def token(self) -> Token:
        """A token with at least a quarter of an hour to live.

        Raises:
            SignInError: Entra refused the identity.
            AzureUnavailableError: Entra could not be reached.
        """
        if self._signed_in:
            return await self._signed_in.token()
        # One at a time: while the first asks, the others wait for its answer in the credential's cache.
        async with self._turn:
            info = await self._minting.get_token_info(self.target.scope)
            if info.expires_on - time.time() < _TOKEN_MINIMUM:
                # The credential's cache would hand out the old one until five minutes before its end.
                self._minting = self._new_credential()
                info = await self._minting.get_token_info(self.target.scope)
        with translated(DOING):
            return Token(info.token, datetime.fromtimestamp(info.expires_on, UTC))

    async def renew(self, identity: Identity) -> None:
        """Sign in as this identity from now on, also for the clients; nothing is sent yet.

        Raises:
            InputError: it cannot be used.
        """
        self.identity = identity
        if self._signed_in:
            await self._signed_in.renew(identity)
            return
        async with self._turn:
            if self._minting is not self._credential:
                await self._minting.close()
            await self._credential.renew(self._new_credential())
            self._minting = self._credential

    async def close(self) -> None:
        """Close what is the credential's own; the pool is everybody's."""
        if self._signed_in:
            return
        await self._credential.close()
        if self._minting is not self._credential:
            await self._minting.close()

    def _of_client(self) -> dict[str, Any]:
        return {"base_url": self.target.arm_url, "policies": self._policies(), **self._options()}

    def _policies(self) -> list[Any]:
        """What every request to ARM goes through: the SDK's own list but for its registering of providers.

        That policy answers 409 MissingSubscriptionRegistration by a POST that registers the provider, also
        where something is only read, and waits without end while it stays Registering.
        """
        return [
            policies.RequestIdPolicy(),
            policies.HeadersPolicy(),
            policies.UserAgentPolicy(),
            policies.ContentDecodePolicy(),
            policies.AsyncRedirectPolicy(),
            BoundedRetry(retry_total=RETRIES, retry_backoff_factor=0.5, retry_backoff_max=20),
            _AtArmAlone(self.target.arm_url),
            AsyncARMChallengeAuthenticationPolicy(self._credential, self.target.scope),
            policies.CustomHookPolicy(),
            policies.SensitiveHeaderCleanupPolicy(),
            ARMHttpLoggingPolicy(),
        ]

    def _new_credential(self) -> Credential:
        options: dict[str, Any] = {
            "authority": self.target.authority,
            "disable_instance_discovery": True,
            "retry_policy_class": BoundedRetry,
            "retry_total": RETRIES,
            "retry_backoff_factor": 0.5,
            **self._options(),
        }
        tenant, who = self.target.tenant_id, self.identity
        try:
            if isinstance(who, AzLogin):
                advice = "Sign in first: " + command_line.line(
                    "az login --tenant {tenant}", tenant=command_line.word(tenant, "TENANT")
                )
                return Credential(AzureCliCredential(tenant_id=tenant, process_timeout=_AZ_TIMEOUT), advice)
            if isinstance(who, ManagedIdentity):
                # The machine itself answers, at an address that no proxy knows.
                own = AioHttpTransport(use_env_settings=False)
                inner = ManagedIdentityCredential(
                    client_id=who.client_id or None, transport=own, **_OF_MACHINE
                )
                return Credential(inner, _NO_MANAGED_IDENTITY)
            if isinstance(who, FederatedIdentity):
                given = {"tenant_id": tenant, "client_id": who.client_id}
                file = str(who.token_file)
                return Credential(WorkloadIdentityCredential(token_file_path=file, **given, **options))
            if who.certificate is not None:
                data = who.certificate
                return Credential(
                    CertificateCredential(tenant, who.client_id, certificate_data=data, **options)
                )
            return Credential(ClientSecretCredential(tenant, who.client_id, who.secret or "", **options))
        except ValueError as error:
            raise InputError(f"the identity cannot be used: {safe(str(error))}") from None

    def _options(self) -> dict[str, Any]:
        return {
            "transport": PatientTransport(
                self.turns,
                session=self._http,
                session_owner=False,
                connection_timeout=_CONNECT_TIMEOUT,
                read_timeout=_READ_TIMEOUT,
            ),
            "logging_enable": False,
        }


@asynccontextmanager
async def signed_in(target: AzureTarget, identity: Identity) -> AsyncIterator[AzureSession]:
    """A session on one pool of connections, closed at the end. Nothing is sent before it is used.

    Raises:
        InputError: the proxy is no URL.
        FileInputError: the CA file is missing or holds no certificate.
    """
    # One pool for all: the SDK's own `connection_verify` would read the CA anew for every request.
    async with connection_pool(
        proxy=target.proxy, ca_file=target.ca_file, limit=64, auto_decompress=False
    ) as pool:
        session = AzureSession(target, identity, pool)
        try:
            yield session
        finally:
            await session.close()
