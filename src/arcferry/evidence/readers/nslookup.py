"""What `nslookup` prints, on Windows in any language and on Linux.

Labels are localised and names are not: a name with an address first is the server's, the answer follows.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from arcferry import catalog
from arcferry.evidence.document import Document, Kind
from arcferry.evidence.readers import values
from arcferry.probe.observation import DnsAnswer

_FIELD = re.compile(r"^\s{0,4}([^\s:|>*][^:|]{0,40}?)\s?[:\uff1a][ \t\xa0]*(\S[^\n]*)?$")
_ALIAS = re.compile(r"^([A-Za-z0-9_.-]{1,253})\s+canonical name = ([A-Za-z0-9_.-]{1,253})")
_MISSING = re.compile(r"^\*{2,3} .{0,80}?([A-Za-z0-9_-]{1,63}(?:\.[A-Za-z0-9_-]{1,63}){1,20})[^\n]{0,200}")
_TIMED_OUT = re.compile(r"timed[ -]?out|no servers could be reached|DNS request timed out", re.IGNORECASE)
_COMMAND = re.compile(r"\bnslookup\b", re.IGNORECASE)
_MOST = 20_000


@dataclass(slots=True)
class _Block:
    """One question with its answer, as far as it was read."""

    resolver: str = ""
    names: list[str] = field(default_factory=list)
    addresses: list[str] = field(default_factory=list)
    links: list[tuple[str, str]] = field(default_factory=list)


def _address(value: str) -> str:
    return values.address(value.partition("#")[0].strip())


def _name(value: str) -> str:
    host = values.host(value.strip())
    return host if host and not _address(value) else ""


def _blocks(lines: list[str]) -> Iterator[_Block]:
    """A block begins where a label with a server's name is followed by one with its address."""
    block: _Block | None = None
    for place, line in enumerate(lines):
        following = lines[place + 1] if place + 1 < len(lines) else ""
        if server := _server(line, following):
            if block:
                yield block
            block = _Block(resolver=server)
        elif block is not None:
            _take(block, line, is_servers=place > 0 and _server(lines[place - 1], line) != "")
    if block:
        yield block


def _server(line: str, following: str) -> str:
    """The server's address, where these two lines introduce it: its name or address, then its address."""
    first, second = _FIELD.match(line), _FIELD.match(following)
    if not first or not second or not first[2] or not second[2] or line.startswith((" ", "\t")):
        return ""
    address = _address(second[2]) if second[1].strip() == "Address" else ""
    if not address or _is_answer(first[1]) or catalog.endpoint_named(values.host(first[2]) or "-"):
        return ""
    return address


def _is_answer(label: str) -> bool:
    return label.strip().lower() in ("name", "nom", "nombre", "nome", "名稱", "名称", "名前", "aliases")


def _take(block: _Block, line: str, *, is_servers: bool) -> None:
    if is_servers:
        return
    if link := _ALIAS.match(line):
        block.links.append((values.host(link[1]), values.host(link[2])))
        return
    found = _FIELD.match(line)
    told = found[2] or "" if found else line.strip()
    if address := _address(told):
        block.addresses.append(address)
    elif (name := _name(told)) and (found or block.addresses):
        block.names.append(name)


def _missing(lines: list[str]) -> Iterator[tuple[str, str]]:
    """Names of the catalogue that the server did not give, with what became of the question."""
    for line in lines:
        if _MISSING.match(line):
            hosts = [values.host(word.strip("'\":,.。")) for word in re.split(r"[\s'\"“”„«»:]+", line)]
            for host in hosts:
                if host and "." in host and catalog.endpoint_named(host):
                    yield (
                        host,
                        "TIMEOUT"
                        if _TIMED_OUT.search(line)
                        else "SERVFAIL"
                        if "SERVFAIL" in line
                        else "NXDOMAIN",
                    )


def _answer(block: _Block, name: str) -> DnsAnswer | None:
    """The answer. Windows prints the final name first and the names that led to it as aliases."""
    if not block.addresses and not block.links:
        return None
    if block.links:
        asked = block.links[0][0]
        chain = tuple(dict.fromkeys(link[1] for link in block.links if link[1]))
    else:
        final, aliases = (block.names[0] if block.names else ""), block.names[1:]
        asked = aliases[0] if aliases else final
        chain = (*aliases[1:], final) if aliases else ()
    if not asked:
        return None
    return DnsAnswer(asked, chain, tuple(dict.fromkeys(block.addresses)), block.resolver, origin=name)


def _looks_right(lines: list[str], blocks: list[_Block]) -> bool:
    asked = any(_COMMAND.search(line) for line in lines)
    names = {name for block in blocks for name in (*block.names, *(link[0] for link in block.links))}
    return asked or any(catalog.endpoint_named(name) for name in names if name)


def read(name: str, text: str) -> Document | None:
    """The answers, or None where `text` is no output of nslookup about an endpoint of Azure Arc."""
    lines = [line.rstrip()[:1000] for line in text.splitlines()[:_MOST]]
    blocks = list(_blocks(lines))
    missing = dict(_missing(lines))
    if not (blocks or missing) or not (_looks_right(lines, blocks) or missing):
        return None
    answers = [answer for block in blocks if (answer := _answer(block, name))]
    resolver = blocks[-1].resolver if blocks else ""
    answered = {answer.host for answer in answers}
    answers += [
        DnsAnswer(host, (), (), resolver, rcode, name)
        for host, rcode in missing.items()
        if host not in answered and rcode != "TIMEOUT"
    ]
    return Document(name, Kind.DNS_ANSWERS, answers=tuple(answers)) if answers else None
