"""A support request to Microsoft as plain text in English, to be sent as it is: `case.txt` of a pack."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from textwrap import wrap

from arcferry import __version__, catalog
from arcferry.diagnosis.destination import Destination
from arcferry.diagnosis.finding import Finding, addressed
from arcferry.diagnosis.names import community_name, day, listed
from arcferry.diagnosis.support import Said, Support
from arcferry.evidence.case import Case
from arcferry.report.findings import summary
from arcferry.routing.circuit import Circuit, Peering
from arcferry.text import clean, one_line
from arcferry.times import to_text

_WIDTH, _MOST = 100, 40
_UNKNOWN = "not known from the evidence"
_NOTHING = "None: nothing was found."


def draw(told: Support) -> str:
    """The whole request."""
    lines = [
        *_head(told),
        *_section("1. Symptom, times in UTC", _symptoms(told)),
        *_section("2. Names and addresses", map(_endpoint, told.endpoints[:_MOST])),
        *_section("3. Routes and route filter, as of their own days", _path(told.diagnosis.case)),
        *_section("4. What was found", _found(told.diagnosis.findings)),
        *_section("5. What was ruled out, and by what", _ruled_out(told)),
        *_section("6. What changed since all was well", _changed(told)),
        *_section("7. Microsoft's documents that speak for it", _documents(told.speak_for)),
        *_section("8. Microsoft's documents that speak against it", _documents(told.speak_against)),
        *(_section("Notes of arcferry's catalogue on this path", told.notes) if told.notes else ()),
        *_section("9. What is not known, and would decide", _open(told)),
        *_section("10. The question for the product group", [told.question or _NOTHING]),
        *_section("Rests on", _rests_on(told)),
    ]
    return clean("\n".join(lines), limit=1_000_000) + "\n"


def _head(told: Support) -> Iterator[str]:
    finding = told.gravest
    title = one_line(finding.title if finding else summary(told.diagnosis))
    yield f"Subject: Azure Arc-enabled servers: {title}"
    yield ""
    if finding:
        yield f"Cause       {finding.cause} ({finding.confidence})"
        yield f"Owner       {addressed(finding.remedy.to, finding.owner)}"
    case = told.diagnosis.case
    yield f"Location    {case.location or _UNKNOWN}"
    for one in case.agents[:_MOST]:
        known = filter(None, (one.version and f"agent {one.version}", one.status, one.error_code))
        yield f"Agent       {one_line(', '.join(known)) or _UNKNOWN} ({one_line(one.origin)})"


def _section(title: str, entries: Iterable[str]) -> Iterator[str]:
    yield ""
    yield title
    there = False
    for entry in entries:
        there = True
        yield from wrap(
            one_line(entry, limit=2000),
            _WIDTH,
            initial_indent="  - ",
            subsequent_indent="    ",
            break_long_words=False,
            break_on_hyphens=False,
        )
    if not there:
        yield f"  {_UNKNOWN}"


def _at(instant: datetime | None) -> str:
    return to_text(instant).removesuffix("T00:00:00Z") if instant else "of an unknown time"


def _symptoms(told: Support) -> Iterator[str]:
    for one in told.symptoms[:_MOST]:
        times = _at(one.last) if one.first == one.last else f"from {_at(one.first)} to {_at(one.last)}"
        at = f" at {one.address}" if one.address else ""
        yield f"{one.host or 'the regional HIS endpoint'}{at}: {one.says}; {times} ({listed(one.origins)})"
    for code in told.diagnosis.case.codes[:_MOST]:
        yield f"{code.with_words}; {_at(code.taken)} ({code.origin})"


def _endpoint(one: Destination) -> str:
    found = one.coverage
    state = "reached" if one.reached else "not reached" if one.failed else "not tried"
    answers = [
        f"answered{f' by {answer.resolver}' if answer.resolver else ''}: "
        + " -> ".join((*answer.chain, listed(answer.addresses) if answer.addresses else answer.rcode))
        for answer in one.answers[:3]
    ]
    community = community_name(found.community) if found.community else ""
    known = (found.address, found.service_tag, found.region, community, *answers)
    return f"{one.host or 'the regional HIS endpoint'}: {', '.join((state, *filter(None, known)))}"


def _path(case: Case) -> Iterator[str]:
    for allowing in case.filters_in_effect:
        denied = f"; denies {listed(sorted(allowing.denied), _MOST)}" if allowing.denied else ""
        holds = listed([community_name(value) for value in allowing.allowed], _MOST)
        state = f", {allowing.provisioning_state}" if allowing.provisioning_state else ""
        yield f"Route filter {allowing.name}{state}, as of {day(allowing.taken)}: allows {holds}{denied}"
    yield from map(_circuit, case.circuits)
    for document, session in case.microsoft_sessions:
        received = "" if session.received is None else f", {session.received} prefixes received"
        yield f"BGP session to {session.peer}: {session.state}{received} ({document.name})"
    for table in case.route_tables:
        whole = "a whole table" if table.complete else "a part of a table"
        yield f"Routes in {table.name}: {table.size:,}, {whole}, {_at(table.taken)}"


def _circuit(one: Circuit) -> str:
    known = [one.tier.value, one.peering_location, f"provider's side {one.provisioning or 'unknown'}"]
    known += [
        f"{name} {_peering(side)}"
        for name, side in (("Microsoft peering", one.microsoft), ("over IPv6", one.microsoft_ipv6))
        if side
    ]
    return f"Circuit {one.name}: {', '.join(filter(None, known))}"


def _peering(side: Peering) -> str:
    attached = f"route filter {side.route_filter.rpartition('/')[2]}" if side.route_filter else ""
    prefixes = f"prefixes {listed(side.advertised_prefixes)}" if side.advertised_prefixes else ""
    return ", ".join(filter(None, (side.state, attached, prefixes, side.advertised_state)))


def _found(findings: Iterable[Finding]) -> Iterator[str]:
    for one in findings:
        yield f"{one.severity.upper()} {one.cause} ({one.confidence}, {one.owner} team): {one.title}"
        if one.servers:
            yield f"on {listed(one.servers, _MOST)}"
        for line in one.evidence[:_MOST]:
            yield f"evidence, {line.origin}{f', {_at(line.taken)}' if line.taken else ''}: {line.says}"


def _ruled_out(told: Support) -> Iterator[str]:
    for one in told.ruled_out:
        yield f"{one.says} Shown by {one.by}{f', {_at(one.taken)}' if one.taken else ''}."


def _changed(told: Support) -> Iterator[str]:
    if told.changes:
        since = f"since {day(told.changes.before)}"
        yield from (f"{since}: {one.says}" for one in told.changes.changes)
        if not told.changes.changes:
            yield f"{since}: nothing, as far as both tell of {', '.join(told.changes.compared)}"


def _documents(said: Iterable[Said]) -> Iterator[str]:
    yield from (f"{one.text} [{one.source}]" for one in said)


def _open(told: Support) -> Iterator[str]:
    for one in told.diagnosis.findings:
        if one.would_decide:
            yield f"{one.cause}: {', '.join(one.would_decide)}"
    if told.diagnosis.lacks:
        yield f"not handed in: {', '.join(told.diagnosis.lacks)}"


def _rests_on(told: Support) -> Iterator[str]:
    yield f"arcferry {__version__}, its catalogue as of {catalog.dated()}"
    for one in told.diagnosis.inputs[:_MOST]:
        yield f"{one.name}: {one.kind}{f', {_at(one.taken)}' if one.taken else ''}"
