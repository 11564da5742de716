"""What `dig` prints, in its usual form."""

import re

from arcferry.evidence.document import Document, Kind
from arcferry.evidence.readers import values
from arcferry.probe.observation import DnsAnswer

_HEADER = re.compile(r"->>HEADER<<-.{0,80}\bstatus: ([A-Z]{2,20})")
_QUESTION = re.compile(r"^;([A-Za-z0-9_.-]{1,254})\s+(?:IN|CH|HS)?\s*(A|AAAA|CNAME|ANY)\s*$")
_RECORD = re.compile(r"^([A-Za-z0-9_.-]{1,254})\s+(?:\d{1,10}\s+)?IN\s+(A|AAAA|CNAME)\s+(\S{1,254})\s*$")
_SERVER = re.compile(r"^;; SERVER: ([0-9A-Fa-f.:]{2,45})#\d+")


def _answer(part: str, name: str) -> DnsAnswer | None:
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
    addresses = tuple(dict.fromkeys(address for address in given if address))
    return DnsAnswer(host, chain, addresses, values.address(server), header[1], name)


def read(name: str, text: str) -> Document | None:
    """The answers, or None where `text` is no output of dig."""
    if "->>HEADER<<-" not in text:
        return None
    starts = [found.start() for found in re.finditer(r"^;; ->>HEADER<<-|^.*->>HEADER<<-", text, re.MULTILINE)]
    parts = [text[start:end] for start, end in zip(starts, [*starts[1:], len(text)], strict=True)][:2000]
    merged: dict[str, DnsAnswer] = {}
    for part in parts:
        if answer := _answer(part, name):
            before = merged.get(answer.host)
            # A and AAAA are asked one after the other; together they are the name's answer.
            if before and before.addresses and not answer.addresses:
                continue
            merged[answer.host] = answer
    return Document(name, Kind.DNS_ANSWERS, answers=tuple(merged.values())) if merged else None
