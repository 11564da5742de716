"""The few template expressions that rules of policies are written with, and what they come to."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

_TOKEN = re.compile(r"\s*(?:'((?:[^']|'')*)'|(-?[0-9]{1,15})|([A-Za-z_]\w*)|([()\[\],.]))")
_LONGEST = 4000


class Unknown:
    """What cannot be found out from here."""

    def __repr__(self) -> str:
        return "UNKNOWN"


UNKNOWN: Final = Unknown()


class Surroundings(Protocol):
    """What an expression may ask for; every answer may be `UNKNOWN`, and None is what is not there."""

    def parameter(self, name: str) -> object:
        """The value of a parameter."""

    def field(self, name: str) -> object:
        """The value of a field of the resource."""

    def call(self, function: str) -> object:
        """The value of a function without arguments, such as `resourceGroup`."""


class _UnreadableError(Exception):
    """No expression, or one with what is not known here."""


def value_of(text: object, around: Surroundings) -> object:
    """The value of what may be an expression; `UNKNOWN` where it cannot be told.

    Lists and objects are taken as they are: within them, rules have no expressions of their own.
    """
    if not isinstance(text, str) or not text.startswith("[") or not text.endswith("]"):
        return text
    if text.startswith("[["):
        return text[1:]
    if len(text) > _LONGEST:
        return UNKNOWN
    try:
        return _read(text[1:-1], around)
    except (_UnreadableError, RecursionError):
        return UNKNOWN


def _read(text: str, around: Surroundings) -> object:
    reader = _Reader(_tokens(text), around)
    found = reader.value()
    return found if reader.at_end else UNKNOWN


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str


def _tokens(text: str) -> list[_Token]:
    found, at = list[_Token](), 0
    kinds = ("text", "number", "name", "sign")
    while at < len(text.rstrip()):
        match = _TOKEN.match(text, at)
        if match is None:
            raise _UnreadableError
        kind = next(kind for kind, group in zip(kinds, match.groups(), strict=True) if group is not None)
        found.append(_Token(kind, match[kinds.index(kind) + 1]))
        at = match.end()
    return found


class _Reader:
    def __init__(self, tokens: Sequence[_Token], around: Surroundings) -> None:
        self._tokens = tokens
        self._at = 0
        self._around = around

    @property
    def at_end(self) -> bool:
        return self._at == len(self._tokens)

    def _next(self) -> _Token:
        if self.at_end:
            raise _UnreadableError
        self._at += 1
        return self._tokens[self._at - 1]

    def _takes(self, sign: str) -> bool:
        if not self.at_end and self._tokens[self._at] == _Token("sign", sign):
            self._at += 1
            return True
        return False

    def value(self) -> object:
        token = self._next()
        if token.kind == "text":
            return token.text.replace("''", "'")
        if token.kind == "number":
            return int(token.text)
        if token.kind != "name":
            raise _UnreadableError
        if not self._takes("("):
            raise _UnreadableError
        return self._within(self._called(token.text, self._arguments()))

    def _arguments(self) -> list[object]:
        if self._takes(")"):
            return []
        found = [self.value()]
        while self._takes(","):
            found.append(self.value())
        if not self._takes(")"):
            raise _UnreadableError
        return found

    def _within(self, found: object) -> object:
        while True:
            if self._takes("."):
                found = _member(found, self._next().text)
            elif self._takes("["):
                found = _member(found, self.value())
                if not self._takes("]"):
                    raise _UnreadableError
            else:
                return found

    def _called(self, name: str, arguments: list[object]) -> object:
        if any(isinstance(one, Unknown) for one in arguments):
            return UNKNOWN
        match name.lower(), arguments:
            case "parameters", [str(one)]:
                return self._around.parameter(one)
            case "field", [str(one)]:
                return self._around.field(one)
            case _, []:
                return self._around.call(name)
            case _:
                pass
        plain = _PLAIN.get(name.lower())
        if plain is None or not all(isinstance(one, str) for one in arguments):
            return UNKNOWN
        return plain([str(one) for one in arguments])


_PLAIN: dict[str, Callable[[list[str]], object]] = {
    "concat": "".join,
    "tolower": lambda given: given[0].lower(),
    "toupper": lambda given: given[0].upper(),
}


def _member(found: object, key: object) -> object:
    if isinstance(found, dict) and isinstance(key, str):
        return next((value for name, value in found.items() if str(name).lower() == key.lower()), None)
    return UNKNOWN
