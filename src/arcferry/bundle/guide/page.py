"""The guide as one HTML file that needs nothing else: no script, no font, no connection."""

from collections.abc import Iterable
from importlib import resources
from xml.etree.ElementTree import Element, SubElement, tostring

from arcferry.bundle.guide.compose import Chapter, Run, Sample, Table
from arcferry.bundle.guide.packed import System
from arcferry.bundle.guide.source import Items, Note, Paragraph, Source, Style

_TAGS = {Style.CODE: "code", Style.STRONG: "strong"}
_POLICY = "default-src 'none'; style-src 'unsafe-inline'"


def html_page(source: Source, chapters: tuple[Chapter, ...], others: Iterable[tuple[str, str, str]]) -> bytes:
    """The guide for a browser, on screen and on paper.

    It has no script, since a browser on a server asks before it runs one. A click on a command selects
    all of it. Browsers that know `:has()` offer to show one system's commands alone; others show all.

    Args:
        source: the language's words.
        chapters: what is to be read.
        others: further forms of the guide: file name, language and what to call it.
    """
    root = Element("html", {"lang": source.language})
    _head(root, source)
    body = SubElement(root, "body")
    _banner(body, source, others)
    _systems(body, source, chapters)
    _contents(body, source, chapters)
    main = SubElement(body, "main")
    for chapter in chapters:
        _chapter(main, chapter, source)
    page: bytes = tostring(root, encoding="utf-8", method="html")
    return b"<!DOCTYPE html>\n" + page + b"\n"


def _head(root: Element, source: Source) -> None:
    head = SubElement(root, "head")
    SubElement(head, "meta", {"charset": "utf-8"})
    SubElement(head, "meta", {"http-equiv": "Content-Security-Policy", "content": _POLICY})
    SubElement(head, "meta", {"http-equiv": "X-UA-Compatible", "content": "IE=edge"})
    SubElement(head, "meta", {"name": "viewport", "content": "width=device-width, initial-scale=1"})
    SubElement(head, "meta", {"name": "color-scheme", "content": "light dark"})
    SubElement(head, "title").text = source.title
    style = resources.files(__package__).joinpath("style.css").read_text(encoding="utf-8")
    SubElement(head, "style").text = f"\n{style}"


def _banner(body: Element, source: Source, others: Iterable[tuple[str, str, str]]) -> None:
    header = SubElement(body, "header")
    SubElement(header, "h1").text = source.title
    forms = SubElement(header, "p", {"class": "forms"})
    for name, language, title in others:
        link = SubElement(forms, "a", {"href": name, "lang": language, "hreflang": language})
        link.text = title
        link.tail = " "


def _systems(body: Element, source: Source, chapters: tuple[Chapter, ...]) -> None:
    """A choice of system, where the guide is about both."""
    runs = [part for chapter in chapters for part in chapter.parts if isinstance(part, Run)]
    if not set(System) <= {group.system for run in runs for group in run.groups}:
        return
    choice = SubElement(body, "fieldset", {"class": "choice"})
    SubElement(choice, "legend").text = source.labels["show"]
    for value, label in (("both", "both"), ("windows", "name_windows"), ("linux", "name_linux")):
        settings = {"type": "radio", "name": "show", "id": f"show-{value}", "value": value}
        checked = {"checked": "checked"} if value == "both" else {}
        words = SubElement(choice, "label")
        SubElement(words, "input", settings | checked).tail = f" {source.labels[label]}"
        words.tail = " "


def _contents(body: Element, source: Source, chapters: tuple[Chapter, ...]) -> None:
    contents = SubElement(body, "nav", {"aria-label": source.labels["contents"]})
    entries = SubElement(contents, "ul")
    for chapter in chapters:
        SubElement(SubElement(entries, "li"), "a", {"href": f"#{chapter.slug}"}).text = chapter.heading


def _chapter(main: Element, chapter: Chapter, source: Source) -> None:
    heading = f"{chapter.slug}-heading"
    section = SubElement(main, "section", {"id": chapter.slug, "aria-labelledby": heading})
    SubElement(section, "h2", {"id": heading}).text = chapter.heading
    for part in chapter.parts:
        match part:
            case Paragraph():
                _write(SubElement(section, "p", _only(part.when)), part, source)
            case Note():
                note = SubElement(section, "div", {"role": "note"} | _only(part.when, "note"))
                SubElement(note, "strong").text = source.labels["note"]
                _write(SubElement(note, "p"), part, source)
            case Items():
                _items(section, part, source)
            case Run():
                _run(section, part, source)
            case Sample():
                SubElement(SubElement(section, "pre", _only(part.when)), "code").text = part.text
            case Table():
                _table(section, part)


def _only(system: str, *classes: str) -> dict[str, str]:
    """The attribute by which the choice of a system shows or hides an element."""
    names = " ".join((*classes, *([f"for-{system}"] if system else [])))
    return {"class": names} if names else {}


def _tag(parent: Element, system: str, source: Source) -> None:
    if system:
        tag = SubElement(parent, "span", {"class": "tag"})
        tag.text, tag.tail = source.labels[f"name_{system}"], " "


def _write(element: Element, part: Paragraph | Note, source: Source) -> None:
    _tag(element, part.when, source)
    for span in part.line:
        if name := _TAGS.get(span.style):
            SubElement(element, name).text = span.text
        elif len(element):
            element[-1].tail = (element[-1].tail or "") + span.text
        else:
            element.text = (element.text or "") + span.text


def _items(section: Element, items: Items, source: Source) -> None:
    if items.when:
        _tag(SubElement(section, "p", _only(items.when)), items.when, source)
    entries = SubElement(section, "ul", _only(items.when))
    for item in items.items:
        _write(SubElement(entries, "li", _only(item.when)), item, source)


def _run(section: Element, run: Run, source: Source) -> None:
    for group in run.groups:
        box = SubElement(section, "div", _only(group.system or "anywhere", "run"))
        SubElement(box, "p", {"class": "where"}).text = source.labels[group.system or "anywhere"]
        for command in group.lines:
            if command.about:
                SubElement(box, "p", {"class": "about"}).text = command.about
            _command(SubElement(SubElement(box, "pre"), "code"), command.text)


def _command(code: Element, text: str) -> None:
    """Each word whole on one line where it fits: a browser also breaks after a hyphen, which misleads."""
    for word in text.split(" "):
        if len(code):
            code[-1].tail = " "
        SubElement(code, "span").text = word


def _table(section: Element, table: Table) -> None:
    """One row is set as pairs of a header and its cell, several under their headers."""
    several = len(table.rows) > 1
    element = SubElement(section, "table", _only(table.when, *(["several"] if several else [])))
    SubElement(element, "caption").text = table.caption
    if several:
        top = SubElement(SubElement(element, "thead"), "tr")
        for header in table.headers:
            SubElement(top, "th", {"scope": "col"}).text = header
    rows = SubElement(element, "tbody")
    for cells in table.rows:
        row = SubElement(rows, "tr")
        for number, (header, cell) in enumerate(zip(table.headers, cells, strict=True)):
            if several:
                SubElement(row, "td", {"data-header": header}).text = cell
            else:
                row = SubElement(rows, "tr") if number else row
                SubElement(row, "th", {"scope": "row"}).text = header
                SubElement(row, "td").text = cell
