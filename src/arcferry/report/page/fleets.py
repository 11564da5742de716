"""The servers of a run, a collection or a verification, those that stand alike together."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from arcferry.language import translated
from arcferry.report.page.documents import Host, Run, Written
from arcferry.report.page.page import MOST_NAMES, RANK, Fleet, FleetRow, Level, Names
from arcferry.report.page.words import Words

_GOOD, _BAD = frozenset({"connected"}), frozenset({"failed", "blocked", "missing", "expired", "error"})


def fleets(documents: Sequence[Written], words: Words) -> tuple[Fleet, ...]:
    """A fleet a document that tells of servers, the newest first."""
    found = []
    for document in reversed(documents):
        for source, hosts, asof in _told(document, words):
            if hosts:
                found.append(_fleet(source, hosts, asof, words))
    return tuple(found)


def _told(document: Written, words: Words) -> Iterator[tuple[str, tuple[Host, ...], datetime | None]]:
    match document.kind:
        case "verification":
            yield words("fleet.verification"), document.machines, document.asked
        case "run":
            yield words("fleet.run", run=document.run), document.hosts, document.ended
        case "collected":
            absent = tuple(Host(name=name, outcome="missing") for name in document.missing)
            yield words("fleet.collected"), (*document.hosts, *absent), None
        case "runs":
            for run in document.runs[:1]:
                yield words("fleet.runs", run=run.run), run.hosts, _last(run)
        case _:
            return


def _last(run: Run) -> datetime | None:
    return max((one.time for one in run.hosts if one.time), default=run.started)


def _fleet(source: str, hosts: Sequence[Host], asof: datetime | None, words: Words) -> Fleet:
    groups: dict[tuple[Level, str, str, str], list[Host]] = {}
    for host in hosts:
        version = host.machine.agent_version if host.machine else ""
        groups.setdefault((level_of(host), state_of(host, words), version, _says(host)), []).append(host)
    rows = sorted(
        (_row(key, alike) for key, alike in groups.items()),
        key=lambda one: (RANK[one.level], -one.names.count),
    )
    counts: dict[str, int] = {}
    levels: dict[str, Level] = {}
    for row in rows:
        counts[row.state] = counts.get(row.state, 0) + row.names.count
        levels.setdefault(row.state, row.level)
    left = sum(row.names.count for row in rows[MOST_NAMES:])
    return Fleet(source, counts, levels, tuple(rows[:MOST_NAMES]), left, asof)


def _row(key: tuple[Level, str, str, str], alike: Sequence[Host]) -> FleetRow:
    level, state, version, says = key
    since = min((one for host in alike if (one := _since(host))), default=None)
    return FleetRow(level, state, Names.of(tuple(host.name for host in alike)), version, says, since)


def _since(host: Host) -> datetime | None:
    return host.since or (host.machine.last_status_change if host.machine else None) or host.time


def state_of(host: Host, words: Words) -> str:
    """How it stands, in a word."""
    if host.extra:
        return words("fleet.extra")
    state = host.outcome or host.state or "unknown"
    return words("fleet.missing") if host.outcome == "missing" else words.of("states", state)


def level_of(host: Host) -> Level:
    """Whether it is connected and as it should be."""
    state = host.outcome or host.state
    if host.extra:
        return "unknown"
    if state in _BAD:
        return "FAIL"
    if state in _GOOD:
        return "warn" if host.good is False else "ok"
    return "unknown" if state in ("", "unknown") else "warn"


def _says(host: Host) -> str:
    if host.failure:
        return ": ".join(filter(None, (host.failure.step, translated(host.failure.says))))
    if level_of(host) == "ok":  # what each says of itself then differs by a time of day alone
        return ""
    return "; ".join(map(translated, filter(None, (host.says, *(fault.says for fault in host.faults)))))
