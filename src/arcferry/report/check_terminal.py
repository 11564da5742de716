"""The result of `arcferry check` on a terminal; apart, because a pipe needs none of rich."""

import re
from collections.abc import Iterable

from rich.console import Console

from arcferry.probe.https import CheckResult
from arcferry.report import private_link
from arcferry.report.check import COMMAND, HEADERS, failures, row, summary
from arcferry.report.console import STYLES, print_line, print_marked, print_table, print_text
from arcferry.report.private_link import PrivateLink

_LEAD = re.compile(r" *(?:[A-Z]+  +)?")


def draw(
    result: CheckResult,
    conclusions: Iterable[tuple[str, str]],
    console: Console,
    private: PrivateLink | None = None,
) -> None:
    """The table with the rows that failed in red, each failure, what follows from it, and the sum, marked."""
    rows = [row(seen) for seen in result.observations]
    if sum(max(map(len, column)) + 2 for column in zip(HEADERS, *rows, strict=True)) > console.width:
        rows = [(endpoint.removeprefix("https://"), *cells) for endpoint, *cells in rows]
    words = (
        "ok" if seen.reachable else "FAIL" if seen.endpoint.required else "warn"
        for seen in result.observations
    )
    styles = ("" if word == "ok" else STYLES[word] for word in words)
    print_table(console, HEADERS, zip(rows, styles, strict=True))
    if told := list(failures(result)):
        print_line(console)
        for word, line in told:
            print_marked(console, word, line)
    if private:
        print_line(console)
        print_table(console, private_link.HEADERS, ((row, "") for row in private_link.rows(private)))
        _print(private_link.notes(private), console)
    _print(conclusions, console)
    print_line(console)
    print_marked(console, "FAIL" if result.failed else "ok", summary(result))


def _print(lines: Iterable[tuple[str, str]], console: Console) -> None:
    for style, line in lines:
        if style == COMMAND:
            print_line(console, line, style)
        else:
            lead = _LEAD.match(line)[0]  # type: ignore[index]  # it matches nothing, too
            print_text(console, line.removeprefix(lead), style, indent=len(lead), first=lead)
