"""One HTTP/1.1 request and the head of its answer, within bounds."""

from collections.abc import Awaitable, Callable
from contextlib import suppress
from urllib.parse import urlsplit

import h11

from arcferry import __version__
from arcferry.probe.observation import Failure, HttpAnswer, Stage, TlsSession
from arcferry.probe.step import StepError, failed
from arcferry.text import one_line, quoted
from arcferry.times import from_http

_LARGEST_HEAD = 16 * 1024
_LARGEST_BODY = 8 * 1024
_MOST_INTERIM = 8
_PREVIEW = 48
_MAGIC = b"HTTP/"
_USER_AGENT = ("User-Agent", f"arcferry/{__version__}")

Send = Callable[[bytes], Awaitable[None]]
Receive = Callable[[], Awaitable[bytes]]


async def get(host: str, target: str, send: Send, receive: Receive, *, body: bool = False) -> HttpAnswer:
    """Send `GET target` and read the answer's head, and its body where that is wanted.

    Raises:
        StepError: the peer closed without an answer, or what it sent is not HTTP.
    """
    headers = [("Host", host), _USER_AGENT, ("Accept", "*/*"), ("Connection", "close")]
    request = h11.Request(method="GET", target=target, headers=headers)
    return await _ask(request, send, receive, Stage.HTTP, body=body)


async def ask_to_connect(place: str, send: Send, receive: Receive) -> HttpAnswer:
    """Ask a proxy to CONNECT to `host:port`.

    Raises:
        StepError: the proxy closed without an answer, or what it sent is not HTTP.
    """
    request = h11.Request(method="CONNECT", target=place, headers=[("Host", place), _USER_AGENT])
    return await _ask(request, send, receive, Stage.PROXY, body=False)


async def _ask(request: h11.Request, send: Send, receive: Receive, stage: Stage, *, body: bool) -> HttpAnswer:
    peer = _Peer(stage, receive)
    await send(peer.start(request))
    head = await peer.head()
    date = None
    with suppress(ValueError):
        date = from_http(_header(head, b"date"))
    return HttpAnswer(
        status=head.status_code,
        reason=one_line(bytes(head.reason), limit=80),
        date=date,
        body=await peer.body() if body else b"",
        media_type=_header(head, b"content-type").partition(";")[0].strip().lower(),
        location=_header(head, b"location"),
    )


class _Peer:
    """h11's reading of what a peer sends; every bound and every malformation ends in a StepError."""

    def __init__(self, stage: Stage, receive: Receive) -> None:
        self._stage = stage
        self._receive = receive
        self._first = b""
        self._protocol = h11.Connection(h11.CLIENT, max_incomplete_event_size=_LARGEST_HEAD)

    def start(self, request: h11.Request) -> bytes:
        return (self._protocol.send(request) or b"") + (self._protocol.send(h11.EndOfMessage()) or b"")

    async def head(self) -> h11.Response:
        for _ in range(_MOST_INTERIM):
            event = await self._event()
            if isinstance(event, h11.Response):
                return event
        raise self._no_http("too many interim answers")

    async def body(self) -> bytes:
        data = b""
        while len(data) <= _LARGEST_BODY:
            event = await self._event()
            if not isinstance(event, h11.Data):
                return data
            data += event.data
        raise self._no_http(f"a body of more than {_LARGEST_BODY:,} bytes")

    async def _event(self) -> h11.Event:
        try:
            while (event := self._protocol.next_event()) is h11.NEED_DATA:
                data = await self._receive()
                self._first = self._first or data[:_PREVIEW]
                if not data and not self._first:
                    says = "the server closed the connection without an HTTP answer"
                    raise failed(self._stage, "reset", says)
                if not self._first.startswith(_MAGIC[: len(self._first)]):
                    raise self._no_http("no status line")
                self._protocol.receive_data(data)
        except h11.RemoteProtocolError as error:
            raise self._no_http(one_line(str(error), limit=120)) from error
        return event  # type: ignore[return-value]  # PAUSED comes after EndOfMessage alone, where reading ends

    def _no_http(self, why: str) -> StepError:
        says = f"the answer begins with {quoted(self._first)} and is not usable HTTP: {why}"
        return failed(self._stage, "not-http", says)


def _header(head: h11.Response, wanted: bytes) -> str:
    """The first header of this lower-case name, cleaned; empty where there is none."""
    return next((one_line(value, limit=300) for name, value in head.headers if name == wanted), "")


_MICROSOFT = (
    ".azure.cn",
    ".azure.com",
    ".azure.us",
    ".chinacloudapi.cn",
    ".cloud.microsoft",
    ".live.com",
    ".microsoft.com",
    ".microsoftonline.cn",
    ".microsoftonline.com",
    ".microsoftonline.us",
    ".office.com",
    ".office365.us",
    ".usgovcloudapi.net",
    ".windows.net",
)
_PAGE = ("text/html", "application/xhtml+xml")
_GOOD, _REDIRECTS = range(200, 300), (301, 302, 303, 307, 308)
_NETWORK_AUTHENTICATION_REQUIRED = 511


def captive_page(host: str, session: TlsSession, answer: HttpAnswer) -> Failure | None:
    """Why this answer is a gateway's page (a sign-in, a block notice) and not the service's own.

    Behind a public root the service itself has answered: nobody else has such a certificate for its name.
    Behind a private one, a page where an API answers, or a redirect away from Microsoft, is a stranger's.
    Error pages count for nothing, since services have their own.
    """
    if answer.status == _NETWORK_AUTHENTICATION_REQUIRED:
        return _failure(f"{host} answered 511: the network wants a sign-in first", session)
    if session.public_root:
        return None
    if answer.status in _REDIRECTS and _leads_away(host, answer.location):
        return _failure(f"{host} answered with a redirect to {answer.location}", session)
    if answer.status in _GOOD and answer.media_type in _PAGE:
        return _failure(f"{host} answered {answer.status} with a web page, where an API should", session)
    return None


def _failure(says: str, session: TlsSession) -> Failure:
    return Failure(Stage.HTTP, "captive-page", f"{says}; its certificate comes from {session.issuer}")


def _leads_away(host: str, location: str) -> bool:
    try:
        target = (urlsplit(location).hostname or "").rstrip(".")
    except ValueError:
        return False
    return target not in ("", host) and not f".{target}".endswith(_MICROSOFT)
