from collections.abc import AsyncIterator

import dns.asyncquery
import dns.exception
import dns.flags
import dns.message
import dns.rcode
import pytest

from arcferry_lab.errors import LabError
from arcferry_lab.network.dns import DnsResponse, DnsServer

ZONE = {
    "agentserviceapi.guestconfiguration.azure.com": DnsResponse(
        chain=("agentserviceapi.trafficmanager.net", "jpe-gas-cses-1b.japaneast.cloudapp.azure.com"),
        addresses=("127.9.12.1", "::1"),
    ),
    "plain.example": DnsResponse(addresses=("127.9.10.1", "127.9.10.2")),
    "many.example": DnsResponse(addresses=tuple(f"127.9.0.{n}" for n in range(1, 200))),
    "broken.example": DnsResponse(rcode="SERVFAIL"),
    "silent.example": None,
}


def answer(name: str) -> DnsResponse | None:
    return ZONE.get(name, DnsResponse(rcode="NXDOMAIN"))


async def ask(port: int, name: str, kind: str = "A", *, tcp: bool = False) -> dns.message.Message:
    query = dns.message.make_query(name, kind)
    send = dns.asyncquery.tcp if tcp else dns.asyncquery.udp
    return await send(query, "127.0.0.1", port=port, timeout=2)


@pytest.fixture
async def port() -> AsyncIterator[int]:
    server = DnsServer(answer)
    yield await server.start()
    await server.stop()


@pytest.mark.parametrize("tcp", [False, True])
async def test_a_chain_comes_whole_and_in_order(port: int, tcp: bool) -> None:
    reply = await ask(port, "AgentServiceApi.guestconfiguration.azure.com", tcp=tcp)
    assert [rrset.to_text() for rrset in reply.answer] == [
        "AgentServiceApi.guestconfiguration.azure.com. 30 IN CNAME agentserviceapi.trafficmanager.net.",
        "agentserviceapi.trafficmanager.net. 30 IN CNAME jpe-gas-cses-1b.japaneast.cloudapp.azure.com.",
        "jpe-gas-cses-1b.japaneast.cloudapp.azure.com. 30 IN A 127.9.12.1",
    ]


async def test_the_type_decides_what_follows_the_chain(port: int) -> None:
    name = "agentserviceapi.guestconfiguration.azure.com"
    assert (await ask(port, name, "AAAA")).answer[-1].to_text().endswith("AAAA ::1")
    assert len((await ask(port, name, "CNAME")).answer) == 1
    assert len((await ask(port, name, "TXT")).answer) == 2
    assert len((await ask(port, "plain.example", "A")).answer[0]) == 2


@pytest.mark.parametrize(("name", "rcode"), [("no.example", "NXDOMAIN"), ("broken.example", "SERVFAIL")])
async def test_failures_keep_their_code(port: int, name: str, rcode: str) -> None:
    reply = await ask(port, name)
    assert dns.rcode.to_text(reply.rcode()) == rcode
    assert not reply.answer


async def test_an_answer_too_long_for_udp_is_truncated_and_whole_over_tcp(port: int) -> None:
    assert (await ask(port, "many.example")).flags & dns.flags.TC
    assert len((await ask(port, "many.example", tcp=True)).answer[0]) == 199


async def test_silence_is_silence() -> None:
    assert (
        DnsServer(answer).respond(dns.message.make_query("silent.example", "A").to_wire(), udp=True) is None
    )


@pytest.mark.parametrize("wire", [b"", b"\x00", b"\xff" * 600, dns.message.Message(id=7).to_wire()])
async def test_what_is_no_question_gets_no_answer(wire: bytes) -> None:
    assert DnsServer(answer).respond(wire, udp=True) is None


async def test_a_taken_port_is_named(port: int) -> None:
    with pytest.raises(LabError, match=str(port)):
        await DnsServer(answer).start(port=port)


async def test_a_stopped_server_answers_no_more() -> None:
    server = DnsServer(answer)
    port = await server.start()
    assert (await ask(port, "plain.example")).answer
    await server.stop()
    with pytest.raises((OSError, dns.exception.Timeout)):
        await ask(port, "plain.example", tcp=True)
