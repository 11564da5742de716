"""The same as `mask`, with how many secrets of which kind were hidden, which tells none of them."""

import json
import re
from collections import Counter
from collections.abc import Iterable
from typing import Any

from arcferry.redaction import HIDDEN, mask_value, redact_json, shapes
from arcferry.redaction.words import mask_words
from arcferry.text import from_json

NAMED = "values that a name or an argument announces"
KEY = "private keys"
TOKEN = "tokens that are known by their form"  # noqa: S105  # the words for them
USER = "users or passwords in URLs"
QUERY = "signatures or keys in queries of URLs"
LOOKS = "words that look like secrets"

_BEFORE, _AFTER = 80, 6
_IN_QUERY = re.compile(r"[?&;](?:amp;)?[\w%-]{1,30}(?:=|%3[Dd])\Z")
_TOKEN = re.compile(r"eyj|gh[a-z]_|github_pat|sk-|xox", re.IGNORECASE)
_TAG = re.compile(r"</?[A-Za-z][^<>\n]{0,200}>")
_USER_ENDS = re.compile(r"@|%40|\\u0040")


class Masker:
    """Masks texts and counts what it hides.

    Attributes:
        hidden: how many of each kind.
    """

    def __init__(self) -> None:
        self.hidden: Counter[str] = Counter()

    def text(self, text: str) -> str:
        """As `mask`."""
        plain = self._hide(text, shapes.spans(text))
        masked = mask_words(plain)
        self._add(LOOKS, masked.count(HIDDEN) - plain.count(HIDDEN))
        return masked

    def value(self, value: Any) -> Any:  # noqa: ANN401  # any JSON
        """As `mask_value`."""
        before, counted = _count(value), self.hidden.total()
        masked = mask_value(value, self.text)
        self._add(NAMED, _count(masked) - before - (self.hidden.total() - counted))
        return masked

    def document(self, text: str) -> str:
        """The whole of a file: JSON and JSON lines by their values, anything else as text.

        Raises:
            RecursionError: it is JSON that is nested too deeply.
        """
        if text.lstrip().startswith(("{", "[")):
            try:
                return _dumped(self.value(from_json(text)), indent=1) + "\n"
            except ValueError:
                pass
            if (lines := self._lines(text)) is not None:
                return lines
        plain = redact_json(text)
        self._add(NAMED, plain.count(HIDDEN) - text.count(HIDDEN))
        masked = self.text(plain)
        # What stands alone on its line is known by that, also where a tag stands beside it.
        untagged = _TAG.sub(lambda found: " " * len(found[0]), masked)
        return self._hide(masked, shapes.spans(untagged)) if untagged != masked else masked

    def _hide(self, text: str, spans: Iterable[shapes.Span]) -> str:
        kept: list[str] = []
        done = 0
        for start, end in spans:
            if HIDDEN not in text[start:end]:
                self.hidden[_kind(text, start, end)] += 1
            kept += [text[done:start], HIDDEN, "\n" * text.count("\n", start, end)]
            done = end
        return "".join((*kept, text[done:]))

    def _lines(self, text: str) -> str | None:
        try:
            values = [from_json(line) for line in text.splitlines() if line.strip()]
        except ValueError:
            return None
        return "".join(f"{_dumped(self.value(one))}\n" for one in values)

    def _add(self, kind: str, count: int) -> None:
        if count > 0:
            self.hidden[kind] += count


def _dumped(value: object, indent: int | None = None) -> str:
    return json.dumps(value, indent=indent, ensure_ascii=False)


def _count(value: object) -> int:
    return _dumped(value).count(HIDDEN)


def _kind(text: str, start: int, end: int) -> str:
    before = text[max(0, start - _BEFORE) : start]
    if "PRIVATE KEY" in before or "Private-Lines" in before:
        return KEY
    if _TOKEN.match(text, start):
        return TOKEN
    if _USER_ENDS.match(text, end):
        return USER
    return QUERY if _IN_QUERY.search(before) else NAMED
