"""Text in columns and lists, as wide as a window is; apart from `console`, because it needs none of rich.

A line ends at a blank alone: a name, an address, an instant or a hash that is cut in two can be neither
searched nor copied. A table takes the first of three forms that the window holds, one for all of its rows:

- its columns beside each other, the last one wrapped;
- the first cell on a line above the others, which keep their columns;
- the first cell on a line above the others, each after its heading, as many on a line as it holds.
"""

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass

from arcferry.language import _, headings
from arcferry.text import glued, widest, width, wrapped

MOST_NAMED = 8
UNDISCOVERED, UNDISCOVERED_CELL = headings("the regional his.arc endpoint", "<regional HIS>")
"""An endpoint whose name the service itself would have told: in a sentence, and in a narrow column."""

GAP = "  "
# After a colon, up to a comma or a semicolon outside of quotes; and whatever stands between backticks.
_COMMAND = re.compile(
    r"(?:^|(?<=: )|(?<=\uff1a))(?:arcferry|az|azcmagent|dig|minisign|openssl|pip|ssh-keygen|systemctl) "
    r"""(?:"[^"]*"|'[^']*'|[,;](?! )|[^,;"'])+|`[^`]+`"""
)
_INDENT = 2
_LEAST_WRAPPED = 24  # columns: text in fewer is a strip of single words
_LEAST_CUT = 12

Pieces = list[tuple[str, str]]
"""A line in parts: each as it is printed, and the cell that it is of, empty for what is of none."""


def columns(
    rows: Iterable[Sequence[str]], *, between: str = GAP, right: Collection[int] = ()
) -> Iterator[str]:
    """Each row on a line, its cells beneath each other; those of the columns in `right` end there."""
    listed = list(rows)
    grid = _Grid(_widths(listed), between, frozenset(right))
    for row in listed:
        yield "".join(piece[0] for line in grid.lines(row) for piece in line).rstrip()


def laid_out(
    headings: Sequence[str],
    rows: Iterable[Sequence[str]],
    room: int,
    *,
    between: str = GAP,
    right: Collection[int] = (),
    cut: Collection[int] = (),
) -> Iterator[list[Pieces]]:
    """A table within `room` columns: the lines of its headings, then those of each row.

    Args:
        headings: one a column.
        rows: as many cells each.
        room: how many columns the window has.
        between: what stands between two columns.
        right: the columns whose cells end beneath each other.
        cut: the columns of ids that JSON has whole, which lose their middle where the rows do not fit.
    """
    listed = [tuple(headings), *map(tuple, rows)]
    for above in range(min(2, len(headings))):
        shown = listed
        for place in cut:
            shown = _with_cut(shown, place, room - _INDENT * above, between, above)
        widths = _widths(shown)
        words = max(widest(row[-1]) for row in shown)
        left = room - _INDENT * above - sum(widths[above:-1]) - len(between) * (len(widths) - above - 1)
        if left >= max(words, min(widths[-1], _LEAST_WRAPPED)):
            grid = _Grid((*widths[:-1], min(widths[-1], left)), between, frozenset(right), room)
            yield from (grid.lines(row, above) for row in shown)
            return
    yield []
    yield from (_named_cells(listed[0], row, room) for row in listed[1:])


def labelled(rows: Iterable[tuple[str, str]], room: int, *, indent: int = 0) -> Iterator[tuple[str, str]]:
    """A label and a text a line, the text wrapped beneath itself; a long label stands above its text."""
    listed = list(rows)
    fitting = [width(label) for label, _ in listed if width(label) <= max(room // 3, _INDENT)]
    every = max((width(label) for label, _ in listed), default=0)
    wide = all(indent + every + len(GAP) + width(text) <= room for _, text in listed)
    hang = indent + (every if wide else max(fitting, default=_INDENT)) + len(GAP)
    if not wide:
        longest = max((widest(text) for _, text in listed), default=0)
        least = every + len(GAP) if every <= _INDENT else _INDENT  # a dash stays beside its text
        hang = max(indent + least, min(hang, room - longest))
    for label, text in listed:
        lines = paragraph(text, room - hang)
        if indent + width(label) + len(GAP) > hang:
            yield from ((f"{'':<{indent}}{line}", "") for line in wrapped(label, room - indent))
            label = ""  # noqa: PLW2901  # told by now
        for line in lines:
            yield f"{'':<{indent}}{padded(label, hang - indent)}", line
            label = ""  # noqa: PLW2901  # once


def paragraph(text: str, room: int, *, first: str = "", rest: str = "") -> list[str]:
    """A text in lines of at most `room` columns; a command in it stays whole, if need be on its own line.

    Args:
        text: one line.
        room: how many columns the window has.
        first: what stands before the first line.
        rest: what stands before the others.
    """
    if width(first) + width(text) <= room:
        return [first + text]
    return wrapped(_COMMAND.sub(lambda command: glued(command[0]), text), room, first=first, rest=rest)


def named(names: Sequence[str], *, most: int = MOST_NAMED) -> str:
    """The first few names, and how many more there are."""
    first = ", ".join(names[:most])
    return _("{first} and {more} more", first=first, more=len(names) - most) if len(names) > most else first


def without_middle(text: str, room: int) -> str:
    """The text in at most `room` columns, its beginning and its end."""
    if width(text) <= room:
        return text
    end = (room - 1) // 3
    return f"{_fitting(text, room - 1 - end)}…{_fitting(text[::-1], end)[::-1]}"


def _fitting(text: str, room: int) -> str:
    """As much of its beginning as `room` columns hold."""
    while width(text) > room:
        text = text[: max(len(text) - max((width(text) - room) // 2, 1), 0)]
    return text


def _widths(rows: Sequence[Sequence[str]]) -> tuple[int, ...]:
    return tuple(max(map(width, column)) for column in zip(*rows, strict=True))


def padded(cell: str, room: int, *, right: bool = False) -> str:
    """The cell with blanks to its end, or before it, as wide as `room` columns."""
    blanks = " " * max(room - width(cell), 0)
    return blanks + cell if right else cell + blanks


def _with_cut(
    rows: list[tuple[str, ...]], place: int, room: int, between: str, above: int
) -> list[tuple[str, ...]]:
    """The rows with the cells of one column as short as it takes for the columns from `above` on to fit."""
    widths = _widths(rows)[above:]
    excess = sum(widths) + len(between) * (len(widths) - 1) - room
    left = widths[place - above] - excess if place >= above else 0
    if excess <= 0 or left < _LEAST_CUT:
        return rows
    return [(*row[:place], without_middle(row[place], left), *row[place + 1 :]) for row in rows]


@dataclass(frozen=True, slots=True)
class _Grid:
    """Columns, the last of which is wrapped to its width."""

    widths: tuple[int, ...]
    between: str = GAP
    right: frozenset[int] = frozenset()
    room: int = 0

    def lines(self, row: Sequence[str], above: int = 0) -> list[Pieces]:
        """The lines of a row, of which the first cells may stand on a line of their own."""
        last = wrapped(row[-1], self.widths[-1]) if width(row[-1]) > self.widths[-1] else [row[-1]]
        lines = _above(row[0], self.room) if above else []
        for number, text in enumerate(last):
            cells = [*(row[:-1] if number == 0 else [""] * (len(row) - 1)), text]
            pieces = self._beside(cells, above)
            lines.append([(" " * _INDENT * above, ""), *pieces[:-1], (pieces[-1][0], row[-1])])
        return lines

    def _beside(self, cells: Sequence[str], above: int) -> Pieces:
        pieces: Pieces = []
        for place in range(above, len(cells)):
            pieces += [(self.between, "")] * (place > above)
            text = padded(cells[place], self.widths[place], right=place in self.right)
            pieces.append((text, cells[place]))
        return pieces


def _above(cell: str, room: int) -> list[Pieces]:
    return [[(line, cell)] for line in ([cell] if width(cell) <= room else wrapped(cell, room))]


def _named_cells(headings: Sequence[str], row: Sequence[str], room: int) -> list[Pieces]:
    """The first cell, and beneath it the others after their headings; no empty one."""
    lines = _above(row[0], room)
    line: Pieces = []
    taken = room
    for heading, cell in zip(headings[1:], row[1:], strict=True):
        if not cell:
            continue
        label = _("{heading}: ", heading=heading) if heading else ""
        needed = width(label) + width(cell)
        if taken + len(GAP) + needed <= room:
            line += [(GAP, ""), (label, ""), (cell, cell)]
            taken += len(GAP) + needed
            continue
        start = " " * _INDENT + label
        alone = widest(cell) > room - width(start)
        if alone:
            lines.append([(start.rstrip(), "")])
            start = " " * 2 * _INDENT
        first, *rest = wrapped(cell, room, first=start, rest=" " * 2 * _INDENT)
        line = [(start, ""), (first.removeprefix(start), cell)]
        lines += [line, *([(more, cell)] for more in rest)]
        taken = room if rest or alone else _INDENT + needed
    return lines
