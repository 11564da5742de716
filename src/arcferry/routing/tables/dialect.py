"""Tables and entries of the routers whose `show bgp` looks like Cisco's; what differs stands in `Dialect`."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from arcferry.numbers import whole
from arcferry.routing.route import Route, Vantage
from arcferry.routing.tables import values
from arcferry.routing.tables.capture import excerpt
from arcferry.routing.tables.entries import ENTRY, Entries
from arcferry.routing.tables.reading import Reading
from arcferry.routing.tables.source import Line

_V4 = r"\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3}"
_V6 = r"[0-9A-Fa-f]{0,4}:[0-9A-Fa-f:.]{1,45}"
_ROW_V4 = re.compile(rf"([^\d:.\n]{{0,48}})({_V4})(/\d{{1,2}})?(?=\s|$)(.*)")
_ROW_V6 = re.compile(r"([^\d:\n]{0,48}?)([0-9A-Fa-fi]{0,6}:[0-9A-Fa-f:.]{1,45})(/\d{1,3})?(?=\s|$)(.*)")
_HOP = re.compile(rf"\s+({_V4}|{_V6}|-)(?=\s|$)(.*)")
_STATUS = re.compile(r"[\s*>=|&%#~!@+<a-zA-Z-]*")
_NUMBERS = re.compile(r"[\d\s.{},()-]*(?:[ie?]\s*)?(?:Or-ID.*|C-LST.*)?$")
_ENDS = re.compile(r"(?:^|\s)[ie?](?:$|\s)")
_MOST_ROUTES = 10**9
_DECLARED = re.compile(
    r"\s*(?:Total number of prefixes\s+(\d+)(?P<filtered> \(\d+ filtered\))?"
    r"|Processed\s+(\d+) prefixes, (\d+) paths"
    r"|Displayed\s+(\d+) routes and (\d+) total paths|Displayed\s+(\d+) (?:out of \d+ )?total prefixes"
    r"|No BGP prefixes displayed, (\d+) exist)"
)
_HEADER = re.compile(r"\s*Network\s+Next ?-?Hop\s")
_LEGEND = re.compile(
    r"\s*(?:Status|Origin|RPKI|Nexthop|Path type|Route status|AS Path)\b.*:|\s+\S \S+|\s+[a-zA-Z] - "
)
_NEXT_HOP_COLUMN = 12
_ASIDE = re.compile(r"\s(?:Or-ID|C-LST|LL Nexthop).*$")


@dataclass(frozen=True, slots=True)
class Dialect:
    """How one router's table differs.

    Attributes:
        name: the format.
        classful: whether a network without a length has that of its class.
        weight_joins_path: whether the weight stands one space before the path, right-aligned.
        status_width: the width of the status glued to the network; 0 where a space follows it.
    """

    name: str
    classful: bool = True
    weight_joins_path: bool = True
    status_width: int = 0


@dataclass(slots=True)
class _TableRow:
    status: str
    prefix: str
    hop: str
    tail: str
    number: int
    line: str


class TableReader:
    """Reads one answer: rows of a table, entries, or both."""

    def __init__(self, dialect: Dialect, reading: Reading) -> None:
        self._dialect = dialect
        self._reading = reading
        self._row: _TableRow | None = None
        self._prefix = ""
        self._entries: Entries | None = None
        self._rows = False

    def routes(self, lines: Iterator[Line]) -> Iterator[Route]:
        """The routes, one by one; what else the lines tell goes to the reading."""
        for number, line in lines:
            if "BGP routing table entry" in line and ENTRY.match(line):
                yield from self._finished()
                self._entries = self._entries or Entries(self._reading)
                yield from self._entries.begin(number, line)
            elif self._entries is not None:
                if not line[:6].isspace() and (_HEADER.match(line) or _DECLARED.match(line)):
                    yield from self._entries.end()
                    self._entries = None
                    self._other(line)
                else:
                    yield from self._entries.line(line)
            else:
                yield from self._table_line(number, line)
        yield from self._finished()
        if self._entries is not None:
            yield from self._entries.end()
        if self._rows and not self._reading.communities:
            self._reading.shows_communities = False

    def _table_line(self, number: int, line: str) -> Iterator[Route]:
        if not line or line.isspace():
            return
        if (row := self._begun(number, line)) is not None:
            waiting = self._row
            if waiting and not waiting.hop and not row.prefix and not row.status.strip():
                waiting.hop, waiting.tail = row.hop, row.tail
                return
            yield from self._finished()
            row.prefix = row.prefix or self._prefix
            self._prefix = row.prefix
            self._row = row
        elif self._row and not _ENDS.search(self._row.tail) and _NUMBERS.fullmatch(line):
            self._row.tail += line if line[0].isspace() else f" {line}"
        else:
            yield from self._finished()
            if not self._other(line) and "*" in line[:6] and not _LEGEND.match(line):
                self._reading.leave_out(number, line)

    def _begun(self, number: int, line: str) -> _TableRow | None:
        """The row that a line begins: with a prefix, or with another next hop of the prefix before it."""
        match = _ROW_V4.match(line) or self._ipv6(line)
        if match is None or not _STATUS.fullmatch(match[1]):
            return None
        status, network, length, rest = match[1], match[2], match[3], match[4]
        if len(status.split(" ")[0].strip()) > 6:  # noqa: PLR2004 - no status has more letters
            return None
        hop = _HOP.match(rest)
        if length or hop or (not rest.strip() and match.start(2) < _NEXT_HOP_COLUMN):
            prefix = values.prefix(network + (length or ""), classful=self._dialect.classful)
            if prefix is None:
                return None
            tail = hop[2] if hop else rest
            return _TableRow(status, prefix, hop[1] if hop else "", tail, number, line)
        if not self._prefix or (
            status and not status[0].isspace() and "*" not in status and ">" not in status
        ):
            return None
        return _TableRow(status, "", network, rest, number, line)

    def _ipv6(self, line: str) -> "re.Match[str] | None":
        if (width := self._dialect.status_width) and line[width - 1 : width].isalpha():
            line = f"{line[:width]} {line[width:]}"
        match = _ROW_V6.match(line)
        while match and not values.address(match[2]):
            # A status letter that is a hexadecimal digit too is glued to the network: `*>e2001:db8::`.
            cut = match.start(2) + 1
            if not line[cut - 1].isalpha():
                return None
            line = f"{line[:cut]} {line[cut:]}"
            match = _ROW_V6.match(line)
        return match

    def _finished(self) -> Iterator[Route]:
        row, self._row = self._row, None
        if row is None:
            return
        self._rows = True
        reading = self._reading
        if not row.hop and not row.tail:
            reading.leave_out(row.number, row.line)
            return
        if "h" in row.status:
            return
        # `r` is a RIB failure, but NX-OS's path type of a redistributed route.
        failed = "r" in row.status and not self._dialect.status_width
        path = _path(row.tail, weight_joins=self._dialect.weight_joins_path)
        yield reading.route(
            row.prefix, "", row.hop, path, best=reading.best(">" in row.status and not failed)
        )

    def _other(self, line: str) -> bool:
        """Take what a line that is no route tells; whether it told something."""
        if declared := _DECLARED.match(line):
            counts = [whole(group, most=_MOST_ROUTES) for group in declared.groups() if group]
            self._reading.declared = tuple(count for count in counts if count is not None)
            if declared["filtered"]:
                self._reading.vantage = Vantage.RECEIVED
            return True
        if line.lstrip().startswith("Route Distinguisher"):
            self._prefix = ""
            return True
        if line.startswith("%") and (command := self._reading.command):
            self._reading.notes.append(f"{command.shown}: {excerpt(line[1:])}")
            return True
        return _HEADER.match(line) is not None


def _path(tail: str, *, weight_joins: bool) -> str:
    """The AS path at a row's end. Blank columns before it leave gaps; the weight stands one space before it.

    A capture that lost its gaps is told by a weight of 0 or 32768, which no AS path has in its first places.
    """
    tail = _ASIDE.sub("", tail).expandtabs().rstrip()
    gap = tail.rfind("  ")
    run = tail[gap + 2 :] if gap >= 0 else tail.strip()
    words = run.split(" ")
    if not weight_joins or not run:
        return run
    if gap >= 0:
        return " ".join(words[1:]) if words[0].isdigit() else run
    known = [index for index, word in enumerate(words[:3]) if word in ("0", "32768")]
    return " ".join(words[known[-1] + 1 :]) if known else run
