"""Blocks that begin with `BGP routing table entry for`: one prefix, then its paths with their attributes."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from arcferry.routing.route import Route, Vantage
from arcferry.routing.tables import values
from arcferry.routing.tables.reading import Reading

ENTRY = re.compile(
    r"\s{0,3}BGP routing table entry for (?:\[[^\]]*\])?(?:\d+:\d+:(?=\d+\.))?(\S+?),?(?:\s|$)"
)
_HOP = re.compile(r"(?:Nexthop )?([0-9A-Fa-f:.]+|-)(?:\([^)]*\))?(?: \([^)]*\))* (?:from|Neighbor) \S")
_FLAGS = ("Origin", "Received", "EBGP", "IBGP")
_BEST = re.compile(r"(?:^|,\s*|\sis\s)best(?:,|\s|$|\()")
_RECEIVED_ONLY = re.compile(r"received[ -]only")


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

    def line(self, line: str) -> Iterator[Route]:
        """Take one line below the entry's first; nothing comes back before the entry ends."""
        text = line.strip()
        if not text or not line[0].isspace():
            self._lists = False
        elif (hop := _HOP.match(text)) is not None:
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
        return iter(())

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
