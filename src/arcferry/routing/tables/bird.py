"""BIRD 1.6, 2 and 3: `show route` and `show route all`, from `birdc` or from its socket."""

import re
from collections.abc import Iterator, Sequence

from arcferry.routing.route import Route
from arcferry.routing.tables import values
from arcferry.routing.tables.capture import TypedCommand
from arcferry.routing.tables.reading import Reading, TextFormat
from arcferry.routing.tables.source import Line

_CODE = re.compile(r"(\d{4})[ -]")
_KIND = r"(?:unicast|unreachable|blackhole|prohibited|prohibit|via\s|dev\s|multicast)"
_ROUTE = re.compile(
    rf"\s?(?P<net>[0-9a-fA-F.:]+/\d{{1,3}})?\s+{_KIND}(?P<via>[^\[]*)\[(?P<from>[^\]]*)\](?P<rest>.*)$"
)
_SIGN = re.compile(
    rf"(?:\d{{4}}[ -])?(?:BIRD v?\d|Table \S+:\s*$|[0-9a-fA-F.:]+/\d{{1,3}}\s+{_KIND}[^\[]*\[[^\]]*\])"
)
_TABLE = re.compile(r"Table (\S+):\s*$")
_PATH_HINT = re.compile(r"\[AS([\d.]+)[ie?]\]")
_LOOKS_LIKE_ROW = re.compile(r"[0-9a-fA-F.:]+/\d{1,3}\s")


def _looks_right(head: Sequence[str], command: TypedCommand | None) -> bool:
    """A greeting alone is not enough: `show protocols` has one too."""
    if command is not None and re.search(r"\bshow\s+route\b", command.text) and "BIRD" in head[0]:
        return True
    lines = [_CODE.sub("", line, count=1) for line in head[:40]]
    return any(_TABLE.match(line) or (_ROUTE.match(line) and not line[0].isspace()) for line in lines if line)


class _BirdReader:
    def __init__(self, reading: Reading) -> None:
        self._reading = reading
        self._prefix = ""
        self._open = False
        self._best = False
        self._hop = self._path = self._communities = ""
        self._attributes = False
        self._routes = False

    def routes(self, lines: Iterator[Line]) -> Iterator[Route]:
        for number, line in lines:
            if line.startswith(("\t", " \t")):
                self._attribute(line.strip())
            else:
                yield from self._row(number, line)
        yield from self._end()
        if self._routes and not self._attributes and not self._reading.communities:
            self._reading.shows_communities = False

    def _row(self, number: int, line: str) -> Iterator[Route]:
        if code := _CODE.match(line):
            line = line[code.end() :]
            if line.startswith("\t"):
                self._attribute(line.strip())
                return
        match = _ROUTE.match(line)
        if match is None:
            if _TABLE.match(line):
                yield from self._end()
                self._prefix = ""
            elif _LOOKS_LIKE_ROW.match(line):
                self._reading.leave_out(number, line)
            return
        yield from self._end()
        network = match["net"]
        self._prefix = (values.prefix(network) or "") if network else self._prefix
        if not self._prefix:
            self._reading.leave_out(number, line)
            return
        self._open = True
        self._best = match["rest"].lstrip().startswith("*")
        hint = _PATH_HINT.search(match["rest"])
        self._path = hint[1] if hint else ""
        self._hop = values.address(match["via"].strip().partition(" ")[0])

    def _attribute(self, text: str) -> None:
        name, _, value = text.partition(":")
        if name in ("BGP.community", "bgp_community"):
            self._communities = value
        elif name in ("BGP.as_path", "bgp_path"):
            self._path = value
        elif text.startswith("via "):
            self._hop = self._hop or values.address(text.split()[1])
            return
        if name in ("Type", "BGP.origin", "bgp_origin", "source", "preference"):
            self._attributes = True

    def _end(self) -> Iterator[Route]:
        if self._open:
            self._routes = True
            best = self._reading.best(self._best)
            yield self._reading.route(self._prefix, self._communities, self._hop, self._path, best=best)
        self._open = False
        self._hop = self._path = self._communities = ""


FORMAT = TextFormat("bird", _SIGN, _looks_right, lambda reading, lines: _BirdReader(reading).routes(lines))
