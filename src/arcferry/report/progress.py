"""A run as it goes on: drawn anew on a terminal, one line for each change elsewhere. All on stderr."""

import math
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from arcferry.fleet.events import Event, EventKind, Observer
from arcferry.language import _, marked, ngettext, speaking, spoken, together, translated
from arcferry.report.console import STYLES, mark, stderr
from arcferry.text import one_line

_MOST_ROWS, _MOST_CAUSES = 24, 3
_WAITING = marked("waiting")
_GOOD = frozenset((EventKind.CONNECTED, EventKind.DONE))
_BAD = frozenset((EventKind.FAILED, EventKind.BLOCKED))
_FINAL = {
    EventKind.CONNECTED: "ok",
    EventKind.DONE: "ok",
    EventKind.FAILED: "FAIL",
    EventKind.BLOCKED: "FAIL",
    EventKind.STOPPED: "warn",
}


def tell(event: Event, console: Console) -> None:
    """One line for each change."""
    if event.kind in {EventKind.STARTED, EventKind.BEGUN, EventKind.ENDED}:
        return
    if not event.host:
        said = translated(event.says) or _(event.kind.value)
        console.print(one_line(f"{_('run')}  {said}", limit=400), soft_wrap=True)
        return
    time = f" ({event.seconds:.1f} s)" if event.seconds and event.kind is EventKind.DONE else ""
    step = f"{event.step} " if event.step else ""
    stage = f" ({event.stage})" if event.stage else ""
    line = f"{event.host}{stage}  {step}{_(event.kind.value)}{time}"
    line = _("{name}: {says}", name=line, says=translated(event.says)) if event.says else line
    console.print(one_line(line, limit=400), soft_wrap=True)


@dataclass(slots=True)
class _ProgressRow:
    step: str = _WAITING
    says: str = ""
    done: int = 0
    final: EventKind | None = None


def tell_in(language: str, console: Console, event: Event) -> None:
    """As `tell`, from wherever the work is done, which no language was told."""
    with speaking(language):
        tell(event, console)


class Board:
    """A row a host, as long as there are not too many; then the sum and what goes wrong.

    Args:
        hosts: by name.
        steps: how many a host takes.
        console: where it is drawn.
        done: what a host is called that is through.
        clock: in seconds, for the rate.
    """

    def __init__(
        self,
        hosts: Sequence[str],
        steps: int,
        console: Console,
        done: str = marked("connected"),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._rows = {name: _ProgressRow() for name in hosts}
        self._steps = steps
        self._console = console
        self._done = done
        self._clock, self._began = clock, clock()
        self._failures: dict[str, set[str]] = {}
        self._held = ""
        self._spinner = Spinner("dots")
        self._language = spoken()  # it is drawn by a thread of its own, which no language was told

    def see(self, event: Event) -> None:
        """Change the host's row, or what is said of the run."""
        if not event.host:
            self._held = event.says if event.kind is EventKind.PAUSED else ""
            return
        row = self._rows.get(event.host)
        if row is None:
            return
        if not event.step:
            row.final = event.kind
            return
        if event.kind in _BAD:
            says = translated(event.says.removeprefix(f"{event.host}: "))
            cause = _("{name}: {says}", name=event.step, says=says)
            # The newest stands last, also where it is an old one again.
            self._failures[cause] = self._failures.pop(cause, set()) | {event.host}
        row.step = event.step
        row.says = "" if event.kind is EventKind.STARTED else event.says
        row.done += event.kind not in {EventKind.STARTED, EventKind.WAITING}

    def __rich__(self) -> RenderableType:
        """The board as it stands now."""
        with speaking(self._language):
            return self._drawn()

    def _drawn(self) -> RenderableType:
        shown = [
            item for item in self._rows.items() if len(self._rows) <= _MOST_ROWS or _worth_showing(item[1])
        ]
        table = Table.grid(padding=(0, 2), expand=True)
        for _column in range(4):
            table.add_column(no_wrap=True, overflow="ellipsis")
        table.add_column(no_wrap=True, overflow="ellipsis", ratio=1)
        for name, row in shown[:_MOST_ROWS]:
            table.add_row(*self._cells(name, row))
        lines = [self._text(text, "FAIL") for text in self.failures()]
        lines.append(Text(self.sum(), style="bold"))
        if self._held:
            lines.append(self._text(translated(self._held), "warn"))
        return Group(table, *lines)

    def _text(self, text: str, word: str) -> Text:
        line = one_line(text, limit=300)
        return Text(line, style=STYLES[word], no_wrap=True, overflow="ellipsis")

    def sum(self) -> str:
        """How many hosts are through, at work and waiting; how fast it goes, and how long it will take."""
        finals = Counter(row.final for row in self._rows.values())
        ended = len(self._rows) - finals[None]
        bad = sum(finals[kind] for kind in _BAD)
        waiting = sum(row.final is None and row.step == _WAITING for row in self._rows.values())
        counts = {_("failed"): bad, _("at work"): finals[None] - waiting, _("waiting"): waiting}
        good = sum(finals[kind] for kind in _GOOD)
        parts = [_("{good} of {hosts} {done}", good=good, hosts=len(self._rows), done=_(self._done))]
        parts += [_("{count} {state}", count=count, state=word) for word, count in counts.items() if count]
        minutes = (self._clock() - self._began) / 60
        if ended and finals[None] and minutes > 0:
            left = math.ceil(finals[None] * minutes / ended)
            rate = ended / minutes
            parts.append(_("{rate:.1f} a minute, about {left} min left", rate=rate, left=left))
        return together(parts)

    def failures(self) -> list[str]:
        """The last causes of failure, with how many hosts have each."""
        told = list(self._failures.items())[-_MOST_CAUSES:]
        return [f"{ngettext('{count} host', '{count} hosts', len(hosts))}: {cause}" for cause, hosts in told]

    def _cells(self, name: str, row: _ProgressRow) -> tuple[RenderableType, ...]:
        done = self._steps if row.final in _GOOD else min(row.done, self._steps)
        bar = ProgressBar(total=self._steps, completed=done, width=self._steps * 2)
        if row.final is None:
            state: RenderableType = self._spinner if row.done or row.step != _WAITING else Text("·")
            style = ""
        else:
            word = _FINAL.get(row.final, "ok")
            state, style = Text(mark(word, self._console), style=STYLES[word]), STYLES[word]
        says = Text(one_line(translated(row.says), limit=300), style="dim")
        return (
            Text(name, style=style),
            bar,
            state,
            Text(_(_WAITING) if row.step == _WAITING else row.step),
            says,
        )


def _worth_showing(row: _ProgressRow) -> bool:
    return (row.final is None and row.step != _WAITING) or row.final in _BAD


@contextmanager
def watching(
    hosts: Sequence[str], steps: int, *, done: str = marked("connected"), lines: bool = False
) -> Iterator[Observer]:
    """An observer that shows the work on hosts on stderr; at its end the terminal is as it was before.

    Args:
        hosts: by name.
        steps: how many a host takes.
        done: what a host is called that is through.
        lines: whether a terminal gets lines too, as it must if something else writes there meanwhile.
    """
    console = stderr()
    if lines or not console.is_terminal:
        yield partial(tell_in, spoken(), console)
        return
    board = Board(hosts, steps, console, done)
    with Live(board, console=console, refresh_per_second=8, transient=False):
        yield board.see
