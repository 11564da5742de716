"""The loop: a round, what it changes, a record of it, and a wait until the next."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import timedelta

from arcferry.diagnosis import judge
from arcferry.errors import FileInputError
from arcferry.evidence.case import Case
from arcferry.watch.changes import OUTSIDE, AnswerRegions, Level, Notice, Round, answer_regions, changes
from arcferry.watch.history import GAP_INTERVALS, SHORTEST_GAP, History

_ROUNDS_BETWEEN_PRUNES = 100
Look = Callable[[], Awaitable[Round]]
Looks = Mapping[str, Look]
"""By the site that is looked from."""

Tell = Callable[[Round, Sequence[Notice]], None]
Notify = Callable[[Sequence[tuple[Round, Sequence[Notice]]]], Awaitable[Sequence[Notice]]]
"""Tells others of every site's round within a time of its own; gives back what they did not take."""


@dataclass(frozen=True, slots=True)
class Vantage:
    """Where a watch looks from.

    Attributes:
        look: takes one round; what fails is a part of it.
        history: of what is seen from there, and from nowhere else.
    """

    look: Look
    history: History


async def watch(
    vantages: Sequence[Vantage],
    *,
    evidence: Callable[[], Case],
    tell: Tell,
    every: timedelta,
    rounds: int | None = None,
    notify: Notify | None = None,
) -> bool:
    """Take rounds until told to stop, keep each in its history, and tell what changed.

    From every vantage at the same time, and of each apart: what one sees counts as no change for another. A
    round that cannot be recorded (a full disk) or judged (a broken file) is told as a failure; the next
    one is tried all the same. Rounds begin `every` apart; one that takes longer delays the next.

    The evidence to judge by is asked for before each round, so that a new file counts at once. `tell` is
    called after each, also with nothing to tell, and then `notify`; whom that could not tell is kept in the
    first history too.

    Returns:
        Whether every endpoint was reached, and every own answer lay inside the filter, in the last round.

    Raises:
        InputError: a setting cannot be used.
        FileInputError: a history cannot be read, or the evidence cannot be read at the start.
    """
    case = evidence()
    before = [_last_seen(one.history, case) for one in vantages]
    taken = 0
    while True:
        began = time.monotonic()
        looks = await asyncio.gather(*(one.look() for one in vantages))
        judged = _judged(looks, before, evidence)
        before = [now for _, _, now in judged]
        told = [
            (
                seen,
                (
                    *notices,
                    *_kept(one.history, seen, notices, every, prune=not taken % _ROUNDS_BETWEEN_PRUNES),
                ),
            )
            for one, (seen, notices, _) in zip(vantages, judged, strict=True)
        ]
        for seen, notices in told:
            tell(seen, notices)
        if notify is not None and (failed := await notify(told)):
            with suppress(FileInputError):  # a history that cannot be written was told of with the round
                vantages[0].history.note(told[0][0].taken, _rows(failed))
        taken += 1
        if rounds is not None and taken >= rounds:
            return all(_is_well(now, seen) for seen, _, now in judged)
        await asyncio.sleep(max(0.0, every.total_seconds() - (time.monotonic() - began)))


def _last_seen(history: History, case: Case) -> AnswerRegions:
    """Where things stood when the watch last looked, so that a restart tells only what changed since."""
    record = history.newest()
    reached = {one.host: one.reached for one in record.reach}
    return answer_regions((one.answer for one in record.answers), reached, case)


_Judged = tuple[Round, tuple[Notice, ...], AnswerRegions]


def _judged(
    looks: Sequence[Round], before: Sequence[AnswerRegions], evidence: Callable[[], Case]
) -> list[_Judged]:
    """Every round with what it changes and where its answers lie, by the evidence as it is now."""
    try:
        case = evidence()
    except FileInputError as problem:
        told = (Notice(Level.FAIL, "", f"cannot judge this round: {problem.message}"),)
        return [(seen, (*seen.notices, *told), was) for seen, was in zip(looks, before, strict=True)]
    return [_compared(seen, was, case) for seen, was in zip(looks, before, strict=True)]


def _compared(seen: Round, before: AnswerRegions, case: Case) -> _Judged:
    if not seen.observations:  # nobody looked, so that the next round is compared with the one before
        return seen, seen.notices, before
    reached = {one.endpoint.host: one.reachable for one in seen.observations}
    now = answer_regions(seen.answers, reached, case)
    judged = judge((seen.document, *case.handed_in))
    told = changes(seen, before, now, judged.findings)
    return replace(seen, diagnosis=judged), (*seen.notices, *told), now


def _kept(
    history: History, seen: Round, notices: Iterable[Notice], every: timedelta, *, prune: bool
) -> tuple[Notice, ...]:
    try:
        history.record(seen, _rows(notices), longest_gap=max(every * GAP_INTERVALS, SHORTEST_GAP))
        if prune:
            history.prune(seen.taken)
    except FileInputError as problem:
        return (Notice(Level.FAIL, "", f"this round is not kept: {problem.message}"),)
    return ()


def _rows(notices: Iterable[Notice]) -> list[tuple[str, str, str]]:
    return [(notice.level.value, notice.host, notice.says) for notice in notices]


def _is_well(now: AnswerRegions, seen: Round) -> bool:
    own = seen.resolvers[0] if seen.resolvers else ""
    lost = any(
        found.verdict in OUTSIDE and not found.reached
        for (_, resolver), found in now.items()
        if resolver == own
    )
    return bool(seen.observations) and all(one.reachable for one in seen.observations) and not lost
