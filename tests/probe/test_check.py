"""A whole check: discovery beside the other endpoints, and what it costs when everything is dead."""

import asyncio
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.probe.conftest import HOME, Handler, Net, endpoint

from arcferry import catalog
from arcferry.catalog import Cloud, Region
from arcferry.errors import InputError
from arcferry.probe import deadlines
from arcferry.probe.https import CheckResult, check, his_host, observe, prepare
from arcferry.probe.observation import Observation
from arcferry_lab.network.dns import DnsResponse

SUFFIX = "his.arc.azure.com"
PLAIN = b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"


@pytest.fixture
def cloud() -> Cloud:
    return catalog.cloud("AzureCloud")


@pytest.fixture
def region(cloud: Cloud) -> Region:
    return catalog.region("eastasia", cloud)


def azure(discovery: bytes) -> Handler:
    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        asked = head.startswith(b"GET /discovery?location=eastasia&api-version=2.1 HTTP/1.1\r\n")
        writer.write(discovery if asked else PLAIN)
        await writer.drain()

    return handler


def body(data: bytes, status: str = "200 OK") -> bytes:
    return f"HTTP/1.1 {status}\r\nContent-Length: {len(data)}\r\n\r\n".encode() + data


async def run(net: Net, cloud: Cloud, region: Region, discovery: bytes, **given: object) -> CheckResult:
    hosts = [item.host for item in catalog.endpoints(cloud, region) if item.host]
    net.names = {host: DnsResponse(addresses=HOME) for host in [*hosts, "ea.his.arc.azure.com"]}
    port = await net.https(azure(discovery), *hosts, "*.his.arc.azure.com")
    return await check(cloud, region, net.settings(port=port, **given))


def regional(result: CheckResult) -> Observation:
    (found,) = [seen for seen in result.observations if seen.endpoint.discovered]
    return found


@pytest.mark.parametrize("answer", [b'"https://ea.his.arc.azure.com"', b"https://ea.his.arc.azure.com/\n"])
async def test_healthy(net: Net, cloud: Cloud, region: Region, answer: bytes) -> None:
    result = await run(net, cloud, region, body(answer))
    assert [seen.failure for seen in result.observations] == [None] * 8
    assert regional(result).endpoint.host == "ea.his.arc.azure.com"
    hosts = [seen.endpoint.host for seen in result.observations]
    assert hosts == sorted(hosts)
    assert result.failed == ()
    assert result.resolver == net.resolver
    assert result.elapsed > 0


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (body(b'"https://evil.example"'), "no URL under his.arc.azure.com"),
        (body(b'"https://ea.his.arc.azure.com.evil.example"'), "no URL under"),
        (body(b"\xff\xfe\x1b[31m"), "no URL under"),
        (body(b"x" * 1_000_000), "body of more than"),
        (body(b"{}", "500 Internal Server Error"), "answered 500 Internal Server Error"),
        (body(b"", "302 Found"), "answered 302 Found"),
        (b"nonsense\r\n\r\n", "not usable HTTP"),
    ],
    ids=["elsewhere", "suffix inside", "bytes", "huge", "500", "redirect", "no http"],
)
async def test_discovery_fails(net: Net, cloud: Cloud, region: Region, answer: bytes, says: str) -> None:
    result = await run(net, cloud, region, answer)
    seen = regional(result)
    assert seen.failure is not None
    assert seen.failure.kind == "discovery-failed"
    assert says in seen.failure.says
    assert "https://gbl.his.arc.azure.com/discovery?location=eastasia" in seen.failure.says
    assert "\x1b" not in seen.failure.says
    assert seen.endpoint.host == ""
    assert result.failed == (seen,)


async def test_without_discovery_its_failure_is_told(net: Net, cloud: Cloud, region: Region) -> None:
    result = await check(cloud, region, net.settings())
    seen = regional(result)
    assert seen.failure is not None
    assert seen.failure.kind == "discovery-failed"
    assert "gbl.his.arc.azure.com does not exist (NXDOMAIN)" in seen.failure.says
    assert len(result.failed) == 8


@pytest.mark.parametrize(
    ("answer", "host"),
    [
        ('"https://ea.his.arc.azure.com"', "ea.his.arc.azure.com"),
        ("https://EA.his.arc.azure.com:443/", "ea.his.arc.azure.com"),
        ("http://ea.his.arc.azure.com", None),
        ("https://ea.his.arc.azure.com:8443", None),
        ("https://u:p@ea.his.arc.azure.com", None),
        ("https://ea.his.arc.azure.com/path", None),
        ("https://ea.his.arc.azure.com?x", None),
        ("https://his.arc.azure.com", None),
        ("https://.his.arc.azure.com", None),
        ("https://eahis.arc.azure.com", None),
        ("https://-a.his.arc.azure.com", None),
        ("https://e a.his.arc.azure.com", None),
        ('{"url": "https://ea.his.arc.azure.com"}', None),
        ('"', None),
        ("", None),
        ("https://" + "a." * 200 + "his.arc.azure.com", None),
    ],
)
def test_his_host(answer: str, host: str | None) -> None:
    assert his_host(answer.encode(), SUFFIX) == host


@given(
    st.one_of(
        st.binary(max_size=200), st.text(max_size=60).map(lambda text: f'"https://{text}.{SUFFIX}"'.encode())
    )
)
def test_whatever_discovery_says_the_host_stays_under_the_suffix(answer: bytes) -> None:
    host = his_host(answer, SUFFIX)
    assert host is None or (
        host.endswith(f".{SUFFIX}") and set(host) <= set("abcdefghijklmnopqrstuvwxyz0123456789-.")
    )


async def test_another_clouds_region_is_refused(net: Net) -> None:
    with pytest.raises(InputError, match="belongs to"):
        await check(catalog.cloud("AzureUSGovernment"), catalog.region("eastasia"), net.settings())


def test_the_deadlines_keep_the_promise_of_ten_seconds() -> None:
    steps = (deadlines.DNS, deadlines.TCP, deadlines.CONNECT, deadlines.TLS, deadlines.HTTP)
    assert max(steps) < deadlines.PROBE
    assert deadlines.RESEND * 3 <= deadlines.DNS
    assert deadlines.STAGGER * 7 < deadlines.TCP
    assert deadlines.RUN == 2 * deadlines.PROBE
    assert deadlines.RUN <= 9.5


async def test_forty_dead_endpoints_cost_as_much_as_one(net: Net) -> None:
    port = net.black_hole()
    hosts = [f"e{turn}.example" for turn in range(40)]
    net.names = {host: DnsResponse(addresses=HOME) for host in hosts}
    began = time.monotonic()
    context = prepare(net.settings())
    observations = await asyncio.gather(*(observe(endpoint(host, port), context) for host in hosts))
    assert time.monotonic() - began < 10
    assert {seen.failure.kind for seen in observations if seen.failure} == {"timeout"}
    assert all(seen.elapsed <= deadlines.PROBE + 1 for seen in observations)
    assert [seen.endpoint.host for seen in observations] == hosts


async def test_slow_at_every_step_still_ends_in_time(net: Net, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deadlines, "PROBE", 0.5)

    async def slow(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        while True:
            writer.write(b"HTTP/1.1 103 Early Hints\r\n")
            await writer.drain()
            await asyncio.sleep(0.05)

    seen = await net.see(await net.https(slow))
    assert seen.failure is not None
    assert seen.failure.kind == "timeout"
    assert "all that was left of 0.5 s" in seen.failure.says
