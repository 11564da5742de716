"""RPM's header structure: an index of typed values by tag, and the store that the values lie in.

Layout and numbers are those of rpm's own format description (docs/manual/format_header.md and tags.md of
rpm 4.18, read 2026-11-23).
"""

import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

_MAGIC = b"\x8e\xad\xe8\x01\0\0\0\0"
_INDEX_ENTRY = struct.Struct(">IIiI")


@dataclass(frozen=True, slots=True)
class Value:
    """A tag's value.

    Attributes:
        kind: RPM's number for its type.
        count: how many items it has.
        data: all of them, as they lie in the store.
        width: the bytes of one item, on a multiple of which the store has to begin it.
    """

    kind: int
    count: int
    data: bytes
    width: int = 1


def shorts(items: Sequence[int]) -> Value:
    """Unsigned numbers of 16 bits."""
    return Value(3, len(items), struct.pack(f">{len(items)}H", *items), 2)


def numbers(items: Sequence[int]) -> Value:
    """Unsigned numbers of 32 bits."""
    return Value(4, len(items), struct.pack(f">{len(items)}I", *items), 4)


def text(item: str) -> Value:
    """One text."""
    return Value(6, 1, _terminated([item]))


def binary(item: bytes) -> Value:
    """Bytes."""
    return Value(7, len(item), item)


def texts(items: Sequence[str]) -> Value:
    """Several texts."""
    return Value(8, len(items), _terminated(items))


def translated(item: str) -> Value:
    """A text that a package may have in several languages, in the only one of ours."""
    return Value(9, 1, _terminated([item]))


def header_bytes(region: int, values: Mapping[int, Value]) -> bytes:
    """A header as rpm writes it.

    Args:
        region: the tag that says what the header is, and that every value belongs to it: 62 for a
            signature header, 63 for a package's own.
        values: by tag number.
    """
    store = bytearray()
    entries = []
    for tag, value in sorted(values.items()):
        store += bytes(-len(store) % value.width)
        entries.append(_INDEX_ENTRY.pack(tag, value.kind, len(store), value.count))
        store += value.data
    size = _INDEX_ENTRY.size
    first = _INDEX_ENTRY.pack(region, 7, len(store), size)
    # The region's own value, behind all others, points back over the whole index.
    store += _INDEX_ENTRY.pack(region, 7, -size * (len(entries) + 1), size)
    return (
        _MAGIC + struct.pack(">II", len(entries) + 1, len(store)) + first + b"".join(entries) + bytes(store)
    )


def _terminated(items: Sequence[str]) -> bytes:
    return b"".join(item.encode() + b"\0" for item in items)
