"""Who reaches what: servers down, endpoints across."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from datetime import datetime

from arcferry.probe.observation import PROBES
from arcferry.report.page.documents import Attempt, Kept, Written
from arcferry.report.page.page import MOST_NAMES, Column, HeatMap, HeatRow, Names
from arcferry.report.page.words import Words

REACHED, UNTRIED, OTHER = "+", "-", "o"
STAGES = {"dns": "n", "tcp": "t", "tls": "s", "http": "h", "proxy": "p"}
"""The letter of the stage at which an attempt ended."""
_MOST_COLUMNS = 40

Tried = dict[str, Attempt]


def heat_map(documents: Sequence[Written], words: Words) -> HeatMap | None:
    """The last attempt of every server at every endpoint; None where nothing was tried.

    What was tried from here is a row of its own. Endpoints that fail most come first, and so do servers.
    """
    tried = _tried(documents, words)
    columns = _columns(tried, words)
    if not columns:
        return None
    hosts = [one.host for one in columns]
    groups: defaultdict[str, list[str]] = defaultdict(list)
    for name, attempts in tried.items():
        groups["".join(_letter(attempts.get(host)) for host in hosts)].append(name)
    rows = sorted((_row(names, cells) for cells, names in groups.items()), key=_worst_first)
    letters = {letter for cells in groups for letter in cells}
    stages = [*(stage for stage, letter in STAGES.items() if letter in letters)]
    if OTHER in letters:
        stages.append("other")
    left = sum(row.names.count for row in rows[MOST_NAMES:])
    return HeatMap(tuple(columns), tuple(rows[:MOST_NAMES]), UNTRIED in letters, left, tuple(stages))


def _tried(documents: Sequence[Written], words: Words) -> dict[str, Tried]:
    """The newest attempts by server, then by endpoint."""
    found: dict[str, tuple[float, Tried]] = {}
    for names, taken, attempts in sources(documents, words):
        instant = taken.timestamp() if taken else 0.0
        made = {one.host: one for one in attempts}
        for name in names:
            before, kept = found.get(name, (0.0, {}))
            newer = instant >= before
            found[name] = max(instant, before), ({**kept, **made} if newer else {**made, **kept})
    return {name: attempts for name, (_, attempts) in found.items()}


def sources(
    documents: Sequence[Written], words: Words
) -> Iterator[tuple[tuple[str, ...], datetime | None, tuple[Attempt, ...]]]:
    """Who tried something, when, and what came of it."""
    here = (words("labels.here"),)
    for document in documents:
        if document.kind == "check":
            yield here, document.taken, document.endpoints
            continue
        for kept in document.evidence.documents:
            if kept.attempts:
                yield _whose(kept, document) or here, kept.taken, kept.attempts


def _whose(kept: Kept, document: Written) -> tuple[str, ...]:
    groups = document.evidence.servers
    if kept.servers is not None and 0 <= kept.servers < len(groups):
        return groups[kept.servers]
    return () if kept.name in PROBES else (kept.name,)


def _columns(tried: dict[str, Tried], words: Words) -> list[Column]:
    of_host: dict[str, list[Attempt]] = {}
    for attempts in tried.values():
        for host, one in attempts.items():
            of_host.setdefault(host, []).append(one)
    columns = [_column(host, attempts, words) for host, attempts in of_host.items()]
    return sorted(columns, key=lambda one: (-one.failed, not one.required, one.host))[:_MOST_COLUMNS]


def _column(host: str, attempts: list[Attempt], words: Words) -> Column:
    failed = [one for one in attempts if not one.reachable]
    ways = Counter(f"{one.failure.stage} {one.failure.kind}" for one in failed if one.failure)
    why = words.failure(ways.most_common(1)[0][0]) if ways else ""
    return Column(host, any(one.required for one in attempts), len(failed), len(attempts), why)


def _letter(attempt: Attempt | None) -> str:
    if attempt is None:
        return UNTRIED
    if attempt.reachable:
        return REACHED
    return STAGES.get(attempt.failure.stage, OTHER) if attempt.failure else OTHER


def _row(names: list[str], cells: str) -> HeatRow:
    failed = sum(cell not in (REACHED, UNTRIED) for cell in cells)
    return HeatRow(Names.of(tuple(names)), cells, failed)


def _worst_first(row: HeatRow) -> tuple[int, int]:
    return -row.failed, -row.names.count
