"""What `openssl s_client` prints: whether TCP came about, and whose certificate answered."""

import re

from arcferry.evidence.document import Attempt, Document, Kind
from arcferry.evidence.readers import values
from arcferry.probe.observation import Failure, Stage

_CONNECT = re.compile(r"-connect\s+\[?([A-Za-z0-9_.:-]{1,253}?)\]?:\d{1,5}\b")
_SERVER_NAME = re.compile(r"-servername\s+([A-Za-z0-9_.-]{1,253})")
_COMMON_NAME = re.compile(r"^\s*(?:0 s:|subject=).{0,300}?CN ?= ?([A-Za-z0-9_.*-]{1,253})", re.MULTILINE)
_VERDICT = re.compile(
    r"Verify return code: (\d{1,3}) \(([^)\n]{1,100})\)|verify error:num=(\d{1,3}):([^\n]{1,100})"
)
_ISSUER = re.compile(r"^issuer=\s*(.{1,300})", re.MULTILINE)
_NO_TCP = re.compile(
    r"connect:errno=(\d{1,5})|Connection (refused|timed out)|BIO_lookup_ex|getaddrinfo|gethostbyname failure"
)
_KINDS = {
    "9": "certificate-not-yet-valid",
    "10": "certificate-expired",
    "18": "self-signed",
    "19": "certificate-untrusted",
    "20": "certificate-untrusted",
    "21": "incomplete-chain",
    "62": "name-mismatch",
}
_ERRNO = {
    "110": "timeout",
    "10060": "timeout",
    "60": "timeout",
    "111": "refused",
    "10061": "refused",
    "113": "unreachable",
    "101": "unreachable",
}


def _host(text: str) -> str:
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
    if "BIO_lookup" in found[0] or "getaddrinfo" in found[0] or "gethostbyname" in found[0]:
        return Failure(Stage.DNS, "nxdomain", says)
    worded = {"refused": "refused", "timed out": "timeout"}.get(found[2] or "", "timeout")
    return Failure(Stage.TCP, _ERRNO.get(found[1] or "", worded), says)


def _tls_failure(text: str) -> Failure | None:
    verdicts = [(found[1] or found[3], found[2] or found[4]) for found in _VERDICT.finditer(text)]
    issuer = _ISSUER.search(text)
    for number, words in reversed(verdicts):
        if kind := _KINDS.get(number):
            by = f"; it comes from {issuer[1].strip()}" if issuer else ""
            return Failure(Stage.TLS, kind, values.short(f"{words}{by}"))
    if "no peer certificate available" in text:
        alert = "alert handshake failure" in text
        kind = "tls-cipher-mismatch" if alert else "tls-cut"
        return Failure(Stage.TLS, kind, "TCP is up, and no certificate came back")
    return None


def read(name: str, text: str) -> Document | None:
    """What was seen of TCP and TLS, or None where `text` is no output of `openssl s_client`.

    A good certificate alone is no proof that the endpoint answers, and is told as nothing.
    """
    is_own = "CONNECTED(" in text or ("s_client" in text and _CONNECT.search(text))
    host = _host(text) if is_own else ""
    if not host:
        return None
    failure = _tcp_failure(text) or _tls_failure(text)
    seen = (Attempt(host, name, reachable=False, failure=failure),) if failure else ()
    return Document(name, Kind.CONNECTION_TEST, attempts=seen)
