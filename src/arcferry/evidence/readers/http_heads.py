"""Answers of HTTP that somebody asked for by hand: `curl -I`, and the discovery call."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from arcferry import catalog
from arcferry.evidence.case import Document, Kind
from arcferry.evidence.readers import values
from arcferry.probe.observation import Attempt, Failure, Stage

_MOST = 20_000
_MOST_CALLS = 200
_COMMAND = re.compile(
    r"\b(?:curl|wget|iwr|Invoke-WebRequest|Invoke-RestMethod)\b[^\n]{0,400}?https?://([A-Za-z0-9_.-]{1,253})([^\s'\"]{0,400})",
    re.IGNORECASE,
)
_STATUS = re.compile(r"^\s*HTTP/[\d.]{1,3} (\d{3})\b ?([^\n]{0,80})")
_HEADER = re.compile(r"^\s*([A-Za-z][A-Za-z0-9-]{1,40}): ?([^\n]{0,400})")
_PAGE = re.compile(r"^\s*<(?:!doctype|html|head)", re.IGNORECASE)
_REGIONAL = re.compile(r'^\s*"?https://([a-z0-9.-]{3,200})"?\s*$')
_OWN = (
    ".microsoft.com",
    ".azure.com",
    ".microsoftonline.com",
    ".windows.net",
    ".azure.cn",
    ".azure.us",
    ".microsoft.us",
)
_OF_PROXIES = re.compile(
    r"zscaler|bluecoat|squid|forcepoint|fortigate|mcafee|skyhigh|netskope|barracuda|"
    r"ironport|websense|cisco-?ws|sophos|palo ?alto|umbrella",
    re.IGNORECASE,
)
_ASKS_TO_SIGN_IN = 407


@dataclass(slots=True)
class _Call:
    """One command and the heads of what answered, the last of them last."""

    host: str
    path: str
    heads: list[tuple[int, str, dict[str, str]]] = field(default_factory=list)
    body: list[str] = field(default_factory=list)


def _calls(lines: list[str]) -> Iterator[_Call]:
    call: _Call | None = None
    for line in lines:
        if command := _COMMAND.search(line):
            if call:
                yield call
            host = values.host(command[1])
            call = _Call(host, command[2]) if host else None
        elif call and (status := _STATUS.match(line)):
            # A proxy's answer to CONNECT is none of the endpoint's.
            if "connection established" not in status[2].lower():
                call.heads.append((int(status[1]), line.strip(), {}))
        elif call and call.heads and (header := _HEADER.match(line)):
            call.heads[-1][2].setdefault(header[1].lower(), header[2].strip())
        elif call and line.strip():
            call.body.append(line)
    if call:
        yield call


def _is_own(host: str) -> bool:
    return catalog.endpoint_named(host) is not None or f".{host}".endswith(_OWN)


def _failure(call: _Call) -> Failure | None:
    """What shows that somebody else answered; None if nothing does."""
    for status, line, headers in call.heads:
        there = values.hosts_in_urls(headers.get("location", ""))
        if status == _ASKS_TO_SIGN_IN:
            return Failure(Stage.PROXY, "proxy-authentication-required", values.short(line))
        if there and not _is_own(there[0]):
            says = f"{line}, to {there[0]}, a page of somebody else's"
            return Failure(Stage.HTTP, "captive-page", values.short(says))
        by = f"{headers.get('server', '')} {headers.get('via', '')} {headers.get('x-squid-error', '')}"
        if status >= 400 and _OF_PROXIES.search(by):  # noqa: PLR2004
            return Failure(Stage.HTTP, "captive-page", values.short(f"{line}, from {by.strip()}"))
    if any(map(_PAGE.match, call.body[:20])) and "/discovery" in call.path:
        return Failure(
            Stage.HTTP, "captive-page", "a web page answers where the name of a region should stand"
        )
    return None


def _attempt(call: _Call, name: str) -> Attempt | None:
    failure = _failure(call)
    regional = any(map(_REGIONAL.match, call.body[:5])) and "/discovery" in call.path
    if not call.heads and not failure and not regional:
        return None
    proxied = failure is not None and failure.stage is Stage.PROXY
    return Attempt(call.host, name, reachable=failure is None, proxied=proxied, failure=failure)


def read(name: str, text: str) -> Document | None:
    """Who answered each call, or None if `text` has no head of an answer and no answer to discovery."""
    lines = values.lines(text, 1000, _MOST)
    if any(line.startswith(("< HTTP/", "* ")) for line in lines[:200]):
        return None  # `curl -v` has a reader of its own
    seen: dict[str, Attempt] = {}
    for call in list(_calls(lines))[:_MOST_CALLS]:
        if found := _attempt(call, name):
            seen[found.host] = found
    return Document(name, Kind.CONNECTION_TEST, attempts=tuple(seen.values())) if seen else None
