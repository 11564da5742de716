"""The guide as one HTML file that needs nothing else: no script, no font, no connection."""

from collections.abc import Iterable, Iterator
from html import escape
from importlib import resources
from itertools import groupby

from arcferry.bundle.guide.commands import CommandBox, System
from arcferry.bundle.guide.text import Chapter, Guide, MarkdownBlock, Run, Table
from arcferry.text import fill


def rendered(markdown: str) -> str:
    """The HTML of a Markdown text with tables; markup in the text is shown, and never taken for such."""
    # Every command that opens a bundle loads this module, and few of them need the library.
    from markdown_it import MarkdownIt  # noqa: PLC0415 - as said

    html: str = MarkdownIt("commonmark", {"html": False}).enable("table").render(markdown)
    return html


def html_page(guide: Guide, chapters: tuple[Chapter, ...], links: Iterable[tuple[str, str, str]]) -> bytes:
    """The guide for a browser, on screen and on paper.

    It has no script, since a browser on a server asks before it runs one. A click on a command selects
    all of it. Browsers that know `:has()` offer to show one system's commands alone; others show all.

    Args:
        guide: the language's words.
        chapters: what is to be read.
        links: further forms of the guide: file name, language and what to call it.
    """
    here = resources.files(__package__)
    page = here.joinpath("page.html").read_text(encoding="utf-8")
    values = {
        "style": here.joinpath("style.css").read_text(encoding="utf-8"),
        "language": guide.language,
        "title": escape(guide.title),
        "links": " ".join(
            f'<a href="{name}" lang="{language}" hreflang="{language}">{escape(called)}</a>'
            for name, language, called in links
        ),
        "choice": "".join(_choice(guide, chapters)),
        "contents": escape(guide.labels["contents"]),
        "entries": "".join(
            f'<li><a href="#{chapter.slug}">{escape(chapter.heading)}</a></li>\n' for chapter in chapters
        ),
        "chapters": "".join(part for chapter in chapters for part in _chapter(chapter, guide)),
    }
    return fill(page, values).encode()


def _choice(guide: Guide, chapters: tuple[Chapter, ...]) -> Iterator[str]:
    """A choice of the system, if the guide is about both."""
    runs = [part for chapter in chapters for part in chapter.parts if isinstance(part, Run)]
    if not set(System) <= {box.system for run in runs for box in run.boxes}:
        return
    yield f'<fieldset class="choice"><legend>{escape(guide.labels["show"])}</legend>\n'
    for value, label in (("both", "both"), ("windows", "name_windows"), ("linux", "name_linux")):
        checked = ' checked="checked"' if value == "both" else ""
        radio = f'<input type="radio" name="show" id="show-{value}" value="{value}"{checked}>'
        yield f"<label>{radio} {escape(guide.labels[label])}</label>\n"
    yield "</fieldset>"


def _chapter(chapter: Chapter, guide: Guide) -> Iterator[str]:
    yield f'<section id="{chapter.slug}" aria-labelledby="{chapter.slug}-heading">\n'
    yield f'<h2 id="{chapter.slug}-heading">{escape(chapter.heading)}</h2>\n'
    for system, parts in groupby(chapter.parts, lambda part: part.when):
        html = ""
        for _, same in groupby(parts, lambda part: isinstance(part, MarkdownBlock)):
            run = list(same)
            # Blocks that follow each other are one Markdown text, so that their items are one list.
            html += rendered("".join(_source(part) for part in run if isinstance(part, MarkdownBlock)))
            html += "".join(_drawn(part, guide) for part in run if not isinstance(part, MarkdownBlock))
        if system:
            name = escape(guide.labels[f"name_{system}"])
            html = f'<div class="for-{system}"><span class="tag">{name}</span>\n{html}</div>\n'
        yield html
    yield "</section>\n"


def _source(block: MarkdownBlock) -> str:
    return f"{block.markdown}\n" if block.markdown.startswith("- ") else f"\n{block.markdown}\n\n"


def _drawn(part: Run | Table, guide: Guide) -> str:
    match part:
        case Run():
            return "".join(_box(box, guide) for box in part.boxes)
        case Table():
            bodies = ""
            for row in part.rows:
                bodies += "<tbody>\n"
                for header, cell in zip(part.headers, row, strict=True):
                    if cell:
                        bodies += f'<tr><th scope="row">{escape(header)}</th><td>{escape(cell)}</td></tr>\n'
                bodies += "</tbody>\n"
            return f"<table><caption>{escape(part.caption)}</caption>\n{bodies}</table>\n"


def _box(box: CommandBox, guide: Guide) -> str:
    place = box.system or "anywhere"
    where = escape(guide.labels[place] + guide.labels[box.does])
    html = f'<div class="run {f"for-{place}" if box.system else place}"><p class="where">{where}</p>\n'
    for line in box.lines:
        about = f'<p class="about">{escape(line.about)}</p>\n' if line.about else ""
        # A browser also breaks a line after a hyphen, which misleads: each word is kept whole if it fits.
        words = " ".join(f"<span>{escape(word)}</span>" for word in line.text.split(" "))
        html += f"{about}<pre><code>{words}</code></pre>\n"
    return f"{html}</div>\n"
