"""HTTPS to Microsoft's download site: verified, bounded, and only where it is meant to go."""

import re
import ssl
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
from yarl import URL

from arcferry.azure.mapping import safe
from arcferry.errors import AzureError, AzureUnavailableError, InputError
from arcferry.text import said
from arcferry.trust import tls_context

HOSTS = ("www.microsoft.com", "download.microsoft.com")
"""The only hosts that a download page, a link in it or a redirect may lead to."""

_REDIRECTS = 5
_CONNECT_SECONDS = 20
_SILENT_SECONDS = 30
_WHOLE_SECONDS = 300
_CHUNK = 64 * 1024
_OK = 200
_MOVED = frozenset({301, 302, 303, 307, 308})
_PROXY = re.compile(r"https?://(?:[^\s/@]+@)?[^\s/@]+/?")


@asynccontextmanager
async def browser(
    *, proxy: str | None = None, ca_file: Path | None = None
) -> AsyncIterator[aiohttp.ClientSession]:
    """A client that verifies every certificate, with one pool of connections.

    Args:
        proxy: an HTTP proxy, such as `http://proxy.example:8080`; where None, the environment's.
        ca_file: a CA to trust in addition to the public roots and this system's.

    Raises:
        InputError: the proxy's URL is none.
        FileInputError: the CA file is missing or holds no certificate.
    """
    if proxy is not None and not _PROXY.fullmatch(proxy):
        raise InputError("--proxy is no URL such as http://proxy.example:8080")
    connector = aiohttp.TCPConnector(ssl=tls_context(ca_file), limit=8)
    timeout = aiohttp.ClientTimeout(
        total=_WHOLE_SECONDS, sock_connect=_CONNECT_SECONDS, sock_read=_SILENT_SECONDS
    )
    async with aiohttp.ClientSession(
        connector=connector,
        timeout=timeout,
        cookie_jar=aiohttp.DummyCookieJar(),
        headers={"User-Agent": "arcferry"},
        trust_env=proxy is None,
        proxy=proxy,
    ) as http:
        yield http


async def get(
    http: aiohttp.ClientSession, url: URL, *, limit: int, more: Collection[URL] = ()
) -> tuple[bytes, URL]:
    """What an address answers, at most `limit` bytes of it, and the address that answered in the end.

    Args:
        http: the client.
        url: where to begin.
        limit: the most that is read, after decompression.
        more: addresses whose host and port are allowed beside `HOSTS`.

    Raises:
        AzureError: it led elsewhere, answered something else than 200, or too much.
        AzureUnavailableError: no usable answer: name, route, TLS, proxy or time.
    """
    for _ in range(_REDIRECTS + 1):
        _check(url, more)
        try:
            async with http.get(url, allow_redirects=False) as response:
                if response.status == _OK:
                    return await _body(response, url, limit), url
                url = _next(response, url)
        except (aiohttp.ClientError, OSError, TimeoutError, ValueError) as error:
            raise _unreachable(url, error) from None
    raise AzureError(f"{_place(url)}: more than {_REDIRECTS} redirects")


def _check(url: URL, more: Collection[URL]) -> None:
    allowed = {(host, 443) for host in HOSTS} | {(one.host, one.port) for one in more}
    if url.scheme != "https" or (url.host, url.port) not in allowed or url.user or url.password:
        raise AzureError(
            f"{_place(url)} is none of the addresses that are asked: https on {', '.join(HOSTS)}",
            hint="A proxy or a captive page may answer in Microsoft's place. Download the file on another "
            "machine, then arcferry data import FILE.",
        )


def _next(response: aiohttp.ClientResponse, url: URL) -> URL:
    if response.status in _MOVED and (target := response.headers.get("Location")):
        return url.join(URL(target))
    raise AzureError(f"{_place(url)} answered {response.status}", status=response.status)


async def _body(response: aiohttp.ClientResponse, url: URL, limit: int) -> bytes:
    body = bytearray()
    async for chunk in response.content.iter_chunked(_CHUNK):
        body += chunk
        if len(body) > limit:
            raise AzureError(f"{_place(url)}: larger than the {limit:,} bytes that are read")
    return bytes(body)


def _place(url: URL) -> str:
    """The address without whatever a query or a user could hold."""
    return safe(f"{url.scheme}://{url.host}{f':{url.explicit_port}' if url.explicit_port else ''}{url.path}")


def _unreachable(url: URL, error: Exception) -> AzureError:
    if isinstance(error, aiohttp.ClientHttpProxyError):
        return AzureUnavailableError(
            f"{_place(url)}: the proxy answered {error.status}",
            status=error.status,
            hint="The proxy wants a sign-in, or does not let this address through.",
        )
    if isinstance(error, aiohttp.ClientSSLError | ssl.SSLError):
        return AzureUnavailableError(
            f"{_place(url)}: TLS failed: {safe(_words(error))}",
            code="tls",
            hint="Where this path inspects TLS, pass the CA that it signs with by --ca-file.",
        )
    return AzureUnavailableError(
        f"{_place(url)}: no answer: {safe(_words(error))}",
        hint="This command wants a connected machine. Else download the file elsewhere, then arcferry data "
        "import FILE.",
    )


def _words(error: Exception) -> str:
    """The error's text, without credentials that a proxy's URL may hold."""
    return re.sub(r"//[^/\s@]*@", "//", said(error))
