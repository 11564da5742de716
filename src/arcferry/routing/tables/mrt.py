"""MRT dumps (RFC 6396 and 8050): tables and updates, as BIRD, FRR, OpenBGPD and collectors write them."""

import ipaddress
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache

from arcferry.errors import FileInputError
from arcferry.routing.route import Route, Vantage
from arcferry.routing.tables.reading import Reading
from arcferry.routing.tables.source import RouteFile
from arcferry.routing.tables.values import from_number

NAME = "mrt"
RECORD_LIMIT = 1 << 22
"""Longest record in bytes; a prefix with a thousand peers has some 200,000."""

_HEADER = struct.Struct(">IHHI")
_TABLE_DUMP, _TABLE_DUMP_V2, _BGP4MP, _BGP4MP_ET = 12, 13, 16, 17
_TYPES = {
    11: range(12),  # OSPFv2
    _TABLE_DUMP: (1, 2),
    _TABLE_DUMP_V2: range(1, 13),
    _BGP4MP: range(12),
    _BGP4MP_ET: range(12),
}
_PEERS = 1
_RIBS = {2: (4, False), 4: (6, False), 8: (4, True), 10: (6, True)}
_MESSAGES = {1: (2, False), 4: (4, False), 6: (2, False), 7: (4, False), 8: (2, True), 9: (4, True)}
_OWN_MESSAGES = (6, 7, 10, 11)
_EXTENDED = 0x10
_AS_PATH, _NEXT_HOP, _COMMUNITIES, _MP_REACH, _MP_UNREACH, _AS4_PATH = 2, 3, 8, 14, 15, 17
_UPDATE = 2
_AFI = {1: 4, 2: 6}
_UNICAST = (1, 3)
_WIDTH = {4: 4, 6: 16}
_AS_TRANS = 23456


class _CutError(Exception):
    """A record whose lengths do not fit."""


@dataclass(frozen=True, slots=True)
class _Attributes:
    communities: tuple[str, ...] = ()
    next_hop: str = ""
    as_path: tuple[int, ...] = ()
    reached: bytes = b""
    unreached: bytes = b""


def looks_right(head: bytes) -> bool:
    """Whether the first record's head is one of MRT's: a known type, and a time and a length that can be."""
    if len(head) < _HEADER.size:
        return False
    stamp, kind, subtype, length = _HEADER.unpack_from(head)
    possible = kind in _TYPES and subtype in _TYPES[kind]
    return possible and 0 < length <= RECORD_LIMIT and 500_000_000 < stamp < 4_200_000_000  # noqa: PLR2004 - 1985 to 2103


def read(reading: Reading, source: RouteFile) -> Iterator[Route]:
    """The routes of a dump. Of updates, what stands after the last one.

    Raises:
        FileInputError: a record is damaged.
    """
    updates = _Updates(reading)
    views: set[bytes] = set()
    place = 0
    while head := source.read(_HEADER.size):
        stamp, kind, subtype, length = _HEADER.unpack(head) if len(head) == _HEADER.size else (0, 0, 0, 0)
        if len(head) == _HEADER.size and length > RECORD_LIMIT:
            raise FileInputError(
                reading.name, f"a record of {length:,} bytes at byte {place:,}, which MRT has not"
            )
        body = source.read(length)
        if len(head) < _HEADER.size or len(body) < length:
            reading.cut = f"it ends within the record at byte {place:,}"
            break
        if (kind, subtype) == (_TABLE_DUMP_V2, _PEERS):
            if body in views:
                # A router that dumps every hour appends to its file: only the last dump is how things are.
                views.clear()
                reading.restart()
                reading.taken = None
            views.add(body)
        reading.taken = reading.taken or datetime.fromtimestamp(stamp, UTC)
        try:
            yield from _record(kind, subtype, body, updates)
        except (_CutError, struct.error, IndexError, ValueError) as error:
            raise FileInputError(reading.name, f"a damaged record at byte {place:,}") from error
        place += _HEADER.size + length
    yield from updates.standing()


def _record(kind: int, subtype: int, body: bytes, updates: "_Updates") -> Iterator[Route]:
    if kind == _TABLE_DUMP_V2 and subtype in _RIBS:
        version, add_path = _RIBS[subtype]
        return _rib(body, version, add_path=add_path)
    if kind == _TABLE_DUMP and subtype in _AFI:
        return _old_rib(body, _AFI[subtype])
    if kind in (_BGP4MP, _BGP4MP_ET) and subtype in _MESSAGES:
        width, add_path = _MESSAGES[subtype]
        if subtype not in _OWN_MESSAGES:
            updates.take(body[4:] if kind == _BGP4MP_ET else body, width, add_path=add_path)
    return iter(())


def _part(data: bytes, start: int, size: int) -> bytes:
    part = data[start : start + size]
    if len(part) < size:
        raise _CutError
    return part


@lru_cache(maxsize=65536)
def _address(packed: bytes) -> str:
    return str(ipaddress.ip_address(packed)) if len(packed) in (4, 16) else ""


def _prefix(data: bytes, place: int, version: int) -> tuple[str, int]:
    """The prefix at a place, and where it ends."""
    length = data[place]
    if length > 8 * _WIDTH[version]:
        raise _CutError
    size = (length + 7) // 8
    packed = bytearray(_part(data, place + 1, size))
    if length % 8:
        packed[-1] &= 0xFF << (8 - length % 8) & 0xFF
    whole = bytes(packed).ljust(_WIDTH[version], b"\0")
    if version == 4:  # noqa: PLR2004 - the IP version
        return f"{whole[0]}.{whole[1]}.{whole[2]}.{whole[3]}/{length}", place + 1 + size
    return f"{_address(whole)}/{length}", place + 1 + size


def _rib(body: bytes, version: int, *, add_path: bool) -> Iterator[Route]:
    prefix, place = _prefix(body, 4, version)
    (count,) = struct.unpack_from(">H", body, place)
    place += 2
    for _ in range(count):
        place += 10 if add_path else 6
        (size,) = struct.unpack_from(">H", body, place)
        attributes = _attributes(_part(body, place + 2, size), 4, short_reach=True)
        place += 2 + size
        yield Route(prefix, attributes.communities, attributes.next_hop, attributes.as_path)


def _old_rib(body: bytes, version: int) -> Iterator[Route]:
    width = _WIDTH[version]
    packed, length = _part(body, 4, width), body[4 + width]
    if length > 8 * width:
        raise _CutError
    network = ipaddress.ip_network((packed, length), strict=False)
    place = 4 + width + 1 + 1 + 4 + width + 2
    (size,) = struct.unpack_from(">H", body, place)
    attributes = _attributes(_part(body, place + 2, size), 2, short_reach=True)
    yield Route(str(network), attributes.communities, attributes.next_hop, attributes.as_path)


@lru_cache(maxsize=65536)
def _attributes(data: bytes, as_width: int, *, short_reach: bool) -> _Attributes:
    """What a block of path attributes says.

    Args:
        data: the block.
        as_width: bytes of an AS number in its AS_PATH.
        short_reach: whether MP_REACH_NLRI holds the next hop alone, as in TABLE_DUMP_V2 (RFC 6396, 4.3.4).
    """
    communities: tuple[str, ...] = ()
    next_hop, path, wide = "", (), ()  # type: tuple[str, tuple[int, ...], tuple[int, ...]]
    reached = unreached = b""
    place = 0
    while place < len(data):
        flags, kind = data[place], data[place + 1]
        head = 4 if flags & _EXTENDED else 3
        size = int.from_bytes(_part(data, place + 2, head - 2))
        value = _part(data, place + head, size)
        place += head + size
        if kind == _COMMUNITIES:
            numbers = struct.unpack(f">{size // 4}I", value[: size // 4 * 4])
            communities = tuple(dict.fromkeys(map(from_number, numbers)))
        elif kind == _AS_PATH:
            path = _as_path(value, as_width)
        elif kind == _AS4_PATH:
            wide = _as_path(value, 4)
        elif kind == _NEXT_HOP:
            next_hop = _address(value)
        elif kind == _MP_REACH:
            reached = value
            next_hop = _reach_hop(value, short=short_reach) or next_hop
        elif kind == _MP_UNREACH:
            unreached = value
    return _Attributes(communities, next_hop, _merged(path, wide), reached, unreached)


def _reach_hop(value: bytes, *, short: bool) -> str:
    """The first next hop; some writers put the whole attribute where only the next hop should stand."""
    if short and value and value[0] == len(value) - 1:
        return _address(value[1:17] if value[0] >= 16 else value[1:5])  # noqa: PLR2004 - two IPv6 addresses
    size = value[3] if len(value) > 4 else 0  # noqa: PLR2004 - AFI, SAFI, length
    return _address(_part(value, 4, size)[:16])


def _as_path(value: bytes, width: int) -> tuple[int, ...]:
    numbers: list[int] = []
    place = 0
    while place < len(value):
        size = value[place + 1] * width
        part = _part(value, place + 2, size)
        numbers += [int.from_bytes(part[index : index + width]) for index in range(0, size, width)]
        place += 2 + size
    return tuple(numbers)


def _merged(path: tuple[int, ...], wide: tuple[int, ...]) -> tuple[int, ...]:
    """RFC 6793: the end of a path of two-byte numbers stands in full in AS4_PATH."""
    if not wide or _AS_TRANS not in path or len(wide) > len(path):
        return path
    return path[: len(path) - len(wide)] + wide


def _unicast(block: bytes, prefixes: bytes) -> list[tuple[int, bytes]]:
    """The prefixes of a multiprotocol block with their IP version; none if they are of another kind."""
    family, kind = struct.unpack_from(">HB", block)
    return [(_AFI[family], prefixes)] if family in _AFI and kind in _UNICAST else []


def _prefixes(data: bytes, version: int, *, add_path: bool) -> Iterator[tuple[str, int]]:
    """Each prefix with its path identifier (RFC 7911), 0 without one."""
    place = 0
    while place < len(data):
        path = int.from_bytes(_part(data, place, 4)) if add_path else 0
        prefix, place = _prefix(data, place + (4 if add_path else 0), version)
        yield prefix, path


class _Updates:
    """What a neighbour's updates leave standing."""

    def __init__(self, reading: Reading) -> None:
        self._reading = reading
        self._routes: dict[tuple[bytes, int, str], Route] = {}
        self._seen = False

    def take(self, body: bytes, as_width: int, *, add_path: bool) -> None:
        """Apply one message."""
        place = 2 * as_width + 2
        (family,) = struct.unpack_from(">H", body, place)
        width = _WIDTH[_AFI[family]] if family in _AFI else 4
        peer = _part(body, place + 2, width)
        message = body[place + 2 + 2 * width :]
        if len(message) < 19 or message[18] != _UPDATE:  # noqa: PLR2004 - marker, length, type
            return
        self._seen = True
        (withdrawn,) = struct.unpack_from(">H", message, 19)
        (size,) = struct.unpack_from(">H", message, 21 + withdrawn)
        attributes = _attributes(_part(message, 23 + withdrawn, size), as_width, short_reach=False)
        gone = [(4, _part(message, 21, withdrawn))]
        come = [(4, message[23 + withdrawn + size :])]
        if block := attributes.unreached:
            gone += _unicast(block, block[3:])
        if block := attributes.reached:
            come += _unicast(block, block[5 + block[3] :])
        for version, data in gone:
            for prefix, path in _prefixes(data, version, add_path=add_path):
                self._routes.pop((peer, path, prefix), None)
        for version, data in come:
            for prefix, path in _prefixes(data, version, add_path=add_path):
                self._routes[peer, path, prefix] = Route(
                    prefix, attributes.communities, attributes.next_hop, attributes.as_path
                )

    def standing(self) -> Iterator[Route]:
        """The routes that were announced and not withdrawn."""
        if self._seen:
            self._reading.vantage = Vantage.RECEIVED
            self._reading.complete = False
            self._reading.notes.append("updates, not a table: routes from before the recording are not in it")
        yield from self._routes.values()
