"""What a picture says, to be found again in what its command prints today."""

import html
import re
from html.parser import HTMLParser
from pathlib import Path

DRAWN_FROM = Path(__file__).with_name("drawn_from")
"""What pictures were drawn from, and the words of those that are photographs: `make pictures` writes it."""

_DRAWN = re.compile(r'<text[^>]*y="([\d.]+)"[^>]*>([^<]*)</text>')
_TIMED = re.compile(r"\d s\b")
# Another run has other ids and numbers; off a terminal columns have bars, and words no signs before them.
_ITS_OWN = (
    (re.compile(r"\b(?=[a-z]*\d)[0-9a-f]{12}\b"), "ID"),
    (re.compile(r"\d+"), "0"),
    (re.compile("[✓✗|]"), ""),
)


def lines(picture: Path) -> list[str]:
    """The lines that a terminal's picture shows."""
    parts: dict[str, list[str]] = {}
    for place, text in _DRAWN.findall(picture.read_text(encoding="utf-8")):
        parts.setdefault(place, []).append(html.unescape(text).replace("\xa0", " "))
    return ["".join(part).rstrip() for part in parts.values()]


def stale(picture: Path, printed: str) -> list[str]:
    """The lines of a picture that its command does not print any more, whatever its width.

    What took how long is told in other words on a busy machine: lines with seconds are passed over.
    """
    now = _shape(printed)
    shown = (one for one in lines(picture) if one.strip() not in ("arcferry", "…") and one[:1] != "$")
    return [one for one in shown if _shape(one) not in now and not _TIMED.search(one)]


class _Texts(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: set[str] = set()

    def handle_data(self, data: str) -> None:
        if text := " ".join(data.split()):
            self.found.add(text)


def texts(page: str) -> set[str]:
    """Every piece of text of a page, as its elements part it."""
    reader = _Texts()
    reader.feed(page)
    return reader.found


def no_longer_there(words: Path, page: str) -> list[str]:
    """The texts of a photograph that the page does not have any more."""
    now = {_shape(one) for one in texts(page)}
    return [one for one in words.read_text(encoding="utf-8").splitlines() if _shape(one) not in now]


def _shape(text: str) -> str:
    for own, word in _ITS_OWN:
        text = own.sub(word, text)
    return " ".join(text.split())
