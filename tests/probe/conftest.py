import asyncio
import os
import socket
import ssl
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, suppress
from datetime import date
from pathlib import Path

import pytest

from arcferry.catalog import Carrier, Endpoint, Source, Steering, When
from arcferry.probe import deadlines
from arcferry.probe.https import observe, prepare
from arcferry.probe.observation import Observation
from arcferry.probe.step import ProbeSettings
from arcferry_lab.network.dns import DnsResponse, DnsServer
from arcferry_lab.pki import Authority

Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
HOST = "pas.windows.net"
HOME = ("127.0.0.1",)


def endpoint(host: str, port: int = 443) -> Endpoint:
    return Endpoint(
        host=host,
        port=port,
        purpose="a test",
        when=When.ALWAYS,
        required=True,
        private_link=False,
        steering=Steering.NONE_KNOWN,
        carrier=Carrier.ARC,
        discovered=False,
        source=Source("a test", date(2026, 1, 1)),
    )


class Net:
    """A network of our own: one DNS server, and what is started on it."""

    def __init__(self, authority: Authority, folder: Path, stack: AsyncExitStack) -> None:
        self.authority = authority
        self.names: dict[str, DnsResponse | None] = {}
        self.asked: list[str] = []
        self.resolver = ""
        self.ca_file = folder / "ca.pem"
        self.ca_file.write_bytes(authority.pem)
        self._stack = stack

    async def dns(self, answer: Callable[[str], DnsResponse | None]) -> str:
        server = DnsServer(answer)
        port = await server.start()
        self._stack.push_async_callback(server.stop)
        return f"127.0.0.1:{port}"

    def answer(self, name: str) -> DnsResponse | None:
        self.asked.append(name)
        return self.names.get(name, DnsResponse(rcode="NXDOMAIN"))

    async def listen(self, handler: Handler, context: ssl.SSLContext | None = None, at: str = HOME[0]) -> int:
        async def careful(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            try:
                with suppress(ConnectionError, asyncio.IncompleteReadError, ssl.SSLError):
                    await handler(reader, writer)
            finally:
                writer.transport.abort()

        server = await asyncio.start_server(careful, at, 0, ssl=context)
        self._stack.push_async_callback(self._stop, server)
        return int(server.sockets[0].getsockname()[1])

    async def https(self, handler: Handler, *names: str) -> int:
        return await self.listen(handler, self.authority.server_context(names or (HOST,)))

    def black_hole(self, address: str = "127.0.0.1", port: int = 0) -> int:
        """A port whose connections never complete: its backlog of 0 is filled by one of ours."""
        listening = self._stack.enter_context(socket.socket())
        listening.bind((address, port))
        listening.listen(0)
        place = listening.getsockname()
        self._stack.enter_context(socket.create_connection(place))
        return int(place[1])

    def settings(self, **given: object) -> ProbeSettings:
        return ProbeSettings(**({"resolver": self.resolver, "ca_file": self.ca_file} | given))  # type: ignore[arg-type]

    async def see(self, port: int, host: str = HOST, **given: object) -> Observation:
        self.names.setdefault(host, DnsResponse(addresses=HOME))
        return await observe(endpoint(host, port), prepare(self.settings(**given)))

    @staticmethod
    async def _stop(server: asyncio.Server) -> None:
        server.close()
        await asyncio.sleep(0)


@pytest.fixture(scope="session")
def authority() -> Authority:
    return Authority()


@pytest.fixture
async def net(authority: Authority, tmp_path: Path) -> AsyncIterator[Net]:
    async with AsyncExitStack() as stack:
        made = Net(authority, tmp_path, stack)
        made.resolver = await made.dns(made.answer)
        yield made
        for task in asyncio.all_tasks() - {asyncio.current_task()}:
            task.cancel()


@pytest.fixture
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Short deadlines, so that what never answers is known soon."""
    shorter = {"RESEND": 0.1, "DNS": 0.8, "TCP": 0.6, "CONNECT": 0.6, "TLS": 1.0, "HTTP": 0.6}
    for name, seconds in shorter.items():
        monkeypatch.setattr(deadlines, name, seconds)


def replies(*parts: bytes) -> Handler:
    """Read a request's head, then send the parts."""

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        for part in parts:
            writer.write(part)
            await writer.drain()

    return handler


def speaks(data: bytes) -> Handler:
    """Send at once, then wait for the other side to close."""

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(data)
        await writer.drain()
        await reader.read()

    return handler


async def mute(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
    while await reader.read(4096):
        pass


async def closes(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read(4096)
    writer.write_eof()
    await reader.read()


async def resets(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    sock = writer.get_extra_info("socket")
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def has_ipv6() -> bool:
    with suppress(OSError), socket.socket(socket.AF_INET6) as sock:
        sock.bind(("::1", 0))
        return os.name != "nt"
    return False
