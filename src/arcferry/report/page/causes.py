"""The causes of all documents, each once, with the servers that have it."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from itertools import pairwise

from arcferry.diagnosis.finding import Confidence, Owner, Severity
from arcferry.report.page.documents import Finding, Span, Written, every, located
from arcferry.report.page.page import Cause, Level, Move, Names

_LEVELS: dict[str, Level] = {"error": "FAIL", "warning": "warn", "info": "unknown"}
_MOST = 200
_MOST_LINES = 60


def causes(documents: Sequence[Written]) -> tuple[Cause, ...]:
    """The gravest first, what is decided before what is not, what the newest document tells before the rest.

    A cause that several documents tell of is one; the words are those of the latest document. What does not
    decide why an address is out of reach is left out if another finding decides it.
    """
    decided = {
        place
        for document in documents
        for finding in document.findings
        if finding.severity == Severity.ERROR and finding.confidence != Confidence.UNDETERMINED
        for place in _places(finding, ("", *finding.hosts))
    }
    groups: dict[tuple[str, str], list[Finding]] = {}
    newest: dict[tuple[str, str], int] = {}
    for number, document in enumerate(documents):
        for finding in document.findings:
            places = _places(finding, finding.hosts or ("",))
            if finding.confidence == Confidence.UNDETERMINED and places and places <= decided:
                continue
            groups.setdefault((finding.cause, finding.title), []).append(finding)
            newest[finding.cause, finding.title] = number
    ranked = sorted(groups, key=lambda key: (*_rank(groups[key][-1]), -newest[key]))
    reach, answers = every(documents, "reach"), every(documents, "answers")
    return tuple(_cause(groups[key], reach, answers) for key in ranked[:_MOST])


def _places(finding: Finding, servers: Sequence[str]) -> set[tuple[str, str, str]]:
    """The addresses that it is about, as each of these servers sees them; an empty name is whoever asked."""
    return {(one.host, one.address, server) for one in finding.endpoints for server in servers}


def _rank(finding: Finding) -> tuple[int, int]:
    severities = [one.value for one in Severity]
    ranks = [one.value for one in Confidence]
    return (
        severities.index(finding.severity) if finding.severity in severities else len(severities),
        ranks.index(finding.confidence) if finding.confidence in ranks else len(ranks),
    )


def _cause(group: Sequence[Finding], reach: Iterable[Span], answers: Sequence[Span]) -> Cause:
    told = group[-1]
    evidence = tuple(dict.fromkeys(line for one in group for line in one.evidence))
    hosts = {one.host for one in told.endpoints}
    days = [line.taken for line in evidence if line.taken]
    lost = _lost_since(hosts, reach)
    owner = told.owner if told.owner in list(Owner) else ""
    remedy = told.remedy
    return Cause(
        slug=told.cause,
        title=told.title,
        severity=told.severity,
        level=_LEVELS.get(told.severity, "unknown"),
        confidence=told.confidence,
        owner=told.owner,
        hosts=Names.of(tuple(name for one in group for name in one.hosts)),
        endpoints=told.endpoints[:_MOST_LINES],
        evidence=evidence[:_MOST_LINES],
        evidence_left=max(0, len(evidence) - _MOST_LINES),
        would_decide=told.would_decide,
        summary=remedy.summary,
        steps=remedy.steps[:_MOST_LINES],
        commands=remedy.commands[:_MOST_LINES],
        letter=remedy.request,
        to=remedy.to or owner,
        since=lost,
        moves=tuple(dict.fromkeys(_moves(hosts, answers))),
        seen=max(days, default=None),
    )


def _moves(hosts: set[str], answers: Sequence[Span]) -> Iterator[Move]:
    """The last move of each of these names, as each resolver told it."""
    lanes: dict[tuple[str, str], list[Span]] = {}
    for span in answers:
        if span.host in hosts and located(span):
            lanes.setdefault((span.host, span.resolver), []).append(span)
    for (host, _), spans in lanes.items():
        for before, after in reversed(tuple(pairwise(spans))):
            if located(before) != located(after) and before.last and after.first:
                yield Move(host, located(before), before.last, located(after), after.first)
                break


def _lost_since(hosts: set[str], spans: Iterable[Span]) -> datetime | None:
    """Since when one of these is out of reach, where a watch's last look at it found it so."""
    newest: dict[str, tuple[datetime, Span]] = {}
    for span in spans:
        if (
            span.host in hosts
            and span.last
            and (span.host not in newest or newest[span.host][0] <= span.last)
        ):
            newest[span.host] = span.last, span
    return min((one.first for _, one in newest.values() if one.first and not one.reached), default=None)
