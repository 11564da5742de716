"""TCP: the first address that answers, the stream over it, a tunnel through a proxy, the other IP version."""

import asyncio
import socket
import sys
from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from ipaddress import ip_address, ip_network
from typing import Self

from arcferry.probe import deadlines
from arcferry.probe.dns import Resolvers, resolve
from arcferry.probe.http import ask_to_connect
from arcferry.probe.observation import Failure, HttpAnswer, OtherFamily, Stage
from arcferry.probe.step import (
    Budget,
    Proxy,
    StepError,
    failed,
    is_address,
    join_port,
    kind_of,
    race,
    time_limit,
)

_MOST_TRIED = 8
_OUTCOMES = {
    "refused": "refused the connection",
    "reset": "reset the connection",
    "timeout": "did not answer",
}
_TELLING = ("timeout", "unreachable", "reset", "refused")
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
        if sys.platform == "linux" and sock is not None:
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


class NoConnectionError(StepError):
    """No address answered.

    Attributes:
        address: the one whose outcome is the failure's kind. Where they differ, one that stays silent tells
            more than one that refuses, and IPv4 more than IPv6: answers come in any order.
    """

    def __init__(self, address: str, failure: Failure) -> None:
        super().__init__(failure)
        self.address = address


async def connect(addresses: Sequence[str], port: int, seconds: float) -> tuple[Stream, str]:
    """Connect to the first address that answers, and tell which; each in turn has a short head start.

    Raises:
        NoConnectionError: none answered.
    """
    tried = addresses[:_MOST_TRIED]
    errors: dict[int, OSError] = {}
    first = None
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            first = await race(
                [partial(_open, address, port) for address in tried],
                delay=deadlines.STAGGER,
                expected=OSError,
                errors=errors,
                discard=lambda late: late[0].close(),
            )
    if first is None:
        raise _no_connection(tried, port, errors, seconds)
    sock, address = first
    return await Stream.over(sock), address


def _no_connection(
    tried: Sequence[str], port: int, errors: dict[int, OSError], seconds: float
) -> NoConnectionError:
    """Says each outcome with its addresses, such as `10.1.2.3:443 did not answer within 3.5 s`."""
    kinds: dict[str, str] = {}
    outcomes: dict[str, list[str]] = {}
    for index, address in enumerate(tried):
        kinds[address], outcome = "timeout", f"did not answer within {seconds:.3g} s"
        if error := errors.get(index):
            kinds[address] = kind_of(error)
            outcome = _OUTCOMES.get(kinds[address], f"cannot be reached ({error.strerror or error})")
        outcomes.setdefault(outcome, []).append(join_port(address, port))
    says = "; ".join(f"{', '.join(places)} {outcome}" for outcome, places in outcomes.items())
    telling = min(kinds, key=lambda address: (":" in address, _TELLING.index(kinds[address])))
    return NoConnectionError(telling, Failure(Stage.TCP, kinds[telling], says))


async def _open(address: str, port: int) -> tuple[socket.socket, str]:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        sock.setblocking(False)
        await asyncio.get_running_loop().sock_connect(sock, (address, port))
    except BaseException:
        sock.close()
        raise
    return sock, address


_PRIVATE = tuple(map(ip_network, ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7")))


def is_private(address: str) -> bool:
    """Whether an address is for private networks (RFC 1918, RFC 4193), as a private endpoint's is.

    Narrower than `ipaddress`' own `is_private`, which also counts loopback and documentation ranges.
    """
    value = ip_address(address)
    return any(value in network for network in _PRIVATE)


_OK = range(200, 300)
_AUTHENTICATION_REQUIRED = 407
_NO_WAY = (502, 503, 504)
_NO_CONNECT = (405, 501)
_NO_NAME = ("nxdomain", "no-addresses")


async def open_tunnel(proxy: Proxy, host: str, port: int, resolvers: Resolvers, budget: Budget) -> Stream:
    """A stream to `host:port` through the proxy, which also resolves the name.

    Raises:
        StepError: the proxy cannot be reached, wants credentials, or does not let this through.
    """
    stream = await _dial(proxy, resolvers, budget)
    try:
        place = join_port(host, port)
        doing = f"waiting for {proxy} to connect to {place}"
        async with time_limit(Stage.PROXY, budget.step(deadlines.CONNECT), doing):
            answer = await ask_to_connect(place, stream.send, stream.receive)
        _judge(proxy, place, answer)
    except StepError as error:
        await stream.close()
        if error.failure.kind != "not-http":
            raise
        says = f"what answers at {proxy} is no HTTP proxy: {error.failure.says}"
        raise failed(Stage.PROXY, "proxy-not-http", says) from error
    except BaseException:
        await stream.close()
        raise
    return stream


async def _dial(proxy: Proxy, resolvers: Resolvers, budget: Budget) -> Stream:
    try:
        addresses = await _addresses(proxy, resolvers, budget)
        stream, _ = await connect(addresses, proxy.port, budget.step(deadlines.TCP))
    except StepError as error:
        nameless = error.failure.stage is Stage.DNS and error.failure.kind in _NO_NAME
        kind = "proxy-name-not-found" if nameless else "proxy-unreachable"
        says = f"the proxy {proxy} cannot be reached: {error.failure.says}"
        raise failed(Stage.PROXY, kind, says) from error
    return stream


async def _addresses(proxy: Proxy, resolvers: Resolvers, budget: Budget) -> tuple[str, ...]:
    if is_address(proxy.host):
        return (str(ip_address(proxy.host)),)
    lookup = await resolve(proxy.host, resolvers, budget.step(deadlines.DNS))
    if lookup.failure:
        raise StepError(lookup.failure)
    return lookup.answer.addresses


def _judge(proxy: Proxy, place: str, answer: HttpAnswer) -> None:
    if answer.status in _OK:
        return
    words = f"{answer.status} {answer.reason}".strip()
    if answer.status == _AUTHENTICATION_REQUIRED:
        says = f"the proxy {proxy} wants credentials for {place} ({words}); the agent does not support that"
        raise failed(Stage.PROXY, "proxy-authentication-required", says)
    if answer.status in _NO_CONNECT:
        says = f"what answers at {proxy} is a web server, not a proxy: {words} to CONNECT {place}"
        raise failed(Stage.PROXY, "proxy-not-http", says)
    if answer.status in _NO_WAY:
        says = f"the proxy {proxy} is reached, and does not reach {place} itself: {words}"
        raise failed(Stage.PROXY, "proxy-cannot-reach", says)
    raise failed(Stage.PROXY, "proxy-refused", f"the proxy {proxy} does not connect to {place}: {words}")


async def other_family(
    used: str, addresses: Sequence[str], port: int, seconds: float, system_name: str = ""
) -> OtherFamily | None:
    """Try the first address of the IP version that `used` is not of; None if the name has none.

    Args:
        used: the address that is used.
        addresses: all that the name answered with.
        port: what to connect to.
        seconds: how long the system and the address get.
        system_name: the name, if the system's own order is to be told; empty where other resolvers are asked.
    """
    version = ip_address(used).version
    other = next((one for one in addresses if ip_address(one).version != version), "")
    if not other:
        return None
    first = asyncio.ensure_future(_first(system_name, port, seconds))
    failure = None
    try:
        stream, _ = await connect([other], port, seconds)
        await stream.close()
    except NoConnectionError as error:
        failure = error.failure
    found = await first
    return OtherFamily(other, failure, None if found is None else found != version)


async def _first(name: str, port: int, seconds: float) -> int | None:
    """The IP version that the system puts first for a name; None where it does not tell.

    By getaddrinfo, which sorts by RFC 6724 and by what the administrator has set: gai.conf on Linux, prefix
    policies and DisabledComponents on Windows.
    """
    if not name:
        return None
    try:
        async with asyncio.timeout(seconds):
            looked_up = asyncio.get_running_loop().getaddrinfo(name, port, type=socket.SOCK_STREAM)
            family, *_ = (await looked_up)[0]
    except (OSError, TimeoutError, IndexError):
        return None
    return 6 if family == socket.AF_INET6 else 4
