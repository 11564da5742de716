"""A router's own routing table: which next hop packets take, without communities, and often for one address.

`show ip route` of IOS, IOS-XR, NX-OS, Arista and FRRouting, FortiGate's `routing-table`, VRP's and Comware's
`display ip routing-table`, SR OS's `route-table`, PAN-OS's `show routing route`, RouterOS's `/ip route`.
"""

import re
from collections.abc import Iterator, Sequence

from arcferry.routing.route import Route
from arcferry.routing.tables import values
from arcferry.routing.tables.capture import TypedCommand
from arcferry.routing.tables.patterns import all_compiled, compiled, held
from arcferry.routing.tables.reading import Reading, TextFormat
from arcferry.routing.tables.source import Line

_DATA = held("rib.toml")
_ROWS = all_compiled(row["pattern"] for row in _DATA["row"])
_SIGN = compiled(_DATA["sign"])
_BGP = compiled(_DATA["bgp"])
_OWN = frozenset(_DATA["own"])
_ENTRY = compiled(r"\s{0,4}Routing entry for (?P<net>NET)")
_KNOWN = re.compile(r'\s+Known via "(?P<proto>[^"]{1,30})"')
_TAG = re.compile(r"(?:^|\s)[Tt]ag (?P<path>\d{1,10})\b")
_BELOW = compiled(
    r"\s*(?:\*\s*)?(?:\[\d+/\d+\]\s+)?(?:\*?via )?(?:vrf \d+ )?(?P<hop>ADDRESS)(?=[,\s]|$)(?P<rest>.*)"
)
_DIRECT = re.compile(r"\s*\*?\s*(?:via )?(?:directly connected|Null0|.*\bvia Null0)")
_PROTOCOL = re.compile(r"\b(bgp|static|direct|local|ospf|eigrp)\b")
_SUBNETTED = compiled(r"\s+IPV4/(?P<length>\d{1,2}) is subnetted")


def _is_own(proto: str) -> bool:
    return proto.strip(" *>?").lower() in _OWN


class _RibReader:
    def __init__(self, reading: Reading) -> None:
        self._reading = reading
        self._prefix = self._proto = self._path = ""
        self._hops: list[str] = []
        self._length = ""
        self._is_best = self._marks_best = False

    def routes(self, lines: Iterator[Line]) -> Iterator[Route]:
        self._reading.shows_communities = False
        for number, line in lines:
            if subnetted := _SUBNETTED.match(line):
                self._length = subnetted["length"]
            elif entry := _ENTRY.match(line):
                yield from self._end()
                self._begin(number, line, entry["net"])
            elif row := next((found for one in _ROWS if (found := one.match(line))), None):
                yield from self._end()
                told = row.groupdict()
                self._begin(number, line, row["net"])
                self._proto, self._path = told.get("proto") or "", told.get("path") or ""
                self._hops = [told["hop"]] if told.get("hop") else []
            elif self._prefix:
                self._below(line)
        yield from self._end()

    def _begin(self, number: int, line: str, network: str) -> None:
        text = network if "/" in network or not self._length else f"{network}/{self._length}"
        self._prefix = values.prefix(text, classful=True) or ""
        self._proto, self._path, self._hops, self._is_best = "", "", [], not self._marks_best
        if not self._prefix:
            self._reading.leave_out(number, line)

    def _below(self, line: str) -> None:
        """A next hop, how the route is known, or its tag, which IOS sets to the neighbour's AS."""
        if known := _KNOWN.match(line):
            self._proto = known["proto"]
            # FortiGate lists every route to the address and says which one is used.
            self._is_best = self._is_best or ", best" in line
            self._marks_best = self._marks_best or ", best" in line
        elif hop := _BELOW.match(line):
            self._hops.append(hop["hop"])
            if not self._proto and (
                told := re.search(r"\b(bgp|static|direct|local|ospf|eigrp)\b", hop["rest"])
            ):
                self._proto = told[1]
        elif _DIRECT.match(line):
            self._proto = self._proto or "connected"
        if tag := _TAG.search(line):
            self._path = self._path or tag["path"]

    def _end(self) -> Iterator[Route]:
        prefix, self._prefix = self._prefix, ""
        if not prefix:
            return
        path = self._path if _BGP.match(self._proto.strip(" *>")) and self._path != "0" else ""
        for hop in self._hops or [""]:
            yield self._reading.route(prefix, "", hop, path, best=self._is_best, own=_is_own(self._proto))


def _looks_right(head: Sequence[str], command: TypedCommand | None) -> bool:
    if command is not None and re.search(
        r"(?i)\bbgp\b(?!.*\brouting-table\b)", command.text.partition("|")[0]
    ):
        return bool(re.search(r"(?i)route\s+bgp", command.text))
    return any(_ENTRY.match(line) or any(row.match(line) for row in _ROWS) for line in head)


FORMAT = TextFormat(
    "routing-table", _SIGN, _looks_right, lambda reading, lines: _RibReader(reading).routes(lines)
)
