"""Cisco IOS-XR."""

import re
from collections.abc import Iterator, Sequence

from arcferry.routing.route import Route
from arcferry.routing.tables.capture import Command
from arcferry.routing.tables.dialect import Dialect, TableReader
from arcferry.routing.tables.reading import Reading, TextFormat
from arcferry.routing.tables.source import Line

NAME = "cisco-xr"
_SIGN = re.compile(
    r"BGP (?:VRF .*, state:|router identifier \S+, local AS number|generic scan interval"
    r"|main routing table version|table state: )"
    r"|\s{0,3}BGP routing table entry for |Processed \d+ prefixes, \d+ paths"
)
_OWN = re.compile(
    r"BGP (?:VRF .*, state:|generic scan interval|main routing table version|table state: )"
    r"|Versions:\s*$|\s+Process\s+bRIB|\s+Path #\d+: Received by speaker|Processed \d+ prefixes"
)


def _looks_right(head: Sequence[str], command: Command | None) -> bool:
    del command
    return any(_OWN.match(line) for line in head[:30])


def _read(reading: Reading, lines: Iterator[Line]) -> Iterator[Route]:
    return TableReader(Dialect(NAME, classful=False), reading).routes(lines)


FORMAT = TextFormat(NAME, _SIGN, _looks_right, _read)
