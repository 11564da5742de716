"""Cisco NX-OS, text; its status letters are glued to the network (`*>e10.0.0.0/8`)."""

import re
from collections.abc import Iterator, Sequence

from arcferry.routing.route import Route
from arcferry.routing.tables.capture import Command
from arcferry.routing.tables.dialect import Dialect, TableReader
from arcferry.routing.tables.reading import Reading, TextFormat
from arcferry.routing.tables.source import Line

NAME = "cisco-nxos"
_SIGN = re.compile(
    r"BGP routing table information for VRF \S+, address family "
    r"|Peer \S+ routes for address family |Status: s-suppressed, "
    r"|\s{0,3}BGP routing table entry for |[*s ][>| ][iecla rI](?:\d|[0-9a-fA-F]{1,4}:)\S*/\d+\s"
)
_OWN = re.compile(
    r"BGP routing table information for VRF \S+, address family |Peer \S+ routes for address family "
    r"|Status: s-suppressed, |Path type: i-internal|\s+Path type: |Flags: \(0x"
    r"|[*s ][>| ][iecla](?:\d|[0-9a-fA-F]{1,4}:)\S*/\d+\s"
)
_STATUS_WIDTH = 3


def _looks_right(head: Sequence[str], command: Command | None) -> bool:
    del command
    return any(_OWN.match(line) for line in head[:12])


def _read(reading: Reading, lines: Iterator[Line]) -> Iterator[Route]:
    dialect = Dialect(NAME, classful=False, status_width=_STATUS_WIDTH)
    return TableReader(dialect, reading).routes(lines)


FORMAT = TextFormat(NAME, _SIGN, _looks_right, _read)
