"""A page of one document or of several, by plain functions: it draws what they say, and concludes nothing."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from arcferry.report.findings import kind_told
from arcferry.report.page.again import with_again
from arcferry.report.page.answer import answer
from arcferry.report.page.causes import causes
from arcferry.report.page.documents import Attempt, Written, every
from arcferry.report.page.fleets import fleets
from arcferry.report.page.heat import heat_map
from arcferry.report.page.page import Datum, Page
from arcferry.report.page.path import path
from arcferry.report.page.tables import changes, tables
from arcferry.report.page.timelines import timelines
from arcferry.report.page.words import Words

_MOST_DATA = 400


def build(documents: Sequence[Written], words: Words, made: datetime) -> Page:
    """The page of these documents, at least one, the oldest first."""
    ordered = sorted(documents, key=lambda one: one.day.timestamp() if one.day else 0.0)
    told, place = with_again(causes(ordered), ordered, words), _place(ordered)
    data = _data(ordered, words)
    return Page(
        made=made,
        place=place,
        check=f"arcferry check --location {place}" if place and "," not in place else "",
        answer=answer(ordered, told, words),
        causes=told,
        path=path(ordered, told, words),
        heat=heat_map(ordered, words),
        fleets=fleets(ordered, words),
        timelines=timelines(ordered, words),
        tables=tables(ordered, words),
        changes=changes(ordered),
        notes=_notes(ordered, words),
        data=data,
        sources=_sources(ordered, data),
    )


def _place(documents: Sequence[Written]) -> str:
    return ", ".join(dict.fromkeys(one.location for one in documents if one.location))


def _notes(documents: Sequence[Written], words: Words) -> tuple[str, ...]:
    ahead = (
        f"{one.day}: {one.host}{': ' if one.host else ''}{one.says} ({one.source})"
        for one in every(documents, "ahead")
    )
    twin = [words("labels.of_a_twin")] if any(map(_on_loopback, documents)) else []
    return tuple(dict.fromkeys([*twin, *every(documents, "doubts"), *ahead]))


def _on_loopback(document: Written) -> bool:
    """Whether names answer with a twin's addresses: its page must not pass for one of Azure."""
    answered = (one.address for one in (*document.endpoints, *_attempts(document)))
    watched = (address for span in document.answers for address in span.addresses)
    return any(address.startswith("127.") for address in (*answered, *watched))


def _attempts(document: Written) -> Iterator[Attempt]:
    for kept in document.evidence.documents:
        yield from kept.attempts


def _sources(documents: Sequence[Written], data: Sequence[Datum]) -> tuple[str, ...]:
    """What else the documents say that they are made of, besides what is in the table."""
    named = {one.name for one in data}
    return tuple(one for one in dict.fromkeys(every(documents, "sources")) if one not in named)


def _made_from(document: Written) -> Iterator[tuple[str, str, datetime | None]]:
    for given in document.inputs:
        yield given.name, given.kind, given.taken
    for kept in document.evidence.documents:
        yield kept.name, kept.kind, kept.taken


def _data(documents: Sequence[Written], words: Words) -> tuple[Datum, ...]:
    """Every document, then what each of them was made from."""
    own = [
        Datum(one.file or words.of("kinds", one.kind), words.of("kinds", one.kind), one.day)
        for one in documents
    ]
    given = [
        Datum(name, kind_told(kind), taken) for one in documents for name, kind, taken in _made_from(one)
    ]
    newest: dict[tuple[str, str], Datum] = {}
    for one in (*own, *given):
        before = newest.get((one.name, one.kind))
        if before is None or (one.taken and (before.taken is None or before.taken < one.taken)):
            newest[one.name, one.kind] = one
    return tuple(newest.values())[:_MOST_DATA]
