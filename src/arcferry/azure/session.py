"""A signed-in session with Azure, on the official SDK clients."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import aiohttp
from azure.core.pipeline import PipelineResponse
from azure.core.pipeline.policies import AsyncRetryPolicy
from azure.core.pipeline.transport import AioHttpTransport
from azure.identity.aio import CertificateCredential, ClientSecretCredential
from azure.mgmt.hybridcompute.aio import HybridComputeManagementClient
from azure.mgmt.resource.resources.aio import ResourceManagementClient

from arcferry.azure.credentials import ServicePrincipal
from arcferry.azure.mapping import translated
from arcferry.azure.target import Target
from arcferry.trust import tls_context

LONGEST_WAIT = 60.0
"""Seconds of Retry-After that are waited for at one time; a longer wish becomes a ThrottledError."""

RETRIES = 4
_TOKEN_MINIMUM = 15 * 60
_CONNECT_TIMEOUT = 15
_READ_TIMEOUT = 60


class BoundedRetry(AsyncRetryPolicy[Any, Any]):
    """The SDK's retry, which honours Retry-After, with a bound on how long one wait may be."""

    def get_retry_after(self, response: PipelineResponse[Any, Any]) -> float | None:
        """Seconds that Azure asks to wait; None where it doesn't say or says nothing sensible."""
        try:
            wait: float | None = super().get_retry_after(response)
        except (TypeError, ValueError, OverflowError):
            return None
        return wait

    def is_retry(self, settings: dict[str, Any], response: PipelineResponse[Any, Any]) -> bool:
        """Whether to try again: not where Azure asks for more patience than a run has."""
        if (self.get_retry_after(response) or 0) > LONGEST_WAIT:
            return False
        return bool(super().is_retry(settings, response))


@dataclass(frozen=True, slots=True)
class Token:
    """A short-lived access token for Azure Resource Manager."""

    text: str = field(repr=False)
    expires: datetime


class AzureSession:
    """Azure as one service principal sees it. Made by `signed_in`.

    Attributes:
        target: where machines are made.
        machines: the official Arc client.
        resources: the official resource client.
    """

    def __init__(self, target: Target, principal: ServicePrincipal, http: aiohttp.ClientSession) -> None:
        self.target = target
        self._principal = principal
        self._http = http
        self._credential = self._new_credential()
        self._minting = self._credential
        self._turn = asyncio.Lock()
        options = {
            "base_url": target.arm_url,
            "credential_scopes": [target.scope],
            **self._options(),
            "retry_policy": BoundedRetry(retry_total=RETRIES, retry_backoff_factor=0.5, retry_backoff_max=20),
        }
        self.machines = HybridComputeManagementClient(self._credential, target.subscription_id, **options)
        self.resources = ResourceManagementClient(self._credential, target.subscription_id, **options)

    async def token(self) -> Token:
        """A token with at least a quarter of an hour to live.

        Raises:
            SignInError: Entra refused the service principal.
            AzureUnavailableError: Entra could not be reached.
        """
        # One at a time: while the first asks, the others wait for its answer in the credential's cache.
        async with self._turn:
            return await self._mint()

    async def _mint(self) -> Token:
        with translated("sign in to Entra"):
            info = await self._minting.get_token_info(self.target.scope)
            if info.expires_on - time.time() < _TOKEN_MINIMUM:
                # The credential's cache would hand out the old one until five minutes before its end.
                self._minting = self._new_credential()
                info = await self._minting.get_token_info(self.target.scope)
        return Token(info.token, datetime.fromtimestamp(info.expires_on, UTC))

    def _new_credential(self) -> ClientSecretCredential | CertificateCredential:
        options: dict[str, Any] = {
            "authority": self.target.authority,
            "disable_instance_discovery": True,
            "retry_policy_class": BoundedRetry,
            "retry_total": RETRIES,
            "retry_backoff_factor": 0.5,
            **self._options(),
        }
        tenant, client = self.target.tenant_id, self._principal.client_id
        with translated("read the service principal"):
            if self._principal.certificate is not None:
                return CertificateCredential(
                    tenant, client, certificate_data=self._principal.certificate, **options
                )
            return ClientSecretCredential(tenant, client, self._principal.secret or "", **options)

    def _options(self) -> dict[str, Any]:
        return {
            "transport": AioHttpTransport(
                session=self._http,
                session_owner=False,
                connection_timeout=_CONNECT_TIMEOUT,
                read_timeout=_READ_TIMEOUT,
            ),
            "logging_enable": False,
        }


@asynccontextmanager
async def signed_in(target: Target, principal: ServicePrincipal) -> AsyncIterator[AzureSession]:
    """A session on one pool of connections, closed at the end. Nothing is sent before it is used.

    Raises:
        FileInputError: the CA file holds no certificate.
    """
    async with AsyncExitStack() as stack:
        # One context and one pool: the SDK's `connection_verify` reads the CA anew for every request.
        connector = aiohttp.TCPConnector(ssl=tls_context(target.ca_file), limit=64)
        http = await stack.enter_async_context(
            aiohttp.ClientSession(
                connector=connector,
                cookie_jar=aiohttp.DummyCookieJar(),
                auto_decompress=False,
                trust_env=target.proxy is None,
                proxy=target.proxy,
            )
        )
        yield AzureSession(target, principal, http)
