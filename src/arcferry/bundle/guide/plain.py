"""The guide as a text for a console or Notepad, in scripts with wide letters too."""

import codecs
import re
from collections.abc import Iterator, Mapping

from arcferry.bundle.guide.text import Chapter, Guide, MarkdownBlock, Run, Table
from arcferry.text import glued, width, wrapped

_COLUMNS = 76
_COMMAND = "      "


def plain_text(guide: Guide, chapters: tuple[Chapter, ...]) -> bytes:
    r"""The guide for a console or Notepad.

    Lines end in `\r\n`, because Notepad before Windows Server 2019 shows other files as one line; `less`,
    `more` and `cat` show nothing of it. A text that is not ASCII begins with a byte order mark, by which
    Notepad and `Get-Content` of Windows PowerShell know UTF-8. A command is one line, six spaces in.
    """
    lines = [guide.title, "=" * width(guide.title), ""]
    for chapter in chapters:
        lines += ["", chapter.heading, "-" * width(chapter.heading)]
        before = ""
        for part in chapter.parts:
            markdown = part.markdown if isinstance(part, MarkdownBlock) else ""
            # The items of one list stand together.
            lines += [] if before.startswith("- ") and markdown.startswith("- ") else [""]
            lines += _part(part, guide.labels)
            before = markdown
        lines.append("")
    text = "\r\n".join(lines)
    return text.encode("ascii") if text.isascii() else codecs.BOM_UTF8 + text.encode("utf-8")


def _part(part: MarkdownBlock | Run | Table, labels: Mapping[str, str]) -> Iterator[str]:
    tag = f"[{labels[f'name_{part.when}']}] " if part.when else ""
    match part:
        case MarkdownBlock():
            yield from _block(part.markdown, tag)
        case Run():
            yield from _run(part, labels)
        case Table():
            yield from _table(part, labels)


def _run(run: Run, labels: Mapping[str, str]) -> Iterator[str]:
    for number, box in enumerate(run.boxes):
        yield from [""] * (number > 0)
        yield f"  {labels[box.system or 'anywhere']}{labels[box.does]}{labels['colon']}"
        for command in box.lines:
            if command.about:  # a comment in either shell, so that a copied block still runs
                yield f"{_COMMAND}# {command.about}"
            yield _COMMAND + command.text


def _table(table: Table, labels: Mapping[str, str]) -> Iterator[str]:
    yield f"  {table.caption}{labels['colon']}"
    widest = max(map(width, table.headers))
    for number, row in enumerate(table.rows):
        yield from [""] * (number > 0)
        for header, cell in zip(table.headers, row, strict=True):
            if cell:
                yield f"    {header}{' ' * (widest - width(header))}  {cell}"


def _block(markdown: str, tag: str) -> Iterator[str]:
    """The Markdown itself, wrapped; only the marks of strong text are left out."""
    mark = re.match(r"[->] ", markdown)
    first = f"  {mark[0]}" if mark else ""
    text = tag + markdown.removeprefix(mark[0] if mark else "").replace("**", "")
    kept = re.sub(r"`[^`]+`", lambda code: glued(code[0]), text)
    yield from wrapped(kept, _COLUMNS, first=first, rest=" " * len(first))
