"""A later part of an answer that arrives without the earlier one, forged in a network of its own."""

import asyncio
import socket
import struct

import pytest
from tests.matrix.closed import ClosedNetwork

from arcferry.probe.tcp import Stream

_REPAIR, _REPAIR_QUEUE, _QUEUE_SEQ, _SEND_QUEUE = 19, 20, 21, 2


def next_sequence(sock: socket.socket) -> int:
    """The number of the next byte that this end will send; Linux tells while a socket is being repaired."""
    sock.setsockopt(socket.IPPROTO_TCP, _REPAIR, 1)
    sock.setsockopt(socket.IPPROTO_TCP, _REPAIR_QUEUE, _SEND_QUEUE)
    number = sock.getsockopt(socket.IPPROTO_TCP, _QUEUE_SEQ)
    sock.setsockopt(socket.IPPROTO_TCP, _REPAIR, 0)
    return number & 0xFFFFFFFF


def checksum(data: bytes) -> int:
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    total = (total & 0xFFFF) + (total >> 16)
    return ~(total + (total >> 16)) & 0xFFFF


def segment(source: int, target: int, sequence: int, acknowledged: int, data: bytes) -> bytes:
    home = socket.inet_aton("127.0.0.1")
    head = struct.pack("!HHIIBBHHH", source, target, sequence, acknowledged, 5 << 4, 0x18, 512, 0, 0)
    pseudo = home + home + struct.pack("!BBH", 0, socket.IPPROTO_TCP, len(head) + len(data))
    return head[:16] + struct.pack("!H", checksum(pseudo + head + data)) + head[18:] + data


async def gaps() -> tuple[bool, bool]:
    """Whether a gap is seen before, and after a segment came that belongs a thousand bytes later."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        client = socket.create_connection(listening.getsockname())
        server, _ = listening.accept()
    stream = await Stream.over(client)
    with server, socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_TCP) as raw:
        before = stream.has_gap
        source, target = server.getsockname()[1], server.getpeername()[1]
        later = (next_sequence(server) + 1000) & 0xFFFFFFFF
        raw.sendto(segment(source, target, later, next_sequence(client), b"late"), ("127.0.0.1", 0))
        for _ in range(100):
            if stream.has_gap:
                break
            await asyncio.sleep(0.01)
        after = stream.has_gap
    await stream.close()
    return before, after


def test_a_later_part_without_the_earlier_one_is_a_gap() -> None:
    with ClosedNetwork() as closed:
        if not closed.isolated:
            pytest.skip("forging a packet takes Linux and root")
        assert closed.run(gaps()) == (False, True)
