"""The server itself: where it listens, under which names, and how it ends."""

import asyncio
import contextlib
import errno
import ipaddress
import logging
import socket
import ssl
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import uvicorn
from cryptography import x509

from arcferry.errors import FileInputError, InputError
from arcferry.files import FILE_LIMIT, read_bounded
from arcferry.serve.app import Serving, make_app
from arcferry.serve.connections import Connection
from arcferry.serve.guard import Site
from arcferry.serve.live import Live
from arcferry.serve.retrying import Command, Retrying
from arcferry.serve.sessions import Sessions
from arcferry.serve.stream import Streams
from arcferry.text import said

LOOPBACK = "127.0.0.1"
_OF_LOOPBACK = frozenset(("localhost", "127.0.0.1", "[::1]"))
_BACKLOG = 64
_GRACE = 2


@dataclass(frozen=True, slots=True)
class Tls:
    """A certificate and its key, as PEM files."""

    certificate: Path
    key: Path


@dataclass(frozen=True, slots=True)
class Listening:
    """Where it listens, and how it is called there."""

    socket: socket.socket
    site: Site
    tls: Tls | None

    @property
    def url(self) -> str:
        """The address to open."""
        address = str(self.socket.getsockname()[0])
        bound = f"[{address}]" if ":" in address else address
        name = bound if bound in self.site.names else min(self.site.names)
        return f"{self.site.scheme}://{name}:{self.site.port}/"


@contextlib.contextmanager
def listening(address: str, port: int, tls: Tls | None) -> Iterator[Listening]:
    """A socket to serve on; port 0 is a free one.

    Raises:
        InputError: others could listen in, the port is taken, or the address is not this machine's.
        FileInputError: the certificate or its key cannot be used.
    """
    try:
        where = ipaddress.ip_address(address)
    except ValueError:
        raise InputError(f"--listen {address} is no address", hint="Give one of this machine's.") from None
    if not where.is_loopback and tls is None:
        raise InputError(
            f"on {address} others could listen in, and act as you",
            hint="Give --tls-cert and --tls-key; or leave --listen out, and reach it through SSH: "
            f"ssh -L {port}:{LOOPBACK}:{port} this-server",
        )
    names = _OF_LOOPBACK if where.is_loopback else frozenset()
    if tls is not None:
        _check(tls)
        names |= _names_of(tls.certificate)
    family = socket.AF_INET6 if where.version == 6 else socket.AF_INET  # noqa: PLR2004  # the version's name
    with socket.socket(family, socket.SOCK_STREAM) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        _bind(listener, address, port)
        yield Listening(listener, Site(names, listener.getsockname()[1], secure=tls is not None), tls)


def _bind(listener: socket.socket, address: str, port: int) -> None:
    try:
        listener.bind((address, port))
        listener.listen()
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            hint = (
                "Give another one with --listen-port, or 0 for any that is free; or end what listens there."
            )
            raise InputError(f"port {port} on {address} is taken", hint=hint) from None
        raise InputError(f"cannot listen on {address}, port {port}: {said(error)}") from None


def _check(tls: Tls) -> None:
    for path in (tls.certificate, tls.key):
        read_bounded(path, limit=FILE_LIMIT)
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(tls.certificate, tls.key, _no_password)
    except (ssl.SSLError, ValueError) as error:
        hint = "Give the certificate, with those above it, and its key without a password, both as PEM."
        raise FileInputError(
            tls.key, f"cannot be used with {tls.certificate}: {said(error)}", hint=hint
        ) from None


def _no_password() -> str:
    """Nothing asks at the terminal: a key with a password is refused."""
    return ""


def _names_of(certificate: Path) -> frozenset[str]:
    """What the certificate says that this server is called.

    Raises:
        FileInputError: it says nothing.
    """
    try:
        found = x509.load_pem_x509_certificate(read_bounded(certificate, limit=FILE_LIMIT))
        names = found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (ValueError, x509.ExtensionNotFound):
        hint = "Give one with a subjectAltName."
        raise FileInputError(certificate, "names no server", hint=hint) from None
    of_names = {name.lower() for name in names.get_values_for_type(x509.DNSName)}
    addresses = names.get_values_for_type(x509.IPAddress)
    return frozenset(of_names | {f"[{one}]" if ":" in str(one) else str(one) for one in addresses})


class _Server(uvicorn.Server):
    """Uvicorn, which leaves signals to the command."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Nothing: `stopping` takes them."""
        yield

    async def on_tick(self, counter: int) -> bool:
        """Look at each connection once a second."""
        if counter % 10 == 0:
            for one in tuple(self.server_state.connections):
                if isinstance(one, Connection):
                    one.look()
        return await super().on_tick(counter)


async def serve(
    where: Listening,
    state: Path,
    sessions: Sessions,
    *,
    allow_actions: bool,
    retry: Command | None = None,
    ready: Callable[[], None] = lambda: None,
) -> None:
    """Serve until cancelled; then every page that is open is let go at once."""
    streams = Streams()
    serving = Serving(state, where.site, sessions, streams, allow_actions, Retrying(retry))
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access", "uvicorn.asgi"):
        # What it would log of requests holds what strangers sent, and the address of the first link.
        logging.getLogger(name).disabled = True
    live = Live(state)
    server = _Server(
        uvicorn.Config(
            make_app(serving, live),
            http=Connection,
            ws="none",
            loop="asyncio",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            backlog=_BACKLOG,
            timeout_graceful_shutdown=_GRACE,
            ssl_certfile=where.tls.certificate if where.tls else None,
            ssl_keyfile=where.tls.key if where.tls else None,
        )
    )
    await live.read_up()
    task = asyncio.create_task(server.serve([where.socket]))
    try:
        ready()
        await asyncio.shield(task)
    finally:
        streams.close()
        server.should_exit = True
        await task
