"""What `curl -v` prints: how far a connection came, and what stopped it."""

import re

from arcferry.evidence.document import Attempt, Document, Kind
from arcferry.evidence.readers import values
from arcferry.probe.observation import Failure, Stage

_ABOUT = re.compile(
    r"^\* (?:\s*Trying \[?[0-9A-Fa-f.:]{3,45}|Could not resolve |Host \S+ was resolved|Uses "
    r"proxy|About to connect)"
)
_TRYING = re.compile(r"^\*\s+Trying \[?([0-9A-Fa-f.:]{3,45}?)\]?(?::\d{1,5})?\.\.\.")
_CONNECTED = re.compile(
    r"^\* Connected to ([A-Za-z0-9_.-]{1,253}) \(\[?([0-9A-Fa-f.:]{2,45}?)\]?\) port (\d{1,5})"
)
_HOST = re.compile(
    r"^\* (?:Host ([A-Za-z0-9_.-]{1,253}):\d+ was resolved|Connection #\d+ to host "
    r"([A-Za-z0-9_.-]{1,253})|Could not resolve host: ([A-Za-z0-9_.-]{1,253}))"
)
_TUNNEL = re.compile(
    r"^(?:> CONNECT ([A-Za-z0-9_.-]{1,253}):\d+|\* (?:Establish HTTP proxy tunnel to|CONNECT "
    r"tunnel[^\n]{0,40}to) ([A-Za-z0-9_.-]{1,253}))"
)
_REQUESTED = re.compile(r"^> Host: ([A-Za-z0-9_.-]{1,253})", re.IGNORECASE)
_COMMAND = re.compile(r"\bcurl\b.{0,300}?https?://([A-Za-z0-9_.-]{1,253})", re.IGNORECASE)
_ANSWERED = re.compile(r"^< HTTP/[\d.]+ (\d{3})")
_FAILURES = (
    (
        re.compile(r"Received HTTP code 407|CONNECT tunnel failed, response 407"),
        Stage.PROXY,
        "proxy-authentication-required",
    ),
    (
        re.compile(r"Received HTTP code 50[234] from proxy|CONNECT tunnel failed, response 50[234]"),
        Stage.PROXY,
        "proxy-cannot-reach",
    ),
    (re.compile(r"Received HTTP code \d{3} from proxy|CONNECT tunnel failed"), Stage.PROXY, "proxy-refused"),
    (re.compile(r"Could not resolve proxy"), Stage.PROXY, "proxy-name-not-found"),
    (re.compile(r"Could not resolve host|Resolving timed out"), Stage.DNS, "nxdomain"),
    (re.compile(r"self[- ]signed certificate(?! in certificate chain)"), Stage.TLS, "self-signed"),
    (re.compile(r"certificate has expired"), Stage.TLS, "certificate-expired"),
    (re.compile(r"certificate is not yet valid"), Stage.TLS, "certificate-not-yet-valid"),
    (
        re.compile(r"no alternative certificate subject name matches|does not match target host"),
        Stage.TLS,
        "name-mismatch",
    ),
    (
        re.compile(r"SSL certificate problem|SEC_E_UNTRUSTED_ROOT|unable to get local issuer"),
        Stage.TLS,
        "certificate-untrusted",
    ),
    (
        re.compile(
            r"SSL_ERROR_SYSCALL|unexpected eof|Connection reset by peer in connection to", re.IGNORECASE
        ),
        Stage.TLS,
        "tls-cut",
    ),
    (re.compile(r"SSL connection timeout"), Stage.TLS, "tls-timeout"),
    (
        re.compile(r"wrong version number|handshake failure|SSL connect error|alert "),
        Stage.TLS,
        "handshake-failed",
    ),
    (re.compile(r"onnection refused|curl: \(7\)"), Stage.TCP, "refused"),
    (re.compile(r"No route to host|Network is unreachable"), Stage.TCP, "unreachable"),
    (re.compile(r"timed out|Timeout was reached", re.IGNORECASE), Stage.TCP, "timeout"),
)
_ISSUER = re.compile(r"^\*\s+issuer: (.{1,300})")
_MOST = 200


def _parts(lines: list[str]) -> list[list[str]]:
    """One part a call of curl: from its command, or from its first word about a connection."""
    parts: list[list[str]] = [[]]
    is_over = False
    for line in lines:
        if _COMMAND.search(line) or (is_over and _ABOUT.match(line)):
            parts.append([])
            is_over = False
        parts[-1].append(line)
        is_over = is_over or line.startswith("curl: (") or "Closing connection" in line
    return [part for part in parts if any(_ABOUT.match(line) for line in part)][:_MOST]


def _target(part: list[str]) -> str:
    """The endpoint: behind a proxy the tunnel names it, else the command, the request or the connection."""
    for pattern in (_TUNNEL, _COMMAND, _REQUESTED, _HOST, _CONNECTED):
        for line in part:
            found = pattern.search(line)
            if found and (host := values.host(next(filter(None, found.groups()), ""))):
                return host
    return ""


def _failure(part: list[str]) -> Failure | None:
    text = "\n".join(line for line in part if line.startswith(("*", "curl: (")))
    issuer = next((found[1] for line in part if (found := _ISSUER.match(line))), "")
    for pattern, stage, kind in _FAILURES:
        if found := pattern.search(text):
            line = next(line for line in text.splitlines() if pattern.search(line) or found[0] in line)
            said = (
                f"{line.lstrip('* ')}; it comes from {issuer}"
                if issuer and stage is Stage.TLS
                else line.lstrip("* ")
            )
            return Failure(stage, kind, values.short(said))
    return None


def _attempt(part: list[str], name: str) -> Attempt | None:
    host = _target(part)
    statuses = [found[1] for line in part if (found := _ANSWERED.match(line))]
    proxied = any(_TUNNEL.search(line) or "Uses proxy" in line for line in part)
    answered = len(statuses) > (1 if any(_TUNNEL.search(line) for line in part) else 0)
    failure = None if answered else _failure(part)
    if not host or not (answered or failure):
        return None
    tried = [found[1] for line in part if (found := _TRYING.match(line))]
    used = [found[2] for line in part if (found := _CONNECTED.match(line))]
    address = "" if proxied else values.address((used or tried or [""])[-1])
    return Attempt(host, name, reachable=answered, proxied=proxied, address=address, failure=failure)


def read(name: str, text: str) -> Document | None:
    """How the calls went, or None where `text` is no verbose output of curl."""
    lines = [line[:1000] for line in text.splitlines()[:50_000]]
    if not any(_ABOUT.match(line) for line in lines):
        return None
    found = [seen for part in _parts(lines) if (seen := _attempt(part, name))]
    if not found:
        return None
    return Document(name, Kind.CONNECTION_TEST, attempts=tuple({seen.host: seen for seen in found}.values()))
