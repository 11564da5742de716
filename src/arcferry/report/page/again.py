"""What was out of reach, and was reached by all that tried it afterwards."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta

from arcferry.report.page.documents import Host, Written
from arcferry.report.page.heat import sources
from arcferry.report.page.page import Again, Cause, Names
from arcferry.report.page.words import Words

_CHECK = "check"
"""The step that ends well where a server reaches every required endpoint."""
_EVERY = ""


@dataclass(frozen=True, slots=True)
class _Look:
    """Whether somebody reached an endpoint, or every one.

    Attributes:
        begun: when it was tried, at the earliest.
        known: as of when it is told.
    """

    who: str
    endpoint: str
    reached: bool
    begun: datetime
    known: datetime


def with_again(causes: Sequence[Cause], documents: Sequence[Written], words: Words) -> tuple[Cause, ...]:
    """Each failure with who reached its endpoints since, behind those of which nobody says that."""
    looks = tuple(_looks(documents, words))
    told = [replace(one, again=_again(one, looks)) for one in causes]
    return tuple(sorted(told, key=lambda one: (one.level != "FAIL", bool(one.again))))


def _looks(documents: Sequence[Written], words: Words) -> Iterator[_Look]:
    for names, taken, attempts in sources(documents, words):
        for one in attempts if taken else ():
            yield from (_Look(name, one.host, one.reachable, taken, taken) for name in names if taken)
    for document in documents:
        for span in document.reach:
            if span.last and span.reached is not None:
                yield _Look(words("labels.here"), span.host, span.reached, span.last, span.last)
        yield from _checked(document.hosts, document.started, document.ended)
        for run in document.runs:
            yield from _checked(run.hosts, run.started, None)


def _checked(hosts: Iterable[Host], begun: datetime | None, ended: datetime | None) -> Iterator[_Look]:
    """What the servers of a run found when they were checked, after it began."""
    for host in hosts if begun else ():
        checked = next((step for step in host.steps if step.step == _CHECK), None)
        if begun and checked and checked.state in ("done", "failed"):
            yield _Look(host.name, _EVERY, checked.state == "done", begun, host.time or ended or begun)


def _again(cause: Cause, looks: Iterable[_Look]) -> Again | None:
    """Who reached all of its endpoints after the last that did not; None unless its own servers did."""
    endpoints = {one.host for one in cause.endpoints}
    if cause.level != "FAIL" or not cause.seen or not endpoints or "" in endpoints or cause.hosts.left:
        return None
    about = [one for one in looks if one.endpoint in {_EVERY, *endpoints}]
    # Of evidence with a day alone, any hour of that day may be meant.
    seen = cause.seen + timedelta(days=cause.seen.time() == time())
    broken = max([seen, *(one.begun for one in about if not one.reached)])
    since = [one for one in about if one.begun > broken]
    reached: dict[str, set[str]] = {}
    for look in since:
        reached.setdefault(look.who, set()).update([look.endpoint] if look.endpoint else endpoints)
    who = tuple(name for name, found in reached.items() if found == endpoints)
    if not who or not {*cause.hosts.shown} <= {*who}:
        return None
    return Again(Names.of(who), max(one.known for one in since if one.who in who))
