"""What a cause is: a rule with a slug, an owner and a severity. Its words are an entry in `words`."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from arcferry.diagnosis.destination import Destination
from arcferry.diagnosis.finding import Command, Confidence, Evidence, Owner, Severity
from arcferry.evidence.case import Case
from arcferry.probe.observation import Stage

Value = str | int | bool | tuple[str, ...] | tuple[Command, ...]
"""A named value: a text or a number; several texts, which a sentence lists and a letter puts one a line; or
commands that no template can hold. Empty, False and 0 count as not there for a step's `when`."""


@dataclass(frozen=True, slots=True)
class Line:
    """A line of evidence in arcferry's own words.

    Attributes:
        origin: who says it, such as a document's name; empty for what the entry itself names.
        key: the line's words, under `evidence` in the cause's entry.
    """

    origin: str
    key: str
    values: tuple[tuple[str, Value], ...]
    taken: datetime | None = None


def line(origin: str, key: str, taken: datetime | None = None, /, **values: Value) -> Line:
    """A line of evidence whose words are the entry's `key`, with these values in braces."""
    return Line(origin, key, tuple(values.items()), taken)


@dataclass(frozen=True, slots=True)
class Match:
    """That a cause applies: to one endpoint, or to the whole case.

    Attributes:
        confidence: how it is known.
        signature: matches of one cause with equal signatures are one finding.
        evidence: what this cause has to add to what is said of every endpoint: its own words, or a quotation.
        would_decide: the evidence that would decide if it is undetermined; else what would sharpen it.
        severity: instead of the cause's own.
        owner: instead of the cause's own.
        values: named values for the words, beside those that every cause has (`values.py`).
        destinations: the endpoints that it is about; filled in by the judgement.
    """

    confidence: Confidence = Confidence.OBSERVED
    signature: tuple[str, ...] = ()
    evidence: tuple[Line | Evidence, ...] = ()
    would_decide: tuple[str, ...] = ()
    severity: Severity | None = None
    owner: Owner | None = None
    values: Mapping[str, Value] = field(default_factory=dict)
    destinations: tuple[Destination, ...] = ()


EndpointRule = Callable[[Destination, Case], Match | None]
CaseRule = Callable[[Case], Iterable[Match]]
FindingValues = Callable[[Match, Case], Mapping[str, Value]]


@dataclass(frozen=True, slots=True)
class Cause:
    """One cause.

    Attributes:
        slug: family and name, such as `dns/name-not-found`; stable.
        severity: of a finding about a required endpoint; one that is not required gives a warning.
        of_endpoint: asked of each endpoint in turn, in the order of `FAULTS`; the first that matches wins.
        of_case: asked once of the whole case, for what is no endpoint's: a server, a run, a circuit. Each
            match is a finding without endpoints, unless one with this cause and signature is there already.
        routed: whether the evidence of tags, lists, filter and routes belongs to it.
        values: named values that rest on every endpoint of a finding; `Match.values` are those of the first.
        halts: whether it says that nothing comes or comes back, so that what a filter allows is not carried.
    """

    slug: str
    owner: Owner
    severity: Severity = Severity.ERROR
    of_endpoint: EndpointRule | None = None
    of_case: CaseRule | None = None
    routed: bool = False
    values: FindingValues | None = None
    halts: bool = False


def cause(
    slug: str,
    owner: Owner,
    severity: Severity = Severity.ERROR,
    *,
    routed: bool = False,
    of_case: CaseRule | None = None,
    values: FindingValues | None = None,
    halts: bool = False,
) -> Callable[[EndpointRule], Cause]:
    """Declare the decorated function as the rule of a cause that is asked of each endpoint."""
    return lambda rule: Cause(slug, owner, severity, rule, of_case, routed, values, halts)


def case_cause(slug: str, owner: Owner, severity: Severity = Severity.ERROR) -> Callable[[CaseRule], Cause]:
    """Declare the decorated function as the rule of a cause that is asked of the whole case."""
    return lambda rule: Cause(slug, owner, severity, of_case=rule)


def failed_with(
    slug: str,
    *kinds: str,
    owner: Owner,
    stage: Stage | None,
    routed: bool = False,
    signature: Callable[[Destination], tuple[str, ...]] = lambda _: (),
    evidence: Callable[[Destination], tuple[Line, ...]] = lambda _: (),
) -> Cause:
    """A cause that the failed step alone tells.

    Args:
        slug: as in `Cause`, like `owner` and `routed`.
        kinds: how it failed, in the probe's words (`Failure.kind`); none for any way.
        owner: the cause's.
        stage: the step; None for any.
        routed: the cause's.
        signature: what endpoints must have in common to be one finding, such as their proxy.
        evidence: what the cause has to add of an endpoint.
    """

    def rule(destination: Destination, _: Case) -> Match | None:
        if stage not in (None, destination.stage) or (kinds and destination.kind not in kinds):
            return None
        return Match(signature=signature(destination), evidence=evidence(destination))

    return Cause(slug, owner, of_endpoint=rule, routed=routed)
