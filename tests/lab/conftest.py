"""A client that reaches the twin as a host does: real names through the twin's resolver, its CA, its port."""

import socket
import ssl

import aiohttp
import dns.asyncresolver
import pytest
from aiohttp.abc import AbstractResolver, ResolveResult
from tests.lab.azure.control import Control

from arcferry_lab.azure.state import Application
from arcferry_lab.pki import Leaf, load_leaf
from arcferry_lab.twin import Twin


class TwinResolver(AbstractResolver):
    """Asks the twin's DNS server, as resolv.conf would have it."""

    def __init__(self, twin: Twin) -> None:
        address, port = twin.network.resolver.split(":")
        self._resolver = dns.asyncresolver.Resolver(configure=False)
        self._resolver.nameservers = [address]
        self._resolver.port = int(port)
        self._resolver.lifetime = 2

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        answer = await self._resolver.resolve(host, "A")
        return [
            ResolveResult(hostname=host, host=row.address, port=port, family=family, proto=0, flags=0)
            for row in answer
        ]

    async def close(self) -> None:
        pass


class Browser:
    """HTTPS by name, each request on a connection of its own."""

    def __init__(self, twin: Twin) -> None:
        self.twin = twin

    async def ask(
        self,
        method: str,
        url: str,
        *,
        token: str = "",
        body: object = None,
        form: dict[str, str] | None = None,
        leaf: Leaf | None = None,
        headers: dict[str, str] | None = None,
        seconds: float = 2,
    ) -> tuple[int, object, dict[str, str]]:
        """Status, parsed body and headers."""
        host, _, path = url.removeprefix("https://").partition("/")
        context = ssl.create_default_context(cafile=str(self.twin.paths.ca))
        if leaf:
            load_leaf(context, leaf)
        connector = aiohttp.TCPConnector(resolver=TwinResolver(self.twin), ssl=context, force_close=True)
        timeout = aiohttp.ClientTimeout(total=seconds)
        headers = (headers or {}) | ({"Authorization": f"Bearer {token}"} if token else {})
        async with (
            aiohttp.ClientSession(connector=connector, timeout=timeout) as session,
            session.request(
                method,
                f"https://{host}:{self.twin.network.port}/{path}",
                json=body,
                data=form,
                headers=headers,
            ) as response,
        ):
            is_json = response.content_type == "application/json"
            content = await response.json() if is_json else await response.text()
            return response.status, content, dict(response.headers)

    async def status(self, host: str) -> int:
        """The status of a host's root."""
        return (await self.ask("GET", f"https://{host}/", seconds=0.7))[0]

    async def token(self, client: Application | None = None) -> str:
        """A token for ARM."""
        client = client or self.twin.client
        form = {
            "grant_type": "client_credentials",
            "client_id": client.client_id,
            "client_secret": client.secret,
            "scope": "https://management.azure.com/.default",
        }
        url = f"https://login.microsoftonline.com/{self.twin.azure.tenant_id}/oauth2/v2.0/token"
        _, body, _ = await self.ask("POST", url, form=form)
        assert isinstance(body, dict)
        return str(body["access_token"])


@pytest.fixture
def browser(twin: Twin) -> Browser:
    return Browser(twin)


@pytest.fixture
async def control(twin: Twin, browser: Browser) -> Control:
    """Resource Manager for the twin's own client."""
    return Control(twin, browser, await browser.token())
