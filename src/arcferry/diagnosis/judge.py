"""The one door: from everything that was handed in, and what is held beside it, to findings."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import islice

from arcferry.diagnosis.causes import CAUSES, FAULTS, RISKS
from arcferry.diagnosis.destination import Destination, destinations_of
from arcferry.diagnosis.finding import Diagnosis, Evidence, Finding, Severity, Taken
from arcferry.diagnosis.rule import Cause, Match
from arcferry.diagnosis.written import evidence_of, says, written
from arcferry.evidence.case import Case, Document

_GRAVITY = {Severity.ERROR: 0, Severity.WARNING: 1, Severity.INFO: 2}
_ORDER = {slug: place for place, slug in enumerate(CAUSES)}
_Matched = tuple[Cause, Match, Destination]


def judge(evidence: Iterable[Document], held: Iterable[Document] = ()) -> Diagnosis:
    """What follows from the evidence and from what is held; reads and asks for nothing.

    Endpoints with one cause and one signature (the same community, issuer, resolver …) are one finding.
    Errors come first. Findings from tags, lists and filters are `expected`, never `observed`. Documents of
    different servers (`Document.servers`) are judged apart, each with those of the network.

    Args:
        evidence: what the files say, from `evidence.reading`, or from `evidence.case.observed` for a
            live probe.
        held: the documents of `arcferry data`; those of a kind that was handed in do not count.
    """
    given, beside = tuple(evidence), tuple(held)
    groups = tuple(dict.fromkeys(one.servers for one in given if one.servers))
    if not groups:
        return _judged(Case.of(given, beside))
    case = Case.of(given, beside)
    found = []
    for servers in groups:
        # What these servers tell, then what is of the network.
        theirs = [one for one in given if one.servers == servers] + [one for one in given if not one.servers]
        found.append((servers, _judged(Case.of(theirs, beside)).findings))
    return Diagnosis(_inputs(case), of_servers(found), case.lacks(), case)


def of_servers(judged: Iterable[tuple[Sequence[str], Sequence[Finding]]]) -> tuple[Finding, ...]:
    """The findings of groups of servers, each once: the gravest first, then what most servers have."""
    merged: dict[tuple[str, str], Finding] = {}
    for servers, findings in judged:
        for finding in findings:
            before = merged.setdefault((finding.cause, finding.title), finding)
            names = tuple(dict.fromkeys((*before.servers, *servers)))
            merged[finding.cause, finding.title] = replace(before, servers=names)
    return tuple(sorted(merged.values(), key=lambda one: (_GRAVITY[one.severity], -len(one.servers))))


def _inputs(case: Case) -> list[Taken]:
    return [Taken(one.file or one.name, one.kind.value, one.taken) for one in case.handed_in]


def _judged(case: Case) -> Diagnosis:
    destinations = destinations_of(case)
    untested = _untested(destinations)
    groups: dict[tuple[str, ...], list[_Matched]] = {}
    for one in destinations:
        for matched in () if untested and one.kind == "discovery-failed" else _matches(one, case):
            groups.setdefault((matched[0].slug, *matched[1].signature), []).append(matched)
    findings = [_finding(group, case, untested) for group in groups.values()]
    findings += _of_the_whole(case, set(groups))
    findings.sort(key=lambda found: (_GRAVITY[found.severity], _ORDER[found.cause], found.title))
    # Behind a proxy its own path decides, of which no route or filter here tells anything.
    proxied = bool(case.attempts) and all(seen.proxied for seen in case.attempts)
    return Diagnosis(_inputs(case), findings, () if proxied else case.lacks(), case)


def _matches(destination: Destination, case: Case) -> list[_Matched]:
    """The root cause of an endpoint that fails; every risk of one that works."""

    def applying(causes: Iterable[Cause]) -> Iterator[_Matched]:
        for cause in causes:
            if cause.of_endpoint and (match := cause.of_endpoint(destination, case)):
                yield cause, match, destination

    root = [] if destination.reached else list(islice(applying(FAULTS), 1))
    # What was tried and failed without a cause is told by none of the risks.
    return root or ([] if destination.failed else list(applying(RISKS)))


def _finding(matched: Sequence[_Matched], case: Case, untested: dict[str, Evidence]) -> Finding:
    """One finding for every endpoint of one cause and signature."""
    cause, first, _ = matched[0]
    destinations = tuple(destination for _, _, destination in matched)
    severity = min((_severity(*one) for one in matched), key=_GRAVITY.__getitem__)
    added = tuple(dict.fromkeys(line for _, match, _ in matched for line in match.evidence))
    seen = evidence_of(destinations, case, routed=cause.routed, halts=cause.halts)
    match = replace(first, evidence=added, destinations=destinations)
    found = written(cause, match, case, severity, seen)
    behind = tuple(untested[one.host] for one in destinations if one.host in untested)
    return replace(found, evidence=(*found.evidence, *behind))


def _severity(cause: Cause, match: Match, destination: Destination) -> Severity:
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
    text = says("not_tested", host=discovery)
    return {discovery: Evidence(latest.origin if latest else "", text, latest.taken if latest else None)}


def _of_the_whole(case: Case, signatures: set[tuple[str, ...]]) -> list[Finding]:
    """What is no endpoint's: of a server, a run or a circuit; not what an endpoint's finding says already."""
    found = []
    for cause in CAUSES.values():
        for match in cause.of_case(case) if cause.of_case else ():
            if (key := (cause.slug, *match.signature)) not in signatures:
                signatures.add(key)
                found.append(written(cause, match, case, match.severity or cause.severity))
    return found
