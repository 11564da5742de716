"""FRRouting and Quagga, text. It looks like IOS, down to the column widths."""

import re
from collections.abc import Iterator, Sequence

from arcferry.routing.route import Route
from arcferry.routing.tables.capture import Command
from arcferry.routing.tables.dialect import Dialect, TableReader
from arcferry.routing.tables.reading import Reading, TextFormat
from arcferry.routing.tables.source import Line

NAME = "frr"
_SIGN = re.compile(
    r"BGP table version is \d+, local router ID is \S+, vrf |Default local pref \d+|Displayed\s+\d+ "
    r"|\s{0,3}BGP routing table entry for |No BGP prefixes displayed"
)
_OWN = re.compile(
    r"BGP table version is \d+, local router ID is \S+, vrf |Default local pref \d+, local AS "
    r"|Displayed\s+\d+ "
    r"|Nexthop codes: @NNN|\s+Last update: |No BGP prefixes displayed"
)


def _looks_right(head: Sequence[str], command: Command | None) -> bool:
    del command
    return any(_OWN.match(line) for line in head[:24])


def _read(reading: Reading, lines: Iterator[Line]) -> Iterator[Route]:
    return TableReader(Dialect(NAME), reading).routes(lines)


FORMAT = TextFormat(NAME, _SIGN, _looks_right, _read)
