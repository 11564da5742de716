"""The two streams: data goes to stdout, talk and progress to stderr. Colour and glyphs on terminals alone."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

_GLYPHS = {"ok": "✓", "warn": "‼", "FAIL": "✗"}


def stdout() -> Console:
    """For data that is read by people. `NO_COLOR` and `TERM=dumb` are obeyed."""
    return Console(highlight=False, emoji=False, markup=False)


def stderr() -> Console:
    """For talk and progress."""
    return Console(stderr=True, highlight=False, emoji=False, markup=False)


def mark(word: str, console: Console) -> str:
    """`ok`, `warn` or `FAIL`, with its glyph before it where the console can show one."""
    return f"{_GLYPHS[word]} {word}" if console.is_terminal and _shows_glyphs(console) else word


def _shows_glyphs(console: Console) -> bool:
    return not console.legacy_windows and console.encoding.lower().startswith("utf")


def stdout_is_terminal() -> bool:
    """Whether tables may be drawn; a pipe gets plain columns."""
    return sys.stdout.isatty()


@contextmanager
def counter(what: str, total: int) -> Iterator[Callable[[], None]]:
    """Show `what` with a bar on stderr and give the function that counts one more. For terminals alone."""
    columns = TextColumn("{task.description}"), BarColumn(bar_width=24), MofNCompleteColumn()
    with Progress(*columns, console=stderr(), transient=True) as progress:
        task = progress.add_task(what, total=total)
        yield lambda: progress.advance(task)
