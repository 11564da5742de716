"""The company's HTTP proxy: CONNECT alone, to what the lab's other path reaches.

Our own, because no packaged proxy can be asked to misbehave by name, and the lab needs none of what they do
beyond CONNECT. h11 reads the request.
"""

import asyncio
import socket
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from http import HTTPStatus

import h11

from arcferry_lab.errors import LabError
from arcferry_lab.faults import Faults

PROXY_NAME = "proxy.contoso.example"
_CHUNK = 64 * 1024
_LARGEST_HEAD = 16 * 1024
_HEAD_SECONDS = 30
_ANSWERS: Mapping[str, int] = {
    "proxy/authentication-required": 407,
    "proxy/refused": 403,
    "proxy/cannot-reach": 503,
    "proxy/not-a-proxy": 405,
}

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]
Reach = Callable[[str, int], Awaitable[Streams]]


class ConnectProxy:
    """One proxy.

    `reach` opens a connection to a name and port as the proxy's own network would; an OSError of it is the
    proxy's 502.
    """

    def __init__(self, reach: Reach, faults: Faults) -> None:
        self._reach = reach
        self._faults = faults
        self._server: asyncio.Server | None = None
        self._open: set[asyncio.StreamWriter] = set()

    @property
    def is_serving(self) -> bool:
        """Whether it takes connections."""
        return self._server is not None

    async def serve(self, listener: socket.socket) -> None:
        """Take connections at a socket, which goes with the proxy."""
        self._server = await asyncio.start_server(self._serve, sock=listener)

    async def start(self, address: str, port: int) -> None:
        """Listen.

        Raises:
            LabError: the address or port cannot be had.
        """
        if self._server is not None:
            return
        try:
            self._server = await asyncio.start_server(self._serve, address, port)
        except OSError as error:
            raise LabError(f"the proxy cannot listen on {address}:{port}: {error.strerror}") from error

    async def stop(self) -> None:
        """Stop listening, and cut every connection."""
        if self._server is not None:
            self._server.close()
            self._server = None
        for writer in list(self._open):
            writer.transport.abort()
        await asyncio.sleep(0)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open.add(writer)
        try:
            with suppress(OSError, TimeoutError):
                await self._answer(reader, writer)
        finally:
            self._open.discard(writer)
            writer.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        async with asyncio.timeout(_HEAD_SECONDS):
            request, rest = await _head(reader)
        place = _place(request) if request else None
        if place is None:
            return await _say(writer, 405 if request else 400)
        if status := next((code for name, code in _ANSWERS.items() if self._faults.take(name, place[0])), 0):
            return await _say(writer, status)
        try:
            there, back = await self._reach(*place)
        except OSError:
            return await _say(writer, 502)
        await _say(writer, 200)
        back.write(rest)
        try:
            await asyncio.gather(_pump(reader, back), _pump(there, writer))
        finally:
            back.transport.abort()
        return None


async def _head(reader: asyncio.StreamReader) -> tuple[h11.Request | None, bytes]:
    """The request, None where what came is none; and what came behind it."""
    protocol = h11.Connection(h11.SERVER, max_incomplete_event_size=_LARGEST_HEAD)
    try:
        while (event := protocol.next_event()) is h11.NEED_DATA:
            protocol.receive_data(await reader.read(_CHUNK))
    except h11.RemoteProtocolError:
        return None, b""
    return event if isinstance(event, h11.Request) else None, protocol.trailing_data[0]


def _place(request: h11.Request) -> tuple[str, int] | None:
    """The name and port that a CONNECT asks for."""
    host, _, port = request.target.decode("ascii").rpartition(":")
    return (
        (host.strip("[]").lower(), int(port)) if request.method == b"CONNECT" and port.isdecimal() else None
    )


async def _say(writer: asyncio.StreamWriter, status: int) -> None:
    reason = "Connection established" if status == HTTPStatus.OK else HTTPStatus(status).phrase
    headers = "" if status == HTTPStatus.OK else "Content-Length: 0\r\n"
    if status == HTTPStatus.PROXY_AUTHENTICATION_REQUIRED:
        headers += 'Proxy-Authenticate: Basic realm="Contoso"\r\n'
    writer.write(f"HTTP/1.1 {status} {reason}\r\n{headers}\r\n".encode())
    await writer.drain()


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while data := await reader.read(_CHUNK):
            writer.write(data)
            await writer.drain()
        if writer.can_write_eof():
            writer.write_eof()
