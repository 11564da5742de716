import asyncio
from collections.abc import Awaitable, Callable

import pytest
from tests.probe.conftest import HOST, Handler, Net, mute, replies, speaks

from arcferry.probe.observation import Stage
from arcferry_lab.network.dns import DnsResponse

OK = b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n"


def connects(port: int, seen: list[bytes]) -> Handler:
    """A CONNECT proxy that sends everything to one local port."""

    async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(4096):
                writer.write(data)
                await writer.drain()
        except ConnectionError:
            pass
        writer.close()

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.append(await reader.readuntil(b"\r\n\r\n"))
        there, back = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        await asyncio.gather(pump(reader, back), pump(there, writer))

    return handler


async def test_through_a_proxy_the_name_is_not_looked_up(net: Net) -> None:
    requests: list[bytes] = []
    proxy = await net.listen(connects(await net.https(replies(OK)), requests))
    seen = await net.see(443, proxy=f"http://127.0.0.1:{proxy}")

    assert seen.reachable
    assert seen.dns is None
    assert not seen.address
    assert seen.proxy == f"http://127.0.0.1:{proxy}"
    assert seen.tls is not None
    assert seen.tls.version == "TLS 1.3"
    assert requests[0].startswith(f"CONNECT {HOST}:443 HTTP/1.1\r\n".encode())
    assert net.asked == []


async def test_the_proxys_own_name_is_looked_up(net: Net) -> None:
    proxy = await net.listen(connects(await net.https(replies(OK)), []))
    net.names["proxy.example"] = DnsResponse(addresses=("127.0.0.1",))
    seen = await net.see(443, proxy=f"http://proxy.example:{proxy}")
    assert seen.reachable
    assert set(net.asked) == {"proxy.example"}


async def test_an_untrusted_certificate_behind_a_proxy_is_still_one(net: Net) -> None:
    proxy = await net.listen(connects(await net.https(replies(OK), "other.example"), []))
    seen = await net.see(443, proxy=f"http://127.0.0.1:{proxy}")
    assert seen.failure is not None
    assert seen.failure.kind == "name-mismatch"


def answering(head: bytes) -> Callable[[Net], Awaitable[int]]:
    async def arrange(net: Net) -> int:
        return await net.listen(replies(head))

    return arrange


def behaving(handler: Handler) -> Callable[[Net], Awaitable[int]]:
    async def arrange(net: Net) -> int:
        return await net.listen(handler)

    return arrange


async def dead(net: Net) -> int:
    return net.black_hole()


@pytest.mark.parametrize(
    ("arrange", "kind", "says"),
    [
        (answering(b"HTTP/1.1 407 Proxy Auth\r\n\r\n"), "proxy-authentication-required", "407 Proxy Auth"),
        (answering(b"HTTP/1.1 403 Not on\x1b[31m list\r\n\r\n"), "proxy-refused", "403 Not on"),
        (answering(b"HTTP/1.1 503 Down\r\n\r\n"), "proxy-cannot-reach", "503 Down"),
        (answering(b"HTTP/1.1 502 Bad\r\n\r\n"), "proxy-cannot-reach", "does not reach"),
        (answering(b"HTTP/1.1 405 No\r\n\r\n"), "proxy-not-http", "a web server, not a proxy"),
        (answering(b""), "reset", "closed the connection"),
        (behaving(speaks(b"SSH-2.0-OpenSSH\r\n")), "proxy-not-http", "SSH-2.0-OpenSSH"),
        (behaving(mute), "timeout", f"to connect to {HOST}:443"),
        (dead, "proxy-unreachable", "did not answer"),
    ],
    ids=["407", "403", "503", "502", "405", "closes", "not a proxy", "mute", "dead"],
)
async def test_proxy_failures(
    net: Net, arrange: Callable[[Net], Awaitable[int]], kind: str, says: str, hurried: None
) -> None:
    proxy = f"http://127.0.0.1:{await arrange(net)}"
    seen = await net.see(443, proxy=proxy)
    assert seen.failure is not None
    assert (seen.failure.stage, seen.failure.kind) == (Stage.PROXY, kind), seen.failure.says
    assert says in seen.failure.says
    assert "\x1b" not in seen.failure.says
    assert seen.dns is None


async def test_a_proxy_without_an_address_is_unreachable(net: Net) -> None:
    seen = await net.see(443, proxy="http://proxy.example:8080")
    assert seen.failure is not None
    assert (seen.failure.stage, seen.failure.kind) == (Stage.PROXY, "proxy-name-not-found")
    assert "proxy.example does not exist" in seen.failure.says
