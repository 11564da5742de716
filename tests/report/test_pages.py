"""The offline pages: everything of a page is there, as JSON and as text, and samples stay line by line."""

from io import StringIO

import pytest
from rich.console import Console

from arcferry.diagnosis import pages
from arcferry.diagnosis.pages import Page
from arcferry.report import pages as report


def drawn(page: Page, *, width: int = 60) -> str:
    out = StringIO()
    report.draw([page], Console(file=out, width=width, markup=False, emoji=False))
    return out.getvalue()


def test_a_page_has_symptom_and_request_as_they_are() -> None:
    page = pages.page("route/community-not-in-filter")
    text = drawn(page, width=200)
    whole = "\n".join((page.symptom, page.request, *(one.text for one in page.example)))
    for line in whole.splitlines():
        assert f"  {line}".rstrip() + "\n" in text
    assert "to send to the network team, for example" in text


def test_a_page_without_a_request_does_not_offer_one() -> None:
    page = pages.page("proxy/bypass-missing")
    assert not page.request
    assert "to send to" not in drawn(page)


@pytest.mark.parametrize("page", pages.pages(), ids=lambda page: page.slug)
def test_the_document_has_every_field_and_the_text_is_plain(page: Page) -> None:
    (document,) = report.document([page])["pages"]
    assert document["cause"] == page.slug
    assert document["symptom"] == page.symptom
    assert document["request"] == page.request
    text = drawn(page)
    assert "\x1b" not in text
    assert page.title in " ".join(text.split())
