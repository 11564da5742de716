"""The page as a file: one, whole, small, and without anything that a document could have put into it."""

import re
from base64 import b64encode
from hashlib import sha256
from html.parser import HTMLParser

import pytest
from tests.report.page import samples

from arcferry.report import page as pages

MEGABYTE = 1_000_000
ELEMENTS = frozenset(
    {
        *(
            "html",
            "head",
            "meta",
            "title",
            "style",
            "body",
            "header",
            "main",
            "footer",
            "section",
            "article",
            "script",
        ),
        *(
            "h1",
            "h2",
            "h3",
            "h4",
            "p",
            "span",
            "strong",
            "i",
            "code",
            "pre",
            "div",
            "details",
            "summary",
            "button",
            "time",
            "wbr",
            "label",
            "input",
        ),
        *("ul", "ol", "li", "table", "thead", "tbody", "tr", "th", "td"),
        *("svg", "defs", "pattern", "g", "rect", "line", "path", "text"),
    }
)


class Parts(HTMLParser):
    """What a browser would take the page for."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.raw: dict[str, str] = {}
        self._inside = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        self._inside = tag if tag in ("script", "style") else ""

    def handle_endtag(self, tag: str) -> None:
        self._inside = "" if tag == self._inside else self._inside

    def handle_data(self, data: str) -> None:
        if self._inside:
            self.raw[self._inside] = self.raw.get(self._inside, "") + data


def written(*documents: samples.Document) -> str:
    return pages.written([pages.read(one, f"{one['kind']}.json") for one in documents])


@pytest.mark.parametrize("kind", samples.ALL)
def test_hostile_texts_are_text_alone_and_have_an_end(kind: str) -> None:
    text = written(samples.hostile(samples.ALL[kind]))
    assert len(text) < MEGABYTE
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert str(7919 * 7919) not in text  # no template within the template
    found = Parts(text)
    assert {tag for tag, _ in found.elements} <= ELEMENTS
    assert len([tag for tag, _ in found.elements if tag in ("script", "style")]) == 2
    for _, attributes in found.elements:
        assert not [name for name in attributes if name.startswith("on") or name in ("src", "href", "style")]


@pytest.mark.parametrize("kind", samples.ALL)
def test_each_kind_makes_a_page_of_its_own(kind: str) -> None:
    text = pages.of(samples.ALL[kind])
    assert text.startswith("<!DOCTYPE html>\n")
    assert Parts(text).elements


def test_its_own_style_and_script_alone_are_let_in() -> None:
    found = Parts(written(*samples.ALL.values()))
    policy = next(one["content"] for tag, one in found.elements if one.get("http-equiv"))
    assert policy is not None
    assert policy.startswith("default-src 'none'; ")
    for part in ("style", "script"):
        digest = b64encode(sha256(found.raw[part].encode()).digest()).decode()
        assert f"{part}-src 'sha256-{digest}'" in policy


def test_nothing_is_fetched() -> None:
    text = written(*samples.ALL.values())
    assert not re.search(r"https?://|@import|url\((?!#)", text)


@pytest.mark.parametrize("varied", [False, True])
def test_a_thousand_hosts_by_fifteen_endpoints_are_less_than_a_megabyte(varied: bool) -> None:
    text = written(samples.run(1000, varied=varied))
    assert len(samples.HOSTS) == 15
    assert len(text.encode()) < MEGABYTE
    assert "server00999.site5.corp.example.com" in samples.words_of(text)


def test_a_letter_stands_whole_with_its_button() -> None:
    found = Parts(written(samples.ALL["findings"]))
    buttons = [one for tag, one in found.elements if tag == "button" and "data-copies" in one]
    places = {one.get("id") for tag, one in found.elements if tag == "pre"}
    assert buttons
    assert all(one["data-copies"] in places for one in buttons)
    assert samples.LETTER in samples.words_of(written(samples.ALL["findings"]))


def test_what_fails_has_the_command_that_tells_when_it_is_mended() -> None:
    command = "arcferry check --location eastasia --expect route/community-not-in-filter"
    for severity, shown in (("error", True), ("warning", False)):
        found = samples.document(
            "findings", location="eastasia", findings=[samples.finding(severity=severity)]
        )
        assert (command in pages.written([pages.read(found, "a.json")])) is shown
