"""A watch's history as one picture: where each name's answer lay over time, and when it was out of reach."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import cycle, groupby, zip_longest
from operator import attrgetter
from typing import TypeVar
from xml.sax.saxutils import escape, quoteattr

from arcferry.report.columns import UNDISCOVERED
from arcferry.report.watch import AnswerPeriod, HistoryView
from arcferry.text import one_line
from arcferry.times import to_text
from arcferry.watch.history import GAP_INTERVALS, SHORTEST_GAP, ReachSpan

# Okabe and Ito's palette, which people who see colours differently tell apart too.
_COLOURS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#F0E442", "#8C564B", "#7F7F7F")
_UNKNOWN, _NO_ANSWER, _LOST, _GOOD = "#BBBBBB", "#333333", "#D00000", "#4C9F70"
_WIDTH, _LEFT, _RIGHT, _TOP, _BOTTOM = 1080, 190, 20, 64, 56
_NAME, _LANE, _STRIP, _GAP = 18, 18, 7, 14
_LETTER = 6.6
_TICKS = 6
_STYLE = (
    "text{font:12px system-ui,sans-serif;fill:#1b1b1b}.name{font-weight:600}.dim{fill:#5a5a5a;font-size:11px}"
    ".in{fill:#fff;font-size:11px;paint-order:stroke;stroke:#000a;stroke-width:2px}.title{font-size:15px;font-weight:600}"
)

_HATCH = (
    '<defs><pattern id="lost" width="7" height="7" patternUnits="userSpaceOnUse" '
    f'patternTransform="rotate(45)"><rect width="3" height="7" fill="{_LOST}"/></pattern></defs>'
)


_Time = TypeVar("_Time", AnswerPeriod, ReachSpan)


@dataclass(frozen=True, slots=True)
class _Scale:
    """Instants to pixels.

    Attributes:
        pause: a longer time between two rounds is left blank, since nobody looked.
    """

    first: datetime
    last: datetime
    pause: timedelta

    def blocks(self, times: Sequence[_Time]) -> Iterator[tuple[_Time, float, float]]:
        """Each with its left edge and width; it reaches to the one that follows, unless there was a pause."""
        for one, following in zip_longest(times, times[1:]):
            until = following.first if following and following.first - one.last <= self.pause else one.last
            left = self.at(one.first)
            yield one, left, max(round(self.at(max(until, one.last)) - left, 1), 1.5)

    def at(self, instant: datetime) -> float:
        whole = (self.last - self.first).total_seconds() or 1.0
        share = (instant - self.first).total_seconds() / whole
        return round(_LEFT + max(0.0, min(1.0, share)) * (_WIDTH - _LEFT - _RIGHT), 1)


def svg(shown: HistoryView) -> str:
    """The picture: a lane for each name and resolver, coloured by region, and a strip of reachability.

    A lane is hatched in red where the route filter is not expected to carry the answer; a strip is red while
    the name was out of reach. A history without a round gives a picture that says so.
    """
    first, last = shown.record.first, shown.record.last
    if first is None or last is None:
        return _page(120, [_text(_LEFT, 60, "nothing was watched yet")], shown)
    pause = max(shown.record.interval * GAP_INTERVALS, SHORTEST_GAP)
    scale = _Scale(first, max(last, first + timedelta(minutes=1)), pause)
    places = dict.fromkeys(period.place for period in shown.periods() if period.place)
    colours = dict(zip(places, cycle(_COLOURS), strict=False))
    parts: list[str] = []
    top = _TOP
    for host in dict.fromkeys(span.host for span in shown.record.reach):
        parts.append(_text(12, top + 12, host or UNDISCOVERED, "name"))
        top += _NAME
        of_host = (period for period in shown.periods() if period.host == host)
        for resolver, periods in groupby(of_host, key=attrgetter("resolver")):
            parts += _lane(top, resolver, list(periods), scale, colours)
            top += _LANE + 3
        parts += _strip(top, shown, host, scale)
        top += _STRIP + _GAP
    parts += [*_axis(top, scale), *_legend(top + 40, colours)]
    return _page(top + _BOTTOM, parts, shown)


def _page(height: int, parts: Sequence[str], shown: HistoryView) -> str:
    title = f"Azure Arc in {shown.region.name}: where each name answered, and when it was out of reach"
    opening = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" role="img"'
    judged = "; ".join(shown.sources) or "no data at hand"
    lines = (
        f"{opening} aria-label={quoteattr(title)}>",
        f"<style>{_STYLE}</style>",
        _HATCH,
        f'<rect width="{_WIDTH}" height="{height}" fill="#ffffff"/>',
        _text(12, 24, title, "title"),
        _text(12, 42, one_line(f"judged by {judged}", limit=170), "dim"),
        *parts,
        "</svg>\n",
    )
    return "\n".join(lines)


def _lane(
    top: int, resolver: str, periods: Sequence[AnswerPeriod], scale: _Scale, colours: dict[str, str]
) -> Iterator[str]:
    yield _text(_LEFT - 8, top + 13, f"says {resolver or 'the system'}", "dim", anchor="end")
    for period, left, width in scale.blocks(periods):
        colour = colours.get(period.place, _UNKNOWN) if period.addresses else _NO_ANSWER
        where = period.place or period.says or "region unknown"
        what = ", ".join(period.addresses[:4]) or period.says
        tip = f"{what}, {where}, {to_text(period.first)} to {to_text(period.last)}"
        yield _block(left, top, (width, _LANE), colour, tip)
        if period.carried == "no":
            yield _block(left, top, (width, _LANE), "url(#lost)", f"{tip}: not in the route filter")
        if width > len(where) * _LETTER + 10:
            yield _text(left + 5, top + 13, where, "in")


def _strip(top: int, shown: HistoryView, host: str, scale: _Scale) -> Iterator[str]:
    spans = [span for span in shown.record.reach if span.host == host]
    for span, left, width in scale.blocks(spans):
        tip = f"{'reached' if span.reached else span.says}, {to_text(span.first)} to {to_text(span.last)}"
        yield _block(left, top, (width, _STRIP), _GOOD if span.reached else _LOST, tip)


def _axis(top: int, scale: _Scale) -> Iterator[str]:
    step = (scale.last - scale.first) / _TICKS
    form = "%d %b %H:%M" if scale.last - scale.first > timedelta(hours=12) else "%H:%M:%S"
    for number in range(_TICKS + 1):
        instant = scale.first + step * number
        left = scale.at(instant)
        yield f'<line x1="{left}" y1="{_TOP - 8}" x2="{left}" y2="{top}" stroke="#00000018"/>'
        label = instant.astimezone(UTC).strftime(form)
        anchor = "start" if number == 0 else "end" if number == _TICKS else "middle"
        yield _text(left, top + 14, label, "dim", anchor=anchor)
    yield _text(12, top + 14, "UTC", "dim")


def _legend(top: int, colours: dict[str, str]) -> Iterator[str]:
    left = 12.0
    marks = [
        *colours.items(),
        ("not in the route filter", "url(#lost)"),
        ("reached", _GOOD),
        ("not reached", _LOST),
    ]
    for name, colour in marks:
        yield _block(left, top - 10, (12, 12), colour, name)
        yield _text(left + 17, top, name, "dim")
        left += 17 + len(name) * _LETTER + 18


def _block(left: float, top: float, size: tuple[float, float], colour: str, tip: str) -> str:
    width, height = size
    return (
        f'<rect x="{left}" y="{top}" width="{width}" height="{height}" fill="{colour}">'
        f"<title>{escape(tip)}</title></rect>"
    )


def _text(left: float, top: float, text: str, style: str = "", *, anchor: str = "start") -> str:
    return f'<text x="{left}" y="{top}" class="{style}" text-anchor="{anchor}">{escape(text)}</text>'
