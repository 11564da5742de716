"""What a terminal showed: pagers, backspaces, carriage returns and colours taken out of a capture."""

import re
from collections.abc import Iterable, Iterator

from arcferry.text import clean

_ODD = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ufeff\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]|(?i:more)"
)
_SEQUENCE = re.compile(r"\x1b\[([0-9;?]*)([@-~])|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)?|\x1b.")
_PAGER = re.compile(
    r"^\s*(?:<?-{2,3}\s?\(?\s?more(?:\s\d{1,3}%)?\s?\)?\s?-{2,3}>?"
    r"|lines \d+-\d+(?:/\d+)?(?: \(END\)| \d{1,3}%)?|:$)",
    re.IGNORECASE,
)
_PAGER_AFTER = re.compile(r"\s?<?-{2,3}\s?\(?\s?more(?:\s\d{1,3}%)?\s?\)?\s?-{2,3}>?\s*$", re.IGNORECASE)


def shown(lines: Iterable[str], whole: str) -> Iterator[str]:
    """The lines as they stood on the screen.

    Args:
        lines: raw lines, perhaps with a carriage return at their end.
        whole: the text that they come from, which is searched once for anything that needs work at all.
    """
    odd = _ODD.search(whole) is not None
    for line in lines:
        yield _line(line) if odd else line


def _line(line: str) -> str:
    line = line.rstrip("\r")
    if not _ODD.search(line):
        return line
    if "\b" in line or "\r" in line or "\x1b" in line:
        line = _played(line)
    line = clean(line, limit=len(line))
    without = _PAGER.sub("", line, count=1)
    return _PAGER_AFTER.sub("", without, count=1)


def _played(line: str) -> str:
    """The line after its backspaces, carriage returns and erasures."""
    screen: list[str] = []
    column = place = 0
    while place < len(line):
        letter = line[place]
        if letter == "\x1b" and (sequence := _SEQUENCE.match(line, place)):
            if sequence[2] == "K":
                _erase(screen, column, sequence[1])
            place = sequence.end()
            continue
        place += 1
        if letter == "\b":
            column = max(0, column - 1)
        elif letter == "\r":
            column = 0
        elif letter >= " " or letter == "\t":
            screen[column : column + 1] = [letter]
            column += 1
    return "".join(screen).rstrip()


def _erase(screen: list[str], column: int, which: str) -> None:
    """EL: 0 to the end of the line, 1 to its beginning, 2 all of it."""
    if which in ("", "0"):
        del screen[column:]
    elif which == "1":
        screen[:column] = [" "] * min(column, len(screen))
    else:
        screen[:] = [" "] * min(column, len(screen))
