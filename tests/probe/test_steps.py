"""What each step's failure looks like, one case each, over real sockets."""

import asyncio
import socket
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from tests.probe.conftest import HOME, HOST, Handler, Net, closes, has_ipv6, mute, replies, resets, speaks

from arcferry.probe.observation import Observation, Stage
from arcferry_lab.network.dns import DnsResponse
from arcferry_lab.pki import Authority

OK = b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"


def closed_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


@dataclass(frozen=True)
class Case:
    """A way to be broken, and what must be said about it."""

    name: str
    arrange: Callable[[Net], Awaitable[int]]
    stage: Stage
    kind: str
    says: str


def with_dns(answer: DnsResponse | None) -> Callable[[Net], Awaitable[int]]:
    async def arrange(net: Net) -> int:
        net.names[HOST] = answer
        return 443

    return arrange


def with_tcp(handler: Handler) -> Callable[[Net], Awaitable[int]]:
    async def arrange(net: Net) -> int:
        return await net.listen(handler)

    return arrange


def with_tls(handler: Handler, *names: str) -> Callable[[Net], Awaitable[int]]:
    async def arrange(net: Net) -> int:
        return await net.https(handler, *names)

    return arrange


def after_hello(data: bytes) -> Handler:
    """Read the client's greeting, then send this and wait."""

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(4096)
        writer.write(data)
        await writer.drain()
        await reader.read()

    return handler


async def nothing_listens(_: Net) -> int:
    return closed_port()


async def filtered(net: Net) -> int:
    return net.black_hole()


async def foreign_ca(net: Net) -> int:
    return await net.listen(mute, Authority("Contoso Inspection CA").server_context([HOST]))


async def expired(net: Net) -> int:
    end = datetime.now(UTC) - timedelta(days=3)
    return await net.listen(mute, net.authority.server_context([HOST], not_after=end))


async def early(net: Net) -> int:
    begin = datetime.now(UTC) + timedelta(days=3)
    return await net.listen(mute, net.authority.server_context([HOST], not_before=begin))


async def without_its_issuer(net: Net) -> int:
    return await net.listen(mute, Authority("Issuing CA 2", above=net.authority).server_context([HOST]))


async def inspected(net: Net) -> int:
    inspection = Authority("Contoso Inspection CA")
    return await net.listen(mute, inspection.server_context([HOST], send=inspection.pem))


async def deaf_dns(net: Net) -> int:
    net.resolver = f"127.0.0.1:{closed_port()}"
    return 443


async def endless_chain(net: Net) -> int:
    net.names[HOST] = DnsResponse(chain=(f"b.{HOST}", HOST))
    return 443


CASES = [
    Case(
        "nxdomain", with_dns(DnsResponse(rcode="NXDOMAIN")), Stage.DNS, "nxdomain", f"{HOST} does not exist"
    ),
    Case("servfail", with_dns(DnsResponse(rcode="SERVFAIL")), Stage.DNS, "servfail", "SERVFAIL"),
    Case("dns refuses", with_dns(DnsResponse(rcode="REFUSED")), Stage.DNS, "servfail", "REFUSED"),
    Case("no address", with_dns(DnsResponse()), Stage.DNS, "no-addresses", f"knows {HOST} but no address"),
    Case("silent dns", with_dns(None), Stage.DNS, "timeout", "did not answer a query"),
    Case("endless chain", endless_chain, Stage.DNS, "servfail", "no usable DNS message"),
    Case("no dns there", deaf_dns, Stage.DNS, "refused", "could not be asked"),
    Case("tcp refused", nothing_listens, Stage.TCP, "refused", "127.0.0.1"),
    Case("tcp timeout", filtered, Stage.TCP, "timeout", "did not answer within"),
    Case("reset", with_tcp(resets), Stage.TLS, "tls-cut", "reset by peer in the TLS handshake"),
    Case("mute", with_tcp(mute), Stage.TLS, "tls-timeout", "in the TLS handshake"),
    Case(
        "not tls", with_tcp(speaks(b"220 mail ESMTP\r\n")), Stage.TLS, "handshake-failed", "'220 mail ESMTP'"
    ),
    Case("closes", with_tcp(closes), Stage.TLS, "tls-cut", "closed the connection during the TLS"),
    Case("foreign ca", foreign_ca, Stage.TLS, "certificate-untrusted", "CN=Contoso Inspection CA"),
    Case("expired", expired, Stage.TLS, "certificate-expired", "has expired by this machine's clock"),
    Case("early", early, Stage.TLS, "certificate-not-yet-valid", "is not valid yet by this machine's clock"),
    Case("half a chain", without_its_issuer, Stage.TLS, "incomplete-chain", "CN=Issuing CA 2, which issued"),
    Case("inspected", inspected, Stage.TLS, "certificate-untrusted", "its root is unknown here"),
    Case(
        "old tls",
        with_tcp(after_hello(b"\x15\x03\x02\x00\x02\x02\x46")),
        Stage.TLS,
        "tls-protocol-version",
        "protocol version",
    ),
    Case(
        "odd ciphers",
        with_tcp(after_hello(b"\x15\x03\x03\x00\x02\x02\x28")),
        Stage.TLS,
        "tls-cipher-mismatch",
        "handshake failure",
    ),
    Case(
        "another alert",
        with_tcp(after_hello(b"\x15\x03\x03\x00\x02\x02\x70")),
        Stage.TLS,
        "handshake-failed",
        "unrecognized name",
    ),
    Case(
        "stops within tls",
        with_tcp(after_hello(b"\x16\x03\x03\x40\x00")),
        Stage.TLS,
        "timeout",
        "in the TLS handshake",
    ),
    Case(
        "wrong name",
        with_tls(mute, "portal.example"),
        Stage.TLS,
        "name-mismatch",
        "for portal.example, not for",
    ),
    Case("mute in tls", with_tls(mute), Stage.HTTP, "timeout", "to GET / from 127.0.0.1"),
    Case("ends in tls", with_tls(replies(b"")), Stage.HTTP, "reset", "without an HTTP answer"),
    Case("not http", with_tls(replies(b"SSH-2.0-x\x1b[31m\r\n\r\n")), Stage.HTTP, "not-http", "'SSH-2.0-x'"),
    Case("half a head", with_tls(replies(b"HTTP/1.1 200 OK\r\nX: ")), Stage.HTTP, "not-http", "HTTP/1.1 200"),
    Case("interim", with_tls(replies(b"HTTP/1.1 103 \r\n\r\n" * 50)), Stage.HTTP, "not-http", "interim"),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
async def test_failure(net: Net, case: Case, hurried: None) -> None:
    seen = await net.see(await case.arrange(net))

    assert seen.failure is not None
    assert (seen.failure.stage, seen.failure.kind) == (case.stage, case.kind), seen.failure.says
    assert case.says in seen.failure.says
    assert "\x1b" not in seen.failure.says
    assert not seen.reachable
    assert seen.http is None
    assert seen.clock_skew is None
    assert_only_what_came_before(seen)


def assert_only_what_came_before(seen: Observation) -> None:
    reached = list(Stage).index(seen.failure.stage) if seen.failure else len(Stage)
    assert seen.dns is not None
    assert bool(seen.address) == (reached > list(Stage).index(Stage.DNS))
    assert seen.tls is None or reached >= list(Stage).index(Stage.TLS)


async def test_healthy(net: Net) -> None:
    net.names[HOST] = DnsResponse(("pas.trafficmanager.net", "pas.example.cloudapp.net"), HOME)
    seen = await net.see(await net.https(replies(OK), HOST, "*.example.net"))

    assert seen.failure is None
    assert seen.reachable
    assert seen.dns is not None
    assert seen.dns.chain == ("pas.trafficmanager.net", "pas.example.cloudapp.net")
    assert seen.dns.resolver == net.resolver
    assert seen.address == "127.0.0.1"
    assert seen.http is not None
    assert seen.http.status == 404
    assert seen.tls is not None
    assert seen.tls.version == "TLS 1.3"
    assert seen.tls.cipher.startswith("TLS_")
    assert seen.tls.issuer == "CN=arcferry twin CA"
    assert seen.tls.subject == f"CN={HOST}"
    assert seen.tls.names == (HOST, "*.example.net")
    assert seen.tls.not_after > datetime.now(UTC)
    assert not seen.tls.public_root
    assert 0 < seen.elapsed < 2


@pytest.mark.parametrize("status", [200, 301, 400, 401, 403, 404, 503])
async def test_any_status_is_an_answer(net: Net, status: int) -> None:
    answer = f"HTTP/1.1 {status} Words\r\nContent-Length: 0\r\n\r\n".encode()
    seen = await net.see(await net.https(replies(answer)))
    assert seen.reachable
    assert seen.http is not None
    assert seen.http.status == status


@pytest.mark.parametrize("arrange", [foreign_ca, expired], ids=["untrusted", "expired"])
async def test_a_refused_certificate_is_evidence(
    net: Net, arrange: Callable[[Net], Awaitable[int]], hurried: None
) -> None:
    seen = await net.see(await arrange(net))
    assert seen.tls is not None
    assert seen.tls.subject == f"CN={HOST}"
    assert not seen.tls.public_root


async def test_nothing_is_sent_to_a_server_that_is_not_trusted(net: Net) -> None:
    received: list[bytes] = []
    ended = asyncio.Event()

    async def handler(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        try:
            received.append(await reader.read())
        except ConnectionError:
            received.append(b"")
        ended.set()

    port = await net.listen(handler, Authority("elsewhere").server_context([HOST]))
    seen = await net.see(port)
    await asyncio.wait_for(ended.wait(), 5)
    assert seen.failure is not None
    assert received == [b""]


async def test_without_the_ca_file_the_same_server_is_untrusted(net: Net) -> None:
    seen = await net.see(await net.https(replies(OK)), ca_file=None)
    assert seen.failure is not None
    assert seen.failure.kind == "certificate-untrusted"


@pytest.mark.parametrize("ahead", [-3600, 0, 301])
async def test_clock_skew(net: Net, ahead: int) -> None:
    date = format_datetime(datetime.now(UTC) - timedelta(seconds=ahead), usegmt=True)
    answer = f"HTTP/1.1 200 OK\r\nDate: {date}\r\nContent-Length: 0\r\n\r\n".encode()
    seen = await net.see(await net.https(replies(answer)))
    assert seen.clock_skew == pytest.approx(ahead, abs=3)


@pytest.mark.parametrize(
    "date", ["", "yesterday", "Mon, 99 Foo 2026 99:99:99 GMT", "Mon, 01 Jan 99999 00:00:00 GMT"]
)
async def test_a_date_that_is_none_is_no_skew(net: Net, date: str) -> None:
    answer = f"HTTP/1.1 200 OK\r\nDate: {date}\r\nContent-Length: 0\r\n\r\n".encode()
    seen = await net.see(await net.https(replies(answer)))
    assert seen.reachable
    assert seen.clock_skew is None


async def test_a_flood_of_headers_is_cut_off(net: Net) -> None:
    sent = 0
    ended = asyncio.Event()

    async def flood(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\n")
        try:
            while sent < 100_000_000:
                writer.write(b"X-Filler: " + b"a" * 990 + b"\r\n")
                await writer.drain()
                sent += 1000
        finally:
            ended.set()

    seen = await net.see(await net.https(flood))
    await asyncio.wait_for(ended.wait(), 10)
    assert seen.failure is not None
    assert seen.failure.kind == "not-http"
    assert sent < 20_000_000


async def test_a_dead_first_address_costs_little(net: Net) -> None:
    port = await net.https(replies(OK))
    net.black_hole("127.0.0.2", port)
    net.names[HOST] = DnsResponse(addresses=("127.0.0.2", "127.0.0.1"))
    seen = await net.see(port)
    assert seen.reachable
    assert seen.address == "127.0.0.1"
    assert seen.elapsed < 2


async def test_a_silent_address_tells_more_than_one_that_refuses(net: Net, hurried: None) -> None:
    port = net.black_hole("127.0.0.2")
    net.names[HOST] = DnsResponse(addresses=("127.0.0.2", "127.0.0.3"))
    seen = await net.see(port)
    assert seen.failure is not None
    assert seen.failure.kind == "timeout"
    assert seen.address == "127.0.0.2"
    assert f"127.0.0.3:{port} refused the connection" in seen.failure.says


@pytest.mark.skipif(not has_ipv6(), reason="this machine has no IPv6 loopback")
async def test_ipv6_is_used_where_there_is_nothing_else(net: Net) -> None:
    net.names[HOST] = DnsResponse(addresses=("::1",))
    port = await net.listen(replies(OK), net.authority.server_context([HOST]), at="::1")
    seen = await net.see(port)
    assert seen.reachable
    assert seen.address == "::1"


async def test_ipv4_comes_first(net: Net) -> None:
    net.names[HOST] = DnsResponse(addresses=("::1", "127.0.0.1"))
    seen = await net.see(await net.https(replies(OK)))
    assert seen.dns is not None
    assert seen.dns.addresses == ("127.0.0.1", "::1")
    assert seen.address == "127.0.0.1"
