"""The page as Markdown and as CSV."""

import csv
import io

import pytest
from markdown_it import MarkdownIt
from tests.report.page import samples

from arcferry.report import page as pages
from arcferry.report.page import Form
from arcferry.report.page.sheet import COLUMNS


def written(form: Form, *documents: samples.Document) -> str:
    return pages.written([pages.read(one, f"{one['kind']}.json") for one in documents], form)


def test_markdown_has_the_answer_the_letter_and_the_fleet() -> None:
    text = written("markdown", samples.run(6), samples.verification("connected", "missing"))
    assert text.startswith("# Route filter rf-arc lacks 12076:51012 (Japan East)")
    assert "The network team can change it" in text
    assert samples.LETTER in text
    assert "| missing | server1 |" in text


@pytest.mark.parametrize("kind", samples.ALL)
def test_nothing_in_markdown_is_a_link_an_image_or_html(kind: str) -> None:
    wrong = samples.hostile(samples.ALL[kind])
    wrong = {
        **wrong,
        "findings": [{**samples.finding("[a](http://b)"), "title": "![x](http://y) <b>|", "cause": "c"}],
    }
    html = MarkdownIt("commonmark").enable("table").render(written("markdown", wrong))
    assert "<a " not in html
    assert "<img" not in html
    assert "<script" not in html
    assert "<b>" not in html


def test_a_letter_cannot_end_its_fence() -> None:
    found = samples.finding()
    found["remedy"]["request"] = "```\n<b>out</b>\n````"
    html = MarkdownIt("commonmark").render(
        written("markdown", samples.document("findings", findings=[found]))
    )
    assert "<b>" not in html


def test_csv_has_a_row_for_each_thing() -> None:
    text = written(
        "csv", samples.run(6), samples.verification("connected", "missing"), samples.audit(missing=True)
    )
    header, *rows = csv.reader(io.StringIO(text))
    assert tuple(header) == COLUMNS
    found = {(kind, name): level for kind, name, level, *_ in rows}
    assert found["cause", "route/community-not-in-filter"] == "FAIL"
    assert found["server", "server0"] == "ok"
    assert found["server", "server1"] == "FAIL"
    assert found["endpoint", samples.LOST] == "FAIL"
    assert found["community", "12076:51010"] == "ok"


@pytest.mark.parametrize("first", ["=", "+", "-", "@"])
def test_no_cell_is_a_formula(first: str) -> None:
    title = f"{first}cmd|' /C calc'!A0"
    text = written("csv", samples.document("findings", findings=[samples.finding(title=title)]))
    assert [row[-1] for row in csv.reader(io.StringIO(text))][1] == f"'{title}"
