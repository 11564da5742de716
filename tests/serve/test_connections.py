"""Whoever connects and keeps it waiting, without a token, keeps nobody else out."""

import asyncio
from contextlib import AsyncExitStack
from urllib.parse import urlsplit

import pytest
from tests.serve.conftest import Served

from arcferry.serve import connections

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
