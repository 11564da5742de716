"""HTTPS to Microsoft's servers and their mirrors: verified, and only where it is meant to go."""

import asyncio
import re
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

from arcferry.azure.mapping import safe
from arcferry.errors import (
    AzureError,
    AzureUnavailableError,
    InputError,
    NotFoundError,
    ThrottledError,
)
from arcferry.fetch.sources import Sources
from arcferry.fetch.wanted import Means
from arcferry.text import said
from arcferry.trust import tls_context

if TYPE_CHECKING:
    from collections.abc import Iterator

OK, PARTIAL, NOT_MODIFIED, UNSATISFIABLE = 200, 206, 304, 416
_REDIRECTS = 5
_MOVED = frozenset({301, 302, 303, 307, 308})
_NOT_FOUND, _THROTTLED, _SERVER_ERROR = 404, 429, 500
_LONGEST_WAIT = 60
_CHUNK = 256 * 1024
_PROXY = re.compile(r"https?://(?:[^\s/@]+@)?[^\s/@]+/?")
_TIMEOUT = aiohttp.ClientTimeout(total=6 * 3600, sock_connect=20, sock_read=30)
# A stored or a partial body is not to be packed on the way: its length and its hash are what is compared.
_PLAIN = {"Accept-Encoding": "identity"}


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer that is not a redirect, and the address that gave it."""

    status: int
    headers: Mapping[str, str]
    url: URL
    _content: aiohttp.StreamReader = field(repr=False)

    @property
    def origin(self) -> str:
        """The address without its query, which may hold a signature."""
        return str(self.url.with_query(None).with_fragment(None))

    async def chunks(self) -> AsyncIterator[bytes]:
        """The body as it comes.

        Raises:
            AzureUnavailableError: it broke off.
        """
        with _translated(self.url):
            async for chunk in self._content.iter_chunked(_CHUNK):
                yield chunk


class Client:
    """One pool of connections; made by `open_client`.

    Attributes:
        http: the pool itself, for what `arcferry.data` fetches.
        sources: where Microsoft's hosts are.
        pauses: seconds before each further try.
    """

    def __init__(self, http: aiohttp.ClientSession, means: Means) -> None:
        self.http = http
        self.sources: Sources = means.sources
        self.pauses = means.pauses

    @asynccontextmanager
    async def ask(self, url: URL, headers: Mapping[str, str] | None = None) -> AsyncIterator[Answer]:
        """GET an address, and where it leads as long as that is allowed; the status is 200, 206, 304 or 416.

        Raises:
            NotFoundError: 404.
            ThrottledError: 429.
            AzureUnavailableError: no usable answer: name, route, TLS, proxy, time, or the server's own error.
            AzureError: any other answer, or it led elsewhere.
        """
        for _ in range(_REDIRECTS + 1):
            self._check(url)
            with _translated(url):
                response = await self.http.get(
                    url, headers={**_PLAIN, **(headers or {})}, allow_redirects=False, timeout=_TIMEOUT
                )
            async with response:
                if response.status not in _MOVED:
                    _refuse(response, url)
                    yield Answer(response.status, response.headers, url, response.content)
                    return
                url = _target(response, url)
        raise AzureError(f"{place(url)}: more than {_REDIRECTS} redirects")

    async def read(self, url: URL, *, limit: int) -> tuple[bytes, str]:
        """A whole body of at most `limit` bytes, and the address that gave it; asked for again if cut.

        Raises:
            AzureError: as for `ask`, or it is larger.
        """
        tries = list(self.pauses)
        while True:
            try:
                return await self._read(url, limit)
            except AzureError as error:
                if not tries or not may_pass(error):
                    raise
                await asyncio.sleep(tries.pop(0))

    async def _read(self, url: URL, limit: int) -> tuple[bytes, str]:
        body = bytearray()
        async with self.ask(url) as answer:
            if answer.status != OK:
                raise AzureError(f"{place(url)} answered {answer.status}", status=answer.status)
            async for chunk in answer.chunks():
                body += chunk
                if len(body) > limit:
                    raise AzureError(f"{place(url)}: larger than the {limit:,} bytes that are read")
            return bytes(body), answer.origin

    def _check(self, url: URL) -> None:
        if not self.sources.allows(url):
            raise AzureError(
                f"{place(url)} is none of the addresses that are asked: https, Microsoft's or a mirror's",
                hint="A proxy or a captive page may answer in Microsoft's place. Where a mirror keeps its "
                "files on another host, name that host with --mirror.",
            )


@asynccontextmanager
async def open_client(means: Means) -> AsyncIterator[Client]:
    """A client that verifies every certificate.

    Raises:
        InputError: the proxy's URL or the resolver is none.
        FileInputError: the CA file is missing or holds no certificate.
    """
    if means.proxy is not None and not _PROXY.fullmatch(means.proxy):
        raise InputError("--proxy is no URL such as http://proxy.example:8080")
    resolver = _Resolver(means.resolver) if means.resolver else None
    connector = aiohttp.TCPConnector(ssl=tls_context(means.ca_file), limit=4, resolver=resolver)
    async with aiohttp.ClientSession(
        connector=connector,
        timeout=aiohttp.ClientTimeout(total=300, sock_connect=20, sock_read=30),
        cookie_jar=aiohttp.DummyCookieJar(),
        headers={"User-Agent": "arcferry"},
        trust_env=means.proxy is None,
        proxy=means.proxy,
    ) as http:
        yield Client(http, means)


def may_pass(error: AzureError) -> bool:
    """Whether the same question may well be answered a moment later: not where TLS or a proxy says no."""
    if isinstance(error, ThrottledError):
        return True
    down = error.status is None or error.status >= _SERVER_ERROR
    return isinstance(error, AzureUnavailableError) and down and error.code != "tls"


def place(url: URL) -> str:
    """The address without whatever a query or a user could hold."""
    return safe(f"{url.scheme}://{url.host}{f':{url.explicit_port}' if url.explicit_port else ''}{url.path}")


class _Resolver(AbstractResolver):
    """Names by the one DNS server that was asked for."""

    def __init__(self, server: str) -> None:
        from arcferry.probe import ProbeSettings  # noqa: PLC0415 - dnspython, which few runs need

        self._settings = ProbeSettings(resolver=server)

    async def resolve(self, host: str, port: int = 0, family: int = 0) -> list[ResolveResult]:
        """The addresses of a name, as aiohttp wants them."""
        from arcferry.probe import deadlines  # noqa: PLC0415 - as above
        from arcferry.probe.dns import choose_resolvers, resolve  # noqa: PLC0415 - as above

        found = await resolve(host, choose_resolvers(self._settings), deadlines.DNS)
        if found.failure:
            raise OSError(found.failure.says)
        return [
            ResolveResult(hostname=host, host=one, port=port, family=family, proto=0, flags=0)
            for one in found.answer.addresses
        ]

    async def close(self) -> None:
        """Nothing is held."""


def _target(response: aiohttp.ClientResponse, url: URL) -> URL:
    where = response.headers.get("Location", "")
    try:
        return url.join(URL(where))
    except ValueError:
        raise AzureError(f"{place(url)} leads to what is no address: {safe(where)}") from None


def _refuse(response: aiohttp.ClientResponse, url: URL) -> None:
    """Raise for every status that says no, and for a body that was packed on the way."""
    status = response.status
    says = f"{place(url)} answered {status}"
    if status == _NOT_FOUND:
        raise NotFoundError(says, status=status)
    if status == _THROTTLED:
        raise ThrottledError(
            says, status=status, hint="Run the same command again later; what is here stays."
        )
    if status >= _SERVER_ERROR:
        raise AzureUnavailableError(says, status=status, hint="Run the same command again later.")
    if status not in (OK, PARTIAL, NOT_MODIFIED, UNSATISFIABLE):
        raise AzureError(says, status=status)
    coding = response.headers.get("Content-Encoding", "identity").strip().lower()
    if coding not in ("", "identity"):
        raise AzureError(f"{place(url)} answered packed ({safe(coding)}), which nobody asked for")


@contextmanager
def _translated(url: URL) -> "Iterator[None]":
    try:
        yield
    except aiohttp.ClientHttpProxyError as error:
        raise AzureUnavailableError(
            f"{place(url)}: the proxy answered {error.status}",
            status=error.status,
            hint="The proxy wants a sign-in, or does not let this address through.",
        ) from None
    except (aiohttp.ClientSSLError, ssl.SSLError) as error:
        raise AzureUnavailableError(
            f"{place(url)}: TLS failed: {_words(error)}",
            code="tls",
            hint="Where this path inspects TLS, pass the CA that it signs with by --ca-file.",
        ) from None
    except (aiohttp.ClientError, OSError, TimeoutError, ValueError) as error:
        raise AzureUnavailableError(
            f"{place(url)}: no answer: {_words(error)}",
            hint="Run the same command again: what has arrived stays, and the rest is fetched. Without a way "
            "to Microsoft from here, download the file elsewhere and name it with --agent.",
        ) from None


def _words(error: Exception) -> str:
    """The error's text, without credentials that a proxy's URL may hold."""
    return safe(re.sub(r"//[^/\s@]*@", "//", said(error)))
