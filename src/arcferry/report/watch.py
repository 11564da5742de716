"""A watch: its notices as they come, and its history as a table or a document."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from pathlib import Path
from typing import Any

from rich.console import Console

from arcferry.catalog import Cloud, Region
from arcferry.diagnosis.finding import Owner, addressed
from arcferry.evidence.case import Case
from arcferry.language import _, headings, marked, translated
from arcferry.report.as_json import SCHEMA, picked
from arcferry.report.columns import UNDISCOVERED, named
from arcferry.report.console import HANG, mark, print_line, print_table, print_text
from arcferry.routing.coverage import Verdict
from arcferry.text import one_line
from arcferry.times import to_text
from arcferry.watch.changes import OUTSIDE, AnswerRegion, Level, Notice, Round, region_of_answer
from arcferry.watch.history import AnswerSpan, History, Record

_STYLES = {Level.FAIL: "bold red", Level.WARN: "yellow", Level.OK: "green"}
_MOST_NOTICES = 40
_SEEN = "first", "last", "rounds"


@dataclass(frozen=True, slots=True)
class AnswerPeriod:
    """A time over which one resolver's answer stayed in one place, whatever its addresses.

    Attributes:
        says: why there was no address, empty where there was one.
        place: the region, or the service whose community carries it anywhere.
        carried: `yes`, `no`, `unknown`, or `-` where there was no address.
    """

    host: str
    resolver: str
    addresses: tuple[str, ...]
    says: str
    place: str
    carried: str
    first: datetime
    last: datetime


@dataclass(frozen=True, slots=True)
class HistoryView:
    """A history with where its answers lay, by today's evidence.

    Attributes:
        found: where each answer lies.
        sources: what that is judged by, with dates.
        site: where it was watched from; empty where the watch has no sites.
    """

    cloud: Cloud
    region: Region
    record: Record
    found: Mapping[AnswerSpan, AnswerRegion]
    sources: tuple[str, ...]
    site: str = ""

    def periods(self) -> Iterator["AnswerPeriod"]:
        """How long each name stayed where, by name, resolver and time."""
        for _key, group in groupby(self.located(), key=_period_key):
            located = list(group)
            (first, found), (last, _found) = located[0], located[-1]
            addresses = sorted({address for span, _found in located for address in span.addresses})
            word = carried(found) if addresses else "-"
            yield AnswerPeriod(
                first.host,
                first.resolver,
                tuple(addresses),
                first.says,
                found.place,
                word,
                first.first,
                last.last,
            )

    def located(self) -> Iterator[tuple[AnswerSpan, AnswerRegion]]:
        """Every answer with where it lies, by name, resolver and time."""
        for span in sorted(self.record.answers, key=lambda one: (one.host, one.resolver, one.first)):
            yield span, self.found[span]


def view_of(
    path: Path, cloud: Cloud, region: Region, case: Case, *, since: datetime | None = None, site: str = ""
) -> HistoryView:
    """A history as far back as an instant, with where its answers lay by a case.

    Raises:
        InputError: there is no such history; among it FileInputError: it cannot be read.
    """
    with History.open(path, existing=True) as history:
        record = history.read(since)
    found = {span: region_of_answer(span.answer, case) for span in record.answers}
    sources = tuple(document.name for document in case.handed_in)
    return HistoryView(cloud, region, record, found, sources, site)


def draw_notice(seen: Round, notice: Notice, console: Console) -> None:
    """One notice: when, how bad, about which name, what, and who can mend it."""
    when = f"{to_text(seen.taken)}  {mark(notice.level.value, console).ljust(4)}  "
    whose = f"; {addressed(notice.to, Owner(notice.owner))}" if notice.owner else ""
    says = one_line(f"{translated(notice.says)}{whose}", limit=600)
    text = "  ".join(filter(None, (seen.site, notice.host, says)))
    print_text(console, text, _STYLES[notice.level], indent=HANG, first=when)


def notice_document(seen: Round, notice: Notice) -> dict[str, Any]:
    """One notice as an object of its own."""
    return {
        "schema": SCHEMA,
        "kind": "watch-notice",
        "taken": to_text(seen.taken),
        **_site(seen.site),
        **picked(notice, "level", "host", "says", "cause", "owner", "to", "request"),
    }


def round_document(seen: Round) -> dict[str, Any]:
    """One round in short."""
    return {
        "schema": SCHEMA,
        "kind": "watch-round",
        "taken": to_text(seen.taken),
        **_site(seen.site),
        "endpoints": len(seen.observations),
        "reached": sum(one.reachable for one in seen.observations),
        "resolvers": list(seen.resolvers),
    }


def _site(name: str) -> dict[str, str]:
    return {"site": name} if name else {}


def document(shown: HistoryView) -> dict[str, Any]:
    """The history as `watch show --output json` gives it, and `explain` reads it."""
    return {
        "schema": SCHEMA,
        "kind": "watch-history",
        "cloud": shown.cloud.name,
        "location": shown.region.name,
        **_site(shown.site),
        **picked(shown.record, "first", "last"),
        "sources": list(shown.sources),
        "answers": [
            picked(span, "host", "resolver", "chain", "addresses", "says")
            | {"region": found.region, "community": found.community, "carried": carried(found)}
            | picked(span, *_SEEN)
            for span, found in shown.located()
        ],
        "reach": [picked(span, "host", "reached", "says", *_SEEN) for span in shown.record.reach],
        "notices": [
            {"taken": to_text(taken), "level": level, "host": host, "says": says}
            for taken, level, host, says in shown.record.notices
        ],
    }


def draw(shown: HistoryView, console: Console) -> None:
    """The answers by name and resolver, then the times out of reach, then what was told."""
    titles = headings("ENDPOINT", "RESOLVER", "ANSWER", "FROM", "TO", "CARRIED")
    print_table(console, titles, _answer_rows(shown))
    lost = [span for span in shown.record.reach if not span.reached]
    if lost:
        print_line(console)
        rows = (
            (one.host or _(UNDISCOVERED), translated(one.says), to_text(one.first), to_text(one.last))
            for one in lost
        )
        print_table(console, headings("NOT REACHED", "WHY", "FROM", "TO"), ((row, "red") for row in rows))
    if shown.record.notices:
        print_line(console)
        styles = {level.value: style for level, style in _STYLES.items()}
        notices = [
            (
                (to_text(taken), level, f"{host}  {one_line(translated(says), limit=600)}".strip()),
                styles.get(level, ""),
            )
            for taken, level, host, says in shown.record.notices[-_MOST_NOTICES:]
        ]
        print_table(console, headings("TOLD", "", ""), notices)
    print_line(console)
    print_text(console, summary(shown), "dim")


def summary(shown: HistoryView) -> str:
    """What the history spans, and by what it is judged."""
    rounds_of: Counter[str] = Counter()
    for span in shown.record.reach:
        rounds_of[span.host] += span.rounds
    hosts, rounds = len(rounds_of), max(rounds_of.values(), default=0)
    judged = "; ".join(shown.sources) or _(
        "nothing: hand in a route filter, or import one with arcferry data"
    )
    since, until = (to_text(one) if one else "-" for one in (shown.record.first, shown.record.last))
    return _(
        "{hosts} endpoints, {rounds} rounds from {since} to {until}. Judged by {judged}.",
        hosts=hosts,
        rounds=rounds,
        since=since,
        until=until,
        judged=judged,
    )


def carried(found: AnswerRegion) -> str:
    """Whether the filter is expected to carry an answer: yes, no or unknown."""
    if found.verdict in OUTSIDE:
        return marked("no")
    return marked("yes") if found.verdict is Verdict.CARRIED else marked("unknown")


def _period_key(located: tuple[AnswerSpan, AnswerRegion]) -> tuple[object, ...]:
    span, found = located
    return span.host, span.resolver, found.place, carried(found), bool(span.addresses), span.says


def _answer_rows(shown: HistoryView) -> Iterator[tuple[tuple[str, ...], str]]:
    for period in shown.periods():
        what = named(period.addresses, most=1) or period.says or _("no address")
        where = f" ({period.place})" if period.place else ""
        style = {"no": "red", "yes": "", "unknown": "yellow"}.get(period.carried, "red")
        since, until = to_text(period.first), to_text(period.last)
        yield (period.host, period.resolver, f"{what}{where}", since, until, _(period.carried)), style
