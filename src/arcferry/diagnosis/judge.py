"""The one door: from everything that was handed in, and what is held beside it, to findings."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from arcferry.diagnosis.causes import CAUSES, FAULTS, RISKS
from arcferry.diagnosis.causes.cause import Cause as OldCause
from arcferry.diagnosis.causes.cause import Group
from arcferry.diagnosis.destination import Destination, destinations_of
from arcferry.diagnosis.evidence import evidence_of
from arcferry.diagnosis.finding import Diagnosis, Evidence, Finding, Severity, Taken
from arcferry.diagnosis.written import written
from arcferry.evidence.case import Case
from arcferry.evidence.document import Document

_GRAVITY = {Severity.ERROR: 0, Severity.WARNING: 1, Severity.INFO: 2}
_ORDER = {slug: place for place, slug in enumerate(CAUSES)}
_Matched = tuple[Any, Any, Destination]


def judge(evidence: Iterable[Document], held: Iterable[Document] = ()) -> Diagnosis:
    """What follows from the evidence and from what is held; reads and asks for nothing.

    Endpoints with one cause and one signature (the same community, issuer, resolver …) are one finding.
    Errors come first. Findings from tags, lists and filters are `expected`, never `observed`.

    Args:
        evidence: what the files say, from `evidence.readers`, or from `evidence.document.observed` for a
            live probe.
        held: the documents of `arcferry data`; those of a kind that was handed in do not count.
    """
    case = Case.of(evidence, held)
    destinations = destinations_of(case)
    untested = _untested(destinations)
    groups = _grouped(
        matched
        for one in destinations
        if not (untested and one.kind == "discovery-failed")
        for matched in _matches(one, case)
    )
    findings = [_finding(group, case, untested) for group in groups]
    findings += _of_the_whole(case, {(group[0][0].slug, *group[0][1].signature) for group in groups})
    findings.sort(key=lambda found: (_GRAVITY[found.severity], _ORDER[found.cause], found.title))
    taken = [Taken(one.name, one.kind.value, one.taken) for one in case.handed_in]
    # Behind a proxy its own path decides, of which no route or filter here tells anything.
    proxied = bool(case.attempts) and all(seen.proxied for seen in case.attempts)
    return Diagnosis(taken, findings, () if proxied else case.lacks())


def _matches(destination: Destination, case: Case) -> list[_Matched]:
    """The root cause of an endpoint that fails; every risk of one that works."""
    if not destination.reached:
        for cause in FAULTS:
            if match := _asked(cause, destination, case):
                return [(cause, match, destination)]
        if destination.failed or destination.attempts:
            return []
    return [(cause, match, destination) for cause in RISKS if (match := _asked(cause, destination, case))]


def _asked(cause: Any, destination: Destination, case: Case) -> Any:
    if isinstance(cause, OldCause):
        return cause.applies(destination, case)
    return cause.of_endpoint(destination, case) if cause.of_endpoint else None


def _grouped(matched: Iterable[_Matched]) -> list[list[_Matched]]:
    groups: dict[tuple[str, ...], list[_Matched]] = {}
    for cause, match, destination in matched:
        groups.setdefault((cause.slug, *match.signature), []).append((cause, match, destination))
    return list(groups.values())


def _finding(matched: Sequence[_Matched], case: Case, untested: dict[str, Evidence]) -> Finding:
    """One finding for every endpoint of one cause and signature."""
    cause, first, _ = matched[0]
    destinations = tuple(destination for _, _, destination in matched)
    severity = min((_severity(*one) for one in matched), key=_GRAVITY.__getitem__)
    added = tuple(dict.fromkeys(line for _, match, _ in matched for line in match.evidence))
    seen = evidence_of(destinations, case, routed=cause.routed)
    if isinstance(cause, OldCause):
        found = _old(
            cause, Group(destinations, replace(first, evidence=added), case), severity, (*seen, *added)
        )
    else:
        found = written(
            cause, replace(first, evidence=added, destinations=destinations), case, severity, seen
        )
    behind = tuple(untested[one.host] for one in destinations if one.host in untested)
    return replace(found, evidence=(*found.evidence, *behind))


def _old(cause: OldCause, group: Group, severity: Severity, evidence: tuple[Evidence, ...]) -> Finding:
    match = group.match
    return Finding(
        cause=cause.slug,
        title=cause.headline(group),
        severity=severity,
        confidence=match.confidence,
        owner=match.owner or cause.owner,
        endpoints=group.affected,
        evidence=tuple(dict.fromkeys(evidence)),
        remedy=cause.remedy(group),
        would_decide=match.would_decide,
    )


def _severity(cause: Any, match: Any, destination: Destination) -> Severity:
    """The match's own, else the cause's, but no error for what the work does not need."""
    chosen = match.severity or cause.severity
    return Severity.WARNING if chosen is Severity.ERROR and not destination.required else chosen


def _untested(destinations: Iterable[Destination]) -> dict[str, Evidence]:
    """What was not tested because something else failed, by the host whose failure explains it."""
    failed = [one for one in destinations if one.failed]
    discovery = next((one.host for one in failed if one.host.startswith("gbl.his.arc.")), "")
    rows = [one for one in failed if one.kind == "discovery-failed"]
    if not discovery or not rows:
        return {}
    latest = rows[0].latest
    says = f"the regional his.arc endpoint was not tested, because {discovery} did not tell its name"
    return {discovery: Evidence(latest.origin if latest else "", says, latest.taken if latest else None)}


def _of_the_whole(case: Case, signatures: set[tuple[str, ...]]) -> list[Finding]:
    """What is no endpoint's: of a server, a run or a circuit; not what an endpoint's finding says already."""
    found = []
    every: Iterable[Any] = CAUSES.values()
    for cause in every:
        for match in _asked_of_the_whole(cause, case):
            if (key := (cause.slug, *match.signature)) in signatures:
                continue
            signatures.add(key)
            severity = match.severity or cause.severity
            if isinstance(cause, OldCause):
                found.append(_old(cause, Group((), match, case), severity, match.evidence))
            else:
                found.append(written(cause, match, case, severity))
    return found


def _asked_of_the_whole(cause: Any, case: Case) -> Sequence[Any]:
    if isinstance(cause, OldCause):
        return cause.concerns(case)
    return cause.of_case(case) if cause.of_case else ()
