"""TCP: the first address that answers, and the stream over it."""

import asyncio
import socket
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from ipaddress import ip_address, ip_network
from typing import Self

from arcferry.probe import deadlines
from arcferry.probe.observation import Failure, Stage
from arcferry.probe.step import StepError, join_port, kind_of, race

_MOST_TRIED = 8
_OUTCOMES = {
    "refused": "refused the connection",
    "reset": "reset the connection",
    "timeout": "did not answer",
}
_TELLING = ("timeout", "unreachable", "reset", "refused")


@dataclass(frozen=True, slots=True)
class Connected:
    """An open TCP connection and the address that answered. The receiver closes the socket."""

    sock: socket.socket
    address: str


class NoConnectionError(StepError):
    """No address answered.

    Attributes:
        address: the one whose outcome is the failure's kind. Where they differ, one that stays silent tells
            more than one that refuses, and IPv4 more than IPv6: answers come in any order.
    """

    def __init__(self, address: str, failure: Failure) -> None:
        super().__init__(failure)
        self.address = address


async def connect(addresses: Sequence[str], port: int, seconds: float) -> Connected:
    """Connect to the first address that answers, tried in their order with a short head start each.

    Raises:
        NoConnectionError: none answered.
    """
    tried = addresses[:_MOST_TRIED]
    errors: dict[int, OSError] = {}
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            connected = await race(
                [partial(_open, address, port) for address in tried],
                delay=deadlines.STAGGER,
                expected=OSError,
                errors=errors,
                discard=lambda late: late.sock.close(),
            )
            if connected:
                return connected
    raise _no_connection(tried, port, errors, seconds)


def _no_connection(
    tried: Sequence[str], port: int, errors: dict[int, OSError], seconds: float
) -> NoConnectionError:
    kinds = {
        address: kind_of(errors[index]) if index in errors else "timeout"
        for index, address in enumerate(tried)
    }
    address = min(kinds, key=lambda address: (":" in address, _TELLING.index(kinds[address])))
    failure = Failure(Stage.TCP, kinds[address], _says(tried, port, errors, seconds))
    return NoConnectionError(address, failure)


async def _open(address: str, port: int) -> Connected:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        sock.setblocking(False)
        await asyncio.get_running_loop().sock_connect(sock, (address, port))
    except BaseException:
        sock.close()
        raise
    return Connected(sock, address)


def _says(tried: Sequence[str], port: int, errors: dict[int, OSError], seconds: float) -> str:
    """Each outcome with the addresses that had it, such as `10.1.2.3:443 did not answer within 3.5 s`."""
    outcomes: dict[str, list[str]] = {}
    for index, address in enumerate(tried):
        error = errors.get(index)
        outcome = f"did not answer within {seconds:.3g} s"
        if error is not None:
            outcome = _OUTCOMES.get(kind_of(error), f"cannot be reached ({error.strerror or error})")
        outcomes.setdefault(outcome, []).append(join_port(address, port))
    return "; ".join(f"{', '.join(places)} {outcome}" for outcome, places in outcomes.items())


_CHUNK = 16 * 1024
_INFO_LENGTH = 232
_OUT_OF_ORDER = slice(224, 228)
"""`tcpi_rcv_ooopack` of struct tcp_info in linux/tcp.h, there since Linux 5.4."""


class Stream:
    """An open TCP connection's two directions. Whoever has it closes it."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    @classmethod
    async def over(cls, sock: socket.socket) -> Self:
        """Take over a connected socket."""
        return cls(*await asyncio.open_connection(sock=sock, limit=_CHUNK))

    @property
    def has_gap(self) -> bool:
        """Whether later bytes arrived and earlier ones did not, as where large packets are lost.

        Linux alone tells; elsewhere this is False.
        """
        sock = self._writer.get_extra_info("socket")
        if sys.platform != "linux" or sock is None:
            return False
        with suppress(OSError):
            info = sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _INFO_LENGTH)
            return int.from_bytes(info[_OUT_OF_ORDER], sys.byteorder) > 0
        return False

    def write(self, data: bytes) -> None:
        """Queue bytes without waiting."""
        self._writer.write(data)

    async def send(self, data: bytes) -> None:
        """Send, waiting while the peer does not read."""
        self._writer.write(data)
        await self._writer.drain()

    async def receive(self) -> bytes:
        """The next bytes, at most 16 KiB; empty where the peer closed."""
        return await self._reader.read(_CHUNK)

    async def close(self) -> None:
        """Close now; what the peer has not taken is dropped."""
        self._writer.transport.abort()
        with suppress(OSError):
            await self._writer.wait_closed()


_PRIVATE = tuple(map(ip_network, ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7")))


def is_private(address: str) -> bool:
    """Whether an address is for private networks (RFC 1918, RFC 4193), as a private endpoint's is.

    Narrower than `ipaddress`' own `is_private`, which also counts loopback and documentation ranges.
    """
    value = ip_address(address)
    return any(value in network for network in _PRIVATE)
