"""Network errors in the words of the Go library that the agent is written with.

Its own words are English on every system; what Windows adds may be in any language, so that only the
structure around it counts.
"""

import re
from collections.abc import Iterable
from datetime import datetime

from arcferry.diagnosis.document import Sighting
from arcferry.diagnosis.readers import values
from arcferry.probe.observation import Failure, Stage

_REQUEST = re.compile(
    r'\b(?:Get|Head|Post|Put|Patch|Delete|GET|HEAD|POST|PUT|PATCH|DELETE) \\*"?https?://([A-Za-z0-9_.-]{1,253})'
)
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


def _of_proxy(line: str, says: str) -> Failure:
    if _LOOKUP.search(line):
        return Failure(Stage.PROXY, "proxy-name-not-found", says)
    return Failure(Stage.PROXY, "proxy-unreachable", says)


def failure_in(line: str) -> Failure | None:
    """The step that failed, where the line has the form of a Go network error."""
    says = values.short(line[line.find("://") + 3 :] if "://" in line else line)
    if "proxyconnect tcp" in line:
        return _of_proxy(line, says)
    if lookup := _LOOKUP.search(line):
        return Failure(Stage.DNS, _lookup_kind(lookup[3]), says)
    if dial := _DIAL.search(line):
        return Failure(Stage.TCP, _dial_kind(dial[2]), says)
    for pattern, stage, kind in _LATER:
        if pattern.search(line):
            return Failure(stage, kind, says)
    return None


def _one(line: str, name: str, taken: datetime | None) -> Sighting | None:
    request = _REQUEST.search(line)
    failure = failure_in(line[request.start() :] if request else line)
    lookup = _LOOKUP.search(line)
    proxied = "proxyconnect tcp" in line or (failure is not None and failure.stage is Stage.PROXY)
    host = values.host(request[1]) if request else values.host(lookup[1]) if lookup and not proxied else ""
    if not host or failure is None:
        return None
    dial = _DIAL.search(line)
    return Sighting(
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


def sightings(lines: Iterable[tuple[datetime | None, str]], name: str) -> dict[str, Sighting]:
    """The last network error of each endpoint, by its host.

    Args:
        lines: each with its instant, where it has one.
        name: the document's.
    """
    found: dict[str, Sighting] = {}
    for taken, line in lines:
        if "://" in line or "lookup " in line:
            seen = _one(line, name, taken)
            if seen and not seen.host.startswith(("169.254.", "127.", "localhost")):
                found[seen.host] = seen
    return found
