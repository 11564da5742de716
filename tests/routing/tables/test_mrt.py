"""The MRT reader beside mrtparse, the independent reader."""

import importlib
import io
import signal
import struct
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from arcferry.errors import FileInputError
from arcferry.routing.route import Route
from arcferry.routing.tables import read_route_table

CASES = Path(__file__).parent / "cases"
_STAMP = 1_795_000_000


def _independent_reader() -> Any:  # noqa: ANN401 - mrtparse has no types
    """mrtparse's. Its import makes SIGPIPE end the process, which is a command's choice, not a library's:
    whatever test later wrote to a program that had ended would take its whole worker along."""
    before = signal.getsignal(signal.SIGPIPE)
    try:
        return importlib.import_module("mrtparse").Reader
    finally:
        signal.signal(signal.SIGPIPE, before)


Reader = _independent_reader()


def test_the_independent_reader_leaves_a_broken_pipe_an_error() -> None:
    assert signal.getsignal(signal.SIGPIPE) is signal.SIG_IGN


def mrt(routes: Sequence[Route]) -> bytes:
    """TABLE_DUMP_V2 of IPv4 routes, one record each."""
    index = struct.pack(">IHHB4s4sI", 1, 0, 1, 2, b"\xc0\0\2\1", b"\xc0\0\2\1", 12_076)
    parts = [struct.pack(">IHHI", _STAMP, 13, 1, len(index)) + index]
    for number, route in enumerate(routes):
        path = struct.pack(f">BB{len(route.as_path)}I", 2, len(route.as_path), *route.as_path)
        pairs = b"".join(struct.pack(">HH", *map(int, value.split(":"))) for value in route.communities)
        hop = bytes(map(int, route.next_hop.split(".")))
        attributes = b"\x40\2" + bytes([len(path)]) + path + b"\x40\3\4" + hop
        attributes += b"\xc0\x08" + bytes([len(pairs)]) + pairs if pairs else b""
        address, _, length = route.prefix.partition("/")
        packed = bytes(map(int, address.split(".")))[: (int(length) + 7) // 8]
        body = struct.pack(">IB", number, int(length)) + packed
        body += struct.pack(">HHIH", 1, 0, _STAMP, len(attributes)) + attributes
        parts.append(struct.pack(">IHHI", _STAMP, 13, 2, len(body)) + body)
    return b"".join(parts)


def _value(attributes: list[dict[str, Any]], kind: int) -> Any:  # noqa: ANN401 - mrtparse gives plain trees
    return next((one["value"] for one in attributes if kind in one["type"]), None)


def _rows(entries: Iterator[Any]) -> Iterator[tuple[str, tuple[int, ...], tuple[str, ...]]]:
    for entry in entries:
        for row in entry.data.get("rib_entries", []):
            attributes = row["path_attributes"]
            path = [int(number) for part in _value(attributes, 2) or [] for number in part["value"]]
            words = {"65535:65281": "no-export"}
            communities = tuple(words.get(one, one) for one in _value(attributes, 8) or [])
            yield f"{entry.data['prefix']}/{entry.data['length']}", tuple(path), communities


@pytest.mark.parametrize("name", ["mrt-real-frr-table", "mrt-real-openbgpd"])
def test_a_real_table_is_read_as_mrtparse_reads_it(name: str) -> None:
    path = CASES / name / "input.mrt"
    table = read_route_table(name, path.read_bytes())
    assert table is not None
    with path.open("rb") as stream:
        theirs = sorted(_rows(iter(Reader(stream))))
    assert sorted((one.prefix, one.as_path, one.communities) for one in table.routes) == theirs
    assert theirs


prefixes = st.integers(0, 2**24 - 1).map(
    lambda number: f"{number >> 16}.{number >> 8 & 255}.{number & 255}.0/24"
)
routes = st.lists(
    st.builds(
        Route,
        prefix=prefixes,
        communities=st.lists(
            st.integers(0, 65_535).map(lambda number: f"12076:{number}"), max_size=5, unique=True
        ).map(tuple),
        next_hop=st.ip_addresses(v=4).map(str),
        as_path=st.lists(st.integers(1, 2**32 - 1), min_size=1, max_size=6).map(tuple),
    ),
    min_size=1,
    max_size=9,
)


@settings(max_examples=100, deadline=None)
@given(routes)
def test_a_rendered_table_is_read_back(given_routes: list[Route]) -> None:
    table = read_route_table("dump", mrt(given_routes))
    assert table is not None
    assert table.format == "mrt"
    assert sorted(table.routes, key=str) == sorted(given_routes, key=str)


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_a_cut_dump_keeps_what_came_before(data: st.DataObject) -> None:
    whole = (CASES / "mrt-real-openbgpd" / "input.mrt").read_bytes()
    place = data.draw(st.integers(12, len(whole) - 1))
    table = read_route_table("dump", whole[:place])
    assert table is not None
    assert table.size < 16
    complete_records = _ends(whole)
    assert any("truncated" in note for note in table.notes) == (place not in complete_records)


def _ends(data: bytes) -> set[int]:
    ends, stream = set(), io.BytesIO(data)
    while head := stream.read(12):
        stream.seek(struct.unpack(">I", head[8:])[0], io.SEEK_CUR)
        ends.add(stream.tell())
    return ends


def test_a_damaged_record_is_named_with_its_place() -> None:
    whole = bytearray((CASES / "mrt-real-openbgpd" / "input.mrt").read_bytes())
    first = 12 + struct.unpack(">I", whole[8:12])[0]
    whole[first + 12 + 4] = 200  # a prefix of 200 bits in an IPv4 table
    with pytest.raises(FileInputError, match=f"damaged record at byte {first}"):
        read_route_table("dump.mrt", bytes(whole))


def test_withdrawn_routes_do_not_stand() -> None:
    def update(body: bytes) -> bytes:
        message = b"\xff" * 16 + struct.pack(">HB", 19 + len(body), 2) + body
        record = struct.pack(">IIHH4s4s", 12_076, 65_001, 0, 1, b"\xc0\0\2\2", b"\xc0\0\2\1") + message
        return struct.pack(">IHHI", _STAMP, 16, 4, len(record)) + record

    attributes = b"\x40\2\6\2\1" + struct.pack(">I", 12_076) + b"\x40\3\4\xc0\0\2\2"
    announce = struct.pack(">HH", 0, len(attributes)) + attributes + b"\x18\x0d\x47\1" + b"\x18\x0d\x47\2"
    withdraw = struct.pack(">H", 4) + b"\x18\x0d\x47\1" + struct.pack(">H", 0)
    table = read_route_table("updates", update(announce) + update(withdraw))
    assert table is not None
    assert [one.prefix for one in table.routes] == ["13.71.2.0/24"]
    assert not table.complete
