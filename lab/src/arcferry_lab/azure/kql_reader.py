"""A query's words, signs and constants, one by one."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

_SKIP = re.compile(r"(?:\s|//[^\n]*)*")
_TOKEN = re.compile(
    r"""(?P<text>'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")|(?P<number>\d+(?:\.\d+)?)"""
    r"""|(?P<sign>!in~|!in\b|=~|!~|==|!=|[|(),=\[\].])|(?P<name>[A-Za-z_$][\w$]*~?)"""
)


_DEEPEST = 50


class QueryError(Exception):
    """A query that the language does not have, or that goes beyond the twin's part of it."""


@dataclass(frozen=True, slots=True)
class Token:
    """One word, sign or constant: `text`, `number`, `sign`, `name`, or `end` after the last."""

    kind: str
    text: str


class Reader:
    """The tokens of a query, taken one by one."""

    def __init__(self, query: str) -> None:
        """Take a query apart.

        Raises:
            QueryError: it is empty, or has a character that no query has.
        """
        self._tokens = _tokens(query.strip().rstrip(";"))
        self._place = 0
        self._depth = 0

    @property
    def ended(self) -> bool:
        """Whether every token was taken."""
        return self._place >= len(self._tokens)

    def peek(self) -> Token:
        """The next token, which stays."""
        return Token("end", "") if self.ended else self._tokens[self._place]

    def take(self) -> Token:
        """The next token."""
        token = self.peek()
        self._place += 1
        return token

    def at(self, *texts: str) -> bool:
        """Whether the next token is one of these words or signs; if so, it is taken."""
        token = self.peek()
        if token.kind in {"name", "sign"} and token.text.lower() in texts:
            self._place += 1
            return True
        return False

    def expect(self, text: str) -> None:
        """Take a word or a sign that must come now."""
        if not self.at(text):
            raise QueryError(f"Expected '{text}' and not '{self.peek().text or 'the end'}'")

    @contextmanager
    def deeper(self) -> Iterator[None]:
        """Between two parentheses, of which there are not endlessly many."""
        self._depth += 1
        if self._depth > _DEEPEST:
            raise QueryError(f"More than {_DEEPEST} parentheses lie in each other")
        yield
        self._depth -= 1

    def name(self) -> str:
        """Take a name that must come now."""
        return self._of("name")

    def number(self) -> int:
        """Take a number that must come now."""
        return int(float(self._of("number")))

    def _of(self, kind: str) -> str:
        token = self.take()
        if token.kind != kind:
            raise QueryError(f"Expected a {kind} and not '{token.text or 'the end'}'")
        return token.text


def _tokens(text: str) -> list[Token]:
    place, found = _after(text, 0), []
    while place < len(text):
        match = _TOKEN.match(text, place)
        if match is None or match.lastgroup is None:
            raise QueryError(f"Unexpected character near '{text[place : place + 20]}'")
        found.append(Token(match.lastgroup, match[match.lastgroup]))
        place = _after(text, match.end())
    if not found:
        raise QueryError("The query is empty")
    return found


def _after(text: str, place: int) -> int:
    """Where the next token begins, after blanks and comments."""
    match = _SKIP.match(text, place)
    return match.end() if match else place
