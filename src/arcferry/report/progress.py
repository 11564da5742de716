"""A run as it goes on: drawn anew on a terminal, one line for each change elsewhere. All on stderr."""

from collections import Counter
from collections.abc import Iterator, Sequence
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
from arcferry.report.console import STYLES, mark, stderr
from arcferry.text import one_line

_MOST_ROWS = 24
_FINAL = {
    EventKind.CONNECTED: "ok",
    EventKind.FAILED: "FAIL",
    EventKind.BLOCKED: "FAIL",
    EventKind.STOPPED: "warn",
}


def tell(event: Event, console: Console) -> None:
    """One line for each change."""
    if event.kind in {EventKind.STARTED, EventKind.BEGUN, EventKind.ENDED}:
        return
    if not event.host:
        console.print(one_line(f"run  {event.says or event.kind.value}", limit=400), soft_wrap=True)
        return
    time = f" ({event.seconds:.1f} s)" if event.seconds and event.kind is EventKind.DONE else ""
    says = f": {event.says}" if event.says else ""
    step = f"{event.step} " if event.step else ""
    stage = f" ({event.stage})" if event.stage else ""
    line = f"{event.host}{stage}  {step}{event.kind.value}{time}{says}"
    console.print(one_line(line, limit=400), soft_wrap=True)


@dataclass(slots=True)
class _ProgressRow:
    step: str = "waiting"
    says: str = ""
    done: int = 0
    final: EventKind | None = None


class Board:
    """A row a host, as long as there are not too many; then the sum and what goes wrong."""

    def __init__(self, hosts: Sequence[str], steps: int, console: Console) -> None:
        self._rows = {name: _ProgressRow() for name in hosts}
        self._steps = steps
        self._console = console
        self._held = ""
        self._spinner = Spinner("dots")

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
        row.step = event.step
        row.says = "" if event.kind is EventKind.STARTED else event.says
        row.done += event.kind not in {EventKind.STARTED, EventKind.WAITING}

    def __rich__(self) -> RenderableType:
        """The board as it stands now."""
        shown = [
            item for item in self._rows.items() if len(self._rows) <= _MOST_ROWS or _worth_showing(item[1])
        ]
        table = Table.grid(padding=(0, 2))
        for name, row in shown[:_MOST_ROWS]:
            table.add_row(*self._cells(name, row))
        counts = Counter(row.final for row in self._rows.values())
        bad = counts[EventKind.FAILED] + counts[EventKind.BLOCKED]
        text = f"{counts[EventKind.CONNECTED]} of {len(self._rows)} connected"
        lines = [Text(f"{text}, {bad} failed" if bad else text, style="bold")]
        if self._held:
            lines.append(Text(one_line(self._held, limit=300), style=STYLES["warn"]))
        return Group(table, *lines)

    def _cells(self, name: str, row: _ProgressRow) -> tuple[RenderableType, ...]:
        done = self._steps if row.final is EventKind.CONNECTED else min(row.done, self._steps)
        bar = ProgressBar(total=self._steps, completed=done, width=self._steps * 2)
        if row.final is None:
            state: RenderableType = self._spinner if row.done or row.step != "waiting" else Text("·")
            style = ""
        else:
            word = _FINAL.get(row.final, "ok")
            state, style = Text(mark(word, self._console), style=STYLES[word]), STYLES[word]
        says = Text(one_line(row.says, limit=60), style="dim", no_wrap=True, overflow="ellipsis")
        return Text(name, style=style), bar, state, Text(row.step), says


def _worth_showing(row: _ProgressRow) -> bool:
    return (row.final is None and row.step != "waiting") or row.final in {EventKind.FAILED, EventKind.BLOCKED}


@contextmanager
def watching(hosts: Sequence[str], steps: int, *, lines: bool = False) -> Iterator[Observer]:
    """An observer that shows the run on stderr; the terminal is as it was at the end, however it ends.

    With `lines` a terminal gets lines too, as it must if something else writes there meanwhile.
    """
    console = stderr()
    if lines or not console.is_terminal:
        yield partial(tell, console=console)
        return
    board = Board(hosts, steps, console)
    with Live(board, console=console, refresh_per_second=8, transient=False):
        yield board.see
