"""One signed-in connection to WinRM: messages bounded, verified, never led elsewhere. All of it blocks."""

import logging
import re
import socket
import ssl
import threading
import time
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import requests
from pypsrp.exceptions import WinRMTransportError, WSManFaultError
from pypsrp.negotiate import HTTPNegotiateAuth
from pypsrp.wsman import OptionSet, SelectorSet, WSMan
from requests.adapters import HTTPAdapter
from requests.auth import AuthBase, HTTPBasicAuth
from urllib3.util.retry import Retry

ENVELOPE = 500 * 1024
"""Bytes of one message: MaxEnvelopeSizekb of Windows Server since 2012."""

OLD_ENVELOPE = 150 * 1024
_OPERATION_TIMEOUT = 20
_READ_TIMEOUT = _OPERATION_TIMEOUT + 10
_CONNECT_TIMEOUT = 10
_ANSWER_LIMIT = 4 * 1024 * 1024
# HTTP.sys of a server ends a connection that is idle for 120 s, and the keys of its messages end with it.
_IDLE = 60
_MUTUAL = "http://schemas.dmtf.org/wbem/wsman/1/wsman/secprofile/https/mutual"
_SHELL_URI = "http://schemas.microsoft.com/wbem/wsman/1/windows/shell/cmd"
# A scheme stands first or after a comma, and no "=" follows it as it does a parameter.
_SCHEME = re.compile(r"(?:^|,)\s*([^\s,=]+)(?=\s*(?:,|$)|\s+[^\s=])")
_QUOTED = re.compile(r'"[^"]*"')
_SEALED = ("multipart/encrypted", "multipart/x-multi-encrypted")

# They write whole messages to their logs, and with them what goes to a command's standard input.
for _name in ("pypsrp", "spnego", "requests", "urllib3"):
    logging.getLogger(_name).addHandler(logging.NullHandler())
for _name in ("pypsrp", "spnego"):
    logging.getLogger(_name).setLevel(logging.CRITICAL)


class NotWinrmError(Exception):
    """What answered does not answer as WinRM does."""


@dataclass(frozen=True, slots=True)
class Answered:
    """What the last answer says of who gave it, whatever its body."""

    status: int = 0
    schemes: frozenset[str] = frozenset()
    proxy: bool = False


@dataclass(frozen=True, slots=True)
class _Noted:
    """Makes connections, and notes them."""

    make: Callable[..., Any]
    made: list[Any]

    def __call__(self, *given: Any, **named: Any) -> Any:  # noqa: ANN401  # as urllib3 has it
        self.made.append(connection := self.make(*given, **named))
        return connection


class _Adapter(HTTPAdapter):
    """Certificates are verified by our context alone, answers are bounded, and none leads elsewhere."""

    def __init__(self, context: ssl.SSLContext | None) -> None:
        self.answered = Answered()
        self._context = context
        self._last: requests.Response | None = None
        self._connections: list[Any] = []
        # Only what no server has received is tried again: a connection that did not come about.
        super().__init__(
            pool_maxsize=1,
            pool_block=True,
            max_retries=Retry(
                total=1, connect=1, read=False, redirect=0, status=0, other=0, backoff_factor=1
            ),
        )

    def build_connection_pool_key_attributes(
        self,
        request: requests.PreparedRequest,
        verify: Any,  # noqa: ANN401  # as requests has it
        cert: Any = None,  # noqa: ANN401  # as above
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        """The place of a request, and our context in place of requests' own."""
        place, _ = super().build_connection_pool_key_attributes(request, verify, cert)
        return place, {"ssl_context": self._context} if self._context else {}

    def get_connection_with_tls_context(self, *given: Any, **named: Any) -> Any:  # noqa: ANN401  # as above
        """The place's pool, whose connections are known here, so that one can be cut from outside."""
        pool = super().get_connection_with_tls_context(*given, **named)
        if not isinstance(pool.ConnectionCls, _Noted):
            # A class is expected, and something to call is enough.
            pool.ConnectionCls = _Noted(pool.ConnectionCls, self._connections)  # type: ignore[assignment]
        return pool

    def cut(self) -> None:
        """Cut what is under way; the thread that waits for it hears of it."""
        for connection in self._connections:
            with suppress(OSError, AttributeError):
                connection.sock.shutdown(socket.SHUT_RDWR)

    def cert_verify(self, conn: Any, url: str, verify: Any, cert: Any) -> None:  # noqa: ANN401  # as above
        """Leave the connection to our context: requests would add certifi's roots to it."""
        del url, verify, cert
        conn.cert_reqs = "CERT_REQUIRED"

    def send(
        self,
        request: requests.PreparedRequest,
        *given: Any,  # noqa: ANN401  # as requests has it
        **named: Any,  # noqa: ANN401  # as above
    ) -> requests.Response:
        """Send, and refuse an answer that WinRM would not give.

        Raises:
            NotWinrmError: it leads elsewhere, or is open where messages are encrypted.
        """
        response = self._last = super().send(request, *given, **named)
        status, kind = response.status_code, response.headers.get("content-type", "").lower()
        offered = response.headers.get("www-authenticate", "").lower()
        self.answered = Answered(
            status,
            frozenset(_SCHEME.findall(_QUOTED.sub("", offered))),
            "via" in response.headers or "proxy-authenticate" in response.headers,
        )
        if response.is_redirect:
            raise NotWinrmError
        sent = str(request.headers.get("Content-Type", ""))
        if sent.startswith(_SEALED) and status == requests.codes.ok and not kind.startswith(_SEALED):
            raise NotWinrmError
        return response

    def close(self) -> None:
        """End the connections, also that of an answer nobody has read."""
        if self._last is not None:
            self._last.close()
        pools = self.poolmanager.pools
        for key in list(pools.keys()):  # urllib3 itself leaves them to the garbage collector
            if pool := pools.get(key):
                pool.close()
        super().close()

    def build_response(self, req: requests.PreparedRequest, resp: Any) -> requests.Response:  # noqa: ANN401  # as above
        """The answer, which ends in an error where it is longer than any of WinRM's."""
        read: Callable[..., Iterator[bytes]] = resp.stream

        def bounded(*given: Any, **named: Any) -> Iterator[bytes]:  # noqa: ANN401  # as above
            left = _ANSWER_LIMIT
            for block in read(*given, **named):
                left -= len(block)
                if left < 0:
                    resp.close()
                    raise NotWinrmError
                yield block

        resp.stream = bounded
        return super().build_response(req, resp)


class _Certificate(AuthBase):
    def __call__(self, r: requests.PreparedRequest) -> requests.PreparedRequest:
        r.headers["Authorization"] = _MUTUAL
        return r


@dataclass(frozen=True, slots=True)
class Access:
    """One host, and how to sign in to it.

    Attributes:
        user: a name, or pyspnego's credential such as a keytab.
        context: TLS; None for HTTP with encrypted messages.
        service_host: the host that a Kerberos ticket is asked for.
    """

    address: str
    port: int
    auth: str
    user: Any = None
    password: str | None = field(default=None, repr=False)
    context: ssl.SSLContext | None = field(default=None, repr=False)
    service_host: str = ""

    def handler(self) -> AuthBase:
        """What puts the sign-in on each request. Credentials are never delegated."""
        if self.auth == "certificate":
            return _Certificate()
        if self.auth == "basic":
            return HTTPBasicAuth(str(self.user).encode(), (self.password or "").encode())
        negotiate: AuthBase = HTTPNegotiateAuth(
            username=self.user,
            password=self.password,
            auth_provider=self.auth,
            # As Windows's own client asks; every domain answers it by the computer's key. WSMAN/ is missing
            # on some servers, domain controllers above all (pypsrp issue 176, read 2026-11-28).
            service="HTTP",
            delegate=False,
            hostname_override=self.service_host or None,
            wrap_required=self.context is None,
        )
        return negotiate


class Line:
    """One signed-in connection, used by one thread at a time; made anew where it was idle for long."""

    def __init__(self, access: Access) -> None:
        self._access = access
        self._adapter = _Adapter(access.context)
        self._wsman = WSMan(
            access.address,
            port=access.port,
            ssl=access.context is not None,
            # What the constructor wants to see; the sign-in itself is the handler's.
            auth="basic" if access.auth == "certificate" else access.auth,
            encryption="auto" if access.context else "always",
            max_envelope_size=ENVELOPE,
            operation_timeout=_OPERATION_TIMEOUT,
            connection_timeout=_CONNECT_TIMEOUT,
            read_timeout=_READ_TIMEOUT,
            no_proxy=True,
        )
        self._lock = threading.Lock()
        self._used = 0.0
        self._ended = threading.Event()

    @property
    def busy(self) -> bool:
        """Whether a request is under way."""
        return self._lock.locked()

    @property
    def answered(self) -> Answered:
        """What the last answer said of who gave it."""
        return self._adapter.answered

    @property
    def payload(self) -> int:
        """Most bytes of data in one message."""
        return self._wsman.max_payload_size

    def lower(self) -> None:
        """Send smaller messages from here on."""
        self._wsman.update_max_payload_size(OLD_ENVELOPE)
        # The server has not decrypted what it refused, so both sides count messages differently by now.
        self._used = 0.0

    def ask(
        self, action: str, body: ET.Element | None, shell: str = "", options: Mapping[str, str] | None = None
    ) -> ET.Element:
        """One request and its answer."""
        selectors = SelectorSet()
        if shell:
            selectors.add_option("ShellId", shell)
        chosen = OptionSet()
        for name, value in (options or {}).items():
            chosen.add_option(name, value)
        with self._lock:
            if self._ended.is_set():
                raise ConnectionAbortedError
            if time.monotonic() - self._used > _IDLE:
                self._renew()
            try:
                answer: ET.Element = self._wsman.invoke(
                    action, _SHELL_URI, body, chosen if options else None, selectors if shell else None
                )
            except (WSManFaultError, WinRMTransportError):
                self._used = time.monotonic()
                raise
            except BaseException:
                self._used = 0.0  # whatever state it is in, its keys are not to be used again
                raise
            finally:
                if self._ended.is_set():
                    self._wsman.close()
            self._used = time.monotonic()
            return answer

    def _renew(self) -> None:
        transport = self._wsman.transport
        transport.close()
        transport.encryption = None
        self._adapter = _Adapter(self._access.context)
        session = requests.Session()
        session.trust_env = False  # no proxy, CA or .netrc of the environment's
        session.headers.update({"User-Agent": "arcferry", "Accept-Encoding": "identity"})
        session.mount("https://" if self._access.context else "http://", self._adapter)
        session.auth = self._access.handler()
        transport.session = session

    def close(self) -> None:
        """End the connection for good, also in the midst of a request."""
        self._ended.set()
        if self.busy:
            self._adapter.cut()
        self._wsman.close()
