"""Network errors in the words of the Go library that the agent is written with.

Its own words are English on every system; what Windows adds may be in any language, so that only the
structure around it counts.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from arcferry.evidence.document import Attempt
from arcferry.evidence.readers import values
from arcferry.probe.observation import Failure, Stage

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
_NO_ROUTE = re.compile(r"no route to host|network is unreachable|unreachable (?:network|host)|1005[01]|10065")
_RESET = re.compile(r"connection reset|forcibly closed|wsarecv:|10054")
_SERVER_FAILED = re.compile(r"server misbehaving|SERVFAIL|try again|temporary failure", re.IGNORECASE)
_LATER = (
    (
        re.compile(r"Proxy Authentication Required", re.IGNORECASE),
        Stage.PROXY,
        "proxy-authentication-required",
    ),
    (
        re.compile(r'https?://[^"\s]{1,500}"?: (?:Bad Gateway|Service Unavailable|Gateway Time-?out)\b'),
        Stage.PROXY,
        "proxy-cannot-reach",
    ),
    (
        re.compile(r'https?://[^"\s]{1,500}"?: (?:Forbidden|Not Found|Method Not Allowed)\b'),
        Stage.PROXY,
        "proxy-refused",
    ),
    (
        re.compile(r"x509: certificate signed by unknown authority|x509: certificate is not trusted"),
        Stage.TLS,
        "certificate-untrusted",
    ),
    (
        re.compile(r"x509: certificate has expired or is not yet valid.{0,80}is before"),
        Stage.TLS,
        "certificate-not-yet-valid",
    ),
    (re.compile(r"x509: certificate has expired"), Stage.TLS, "certificate-expired"),
    (re.compile(r"x509: certificate is (?:valid for|not valid for any names)"), Stage.TLS, "name-mismatch"),
    (re.compile(r"x509: "), Stage.TLS, "certificate-untrusted"),
    (re.compile(r"TLS handshake timeout"), Stage.TLS, "tls-timeout"),
    (
        re.compile(r"tls: (?:protocol version|server selected unsupported protocol)"),
        Stage.TLS,
        "tls-protocol-version",
    ),
    (re.compile(r"remote error: tls: handshake failure"), Stage.TLS, "tls-cipher-mismatch"),
    (re.compile(r"does not look like a TLS handshake|\btls: "), Stage.TLS, "handshake-failed"),
    (re.compile(r'"?: (?:unexpected )?EOF\b'), Stage.TLS, "tls-cut"),
    (_RESET, Stage.TCP, "reset"),
)


def _dial_kind(reason: str) -> str:
    if _REFUSED.search(reason):
        return "refused"
    if _NO_ROUTE.search(reason):
        return "unreachable"
    if _RESET.search(reason):
        return "reset"
    # Windows says the rest in its own language; of what it can mean, silence is by far the most frequent.
    return "timeout"


def _lookup_kind(reason: str) -> str:
    if _TIMED_OUT.search(reason) or _REFUSED.search(reason):
        return "timeout"
    return "servfail" if _SERVER_FAILED.search(reason) else "nxdomain"


def failure_in(line: str) -> Failure | None:
    """The step that failed, where the line has the form of a Go network error."""
    found = _step(line)
    if found is None:
        return None
    stage, kind = found
    asked = _ASKED.search(line)
    return Failure(stage, kind, values.short(line[asked.end() :] if asked else line))


def _step(line: str) -> tuple[Stage, str] | None:
    if "proxyconnect tcp" in line:
        return Stage.PROXY, "proxy-name-not-found" if _LOOKUP.search(line) else "proxy-unreachable"
    if lookup := _LOOKUP.search(line):
        return Stage.DNS, _lookup_kind(lookup[3])
    if dial := _DIAL.search(line):
        return Stage.TCP, _dial_kind(dial[2])
    for pattern, stage, kind in _LATER:
        if pattern.search(line):
            return stage, kind
    return None


def _one(part: "_Part", name: str, taken: datetime | None) -> Attempt | None:
    failure = failure_in(part.text)
    lookup = _LOOKUP.search(part.text)
    proxied = "proxyconnect tcp" in part.text or (failure is not None and failure.stage is Stage.PROXY)
    host = part.host or (values.host(lookup[1]) if lookup and not proxied else "")
    if not host or (failure is None and not part.is_listed):
        return None
    dial = _DIAL.search(part.text)
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


@dataclass(frozen=True, slots=True)
class _Part:
    """What a line says of one endpoint.

    Attributes:
        host: empty where only a lookup names it.
        is_listed: whether it stands in a list of endpoints that failed, whatever the error says.
    """

    host: str
    text: str
    is_listed: bool = False


def _parts(line: str) -> list[_Part]:
    """The line's endpoints, each with its own words: AZCM0026 lists all that failed on one line.

    Of `https://a/ (error: …), https://b/ (error: …)` each bracket is its endpoint's; elsewhere a request's
    words go as far as the next request's.
    """
    items = list(_ITEM.finditer(line))
    bounds = [*(found.start() for found in items[1:]), len(line)]
    within = [(found, _closing(line, found.end(), end)) for found, end in zip(items, bounds, strict=False)]
    listed = [
        (found.start(), _Part(values.host(found[1]), line[found.end() : end], is_listed=True))
        for found, end in within
    ]
    requests = [
        found
        for found in _REQUEST.finditer(line)
        if not any(item.start() <= found.start() < end for item, end in within)
    ]
    stops = sorted([place for place, _ in listed] + [found.start() for found in requests] + [len(line)])
    asked = [
        (found.start(), _Part(values.host(found[1]), line[found.start() : _next(stops, found.start())]))
        for found in requests
    ]
    parts = [part for _, part in sorted([*listed, *asked], key=lambda one: one[0])]
    return parts or [_Part("", line)]


def _next(stops: list[int], place: int) -> int:
    return next(stop for stop in stops if stop > place)


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
    return [part.host for part in _parts(line) if part.is_listed and part.host]


def attempts(lines: Iterable[tuple[datetime | None, str]], name: str) -> dict[str, Attempt]:
    """The last network error of each endpoint, by its host.

    Args:
        lines: each with its instant, where it has one.
        name: the document's.
    """
    found: dict[str, Attempt] = {}
    for taken, line in lines:
        if "://" in line or "lookup " in line or "(error: " in line:
            for part in _parts(line):
                seen = _one(part, name, taken)
                if seen is None or seen.host.startswith(("169.254.", "127.", "localhost")):
                    continue
                if seen.failure or seen.host not in found:
                    found[seen.host] = seen
    return found
