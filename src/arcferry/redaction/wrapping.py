"""Lines that a console has cut at its width, put together again: a secret, or its name, may be cut too."""

import re
from bisect import bisect_right
from collections.abc import Callable
from itertools import accumulate

_WIDTHS = frozenset((79, 80, 99, 100, 119, 120, 131, 132))
_LINE = re.compile(r"(?<![^\n])[^\n]{60,250}(?=\n[^\n])")


def joined(text: str) -> tuple[str, Callable[[int], int]]:
    """What was cut, each line whole, and what finds a place of it in a text with a wide line at least.

    Lines are taken for cut that are as wide as consoles are, or the widest of the text.
    """
    lines = [one.span() for one in _LINE.finditer(text)]
    parts = [(start, end - (text[end - 1] == "\r")) for start, end in lines]
    widths = _WIDTHS | {max(end - start for start, end in parts)}
    kept: list[tuple[int, int]] = []
    behind = -1
    for (start, line_end), (_, end) in zip(lines, parts, strict=True):
        if end - start in widths:
            if behind not in (-1, start):
                kept.append((behind, text.find("\n", behind) + 1))
            kept.append((start, end))
            behind = line_end + 1
    kept.append((behind, text.find("\n", behind) + 1 or len(text)))
    begins = [0, *accumulate(end - start for start, end in kept)]

    def at(place: int) -> int:
        part = min(bisect_right(begins, place) - 1, len(kept) - 1)
        return kept[part][0] + place - begins[part]

    return "".join(text[start:end] for start, end in kept), at
