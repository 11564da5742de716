"""The guide as a text for a console or Notepad, in scripts with wide letters too."""

import codecs
import re
import unicodedata
from collections.abc import Iterator, Mapping

from arcferry.bundle.guide.text import Chapter, Guide, MarkdownBlock, Run, Table

_COLUMNS = 76
_COMMAND = "      "
_KEPT_SPACE = "\ue000"  # stands for a space inside `code`, where no line ends
# Categories of marks in Unicode: those that end something, those that begin it.
_CLOSING = {"Pe", "Pf", "Po"}
_OPENING = {"Ps", "Pi"}


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
    kept = re.sub(r"`[^`]+`", lambda code: code[0].replace(" ", _KEPT_SPACE), text)
    for line in wrapped(kept, _COLUMNS, first=first, rest=" " * len(first)):
        yield line.replace(_KEPT_SPACE, " ")


def width(text: str) -> int:
    """How many columns of a console the text takes."""
    return sum(2 if _is_wide(letter) else 1 for letter in text)


def wrapped(text: str, columns: int, *, first: str = "", rest: str = "") -> list[str]:
    """The text in lines of at most `columns`, if no word is longer.

    The standard library's `textwrap` counts letters, not columns, and takes a Chinese sentence for one word.
    A break is where a space is, or beside a wide letter; never before a closing mark or after an opening one.
    `columns` counts the indents too: `first`, of the first line, and `rest`, of the others.
    """
    lines, line, taken = [], first, False
    for word in re.findall(r"\S+", text):
        for number, piece in enumerate(_pieces(word)):
            gap = " " if taken and not number else ""
            if taken and width(line + gap + piece) > columns:
                lines.append(line)
                line, gap = rest, ""
            line, taken = line + gap + piece, True
    return [*lines, line]


def _pieces(word: str) -> list[str]:
    """The word cut where a line may end."""
    pieces: list[str] = []
    for before, after in zip(" " + word, word, strict=False):
        marks = unicodedata.category(after) in _CLOSING or unicodedata.category(before) in _OPENING
        if pieces and (marks or not (_is_wide(before) or _is_wide(after))):
            pieces[-1] += after
        else:
            pieces.append(after)
    return pieces


def _is_wide(letter: str) -> bool:
    return unicodedata.east_asian_width(letter) in "WF"
