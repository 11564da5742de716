"""OpenBGPD: `bgpctl -j show rib [detail]` and `bgpctl show rib`."""

import re
from collections.abc import Iterator, Sequence
from itertools import chain

from arcferry.routing.route import Route, Vantage
from arcferry.routing.tables import trees, values
from arcferry.routing.tables.capture import Command
from arcferry.routing.tables.dialect import Dialect, TableReader
from arcferry.routing.tables.entries import ENTRY
from arcferry.routing.tables.json_format import JsonFormat, Rows
from arcferry.routing.tables.json_stream import Steps
from arcferry.routing.tables.reading import Reading, TextFormat
from arcferry.routing.tables.source import Line

JSON_NAME = "openbgpd-json"
TEXT_NAME = "openbgpd"
_JSON_SIGN = re.compile(r'"rib"\s*:\s*\[')
_JSON_ROW = re.compile(r'"(?:exit_nexthop|true_nexthop|neighbor|aspath)"\s*:|"rib"\s*:\s*\[\s*\]')
_TABLE = re.compile(r"flags\s+(?:ovs|vs)?\s*destination\s+gateway\s+lpref\s+med\s+aspath\s+origin")
_DETAIL = re.compile(r"\s+Nexthop \S+ \(via \S+\) Neighbor ")
_SIGN = re.compile(rf"{_TABLE.pattern}|BGP routing table entry for ")
_ROW = re.compile(
    r"(?P<flags>[\s*>AISEFmLws]{0,8}?)\s*(?:[NV!-](?:-[?NV!])?\s+)?(?P<net>[0-9a-fA-F.:]+/\d{1,3})\s+(?P<hop>[0-9a-fA-F.:]+)"
    r"\s+\d+\s+\d+(?:\s+(?P<path>.*?))?\s+[ie?]\s*$"
)


def _looks_right(head: str) -> bool:
    return bool(_JSON_SIGN.search(head) and _JSON_ROW.search(head))


def _descends(steps: Steps, opens: str) -> bool:
    del opens
    return steps in ((), ("rib",))


def _read_json(reading: Reading, rows: Rows) -> Iterator[Route]:
    for steps, value in rows:
        if steps != ("rib", "[]"):
            continue
        tree = trees.mapping(value)
        network = values.prefix(trees.text(tree.get("prefix")))
        if network is None:
            reading.leave_out(0, str(value)[:200])
            continue
        listed = tree.get("communities")
        reading.shows_communities = reading.shows_communities or listed is not None
        yield Route(
            network,
            values.communities(" ".join(map(trees.text, trees.several(listed)))) or reading.communities,
            values.address(trees.text(trees.first(tree, "exit_nexthop", "true_nexthop"))),
            values.as_path(trees.text(tree.get("aspath"))),
            None if reading.vantage is Vantage.RECEIVED else trees.truth(tree.get("best")) is True,
            reading.filtered,
        )


def _text_looks_right(head: Sequence[str], command: Command | None) -> bool:
    del command
    return _TABLE.match(head[0]) is not None or any(_DETAIL.match(line) for line in head[:6])


def _read_text(reading: Reading, lines: Iterator[Line]) -> Iterator[Route]:
    first = next(lines, (0, ""))
    lines = chain((first,), lines)
    if ENTRY.match(first[1]):
        yield from TableReader(Dialect(TEXT_NAME, classful=False), reading).routes(lines)
        return
    reading.shows_communities = bool(reading.communities)
    for number, line in lines:
        if not line.strip() or _TABLE.match(line):
            continue
        match = _ROW.match(line)
        network = values.prefix(match["net"]) if match else None
        if match is None or network is None:
            reading.leave_out(number, line)
            continue
        yield Route(
            network,
            reading.communities,
            values.address(match["hop"]),
            values.as_path(match["path"] or ""),
            None if reading.vantage is Vantage.RECEIVED else ">" in match["flags"],
            reading.filtered,
        )


JSON_FORMAT = JsonFormat(JSON_NAME, _looks_right, _descends, _read_json)
TEXT_FORMAT = TextFormat(TEXT_NAME, _SIGN, _text_looks_right, _read_text)
