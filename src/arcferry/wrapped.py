"""Text within the columns of a console, in scripts with wide letters too."""

import re
import unicodedata

# Categories of marks in Unicode: those that end something, those that begin it.
_CLOSING = {"Pe", "Pf", "Po"}
_OPENING = {"Ps", "Pi"}
_KEPT_BLANK = "\ue000"


def width(text: str) -> int:
    """How many columns of a console the text takes."""
    return sum(2 if _is_wide(letter) else 1 for letter in text)


def glued(words: str) -> str:
    """Words between which no line ends where `wrapped` sets them, such as those of a command."""
    return words.replace(" ", _KEPT_BLANK)


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
    return [one.replace(_KEPT_BLANK, " ") for one in (*lines, line)]


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
