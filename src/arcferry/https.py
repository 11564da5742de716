"""arcferry's own HTTPS: certificates are always verified, sizes bounded, and only known addresses asked."""

import asyncio
import re
import ssl
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import certifi
from aiohttp.abc import AbstractResolver
from yarl import URL

from arcferry import log
from arcferry.errors import (
    AzureError,
    AzureUnavailableError,
    FileInputError,
    InputError,
    NotFoundError,
    ThrottledError,
)
from arcferry.files import naming
from arcferry.text import one_line, said

OK, PARTIAL, NOT_MODIFIED, UNSATISFIABLE = 200, 206, 304, 416
_REDIRECTS = 5
_MOVED = frozenset({301, 302, 303, 307, 308})
_MULTIPLE_CHOICES = 300
_NOT_FOUND, _THROTTLED, _SERVER_ERROR = 404, 429, 500
_CHUNK = 256 * 1024
_PROXY = re.compile(r"https?://(?:[^\s/@]+@)?[^\s/@]+/?")
_TOKEN_LIKE = re.compile(r"eyJ[A-Za-z0-9_-]{8,}(?:\.[A-Za-z0-9_-]+){0,2}")
_WHOLE_SECONDS = 600
# A package of 100 MB may take hours on a thin line; what counts is that bytes keep coming.
_TIMEOUT = aiohttp.ClientTimeout(total=6 * 3600, sock_connect=20, sock_read=30)
# Ranges, lengths and hashes are those of the file itself, so no server should compress it on the way.
_UNCOMPRESSED = {"Accept-Encoding": "identity"}


def tls_context(ca_file: Path | None) -> ssl.SSLContext:
    """A context that verifies by the public roots, this system's own, and the CA that was passed in.

    Raises:
        FileInputError: the CA file is missing or holds no certificate.
    """
    context = ssl.create_default_context()
    # Beside the system's store, which is empty or years old on a minimal image.
    context.load_verify_locations(certifi.where())
    if ca_file is not None:
        with naming(ca_file):
            try:
                context.load_verify_locations(ca_file)
            except ssl.SSLError as error:
                raise FileInputError(ca_file, "holds no certificate in PEM") from error
    return context


@asynccontextmanager
async def connection_pool(
    *,
    proxy: str | None,
    ca_file: Path | None,
    resolver: AbstractResolver | None = None,
    limit: int = 8,
    auto_decompress: bool = True,
) -> AsyncIterator[aiohttp.ClientSession]:
    """A pool of verified connections without cookies, closed at the end.

    Args:
        proxy: an HTTP proxy, such as `http://proxy.example:8080`; where None, the environment's.
        ca_file: a CA to trust beside the public roots.
        resolver: what finds names; the system's where None.
        limit: connections at one time.
        auto_decompress: False for azure-core's transport, which decompresses by itself.

    Raises:
        InputError: the proxy is no URL.
        FileInputError: the CA file is missing or holds no certificate.
    """
    if proxy is not None and not _PROXY.fullmatch(proxy):
        raise InputError("--proxy is no URL such as http://proxy.example:8080")
    async with aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(ssl=tls_context(ca_file), limit=limit, resolver=resolver),
        timeout=_TIMEOUT,
        cookie_jar=aiohttp.DummyCookieJar(),
        headers={"User-Agent": "arcferry"},
        auto_decompress=auto_decompress,
        trust_env=proxy is None,
        proxy=proxy,
        trace_configs=[_traces()],
    ) as pool:
        yield pool


def _traces() -> aiohttp.TraceConfig:
    """Tells of every request by host, method and status. Paths and headers may be secret."""

    async def ended(_: object, __: object, end: Any) -> None:  # noqa: ANN401  # aiohttp's own, with or without an answer
        answer, error = getattr(end, "response", None), getattr(end, "exception", None)
        status = answer.status if answer is not None else type(error).__name__
        log.did("request", host=end.url.host, port=end.url.port, method=end.method, answer=status)

    traces = aiohttp.TraceConfig()
    traces.on_request_end.append(ended)
    traces.on_request_exception.append(ended)
    return traces


@dataclass(frozen=True, slots=True)
class Advice:
    """The way out for a user, where an address is not asked, and where there is no answer."""

    not_allowed: str
    no_answer: str


@dataclass(frozen=True, slots=True)
class HttpsAnswer:
    """An answer that is not a redirect, and the address that gave it."""

    status: int
    headers: Mapping[str, str]
    url: URL
    _content: aiohttp.StreamReader = field(repr=False)
    _advice: Advice = field(repr=False)

    @property
    def origin(self) -> str:
        """The address without its query, which may hold a signature."""
        return str(self.url.with_query(None).with_fragment(None))

    async def chunks(self) -> AsyncIterator[bytes]:
        """The body as it comes.

        Raises:
            AzureUnavailableError: it broke off.
        """
        with _translated(self.url, self._advice):
            async for chunk in self._content.iter_chunked(_CHUNK):
                yield chunk


class HttpsClient:
    """GET and POST over a pool of connections, at allowed addresses only, redirects included.

    Attributes:
        pauses: seconds before each further try.
    """

    def __init__(
        self,
        pool: aiohttp.ClientSession,
        allows: Callable[[URL], bool],
        advice: Advice,
        *,
        pauses: Sequence[float] = (),
    ) -> None:
        self.pauses = tuple(pauses)
        self._pool = pool
        self._allows = allows
        self._advice = advice

    @asynccontextmanager
    async def get(self, url: URL, headers: Mapping[str, str] | None = None) -> AsyncIterator[HttpsAnswer]:
        """GET an address, and where it leads as long as that is allowed; the status is 200, 206, 304 or 416.

        Raises:
            NotFoundError: 404.
            ThrottledError: 429.
            AzureUnavailableError: no usable answer: name, route, TLS, proxy, time, or the server's own error.
            AzureError: any other answer, or it led elsewhere.
        """
        for _ in range(_REDIRECTS + 1):
            if not self._allows(url):
                between = "A proxy or a captive page may answer in Microsoft's place."
                raise AzureError(
                    f"{place(url)} is none of the addresses that are asked: https, Microsoft's or a mirror's",
                    hint=f"{between} {self._advice.not_allowed}",
                )
            with _translated(url, self._advice):
                # Followed here: aiohttp would follow a redirect before anybody could refuse it.
                response = await self._pool.get(
                    url, headers=_UNCOMPRESSED | dict(headers or {}), allow_redirects=False
                )
            async with response:
                if response.status not in _MOVED:
                    _refuse(response.status, url)
                    yield HttpsAnswer(response.status, response.headers, url, response.content, self._advice)
                    return
                url = _target(response, url)
        raise AzureError(f"{place(url)}: more than {_REDIRECTS} redirects")

    async def read(self, url: URL, *, limit: int) -> tuple[bytes, str]:
        """A whole body of at most `limit` bytes, and the address that gave it; asked for again if cut.

        Raises:
            AzureError: as for `get`, or it is larger.
        """
        pauses = list(self.pauses)
        while True:
            try:
                return await self._read(url, limit)
            except AzureError as error:
                if not pauses or not is_worth_retrying(error):
                    raise
                await asyncio.sleep(pauses.pop(0))

    async def post(self, url: URL, body: bytes) -> None:
        """POST JSON to an allowed address; a redirect is an error, and the answer's body is not looked at.

        Errors name the host alone: the path of whoever takes a POST may be a secret.

        Raises:
            AzureError: as for `get`, or the status is none of 200 to 299.
        """
        host = url.origin()
        if not self._allows(url):
            raise AzureError(f"{place(host)} is none of the addresses that are asked")
        with _translated(host, self._advice):
            headers = _UNCOMPRESSED | {"Content-Type": "application/json"}
            async with self._pool.post(url, data=body, headers=headers, allow_redirects=False) as response:
                status = response.status
        if not OK <= status < _MULTIPLE_CHOICES:
            _refuse(status, host)
            raise AzureError(f"{place(host)} answered {status}", status=status)

    async def _read(self, url: URL, limit: int) -> tuple[bytes, str]:
        body = bytearray()
        # A body that drips would never meet the time between two reads.
        with _translated(url, self._advice):
            async with asyncio.timeout(_WHOLE_SECONDS), self.get(url) as answer:
                if answer.status != OK:
                    raise AzureError(f"{place(url)} answered {answer.status}", status=answer.status)
                async for chunk in answer.chunks():
                    body += chunk
                    if len(body) > limit:
                        raise AzureError(f"{place(url)}: larger than the {limit:,} bytes that are read")
                return bytes(body), answer.origin


def is_worth_retrying(error: AzureError) -> bool:
    """Whether the same request may well succeed a moment later: not where TLS or a proxy says no."""
    if isinstance(error, ThrottledError):
        return True
    down = error.status is None or error.status >= _SERVER_ERROR
    return isinstance(error, AzureUnavailableError) and down and error.code != "tls"


def place(url: URL) -> str:
    """The address without whatever a query or a user could hold."""
    return safe(f"{url.scheme}://{url.host}{f':{url.explicit_port}' if url.explicit_port else ''}{url.path}")


def safe(text: str) -> str:
    """One clean line without anything that looks like a token."""
    return _TOKEN_LIKE.sub("[token]", one_line(text, limit=400))


def _target(response: aiohttp.ClientResponse, url: URL) -> URL:
    location = response.headers.get("Location", "")
    try:
        return url.join(URL(location))
    except ValueError:
        raise AzureError(f"{place(url)} leads to what is no address: {safe(location)}") from None


def _refuse(status: int, url: URL) -> None:
    says = f"{place(url)} answered {status}"
    if status == _NOT_FOUND:
        raise NotFoundError(says, status=status)
    if status == _THROTTLED:
        hint = "Run the same command again later; what is here stays."
        raise ThrottledError(says, status=status, hint=hint)
    if status >= _SERVER_ERROR:
        raise AzureUnavailableError(says, status=status, hint="Run the same command again later.")
    if status not in (OK, PARTIAL, NOT_MODIFIED, UNSATISFIABLE):
        raise AzureError(says, status=status)


@contextmanager
def _translated(url: URL, advice: Advice) -> Iterator[None]:
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
            f"{place(url)}: TLS failed: {_without_credentials(error)}",
            code="tls",
            hint="Where this path inspects TLS, pass the CA that it signs with by --ca-file.",
        ) from None
    except (aiohttp.ClientError, OSError, TimeoutError, ValueError) as error:
        raise AzureUnavailableError(
            f"{place(url)}: no answer: {_without_credentials(error)}", hint=advice.no_answer
        ) from None


def _without_credentials(error: Exception) -> str:
    """The error's text, without the user and password that a proxy's URL may hold."""
    return safe(re.sub(r"//[^/\s@]*@", "//", said(error)))
