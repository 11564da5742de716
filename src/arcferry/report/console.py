"""The two streams: data goes to stdout, talk and progress to stderr. Colour and glyphs on terminals alone."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager

from rich.console import Console
from rich.padding import Padding
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.table import Table
from rich.text import Text

from arcferry.report.columns import columns

STYLES = {"ok": "green", "warn": "yellow", "FAIL": "bold red"}
_GLYPHS = {"ok": "✓", "warn": "‼", "FAIL": "✗"}
_NO_STYLES: Mapping[str, str] = {}
_WIDEST_LABEL = 46  # the longest required name has 44 letters


def stdout() -> Console:
    """For data that is read by people. `NO_COLOR` and `TERM=dumb` are obeyed."""
    return Console(highlight=False, emoji=False, markup=False)


def stderr() -> Console:
    """For talk and progress."""
    return Console(stderr=True, highlight=False, emoji=False, markup=False)


def mark(word: str, console: Console) -> str:
    """`ok`, `warn` or `FAIL`, with its glyph before it if the console can show one."""
    shows_glyphs = not console.legacy_windows and console.encoding.lower().startswith("utf")
    return f"{_GLYPHS[word]} {word}" if console.is_terminal and shows_glyphs else word


def print_line(console: Console, text: str = "", style: str = "") -> None:
    """One line as it is, so that it can be searched and copied."""
    console.print(Text(text.rstrip(), style), soft_wrap=True)


def print_marked(console: Console, word: str, text: str) -> None:
    """A line that begins with `ok`, `warn` or `FAIL`, in its colour."""
    print_line(console, f"{mark(word, console).ljust(4)}  {text}", STYLES[word])


def print_sum(console: Console, word: str, text: str) -> None:
    """The last line, which says how it went; a pipe gets the text alone."""
    print_line(console, f"{mark(word, console)}  {text}" if console.is_terminal else text, STYLES[word])


def print_table(
    console: Console,
    headings: Sequence[str],
    rows: Iterable[tuple[Sequence[str], str]],
    *,
    between: str = "  ",
    styles: Mapping[str, str] = _NO_STYLES,
) -> None:
    """Rows with their styles: wrapped within their columns on a terminal, one line each off it.

    Args:
        console: where to.
        headings: one a column.
        rows: the cells of each, and its style.
        between: what stands between two columns off a terminal.
        styles: of cells with one of these texts, such as MISSING.
    """
    if not console.is_terminal:
        for line in columns((headings, *(cells for cells, _ in rows)), between=between):
            print_line(console, line)
        return
    table = Table(box=None, header_style="bold", pad_edge=False)
    for heading in headings:
        table.add_column(heading, overflow="fold")
    for cells, style in rows:
        table.add_row(*(Text(cell, styles.get(cell, "")) for cell in cells), style=style)
    console.print(table)


def print_rows(console: Console, indent: int, rows: Iterable[tuple[str, str]]) -> None:
    """A label and a text a line: wrapped beneath each other on a terminal, one line each off it."""
    if not console.is_terminal:
        for line in columns(rows):
            print_line(console, " " * indent + line)
        return
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(style="dim", max_width=_WIDEST_LABEL, overflow="fold")
    table.add_column(overflow="fold")
    for label, text in rows:
        table.add_row(Text(label), Text(text))
    console.print(Padding(table, (0, 0, 0, indent), expand=False))


@contextmanager
def counter(what: str, total: int) -> Iterator[Callable[[object], None]]:
    """Show `what` with a bar on stderr and give the function that counts one more. For terminals alone."""
    shown = TextColumn("{task.description}"), BarColumn(bar_width=24), MofNCompleteColumn()
    with Progress(*shown, console=stderr(), transient=True) as progress:
        task = progress.add_task(what, total=total)
        yield lambda _: progress.advance(task)
