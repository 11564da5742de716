"""What `azcmagent connect` prints when it fails, in any language: codes, URLs and network errors."""

import re
from dataclasses import replace

from arcferry.diagnosis.document import NETWORK_ERROR, CodeSeen, Document, Kind, Sighting
from arcferry.diagnosis.readers import codes, go_errors, values
from arcferry.diagnosis.readers.logfmt import unescaped

_CODE = re.compile(r"(?<![A-Za-z0-9])AZCM\d{4}(?!\d)")
_GRAVE = re.compile(r"^\s*FATAL\b|level=(?:fatal|error)\b")
_NOT_TESTED = {"aka.ms", "learn.microsoft.com", "docs.microsoft.com", "portal.azure.com", "go.microsoft.com"}
_MOST_HOSTS = 100
_TABLE_BARS = 3


def _telling_lines(lines: list[str]) -> list[str]:
    """The lines that name what failed: from the first grave one to the end, else those with a code."""
    first = next((place for place, line in enumerate(lines) if _GRAVE.search(line)), None)
    return lines[first:] if first is not None else [line for line in lines if _CODE.search(line)]


def _hosts(lines: list[str]) -> tuple[str, ...]:
    found = dict.fromkeys(name for line in lines for name in values.hosts_in_urls(line))
    return tuple(name for name in found if name not in _NOT_TESTED)[:_MOST_HOSTS]


def _grave(lines: list[str]) -> str:
    line = next((line for line in lines if _GRAVE.search(line)), "")
    return line.strip().removeprefix("FATAL").strip()


def read(name: str, text: str) -> Document | None:
    """The codes, and the endpoints that the agent gave up on; None where `text` holds no code of the agent's.

    The codes of the installation scripts are the onboarding script's reader's.
    """
    found = [code for code in codes.agent_codes(text) if not _is_scripts(code)]
    if not found:
        return None
    lines = [unescaped(line[:4000]) for line in text.splitlines() if line.count("|") < _TABLE_BARS]
    telling = _telling_lines(lines)
    hosts = _hosts(telling) if NETWORK_ERROR in found else ()
    private = True if any("private endpoint" in line.lower() for line in telling) else None
    named = {host: Sighting(host, name, reachable=False, required=True, private=private) for host in hosts}
    why = go_errors.sightings(((None, line) for line in lines), name)
    reached = named | {host: replace(seen, private=private) for host, seen in why.items()}
    agents = codes.seen(found, telling, name, grave=_grave(telling))
    return Document(
        name,
        Kind.AGENT_CONNECT,
        sightings=tuple(reached.values()),
        codes=(*(_with_hosts(one, hosts) for one in agents), *_services(lines, name)),
    )


def _is_scripts(code: str) -> bool:
    known = codes.known(code)
    return known is not None and known.family == "install-script"


def _with_hosts(seen: CodeSeen, hosts: tuple[str, ...]) -> CodeSeen:
    return replace(seen, hosts=hosts) if seen.code == NETWORK_ERROR else seen


def _services(lines: list[str], name: str) -> tuple[CodeSeen, ...]:
    return codes.seen(codes.service_codes("\n".join(lines)), lines, name)
