"""From documents to findings: facts an endpoint, the first cause that applies, one finding a signature."""

from collections.abc import Iterable, Sequence

from arcferry.diagnosis.causes import CAUSES, FAULTS, RISKS
from arcferry.diagnosis.causes.cause import Cause, Group, Match
from arcferry.diagnosis.causes.path import ENDPOINT_UNREACHABLE, gather, owner_of_evidence
from arcferry.diagnosis.destination import Destination, destinations_of
from arcferry.diagnosis.evidence import evidence_of
from arcferry.diagnosis.finding import Confidence, Diagnosis, Evidence, Finding, Severity, Taken
from arcferry.evidence.case import Case
from arcferry.evidence.document import NETWORK_ERROR, CodeSeen, Document

_GRAVITY = {Severity.ERROR: 0, Severity.WARNING: 1, Severity.INFO: 2}
_ORDER = {slug: place for place, slug in enumerate(CAUSES)}
_Matched = tuple[Cause, Match, Destination]


def _severity(cause: Cause, match: Match, facts: Destination) -> Severity:
    """The match's own, else the cause's, but no error for what the work does not need."""
    chosen = match.severity or cause.severity
    return Severity.WARNING if chosen is Severity.ERROR and not facts.required else chosen


def _matches(facts: Destination, case: Case) -> list[_Matched]:
    if facts.reached:
        asked = [(cause, cause.applies(facts, case)) for cause in RISKS]
        return [(cause, match, facts) for cause, match in asked if match]
    for cause in FAULTS:
        if match := cause.applies(facts, case):
            return [(cause, match, facts)]
    if facts.failed or facts.attempts:
        return []
    asked = [(cause, cause.applies(facts, case)) for cause in RISKS]
    return [(cause, match, facts) for cause, match in asked if match]


def _grouped(matched: Iterable[_Matched]) -> list[list[_Matched]]:
    groups: dict[tuple[str, ...], list[_Matched]] = {}
    for cause, match, facts in matched:
        groups.setdefault((cause.slug, *match.signature), []).append((cause, match, facts))
    return list(groups.values())


def _finding(matched: Sequence[_Matched], case: Case, untested: Sequence[Evidence]) -> Finding:
    cause, first, _ = matched[0]
    evidence = tuple(dict.fromkeys(line for _, match, _ in matched for line in match.evidence))
    match = Match(first.confidence, first.signature, evidence, first.would_decide)
    group = Group(tuple(facts for _, _, facts in matched), match, case)
    return Finding(
        cause=cause.slug,
        title=cause.headline(group),
        severity=min(
            (_severity(cause, match, facts) for cause, match, facts in matched), key=_GRAVITY.__getitem__
        ),
        confidence=match.confidence,
        owner=first.owner or cause.owner,
        endpoints=group.affected,
        evidence=(*evidence_of(group, routed=cause.routed), *untested),
        remedy=cause.remedy(group),
        would_decide=match.would_decide,
    )


def _untested(facts: Iterable[Destination]) -> dict[str, Evidence]:
    """What was not tested because something else failed, by the host whose failure explains it."""
    failed = [one for one in facts if one.failed]
    discovery = next((one.host for one in failed if one.host.startswith("gbl.his.arc.")), "")
    rows = [one for one in failed if one.failure and one.failure.kind == "discovery-failed"]
    if not discovery or not rows:
        return {}
    latest = rows[0].latest
    says = f"the regional his.arc endpoint was not tested, because {discovery} did not tell its name"
    return {discovery: Evidence(latest.origin if latest else "", says, latest.taken if latest else None)}


def _of_the_whole(case: Case, signatures: set[tuple[str, ...]]) -> list[Finding]:
    """What is no endpoint's: of a server, a run or a circuit; not what an endpoint's finding says already."""
    found = []
    for cause in CAUSES.values():
        for match in cause.concerns(case):
            if (key := (cause.slug, *match.signature)) not in signatures:
                signatures.add(key)
                group = Group((), match, case)
                found.append(
                    Finding(
                        cause=cause.slug,
                        title=cause.headline(group),
                        severity=match.severity or cause.severity,
                        confidence=match.confidence,
                        owner=match.owner or cause.owner,
                        endpoints=(),
                        evidence=tuple(dict.fromkeys(match.evidence)),
                        remedy=cause.remedy(group),
                        would_decide=match.would_decide,
                    )
                )
    return found


def _without_endpoint(case: Case, seen: CodeSeen) -> Finding:
    """A network error of the agent whose endpoints nothing names."""
    wanted = ("agent-check", *case.lacks())
    return Finding(
        cause=ENDPOINT_UNREACHABLE.slug,
        title="The agent could not reach a required endpoint; what was handed in does not say which",
        severity=Severity.ERROR,
        confidence=Confidence.UNDETERMINED,
        owner=owner_of_evidence(wanted),
        endpoints=(),
        evidence=(
            Evidence(seen.origin, f"the agent ended with {seen.code}: {seen.says}".rstrip(": "), seen.taken),
        ),
        remedy=gather(wanted, "the endpoints of Azure Arc"),
        would_decide=wanted,
    )


def diagnose(documents: Iterable[Document]) -> Diagnosis:
    """What follows from everything that was handed in; reads and asks for nothing.

    Endpoints with one cause and one signature (the same community, issuer, resolver …) are one finding.
    Errors come first. Findings from tags, lists and filters are `expected`, never `observed`.

    Args:
        documents: what the files say, from `readers.read_document`, or from `observed` for a live probe.
    """
    handed_in = tuple(documents)
    case = Case.of(handed_in)
    facts = destinations_of(case)
    untested = _untested(facts)
    asked = [
        one for one in facts if not (untested and one.failure and one.failure.kind == "discovery-failed")
    ]
    groups = _grouped(matched for one in asked for matched in _matches(one, case))
    findings = [
        _finding(group, case, [untested[one.host] for _, _, one in group if one.host in untested])
        for group in groups
    ]
    findings += _of_the_whole(case, {(group[0][0].slug, *group[0][1].signature) for group in groups})
    unnamed = [code for code in case.codes if code.code == NETWORK_ERROR and not code.hosts]
    if unnamed and not any(one.failed for one in facts):
        findings.append(_without_endpoint(case, unnamed[0]))
    findings.sort(key=lambda found: (_GRAVITY[found.severity], _ORDER[found.cause], found.title))
    return Diagnosis([Taken(one.name, one.kind.value, one.taken) for one in handed_in], findings)
