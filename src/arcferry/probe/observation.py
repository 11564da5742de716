"""What one probe saw, of what, from where, through which resolver or proxy, when."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from arcferry.catalog import Endpoint

CHECK, WATCH = "arcferry check", "arcferry watch"
PROBES = (CHECK, WATCH)
"""Origins of what came from a probe and from no file."""


class Stage(StrEnum):
    """The steps of a connection, in their order. What lies behind a failed one is not tested."""

    DNS = "dns"
    PROXY = "proxy"
    TCP = "tcp"
    TLS = "tls"
    HTTP = "http"


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a step failed.

    Attributes:
        stage: the step.
        kind: a stable word, one of those below.
        says: the same for a person, naming what was tried and what came back.

    The kinds by stage; `timeout`, `refused`, `unreachable` and `reset` say the same at every stage.

    - dns: `no-resolver`, `nxdomain`, `no-addresses`, `servfail`.
    - proxy: `proxy-name-not-found`, `proxy-unreachable`, `proxy-authentication-required` (407),
      `proxy-refused`, `proxy-cannot-reach` (502, 503, 504), `proxy-not-http` (what answers is no proxy: not
      HTTP, or a web server without CONNECT).
    - tls: `tls-timeout` (TCP is up and not one byte came back), `tls-gap` (a later part of the server's
      answer arrived, an earlier one did not), `tls-cut` (reset or closed in the handshake),
      `tls-protocol-version`, `tls-cipher-mismatch` (the alert handshake_failure),
      `handshake-failed` (any other alert, or no TLS at all), `certificate-untrusted`, `self-signed`,
      `incomplete-chain` (the leaf's issuer was not sent), `certificate-expired`,
      `certificate-not-yet-valid`, `name-mismatch`.
    - http: `not-http`, `captive-page` (a page of whoever stands between, or a redirect to it).
    - any stage: `discovery-failed`, in the regional HIS endpoint's row.
    """

    stage: Stage
    kind: str
    says: str


@dataclass(frozen=True, slots=True)
class DnsAnswer:
    """One resolver's answer for one name; no addresses means that it had none to give.

    Attributes:
        host: the name asked for.
        chain: the CNAME targets in order, without `host`.
        resolver: empty if nobody tells which one answered.
        rcode: such as `NXDOMAIN`; empty if there is an answer, or if the document does not say.
        origin: the document that says so; empty for what this process asked itself.
    """

    host: str
    chain: tuple[str, ...]
    addresses: tuple[str, ...]
    resolver: str = ""
    rcode: str = ""
    origin: str = ""
    taken: datetime | None = None


@dataclass(frozen=True, slots=True)
class TlsSession:
    """What the server proved in the handshake.

    Attributes:
        version: as `azcmagent check` prints it, such as `TLS 1.3`.
        names: the DNS names and IP addresses of the certificate.
        public_root: whether the chain ends in a root that the public web trusts; False behind inspection.
    """

    version: str
    cipher: str
    issuer: str
    subject: str
    names: tuple[str, ...]
    not_after: datetime
    public_root: bool


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """An answer's head and at most 8 KiB of its body. Any counts as reached, 400, 401, 403 and 404 too.

    Attributes:
        date: the `Date` header, aware; None where it is absent or no date.
        reason: the words after the status, cleaned.
        media_type: of the body, such as `text/html`; lower case, empty where it is not said.
        location: where a redirect leads, as it was sent; empty without one.
    """

    status: int
    date: datetime | None
    reason: str = ""
    body: bytes = b""
    media_type: str = ""
    location: str = ""


@dataclass(frozen=True, slots=True)
class OtherFamily:
    """How a name's addresses of the other IP version answer, beside the one that was used.

    Attributes:
        address: the first of them.
        failure: why TCP did not come about; None if it did.
        first: whether the system takes these addresses before the others; None if nobody asked it.
    """

    address: str
    failure: Failure | None = None
    first: bool | None = None


@dataclass(frozen=True, slots=True)
class Attempt:
    """What is said of reaching one endpoint, by a probe or by a document.

    Attributes:
        origin: who says so: the document's name, or the command that probed.
        required: whether the document itself marks the endpoint as required; None if it does not say.
        private: whether the answer was a private address; None if unknown.
        proxied: whether a proxy stood between, so that the server's own routes do not matter.
        proxy: the proxy's URL without credentials; empty if nobody names it.
        address: the address that was tried last; empty behind a proxy, or before DNS answered.
        failure: the step that failed; None if reached, or if the document does not say.
        clock_skew: this machine's clock minus the server's, in seconds; None without a `Date` header.
        install: whether the endpoint was needed to download a package, not to connect.
        other_family: how the addresses of the other IP version answer; None if none was tried.
    """

    host: str
    origin: str
    reachable: bool
    taken: datetime | None = None
    required: bool | None = None
    private: bool | None = None
    proxied: bool = False
    proxy: str = ""
    resolver: str = ""
    address: str = ""
    failure: Failure | None = None
    tls: TlsSession | None = None
    clock_skew: float | None = None
    install: bool = False
    other_family: OtherFamily | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation(Attempt):
    """An attempt of this process, with everything that its steps showed.

    Attributes:
        elapsed: seconds from the first query to the answer or the failure.
    """

    endpoint: Endpoint
    elapsed: float
    dns: DnsAnswer | None = None
    http: HttpAnswer | None = None
