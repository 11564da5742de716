"""Which of many prefixes hold an address."""

import ipaddress
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from socket import AF_INET, AF_INET6, inet_ntop, inet_pton
from typing import Generic, TypeVar

from arcferry import typed
from arcferry.numbers import whole

T = TypeVar("T")
Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

# IPv6 numbers lie above all IPv4 numbers on one line, so that one structure holds both families.
_V6 = 1 << 128
_ENDS = (1 << 32, _V6 << 1)  # behind the last address of each family, where nothing begins
_LENGTH = 0xFF
_CHUNK = 16
_HOLDS_V4 = 1 << 48  # below it, `inet_ntop` writes the last half of an IPv6 address as an IPv4 one
_NONE = -1

_from_bytes = int.from_bytes


class Several(list[T]):
    """The values of a prefix that has more than one; most have one, and a million lists cost memory."""

    __slots__ = ()


def _bits(number: int) -> int:
    return 128 if number >= _V6 else 32


def prefix_key(text: str) -> int:
    """A prefix as one number: where it starts on the line of all addresses, then its length in eight bits.

    In this order a prefix stands right before those that it holds. Several times as fast as
    `ipaddress.ip_network`, which matters for the 93,000 prefixes of one service-tag file.

    Raises:
        ValueError: the text is no prefix, or has bits set beyond its length.
    """
    start, slash, after = text.partition("/")
    try:
        if ":" in start:
            number, bits = _from_bytes(inet_pton(AF_INET6, start)) | _V6, 128
        else:
            number, bits = _from_bytes(inet_pton(AF_INET, start)), 32
    except (OSError, ValueError) as error:
        raise ValueError(f"{typed.shown(text)} is not a prefix") from error
    length = bits
    if slash:
        found = whole(after, most=bits)
        if found is None:
            raise ValueError(f"{typed.shown(text)} is not a prefix")
        length = found
        if number & ((1 << (bits - length)) - 1):
            raise ValueError(f"{typed.shown(text)} has bits set beyond its length")
    return number << 8 | length


def prefix_text(key: int) -> str:
    """The prefix that a key stands for, in canonical CIDR form."""
    number = key >> 8
    if number >= _V6:
        if (number ^ _V6) < _HOLDS_V4:
            return str(_network(key))
        return f"{inet_ntop(AF_INET6, (number ^ _V6).to_bytes(16, 'big'))}/{key & _LENGTH}"
    return f"{inet_ntop(AF_INET, number.to_bytes(4, 'big'))}/{key & _LENGTH}"


def prefix_span(key: int) -> tuple[int, int]:
    """Where a prefix starts on the line of all addresses, and where it has ended."""
    start = key >> 8
    return start, start + (1 << (_bits(start) - (key & _LENGTH)))


def parse_prefix(text: str) -> tuple[int, int, int]:
    """The IP version, the length in bits, and the network's first `length` bits as a number.

    An address without a length is a prefix of one address.

    Raises:
        ValueError: the text is no prefix, or has bits set beyond its length.
    """
    key = prefix_key(text)
    number, length = key >> 8, key & _LENGTH
    bits = _bits(number)
    return (6 if bits == 128 else 4), length, (number & ~_V6) >> (bits - length)  # noqa: PLR2004 - IPv6


def _network(key: int) -> Network:
    number, length = key >> 8, key & _LENGTH
    if number >= _V6:
        return ipaddress.IPv6Network((number ^ _V6, length))
    return ipaddress.IPv4Network((number, length))


def _number(address: str | Address) -> int:
    if isinstance(address, str):
        try:
            if ":" in address:
                return _from_bytes(inet_pton(AF_INET6, address)) | _V6
            return _from_bytes(inet_pton(AF_INET, address))
        except (OSError, ValueError):
            address = ipaddress.ip_address(address)  # says what is wrong, and takes what has a scope
    number = int(address)
    return number | _V6 if address.version == 6 else number  # noqa: PLR2004 - IPv6


@dataclass(frozen=True, slots=True)
class PrefixIndex(Generic[T]):
    """Prefixes laid out for look-ups.

    Attributes:
        keys: every prefix (`prefix_key`), ascending.
        values: what each carries; `Several` where that is more than one value.
        starts: where on the line of all addresses another prefix becomes the longest one, ascending from 0.
        covers: from each start on, the position in `keys` of the longest prefix, -1 where there is none.
        parents: for each prefix, the position of the next longer-reaching one that holds it, else -1.
    """

    keys: list[int]
    values: list[T | Several[T]]
    starts: list[int]
    covers: "array[int]"
    parents: "array[int]"


class _Stretches:
    """Cuts nested prefixes, which come in ascending order, into disjoint stretches of addresses."""

    def __init__(self) -> None:
        self.starts = [0]
        self.covers = array("i", [_NONE])
        self.parents = array("i")
        self._open: list[tuple[int, int]] = []

    def begin(self, start: int, cover: int) -> None:
        """From `start` on, `cover` is the longest prefix."""
        if self.starts[-1] == start:
            self.covers[-1] = cover
        elif start not in _ENDS:
            self.starts.append(start)
            self.covers.append(cover)

    def close(self, until: int) -> None:
        """End the open prefixes that end at or before `until`; what is around each covers again."""
        while self._open and self._open[-1][0] <= until:
            end, _ = self._open.pop()
            self.begin(end, self._open[-1][1] if self._open else _NONE)

    def add(self, position: int, key: int) -> None:
        """Open the prefix that stands at `position`."""
        start, end = prefix_span(key)
        self.close(start)
        self.parents.append(self._open[-1][1] if self._open else _NONE)
        self.begin(start, position)
        self._open.append((end, position))


def _indexed(pairs: dict[int, T | Several[T]]) -> PrefixIndex[T]:
    # Chosen by measurement (bench/prefix_match.py, 93,362 entries): cutting nested prefixes into disjoint
    # stretches makes a look-up one C `bisect`, about 1.2 us from text, where a dictionary for each length
    # took 2.0 us and a stride table gained nothing for one address. In bulk, stretches grouped by all but
    # the last 16 bits save another fifth, because the shorter `bisect` stays in the processor's cache.
    keys = sorted(pairs)
    cut = _Stretches()
    first_v6 = bisect_left(keys, _V6 << 8)
    for position in range(first_v6):
        cut.add(position, keys[position])
    cut.close(_V6)
    cut.begin(_V6, _NONE)
    for position in range(first_v6, len(keys)):
        cut.add(position, keys[position])
    cut.close(_V6 << 1)
    return PrefixIndex(keys, [pairs[key] for key in keys], cut.starts, cut.covers, cut.parents)


@dataclass(frozen=True, slots=True)
class _Bulk(Generic[T]):
    """The stretches again, grouped by all but their last 16 bits.

    Attributes:
        chunks: by an address without its last bits, where in the group another value begins, and the values,
            first the one that holds before the first of these starts.
        whole: the same for all stretches, for addresses whose group holds no start.
    """

    chunks: dict[int, tuple[list[int], list[T | None]]]
    whole: tuple[list[int], list[T | None]]


def _grouped(index: PrefixIndex[T]) -> _Bulk[T]:
    values = [None if cover == _NONE else _first(index.values[cover]) for cover in index.covers]
    chunks: dict[int, tuple[list[int], list[T | None]]] = {}
    for position, start in enumerate(index.starts):
        chunk = chunks.get(start >> _CHUNK)
        if chunk is None:
            aligned = not start & ((1 << _CHUNK) - 1)
            chunk = chunks[start >> _CHUNK] = ([], [values[position if aligned else position - 1]])
            if aligned:
                continue
        chunk[0].append(start)
        chunk[1].append(values[position])
    return _Bulk(chunks, (index.starts[1:], values))


def _first(value: T | Several[T]) -> T:
    return value[0] if isinstance(value, Several) else value


def each_value(value: T | Several[T]) -> Iterable[T]:
    """What one entry of `PrefixIndex.values` stands for."""
    return value if isinstance(value, Several) else (value,)


class PrefixMap(Generic[T]):
    """Values by prefix, IPv4 and IPv6, for longest-prefix match.

    A prefix may carry several values; they are kept in the order in which they were given. The layout for
    look-ups is made by the first of them, so that a map which nobody asks costs little.
    """

    __slots__ = ("_bulk", "_hits", "_index", "_pairs")

    def __init__(self, pairs: Iterable[tuple[str | Network, T]] = ()) -> None:
        """Take the pairs.

        Raises:
            ValueError: one of them is no prefix.
        """
        self._index: PrefixIndex[T] | None = None
        self._bulk: _Bulk[T] | None = None
        self._hits: dict[int, tuple[Network, T]] = {}
        self._pairs: dict[int, T | Several[T]] = {}
        held = self._pairs
        for prefix, value in pairs:
            key = prefix_key(prefix if isinstance(prefix, str) else str(prefix))
            if key not in held:
                held[key] = value
                continue
            before = held[key]
            if isinstance(before, Several):
                before.append(value)
            else:
                held[key] = Several((before, value))

    @classmethod
    def of(cls, index: PrefixIndex[T]) -> "PrefixMap[T]":
        """The map that a ready layout makes."""
        made: PrefixMap[T] = cls()
        made._index = index
        return made

    @property
    def index(self) -> PrefixIndex[T]:
        """The layout for look-ups."""
        if self._index is None:
            self._index = _indexed(self._pairs)
            self._pairs = {}
        return self._index

    def __len__(self) -> int:
        return len(self.index.keys)

    def items(self) -> Iterator[tuple[str, T]]:
        """Every prefix in canonical form with each of its values, a prefix before those that it holds."""
        index = self.index
        for key, value in zip(index.keys, index.values, strict=True):
            text = prefix_text(key)
            for one in each_value(value):
                yield text, one

    def with_value(self, wanted: Callable[[T], bool]) -> Iterator[str]:
        """The prefixes with a value that is wanted, ascending, each once, in canonical form."""
        index = self.index
        for key, value in zip(index.keys, index.values, strict=True):
            if any(wanted(one) for one in each_value(value)):
                yield prefix_text(key)

    def _hit(self, position: int) -> tuple[Network, T]:
        """A prefix as `ipaddress` has it, with its first value; made once, because it takes a microsecond."""
        index = self.index
        hit = self._hits[position] = _network(index.keys[position]), _first(index.values[position])
        return hit

    def longest(self, address: str | Address) -> tuple[Network, T] | None:
        """The longest prefix that holds the address, with its first value; None where none holds it.

        Raises:
            ValueError: `address` is no IP address.
        """
        index = self._index or self.index
        position = index.covers[bisect_right(index.starts, _number(address)) - 1]
        if position == _NONE:
            return None
        return self._hits.get(position) or self._hit(position)

    def all(self, address: str | Address) -> list[tuple[Network, T]]:
        """Every prefix that holds the address, with each of its values, the longest first.

        Raises:
            ValueError: `address` is no IP address.
        """
        index = self.index
        position = index.covers[bisect_right(index.starts, _number(address)) - 1]
        found: list[tuple[Network, T]] = []
        while position != _NONE:
            network, _ = self._hits.get(position) or self._hit(position)
            found.extend((network, value) for value in each_value(index.values[position]))
            position = index.parents[position]
        return found

    def longest_many(self, addresses: Iterable[str]) -> list[T | None]:
        """For each address the first value of the longest prefix that holds it; None where none holds it.

        For many addresses at once; the first call lays the prefixes out a second time.

        Raises:
            ValueError: one of them is no IP address.
        """
        if self._bulk is None:
            self._bulk = _grouped(self.index)
        get, whole = self._bulk.chunks.get, self._bulk.whole
        texts = addresses if isinstance(addresses, list) else list(addresses)
        try:
            return [
                (
                    chunk := get(
                        (
                            number := _from_bytes(inet_pton(AF_INET6, text)) | _V6
                            if ":" in text
                            else _from_bytes(inet_pton(AF_INET, text))
                        )
                        >> _CHUNK,
                        whole,
                    )
                )[1][bisect_right(chunk[0], number)]
                for text in texts
            ]
        except (OSError, ValueError):
            # A scope, or no address: the slow way takes the one and names the other.
            return [whole[1][bisect_right(whole[0], _number(text))] for text in texts]
