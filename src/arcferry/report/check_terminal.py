"""The result of `arcferry check` on a terminal; apart, because a pipe needs none of rich."""

from collections.abc import Iterable

from rich.console import Console
from rich.table import Table
from rich.text import Text

from arcferry.probe.https import CheckResult
from arcferry.report.check import HEADERS, failures, row, summary
from arcferry.report.console import STYLES, print_line, print_marked


def draw(result: CheckResult, conclusions: Iterable[tuple[str, str]], console: Console) -> None:
    """The table with the rows that failed in red; each failure and the sum, marked; what follows from it."""
    console.print(_table(result, console.width))
    print_line(console)
    for word, line in (*failures(result), ("FAIL" if result.failed else "ok", summary(result))):
        print_marked(console, word, line)
    for style, line in conclusions:
        print_line(console, line, style)


def _table(result: CheckResult, width: int) -> Table:
    """Rows on one line each if the terminal is wide enough, also by leaving out `https://`."""
    rows = [row(seen) for seen in result.observations]
    needed = sum(max(map(len, column)) + 2 for column in zip(HEADERS, *rows, strict=True))
    table = Table(box=None, header_style="bold", pad_edge=False)
    for header in HEADERS:
        table.add_column(header, overflow="fold", no_wrap=header != "ENDPOINT")
    for seen, (endpoint, *cells) in zip(result.observations, rows, strict=True):
        shown = endpoint if needed <= width else endpoint.removeprefix("https://")
        word = "ok" if seen.reachable else "FAIL" if seen.endpoint.required else "warn"
        table.add_row(*map(Text, (shown, *cells)), style="" if word == "ok" else STYLES[word])
    return table
