"""What each handed-in file or probe says, as documents, and the case of all that is judged together."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import StrEnum
from typing import TYPE_CHECKING

from arcferry.errors import BundleFault
from arcferry.probe.observation import CHECK, Attempt, DnsAnswer, Observation
from arcferry.routing.azure_json import CommunityList, ServiceTags
from arcferry.routing.circuit import IPV6, Circuit, Peering
from arcferry.routing.route import RouteTable, Vantage
from arcferry.routing.route_filter import RouteFilter, distinct

if TYPE_CHECKING:
    from arcferry.routing.session import ArpEntry, Session

_SEVERAL = 2
NETWORK_ERROR = "AZCM0026"
"""The code with which the agent gives up on an endpoint; what is behind it, the endpoint's facts tell."""
HEARD_FROM = "heard from"
"""The property of an agent's state that is `no` after a connect without a heartbeat."""

SCOPE_UNNAMED = "of unknown name"
"""Stands for a private link scope of which only that it is used is known."""


class Kind(StrEnum):
    """What a file can be taken for; also the words that `would_decide` uses."""

    AGENT_CHECK = "agent-check"
    AGENT_CONNECT = "agent-connect"
    DOWNLOAD_ERROR = "download-error"
    DNS_ANSWERS = "dns-answers"
    ARCFERRY_CHECK = "arcferry-check"
    AGENT_SHOW = "agent-show"
    AZURE_MACHINE = "azure-machine"
    CONNECT_SETTINGS = "connect-settings"
    AGENT_LOG = "agent-log"
    AGENT_LOGS_ZIP = "agent-logs-zip"
    INSTALL_LOG = "install-log"
    HOST_ANSWERS = "host-answers"
    SERVER_EVIDENCE = "server-evidence"
    ONBOARDING_SCRIPT = "onboarding-script"
    POWERSHELL_ERROR = "powershell-error"
    CONNECTION_TEST = "connection-test"
    PROGRAM_OUTPUT = "program-output"
    SERVICES = "services"
    WINHTTP_PROXY = "winhttp-proxy"
    AZURE_ERROR = "azure-error"
    AZURE_OBJECT = "azure-object"
    SERVER_STATE = "server-state"
    RECEIVED_ROUTES = "received-routes"
    AZURE_ROUTES = "azure-routes"
    BGP_SESSIONS = "bgp-sessions"
    AZURE_ARP = "azure-arp"
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
        winhttp_proxy: the proxy of Windows' own services on the same server, which the agent does not use.
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
    winhttp_proxy: str = ""
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
        location: the Azure region that servers are connected to, as the one who asked gave it; else empty.
        file: what was handed in, where the document is called by a probe of another command.
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
    sessions: "tuple[Session, ...]" = ()
    arp: "tuple[ArpEntry, ...]" = ()
    agent_state: AgentState | None = None
    bundle_problems: tuple[BundleProblem, ...] = ()
    notes: tuple[str, ...] = ()
    servers: tuple[str, ...] = ()
    excerpt: frozenset[str] | None = None
    location: str = ""
    file: str = ""

    @property
    def sees_no_router(self) -> bool:
        """Whether its ARP table has no answer of the customer's router, which is a fault below BGP."""
        return bool(self.arp) and not any(one.is_on_premises and one.is_answered for one in self.arp)


def observed(
    observations: Iterable[Observation],
    origin: str = CHECK,
    *,
    location: str = "",
    scope: str = "",
) -> Document:
    """The document that a probe of this process amounts to, for a diagnosis without a file between.

    Args:
        observations: what was seen.
        origin: what the document is called.
        location: the Azure region whose endpoints were asked.
        scope: the private link scope that is meant to be used; empty for none.
    """
    seen = tuple(replace(one, origin=origin) for one in observations)
    answers = (
        replace(one.dns, host=one.host, origin=origin, taken=one.taken)
        for one in seen
        if one.dns and one.dns.addresses
    )
    taken = max((one.taken for one in seen if one.taken), default=None)
    agent = AgentState(origin, private_link_scope=scope) if scope else None
    return Document(
        origin, Kind.ARCFERRY_CHECK, taken, seen, tuple(answers), agent_state=agent, location=location
    )


@dataclass(frozen=True, slots=True)
class Case:
    """Everything that is judged together; dated sources newest first.

    Attributes:
        handed_in: every document of the evidence, and those held documents that count beside it.
    """

    handed_in: tuple[Document, ...]

    @classmethod
    def of(cls, evidence: Iterable[Document], held: Iterable[Document] = ()) -> "Case":
        """The evidence in its own order, then what is held of the kinds that it lacks.

        What another command kept of filters, circuits, tags, lists and routes yields to a document that was
        handed in for itself, and is left aside if an address came in that it was not shortened to: that it
        lacks that one means nothing.
        """
        given = tuple(evidence)
        whole = {one.kind for one in given if one.excerpt is None}
        addresses = cls(given).addresses
        counts = [
            one
            for one in given
            if one.excerpt is None
            or (one.kind not in whole and (addresses <= one.excerpt or one.route_filter or one.circuit))
        ]
        kinds = {one.kind for one in counts}
        return cls((*counts, *(one for one in held if one.kind not in kinds)))

    @property
    def documents(self) -> tuple[Document, ...]:
        """Those that were recognised."""
        return tuple(one for one in self.handed_in if one.kind is not Kind.UNRECOGNISED)

    @property
    def attempts(self) -> tuple[Attempt, ...]:
        """What every document says of every endpoint."""
        return tuple(seen for one in self.documents for seen in one.attempts)

    @property
    def answers(self) -> tuple[DnsAnswer, ...]:
        """Every DNS answer."""
        return tuple(answer for one in self.documents for answer in one.answers)

    @property
    def addresses(self) -> frozenset[str]:
        """Every address that a name answered with, or that was tried."""
        answered = [address for answer in self.answers for address in answer.addresses]
        return frozenset((*answered, *(seen.address for seen in self.attempts if seen.address)))

    @property
    def codes(self) -> tuple[CodeSeen, ...]:
        """Every exit code of the agent."""
        return tuple(code for one in self.documents for code in one.codes)

    @property
    def filters(self) -> tuple[RouteFilter, ...]:
        """Every route filter, each once."""
        return distinct(one.route_filter for one in self.documents if one.route_filter)

    @property
    def route_tables(self) -> tuple[RouteTable, ...]:
        """Every route table, the customer's and Azure's."""
        return tuple(one.route_table for one in self.documents if one.route_table)

    @property
    def own_tables(self) -> tuple[RouteTable, ...]:
        """The route tables of the customer's own routers."""
        return tuple(table for table in self.route_tables if table.vantage is not Vantage.AZURE)

    @property
    def circuits(self) -> tuple[Circuit, ...]:
        """Every circuit, each once, with what all documents of it tell."""
        found = tuple(one.circuit for one in self.documents if one.circuit)
        if len(found) < _SEVERAL:
            return found
        from arcferry.routing.joined import joined  # noqa: PLC0415  # nearly every case has one

        return joined(found)

    @property
    def peerings(self) -> tuple[Peering, ...]:
        """Every circuit's Microsoft peering, over IPv4 and over IPv6."""
        return tuple(side for one in self.circuits for side in (one.microsoft, one.microsoft_ipv6) if side)

    @property
    def microsoft_sessions(self) -> "tuple[tuple[Document, Session], ...]":
        """The BGP sessions of the Microsoft peering, each with the document that tells of it."""
        links = self.links
        told = ((one, session) for one in self.documents for session in one.sessions)
        return tuple((one, session) for one, session in told if session.leads_to_microsoft(links))

    @property
    def attached_filters(self) -> tuple[str, ...]:
        """The filters that the circuits' Microsoft peerings hold, by resource id or name, each once."""
        return tuple(dict.fromkeys(side.route_filter for side in self.peerings if side.route_filter))

    @property
    def filters_in_effect(self) -> tuple[RouteFilter, ...]:
        """The filters that are attached, where a circuit or they themselves tell; else every filter."""
        named = self.attached_filters
        by_circuit = tuple(seen for seen in self.filters if any(map(seen.is_named_by, named)))
        return by_circuit or tuple(seen for seen in self.filters if seen.attached_to) or self.filters

    def filters_for(self, version: int) -> tuple[RouteFilter, ...]:
        """Those of them that may decide on addresses of an IP version (4, 6).

        The IPv6 side of a peering holds a filter of its own. One that the other side alone holds decides
        nothing here where this side names another, which is not at hand then.
        """
        sides = [one.microsoft_ipv6 if version == IPV6 else one.microsoft for one in self.circuits]
        named = [side.route_filter for side in sides if side and side.route_filter]
        mine = tuple(seen for seen in self.filters if any(map(seen.is_named_by, named)))
        if mine or not named:
            return mine or self.filters_in_effect
        return tuple(
            seen for seen in self.filters_in_effect if not any(map(seen.is_named_by, self.attached_filters))
        )

    @property
    def newest(self) -> datetime | None:
        """The newest instant at which anything was seen: a check, an answer, routes, an agent's state."""
        taken = [seen.taken for seen in self.attempts]
        taken += [answer.taken for answer in self.answers]
        taken += [table.taken for table in self.route_tables]
        taken += [agent.taken for agent in self.agents]
        return max(filter(None, taken), default=None)

    @property
    def links(self) -> tuple[str, ...]:
        """The prefixes between the company's routers and Microsoft, of every circuit."""
        return tuple(link for side in self.peerings for link in side.links)

    @property
    def agents(self) -> tuple[AgentState, ...]:
        """What every agent says of itself."""
        return tuple(one.agent_state for one in self.documents if one.agent_state)

    @property
    def location(self) -> str:
        """The Azure region that the servers are connected to, or are to be; empty if no document tells."""
        told = (*(one.location for one in self.agents), *(one.location for one in self.documents))
        return next(filter(None, told), "")

    @property
    def private_link_scope(self) -> str:
        """The private link scope that an agent was connected with, as far as a document tells; else empty."""
        return next((one.private_link_scope for one in self.agents if one.private_link_scope), "")

    @property
    def service_tags(self) -> tuple[ServiceTags, ...]:
        """Every service-tag file, the newest first; an undated one counts as old."""
        found = [one.service_tags for one in self.documents if one.service_tags]
        return tuple(
            sorted(
                found, key=lambda tags: (tags.taken or date.min, tags.change_number, tags.name), reverse=True
            )
        )

    @property
    def community_lists(self) -> tuple[CommunityList, ...]:
        """Every community list, the newest first; an undated one counts as old."""
        found = [one.community_list for one in self.documents if one.community_list]
        return tuple(sorted(found, key=lambda known: (known.taken or date.min, known.name), reverse=True))

    def lacks(self, host: str = "") -> tuple[str, ...]:
        """The kinds of evidence that routing needs and that are not there, the most telling first.

        Args:
            host: the endpoint that DNS answers are wanted for; any will do where it is empty.
        """
        answered = any(answer.addresses and host in ("", answer.host) for answer in self.answers)
        addressed = any(seen.address and host in ("", seen.host) for seen in self.attempts)
        wanted = (
            (Kind.DNS_ANSWERS, answered or addressed),
            (Kind.ROUTE_FILTER, bool(self.filters)),
            (Kind.SERVICE_TAGS, bool(self.service_tags)),
            (Kind.COMMUNITY_LIST, bool(self.community_lists)),
            (Kind.RECEIVED_ROUTES, bool(self.own_tables)),
        )
        return tuple(kind.value for kind, there in wanted if not there)

    @property
    def skew(self) -> float:
        """The middle of all clock differences, in seconds: one odd server proves nothing. 0 without any."""
        measured = sorted(seen.clock_skew for seen in self.attempts if seen.clock_skew is not None)
        return measured[len(measured) // 2] if measured else 0.0
