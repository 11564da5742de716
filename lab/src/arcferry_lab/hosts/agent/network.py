"""HTTPS as the agent speaks it: the lab's resolver and port, its CA, the host's own address, a proxy."""

import http.client
import ipaddress
import json
import socket
import ssl
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from . import layout
from .failure import NetworkError
from .resolver import resolve

_MAX_BODY = 1 << 20
_MAX_HEAD = 8192
_SHORTEST = 0.01
_BYPASS = {
    "AAD": ("login.windows.net", "login.microsoftonline.com", "pas.windows.net"),
    "ARM": ("management.azure.com",),
    "ARC": ("his.arc.azure.com", "guestconfiguration.azure.com"),
}


@dataclass(frozen=True)
class HttpsResponse:
    """An HTTP answer and the connection that it came through."""

    status: int
    headers: dict[str, str]
    body: bytes = field(repr=False)
    tls: str
    address: str
    via_proxy: bool

    def json(self) -> dict[str, Any]:
        """The body's object; empty where it is none."""
        try:
            document = json.loads(self.body)
        except ValueError:
            return {}
        return document if isinstance(document, dict) else {}


@dataclass(frozen=True)
class _Message:
    """What is sent: headers may hold a token, a body a secret."""

    method: str
    url: str
    headers: dict[str, str] = field(repr=False)
    body: bytes | None = field(repr=False)


@dataclass(frozen=True)
class Identity:
    """A client certificate and its key, as files."""

    certificate: Path
    key: Path


@dataclass(frozen=True)
class AgentHttps:
    """How this host reaches Azure: written by the lab, amended by `config set`.

    Attributes:
        resolver: `ADDRESS:PORT` of the DNS server.
        port: where the twin's services listen in place of 443.
        ca_file: the only CA that is trusted.
        address: the host's own; connections leave from it.
        blocked: hosts to which every connection times out, for faults.
    """

    resolver: str
    port: int
    ca_file: str
    address: str = ""
    proxy: str = ""
    bypass: tuple[str, ...] = ()
    blocked: frozenset[str] = frozenset()

    @classmethod
    def load(cls) -> "AgentHttps":
        """Read the lab's file and the local configuration."""
        lab = layout.read_json(layout.LAB)
        local = layout.read_json(layout.LOCAL_CONFIG)
        groups = [str(name).upper() for name in local.get("proxy.bypass") or []]
        return cls(
            resolver=str(lab.get("resolver", "127.0.0.53:53")),
            port=int(lab.get("service_port", 443)),
            ca_file=str(lab.get("ca_file", "")),
            address=str(lab.get("address", "")),
            proxy=str(local.get("proxy.url") or ""),
            bypass=tuple(host for name in groups for host in _BYPASS.get(name, ())),
            blocked=frozenset(lab.get("blocked", [])),
        )

    def uses_proxy(self, host: str) -> bool:
        """Whether connections to `host` go through the configured proxy."""
        passed = any(host == name or host.endswith(f".{name}") for name in self.bypass)
        return bool(self.proxy) and not passed

    def request(
        self,
        method: str,
        url: str,
        *,
        seconds: float = 30.0,
        token: str = "",
        document: object = None,
        form: str = "",
        identity: Identity | None = None,
    ) -> HttpsResponse:
        """One request over one connection; redirects are not followed.

        Args:
            method: the HTTP method.
            url: an https URL; its port is the lab's.
            seconds: for everything, from the name's look-up to the body's end.
            token: sent as a bearer token; in no error text.
            document: sent as JSON, where not None.
            form: sent URL-encoded, where not empty.
            identity: presented to the server.

        Raises:
            NetworkError: no answer, and the reason; worded as the agent's own HTTP library does.
        """
        host = urlsplit(url).hostname or ""
        where = f'{method.capitalize()} "{url}"'
        message = _message(method, url, token, document, form)
        try:
            deadline = time.monotonic() + seconds
            stream, address = self._connect(host, deadline, identity)
            with stream:
                stream.settimeout(max(deadline - time.monotonic(), _SHORTEST))
                return self._exchange(stream, address, message)
        except NetworkError as error:
            raise NetworkError(f"{where}: {error}") from error
        except TimeoutError as error:
            raise NetworkError(f"{where}: context deadline exceeded") from error
        except ssl.SSLCertVerificationError as error:
            raise NetworkError(
                f"{where}: tls: failed to verify certificate: {error.verify_message}"
            ) from error
        except (OSError, http.client.HTTPException) as error:
            text = getattr(error, "strerror", None) or type(error).__name__
            raise NetworkError(f"{where}: {text.lower()}") from error

    def _exchange(self, stream: ssl.SSLSocket, address: str, message: _Message) -> HttpsResponse:
        parts = urlsplit(message.url)
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        host = parts.hostname or ""
        connection = http.client.HTTPConnection(host, self.port)
        connection.sock = stream
        tls = (stream.version() or "unknown").replace("TLSv", "TLS ")  # unknown again once it is closed
        connection.request(message.method, path, body=message.body, headers=message.headers)
        answer = connection.getresponse()
        data = answer.read(_MAX_BODY)
        fields = {name.lower(): value for name, value in answer.getheaders()}
        return HttpsResponse(answer.status, fields, data, tls, address, self.uses_proxy(host))

    def _connect(self, host: str, deadline: float, identity: Identity | None) -> tuple[ssl.SSLSocket, str]:
        if self.uses_proxy(host):
            raw, address = self._through_proxy(host, deadline), ""
        else:
            raw, address = self._direct(host, deadline)
        try:
            raw.settimeout(max(deadline - time.monotonic(), _SHORTEST))
            return self._context(identity).wrap_socket(raw, server_hostname=host), address
        except BaseException:
            raw.close()
            raise

    def _direct(self, host: str, deadline: float) -> tuple[socket.socket, str]:
        addresses = resolve(host, self.resolver, deadline)
        if host in self.blocked:
            raise NetworkError(f"dial tcp {addresses[0]}:{self.port}: i/o timeout")
        return self._dial(addresses[0], self.port, deadline), addresses[0]

    def _dial(self, address: str, port: int, deadline: float) -> socket.socket:
        source = (self.address, 0) if self.address.startswith("127.") else None
        left = max(deadline - time.monotonic(), _SHORTEST)
        try:
            return socket.create_connection((address, port), timeout=left, source_address=source)
        except TimeoutError as error:
            raise NetworkError(f"dial tcp {address}:{port}: i/o timeout") from error
        except OSError as error:
            reason = (error.strerror or "connection failed").lower()
            raise NetworkError(f"dial tcp {address}:{port}: connect: {reason}") from error

    def _through_proxy(self, host: str, deadline: float) -> socket.socket:
        parts = urlsplit(self.proxy)
        name, port = parts.hostname or "", parts.port or 80
        try:
            address = str(ipaddress.ip_address(name))
        except ValueError:
            address = resolve(name, self.resolver, deadline)[0]
        raw = self._dial(address, port, deadline)
        try:
            raw.sendall(f"CONNECT {host}:{self.port} HTTP/1.1\r\nHost: {host}:{self.port}\r\n\r\n".encode())
            head = _read_head(raw)
        except BaseException:
            raw.close()
            raise
        status = head.split(b"\r\n", 1)[0].decode("latin-1").partition(" ")[2]
        if not status.startswith("200"):
            raw.close()
            raise NetworkError(f"proxyconnect tcp: {status or 'no answer from the proxy'}")
        return raw

    def _context(self, identity: Identity | None) -> ssl.SSLContext:
        context = ssl.create_default_context(cafile=self.ca_file or None)
        if identity:
            context.load_cert_chain(identity.certificate, identity.key)
        return context


def is_private(address: str) -> bool | None:
    """Whether an address is one of a private network; None where no address is known.

    Loopback counts as public, because the lab's Azure lives there.
    """
    if not address:
        return None
    parsed = ipaddress.ip_address(address)
    return parsed.is_private and not parsed.is_loopback


def _message(method: str, url: str, token: str, document: object, form: str) -> _Message:
    host = urlsplit(url).hostname or ""
    headers = {"Host": host, "Connection": "close", "User-Agent": "azcmagent-twin"}
    body = None
    if token:
        headers["Authorization"] = f"Bearer {token}"
    if document is not None:
        headers["Content-Type"] = "application/json"
        body = json.dumps(document).encode()
    elif form:
        headers["Content-Type"] = "application/x-www-form-urlencoded"
        body = form.encode()
    return _Message(method, url, headers, body)


def _read_head(raw: socket.socket) -> bytes:
    head = b""
    while b"\r\n\r\n" not in head and len(head) < _MAX_HEAD:
        part = raw.recv(1)
        if not part:
            break
        head += part
    return head
