"""Connections that somebody tried by hand: `curl -v`, `openssl s_client` and `Test-NetConnection`."""

import re

from arcferry.evidence.case import Document, Kind
from arcferry.evidence.readers import values
from arcferry.probe.observation import Attempt, DnsAnswer, Failure, Stage

_MOST = 500

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
    r"([A-Za-z0-9_.-]{1,253})|Could not resolve host: ([A-Za-z0-9_.-]{1,253})|"
    r"Failed to connect to ([A-Za-z0-9_.-]{1,253}) port)"
)
_TUNNEL = re.compile(
    r"^(?:> CONNECT ([A-Za-z0-9_.-]{1,253}):\d+|\* (?:Establish HTTP proxy tunnel to|CONNECT "
    r"tunnel[^\n]{0,40}to) ([A-Za-z0-9_.-]{1,253}))"
)
_REQUESTED = re.compile(r"^> Host: ([A-Za-z0-9_.-]{1,253})", re.IGNORECASE)
_COMMAND = re.compile(r"\bcurl\b.{0,300}?https?://([A-Za-z0-9_.-]{1,253})", re.IGNORECASE)
_ANSWERED = re.compile(r"^< HTTP/[\d.]+ (\d{3})")
_CURL_ISSUER = re.compile(r"^\*\s+issuer: (.{1,300})")
_MOST_CALLS = 200

_CONNECT = re.compile(r"-connect\s+\[?([A-Za-z0-9_.:-]{1,253}?)\]?:\d{1,5}\b")
_SERVER_NAME = re.compile(r"-servername\s+([A-Za-z0-9_.-]{1,253})")
_COMMON_NAME = re.compile(r"^\s*(?:0 s:|subject=).{0,300}?CN ?= ?([A-Za-z0-9_.*-]{1,253})", re.MULTILINE)
_VERIFIED = re.compile(
    r"Verify return code: (\d{1,3}) \(([^)\n]{1,100})\)|verify error:num=(\d{1,3}):([^\n]{1,100})"
)
_ISSUER = re.compile(r"^(?:issuer=| {0,3}(?:0 s:.{0,300}\n {0,3})i:)\s*(.{1,300})", re.MULTILINE)
_NO_TCP = re.compile(
    r"connect:errno=(\d{1,5})|Connection (refused|timed out)|BIO_lookup_ex|getaddrinfo|gethostbyname failure"
)
VERIFY_ERRORS = {
    "9": "certificate-not-yet-valid",
    "10": "certificate-expired",
    "18": "self-signed",
    "19": "certificate-untrusted",
    "20": "certificate-untrusted",
    "21": "incomplete-chain",
    "62": "name-mismatch",
}
_REFUSED, _UNREACHABLE = ("111", "10061"), ("113", "101")
"""Error numbers of a connection, on Linux and on Windows; all others are some kind of silence."""

_PROPERTY = re.compile(
    r"^\s*(ComputerName|RemoteAddress|RemotePort|TcpTestSucceeded|NameResolutionSucceeded|"
    r"SourceAddress)\s*: ?(\S{0,254})\s*$"
)
_TYPED_TEST = re.compile(
    r"\b(?:tnc|Test-NetConnection)\s+(?:-ComputerName\s+)?[\"']?([A-Za-z0-9][A-Za-z0-9.-]{3,252})",
    re.IGNORECASE,
)
_ONLY_TCP = (
    "a TCP test that succeeds does not prove that the endpoint was reached: firewalls answer in its place"
)


def _calls(lines: list[str]) -> list[list[str]]:
    """One part a call of curl: from its command, or from its first word about a connection."""
    parts: list[list[str]] = [[]]
    is_over = False
    for line in lines:
        if _COMMAND.search(line) or (is_over and _ABOUT.match(line)):
            parts.append([])
            is_over = False
        parts[-1].append(line)
        is_over = is_over or line.startswith("curl: (") or "Closing connection" in line
    return [part for part in parts if any(map(_ABOUT.match, part))][:_MOST_CALLS]


def _target(part: list[str]) -> str:
    """The endpoint: behind a proxy the tunnel names it, else the command, the request or the connection."""
    for pattern in (_TUNNEL, _COMMAND, _REQUESTED, _HOST, _CONNECTED):
        for line in part:
            found = pattern.search(line)
            if found and (host := values.host(next(filter(None, found.groups()), ""))):
                return host
    return ""


def _curl_failure(part: list[str]) -> Failure | None:
    said = [line for line in part if line.startswith(("*", "curl: ("))]
    issuer = next((found[1] for line in part if (found := _CURL_ISSUER.match(line))), "")
    told = values.failure_told("curl", *said)
    if told is None:
        return None
    stage, kind, line = told
    by = f"; it comes from {issuer}" if issuer and stage is Stage.TLS else ""
    return Failure(stage, kind, values.short(line.lstrip("* ") + by))


def _curl_attempt(part: list[str], name: str) -> Attempt | None:
    host = _target(part)
    tunnelled = any(map(_TUNNEL.search, part))
    # Of a tunnel the first answer is the proxy's own.
    answered = sum(_ANSWERED.match(line) is not None for line in part) > tunnelled
    proxied = tunnelled or any("Uses proxy" in line for line in part)
    failure = None if answered else _curl_failure(part)
    if not host or not (answered or failure):
        return None
    tried = [found[1] for line in part if (found := _TRYING.match(line))]
    used = [found[2] for line in part if (found := _CONNECTED.match(line))]
    address = "" if proxied else values.address((used or tried or [""])[-1])
    return Attempt(host, name, reachable=answered, proxied=proxied, address=address, failure=failure)


def read_curl(name: str, text: str) -> Document | None:
    """How far the calls came and what stopped them, or None if `text` is no verbose output of curl."""
    lines = values.lines(text, 1000, 50_000)
    if not any(map(_ABOUT.match, lines)):
        return None
    found = {seen.host: seen for part in _calls(lines) if (seen := _curl_attempt(part, name))}
    return Document(name, Kind.CONNECTION_TEST, attempts=tuple(found.values())) if found else None


def _server_name(text: str) -> str:
    for pattern in (_SERVER_NAME, _CONNECT, _COMMON_NAME):
        found = pattern.search(text)
        host = values.host(found[1].removeprefix("*.")) if found else ""
        if host and not values.address(host):
            return host
    return ""


def _tcp_failure(text: str) -> Failure | None:
    found = _NO_TCP.search(text)
    if found is None or "CONNECTED(" in text:
        return None
    says = values.short(next(line for line in text.splitlines() if found[0] in line))
    if found[0].startswith(("BIO_lookup", "getaddrinfo", "gethostbyname")):
        return Failure(Stage.DNS, "nxdomain", says)
    if found[1] in _REFUSED or found[2] == "refused":
        return Failure(Stage.TCP, "refused", says)
    return Failure(Stage.TCP, "unreachable" if found[1] in _UNREACHABLE else "timeout", says)


def _tls_failure(text: str) -> Failure | None:
    verified = [(found[1] or found[3], found[2] or found[4]) for found in _VERIFIED.finditer(text)]
    issuer = _ISSUER.search(text)
    for number, words in reversed(verified):
        if kind := VERIFY_ERRORS.get(number):
            by = f"; it comes from {issuer[1].strip()}" if issuer else ""
            return Failure(Stage.TLS, kind, values.short(f"{words}{by}"))
    if "no peer certificate available" in text:
        kind = "tls-cipher-mismatch" if "alert handshake failure" in text else "tls-cut"
        return Failure(Stage.TLS, kind, "TCP is up, and no certificate came back")
    return None


def read_openssl(name: str, text: str) -> Document | None:
    """What was seen of TCP and TLS, or None if `text` is no output of `openssl s_client`.

    A good certificate alone is no proof that the endpoint answers, and is told as nothing.
    """
    is_own = "CONNECTED(" in text or ("s_client" in text and _CONNECT.search(text))
    host = _server_name(text) if is_own else ""
    if not host:
        return None
    failure = _tcp_failure(text) or _tls_failure(text)
    seen = (Attempt(host, name, reachable=False, failure=failure),) if failure else ()
    return Document(name, Kind.CONNECTION_TEST, attempts=seen)


def _tests(text: str) -> list[dict[str, str]]:
    """The properties of each test of Test-NetConnection that says how it went."""
    found: list[dict[str, str]] = []
    for line in text.splitlines():
        if pair := _PROPERTY.match(line[:400]):
            if not found or pair[1] == "ComputerName" or pair[1] in found[-1]:
                found.append({})
            found[-1][pair[1]] = pair[2]
    return [one for one in found[:_MOST] if "TcpTestSucceeded" in one or "RemoteAddress" in one]


def read_net_connection(name: str, text: str) -> Document | None:
    """The tests of `Test-NetConnection` that failed, and the addresses that were used; None without a test.

    The names of its properties are English everywhere. A TCP test that succeeds proves no more than TCP, and
    so says nothing of the endpoint.
    """
    attempts, answers = [], []
    tests = _tests(text)
    # `tnc NAME -port 443 | fl tcp*` leaves out the name, which the command has.
    asked = _TYPED_TEST.search(text)
    for one in tests:
        one.setdefault("ComputerName", asked[1] if asked else "")
        host, address = values.host(one.get("ComputerName")), values.address(one.get("RemoteAddress"))
        if not host or values.address(host):
            continue
        if address:
            answers.append(DnsAnswer(host, (), (address,), origin=name))
            port = one.get("RemotePort") or "unknown"
            says = f"TCP to {address} port {port} did not come about (Test-NetConnection)"
            failure = Failure(Stage.TCP, "timeout", says)
        else:
            says = f"Test-NetConnection got no address for {host}"
            failure = Failure(Stage.DNS, "no-addresses", says)
        if one.get("TcpTestSucceeded", "").lower() == "false":
            attempts.append(Attempt(host, name, reachable=False, address=address, failure=failure))
    if not tests:
        return None
    only_tcp = any(one.get("TcpTestSucceeded", "").lower() == "true" for one in tests)
    return Document(
        name,
        Kind.CONNECTION_TEST,
        attempts=tuple(attempts),
        answers=tuple(answers),
        notes=(_ONLY_TCP,) if only_tcp else (),
    )
