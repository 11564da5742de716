"""A letter about a site, as Markdown and as text for a console."""

from collections.abc import Iterable, Iterator, Mapping

from arcferry.bundle.guide.plain import plain_text
from arcferry.bundle.guide.text import Chapter, Guide, MarkdownBlock, Run, Table
from arcferry.prepare.facts import Facts
from arcferry.prepare.words import Block, Letter, Words
from arcferry.text import fill

Part = MarkdownBlock | Run | Table


def composed(letter: Letter, words: Words, facts: Facts) -> tuple[Chapter, ...]:
    """The letter's sections, and in the end what it rests on."""
    chapters = (
        Chapter(name, words.headings[name], tuple(_parts(blocks, words, facts)))
        for name, blocks in letter.sections.items()
    )
    rests = tuple(MarkdownBlock(f"- {source}") for source in facts.sources)
    return (*chapters, Chapter("sources", words.labels["sources"], rests))


def first_page(words: Words, facts: Facts, files: Iterable[tuple[str, str]]) -> tuple[Chapter, ...]:
    """What the folder is, and its letters: file and title of each."""
    listed = tuple(MarkdownBlock(f"- `{name}`: {title}") for name, title in files)
    return (Chapter("first", words.labels["letters"], (*listed, *_parts(words.first, words, facts))),)


def as_markdown(title: str, chapters: Iterable[Chapter], labels: Mapping[str, str]) -> str:
    """The chapters as one Markdown text."""
    lines = [f"# {title}"]
    for chapter in chapters:
        lines += ["", f"## {chapter.heading}"]
        before = ""
        for part in chapter.parts:
            markdown = part.markdown if isinstance(part, MarkdownBlock) else ""
            lines += [] if before.startswith("- ") and markdown.startswith("- ") else [""]
            lines += _markdown(part, labels)
            before = markdown
    return "\n".join((*lines, ""))


def as_text(title: str, chapters: tuple[Chapter, ...], words: Words) -> bytes:
    """The same for a console or Notepad."""
    return plain_text(Guide(words.language, title, words.labels, {}, ()), chapters)


def _parts(blocks: Iterable[Block], words: Words, facts: Facts) -> Iterator[Part]:
    for block in blocks:
        if not facts.holds(block.when):
            continue
        kind, name = block.place
        if kind == "run":
            yield Run((facts.runs[name],))
        elif kind == "table":
            headers = words.tables["rights" if name.startswith("rights-") else name]
            yield Table(words.captions[name.partition("-")[0]], headers, facts.tables[name])
        else:
            yield MarkdownBlock(fill(block.text, facts.values))


def _markdown(part: Part, labels: Mapping[str, str]) -> Iterator[str]:
    match part:
        case MarkdownBlock():
            yield part.markdown
        case Run():
            for box in part.boxes:
                yield f"{labels['anywhere']}{labels[box.does]}{labels['colon']}"
                yield from ("", "```console", *(f"$ {line.text}" for line in box.lines), "```")
        case Table():
            yield f"| {' | '.join(map(_cell, part.headers))} |"
            yield "|" + "---|" * len(part.headers)
            for row in part.rows:
                yield f"| {' | '.join(map(_cell, row))} |"


def _cell(text: str) -> str:
    """A value as a cell of a table: a bar would end it, and two stars would mark what is between them."""
    return text.replace("|", "\\|").replace("*", "\\*")
