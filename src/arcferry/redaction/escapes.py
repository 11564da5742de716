"""Letters that JSON and programs write as escapes (`u5bc6` after a backslash), and the way back from them."""

import re
from bisect import bisect_right
from collections.abc import Callable

_ESCAPED = re.compile(r"\\{1,6}u([0-9A-Fa-f]{4})")
_FIRST, _SURROGATES = 0x80, range(0xD800, 0xE000)


def unescaped(text: str) -> tuple[str, Callable[[int], int]]:
    """The text with letters beyond ASCII in place of their escapes, and what finds a place of it in `text`.

    Signs of ASCII stay escaped: they could end a string or a line.
    """
    kept: list[str] = []
    begins, behind = [0], [0]
    done = length = 0
    for found in _ESCAPED.finditer(text) if "\\u" in text else ():
        code = int(found[1], 16)
        if code < _FIRST or code in _SURROGATES:
            continue
        kept += [text[done : found.start()], chr(code)]
        length += found.start() - done + 1
        done = found.end()
        begins.append(length)
        behind.append(done)
    if not kept:
        return text, lambda place: place

    def at(place: int) -> int:
        before = bisect_right(begins, place) - 1
        return behind[before] + place - begins[before]

    return "".join((*kept, text[done:])), at
