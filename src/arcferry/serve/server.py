"""The server itself: where it listens, under which names, and how it ends."""

import asyncio
import contextlib
import errno
import ipaddress
import logging
import re
import socket
import ssl
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import uvicorn
from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from arcferry.command_line import line, word
from arcferry.errors import FileInputError, InputError
from arcferry.files import FILE_LIMIT, owner_only, read_bounded
from arcferry.serve.app import Serving, make_app
from arcferry.serve.connections import Connection, speaking
from arcferry.serve.guard import Site
from arcferry.serve.live_runs import LiveRuns
from arcferry.serve.retrying import Command
from arcferry.serve.sessions import Sessions
from arcferry.serve.stream import Streams
from arcferry.text import quoted, said

LOOPBACK = "127.0.0.1"
_OF_LOOPBACK = frozenset(("localhost", "127.0.0.1", "[::1]"))
_WITH_PORT = re.compile(r"(?:\[(?P<inner>.*)\]|(?P<plain>[0-9.]+))(?::(?P<port>[0-9]+))?")
_BOTH = "Give the certificate, with those above it, and its key without a password, both as PEM."
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
    tls: ssl.SSLContext | None

    @property
    def url(self) -> str:
        """The address to open."""
        bound = _as_host(str(self.socket.getsockname()[0]))
        name = min(self.site.names, key=lambda one: (one != bound, one.startswith("*"), one))
        return f"{self.site.scheme}://{name}:{self.site.port}/"


@contextlib.contextmanager
def listening(address: str, port: int, tls: Tls | None) -> Iterator[Listening]:
    """A socket to serve on; port 0 is a free one.

    Raises:
        InputError: others could listen in, the port is taken, or the address is not this machine's.
        FileInputError: the certificate or its key cannot be used.
    """
    where = _address(address)
    if not where.is_loopback and tls is None:
        raise InputError(
            f"on {address} others could listen in, and act as you",
            hint="Give --tls-cert and --tls-key; or leave --listen out, and reach it through SSH: "
            f"ssh -L {port}:{LOOPBACK}:{port} this-server",
        )
    names = _OF_LOOPBACK | {_as_host(str(where))} if where.is_loopback else frozenset()
    context = None
    if tls is not None:
        context = _context(tls)
        names |= _names_of(tls.certificate)
    family = socket.AF_INET6 if where.version == 6 else socket.AF_INET  # noqa: PLR2004  # the version's name
    with socket.socket(family, socket.SOCK_STREAM) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        _bind(listener, str(where), port)
        yield Listening(listener, Site(names, listener.getsockname()[1], secure=tls is not None), context)


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    """The address to listen on, an IPv6 one in brackets too.

    Raises:
        InputError: it is none.
    """
    parts = _WITH_PORT.fullmatch(text)
    bare = parts["inner"] or parts["plain"] if parts else text
    try:
        where = ipaddress.ip_address(bare)
    except ValueError:
        hint = f"Give one of this machine's, such as {LOOPBACK} or ::1."
        raise InputError(f"--listen {quoted(text)} is no address", hint=hint) from None
    if parts and parts["port"]:
        raise InputError(
            f"--listen {text} holds a port too", hint=f"Give --listen {where} --listen-port {parts['port']}."
        )
    return where


def _as_host(address: str) -> str:
    """An address as it stands in a URL."""
    return f"[{address}]" if ":" in address else address


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


def _context(tls: Tls) -> ssl.SSLContext:
    """What TLS is spoken with.

    Raises:
        FileInputError: a file cannot be used, others can read the key, or it is another certificate's.
    """
    owner_only(tls.key, "a private key")
    certificate, key = _certificate_of(tls.certificate), _key_of(tls.key)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    try:
        if certificate.public_key() != key.public_key():
            hint = (
                "Give the key with which this certificate was asked for; "
                "of several in a file it is the first's."
            )
            raise FileInputError(
                tls.key, f"is not the key of the certificate in {tls.certificate}", hint=hint
            )
        context.load_cert_chain(tls.certificate, tls.key, _no_password)
    except (ssl.SSLError, ValueError, UnsupportedAlgorithm) as error:
        problem = f"cannot be used with {tls.certificate}: {said(error)}"
        raise FileInputError(tls.key, problem, hint=_BOTH) from None
    return context


def _no_password() -> str:
    """Nothing asks at the terminal: a key with a password is refused."""
    return ""


def _certificate_of(path: Path) -> x509.Certificate:
    try:
        return x509.load_pem_x509_certificate(read_bounded(path, limit=FILE_LIMIT))
    except ValueError:
        raise FileInputError(path, "holds no certificate in PEM", hint=_BOTH) from None


def _key_of(path: Path) -> PrivateKeyTypes:
    try:
        return load_pem_private_key(read_bounded(path, limit=FILE_LIMIT), None)
    except TypeError:
        command = line("openssl pkey -in {key} -out FILE", key=word(str(path), "KEY"))
        hint = f"{command} writes it without one: keep that file as closed as this one."
        raise FileInputError(
            path, "is locked with a password, for which nobody is asked", hint=hint
        ) from None
    except (ValueError, UnsupportedAlgorithm):
        raise FileInputError(path, "holds no private key in PEM", hint=_BOTH) from None


def _names_of(certificate: Path) -> frozenset[str]:
    """What the certificate says that this server is called.

    Raises:
        FileInputError: it says nothing.
    """
    try:
        names = (
            _certificate_of(certificate).extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        )
    except (ValueError, x509.ExtensionNotFound):
        hint = "Give one with a subjectAltName."
        raise FileInputError(certificate, "names no server", hint=hint) from None
    of_names = {name.lower() for name in names.get_values_for_type(x509.DNSName)}
    addresses = names.get_values_for_type(x509.IPAddress)
    return frozenset(of_names | {_as_host(str(one)) for one in addresses})


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
    serving = Serving(state, where.site, sessions, streams, allow_actions, retry)
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access", "uvicorn.asgi"):
        # What it would log of requests holds what strangers sent, and the address of the first link.
        logging.getLogger(name).disabled = True
    live = LiveRuns(state)
    server = _Server(
        uvicorn.Config(
            make_app(serving, live),
            http=speaking(where.tls),
            ws="none",
            loop="asyncio",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            backlog=_BACKLOG,
            timeout_graceful_shutdown=_GRACE,
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
