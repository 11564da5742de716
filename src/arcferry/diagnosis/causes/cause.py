"""What a cause is: a declared value with a name, an owner, a question to the facts, and a remedy."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from arcferry.diagnosis.destination import Destination
from arcferry.diagnosis.finding import Affected, Confidence, Evidence, Owner, Remedy, Severity
from arcferry.evidence.case import Case
from arcferry.routing.coverage import Coverage


@dataclass(frozen=True, slots=True)
class Match:
    """That a cause applies to one endpoint.

    Attributes:
        confidence: how it is known.
        signature: endpoints of one cause with equal signatures are one finding.
        evidence: what this cause alone has to add to what is said of every endpoint.
        would_decide: the evidence that would decide, where it is undetermined; else what would sharpen it.
        severity: instead of the cause's own.
        owner: instead of the cause's own.
    """

    confidence: Confidence = Confidence.OBSERVED
    signature: tuple[str, ...] = ()
    evidence: tuple[Evidence, ...] = ()
    would_decide: tuple[str, ...] = ()
    severity: Severity | None = None
    owner: Owner | None = None


@dataclass(frozen=True, slots=True)
class Group:
    """What one finding is about: endpoints, or none where it is about a server, a run or a circuit."""

    facts: tuple[Destination, ...]
    match: Match
    case: Case

    @property
    def first(self) -> Destination:
        """The endpoint that stands for all; only for causes that are asked of endpoints."""
        return self.facts[0]

    @property
    def coverage(self) -> Coverage | None:
        """Where the first endpoint's address lies."""
        return self.facts[0].coverage if self.facts else None

    @property
    def hosts(self) -> tuple[str, ...]:
        """Every endpoint's name."""
        return tuple(named(one) for one in self.facts)

    @property
    def subject(self) -> str:
        """The endpoints for a title: the name of one, or how many."""
        return self.hosts[0] if len(self.hosts) == 1 else f"{len(self.hosts)} endpoints"

    @property
    def affected(self) -> tuple[Affected, ...]:
        """The endpoints as a finding lists them."""
        return tuple(affected(one) for one in self.facts)


def named(facts: Destination) -> str:
    """The endpoint's name; a regional HIS host that discovery did not give is called so."""
    return facts.host or "the regional his.arc endpoint"


def affected(facts: Destination) -> Affected:
    """The endpoint with what is known of its address."""
    if facts.coverage is None:
        address = facts.latest.address if facts.latest else ""
        return Affected(facts.host, address)
    found = facts.coverage
    return Affected(facts.host, found.address, found.region, found.service_tag, found.community)


def _no_advice(_: Group) -> Remedy:
    return Remedy("")


def _no_endpoint(_: Destination, __: Case) -> Match | None:
    return None


def _nothing_else(_: Case) -> tuple[Match, ...]:
    return ()


@dataclass(frozen=True, slots=True)
class Cause:
    """One cause.

    Attributes:
        slug: family and name, such as `dns/name-not-found`; stable.
        title: what is wrong, without names.
        severity: of a finding about a required endpoint; an endpoint that is not required gives a warning.
        applies: asked of each endpoint in turn, in the order of `FAULTS`; the first cause that matches wins.
        concerns: asked once of everything that was handed in, for what is no endpoint's: a server, a run, a
            circuit. Each match is a finding without endpoints, unless one with this cause and its signature
            is there already.
        headline: the finding's title, with names.
        remedy: what to change.
        routed: whether the evidence of tags, lists and filter belongs to it.
    """

    slug: str
    title: str
    severity: Severity
    owner: Owner
    headline: Callable[[Group], str]
    applies: Callable[[Destination, Case], Match | None] = field(default=_no_endpoint)
    concerns: Callable[[Case], Sequence[Match]] = field(default=_nothing_else)
    remedy: Callable[[Group], Remedy] = field(default=_no_advice)
    routed: bool = False
