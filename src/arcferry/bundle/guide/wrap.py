"""Lines of plain text no wider than a console, in scripts with wide letters too."""

import re
import unicodedata
from collections.abc import Iterator

_CLOSING = {"Pe", "Pf", "Po"}
_OPENING = {"Ps", "Pi"}
"""Categories of marks in Unicode: those that end something, those that begin it."""


def width(text: str) -> int:
    """How many columns of a console the text takes."""
    return sum(2 if _is_wide(letter) else 1 for letter in text)


def wrapped(text: str, columns: int, *, first: str = "", rest: str = "") -> list[str]:
    """The text in lines of at most `columns`, where no word is longer.

    A break is where a space is, or beside a wide letter; never before a closing mark or after an opening one.

    Args:
        text: one paragraph.
        columns: the width, the indents included.
        first: the indent of the first line.
        rest: the indent of the others.
    """
    lines, line, taken = [], first, False
    for gap, word in _words(text):
        if taken and width(line + gap + word) > columns:
            lines.append(line)
            line, taken = rest, False
        line += (gap if taken else "") + word
        taken = True
    return [*lines, line]


def _words(text: str) -> Iterator[tuple[str, str]]:
    """Each piece that stays whole, and the space before it."""
    for match in re.finditer(r"(\s*)(\S+)", text):
        gap = " " if match[1] else ""
        for piece in _pieces(match[2]):
            yield gap, piece
            gap = ""


def _pieces(word: str) -> list[str]:
    pieces: list[str] = []
    for letter in word:
        if pieces and not _may_break(pieces[-1][-1], letter):
            pieces[-1] += letter
        else:
            pieces.append(letter)
    return pieces


def _may_break(before: str, after: str) -> bool:
    if unicodedata.category(after) in _CLOSING or unicodedata.category(before) in _OPENING:
        return False
    return _is_wide(before) or _is_wide(after)


def _is_wide(letter: str) -> bool:
    return unicodedata.east_asian_width(letter) in "WF"
