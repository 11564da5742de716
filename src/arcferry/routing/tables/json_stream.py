"""JSON of any size: descended into where a reader says so, the rest handed over value by value."""

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from arcferry import typed
from arcferry.errors import FileInputError
from arcferry.text import NumberError, json_decoder, quoted

VALUE_LIMIT = 16 << 20
"""Longest single value in characters that is held at once."""

DEPTH_LIMIT = 32
_SPACE = re.compile(r"[ \t\r\n\ufeff]*")
_DECODER = json_decoder()
_CUT_AT = 1 << 20

Steps = tuple[str, ...]
"""The keys from the document's root to a value; an array's element is `[]`."""


class TruncatedError(Exception):
    """The text ended within a value."""


@dataclass(slots=True)
class _Buffer:
    name: str
    texts: Iterator[str]
    text: str = ""
    place: int = 0
    ended: bool = False
    dropped: int = field(default=0)

    def more(self) -> bool:
        """Read on; False at the end. What was used is dropped."""
        if self.place > _CUT_AT:
            self.dropped += self.place
            self.text, self.place = self.text[self.place :], 0
        for text in self.texts:
            if text:
                self.text += text
                return True
        self.ended = True
        return False

    def peek(self) -> str:
        """The next character that is no space, empty at the end."""
        while True:
            match = _SPACE.match(self.text, self.place)
            self.place = match.end() if match else self.place
            if self.place < len(self.text):
                return self.text[self.place]
            if not self.more():
                return ""

    def expect(self, wanted: str) -> None:
        found = self.peek()
        if not found:
            raise TruncatedError
        if found != wanted:
            raise self.wrong(f"expected {quoted(wanted)}")
        self.place += 1

    def value(self) -> object:
        """The whole next value."""
        self.peek()
        while True:
            try:
                value, end = _DECODER.raw_decode(self.text, self.place)
            except json.JSONDecodeError as error:
                # The decoder points at the end, or at a string that has none, where the text goes on.
                if not self._may_go_on(error) or not self.more():
                    if self.ended and self._may_go_on(error):
                        raise TruncatedError from None
                    raise self.wrong(error.msg) from None
            except NumberError as error:
                raise self.wrong(str(error)) from None
            except RecursionError:
                raise FileInputError(self.name, "JSON that is nested too deeply to be read") from None
            else:
                if end == len(self.text) and not isinstance(value, (dict, list, str)) and self.more():
                    continue
                self.place = end
                return value
            if len(self.text) - self.place > VALUE_LIMIT:
                raise FileInputError(self.name, f"one JSON value of more than {VALUE_LIMIT:,} characters")

    def _may_go_on(self, error: json.JSONDecodeError) -> bool:
        return error.pos >= len(self.text) - 16 or error.msg.startswith("Unterminated string")

    def wrong(self, problem: str) -> FileInputError:
        return FileInputError(
            self.name, f"no valid JSON at character {self.dropped + self.place + 1:,}: {problem}"
        )


def walk(
    name: str, texts: Iterator[str], descends: Callable[[Steps, str], bool]
) -> Iterator[tuple[Steps, object]]:
    """Every value that is not descended into, with the steps that lead to it.

    `descends` says whether to go into the object (`{`) or array (`[`) at these steps.

    Raises:
        TruncatedError: the text ends before its end; what came before was handed over.
        FileInputError: it is no JSON, or has a value that is too long or nested too deeply.
    """
    buffer = _Buffer(name, texts)
    yield from _descend(buffer, (), descends)
    if rest := buffer.peek():
        raise buffer.wrong(f"unexpected {typed.shown(rest)} after the end")


def _descend(
    buffer: _Buffer, steps: Steps, descends: Callable[[Steps, str], bool]
) -> Iterator[tuple[Steps, object]]:
    opens = buffer.peek()
    if not opens:
        raise TruncatedError
    if opens not in "{[" or not descends(steps, opens):
        yield steps, buffer.value()
        return
    if len(steps) > DEPTH_LIMIT:
        raise FileInputError(buffer.name, "JSON that is nested too deeply to be read")
    buffer.place += 1
    closes = "}" if opens == "{" else "]"
    first = True
    while buffer.peek() != closes:
        if not first:
            buffer.expect(",")
            # A comma before the end is no JSON, but half of all hand-cut samples have one.
            if buffer.peek() == closes:
                break
        first = False
        step = "[]"
        if opens == "{":
            if buffer.peek() not in ('"', ""):
                raise buffer.wrong("expected a key in double quotes")
            step = str(buffer.value()) if buffer.peek() else ""
            buffer.expect(":")
        yield from _descend(buffer, (*steps, step), descends)
    buffer.place += 1
