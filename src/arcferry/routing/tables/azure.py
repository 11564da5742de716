"""Azure's route table of a peering: REST, `az` and PowerShell, as JSON or as the tables they print.

It has no communities, and whether it lists what Microsoft sends or what the customer sends is not documented.
"""

import re
from collections.abc import Iterator

from arcferry.routing.route import Route, Vantage
from arcferry.routing.tables import values
from arcferry.routing.tables.json_stream import Steps
from arcferry.routing.tables.reading import Reading, Rows, TextFormat, json_format
from arcferry.routing.tables.source import Line

NAME = "azure"
_KEYS = [rf'(?i)"{key}"\s*:' for key in ("network", "nextHop", "locPrf", "path")]
_NOT_AZURE = r'"(?:bestpath|valid|routerId|receivedRoutes)"\s*:'
_TABLE = re.compile(r"(?:LocPrf\s+)?Network\s+NextHop\s+(?:LocPrf|Path|Weight)\b", re.IGNORECASE)
_COLUMNS = re.compile(r"Network|NextHop|LocPrf|Weight|Path", re.IGNORECASE)
_PAIR = re.compile(r"(Network|NextHop|LocPrf|Weight|Path)\s*: ?(.*)$", re.IGNORECASE)
_SIGN = re.compile(rf"{_TABLE.pattern}|Network\s+: \S+/\d", re.IGNORECASE)


def _descends(steps: Steps, opens: str) -> bool:
    return not steps or ([step.lower() for step in steps] == ["value"] and opens == "[")


def _read_json(reading: Reading, rows: Rows) -> Iterator[Route]:
    reading.vantage = Vantage.AZURE
    for steps, value in rows:
        if steps[-1:] == ("[]",) or (not steps and isinstance(value, dict)):
            row = {key.lower(): item for key, item in values.mapping(value).items()}
            yield from _route(reading, {key: values.text(item) for key, item in row.items()}, 0)
        elif [step.lower() for step in steps] == ["nextlink"] and value:
            reading.cut = "Azure gave a nextLink, and what is behind it is not in the file"


def _route(reading: Reading, row: dict[str, str], number: int) -> Iterator[Route]:
    """One route; a next hop with a trailing `*` is the one in use, and the path may hold line feeds."""
    network = values.prefix(row.get("network", "").strip(), classful=True)
    if network is None:
        reading.leave_out(number, row.get("network", "") or "a row without a network")
        return
    hop = row.get("nexthop", "").strip()
    path = " ".join(row.get("path", "").rstrip("….").split())
    yield reading.route(network, "", hop.rstrip("*").strip(), path, best=True if hop.endswith("*") else None)


def _read_text(reading: Reading, lines: Iterator[Line]) -> Iterator[Route]:
    reading.vantage = Vantage.AZURE
    reading.shows_communities = False
    columns: list[tuple[str, int]] = []
    row: dict[str, str] = {}
    begun = 0
    for number, line in lines:
        if _TABLE.match(line):
            columns = [(match[0].lower(), match.start()) for match in _COLUMNS.finditer(line)]
        elif pair := _PAIR.match(line):
            name = pair[1].lower()
            if name == "network" and row:
                yield from _route(reading, row, begun)
                row = {}
            begun = begun if row else number
            row[name] = pair[2]
        elif columns and line.strip() and not set(line) <= set("- "):
            ends = [start for _, start in columns[1:]] + [len(line)]
            cells = {name: line[start:end] for (name, start), end in zip(columns, ends, strict=True)}
            yield from _route(reading, cells, number)
    if row:
        yield from _route(reading, row, begun)


JSON_FORMAT = json_format(NAME, _KEYS, _descends, _read_json, others=_NOT_AZURE)
TEXT_FORMAT = TextFormat(NAME, _SIGN, lambda *_: True, _read_text)
