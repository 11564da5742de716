"""The page: whole in itself, well-formed, and nothing of the bundle is taken for markup."""

import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest
from tests.bundle.guide.conftest import DEB, MakeFacts
from tests.bundle.guide.typed import typed

from arcferry.bundle.guide import NAMES, BundleFacts, guide_files

VOID = {"meta", "input", "br", "hr", "img", "link"}


class Tree(HTMLParser):
    """Reads a page and fails where a tag is left open, closed twice or crossed."""

    def __init__(self, page: bytes) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.codes: list[str] = []
        self.texts: list[str] = []
        self.feed(page.decode("utf-8"))
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)
        if (tag, self.open[-2:]) == ("code", ["pre", "code"]):
            self.codes.append("")

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "pre" in self.open:
            self.codes[-1] += data
        if "style" not in self.open:
            self.texts.append(data)

    def values(self, attribute: str) -> list[str]:
        return [text for _, attributes in self.tags if (text := attributes.get(attribute)) is not None]


def test_it_is_well_formed_and_in_its_language(facts: BundleFacts, page_name: str) -> None:
    page = guide_files(facts)[page_name]
    assert page.startswith(b"<!DOCTYPE html>\n<html lang=")
    tree = Tree(page)
    language = "zh-TW" if "zh" in page_name else "en"
    assert tree.tags[0] == ("html", {"lang": language})
    ids = tree.values("id")
    assert len(ids) == len(set(ids)) > 10
    assert [one["charset"] for tag, one in tree.tags if tag == "meta" and "charset" in one] == ["utf-8"]
    levels = [tag for tag, _ in tree.tags if re.fullmatch("h[1-6]", tag)]
    assert levels == ["h1", *["h2"] * (len(levels) - 1)]


def test_it_asks_for_nothing_from_elsewhere(facts: BundleFacts, page_name: str) -> None:
    page = guide_files(facts)[page_name]
    tree = Tree(page)
    assert {tag for tag, _ in tree.tags}.isdisjoint({"script", "link", "img", "iframe", "form", "object"})
    assert tree.values("src") == tree.values("action") == []
    assert not re.search(rb"url\(|@import|javascript:| on\w+=", page)
    policy = next(
        one["content"] for _, one in tree.tags if one.get("http-equiv") == "Content-Security-Policy"
    )
    assert policy == "default-src 'none'; style-src 'unsafe-inline'"


def test_every_link_leads_somewhere(facts: BundleFacts, page_name: str) -> None:
    tree = Tree(guide_files(facts)[page_name])
    links = tree.values("href")
    assert {name for name in NAMES if name != page_name} & set(links)
    for link in links:
        assert link in NAMES or link.removeprefix("#") in tree.values("id")
    assert set(tree.values("aria-labelledby")) <= set(tree.values("id"))


def test_page_and_text_have_the_same_commands(facts: BundleFacts, page_name: str) -> None:
    files = guide_files(facts)
    commands = [one.text for one in typed(files[page_name.replace(".html", ".txt")])]
    codes = [code for code in Tree(files[page_name]).codes if not code.startswith("{")]
    assert codes == commands


def test_what_a_bundle_holds_is_text_and_never_markup(facts: BundleFacts, page_name: str) -> None:
    hostile = "</td><script>alert(1)</script>&amp;\"'"
    agents = tuple(replace(one, signature=hostile, version=hostile) for one in facts.manifest.agents)
    manifest = replace(facts.manifest, agents=agents)
    tree = Tree(guide_files(replace(facts, manifest=manifest, key_id=hostile))[page_name])
    assert "script" not in {tag for tag, _ in tree.tags}
    assert tree.texts.count(hostile) >= 7  # three versions, three signatures, one key


def test_the_choice_of_a_system_is_there_where_there_is_one(make: MakeFacts, page_name: str) -> None:
    both = Tree(guide_files(make())[page_name])
    radios = [one for tag, one in both.tags if tag == "input"]
    assert [one["value"] for one in radios] == ["both", "windows", "linux"]
    assert [one["value"] for one in radios if "checked" in one] == ["both"]
    alone = Tree(guide_files(make(DEB))[page_name])
    assert "input" not in {tag for tag, _ in alone.tags}


@pytest.mark.parametrize("system", ["windows", "linux"])
def test_every_command_of_a_system_is_marked_as_its_own(
    facts: BundleFacts, page_name: str, system: str
) -> None:
    files = guide_files(facts)
    boxes = [one for _, one in Tree(files[page_name]).tags if one.get("class") == f"run for-{system}"]
    places = {one.heading + one.where for one in typed(files["START-HERE.txt"]) if one.where == system}
    assert len(boxes) >= len(places) > 8
