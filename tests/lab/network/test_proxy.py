import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import pytest

from arcferry_lab.faults import Faults
from arcferry_lab.network.block import first_free
from arcferry_lab.network.proxy import ConnectProxy, Streams

HOST = "127.0.0.1"


class Place:
    """A server that says its input back, and the proxy before it."""

    def __init__(self, stack: AsyncExitStack) -> None:
        self.faults = Faults()
        self.asked: list[tuple[str, int]] = []
        self.port = 0
        self._stack = stack
        self._echo = 0

    async def start(self) -> None:
        server = await asyncio.start_server(self._say_back, HOST, 0)
        self._stack.callback(server.close)
        self._echo = int(server.sockets[0].getsockname()[1])
        proxy = ConnectProxy(self._reach, self.faults)
        self.port = first_free(HOST, *range(13128, 13228))
        await proxy.start(HOST, self.port)
        self._stack.push_async_callback(proxy.stop)

    async def _reach(self, host: str, port: int) -> Streams:
        self.asked.append((host, port))
        if host == "nowhere.example":
            raise OSError("no way")
        return await asyncio.open_connection(HOST, self._echo)

    @staticmethod
    async def _say_back(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(4096):
            writer.write(data)
        writer.close()

    async def ask(self, *parts: bytes) -> bytes:
        """Everything that comes back until the proxy closes."""
        reader, writer = await asyncio.open_connection(HOST, self.port)
        for part in parts:
            writer.write(part)
            await writer.drain()
        writer.write_eof()
        answer = await asyncio.wait_for(reader.read(), 5)
        writer.close()
        return answer


@pytest.fixture
async def place() -> AsyncIterator[Place]:
    async with AsyncExitStack() as stack:
        made = Place(stack)
        await made.start()
        yield made


CONNECT = b"CONNECT Login.Example:443 HTTP/1.1\r\nHost: login.example:443\r\n\r\n"


async def test_a_tunnel_carries_bytes_both_ways_and_what_came_with_the_request(place: Place) -> None:
    answer = await place.ask(CONNECT + b"early ", b"late")
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 ")
    assert body == b"early late"
    assert place.asked == [("login.example", 443)]


@pytest.mark.parametrize(
    ("request_head", "status"),
    [
        (b"GET http://a.example/ HTTP/1.1\r\nHost: a.example\r\n\r\n", b"405"),
        (b"CONNECT a.example HTTP/1.1\r\nHost: a\r\n\r\n", b"405"),
        (b"CONNECT nowhere.example:443 HTTP/1.1\r\nHost: a\r\n\r\n", b"502"),
        (b"CONNECT a.example:443 HT", b"400"),
        (b"", b"400"),
    ],
)
async def test_what_it_does_not_carry(place: Place, request_head: bytes, status: bytes) -> None:
    answer = await place.ask(request_head)
    assert answer.startswith(b"HTTP/1.1 " + status)


@pytest.mark.parametrize("garbage", [b"\x16\x03\x01\x02\x00" * 9, b"CONNECT \r\n\r\n", b"A" * 20_000])
async def test_what_is_not_http_is_a_bad_request(place: Place, garbage: bytes) -> None:
    assert (await place.ask(garbage)).startswith(b"HTTP/1.1 400")
    assert place.asked == []


@pytest.mark.parametrize(
    ("fault", "status"),
    [
        ("proxy/authentication-required", b"407"),
        ("proxy/refused", b"403"),
        ("proxy/cannot-reach", b"503"),
        ("proxy/not-a-proxy", b"405"),
    ],
)
async def test_a_fault_strikes_the_name_that_it_is_for(place: Place, fault: str, status: bytes) -> None:
    place.faults.add(fault, "*.example")
    assert (await place.ask(CONNECT)).startswith(b"HTTP/1.1 " + status)
    assert place.asked == []
    place.faults.remove(fault)
    place.faults.add(fault, "other.test")
    assert (await place.ask(CONNECT)).startswith(b"HTTP/1.1 200")
