"""Time: the steps of each server in a run, and how long each name answered where and was reached."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from arcferry.language import translated
from arcferry.report.page.documents import Host, Span, Written, located
from arcferry.report.page.fleets import level_of, state_of
from arcferry.report.page.page import RANK, Block, Lane, Level, Timeline
from arcferry.report.page.words import Words

WIDE = 1000
_MOST_LANES = 120
_COLOURS = 8
_MOST_BLOCKS = 300
_Key = TypeVar("_Key")


@dataclass(frozen=True, slots=True)
class _Time:
    """What a timeline spans."""

    first: datetime
    last: datetime

    def blocks(self, told: Iterable[tuple[Span, str, str]], words: Words) -> tuple[Block, ...]:
        """Each span with its style and what is told of it; one without a time is left out."""
        return tuple(self._block(*one, words) for one in told if one[0].first and one[0].last)

    def _block(self, span: Span, style: str, tip: str, words: Words) -> Block:
        whole = (self.last - self.first).total_seconds() or 1.0
        start, end = (((at or self.first) - self.first).total_seconds() for at in (span.first, span.last))
        told = words("timelines.span", says=tip, first=words.day(span.first), last=words.day(span.last))
        return _block((start, end), whole, style, told)


def timelines(documents: Sequence[Written], words: Words) -> tuple[Timeline, ...]:
    """Those of the runs, then those of the watches."""
    runs = (one for document in documents for one in _runs(document))
    found = [_of_run(name, hosts, words) for name, hosts in runs if any(map(_seconds, hosts))]
    for document in documents:
        if document.kind == "verification" and document.asked:
            found += [_stood(document, document.asked, words)]
        if document.kind == "watch-history" and document.first and document.last:
            time = _Time(document.first, document.last)
            found += [_reached(document, time, words), _answered(document, time, words)]
    return tuple(one for one in found if one.lanes)


def _runs(document: Written) -> Iterator[tuple[str, tuple[Host, ...]]]:
    if document.kind == "run":
        yield document.run, document.hosts
    for run in document.runs[:1]:
        yield run.run, run.hosts


def _of_run(run: str, servers: Sequence[Host], words: Words) -> Timeline:
    """A lane a server, those that failed first; as long as its steps took."""
    longest = max((_seconds(host) for host in servers), default=0.0) or 1.0
    hosts = sorted(servers, key=lambda one: (RANK[level_of(one)], -_seconds(one)))
    lanes = tuple(_steps(host, longest, words) for host in hosts[:_MOST_LANES])
    return Timeline(
        title=words("timelines.run", run=run),
        first=words("timelines.start"),
        last=words("timelines.seconds", count=round(longest)),
        lanes=lanes,
        legend=(("good", words("timelines.done")), ("bad", words("timelines.failed"))),
        left=max(0, len(hosts) - _MOST_LANES),
    )


def _seconds(host: Host) -> float:
    return sum(step.seconds for step in host.steps)


def _steps(host: Host, longest: float, words: Words) -> Lane:
    blocks, at = [], 0.0
    for place, step in enumerate(host.steps):
        style = "bad" if step.state in ("failed", "blocked") else "good" if place % 2 else "good odd"
        taken = words("timelines.seconds", count=round(step.seconds, 1))
        tip = ", ".join(
            filter(None, (step.step, words.of("states", step.state), taken, translated(step.says)))
        )
        blocks.append(_block((at, at + step.seconds), longest, style, tip))
        at += step.seconds
    says = f"{state_of(host, words)}, {words('timelines.seconds', count=round(at))}"
    return Lane(host.name, tuple(blocks), says, level_of(host))


def _stood(document: Written, asked: datetime, words: Words) -> Timeline:
    """A lane a server: how a run left it, and since when it stands as Azure shows it."""
    told = {one: list(_standings(one, asked, words)) for one in document.machines}
    starts = [span.first for spans in told.values() for span, _, _ in spans if span.first]
    time = _Time(min(starts, default=asked), asked)
    lanes = [
        Lane(one.name, time.blocks(spans, words), state_of(one, words), level_of(one))
        for one, spans in told.items()
        if spans
    ]
    legend = (("good", words("timelines.connected")), ("bad", words("timelines.silent")))
    return _timeline(words("timelines.verification"), time, lanes, legend, words)


def _standings(machine: Host, asked: datetime, words: Words) -> Iterator[tuple[Span, str, str]]:
    past, since = machine.last_run, min(machine.since, asked) if machine.since else None
    if past and past.at and past.at < (since or asked):
        says = words("timelines.left", run=past.run, state=words.of("states", past.ended))
        yield Span(first=past.at, last=since or asked), _style(past.ended), says
    if since:
        yield Span(first=since, last=asked), _style(machine.state), state_of(machine, words)


def _style(state: str) -> str:
    return {"connected": "good", "unknown": "unknown"}.get(state, "bad")


def _reached(document: Written, time: _Time, words: Words) -> Timeline:
    """A lane a name: reached, or how it failed."""
    lanes = []
    for host, spans in _by(document.reach, lambda one: one.host).items():
        told = [(one, "good" if one.reached else "bad", _reach_of(one, words)) for one in spans]
        level: Level = "ok" if spans[-1].reached else "FAIL"
        name = host or words("labels.regional")
        lanes.append(Lane(name, time.blocks(told, words), _reach_of(spans[-1], words), level))
    legend = (("good", words("timelines.reached")), ("bad", words("timelines.lost")))
    return _timeline(words("timelines.reach"), time, lanes, legend, words)


def _reach_of(span: Span, words: Words) -> str:
    return words("timelines.reached") if span.reached else words.failure(span.says) or words("timelines.lost")


def _answered(document: Written, time: _Time, words: Words) -> Timeline:
    """A lane a name and resolver, coloured by region, and barred where the filter lacks its community."""
    styles = {
        place: f"region{number % _COLOURS}"
        for number, place in enumerate(dict.fromkeys(filter(None, map(located, document.answers))))
    }
    lanes = []
    for (host, resolver), spans in _by(document.answers, lambda one: (one.host, one.resolver)).items():
        told = [(one, styles.get(located(one), "unknown"), _place(one, words)) for one in spans]
        outside = words("timelines.not_carried")
        lost = [(one, "lost", f"{_place(one, words)}: {outside}") for one in spans if one.carried == "no"]
        name = words("timelines.resolver", host=host or words("labels.regional"), resolver=resolver or "DNS")
        level: Level = "FAIL" if spans[-1].carried == "no" else "ok"
        blocks = (*time.blocks(told, words), *time.blocks(lost, words))
        lanes.append(Lane(name, blocks, _place(spans[-1], words), level))
    legend = [
        *((style, place) for place, style in styles.items()),
        ("unknown", words("timelines.region_unknown")),
        ("lost", words("timelines.not_carried")),
    ]
    used = {block.style for lane in lanes for block in lane.blocks}
    return _timeline(
        words("timelines.answers"), time, lanes, [one for one in legend if one[0] in used], words
    )


def _by(spans: Iterable[Span], key: Callable[[Span], _Key]) -> dict[_Key, list[Span]]:
    """The spans of each, those that follow each other and tell the same made one."""
    groups: dict[_Key, list[Span]] = {}
    for span in spans:
        kept = groups.setdefault(key(span), [])
        if kept and _told(kept[-1]) == _told(span):
            kept[-1] = kept[-1].model_copy(update={"last": span.last})
        else:
            kept.append(span)
    return {name: kept[-_MOST_BLOCKS:] for name, kept in groups.items()}


def _told(span: Span) -> tuple[object, ...]:
    return span.reached, span.says, located(span), span.carried


def _place(span: Span, words: Words) -> str:
    return located(span) or span.says or words("timelines.region_unknown")


def _timeline(
    title: str, time: _Time, lanes: Sequence[Lane], legend: Sequence[tuple[str, str]], words: Words
) -> Timeline:
    ranked = sorted(lanes, key=lambda one: RANK[one.level])
    shown, left = tuple(ranked[:_MOST_LANES]), max(0, len(ranked) - _MOST_LANES)
    return Timeline(title, words.day(time.first), words.day(time.last), shown, tuple(legend), left)


def _block(ends: tuple[float, float], whole: float, style: str, tip: str) -> Block:
    left, right = (round(max(0.0, min(1.0, at / whole)) * WIDE) for at in ends)
    left = min(left, WIDE - 3)
    return Block(left, max(3, right - left), style, tip)
