import codecs
from collections.abc import Iterator, Mapping

from arcferry.bundle.guide.compose import Chapter, Part, Run, Sample, Table
from arcferry.bundle.guide.source import Items, Line, Note, Paragraph, Source, Style
from arcferry.bundle.guide.wrap import width, wrapped

_COLUMNS = 76
_COMMAND = "      "
_KEPT_SPACE = "\ue000"  # stands for a space inside `code`, where no line ends


def plain_text(source: Source, chapters: tuple[Chapter, ...]) -> bytes:
    r"""The guide for a console or Notepad.

    Lines end in `\r\n`, because Notepad before Windows Server 2019 shows other files as one line; `less`,
    `more` and `cat` show nothing of it. A text that is not ASCII begins with a byte order mark, by which
    Notepad and `Get-Content` of Windows PowerShell know UTF-8. A command is one line, six spaces in.
    """
    lines = [source.title, "=" * width(source.title), ""]
    for chapter in chapters:
        lines += ["", chapter.heading, "-" * width(chapter.heading), ""]
        for part in chapter.parts:
            lines += [*_part(part, source.labels), ""]
    text = "\r\n".join(lines)
    return text.encode("ascii") if text.isascii() else codecs.BOM_UTF8 + text.encode("utf-8")


def _part(part: Part, labels: Mapping[str, str]) -> Iterator[str]:
    match part:
        case Paragraph():
            yield from _wrapped(part, labels)
        case Note():
            yield from _wrapped(part, labels, "  ! ")
        case Items():
            yield from _heading(part.when, labels)
            for item in part.items:
                yield from _wrapped(item, labels, "  - ")
        case Run():
            yield from _run(part, labels)
        case Sample():
            yield from _heading(part.when, labels)
            yield from (_COMMAND + line for line in part.text.splitlines())
        case Table():
            yield from _table(part, labels)


def _wrapped(part: Paragraph | Note, labels: Mapping[str, str], first: str = "") -> Iterator[str]:
    tag = f"[{labels[f'name_{part.when}']}] " if part.when else ""
    for line in wrapped(tag + _flat(part.line), _COLUMNS, first=first, rest=" " * len(first)):
        yield line.replace(_KEPT_SPACE, " ")


def _flat(line: Line) -> str:
    return "".join(
        f"`{span.text.replace(' ', _KEPT_SPACE)}`" if span.style is Style.CODE else span.text for span in line
    )


def _heading(system: str, labels: Mapping[str, str]) -> Iterator[str]:
    if system:
        yield f"  [{labels[f'name_{system}']}]"


def _run(run: Run, labels: Mapping[str, str]) -> Iterator[str]:
    for number, group in enumerate(run.groups):
        if number:
            yield ""
        yield f"  {labels[group.system or 'anywhere']}{labels['colon']}"
        for command in group.lines:
            if command.about:  # a comment in either shell, so that a copied block still runs
                yield f"{_COMMAND}# {command.about}"
            yield _COMMAND + command.text


def _table(table: Table, labels: Mapping[str, str]) -> Iterator[str]:
    yield f"  {table.caption}{labels['colon']}"
    widest = max(map(width, table.headers))
    for number, row in enumerate(table.rows):
        if number:
            yield ""
        for header, cell in zip(table.headers, row, strict=True):
            if cell:
                yield f"    {header}{' ' * (widest - width(header))}  {cell}"
