"""What `azcmagent connect` prints when it fails, in any language: codes, URLs and network errors."""

import re
from collections.abc import Iterable
from dataclasses import replace

from arcferry.evidence.document import NETWORK_ERROR, Attempt, CodeSeen, Complaint, Document, Kind
from arcferry.evidence.readers import codes, go_errors, values
from arcferry.evidence.readers.logfmt import unescaped

_CODE = re.compile(r"(?<![A-Za-z0-9])AZCM\d{4}(?!\d)")
_GRAVE = re.compile(r"^\s*FATAL\b|level=(?:fatal|error)\b")
_NOT_TESTED = {"aka.ms", "learn.microsoft.com", "docs.microsoft.com", "portal.azure.com", "go.microsoft.com"}
# The agent's console pads its levels to eight columns.
_GIVES_UP = re.compile(r"^FATAL {3}(\S.{0,8000})", re.MULTILINE)
_MOST_HOSTS = 100
_MOST_COMPLAINTS = 3
_LONG_WORDS = 900
_LONGEST = 8000
_TABLE_BARS = 3


def _telling_lines(lines: list[str]) -> list[str]:
    """The lines that name what failed: from the first grave one to the end, else those with a code."""
    first = next((place for place, line in enumerate(lines) if _GRAVE.search(line)), None)
    return lines[first:] if first is not None else [line for line in lines if _CODE.search(line)]


def named_hosts(lines: Iterable[str]) -> tuple[str, ...]:
    """The endpoints that the lines of a network error name; pages to read on are none."""
    found = dict.fromkeys(
        name for line in lines for name in (*values.hosts_in_urls(line), *go_errors.listed_hosts(line))
    )
    return tuple(name for name in found if name not in _NOT_TESTED)[:_MOST_HOSTS]


def _grave(lines: list[str]) -> str:
    line = next((line for line in lines if _GRAVE.search(line)), "")
    return line.strip().removeprefix("FATAL").strip()


def read(name: str, text: str) -> Document | None:
    """The codes, the endpoints that the agent gave up on, and the words with which it did.

    None where `text` holds no code of the agent's and no line of its console that says FATAL.

    The codes of the installation scripts are the onboarding script's reader's.
    """
    found = [code for code in codes.agent_codes(text) if not _is_scripts(code)]
    if not found and not (_GIVES_UP.search(text) and not codes.agent_codes(text)):
        return None
    lines = [unescaped(line[:_LONGEST]) for line in text.splitlines() if line.count("|") < _TABLE_BARS]
    telling = _telling_lines(lines)
    hosts = named_hosts(telling) if NETWORK_ERROR in found else ()
    private = True if any("private endpoint" in line.lower() for line in telling) else None
    named = {host: Attempt(host, name, reachable=False, required=True, private=private) for host in hosts}
    why = go_errors.attempts(((None, line) for line in lines), name)
    reached = named | {host: replace(seen, private=private) for host, seen in why.items()}
    agents = codes.seen(found, telling, name, grave=_grave(telling))
    return Document(
        name,
        Kind.AGENT_CONNECT,
        attempts=tuple(reached.values()),
        codes=(*(_with_hosts(one, hosts) for one in agents), *_services(lines, name)),
        complaints=_complaints(lines, name),
    )


def _complaints(lines: list[str], name: str) -> tuple[Complaint, ...]:
    """The console's FATAL lines; the code, where there is one, tells more."""
    grave = [found for line in lines if (found := _GIVES_UP.match(line))]
    says = dict.fromkeys(values.short(found[1], _LONG_WORDS) for found in grave)
    return tuple(Complaint(words, name) for words in says)[-_MOST_COMPLAINTS:]


def _is_scripts(code: str) -> bool:
    known = codes.known(code)
    return known is not None and known.family == "install-script"


def _with_hosts(seen: CodeSeen, hosts: tuple[str, ...]) -> CodeSeen:
    return replace(seen, hosts=hosts) if seen.code == NETWORK_ERROR else seen


def _services(lines: list[str], name: str) -> tuple[CodeSeen, ...]:
    return codes.seen(codes.service_codes("\n".join(lines)), lines, name)
