"""Arista EOS, text."""

import re
from collections.abc import Iterator, Sequence

from arcferry.routing.route import Route
from arcferry.routing.tables.capture import Command
from arcferry.routing.tables.dialect import Dialect, TableReader
from arcferry.routing.tables.reading import Reading, TextFormat
from arcferry.routing.tables.source import Line

NAME = "arista-eos"
_SIGN = re.compile(
    r"BGP routing table information for VRF \S+\s*$|Route status codes: "
    r"|\s+Network\s+Next Hop\s+Metric\s+(?:AIGP\s+)?LocPref"
)


def _looks_right(head: Sequence[str], command: Command | None) -> bool:
    del command
    return any(_SIGN.match(line) for line in head[:4])


def _read(reading: Reading, lines: Iterator[Line]) -> Iterator[Route]:
    dialect = Dialect(NAME, classful=False, weight_joins_path=False)
    return TableReader(dialect, reading).routes(lines)


FORMAT = TextFormat(NAME, _SIGN, _looks_right, _read)
