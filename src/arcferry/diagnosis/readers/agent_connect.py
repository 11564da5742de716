"""What `azcmagent connect` prints when it fails, in any language: the code and the fatal line's URLs."""

import re

from arcferry.diagnosis.document import NETWORK_ERROR, CodeSeen, Document, Kind, Sighting
from arcferry.diagnosis.readers import values

_CODE = re.compile(r"(?<![A-Za-z0-9])AZCM(\d{4})(?!\d)")
_GRAVE = re.compile(r"^\s*FATAL\b|level=(?:fatal|error)\b")
_NOT_TESTED = {"aka.ms", "learn.microsoft.com", "docs.microsoft.com", "portal.azure.com", "go.microsoft.com"}
_MOST_HOSTS = 100
_TABLE_BARS = 3
_MOST_CODES = 5
"""A text with more codes than this is a list of codes, not what one run of the agent printed."""


def _codes(text: str) -> list[str]:
    found = dict.fromkeys(f"AZCM{number}" for number in _CODE.findall(text) if int(number))
    return list(found) if len(found) <= _MOST_CODES else []


def _telling_lines(lines: list[str]) -> list[str]:
    """The lines that name what failed: from the first grave one to the end, else those with a code."""
    first = next((place for place, line in enumerate(lines) if _GRAVE.search(line)), None)
    return lines[first:] if first is not None else [line for line in lines if _CODE.search(line)]


def _hosts(lines: list[str]) -> tuple[str, ...]:
    found = dict.fromkeys(name for line in lines for name in values.hosts_in_urls(line))
    return tuple(name for name in found if name not in _NOT_TESTED)[:_MOST_HOSTS]


def _words(code: str, lines: list[str]) -> str:
    """The agent's own words: its fatal line, or what stands beside the code."""
    grave = next((line for line in lines if _GRAVE.search(line)), "")
    beside = next((line.partition(code)[2].lstrip(": ") for line in lines if code in line), "")
    return values.short(grave.strip().removeprefix("FATAL").strip() or beside)


def read(name: str, text: str) -> Document | None:
    """The codes, and the endpoints that the agent gave up on; None where `text` holds no code of its own."""
    codes = _codes(text)
    if not codes:
        return None
    lines = [line[:4000] for line in text.splitlines() if line.count("|") < _TABLE_BARS]
    telling = _telling_lines(lines)
    hosts = _hosts(telling) if NETWORK_ERROR in codes else ()
    private = True if any("private endpoint" in line.lower() for line in telling) else None
    return Document(
        name,
        Kind.AGENT_CONNECT,
        sightings=tuple(
            Sighting(host, name, reachable=False, required=True, private=private) for host in hosts
        ),
        codes=tuple(
            CodeSeen(code, _words(code, telling), name, hosts if code == NETWORK_ERROR else ())
            for code in codes
        ),
    )
