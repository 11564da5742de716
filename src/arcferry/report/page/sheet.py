"""The page as CSV, for a spreadsheet: a row a cause, a server, an endpoint and a community."""

import csv
import io
from collections.abc import Iterator

from arcferry.report.page.page import Page
from arcferry.report.page.words import Words
from arcferry.text import cell

COLUMNS = ("kind", "name", "level", "state", "owner", "servers", "since", "says")


def sheet(page: Page, words: Words) -> str:
    """The text; the first line names the columns, and no cell is a formula."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(COLUMNS)
    writer.writerows(map(cell, row) for row in _rows(page, words))
    return text.getvalue()


def _rows(page: Page, words: Words) -> Iterator[tuple[str, ...]]:
    for one in page.causes:
        since = words.day(one.since or one.seen)
        count = str(one.hosts.count or "")
        yield "cause", one.slug, one.level, one.severity, one.owner, count, since, one.title
    for fleet in page.fleets:
        for row in fleet.rows:
            since = words.day(row.since) if row.since else ""
            for name in row.names.shown:
                yield "server", name, row.level, row.state, "", "", since, row.says
    for column in page.heat.columns if page.heat else ():
        level = "ok" if not column.failed else "FAIL" if column.required else "warn"
        reached = f"{column.tried - column.failed}/{column.tried}"
        yield "endpoint", column.host, level, column.why, "", reached, "", ""
    for goal in page.path.goals if page.path else ():
        yield "community", goal.community, goal.level, "", "", "", "", goal.name
