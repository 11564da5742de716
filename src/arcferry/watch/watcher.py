"""The loop: a round, what it changes, a record of it, and a wait until the next."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta

from arcferry.catalog import Cloud, Region
from arcferry.diagnosis import judge
from arcferry.errors import FileInputError
from arcferry.evidence.case import Case
from arcferry.probe.step import ProbeSettings
from arcferry.watch.changes import (
    OUTSIDE,
    AnswerRegions,
    Level,
    Notice,
    Round,
    answer_regions,
    changes,
    take_round,
)
from arcferry.watch.history import SHORTEST_GAP, History

_GAP_INTERVALS = 3
_ROUNDS_BETWEEN_PRUNES = 100
Tell = Callable[[Round, Sequence[Notice]], None]
Notify = Callable[[Round, Sequence[Notice]], Awaitable[Sequence[Notice]]]
"""Tells others within a time of its own; what they did not take is what it gives back."""


async def watch(
    cloud: Cloud,
    region: Region,
    settings: ProbeSettings,
    history: History,
    *,
    evidence: Callable[[], Case],
    tell: Tell,
    every: timedelta,
    besides: Sequence[str] = (),
    rounds: int | None = None,
    notify: Notify | None = None,
) -> bool:
    """Take rounds until told to stop, keep each in the history, and tell what changed.

    A round that cannot be recorded (a full disk) or judged (a broken file) is told as a failure; the next
    one is tried all the same. Rounds begin `every` apart; one that takes longer delays the next.

    The evidence to judge by is asked for before each round, so that a new file counts at once. `tell` is
    called after each, also with nothing to tell, and then `notify`; whom that could not tell is kept in the
    history too.

    Returns:
        Whether every endpoint was reached, and every own answer lay inside the filter, in the last round.

    Raises:
        InputError: a setting cannot be used.
        FileInputError: the history cannot be read, or the evidence cannot be read at the start.
    """
    # Where things stood when the watch last looked, so that a restart tells only what changed since.
    record = history.newest()
    reached = {one.host: one.reached for one in record.reach}
    before: AnswerRegions = answer_regions((one.answer for one in record.answers), reached, evidence())
    taken = 0
    while True:
        began = time.monotonic()
        seen = await take_round(cloud, region, settings, besides=besides)
        seen, notices, before = _judged(seen, before, evidence)
        notices += _kept(history, seen, notices, every, prune=taken % _ROUNDS_BETWEEN_PRUNES == 0)
        tell(seen, notices)
        if notify is not None and (failed := await notify(seen, notices)):
            with suppress(FileInputError):  # a history that cannot be written was told of with the round
                history.note(seen.taken, _rows(failed))
        taken += 1
        if rounds is not None and taken >= rounds:
            return all(one.reachable for one in seen.observations) and not _is_lost(before, seen)
        await asyncio.sleep(max(0.0, every.total_seconds() - (time.monotonic() - began)))


def _judged(
    seen: Round, before: AnswerRegions, evidence: Callable[[], Case]
) -> tuple[Round, tuple[Notice, ...], AnswerRegions]:
    try:
        case = evidence()
    except FileInputError as problem:
        return seen, (Notice(Level.FAIL, "", f"cannot judge this round: {problem.message}"),), before
    reached = {one.endpoint.host: one.reachable for one in seen.observations}
    now = answer_regions(seen.answers, reached, case)
    judged = judge((seen.document, *case.handed_in))
    return replace(seen, diagnosis=judged), changes(seen, before, now, judged.findings), now


def _kept(
    history: History, seen: Round, notices: Iterable[Notice], every: timedelta, *, prune: bool
) -> tuple[Notice, ...]:
    try:
        history.record(seen, _rows(notices), longest_gap=max(every * _GAP_INTERVALS, SHORTEST_GAP))
        if prune:
            history.prune(seen.taken)
    except FileInputError as problem:
        return (Notice(Level.FAIL, "", f"this round is not kept: {problem.message}"),)
    return ()


def _rows(notices: Iterable[Notice]) -> list[tuple[str, str, str]]:
    return [(notice.level.value, notice.host, notice.says) for notice in notices]


def _is_lost(now: AnswerRegions, seen: Round) -> bool:
    own = seen.resolvers[0] if seen.resolvers else ""
    return any(
        found.verdict in OUTSIDE and not found.reached
        for (_, resolver), found in now.items()
        if resolver == own
    )
