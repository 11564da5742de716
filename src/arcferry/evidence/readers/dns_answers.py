"""What resolvers answered: `nslookup`, `dig`, `Resolve-DnsName`, and answers written down as JSON."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from arcferry import catalog, typed
from arcferry.errors import FileInputError
from arcferry.evidence.case import Document, Kind
from arcferry.evidence.readers import values
from arcferry.probe.observation import DnsAnswer

_MOST_NAMES = 5000
_MOST_LINES = 20_000

_HEADER = re.compile(r"->>HEADER<<-.{0,80}\bstatus: ([A-Z]{2,20})")
_HEADER_LINE = re.compile(r"^;; ->>HEADER<<-|^.*->>HEADER<<-", re.MULTILINE)
_QUESTION = re.compile(r"^;([A-Za-z0-9_.-]{1,254})\s+(?:IN|CH|HS)?\s*(A|AAAA|CNAME|ANY)\s*$")
_RECORD = re.compile(r"^([A-Za-z0-9_.-]{1,254})\s+(?:\d{1,10}\s+)?IN\s+(A|AAAA|CNAME)\s+(\S{1,254})\s*$")
_SERVER = re.compile(r"^;; SERVER: ([0-9A-Fa-f.:]{2,45})#\d+")

_DIG_BRIEF = re.compile(r"\bdig\b(?=.{0,300}? \+(?:short|noall)\b)(.{0,300})")

_HEADING = re.compile(r"^\s*Name\s+Type\s+TTL\s+Section\s+(?:NameHost|IPAddress)", re.IGNORECASE)
_ROW = re.compile(
    r"^\s*([A-Za-z0-9_.-]{1,254})(?:\.\.\.|…)?\s+(?:A|AAAA|CNAME|SOA)\s+\d{1,10}\s+(\w{1,20})\s+(\S{1,254})"
)
_PROPERTY = re.compile(
    r"^\s*(Name|QueryType|Type|NameHost|IP4Address|IP6Address|IPAddress|Section)\s*: ?(\S{0,254})\s*$"
)
_RESOLVE = re.compile(r"Resolve-DnsName\s+(?:-Name\s+)?[\"']?([A-Za-z0-9_.-]{1,253})", re.IGNORECASE)
_NAME_ERROR = re.compile(
    r"FullyQualifiedErrorId\s*: ?(?:DNS_ERROR_RCODE_NAME_ERROR|RCODE_NAME_ERROR)\w*,.{0,80}DnsClient"
)
_ERROR_OF = re.compile(r"\(([A-Za-z0-9_.-]{1,253}):String\) \[Resolve-DnsName\]")

_NSLOOKUP = re.compile(r"\bnslookup\b", re.IGNORECASE)
_LABELLED = re.compile(r"^\s{0,4}([^\s:|>*][^:|]{0,40}?)\s?[:\uff1a][ \t\xa0]*(\S[^\n]*)?$")
_ALIAS = re.compile(r"^([A-Za-z0-9_.-]{1,253})\s+canonical name = ([A-Za-z0-9_.-]{1,253})")
_NOT_FOUND = re.compile(r"^\*{2,3} .{0,80}?([A-Za-z0-9_-]{1,63}(?:\.[A-Za-z0-9_-]{1,63}){1,20})[^\n]{0,200}")
_TIMED_OUT = re.compile(r"timed[ -]?out|no servers could be reached|DNS request timed out", re.IGNORECASE)
_NAME_LABELS = ("name", "nom", "nombre", "nome", "名稱", "名称", "名前", "aliases")


def _is_answer(value: object) -> bool:
    if value is None or (isinstance(value, list) and all(isinstance(item, str) for item in value)):
        return True
    return isinstance(value, Mapping) and any(key in value for key in ("addresses", "chain", "rcode"))


def is_json(value: object) -> bool:
    """Whether this is `{"resolver", "taken", "answers": {name: {"chain", "addresses", "rcode"}}}`."""
    answers = values.mapping(value).get("answers")
    return isinstance(answers, Mapping) and all(_is_answer(item) for item in list(answers.values())[:50])


def read_json(name: str, value: object) -> Document:
    """The answers. A name whose value is null, or an empty list, is one that the resolver did not find.

    Raises:
        FileInputError: a name or an address is none, with the name.
    """
    document = values.mapping(value)
    resolver, taken = typed.resolver(document.get("resolver")), values.instant(document.get("taken"))
    answers = []
    for key, item in list(values.mapping(document.get("answers")).items())[:_MOST_NAMES]:
        host = values.host(key)
        if not host:
            raise FileInputError(name, f"{typed.shown(values.short(key, 80))} under answers is no host name")
        fields = values.mapping(item)
        given = values.texts(fields.get("addresses") if isinstance(item, Mapping) else item)
        if wrong := [text for text in given if not values.address(text)]:
            shown = typed.shown(values.short(wrong[0], 80))
            raise FileInputError(name, f"{shown}, an answer for {host}, is no IP address")
        chain, rcode = values.hosts(fields.get("chain")), values.word(fields.get("rcode"), 20).upper()
        answers.append(DnsAnswer(host, chain, values.addresses(given), resolver, rcode, name, taken))
    return Document(name, Kind.DNS_ANSWERS, taken, answers=tuple(answers))


def _dig_answer(part: str, name: str) -> DnsAnswer | None:
    """One question's answer: the chain in the order of the records, the addresses of its end."""
    header = _HEADER.search(part)
    lines = [line.strip() for line in part.splitlines()]
    asked = next((values.host(found[1]) for line in lines if (found := _QUESTION.match(line))), "")
    records = [found for line in lines if (found := _RECORD.match(line))]
    host = asked or (values.host(records[0][1]) if records else "")
    if not host or header is None:
        return None
    chain = tuple(link for record in records if record[2] == "CNAME" and (link := values.host(record[3])))
    given = [values.address(record[3]) for record in records if record[2] != "CNAME"]
    server = next((match[1] for line in lines if (match := _SERVER.match(line))), "")
    return DnsAnswer(
        host, chain, tuple(dict.fromkeys(filter(None, given))), values.address(server), header[1], name
    )


def read_dig(name: str, text: str) -> Document | None:
    """The answers that `dig` prints in its usual form, or None if `text` is no output of it."""
    if "->>HEADER<<-" not in text:
        return None
    starts = [found.start() for found in _HEADER_LINE.finditer(text)]
    parts = [text[start:end] for start, end in zip(starts, [*starts[1:], len(text)], strict=True)][:2000]
    merged: dict[str, DnsAnswer] = {}
    for part in parts:
        if answer := _dig_answer(part, name):
            before = merged.get(answer.host)
            # A and AAAA are asked one after the other; together they are the name's answer.
            if not (before and before.addresses and not answer.addresses):
                merged[answer.host] = answer
    return Document(name, Kind.DNS_ANSWERS, answers=tuple(merged.values())) if merged else None


def _brief_question(line: str) -> "_Question | None":
    """The name and the server of a command that leaves the question out of its output."""
    called = _DIG_BRIEF.search(line)
    words = called[1].split() if called else []
    asked = next((host for word in words if "." in word and (host := values.host(word))), "")
    server = next((values.address(word[1:]) for word in words if word.startswith("@")), "")
    return _Question(asked, server) if asked else None


def _brief_questions(lines: list[str]) -> list["_Question"]:
    """Each question of `dig +short` and `+noall +answer`, from its command or its records' first name."""
    found: list[_Question] = []
    question: _Question | None = None
    short = False
    for line in lines:
        record = _RECORD.match(line.strip())
        if begun := _brief_question(line):
            question, short = begun, "+short" in line
            found.append(question)
        elif record:
            owner = values.host(record[1])
            known = question and owner in {question.asked, *(target for _, target in question.links)}
            if not known and catalog.endpoint_named(owner):
                question, short = _Question(owner), False
                found.append(question)
            if question:
                _take_record(question, owner, record[3])
        elif question and short and (told := line.strip()):
            if " " in told:
                question = None
            else:
                _take_record(question, question.asked, told)
    return found


def read_brief_dig(name: str, text: str) -> Document | None:
    """The answers that `dig` prints with `+short` or `+noall +answer`; None without."""
    if "->>HEADER<<-" in text:
        return None
    answers = [
        one
        for asked in _brief_questions(values.lines(text, 1000, _MOST_LINES))
        if (one := _briefly(asked, name))
    ]
    return Document(name, Kind.DNS_ANSWERS, answers=tuple(answers)) if answers else None


def _briefly(question: "_Question", name: str) -> DnsAnswer | None:
    chain = tuple(target for _, target in question.links)
    if not question.owners:
        return None
    return DnsAnswer(question.asked, chain, tuple(question.owners), question.resolver, origin=name)


@dataclass(slots=True)
class _Question:
    """One question with its answer, as far as it was read.

    Attributes:
        asked: the name in the command; empty if only the answer is there.
        names: the names that stand beside the addresses.
        links: each alias with its target, in order.
        owners: each address with the name that it stands under, which in a table may be cut off.
    """

    asked: str = ""
    resolver: str = ""
    names: list[str] = field(default_factory=list)
    links: list[tuple[str, str]] = field(default_factory=list)
    owners: dict[str, str] = field(default_factory=dict)


def _take_record(question: _Question, owner: str, told: str) -> None:
    """An address, or the target of an alias."""
    if address := values.address(told):
        question.owners.setdefault(address, values.host(owner))
    elif target := values.host(told):
        question.links.append((values.host(owner), target))


def _resolved(question: _Question, name: str) -> DnsAnswer | None:
    """The answer; a link's own name may be wrapped, so that the order of the links is what counts."""
    first = question.links[0][0] if question.links else next(iter(question.owners.values()), "")
    host = question.asked or first
    if not host or not question.owners:
        return None
    return DnsAnswer(host, tuple(link for _, link in question.links), tuple(question.owners), origin=name)


def _questions(lines: list[str]) -> list[_Question]:
    """The questions, each from its command, or from the first line of an answer without one."""
    found: list[_Question] = []
    owner = ""
    for line in lines:
        row, pair = _ROW.match(line), _PROPERTY.match(line)
        if command := _RESOLVE.search(line):
            found.append(_Question(values.host(command[1])))
        elif not found and (row or pair or _HEADING.match(line)):
            found.append(_Question())
        if row:
            if row[2].lower() == "answer":
                _take_record(found[-1], row[1], row[3])
        elif pair and pair[1] == "Name":
            owner = pair[2]
        elif pair and pair[1] in ("NameHost", "IP4Address", "IP6Address", "IPAddress"):
            _take_record(found[-1], owner, pair[2])
    return found


def _name_errors(lines: list[str], name: str) -> Iterator[DnsAnswer]:
    for place, line in enumerate(lines):
        if _NAME_ERROR.search(line):
            target = _ERROR_OF.search("\n".join(lines[max(0, place - 3) : place]))
            if target and (host := values.host(target[1])):
                yield DnsAnswer(host, (), (), rcode="NXDOMAIN", origin=name)


def read_resolve_dns_name(name: str, text: str) -> Document | None:
    """The answers that `Resolve-DnsName` prints, as a table, a list, or both; None if there are none.

    Its property names are English everywhere.
    """
    lines = values.lines(text, 1000, _MOST_LINES)
    told = any(_HEADING.match(line) or line.strip().startswith("QueryType") for line in lines)
    missing = tuple(_name_errors(lines, name))
    if not told and not missing:
        return None
    answers = [answer for one in _questions(lines) if (answer := _resolved(one, name))]
    return Document(name, Kind.DNS_ANSWERS, answers=(*answers, *missing)) if answers or missing else None


def _take_line(block: _Question, line: str) -> None:
    """An alias, an address, or a name."""
    if link := _ALIAS.match(line):
        block.links.append((values.host(link[1]), values.host(link[2])))
        return
    found = _LABELLED.match(line)
    told = found[2] or "" if found else line.strip()
    if address := _numbered(told):
        block.owners.setdefault(address, "")
    elif (name := values.host(told.strip())) and (found or block.owners):
        block.names.append(name)


def _looked_up(block: _Question, origin: str) -> DnsAnswer | None:
    """The answer. Windows prints the final name first and the names that led to it as aliases."""
    if block.links:
        asked = block.links[0][0]
        chain = tuple(dict.fromkeys(link[1] for link in block.links if link[1]))
    elif block.owners:
        final, aliases = (block.names[0] if block.names else ""), block.names[1:]
        asked = aliases[0] if aliases else final
        chain = (*aliases[1:], final) if aliases else ()
    else:
        return None
    return DnsAnswer(asked, chain, tuple(block.owners), block.resolver, origin=origin) if asked else None


def _numbered(value: str) -> str:
    """An address, on Linux with the port behind a number sign."""
    return values.address(value.partition("#")[0].strip())


def _server(line: str, following: str) -> str:
    """The server's address, where these two lines introduce it: its name or address, then its address."""
    first, second = _LABELLED.match(line), _LABELLED.match(following)
    if not first or not second or not first[2] or not second[2] or line.startswith((" ", "\t")):
        return ""
    # Labels are localised: only `Address` is the same everywhere, and the answer's own begin with a name.
    address = _numbered(second[2]) if second[1].strip() == "Address" else ""
    if not address or first[1].strip().lower() in _NAME_LABELS:
        return ""
    return "" if catalog.endpoint_named(values.host(first[2]) or "-") else address


def _blocks(lines: list[str]) -> list[_Question]:
    """A block begins where a label with a server's name is followed by one with its address."""
    found: list[_Question] = []
    is_servers = False
    for line, following in zip(lines, [*lines[1:], ""], strict=False):
        if server := _server(line, following):
            found.append(_Question(resolver=server))
        elif found and not is_servers:
            _take_line(found[-1], line)
        is_servers = bool(server)
    return found


def _not_found(lines: list[str]) -> Iterator[tuple[str, str]]:
    """Names of the catalogue that the server did not give, with what became of the question."""
    for line in lines:
        if _NOT_FOUND.match(line):
            rcode = "SERVFAIL" if "SERVFAIL" in line else "NXDOMAIN"
            for word in re.split(r"[\s'\"“”„«»:]+", line):
                host = values.host(word.strip("'\":,.。"))
                if "." in host and catalog.endpoint_named(host):
                    yield host, "TIMEOUT" if _TIMED_OUT.search(line) else rcode


def read_nslookup(name: str, text: str) -> Document | None:
    """The answers that `nslookup` prints, on Windows in any language and on Linux.

    Labels are localised and names are not: a name with an address first is the server's, the answer follows.
    None if `text` is no output of nslookup about an endpoint of Azure Arc.
    """
    lines = [line.rstrip()[:1000] for line in text.splitlines()[:_MOST_LINES]]
    blocks, missing = _blocks(lines), dict(_not_found(lines))
    named = (host for block in blocks for host in (*block.names, *(link[0] for link in block.links)) if host)
    is_asked = any(map(_NSLOOKUP.search, lines)) or any(map(catalog.endpoint_named, named))
    if not missing and not (blocks and is_asked):
        return None
    answers = [answer for block in blocks if (answer := _looked_up(block, name))]
    resolver = blocks[-1].resolver if blocks else ""
    answered = {answer.host for answer in answers}
    answers += [
        DnsAnswer(host, (), (), resolver, rcode, name)
        for host, rcode in missing.items()
        # Silence says nothing of the name: another server may know it.
        if host not in answered and rcode != "TIMEOUT"
    ]
    return Document(name, Kind.DNS_ANSWERS, answers=tuple(answers)) if answers else None
