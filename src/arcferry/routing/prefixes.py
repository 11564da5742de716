"""Which of many prefixes hold an address."""

import ipaddress
from collections.abc import Iterable, Iterator, Sequence
from socket import AF_INET, AF_INET6, inet_ntop, inet_pton
from typing import Generic, TypeVar

from arcferry import typed
from arcferry.text import whole

K = TypeVar("K", int, str)
T = TypeVar("T")
Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

# IPv6 numbers lie above all IPv4 numbers on one line, so that one dictionary and one order hold both.
_V6 = 1 << 128
_LENGTH = 0xFF
_LENGTHS = {str(length): length for length in range(129)}
_HOLDS_V4 = 1 << 48  # below it, `inet_ntop` writes the last half of an IPv6 address as an IPv4 one


def prefix_key(text: str) -> int:
    """A prefix as one number: where it starts on the line of all addresses, then its length in eight bits.

    In this order a prefix stands right before those that it holds. An address without a length is a prefix of
    one address. Several times as fast as `ipaddress.ip_network`, which matters for the million routes of a
    full table.

    Raises:
        ValueError: the text is no prefix, or has bits set beyond its length.
    """
    address, slash, after = text.partition("/")
    try:
        if ":" in address:
            number, bits = int.from_bytes(inet_pton(AF_INET6, address)) | _V6, 128
        else:
            number, bits = int.from_bytes(inet_pton(AF_INET, address)), 32
    except (OSError, ValueError) as error:
        raise ValueError(f"{typed.shown(text)} is not a prefix") from error
    if not slash:
        return number << 8 | bits
    length = _LENGTHS.get(after)
    if length is None or length > bits:
        length = whole(after, most=bits)  # `/08` is read as `ipaddress` reads it
        if length is None:
            raise ValueError(f"{typed.shown(text)} is not a prefix")
    if number & ((1 << (bits - length)) - 1):
        raise ValueError(f"{typed.shown(text)} has bits set beyond its length")
    return number << 8 | length


def prefix_text(key: int) -> str:
    """The prefix that a key stands for, as `ipaddress` writes it."""
    number, length = key >> 8, key & _LENGTH
    if number < _V6:
        return f"{inet_ntop(AF_INET, number.to_bytes(4))}/{length}"
    number ^= _V6
    if number < _HOLDS_V4:
        return str(ipaddress.IPv6Network((number, length)))
    return f"{inet_ntop(AF_INET6, number.to_bytes(16))}/{length}"


def prefix_span(key: int) -> tuple[int, int]:
    """Where a prefix starts on the line of all addresses, and where it has ended."""
    start = key >> 8
    return start, start + (1 << ((128 if start >= _V6 else 32) - (key & _LENGTH)))


def holding(key: int) -> Iterator[int]:
    """The prefix itself and every possible one that holds it, the longest first."""
    number, length = key >> 8, key & _LENGTH
    rest = (128 if number >= _V6 else 32) - length
    for shorter in range(length, -1, -1):
        yield (number >> rest << rest) << 8 | shorter
        rest += 1


def _put(held: dict[K, T | list[T]], key: K, value: T) -> None:
    before = held.get(key)
    if before is None:
        held[key] = value
    elif isinstance(before, list):
        before.append(value)
    else:
        held[key] = [before, value]


def _each(held: T | list[T] | None) -> Sequence[T]:
    return held if isinstance(held, list) else () if held is None else (held,)


class PrefixMap(Generic[T]):
    """Values by prefix, IPv4 and IPv6.

    A look-up asks once for each possible length, 129 times at most: a command makes some twenty look-ups, so
    that a layout that answers faster would cost more to build than it saves.
    """

    __slots__ = ("_held",)

    def __init__(self, pairs: Iterable[tuple[str, T]] = ()) -> None:
        """Take the pairs.

        Raises:
            ValueError: one of them is no prefix.
        """
        # Most prefixes have one value. It stands there by itself, because a million lists cost 90 MB; so no
        # value may be a list.
        self._held: dict[int, T | list[T]] = {}
        # By its text first: in a service-tag file a prefix stands twice, and reading it takes the most time.
        texts: dict[str, T | list[T]] = {}
        for prefix, value in pairs:
            _put(texts, prefix, value)
        for prefix, held in texts.items():
            key = prefix_key(prefix)
            if key in self._held:  # in another spelling
                for value in _each(held):
                    _put(self._held, key, value)
            else:
                self._held[key] = held

    def add(self, prefix: str, value: T) -> None:
        """Take one more value; a prefix keeps all of its values, in the order in which they were given.

        Raises:
            ValueError: it is no prefix.
        """
        _put(self._held, prefix_key(prefix), value)

    def __len__(self) -> int:
        return len(self._held)

    def entries(self) -> Iterator[tuple[int, Sequence[T]]]:
        """Every prefix (`prefix_key`) with its values, in the order in which they were given."""
        return ((key, _each(held)) for key, held in self._held.items())

    def items(self) -> Iterator[tuple[str, T]]:
        """Every prefix in canonical form with each of its values, a prefix before those that it holds."""
        for key in sorted(self._held):
            text = prefix_text(key)
            for value in _each(self._held[key]):
                yield text, value

    def at(self, prefix: str) -> Sequence[T]:
        """The values of exactly this prefix.

        Raises:
            ValueError: it is no prefix.
        """
        return _each(self._held.get(prefix_key(prefix)))

    def covering(self, address: str | Address) -> Iterator[tuple[str, T]]:
        """Every prefix that holds the address, with each of its values, the longest prefix first.

        Raises:
            ValueError: `address` is no IP address.
        """
        parsed = ipaddress.ip_address(address)  # takes an IPv6 address that has a scope too
        number = int(parsed) | _V6 if isinstance(parsed, ipaddress.IPv6Address) else int(parsed)
        for key in holding(number << 8 | parsed.max_prefixlen):
            for value in _each(self._held.get(key)):
                yield prefix_text(key), value
