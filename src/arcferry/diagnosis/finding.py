"""A cause with its evidence, the owner of the fix, and the exact change to ask for."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Self

from arcferry import catalog
from arcferry.command_line import Does
from arcferry.evidence.case import AgentState, Case, Kind
from arcferry.language import _
from arcferry.routing.reception import Received, Returned


class Severity(StrEnum):
    """An error stops the work, a warning will, an info is worth knowing."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"


class Confidence(StrEnum):
    """Observed comes from a route or a connection, expected from tags and filters."""

    OBSERVED = "observed"
    EXPECTED = "expected"
    UNDETERMINED = "undetermined"


class Owner(StrEnum):
    """The team that can make the change."""

    SERVER = "server"
    NETWORK = "network"
    IDENTITY = "identity"
    AZURE = "azure"


class Outcome(StrEnum):
    """What everything that was handed in amounts to."""

    FINDINGS = "findings"
    CLEAR = "clear"
    NOTHING_TRIED = "nothing-tried"
    NOT_UNDERSTOOD = "not-understood"


@dataclass(frozen=True, slots=True)
class Affected:
    """An endpoint that a finding is about, with what is known of its address."""

    host: str
    address: str = ""
    region: str = ""
    service_tag: str = ""
    community: str = ""


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a finding rests on: who says it, what it says, and as of when."""

    origin: str
    says: str
    taken: datetime | None = None

    @classmethod
    def of_table(cls, found: Received | Returned) -> Self | None:
        """What a router's table says; None where none was handed in."""
        return cls(found.table.name, found.says, found.table.taken) if found.table else None


@dataclass(frozen=True, slots=True)
class Command:
    """A command line for one tool, such as `az` or `powershell`.

    A value from a document enters it as a `command_line.Word` alone, in `written.py`.
    """

    tool: str
    text: str
    does: Does


@dataclass(frozen=True, slots=True)
class Remedy:
    """What to change, by whom; `request` is ready to be sent.

    Attributes:
        to: who can act on the request, if that is not the owner: another team, or somebody by name.
    """

    summary: str
    steps: tuple[str, ...] = ()
    commands: tuple[Command, ...] = ()
    request: str = ""
    to: str = ""


@dataclass(frozen=True, slots=True)
class Finding:
    """One cause. A risk's cause begins with `risk/`.

    Attributes:
        cause: a stable slug such as `route/community-not-in-filter`.
        would_decide: the kinds of evidence that would decide it, where confidence is undetermined, or would
            turn what is expected into something observed.
        servers: those that have it, by name; empty where the evidence names none.
    """

    cause: str
    title: str
    severity: Severity
    confidence: Confidence
    owner: Owner
    endpoints: tuple[Affected, ...]
    evidence: tuple[Evidence, ...]
    remedy: Remedy
    would_decide: tuple[str, ...] = ()
    servers: tuple[str, ...] = ()


def addressed(to: str, owner: Owner) -> str:
    """Whom a request goes to, as `the network team`."""
    return to if to and to not in list(Owner) else _("the {owner} team", owner=_(to or owner.value))


def team(owner: Owner) -> str:
    """Whose change it is, as `network team`."""
    return _("{owner} team", owner=_(owner.value))


@dataclass(frozen=True, slots=True)
class Taken:
    """What a file that was handed in was taken for."""

    name: str
    kind: str
    taken: datetime | None = None


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """What was handed in and what follows from it, the gravest first.

    Attributes:
        lacks: the kinds of evidence that were not there and would tell more, the most telling first.
        case: what was judged, to be judged again.
        left_out: servers that were judged too, and whose evidence was too much to be kept in `case`.
    """

    inputs: Sequence[Taken]
    findings: Sequence[Finding]
    lacks: tuple[str, ...] = ()
    case: Case = field(default=Case(()), repr=False, compare=False)
    left_out: tuple[str, ...] = ()

    @property
    def outcome(self) -> Outcome:
        """What all of it amounts to: without findings an all-clear only if something shows a success."""
        if self.findings:
            return Outcome.FINDINGS
        if _shows_success(self.case):
            return Outcome.CLEAR
        tells = any(one.kind not in _SHOW_NO_SUCCESS for one in self.case.documents)
        return Outcome.NOT_UNDERSTOOD if tells else Outcome.NOTHING_TRIED

    @property
    def has_errors(self) -> bool:
        """Whether any finding stops the work."""
        return any(finding.severity is Severity.ERROR for finding in self.findings)


_SHOW_NO_SUCCESS = frozenset(
    {
        Kind.ROUTE_FILTER,
        Kind.CIRCUIT,
        Kind.SERVICE_TAGS,
        Kind.COMMUNITY_LIST,
        Kind.RECEIVED_ROUTES,
        Kind.AZURE_ROUTES,
        Kind.DNS_ANSWERS,
        Kind.CONNECTION_TEST,
        Kind.KEPT_EVIDENCE,
        Kind.WINHTTP_PROXY,
        Kind.SERVER_STATE,
        Kind.AGENT_LOG,
        Kind.AGENT_LOGS_ZIP,
        Kind.INSTALL_LOG,
        Kind.ARCFERRY_CHECK,
        Kind.UNRECOGNISED,
    }
)
"""What is known for what it is without showing a success, such as a log that breaks off before the end."""


def _shows_success(case: Case) -> bool:
    """Whether anything says that it went well: an endpoint, an agent, a success in words."""
    codes = [catalog.known_code(seen.code) for seen in case.codes]
    return (
        any(seen.reachable for seen in case.attempts)
        or any(state.status == "Connected" or _runs(state) for state in case.agents)
        or any(code is not None and code.outcome != "failure" for code in codes)
        or any(one.kind in _SAY_SO_THEMSELVES for one in case.documents)
    )


def _runs(state: AgentState) -> bool:
    return bool(state.services) and all(how == "running" for _, how in state.services)


_SAY_SO_THEMSELVES = frozenset({Kind.HOST_ANSWERS, Kind.BUNDLE_CHECK})
"""What would have shown a failure if there had been one, because it has a result of its own."""

NOTHING_JUDGED = Diagnosis((), ())
"""Before anything was judged, and of what gives nothing to judge."""
