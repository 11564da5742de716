"""Tables and entries of the routers whose `show bgp` looks like Cisco's; what differs stands in `Dialect`.

An entry is a block that begins with `BGP routing table entry for`: one prefix, then its paths.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from arcferry.routing.route import Route, Vantage
from arcferry.routing.tables import values
from arcferry.routing.tables.capture import excerpt
from arcferry.routing.tables.reading import Reading
from arcferry.routing.tables.source import Line
from arcferry.text import whole

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
    r"|No BGP prefixes displayed, (\d+) exist|Total Number of Routes:\s+(\d+))"
)
_HEADER = re.compile(r"\s*Network\s+Next ?-?Hop\s")
_LEGEND = re.compile(
    r"\s*(?:Status|Origin|RPKI|Nexthop|Path type|Route status|AS Path)\b.*:|\s+\S \S+|\s+[a-zA-Z] - "
)
_NEXT_HOP_COLUMN = 12
_ASIDE = re.compile(r"\s(?:Or-ID|C-LST|LL Nexthop|<[\d-]+/[\d-]+>).*$")
ENTRY = re.compile(
    r"\s{0,3}(?:VRF \d+ )?BGP routing table entry for (?:\[[^\]]*\])?(?:\d+:\d+:(?=\d+\.))?(\S+?),?(?:\s|$)"
)
_ENTRY_HOP = re.compile(r"(?:Nexthop )?([0-9A-Fa-f:.]+|-)(?:\([^)]*\))?(?: \([^)]*\))* (?:from|Neighbor) \S")
_FLAGS = ("Origin", "Received", "EBGP", "IBGP")
_BEST = re.compile(r"(?:^|,\s*|\sis\s)best(?:,|\s|$|\()")
_RECEIVED_ONLY = re.compile(r"received[ -]only")


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


@dataclass(slots=True)
class _Path:
    """One path of an entry in the making."""

    path: str = ""
    received_only: bool = False
    best: bool = False
    hop: str = ""
    communities: str = ""


class Entries:
    """Reads the entries of one answer, line by line."""

    def __init__(self, reading: Reading) -> None:
        self._reading = reading
        self._prefix = ""
        self._paths: list[_Path] = []
        self._before = ""
        self._next: _Path | None = None
        self._lists = False

    def begin(self, number: int, line: str) -> Iterator[Route]:
        """Begin with another prefix; what the one before held comes back."""
        yield from self.end()
        match = ENTRY.match(line)
        network = match[1] if match else ""
        self._prefix = values.prefix(network, classful=True) or ""
        if not self._prefix and (host := values.address(network)):
            self._prefix = f"{host}/{128 if ':' in host else 32}"
        if not self._prefix:
            self._reading.leave_out(number, line)

    def take(self, line: str) -> None:
        """Take one line below the entry's first."""
        text = line.strip()
        if not text or not line[0].isspace():
            self._lists = False
        elif (hop := _ENTRY_HOP.match(text)) is not None:
            before, self._lists = self._before, False
            path = self._next or _Path(before.partition(",")[0], _RECEIVED_ONLY.search(before) is not None)
            path.hop = hop[1]
            self._paths.append(path)
            self._next, self._before = None, ""
        elif text.startswith("Communit"):
            if self._paths:
                self._paths[-1].communities = text.partition(":")[2]
                self._lists = True
        elif text.startswith(_FLAGS):
            self._lists = False
            if self._paths and _BEST.search(text):
                self._paths[-1].best = True
        elif self._lists and values.is_community_list(text):
            self._paths[-1].communities += f" {text}"
        else:
            self._unnamed(line, text)

    def _unnamed(self, line: str, text: str) -> None:
        """Take a line that no name leads: NX-OS's two before a path, or the AS path of the others."""
        self._lists = False
        if text.startswith("Path type:"):
            received_only = _RECEIVED_ONLY.search(text) is not None
            self._next = _Path(received_only=received_only, best=_BEST.search(text) is not None)
        elif text.startswith("AS-Path:") and self._next:
            self._next.path = text[8:].partition(",")[0]
        else:
            self._before = line

    def end(self) -> Iterator[Route]:
        """The routes of the entry that ends here."""
        paths, prefix = self._paths, self._prefix
        self._paths, self._prefix, self._before, self._next, self._lists = [], "", "", None, False
        if not prefix:
            return
        used = {path.hop for path in paths if not path.received_only}
        received = self._reading.vantage is Vantage.RECEIVED
        for path in paths:
            yield self._reading.route(
                prefix,
                path.communities,
                path.hop,
                path.path if "Local" not in path.path else "",
                best=None if received and not path.best else path.best,
                filtered=path.received_only and path.hop not in used,
            )


class TableReader:
    """Reads one answer: rows of a table, entries, or both."""

    def __init__(self, dialect: Dialect, reading: Reading) -> None:
        self._dialect = dialect
        self._reading = reading
        self._row: _TableRow | None = None
        self._prefix = ""
        self._entries: Entries | None = None
        self._rows = self._tells_communities = False

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
                    self._entries.take(line)
            else:
                yield from self._table_line(number, line)
        yield from self._finished()
        if self._entries is not None:
            yield from self._entries.end()
        if self._rows and not self._tells_communities and not self._reading.communities:
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
        last = _path(row.tail, weight_joins=self._dialect.weight_joins_path)
        path, communities = ("", last) if self._tells_communities else (last, "")
        yield reading.route(
            row.prefix, communities, row.hop, path, best=reading.best(">" in row.status and not failed)
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
        if _HEADER.match(line) is None:
            return False
        # VRP puts communities where it has paths else, by the command.
        self._tells_communities = line.rstrip().endswith("Community")
        return True


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
