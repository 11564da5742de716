"""The two streams: data goes to stdout, talk and progress to stderr. Colour and glyphs on terminals alone.

A line ends where the console does, at a blank alone. A command is to be copied: it stands on a line of its
own, however long.
"""

import os
import stat
import sys
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.text import Text

from arcferry import log
from arcferry.language import _
from arcferry.report.columns import GAP, labelled, laid_out, paragraph

STYLES = {"ok": "green", "warn": "yellow", "FAIL": "bold red"}
HANG = 6
"""Columns before the text of a line that begins with a mark, and of those that belong to it."""

_GLYPHS = {"ok": "✓", "warn": "‼", "FAIL": "✗"}
_NO_STYLES: Mapping[str, str] = {}
_NO_WINDOW = 1_000_000  # columns


def stdout() -> Console:
    """For data that is read by people. `NO_COLOR`, `COLUMNS` and `TERM=dumb` are obeyed."""
    return Console(width=None if _in_a_window() else _NO_WINDOW, highlight=False, emoji=False, markup=False)


def _in_a_window() -> bool:
    """Whether somebody reads this in a window: on a terminal, or behind a pipe that was set up on one.

    A file, and a pipe of a program, get each row on one line, however long.
    """
    if "COLUMNS" in os.environ or sys.stdout.isatty():
        return True
    try:
        behind_a_pipe = stat.S_ISFIFO(os.fstat(sys.stdout.fileno()).st_mode)
    except (OSError, ValueError):
        return False
    return behind_a_pipe and any(stream and stream.isatty() for stream in (sys.stdin, sys.stderr))


def stderr() -> Console:
    """For talk and progress; silent with `--quiet`."""
    return Console(stderr=True, quiet=log.is_quiet(), highlight=False, emoji=False, markup=False)


def mark(word: str, console: Console) -> str:
    """`ok`, `warn` or `FAIL`, with its glyph before it if the console can show one."""
    shows_glyphs = not console.legacy_windows and console.encoding.lower().startswith("utf")
    return f"{_GLYPHS[word]} {word}" if console.is_terminal and shows_glyphs else word


def print_line(console: Console, text: str = "", style: str = "") -> None:
    """One line as it is, so that it can be searched and copied."""
    console.print(Text(text.rstrip(), style), soft_wrap=True)


def print_text(
    console: Console, text: str, style: str = "", *, indent: int = 0, first: str | None = None
) -> None:
    """A text in as many lines as it takes.

    Args:
        console: where to.
        text: the text.
        style: its style.
        indent: blanks before each line.
        first: what stands before the first line instead.
    """
    rest = " " * indent
    start = rest if first is None else first
    for line in paragraph(text, console.width, first=start, rest=rest):
        print_line(console, line, style)


def print_marked(console: Console, word: str, text: str) -> None:
    """A text that begins with `ok`, `warn` or `FAIL`, in its colour."""
    first = f"{mark(word, console).ljust(4)}  "
    print_text(console, text, STYLES[word], indent=len(first), first=first)


def print_sum(console: Console, word: str, text: str) -> None:
    """The last line, which says how it went; a pipe gets the text alone."""
    if console.is_terminal:
        first = f"{mark(word, console)}  "
        print_text(console, text, STYLES[word], indent=len(first), first=first)
    else:
        print_text(console, text)


def print_table(
    console: Console,
    headings: Sequence[str],
    rows: Iterable[tuple[Sequence[str], str]],
    *,
    between: str = GAP,
    styles: Mapping[str, str] = _NO_STYLES,
    right: Collection[int] = (),
    cut: Collection[int] = (),
) -> None:
    """Rows with their styles, in the form that `columns.laid_out` finds for the console.

    Args:
        console: where to.
        headings: one a column, in English.
        rows: the cells of each, and its style.
        between: what stands between two columns off a terminal.
        styles: of cells with one of these texts, such as MISSING.
        right: as `laid_out` takes it.
        cut: as `laid_out` takes it.
    """
    listed = list(rows)
    titles = tuple(_(one) for one in headings)
    between = GAP if console.is_terminal else between
    cells = (row for row, style in listed)
    lines = laid_out(titles, cells, console.width, between=between, right=right, cut=cut)
    for pieces, style in zip(lines, ("bold", *(style for row, style in listed)), strict=True):
        for line in pieces:
            text = Text.assemble(*((part, styles.get(cell, "")) for part, cell in line), style=style)
            text.rstrip()
            console.print(text, soft_wrap=True)


def print_letter(console: Console, title: str, text: str, *, indent: int = 0) -> None:
    """A letter between two rules, its paragraphs wrapped, with nothing beside it that would be copied too."""
    print_line(console, f"{'':<{indent}}--- {title}", "bold")
    print_lines(console, text, indent=indent)
    print_line(console, f"{'':<{indent}}---", "bold")


def print_lines(console: Console, text: str, *, indent: int) -> None:
    """A text of several lines, each wrapped beneath its own indent or mark of a list."""
    for line in text.splitlines():
        words = line.lstrip(" -")
        lead = line[: len(line) - len(words)]
        print_text(console, words, indent=indent + len(lead), first=" " * indent + lead)


def print_rows(console: Console, indent: int, rows: Iterable[tuple[str, str]]) -> None:
    """A label and a text a line, as `columns.labelled` sets them."""
    for label, text in labelled(rows, console.width, indent=indent):
        line = Text.assemble((label, "dim"), text)
        line.rstrip()
        console.print(line, soft_wrap=True)


@contextmanager
def waiting_for(what: str) -> Iterator[None]:
    """Show on stderr that `what` is waited for. For terminals alone, and not where `-v` tells more."""
    console = stderr()
    if log.is_on() or not console.is_terminal:
        yield
        return
    with console.status(what):
        yield


@contextmanager
def counter(what: str, total: int) -> Iterator[Callable[[object], None]]:
    """Show `what` with a bar on stderr and give the function that counts one more. For terminals alone."""
    shown = TextColumn("{task.description}"), BarColumn(bar_width=24), MofNCompleteColumn()
    with Progress(*shown, console=stderr(), transient=True) as progress:
        task = progress.add_task(what, total=total)
        yield lambda _: progress.advance(task)
