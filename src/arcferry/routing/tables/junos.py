"""Junos, text: `show route` and `show route receive-protocol bgp`, brief, terse, detail and extensive."""

import re
from collections.abc import Iterator

from arcferry.routing.route import Route, Vantage
from arcferry.routing.tables import values
from arcferry.routing.tables.reading import Reading, TextFormat
from arcferry.routing.tables.source import Line

_NET = r"(?P<net>(?:\d{1,3}(?:\.\d{1,3}){3}|[0-9a-fA-F]{0,4}:[0-9a-fA-F:.]*)/\d{1,3})"
_TABLE = re.compile(r"(?P<name>[\w.-]{0,80}?\.\d+|inet6?\.\d+): \d+ destinations, \d+ routes")
_IP_TABLE = re.compile(r"(?:.*\.)?inet6?\.\d+$")
_RECEIVE_HEADER = re.compile(r"\s+Prefix\s+Nexthop\s+MED\s+Lclpref\s+AS path")
_TERSE_HEADER = re.compile(r"A\s+(?:V\s+)?Destination\s+P\s+Prf\s+Metric")
_RECEIVE_ROW = re.compile(rf"(?P<active>[* ]) {_NET}\s+(?P<hop>\S+)(?P<rest>.*)$")
_ENTRY = re.compile(rf"(?P<active>[* ]?)\s?{_NET} \(\d+ entr(?:y|ies)")
_BRIEF = re.compile(rf"(?:{_NET})?\s*(?P<flag>[*+-])?\[(?P<protocol>[A-Za-z0-9-]+)/\d+")
_PROTOCOL = re.compile(
    r"\s+(?P<flag>[*+-]?)(?P<protocol>BGP|Static|Direct|Local|OSPF\d?|IS-IS|RIP|Aggregate)\s+Preference:"
)
_TERSE = re.compile(
    rf"(?P<active>[*?+ -]{1, 4}?)\s*(?:[VNUI?]\s+)?{_NET}\s+(?P<protocol>[A-Z])\s+\d+\s+(?P<rest>.*)$"
)
_HOP = re.compile(r"\s+>?\s*(?:to|Next hop:|Nexthop:|Protocol next hop:)\s+(?P<hop>[0-9a-fA-F.:]+)")
_MARKED_HOP = re.compile(r".{0,80}>(?P<hop>[0-9a-fA-F.:]+)")
_DETAIL = re.compile(r"\s+(?:Communities:|Next hop type|Nexthop:|State:|RouteFile:|Accepted)")
_AS_PATH = re.compile(r"\s+AS path: (?P<path>[^,]*)")
_COMMUNITIES = re.compile(r"\s+Communities: (?P<list>.*)$")
_HIDDEN = re.compile(
    r"\s+(?:State: <[^>]*\bHidden\b|Hidden reason: (?:rejected by import policy|[Rr]ejected))"
)
_SIGN = re.compile(rf"{_TABLE.pattern}|{_RECEIVE_HEADER.pattern}")


class _JunosReader:
    """Junos names its attributes, so that one walk reads every form but the two tables."""

    def __init__(self, reading: Reading) -> None:
        self._reading = reading
        self._prefix = ""
        self._lists = False
        self._skipped = False
        self._detailed = self._rows = False
        self._start()

    def _start(self, *, best: bool | None = None) -> None:
        self._open = False
        self._best = best
        self._filtered = False
        self._hop = self._path = self._communities = ""

    def routes(self, lines: Iterator[Line]) -> Iterator[Route]:
        for number, line in lines:
            if not line.strip() or line.startswith("{"):
                continue
            if line[0].isspace() and self._open and self._attribute(line):
                continue
            yield from self._first_line(number, line)
        yield from self._end()
        if self._rows and not self._detailed and not self._reading.communities:
            self._reading.shows_communities = False

    def _first_line(self, number: int, line: str) -> Iterator[Route]:
        if table := _TABLE.match(line):
            yield from self._end()
            self._prefix = ""
            self._skipped = _IP_TABLE.match(table["name"]) is None
        elif _RECEIVE_HEADER.match(line):
            self._reading.vantage = Vantage.RECEIVED
        elif self._skipped or _TERSE_HEADER.match(line):
            return
        elif match := _ENTRY.match(line) or _PROTOCOL.match(line) or _BRIEF.match(line):
            yield from self._end()
            self._begin(match)
        elif match := _RECEIVE_ROW.match(line) or _TERSE.match(line):
            yield from self._end()
            self._row(match)
        elif re.match(r"[* ]?\s?[0-9a-fA-F.:]+/\d", line):
            self._reading.leave_out(number, line)

    def _begin(self, match: "re.Match[str]") -> None:
        groups = match.groupdict()
        if groups.get("net"):
            self._prefix = values.prefix(groups["net"]) or ""
        flag = groups.get("flag")
        active = groups.get("active")
        self._start(best=flag in ("*", "+") if flag is not None or "flag" in groups else active == "*")
        # An entry of `show route detail` holds protocols; one of `receive-protocol` is the route itself.
        self._open = bool(self._prefix) and groups.get("protocol", "BGP") == "BGP"

    def _row(self, match: "re.Match[str]") -> None:
        """Open the route of a table's row; a terse one may have its next hop on the line below."""
        groups = match.groupdict()
        self._start(best=groups["active"].strip().startswith(("*", "+")))
        self._prefix = values.prefix(groups["net"]) or ""
        self._open = bool(self._prefix) and groups.get("protocol", "B") == "B"
        rest = groups["rest"].rstrip()
        self._path = rest.rpartition("  ")[2]
        self._hop = groups.get("hop") or ""
        if hop := _MARKED_HOP.search(rest):
            self._hop, self._path = hop["hop"], rest[hop.end() :]

    def _attribute(self, line: str) -> bool:
        """Take an attribute of the route that is open; whether the line was one."""
        if self._lists and values.is_community_list(line):
            self._communities += f" {line}"
            return True
        self._lists = False
        self._detailed = self._detailed or _DETAIL.match(line) is not None
        if match := _HOP.match(line) or _MARKED_HOP.match(line):
            self._hop = self._hop or match["hop"]
            if "Nexthop:" in line:
                self._reading.vantage = Vantage.RECEIVED
        elif match := _AS_PATH.match(line):
            self._path = match["path"]
        elif match := _COMMUNITIES.match(line):
            self._communities = match["list"]
            self._lists = True
        elif _HIDDEN.match(line):
            self._filtered = True
        else:
            begins = (_PROTOCOL, _BRIEF, _ENTRY, _RECEIVE_ROW, _TERSE)
            return not any(pattern.match(line) for pattern in begins)
        return True

    def _end(self) -> Iterator[Route]:
        if self._open and (self._hop or self._path or self._communities):
            self._rows = True
            yield self._reading.route(
                self._prefix,
                self._communities,
                self._hop,
                self._path,
                best=self._best,
                filtered=self._filtered,
            )
        self._start()


FORMAT = TextFormat(
    "junos", _SIGN, lambda *_: True, lambda reading, lines: _JunosReader(reading).routes(lines)
)
