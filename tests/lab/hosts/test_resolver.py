import asyncio
import time
from collections.abc import AsyncIterator, Callable

import dns.message
import dns.rrset
import pytest
from hypothesis import given
from hypothesis import strategies as st

from arcferry_lab.hosts.agent.failure import NetworkError
from arcferry_lab.hosts.agent.resolver import read_reply, resolve
from arcferry_lab.network.dns import DnsResponse, DnsServer

CHAIN = DnsResponse(
    ("agentserviceapi.trafficmanager.net", "jpe.japaneast.cloudapp.azure.com"), ("127.0.0.3", "127.0.0.4")
)
ANSWERS = {
    "plain.test": DnsResponse((), ("127.0.0.2",)),
    "steered.test": CHAIN,
    "half.test": DnsResponse(("plain.test",)),
    "loop.test": DnsResponse(("loop2.test",)),
    "loop2.test": DnsResponse(("loop.test",)),
    "empty.test": DnsResponse(),
    "broken.test": DnsResponse(rcode="SERVFAIL"),
    "many.test": DnsResponse((), tuple(f"127.1.{number}.1" for number in range(120))),
}
Resolve = Callable[[str], "asyncio.Future[list[str]]"]


@pytest.fixture
async def ask() -> AsyncIterator[Callable[[str], "object"]]:
    server = DnsServer(
        lambda name: None if name == "silent.test" else ANSWERS.get(name, DnsResponse(rcode="NXDOMAIN"))
    )
    port = await server.start()

    async def look_up(name: str, seconds: float = 5.0) -> list[str]:
        return await asyncio.to_thread(resolve, name, f"127.0.0.1:{port}", time.monotonic() + seconds)

    yield look_up
    await server.stop()


@pytest.mark.parametrize(
    ("name", "addresses"),
    [
        ("plain.test", ["127.0.0.2"]),
        ("Plain.TEST.", ["127.0.0.2"]),
        ("steered.test", ["127.0.0.3", "127.0.0.4"]),
        ("half.test", ["127.0.0.2"]),
        ("many.test", [f"127.1.{number}.1" for number in range(120)]),
    ],
)
async def test_addresses(ask: Callable, name: str, addresses: list[str]) -> None:
    assert sorted(await ask(name)) == sorted(addresses)


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("missing.test", "no such host"),
        ("empty.test", "no such host"),
        ("broken.test", "server misbehaving"),
        ("loop.test", "too many aliases|no such host"),
        (f"{'x' * 64}.test", "no such host"),
        ("a..test", "no such host"),
    ],
)
async def test_failures_name_the_host(ask: Callable, name: str, says: str) -> None:
    with pytest.raises(NetworkError, match=says) as caught:
        await ask(name)
    assert name in str(caught.value)


async def test_a_silent_resolver_is_left_at_the_deadline(ask: Callable) -> None:
    began = time.monotonic()
    with pytest.raises(NetworkError, match="i/o timeout"):
        await ask("silent.test", seconds=0.3)
    assert time.monotonic() - began < 1


def test_a_closed_port_is_a_network_error() -> None:
    with pytest.raises(NetworkError, match="connection refused"):
        resolve("plain.test", "127.0.0.1:1", time.monotonic() + 1)


def _wire(identity: int) -> bytes:
    query = dns.message.make_query("steered.test", "A", id=identity)
    reply = dns.message.make_response(query)
    reply.answer = [
        dns.rrset.from_text("steered.test.", 30, "IN", "CNAME", "other.test."),
        dns.rrset.from_text("other.test.", 30, "IN", "A", "127.0.0.9"),
    ]
    return reply.to_wire()


def test_a_message_of_dnspython_is_read() -> None:
    reply = read_reply(_wire(7), 7)
    assert reply.aliases == {"steered.test": "other.test"}
    assert reply.addresses == {"other.test": ["127.0.0.9"]}


def test_an_answer_to_another_question_is_refused() -> None:
    with pytest.raises(ValueError, match="not an answer"):
        read_reply(_wire(7), 8)


@given(st.binary(max_size=600))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    try:
        read_reply(b"\0\7" + data, 7)
    except ValueError:
        return


@given(st.data())
def test_a_damaged_message_is_read_or_refused(data: st.DataObject) -> None:
    wire = bytearray(_wire(7))
    place = data.draw(st.integers(2, len(wire) - 1))
    wire[place] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(wire)))
    try:
        read_reply(bytes(wire[:cut]), 7)
    except ValueError:
        return
