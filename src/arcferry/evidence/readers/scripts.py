"""A script that somebody pasted is source: what stands in it has not happened."""

import re
from functools import cache

from arcferry.evidence.readers import values

_FEWEST = 2
_WIDEST = 6
"""Lines between two lines of source that are still of the script, unless one of them reads like output."""
_OUTPUT = re.compile(
    r"^\s*\+ |^\s*(?:At|In) \S{1,300}:\d+|FullyQualifiedErrorId|CategoryInfo|^\s*Line \||^\s*\d+ \||"
    r"curl: \(|wget: |^(?:FATAL|ERROR|INFO|E: )|^time=|^(?:PS )?[A-Z]:\\[^>\n]{0,200}>|^\S{0,60}[$#] |"
    r"^[\w-]{3,60} ?: |^\S{1,120}\.(?:sh|ps1): |^AZCM\d{4}",
)


@cache
def _source() -> re.Pattern[str]:
    return re.compile("|".join(f"(?:{one})" for one in values.patterns()["source"]))


def _is_source(line: str) -> bool:
    return bool(_source().match(line[:400])) and not _OUTPUT.search(line[:400])


def without(text: str) -> str:
    """The text with the lines of scripts left empty, so that every other line keeps its place."""
    lines = text.splitlines()
    found = [place for place, line in enumerate(lines) if _is_source(line)]
    if len(found) < _FEWEST:
        return text
    blocks: list[list[int]] = [[found[0]]]
    for place in found[1:]:
        between = lines[blocks[-1][-1] + 1 : place]
        if len(between) <= _WIDEST and not any(_OUTPUT.search(line[:400]) for line in between):
            blocks[-1].append(place)
        else:
            blocks.append([place])
    for block in blocks:
        if len(block) >= _FEWEST:
            lines[block[0] : block[-1] + 1] = [""] * (block[-1] + 1 - block[0])
            _blank_ends(lines, block)
    return "\n".join(lines)


def _blank_ends(lines: list[str], block: list[int]) -> None:
    """The commands right before and behind a block are the script's too, as far as no output begins."""
    for places in (range(block[-1] + 1, len(lines)), range(block[0] - 1, -1, -1)):
        for place in places:
            if not lines[place].strip() or _OUTPUT.search(lines[place][:400]):
                break
            lines[place] = ""
