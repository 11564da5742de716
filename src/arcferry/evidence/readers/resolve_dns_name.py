"""What `Resolve-DnsName` prints, as a table, a list, or both; its property names are English everywhere."""

import re
from dataclasses import dataclass, field

from arcferry.evidence.document import Document, Kind
from arcferry.evidence.readers import values
from arcferry.probe.observation import DnsAnswer

_HEADING = re.compile(r"^\s*Name\s+Type\s+TTL\s+Section\s+(?:NameHost|IPAddress)", re.IGNORECASE)
_ROW = re.compile(
    r"^\s*([A-Za-z0-9_.-]{1,254})(?:\.\.\.|…)?\s+(A|AAAA|CNAME|SOA)\s+\d{1,10}\s+(\w{1,20})\s+(\S{1,254})"
)
_PAIR = re.compile(
    r"^\s*(Name|QueryType|Type|NameHost|IP4Address|IP6Address|IPAddress|Section)\s*: ?(\S{0,254})\s*$"
)
_COMMAND = re.compile(r"Resolve-DnsName\s+(?:-Name\s+)?[\"']?([A-Za-z0-9_.-]{1,253})", re.IGNORECASE)
_ERROR = re.compile(
    r"FullyQualifiedErrorId\s*: "
    r"?(DNS_ERROR_RCODE_NAME_ERROR|RCODE_NAME_ERROR|DNS_ERROR\w{0,40}|"
    r"ERROR_TIMEOUT)[\w]*,.{0,80}DnsClient"
)
_TARGET = re.compile(r"\(([A-Za-z0-9_.-]{1,253}):String\) \[Resolve-DnsName\]")


@dataclass(slots=True)
class _Asked:
    """One question: the links in order, and the addresses."""

    links: list[tuple[str, str]] = field(default_factory=list)
    addresses: list[tuple[str, str]] = field(default_factory=list)

    def answer(self, name: str, asked: str) -> DnsAnswer | None:
        """The answer; a link's own name may be wrapped, so that the order of the links is what counts."""
        first = self.links[0][0] if self.links else self.addresses[0][0] if self.addresses else ""
        host = asked or first
        if not host or not self.addresses:
            return None
        chain = tuple(link for _, link in self.links if link)
        return DnsAnswer(
            host, chain, tuple(dict.fromkeys(address for _, address in self.addresses)), origin=name
        )


def _take_row(asked: _Asked, owner: str, told: str) -> None:
    if address := values.address(told):
        asked.addresses.append((values.host(owner), address))
    elif host := values.host(told):
        asked.links.append((values.host(owner), host))


def _is_own(line: str) -> bool:
    return bool(_HEADING.match(line) or _ROW.match(line) or _PAIR.match(line))


def _questions(lines: list[str]) -> list[tuple[str, _Asked]]:
    """The questions, each from its command, or from the first line after a table's heading."""
    found: list[tuple[str, _Asked]] = []
    owner = ""
    for line in lines:
        if command := _COMMAND.search(line):
            found.append((values.host(command[1]), _Asked()))
        elif not _is_own(line):
            continue
        elif not found:
            found.append(("", _Asked()))
        if row := _ROW.match(line):
            if row[3].lower() == "answer":
                _take_row(found[-1][1], row[1], row[4])
        elif pair := _PAIR.match(line):
            if pair[1] == "Name":
                owner = pair[2]
            elif pair[1] in ("NameHost", "IP4Address", "IP6Address", "IPAddress"):
                _take_row(found[-1][1], owner, pair[2])
    return found


def _missing(lines: list[str], name: str) -> list[DnsAnswer]:
    found = []
    for place, line in enumerate(lines):
        if (error := _ERROR.search(line)) and "RCODE_NAME_ERROR" in error[1]:
            near = "\n".join(lines[max(0, place - 3) : place])
            if target := _TARGET.search(near):
                found.append(DnsAnswer(values.host(target[1]), (), (), rcode="NXDOMAIN", origin=name))
    return [answer for answer in found if answer.host]


def read(name: str, text: str) -> Document | None:
    """The answers, or None where `text` is no output of Resolve-DnsName."""
    lines = [line[:1000] for line in text.splitlines()[:20_000]]
    told = any(_HEADING.match(line) for line in lines) or any(
        line.strip().startswith("QueryType") for line in lines
    )
    missing = _missing(lines, name)
    if not told and not missing:
        return None
    answers = [answer for asked, one in _questions(lines) if (answer := one.answer(name, asked))]
    return Document(name, Kind.DNS_ANSWERS, answers=(*answers, *missing)) if answers or missing else None
