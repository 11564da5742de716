"""Cisco IOS and IOS-XE; also the last guess for a table that no other router's sign stands in."""

import re
from collections.abc import Iterator, Sequence

from arcferry.routing.route import Route
from arcferry.routing.tables.capture import Command
from arcferry.routing.tables.dialect import Dialect, TableReader
from arcferry.routing.tables.reading import Reading, TextFormat
from arcferry.routing.tables.source import Line

NAME = "cisco-ios"
_SIGN = re.compile(
    r"BGP table version is \d+, local router ID is "
    r"|\s*Network\s+Next Hop\s+Metric\s+LocPrf\s+Weight\s+Path"
    r"|\s{0,3}BGP routing table entry for "
    r"|Total number of prefixes \d+|% Network not in table"
    r"|\s?[*r][ >a-z]{1,5}\s{0,3}[0-9a-fA-F:.]+(?:/\d+)?\s+[0-9a-fA-F:.]+\s.*[ie?]\s*$"
)


def _looks_right(head: Sequence[str], command: Command | None) -> bool:
    if not head[0].startswith(("Total number", "%")):
        return True
    return command is not None and "bgp" in command.text.lower()


def _read(reading: Reading, lines: Iterator[Line]) -> Iterator[Route]:
    return TableReader(Dialect(NAME), reading).routes(lines)


FORMAT = TextFormat(NAME, _SIGN, _looks_right, _read)
