"""OpenBGPD: `bgpctl -j show rib [detail]` and `bgpctl show rib`."""

import re
from collections.abc import Iterator, Sequence
from itertools import chain

from arcferry.routing.route import Route
from arcferry.routing.tables import values
from arcferry.routing.tables.capture import TypedCommand
from arcferry.routing.tables.dialect import ENTRY, Dialect, TableReader
from arcferry.routing.tables.reading import Reading, Rows, TextFormat, json_format
from arcferry.routing.tables.source import Line

_TEXT_NAME = "openbgpd"
_JSON_SIGNS = (
    r'"rib"\s*:\s*\[',
    r'"(?:exit_nexthop|true_nexthop|neighbor|aspath)"\s*:|"rib"\s*:\s*\[\s*\]',
)
_TABLE = re.compile(r"flags\s+(?:ovs|vs)?\s*destination\s+gateway\s+lpref\s+med\s+aspath\s+origin")
_DETAIL = re.compile(r"\s+Nexthop \S+ \(via \S+\) Neighbor ")
_SIGN = re.compile(rf"{_TABLE.pattern}|BGP routing table entry for ")
_ROW = re.compile(
    r"(?P<flags>[\s*>AISEFmLws]{0,8}?)\s*(?:[NV!-](?:-[?NV!])?\s+)?(?P<net>[0-9a-fA-F.:]+/\d{1,3})\s+(?P<hop>[0-9a-fA-F.:]+)"
    r"\s+\d+\s+\d+(?:\s+(?P<path>.*?))?\s+[ie?]\s*$"
)


def _read_json(reading: Reading, rows: Rows) -> Iterator[Route]:
    for steps, value in rows:
        if steps != ("rib", "[]"):
            continue
        tree = values.mapping(value)
        network = values.prefix(values.text_of(tree, "prefix"))
        if network is None:
            reading.leave_out(0, str(value)[:200])
            continue
        listed = tree.get("communities")
        reading.shows_communities = reading.shows_communities or listed is not None
        yield reading.route(
            network,
            values.words(listed),
            values.text_of(tree, "exit_nexthop", "true_nexthop"),
            values.text_of(tree, "aspath"),
            best=reading.best(values.truth(tree.get("best")) is True),
        )


def _looks_right(head: Sequence[str], _: TypedCommand | None) -> bool:
    return _TABLE.match(head[0]) is not None or any(_DETAIL.match(line) for line in head[:6])


def _read_text(reading: Reading, lines: Iterator[Line]) -> Iterator[Route]:
    first = next(lines, (0, ""))
    lines = chain((first,), lines)
    if ENTRY.match(first[1]):
        yield from TableReader(Dialect(_TEXT_NAME, classful=False), reading).routes(lines)
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
        best = reading.best(">" in match["flags"])
        yield reading.route(network, "", match["hop"], match["path"] or "", best=best)


JSON_FORMAT = json_format("openbgpd-json", _JSON_SIGNS, lambda steps, _: steps in ((), ("rib",)), _read_json)
TEXT_FORMAT = TextFormat(_TEXT_NAME, _SIGN, _looks_right, _read_text)
