"""A small authoritative DNS server: one function from name to answer, served over UDP and TCP."""

import asyncio
import errno
import socket
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from ipaddress import ip_address
from typing import cast

import dns.exception
import dns.flags
import dns.message
import dns.rcode
import dns.rdata
import dns.rdataclass
import dns.rdatatype
import dns.rrset

from arcferry_lab.errors import LabError

_TTL = 30
_CLASSIC_UDP_SIZE = 512
_TRIES = 20  # a port that is free for UDP need not be for TCP


@dataclass(frozen=True, slots=True)
class DnsResponse:
    """What a name resolves to.

    Attributes:
        chain: CNAME targets in order; the first is the asked name's own.
        addresses: of the chain's last name, IPv4 and IPv6 mixed.
        rcode: such as `NXDOMAIN`, `SERVFAIL` or `REFUSED`.
    """

    chain: tuple[str, ...] = ()
    addresses: tuple[str, ...] = ()
    rcode: str = "NOERROR"


class DnsServer:
    """Answers A, AAAA and CNAME questions from `answer`; other types get the chain and no data.

    `answer` is called with the lower-case name without its last dot. Where it returns None the server
    stays silent, as a resolver does that nobody can reach.
    """

    def __init__(self, answer: Callable[[str], DnsResponse | None]) -> None:
        self._answer = answer
        self._udp: asyncio.DatagramTransport | None = None
        self._tcp: asyncio.Server | None = None
        self._streams: set[asyncio.StreamWriter] = set()

    async def start(self, address: str = "127.0.0.1", port: int = 0) -> int:
        """Listen on UDP and TCP at one port, a free one where `port` is 0, and return it.

        Raises:
            LabError: the address or the port cannot be had.
        """
        for _ in range(_TRIES if port == 0 else 1):
            try:
                return await self._listen(address, port)
            except OSError as error:
                await self.stop()
                if port or error.errno != errno.EADDRINUSE:
                    raise LabError(f"DNS cannot listen on {address}:{port}: {error.strerror}") from error
        raise LabError(f"no port on {address} is free for both UDP and TCP")

    async def serve(self, udp: socket.socket, tcp: socket.socket) -> None:
        """Answer on sockets that are bound already, the second of them listening."""
        loop = asyncio.get_running_loop()
        self._udp, _ = await loop.create_datagram_endpoint(lambda: _Datagrams(self), sock=udp)
        self._tcp = await asyncio.start_server(self._serve_stream, sock=tcp)

    async def stop(self) -> None:
        """Close both sockets; a question under way gets no answer."""
        if self._udp:
            self._udp.close()
            self._udp = None
        if self._tcp:
            self._tcp.close()
            self._tcp = None
        for writer in self._streams:
            writer.close()
        await asyncio.sleep(0)

    def respond(self, wire: bytes, *, udp: bool) -> bytes | None:
        """The reply to one message; None for what deserves none (no DNS at all, or silence asked for)."""
        try:
            query = dns.message.from_wire(wire)
        except dns.exception.DNSException:
            return None
        if query.flags & dns.flags.QR or len(query.question) != 1:
            return None
        question = query.question[0]
        answer = self._answer(question.name.to_text(omit_final_dot=True).lower())
        if answer is None:
            return None
        response = dns.message.make_response(query, recursion_available=True)
        response.set_rcode(dns.rcode.from_text(answer.rcode))
        response.answer.extend(_records(question.name.to_text(), question.rdtype, answer))
        return _pack(response, query.payload if udp else None)

    async def _listen(self, address: str, port: int) -> int:
        loop = asyncio.get_running_loop()
        self._udp, _ = await loop.create_datagram_endpoint(lambda: _Datagrams(self), (address, port))
        bound = int(self._udp.get_extra_info("sockname")[1])
        self._tcp = await asyncio.start_server(self._serve_stream, address, bound)
        return bound

    async def _serve_stream(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._streams.add(writer)
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                length = int.from_bytes(await reader.readexactly(2))
                reply = self.respond(await reader.readexactly(length), udp=False)
                if reply is not None:
                    writer.write(len(reply).to_bytes(2) + reply)
                    await writer.drain()
        self._streams.discard(writer)
        writer.close()


class _Datagrams(asyncio.DatagramProtocol):
    def __init__(self, server: DnsServer) -> None:
        self._server = server

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        reply = self._server.respond(data, udp=True)
        if reply is not None:
            self._transport.sendto(reply, addr)


def _records(owner: str, asked: dns.rdatatype.RdataType, answer: DnsResponse) -> list[dns.rrset.RRset]:
    records = []
    chain = answer.chain[:1] if asked == dns.rdatatype.CNAME else answer.chain
    for target in chain:
        records.append(_rrset(owner, dns.rdatatype.CNAME, [f"{target}."]))
        owner = f"{target}."
    versions = {dns.rdatatype.A: 4, dns.rdatatype.AAAA: 6}
    addresses = [text for text in answer.addresses if ip_address(text).version == versions.get(asked)]
    if addresses:
        records.append(_rrset(owner, asked, addresses))
    return records


def _rrset(owner: str, kind: dns.rdatatype.RdataType, texts: list[str]) -> dns.rrset.RRset:
    return dns.rrset.from_text_list(owner, _TTL, dns.rdataclass.IN, kind, texts)


def _pack(response: dns.message.Message, udp_size: int | None) -> bytes:
    if udp_size is None:
        return response.to_wire(max_size=65535)
    try:
        return response.to_wire(max_size=max(udp_size, _CLASSIC_UDP_SIZE))
    except dns.exception.TooBig:
        response.answer.clear()
        response.flags |= dns.flags.TC
        return response.to_wire()
