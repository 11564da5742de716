"""What `azcmagent connect` prints when it fails, in any language: codes, URLs and network errors."""

import re
from collections.abc import Iterable
from dataclasses import replace

from arcferry.evidence.case import NETWORK_ERROR, Document, ErrorLine, Kind
from arcferry.evidence.readers import codes, go_errors, values
from arcferry.probe.observation import Attempt

_CODE = re.compile(r"(?<![A-Za-z0-9])AZCM\d{4}(?!\d)")
_ERROR = re.compile(r"^\s*FATAL\b|level=(?:fatal|error)\b")
# The agent's console pads its levels to eight columns.
_GIVES_UP = re.compile(r"^FATAL {3}(\S.{0,8000})", re.MULTILINE)
_TO_READ_ON = {"aka.ms", "learn.microsoft.com", "docs.microsoft.com", "portal.azure.com", "go.microsoft.com"}
_MOST_HOSTS = 100
_MOST_ERRORS = 3
_LONG_WORDS = 900
_LONGEST = 8000
_TABLE_BARS = 3


def named_hosts(lines: Iterable[str]) -> tuple[str, ...]:
    """The endpoints that the lines of a network error name; pages to read on are none."""
    found = dict.fromkeys(
        name for line in lines for name in (*values.hosts_in_urls(line), *go_errors.listed_hosts(line))
    )
    return tuple(name for name in found if name not in _TO_READ_ON)[:_MOST_HOSTS]


def _error_lines(lines: list[str], name: str) -> tuple[ErrorLine, ...]:
    """The console's FATAL lines; the code, where there is one, tells more."""
    fatal = [found for line in lines if (found := _GIVES_UP.match(line))]
    says = dict.fromkeys(values.short(found[1], _LONG_WORDS) for found in fatal)
    return tuple(ErrorLine(words, name) for words in says)[-_MOST_ERRORS:]


def read(name: str, text: str) -> Document | None:
    """The codes, the endpoints that the agent gave up on, and the words with which it did.

    None if `text` holds no code of the agent's and no line of its console that says FATAL. The codes of
    the installation scripts are the onboarding script's reader's.
    """
    every = codes.agent_codes(text)
    found = [code for code in every if not codes.is_scripts(code)]
    if not found and (every or not _GIVES_UP.search(text)):
        return None
    # The rows of a check that stands in the same transcript have a reader of their own.
    lines = [values.unescaped(one) for one in values.lines(text, _LONGEST) if one.count("|") < _TABLE_BARS]
    # What failed is told from the first error to the end, else on the lines that have a code.
    first = next((place for place, line in enumerate(lines) if _ERROR.search(line)), None)
    telling = lines[first:] if first is not None else [line for line in lines if _CODE.search(line)]
    first_error = telling[0].strip().removeprefix("FATAL").strip() if first is not None else ""
    hosts = named_hosts(telling) if NETWORK_ERROR in found else ()
    private = True if any("private endpoint" in line.lower() for line in telling) else None
    named = {host: Attempt(host, name, reachable=False, required=True, private=private) for host in hosts}
    why = go_errors.attempts(((None, line) for line in lines), name)
    reached = named | {host: replace(seen, private=private) for host, seen in why.items()}
    agents = codes.seen(found, telling, name, last_error=first_error)
    return Document(
        name,
        Kind.AGENT_CONNECT,
        attempts=tuple(reached.values()),
        codes=(
            *(replace(one, hosts=hosts) if one.code == NETWORK_ERROR else one for one in agents),
            *codes.seen(codes.service_codes("\n".join(lines)), lines, name),
        ),
        error_lines=_error_lines(lines, name),
    )
