"""Whoever connects and keeps it waiting, without a token, keeps nobody else out."""

import asyncio
import ssl
from contextlib import AsyncExitStack, suppress
from urllib.parse import urlsplit

import pytest
from tests.serve.conftest import Served

from arcferry.serve import connections
from arcferry_lab.pki import Authority

SLOW = "POST /sign-in HTTP/1.1\r\nHost: {host}\r\nSec-Fetch-Site: same-origin\r\nContent-Length: 9\r\n\r\nto"


async def opened(served: Served, sends: str, stack: AsyncExitStack) -> asyncio.StreamReader:
    where = urlsplit(served.url)
    reader, writer = await asyncio.open_connection(where.hostname, where.port)
    stack.callback(writer.close)
    writer.write(sends.format(host=where.netloc).encode())
    await writer.drain()
    return reader


async def gone(reader: asyncio.StreamReader) -> bool:
    async with asyncio.timeout(30):
        try:
            return await reader.read() == b""
        except ConnectionError:
            return True


@pytest.mark.parametrize("sends", ["", "GET / HT", SLOW])
async def test_who_sends_no_whole_request_is_cut(
    served: Served, monkeypatch: pytest.MonkeyPatch, sends: str
) -> None:
    monkeypatch.setattr(connections, "PATIENCE", 0.1)
    async with AsyncExitStack() as stack:
        assert await gone(await opened(served, sends, stack))


async def test_who_only_waits_gives_way(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "MOST", 3)
    async with AsyncExitStack() as stack:
        readers = [await opened(served, "", stack) for _ in range(6)]
        assert (await served.get("/"))[0] == 200
        assert await gone(readers[0])


async def test_a_form_that_breaks_off_is_no_fault(served: Served, caplog: pytest.LogCaptureFixture) -> None:
    async with AsyncExitStack() as stack:
        await opened(served, SLOW, stack)
    assert (await served.get("/"))[0] == 200
    assert not caplog.records


@pytest.mark.parametrize("sends", ["", "\x16\x03", "GET / HTTP/1.1\r\n\r\n"])
async def test_who_begins_no_tls_is_cut_as_soon(
    secured: Served, monkeypatch: pytest.MonkeyPatch, sends: str
) -> None:
    monkeypatch.setattr(connections, "PATIENCE", 0.1)
    async with AsyncExitStack() as stack:
        assert await gone(await opened(secured, sends, stack))


async def test_who_begins_no_tls_gives_way(
    secured: Served, authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "MOST", 3)
    context = ssl.create_default_context(cadata=authority.pem.decode())
    async with AsyncExitStack() as stack:
        readers = [await opened(secured, "", stack) for _ in range(6)]
        async with secured.http.get(f"{secured.url}/sign-in", ssl=context) as answer:
            assert answer.status == 200
        assert await gone(readers[0])


async def test_a_request_may_come_with_the_last_of_the_handshake(
    secured: Served, authority: Authority
) -> None:
    where = urlsplit(secured.url)
    came, goes = ssl.MemoryBIO(), ssl.MemoryBIO()
    context = ssl.create_default_context(cadata=authority.pem.decode())
    client = context.wrap_bio(came, goes, server_hostname=where.hostname)
    reader, writer = await asyncio.open_connection(where.hostname, where.port)
    async with asyncio.timeout(30):
        with pytest.raises(ssl.SSLWantReadError):
            client.do_handshake()
        writer.write(goes.read())
        is_agreed = False
        while not is_agreed:
            came.write(await reader.read(65536))
            with suppress(ssl.SSLWantReadError):
                client.do_handshake()
                is_agreed = True
        client.write(f"GET /sign-in HTTP/1.1\r\nHost: {where.netloc}\r\n\r\n".encode())
        writer.write(goes.read())  # its last and the request at once
        told = b""
        while b"</html>" not in told:
            came.write(await reader.read(65536))
            with suppress(ssl.SSLWantReadError):
                while True:
                    told += client.read(65536)
    writer.close()
    assert told.startswith(b"HTTP/1.1 200 ")
