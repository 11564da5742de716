import asyncio
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import suppress

import aiohttp
import pytest
from aiohttp import web

from arcferry_lab.network.block import claim, service_port
from arcferry_lab.network.gate import Gate
from arcferry_lab.pki import Authority

pytestmark = pytest.mark.lab
SHORT = 0.3  # how long what must not happen is waited for
LONG = 30  # how long what must happen may take


class Place:
    """A gate with an app behind it, and a client."""

    def __init__(self, gate: Gate, trust: ssl.SSLContext) -> None:
        self.gate = gate
        self.trust = trust

    async def get(self, seconds: float = LONG) -> str:
        timeout = aiohttp.ClientTimeout(total=seconds)
        async with (
            aiohttp.ClientSession(timeout=timeout) as session,
            session.get(f"https://{self.gate.address}:{self.gate.port}/", ssl=self.trust) as response,
        ):
            return await response.text()

    async def connect(self, seconds: float = SHORT) -> asyncio.StreamWriter:
        async with asyncio.timeout(seconds):
            _, writer = await asyncio.open_connection(self.gate.address, self.gate.port)
            return writer


async def _here(_: web.Request) -> web.Response:
    return web.Response(text="here")


@pytest.fixture
async def place() -> AsyncIterator[Place]:
    block, authority = claim(), Authority()
    app = web.Application()
    app.router.add_get("/", _here)
    address = block.address(10, 1)
    gate = Gate(address, service_port(block), app, authority.server_context([address]))
    await gate.start()
    yield Place(gate, authority.client_context())
    await gate.stop()
    block.release()


async def test_closed_at_first_it_drops_what_knocks(place: Place) -> None:
    for _ in range(3):
        with pytest.raises(TimeoutError):
            await place.connect()


async def test_open_it_serves_and_closed_again_it_drops(place: Place) -> None:
    for _ in range(3):
        await place.gate.open()
        assert await place.get() == "here"
        await place.gate.close()
        with pytest.raises(TimeoutError):
            await place.connect()


async def test_opening_and_closing_twice_is_doing_it_once(place: Place) -> None:
    await place.gate.close()
    await place.gate.open()
    await place.gate.open()
    assert await place.get() == "here"
    await place.gate.close()
    await place.gate.close()
    with pytest.raises(TimeoutError):
        await place.connect()


async def test_a_client_that_waits_gets_through_when_the_gate_opens(place: Place) -> None:
    waiting = asyncio.create_task(place.get())
    with pytest.raises(TimeoutError):
        await place.connect()
    await place.gate.open()
    assert await waiting == "here"


async def test_closing_cuts_the_connections_that_are_open(place: Place) -> None:
    await place.gate.open()
    async with aiohttp.ClientSession() as session:
        url = f"https://{place.gate.address}:{place.gate.port}/"
        async with session.get(url, ssl=place.trust) as response:
            assert await response.text() == "here"
        await place.gate.close()
        with pytest.raises((aiohttp.ClientError, TimeoutError)):
            await session.get(url, ssl=place.trust, timeout=aiohttp.ClientTimeout(total=SHORT))


async def test_closing_cuts_a_connection_before_its_handshake_is_done(place: Place) -> None:
    await place.gate.open()
    writer = await place.connect()
    ours, theirs = socket.socketpair()
    for one in (ours, theirs):
        one.setblocking(False)
    place.gate.admit(theirs)
    await place.gate.close()
    for one in (writer.get_extra_info("socket").dup(), ours):
        with suppress(ConnectionResetError):
            assert await asyncio.wait_for(asyncio.get_running_loop().sock_recv(one, 1), 10) == b""
        one.close()
    writer.close()


async def test_refusing_is_told_apart_from_dropping(place: Place) -> None:
    await place.gate.open()
    await place.gate.refuse()
    with pytest.raises(ConnectionRefusedError):
        await place.connect()
    await place.gate.close()
    with pytest.raises(TimeoutError):
        await place.connect()
    await place.gate.refuse()
    await place.gate.open()
    assert await place.get() == "here"


async def test_two_twins_never_share_a_block() -> None:
    blocks = [claim() for _ in range(5)]
    assert len({block.number for block in blocks}) == 5
    for block in blocks:
        block.release()
