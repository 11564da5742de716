"""A DNS client for A records. The C library's cannot ask a resolver at another port than 53."""

import secrets
import socket
import struct
import time
from dataclasses import dataclass

from .failure import NetworkError

_A, _CNAME, _IN = 1, 5, 1
_NXDOMAIN = 3
_MAX_CHAIN = 10
_MAX_NAME = 255
_MAX_LABEL = 63
_HEADER = 12
_POINTER = 0xC0
_IPV4 = 4
_TRY_SECONDS = 2.0


@dataclass(frozen=True)
class DnsReply:
    """What one message says: aliases by owner, addresses by owner, and whether it was cut."""

    rcode: int
    cut: bool
    aliases: dict[str, str]
    addresses: dict[str, list[str]]


def resolve(name: str, resolver: str, deadline: float) -> list[str]:
    """The IPv4 addresses of `name`, aliases followed.

    Args:
        name: a host name.
        resolver: `ADDRESS:PORT`.
        deadline: a moment on the monotonic clock.

    Raises:
        NetworkError: no such host, no answer in time, or an answer that makes no sense.
    """
    address, _, port = resolver.rpartition(":")
    server = (address.strip("[]"), int(port))
    owner = name.lower().rstrip(".")
    for _ in range(_MAX_CHAIN):
        reply = _ask(owner, server, deadline)
        if reply.rcode == _NXDOMAIN:
            raise NetworkError(f"lookup {name} on {resolver}: no such host")
        if reply.rcode:
            raise NetworkError(f"lookup {name} on {resolver}: server misbehaving")
        last = _follow(owner, reply.aliases)
        if last in reply.addresses:
            return reply.addresses[last]
        if last == owner:
            raise NetworkError(f"lookup {name} on {resolver}: no such host")
        owner = last
    raise NetworkError(f"lookup {name} on {resolver}: too many aliases")


def _follow(owner: str, aliases: dict[str, str]) -> str:
    for _ in range(_MAX_CHAIN):
        if owner not in aliases:
            break
        owner = aliases[owner]
    return owner


def _ask(name: str, server: tuple[str, int], deadline: float) -> DnsReply:
    identity = secrets.randbelow(1 << 16)
    query = struct.pack(">HHHHHH", identity, 0x0100, 1, 0, 0, 0) + _encode(name)
    query += struct.pack(">HH", _A, _IN)
    where = f"lookup {name} on {server[0]}:{server[1]}"
    try:
        reply = read_reply(_by_udp(query, server, deadline), identity)
        return read_reply(_by_tcp(query, server, deadline), identity) if reply.cut else reply
    except TimeoutError as error:
        raise NetworkError(f"{where}: i/o timeout") from error
    except OSError as error:
        raise NetworkError(f"{where}: {(error.strerror or 'connection failed').lower()}") from error
    except ValueError as error:
        raise NetworkError(f"{where}: cannot unmarshal DNS message: {error}") from error


def _by_udp(query: bytes, server: tuple[str, int], deadline: float) -> bytes:
    family = socket.AF_INET6 if ":" in server[0] else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as channel:
        channel.connect(server)
        while True:
            channel.settimeout(min(_TRY_SECONDS, _left(deadline)))
            channel.send(query)
            try:
                data = channel.recv(4096)
            except TimeoutError:
                continue
            if data[:2] == query[:2]:
                return data


def _by_tcp(query: bytes, server: tuple[str, int], deadline: float) -> bytes:
    with socket.create_connection(server, timeout=_left(deadline)) as channel:
        channel.sendall(struct.pack(">H", len(query)) + query)
        channel.settimeout(_left(deadline))
        with channel.makefile("rb") as stream:
            length = int.from_bytes(stream.read(2), "big")
            return stream.read(length)


def _left(deadline: float) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left


def _encode(name: str) -> bytes:
    try:
        labels = [label.encode("idna") for label in name.split(".")]
    except UnicodeError:
        labels = []
    if not labels or any(not 0 < len(label) <= _MAX_LABEL for label in labels):
        raise NetworkError(f"lookup {name}: no such host")
    return b"".join(bytes([len(label)]) + label for label in labels) + b"\0"


def read_reply(data: bytes, identity: int) -> DnsReply:
    """Read one DNS message.

    Raises:
        ValueError: the message is cut short, loops, or is not the answer to `identity`.
    """
    try:
        return _read(data, identity)
    except (struct.error, IndexError) as error:
        raise ValueError("message is cut short") from error


def _read(data: bytes, identity: int) -> DnsReply:
    number, flags, questions, answers = struct.unpack_from(">HHHH", data)
    if number != identity or not flags & 0x8000:
        raise ValueError("not an answer to this question")
    at = _HEADER
    for _ in range(questions):
        _, at = _name(data, at)
        at += 4
    aliases: dict[str, str] = {}
    addresses: dict[str, list[str]] = {}
    for _ in range(answers):
        owner, at = _name(data, at)
        kind, _, _, length = struct.unpack_from(">HHIH", data, at)
        at += 10
        if kind == _CNAME:
            aliases[owner] = _name(data, at)[0]
        elif kind == _A and length == _IPV4:
            addresses.setdefault(owner, []).append(".".join(str(part) for part in _take(data, at, _IPV4)))
        at += length
    return DnsReply(flags & 0xF, bool(flags & 0x0200), aliases, addresses)


def _take(data: bytes, at: int, length: int) -> bytes:
    part = data[at : at + length]
    if len(part) != length:
        raise ValueError("message is cut short")
    return part


def _name(data: bytes, at: int) -> tuple[str, int]:
    labels: list[str] = []
    end = 0
    for _ in range(_MAX_NAME):
        length = data[at]
        if length & _POINTER == _POINTER:
            end = end or at + 2
            at = struct.unpack_from(">H", data, at)[0] & 0x3FFF
            continue
        at += 1
        if not length:
            return ".".join(labels), end or at
        labels.append(_take(data, at, length).decode("ascii", errors="replace").lower())
        at += length
    raise ValueError("a name loops")
