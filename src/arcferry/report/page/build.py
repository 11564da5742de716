"""A page of one document or of several, by plain functions: it draws what they say, and concludes nothing."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from arcferry.report.page.again import with_again
from arcferry.report.page.answer import answer
from arcferry.report.page.causes import causes
from arcferry.report.page.documents import Written, every
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
        notes=_notes(ordered),
        data=_data(ordered, words),
        sources=tuple(dict.fromkeys(every(ordered, "sources"))),
    )


def _place(documents: Sequence[Written]) -> str:
    return ", ".join(dict.fromkeys(one.location for one in documents if one.location))


def _notes(documents: Sequence[Written]) -> tuple[str, ...]:
    ahead = (
        f"{one.day}: {one.host}{': ' if one.host else ''}{one.says} ({one.source})"
        for one in every(documents, "ahead")
    )
    return tuple(dict.fromkeys([*every(documents, "doubts"), *ahead]))


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
        Datum(name, kind.replace("-", " "), taken)
        for one in documents
        for name, kind, taken in _made_from(one)
    ]
    newest: dict[tuple[str, str], Datum] = {}
    for one in (*own, *given):
        before = newest.get((one.name, one.kind))
        if before is None or (one.taken and (before.taken is None or before.taken < one.taken)):
            newest[one.name, one.kind] = one
    return tuple(newest.values())[:_MOST_DATA]
