"""What a handed-in file says, once it was recognised: what a case is made of."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from arcferry.errors import BundleFault
from arcferry.probe.observation import Attempt, DnsAnswer, Observation
from arcferry.routing.circuit import Circuit
from arcferry.routing.communities import CommunityList
from arcferry.routing.route import RouteTable
from arcferry.routing.route_filter import RouteFilter
from arcferry.routing.service_tags import ServiceTags

NETWORK_ERROR = "AZCM0026"
"""The code with which the agent gives up on an endpoint; what is behind it, the endpoint's facts tell."""


class Kind(StrEnum):
    """What a file can be taken for; also the words that `would_decide` uses."""

    AGENT_CHECK = "agent-check"
    AGENT_CONNECT = "agent-connect"
    DOWNLOAD_ERROR = "download-error"
    DNS_ANSWERS = "dns-answers"
    ARCFERRY_CHECK = "arcferry-check"
    AGENT_SHOW = "agent-show"
    AGENT_LOG = "agent-log"
    AGENT_LOGS_ZIP = "agent-logs-zip"
    INSTALL_LOG = "install-log"
    HOST_ANSWERS = "host-answers"
    ONBOARDING_SCRIPT = "onboarding-script"
    POWERSHELL_ERROR = "powershell-error"
    CONNECTION_TEST = "connection-test"
    AZURE_ERROR = "azure-error"
    RECEIVED_ROUTES = "received-routes"
    AZURE_ROUTES = "azure-routes"
    CIRCUIT = "circuit"
    WATCH_HISTORY = "watch-history"
    ROUTE_FILTER = "route-filter"
    SERVICE_TAGS = "service-tags"
    COMMUNITY_LIST = "community-list"
    BUNDLE_CHECK = "bundle-check"
    KEPT_EVIDENCE = "kept-evidence"
    UNRECOGNISED = "unrecognised"
    UNREADABLE = "unreadable"


@dataclass(frozen=True, slots=True)
class CodeSeen:
    """An exit code that a document shows, such as `AZCM0026`, and the agent's own words beside it."""

    code: str
    says: str
    origin: str
    hosts: tuple[str, ...] = ()
    taken: datetime | None = None

    @property
    def with_words(self) -> str:
        """`AZCM0026: Network Error`, or the code alone if no words stand beside it."""
        return f"{self.code}: {self.says}".rstrip(": ")


@dataclass(frozen=True, slots=True)
class ErrorLine:
    """A line with which a program of the agent's gave up, or said that something failed.

    Attributes:
        says: its own words, without credentials.
        is_fatal: whether the program ended with it.
    """

    says: str
    origin: str
    taken: datetime | None = None
    is_fatal: bool = True


@dataclass(frozen=True, slots=True)
class AgentState:
    """What the agent says of itself (`azcmagent show`, its state files).

    Attributes:
        status: `Connected`, `Disconnected` or `Expired`; empty if the document does not say.
        services: the dependent services with their state, such as `("himds", "running")`.
        proxy: the proxy's URL without credentials, empty if none is set.
        proxy_credentials: whether that URL held a user or a password; they are never kept.
        properties: every other property, by its displayed name in lower case; credentials are redacted.
    """

    origin: str
    status: str = ""
    version: str = ""
    location: str = ""
    cloud: str = ""
    error_code: str = ""
    error: str = ""
    last_heartbeat: datetime | None = None
    services: tuple[tuple[str, str], ...] = ()
    proxy: str = ""
    proxy_credentials: bool = False
    private_link_scope: str = ""
    gateway: str = ""
    properties: tuple[tuple[str, str], ...] = ()
    taken: datetime | None = None


@dataclass(frozen=True, slots=True)
class BundleProblem:
    """What opening a bundle has shown to be wrong, and of which of its files."""

    fault: BundleFault
    file: str


@dataclass(frozen=True, slots=True)
class Document:
    """One recognised document and everything it says.

    Attributes:
        taken: as of when, where the document or its name tells.
        notes: what was odd in it, such as a name that stands there twice.
        servers: those that it tells of, which are judged apart from others; empty if it is of the network, or
            if only one server is meant.
        excerpt: the addresses that another command shortened it to; None for a document of its own.
    """

    name: str
    kind: Kind
    taken: datetime | None = None
    attempts: tuple[Attempt, ...] = ()
    answers: tuple[DnsAnswer, ...] = ()
    codes: tuple[CodeSeen, ...] = ()
    error_lines: tuple[ErrorLine, ...] = ()
    route_filter: RouteFilter | None = None
    service_tags: ServiceTags | None = None
    community_list: CommunityList | None = None
    route_table: RouteTable | None = None
    circuit: Circuit | None = None
    agent_state: AgentState | None = None
    bundle_problems: tuple[BundleProblem, ...] = ()
    notes: tuple[str, ...] = ()
    servers: tuple[str, ...] = ()
    excerpt: frozenset[str] | None = None


def observed(observations: Iterable[Observation], origin: str = "arcferry check") -> Document:
    """The document that a probe of this process amounts to, for a diagnosis without a file between."""
    seen = tuple(replace(one, origin=origin) for one in observations)
    answers = (
        replace(one.dns, host=one.host, origin=origin, taken=one.taken)
        for one in seen
        if one.dns and one.dns.addresses
    )
    taken = max((one.taken for one in seen if one.taken), default=None)
    return Document(origin, Kind.ARCFERRY_CHECK, taken, seen, tuple(answers))
