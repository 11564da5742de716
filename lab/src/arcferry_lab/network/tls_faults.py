"""What answers at a TLS port in the service's place, while a fault has it so."""

import asyncio
import socket
import struct
from collections.abc import Mapping
from contextlib import suppress
from typing import cast

from OpenSSL import SSL

from arcferry_lab.faults import Faults

# SO_LINGER on, for 0 seconds: closing such a socket sends RST and not FIN (socket(7))
_RESET_ON_CLOSE = struct.pack("ii", 1, 0)
_ALERT = 1024
_PAGE = (
    b"HTTP/1.1 400 Bad Request\r\nServer: twin\r\nContent-Type: text/html\r\nContent-Length: 0\r\n"
    b"Connection: close\r\n\r\n"
)


class FaultyServer(asyncio.Protocol):
    """Takes the connection and stays silent; the base of those that do worse."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the connection, to answer on it."""
        self._transport = cast("asyncio.Transport", transport)

    def cut(self) -> None:
        """End the connection now."""
        self._transport.abort()


class Cutter(FaultyServer):
    """Resets the connection when the first bytes come."""

    def data_received(self, _: bytes) -> None:
        """Send RST: what a close does to a socket that must not linger."""
        sock = self._transport.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
        self._transport.abort()


class WebServer(FaultyServer):
    """Answers in plain HTTP, whatever comes."""

    def data_received(self, _: bytes) -> None:
        """Send an error page."""
        self._transport.write(_PAGE)
        self._transport.close()


class OldServer(FaultyServer):
    """Knows TLS 1.1 and older alone, and says so in an alert, as OpenSSL itself does."""

    def data_received(self, data: bytes) -> None:
        """Answer the client's greeting with a refusal."""
        context = SSL.Context(SSL.TLS_SERVER_METHOD)
        context.set_max_proto_version(SSL.TLS1_1_VERSION)
        self._refuse(context, data)

    def _refuse(self, context: SSL.Context, hello: bytes) -> None:
        connection = SSL.Connection(context, None)
        connection.set_accept_state()
        connection.bio_write(hello)
        with suppress(SSL.Error):
            connection.do_handshake()
        with suppress(SSL.WantReadError):
            self._transport.write(connection.bio_read(_ALERT))
        self._transport.close()


class OddServer(OldServer):
    """Knows TLS 1.2 and cipher suites that no client offers."""

    def data_received(self, data: bytes) -> None:
        """Answer the client's greeting with a refusal."""
        context = SSL.Context(SSL.TLS_SERVER_METHOD)
        context.set_max_proto_version(SSL.TLS1_2_VERSION)
        context.set_cipher_list(b"PSK-AES128-CBC-SHA256")
        self._refuse(context, data)


_FAULTY_SERVERS: Mapping[str, type[FaultyServer]] = {
    "tls/connection-cut": Cutter,
    "tls/no-answer": FaultyServer,
    "tls/handshake-failed": WebServer,
    "tls/protocol-version": OldServer,
    "tls/cipher-mismatch": OddServer,
}


def faulty_server_at(faults: Faults, names: tuple[str, ...]) -> type[FaultyServer] | None:
    """What a switched-on fault lets answer at a place of these names; None for the service itself."""
    return next((kind for fault, kind in _FAULTY_SERVERS.items() if faults.holds(fault, *names)), None)
