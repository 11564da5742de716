"""What is wrong with the agent on the server itself, errors without a reason, and documents of no use."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from difflib import get_close_matches

from arcferry import catalog
from arcferry.diagnosis.causes.coded import code_matches
from arcferry.diagnosis.finding import Confidence, Evidence, Owner, Severity
from arcferry.diagnosis.rule import Line, Match, Value, case_cause, line
from arcferry.evidence.case import HEARD_FROM, AgentState, Case, Document, Kind
from arcferry.text import one_line
from arcferry.times import now, to_text

_DECIDES = (Kind.AGENT_CHECK.value, Kind.ARCFERRY_CHECK.value, Kind.AGENT_LOGS_ZIP.value)
_LAST_WORDS = 160
_HIMDS = {"himds", "himdsd"}
_OPTIONAL_SERVICES = {"arcproxy", "arcproxyd", "extensionservice", "extd", "gcarcservice", "gcad"}


@case_cause("agent/expired", Owner.SERVER)
def expired(case: Case) -> Sequence[Match]:
    """The agent says so."""
    return [Match(evidence=_status(state)) for state in case.agents if state.status == "Expired"]


@case_cause("his/no-heartbeat", Owner.SERVER)
def no_heartbeat(case: Case) -> Sequence[Match]:
    """The host script says so of a machine that it has just made, and no endpoint explains it."""
    return [
        Match(evidence=_status(state)) for state in _silent(case, codes=False) if not _was_heard_from(state)
    ]


@case_cause("agent/disconnected", Owner.SERVER)
def disconnected(case: Case) -> Sequence[Match]:
    """The agent says so, it has been connected, and neither an endpoint, a code nor himds explains it."""
    return [
        Match(evidence=_status(state))
        for state in _silent(case)
        if _was_heard_from(state) and _was_connected(state)
    ]


@case_cause("agent/not-connected", Owner.SERVER)
def not_connected(case: Case) -> Sequence[Match]:
    """Words say so; or the agent does and has never been connected, which alone is only worth knowing."""
    found = list(code_matches("agent/not-connected", case))
    if found or any(code.code for code in case.codes) or any(not seen.reachable for seen in case.attempts):
        return found
    return [
        Match(evidence=_status(state), severity=Severity.INFO)
        for state in case.agents
        if state.status == "Disconnected"
        and not _was_connected(state)
        and _was_heard_from(state)
        and not _HIMDS & set(_stopped(state))
    ]


@case_cause("agent/service-stopped", Owner.SERVER)
def service_stopped(case: Case) -> Sequence[Match]:
    """A code, himds stopped, or another service stopped while the agent is connected, which is a warning."""
    found = list(code_matches("agent/service-stopped", case))
    for state in case.agents:
        stopped = tuple(_stopped(state))
        without_himds = bool(_HIMDS & set(stopped))
        shown_alone = not state.properties and not state.status
        if without_himds or (stopped and (state.status == "Connected" or shown_alone)):
            severity = None if without_himds else Severity.WARNING
            evidence = line(state.origin, "stopped", state.taken, services=stopped)
            found.append(Match(signature=stopped, evidence=(evidence,), severity=severity))
    # What comes after a code, or after himds, is the same failure told again.
    return found[:1] if found and found[0].severity is None else found


@case_cause("agent/too-old", Owner.SERVER)
def too_old(case: Case) -> Sequence[Match]:
    """A code, or a version that is out of support, which is a warning."""
    found = list(code_matches("agent/too-old", case))
    today = now().date()
    oldest = catalog.oldest_supported(today)
    values = {"oldest": oldest.version, "month": f"{oldest.month:%Y-%m}"} if oldest else {}
    for state in case.agents:
        if catalog.is_out_of_support(state.version, today):
            words = "too_old" if oldest else "older_than_known"
            says = line(state.origin, words, state.taken, version=state.version, **values)
            found.append(Match(signature=(state.version,), evidence=(says,), severity=Severity.WARNING))
    return found


@case_cause("agent/region-not-valid", Owner.SERVER)
def region_not_valid(case: Case) -> Sequence[Match]:
    """A code; the known region that comes nearest to a word of the messages is offered."""
    messages = "\n".join(seen.says for seen in case.codes)
    return [
        replace(match, values={"near": _nearest_region(messages)})
        for match in code_matches("agent/region-not-valid", case)
    ]


def _is_explained(document: Document) -> bool:
    """Whether an endpoint or a code in the same document says why: then that has a finding of its own.

    An endpoint does so if the words with which the program ended name it, or if it told no other end.
    """
    told = [catalog.known_code(seen.code) for seen in document.codes]
    if any(code is None or code.outcome == "failure" for code in told):
        return True
    failed = [seen.host for seen in document.attempts if not seen.reachable]
    ends = [one.says for one in document.error_lines if one.is_fatal][-1:]
    return bool(failed) and (not ends or any(host in ends[0] for host in failed))


@case_cause("agent/unexplained-error", Owner.SERVER)
def unexplained_error(case: Case) -> Iterator[Match]:
    """One match a document, about its last words."""
    blocked = any(not seen.reachable and seen.required is not False for seen in case.attempts)
    for document in case.documents:
        # Of other programs only those lines were kept that nothing beside them explains.
        if not document.error_lines or (document.kind is not Kind.PROGRAM_OUTPUT and _is_explained(document)):
            continue
        fatal = [one for one in document.error_lines if one.is_fatal]
        last = (fatal or document.error_lines)[-1].says
        # Words that are also used of less count where nothing shows that it went well.
        is_all_there_is = document.kind is Kind.PROGRAM_OUTPUT and not any(
            seen.reachable for seen in case.attempts
        )
        yield Match(
            Confidence.UNDETERMINED,
            signature=(last,),
            evidence=tuple(Evidence(one.origin, one.says, one.taken) for one in document.error_lines),
            would_decide=_DECIDES,
            # If another document shows a path that fails, it may be that.
            severity=None if (fatal or is_all_there_is) and not blocked else Severity.WARNING,
            values={
                "last_words": one_line(last, limit=_LAST_WORDS),
                "by_the_agent": document.kind is not Kind.PROGRAM_OUTPUT,
            },
        )


@case_cause("evidence/unreadable", Owner.SERVER)
def unreadable(case: Case) -> tuple[Match, ...]:
    """Every document that could not be read, as one finding."""
    unread = [one for one in case.documents if one.kind is Kind.UNREADABLE]
    lines = tuple(Evidence(one.name, why) for one in unread for why in one.notes)
    names = tuple(dict.fromkeys(line.origin for line in lines))
    return (Match(evidence=lines, values={"names": names}),) if unread else ()


@case_cause("bundle/refused", Owner.SERVER)
def refused(case: Case) -> tuple[Match, ...]:
    """Each problem that opening a bundle has shown."""
    found = []
    for document in case.documents:
        for problem in document.bundle_problems:
            fault = problem.fault.value
            seen = line(document.name, "refused", document.taken, fault=fault, file=problem.file)
            values: dict[str, Value] = {"bundle": document.name, "fault": fault, "file": problem.file}
            found.append(Match(signature=tuple(map(str, values.values())), evidence=(seen,), values=values))
    return tuple(found)


def _status(state: AgentState) -> tuple[Line | Evidence, ...]:
    """What the agent says of itself: its status, its last heartbeat, its error."""
    found: list[Line | Evidence] = [line(state.origin, "status", state.taken, status=state.status)]
    if state.last_heartbeat:
        found.append(line(state.origin, "heartbeat", state.taken, at=to_text(state.last_heartbeat)))
    if state.error:
        found.append(Evidence(state.origin, state.error, state.taken))
    return tuple(found)


def _silent(case: Case, *, codes: bool = True) -> Sequence[AgentState]:
    """The agents without contact of which neither an endpoint, a code nor himds says why.

    Of a heartbeat that was refused the agent's log tells a code, which then explains nothing: `codes` leaves
    it out.
    """
    blocked = any(
        not seen.reachable and seen.required is not False and not seen.install for seen in case.attempts
    )
    if blocked or (codes and any(code.code for code in case.codes)):
        return ()
    return [
        state for state in case.agents if state.status == "Disconnected" and not _HIMDS & set(_stopped(state))
    ]


def _was_heard_from(state: AgentState) -> bool:
    """Whether nobody says that no heartbeat has come since the machine was made."""
    return (HEARD_FROM, "no") not in state.properties


def _was_connected(state: AgentState) -> bool:
    """Whether the agent has belonged to a machine in Azure; one that never has shows blank names."""
    named = {key for key, item in state.properties if item and item.lower() not in ("n/a", "-")}
    return bool(named & {"resource name", "resource id", "resourcename", "resourceid"})


def _stopped(state: AgentState) -> Iterator[str]:
    for name, how in state.services:
        if name in _HIMDS | _OPTIONAL_SERVICES and how in ("stopped", "missing", "failed"):
            yield name


def _nearest_region(messages: str) -> str:
    names = [region.name for region in catalog.regions()]
    text = messages.lower()
    # "east asai" is a region's display name, misspelt: its words are tried as one first.
    words = re.findall(r"[a-z0-9]{4,30}", text.replace(" ", ""))[:50]
    words += re.findall(r"[a-z0-9]{4,30}", text)[:200]
    return next((found[0] for word in words if (found := get_close_matches(word, names, 1, 0.85))), "REGION")
