"""What the script of `arcferry evidence script`, or the block under a finding, wrote on a server.

The script collects and does not reason: its lines hold what resolver, sockets and TLS said, which is sorted
out here. What the agent's own commands printed beneath is read as itself.
"""

import re
from dataclasses import dataclass, field
from datetime import datetime

from arcferry.evidence.case import Document, Kind
from arcferry.evidence.readers import values
from arcferry.evidence.readers.connection_test import VERIFY_ERRORS
from arcferry.probe.observation import Attempt, DnsAnswer, Failure, Stage
from arcferry.times import from_http

_START = re.compile(r"^[>\s]{0,8}arcferry-evidence 1 (linux|windows) (\S{19,30})\s*$")
_END = re.compile(r"^[>\s]{0,8}arcferry-evidence end\s*$", re.MULTILINE)
_LINE = re.compile(
    r"^[>\s]{0,8}(name|alias|hosts-file|resolver|proxy|unresolved|address|tcp|issuer|verify|tls|http|date) "
    r"(.{1,400})$"
)
_ERRNO = re.compile(r"^errno=(-?\d{1,12})")
_MOST_LINES, _MOST_NAMES = 20_000, 500
_CUT_SHORT = "its last line is missing: it was cut short, or is still being written"

_TCP = {
    "refused": ("111", "10061"),
    "reset": ("104", "10054", "10053"),
    "unreachable": ("101", "113", "10051", "10065"),
}
"""Error numbers of a connection, of Linux and of Windows; all others are some kind of silence."""
_UNRESOLVED = {
    "nxdomain": ("NXDOMAIN", "9003", "11001"),
    "servfail": ("SERVFAIL", "REFUSED", "9002", "9005", "11002", "11003"),
    "no-resolver": ("timed out", "no servers", "1460", "9852", "10060"),
}
"""Words of dig, host and nslookup, and numbers of Windows (windns.h, winsock2.h); others are no address."""
_TLS = (
    (r"alert protocol version|unsupported protocol", "tls-protocol-version"),
    (r"handshake failure|errno=-2146893007", "tls-cipher-mismatch"),
    (r"errno=10060", "tls-timeout"),
    (r"errno=(?:0|32|104|10053|10054)\b|unexpected eof|no peer certificate", "tls-cut"),
)
_WRONG = (
    (r"UntrustedRoot|PartialChain", "certificate-untrusted"),
    (r"NotTimeValid", "certificate-expired"),
    (r"NameMismatch", "name-mismatch"),
)
"""What .NET says of a certificate (SslPolicyErrors, X509ChainStatusFlags), the root of the others first."""


@dataclass(slots=True)
class _Tried:
    """One address that was tried: the first line of each word that tells how far that came."""

    address: str
    at: datetime | None
    lines: dict[str, list[str]] = field(default_factory=dict)

    def first(self, word: str) -> str:
        return self.lines.get(word, [""])[0]


@dataclass(slots=True)
class _Asked:
    """One name, with what became of it."""

    host: str
    taken: datetime | None
    resolver: str
    aliases: list[str] = field(default_factory=list)
    tried: list[_Tried] = field(default_factory=list)
    unresolved: str = ""
    by_hosts_file: bool = False


def read(name: str, text: str) -> Document | None:
    """The names, answers and connections, or None if `text` holds no output of the script."""
    asked: list[_Asked] = []
    taken: datetime | None = None
    resolvers: list[str] = []
    proxies: list[str] = []
    started = False
    for line in values.lines(text, 600, _MOST_LINES):
        if begun := _START.match(line):
            started, taken, resolvers = True, values.instant(begun[2]), []
        elif started and (told := _LINE.match(line)):
            word, rest = told[1], told[2].strip()
            if word == "resolver":
                resolvers += filter(None, [values.address(rest)])
            elif word == "proxy" and not rest.lower().startswith("no_proxy"):
                proxies.append(rest.partition(" ")[0])
            elif word == "name" and (host := values.host(rest)):
                asked.append(_Asked(host, taken, ", ".join(resolvers[:3])))
            elif asked:
                _take(asked[-1], word, rest)
    if not started:
        return None
    asked = asked[:_MOST_NAMES]
    notes = [] if _END.search(text) else [_CUT_SHORT]
    if proxies:
        notes.append(
            f"{', '.join(sorted(set(map(values.short, proxies))))} is set there; the script went past it"
        )
    return Document(
        name,
        Kind.SERVER_EVIDENCE,
        taken,
        attempts=tuple(_attempt(one, name) for one in asked if one.tried or one.unresolved),
        answers=tuple(answer for one in asked if (answer := _answer(one, name))),
        notes=tuple(notes),
    )


def _take(asked: _Asked, word: str, rest: str) -> None:
    if word == "alias":
        asked.aliases += filter(None, [values.host(rest)])
    elif word == "unresolved":
        asked.unresolved = rest
    elif word == "hosts-file":
        asked.by_hosts_file = True
    elif word == "address":
        address, _, at = rest.partition(" ")
        if values.address(address):
            asked.tried.append(_Tried(values.address(address), values.instant(at.strip())))
    elif asked.tried:
        asked.tried[-1].lines.setdefault(word, []).append(rest)


def _answer(asked: _Asked, name: str) -> DnsAnswer | None:
    kind = _unresolved(asked.unresolved)
    # Silence says nothing of the name: another server may know it.
    if not asked.tried and (not asked.unresolved or kind == "no-resolver"):
        return None
    addresses = tuple(dict.fromkeys(one.address for one in asked.tried))
    rcode = "" if addresses else {"nxdomain": "NXDOMAIN", "servfail": "SERVFAIL"}.get(kind, "NOERROR")
    if asked.by_hosts_file:
        return DnsAnswer(asked.host, (), addresses, "/etc/hosts", rcode, name, asked.taken)
    return DnsAnswer(asked.host, tuple(asked.aliases), addresses, asked.resolver, rcode, name, asked.taken)


def _unresolved(said: str) -> str:
    return next((kind for kind, words in _UNRESOLVED.items() if said in words), "no-addresses")


def _attempt(asked: _Asked, name: str) -> Attempt:
    """How far the name came: an address that answered counts, else the first one's failure."""
    failures = [(one, _failure(asked.host, one)) for one in asked.tried]
    if not failures:
        kind = _unresolved(asked.unresolved)
        says = f"the server got no address for {asked.host} ({values.short(asked.unresolved, 40)})"
        failed = Failure(Stage.DNS, kind, says)
        return Attempt(asked.host, name, reachable=False, taken=asked.taken, failure=failed)
    tried, failure = next(((one, None) for one, failed in failures if failed is None), failures[0])
    return Attempt(
        asked.host,
        name,
        reachable=failure is None,
        taken=tried.at or asked.taken,
        resolver=asked.resolver,
        address=tried.address,
        failure=failure,
        clock_skew=_skew(tried),
    )


def _failure(host: str, tried: _Tried) -> Failure | None:
    """The step that failed; None if an HTTP answer came over a connection whose certificate was right."""
    at = f"{tried.address}:443"
    tcp, tls = tried.lines.get("tcp", []), " ".join(tried.lines.get("tls", []))
    if "connected" not in tcp:
        number = next((found[1] for line in tcp if (found := _ERRNO.match(line))), "")
        kind = next((kind for kind, numbers in _TCP.items() if number in numbers), "timeout")
        says = {"refused": "refused the connection", "reset": "reset the connection"}.get(kind)
        return Failure(Stage.TCP, kind, f"{at} {says}" if says else f"no answer from {at}")
    if kind := _certificate(tried.first("verify")):
        issuer = values.short(tried.first("issuer"), 200)
        by = f"; it comes from {issuer}" if issuer else ""
        return Failure(Stage.TLS, kind, f"{host}: {values.short(tried.first('verify'), 120)}{by}")
    if tried.first("http"):
        return None
    if "done" in tls.split():
        return Failure(Stage.HTTP, "timeout", f"no answer to GET / from {at}")
    if not tls:
        return Failure(Stage.TLS, "tls-timeout", f"no answer in the TLS handshake with {at}")
    kind = next(
        (kind for pattern, kind in _TLS if re.search(pattern, tls, re.IGNORECASE)), "handshake-failed"
    )
    return Failure(Stage.TLS, kind, f"the TLS handshake with {at} failed: {values.short(tls, 160)}")


def _certificate(said: str) -> str:
    """What is wrong with the certificate, by openssl's number or .NET's words; empty if nothing is."""
    return VERIFY_ERRORS.get(said.partition(":")[0]) or next(
        (kind for pattern, kind in _WRONG if re.search(pattern, said)), ""
    )


def _skew(tried: _Tried) -> float | None:
    """The server's clock minus that of whoever answered."""
    try:
        return (tried.at - from_http(tried.first("date"))).total_seconds() if tried.at else None
    except ValueError:
        return None
