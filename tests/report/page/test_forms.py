"""The page as Markdown and as CSV."""

import csv
import io
import re
from html import unescape

import pytest
from markdown_it import MarkdownIt
from tests.report.page import samples

from arcferry.report import page as pages
from arcferry.report.page import Form
from arcferry.report.page.sheet import COLUMNS

FORMULA = re.compile(r"\s*[=+\-@\uff1d]")


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


@pytest.mark.parametrize("parting", [",", ";"])
@pytest.mark.parametrize("first", ["=", "+", "-", "@", "\uff1d", " =", "a;=", "a; @", '";="', "a\n=", "\t="])
def test_no_cell_is_a_formula_however_columns_are_parted(first: str, parting: str) -> None:
    title = f"{first}cmd|' /C calc'!A0"
    host = {"name": title, "state": "connected", "good": False, "says": title}
    document = samples.verification() | {
        "findings": [samples.finding(title, title=title)],
        "machines": [host],
    }
    rows = list(csv.reader(io.StringIO(written("csv", document)), delimiter=parting))
    assert len(rows) >= 3
    assert [one for row in rows for one in row if FORMULA.match(one)] == []
    assert "calc" in str(rows)


@pytest.mark.parametrize(
    "text",
    [
        "- a",
        "+ a",
        "1. a",
        "12) a",
        "2026. a",
        "123456789) a",
        "---",
        "===",
        "> a",
        "# a",
        "    code",
        "`a` *b* _c_ ~~d~~",
        "a | b",
        "a \\| b",
        "![x](http://y) [a](b)",
        "<https://evil.example>",
        "&lt;b&gt;",
        "$x$",
        "a\nb\r\n\n# c",
    ],
)
def test_what_a_host_says_is_its_own_letters_in_markdown(text: str) -> None:
    found = samples.finding(text, title=text, owner=text)
    found["remedy"] |= {"summary": text, "request": ""}
    host = {"name": text, "state": "failed", "says": text}
    document = samples.verification() | {"findings": [found], "machines": [host]}
    html = MarkdownIt("commonmark").enable(["table", "strikethrough"]).render(written("markdown", document))
    elements = set(re.findall("<(\\w+)", html))
    assert elements <= {"h1", "h2", "p", "ul", "li", "table", "thead", "tbody", "tr", "th", "td"}
    assert html.count("<h1>") == 1
    shown = unescape(re.sub("<[^>]*>", "", html))
    assert shown.count(" ".join(text.split())) >= 4
    assert all(len(re.findall("<td>", row)) == 4 for row in html.split("<tr>")[2:])


@pytest.mark.parametrize(
    "text", ["https://evil.example", "www.evil.example", "see WWW.evil.example", "a@evil.example"]
)
def test_no_address_that_github_would_make_a_link_of(text: str) -> None:
    found = samples.document("findings", findings=[samples.finding(title=text)])
    assert not re.search(r"(?<!\\)://|www\.e|[^\\]@", written("markdown", found), re.IGNORECASE)
