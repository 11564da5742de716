"""Network errors in the words of the Go library that the agent is written with.

Its own words are English on every system; what Windows adds may be in any language, so that only the
structure around it counts.
"""

import re
from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from arcferry.evidence.readers import values
from arcferry.probe.observation import Attempt, Failure, Stage

_ASKED = re.compile(r'\b[A-Z][a-zA-Z]{2,6} \\*"?https?://[^\s"\\]{1,2000}\\*"?: (?=\S)')
_REQUEST = re.compile(
    r'\b(?:Get|Head|Post|Put|Patch|Delete|GET|HEAD|POST|PUT|PATCH|DELETE) \\*"?https?://([A-Za-z0-9_.-]{1,253})'
)
_ITEM = re.compile(
    r"(?<![\w.-])(?:https?://)?([a-z0-9][a-z0-9-]{0,62}(?:\.[a-z0-9-]{1,63}){1,8})\.?(?::\d{1,5})?"
    r"(?:/[^\s()]{0,300})? ?\(error: (?!<?nil)",
    re.IGNORECASE,
)
_BRACKET = re.compile(r"[()]")
_DIAL = re.compile(r"\bdial tcp \[?([0-9A-Fa-f.:]{3,45}?)\]?:\d{1,5}: ?([^\n]{0,300})")
_LOOKUP = re.compile(
    r"\blookup ([A-Za-z0-9_.-]{1,253})(?: on (\[?[0-9A-Fa-f.:]{3,45}?\]?):53)?: ?([^\n]{0,200})"
)
_REFUSED = re.compile(r"connection refused|actively refused|10061", re.IGNORECASE)
_TIMED_OUT = re.compile(
    r"i/o timeout|timed out|did not properly respond|10060|deadline exceeded", re.IGNORECASE
)
_SERVER_FAILED = re.compile(r"server misbehaving|SERVFAIL|try again|temporary failure", re.IGNORECASE)
_LOCAL = ("169.254.", "127.", "localhost")


def failure_in(line: str) -> Failure | None:
    """The step that failed, where the line has the form of a Go network error."""
    found = _step(line)
    if found is None:
        return None
    asked = _ASKED.search(line)
    return Failure(*found, values.short(line[asked.end() :] if asked else line))


def _step(line: str) -> tuple[Stage, str] | None:
    lookup = _LOOKUP.search(line)
    if "proxyconnect tcp" in line:
        return Stage.PROXY, "proxy-name-not-found" if lookup else "proxy-unreachable"
    if lookup:
        if _TIMED_OUT.search(lookup[3]) or _REFUSED.search(lookup[3]):
            return Stage.DNS, "timeout"
        return Stage.DNS, "servfail" if _SERVER_FAILED.search(lookup[3]) else "nxdomain"
    if dial := _DIAL.search(line):
        # Windows says the rest in its own language; of what it can mean, silence is by far the most frequent.
        told = values.failure_told("dial", dial[2])
        return Stage.TCP, told[1] if told else "timeout"
    told = values.failure_told("go", line)
    return told[:2] if told else None


@dataclass(frozen=True, slots=True)
class _EndpointError:
    """What a line says of one endpoint.

    Attributes:
        host: empty if only a lookup names it.
        is_listed: whether it stands in a list of endpoints that failed, whatever the error says.
    """

    host: str
    text: str
    is_listed: bool = False

    def attempt(self, name: str, taken: datetime | None) -> Attempt | None:
        """The same as an attempt; None if it says neither which endpoint failed nor how."""
        failure, lookup, dial = failure_in(self.text), _LOOKUP.search(self.text), _DIAL.search(self.text)
        proxied = "proxyconnect tcp" in self.text or (failure is not None and failure.stage is Stage.PROXY)
        host = self.host or (values.host(lookup[1]) if lookup and not proxied else "")
        if not host or (failure is None and not self.is_listed):
            return None
        return Attempt(
            host,
            name,
            reachable=False,
            taken=taken,
            required=True,
            proxied=proxied,
            resolver=values.address(lookup[2].strip("[]")) if lookup and lookup[2] else "",
            address=values.address(dial[1]) if dial and not proxied else "",
            failure=failure,
        )


def _endpoint_errors(line: str) -> list[_EndpointError]:
    """The line's endpoints, each with its own words: AZCM0026 lists all that failed on one line.

    Of `https://a/ (error: …), https://b/ (error: …)` each bracket is its endpoint's; elsewhere a request's
    words go as far as the next request's.
    """
    items = list(_ITEM.finditer(line))
    bounds = [*(found.start() for found in items[1:]), len(line)]
    within = [(found, _closing(line, found.end(), end)) for found, end in zip(items, bounds, strict=False)]
    listed = {
        found.start(): _EndpointError(values.host(found[1]), line[found.end() : end], is_listed=True)
        for found, end in within
    }
    requests = [
        found
        for found in _REQUEST.finditer(line)
        if not any(item.start() <= found.start() < end for item, end in within)
    ]
    stops = sorted([*listed, *(found.start() for found in requests), len(line)])
    asked = {
        found.start(): _EndpointError(
            values.host(found[1]), line[found.start() : stops[bisect_right(stops, found.start())]]
        )
        for found in requests
    }
    return [part for _, part in sorted((listed | asked).items())] or [_EndpointError("", line)]


def _closing(line: str, start: int, end: int) -> int:
    """Where the bracket that opened before `start` closes; `end` where it does not, as in a cut line."""
    depth = 1
    for found in _BRACKET.finditer(line, start, end):
        depth += 1 if found[0] == "(" else -1
        if depth == 0:
            return found.start()
    return end


def listed_hosts(line: str) -> list[str]:
    """The endpoints that a line lists as failed, in order, also those without `https://`."""
    return [part.host for part in _endpoint_errors(line) if part.is_listed and part.host]


def attempts(lines: Iterable[tuple[datetime | None, str]], name: str) -> dict[str, Attempt]:
    """The last network error of each endpoint, by its host.

    Args:
        lines: each with its instant, where it has one.
        name: the document's.
    """
    found: dict[str, Attempt] = {}
    for taken, line in lines:
        # Most lines of a long log name a URL and no error; taking them apart is what costs.
        if "lookup " in line or "(error: " in line.lower() or ("://" in line and _REQUEST.search(line)):
            for part in _endpoint_errors(line):
                seen = part.attempt(name, taken)
                # The agent also asks services on its own machine, which no network stands before.
                if seen is None or seen.host.startswith(_LOCAL):
                    continue
                # An error that says why is worth more than a later one that only names the endpoint.
                if seen.failure or seen.host not in found:
                    found[seen.host] = seen
    return found
