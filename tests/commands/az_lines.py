"""Lines of `az` in texts, and azure-cli's own parsers, made again of what `scripts/az_reference.py` wrote."""

import json
import re
from argparse import ArgumentParser
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, NoReturn

from tests.commands.texts import Text

REFERENCE: dict[str, Any] = json.loads(Path(__file__).with_name("az.json").read_text(encoding="utf-8"))
_LINE = re.compile(r"(?<![\w/.-])az ((?:[a-z][a-z-]*)(?: [^\n\u3000-\u9fff\uff00-\uffef]*)?)")
_TOKEN = re.compile(r'(?:"[^"]*"|\'[^\']*\'|[^\s"\'])+')
_ENDS = (">", ";", "|", "&&", "`")
_IN_BRACES = re.compile(r"\{+[\w ]+\}+")
_PROSE = ("az", "for", "and", "has", "PowerShell", "itself", "alone", "does", "not", "takes", "or", "stores")
"""Words that follow the tool's name in a sentence: after one of them no command is looked for."""


@dataclass(frozen=True)
class Line:
    """One call of `az` and where it stands."""

    where: str
    text: str

    @property
    def tokens(self) -> list[str]:
        return _TOKEN.findall(self.text)

    @property
    def argv(self) -> list[str]:
        """As a shell gives them to the tool."""
        words = [token.replace('"', "").replace("'", "") for token in self.tokens]
        return words[: words.index(">")] if ">" in words else words

    @property
    def path(self) -> str:
        """The longest command that az has; empty if it has none."""
        words = self.tokens
        found = [" ".join(words[:count]) for count in range(1, 6)]
        return next((path for path in reversed(found) if path in REFERENCE["commands"]), "")

    @property
    def options(self) -> list[str]:
        return [token.partition("=")[0] for token in self.argv if re.match(r"--?[a-zA-Z]", token)]

    @property
    def changes(self) -> bool:
        """Whether it changes anything, by az's own verbs; `rest` by its method."""
        verb = self.path.split()[-1]
        reads = verb.startswith(("list", "show", "get", "login")) or verb == "account"
        return not reads and "get" not in self.argv

    @property
    def is_mention(self) -> bool:
        """Whether a sentence only names the command."""
        return not self.options


def lines(texts: Iterable[Text]) -> tuple[Line, ...]:
    """Every call in the texts, each once."""
    return tuple(dict.fromkeys(line for text in texts for line in calls(text.where, text.text)))


def calls(where: str, text: str) -> Iterator[Line]:
    """Every call in a text, without what follows it on its line."""
    for found in _LINE.finditer(text):
        kept: list[str] = []
        for token in _TOKEN.findall(re.split(r"[`\u2026]", found[1])[0]):
            if token in _ENDS or token.startswith((">", "(")):
                kept.append(token)
                break
            kept.append(token)
            if token.endswith((",", ";", ".", ")", ":")) and not token.startswith("--"):
                kept[-1] = token.rstrip(",;.):")
                break
        if kept[0] not in _PROSE or (len(kept) > 1 and kept[1].startswith("-")):
            yield Line(where, " ".join(kept))


class RefusedError(Exception):
    """What az says of a line that it does not take."""


class _Parser(ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise RefusedError(message)


def options_of(command: str) -> dict[str, str]:
    """What az takes with the command: option strings to what `scripts/az_reference.py` says of them."""
    return REFERENCE["everywhere"] | REFERENCE["commands"][command]


@cache
def _parser(command: str) -> _Parser:
    made = _Parser(prog=command, add_help=False, allow_abbrev=False)
    for strings, said in options_of(command).items():
        nargs, *choices = said.split(" ")
        names = strings.split(" ")
        longest = max(names, key=len)
        if nargs[0] == "0":
            made.add_argument(*names, dest=longest, action="store_true")
        else:
            count = None if nargs[0] == "1" else nargs[0]
            made.add_argument(
                *names, dest=longest, nargs=count, required="!" in nargs, choices=choices or None
            )
    return made


def check(line: Line) -> None:
    """Parse the line as az does.

    Raises:
        RefusedError: az does not take it.
    """
    command = line.path
    if not command:
        raise RefusedError("no command of core az")
    rest = line.argv[len(command.split()) :]
    # A value that is still in braces may be any of the choices.
    for strings, said in options_of(command).items():
        first = said.partition(" ")[2].split(" ")[0]
        for at, token in enumerate(rest[:-1]):
            if first and token in strings.split(" ") and _IN_BRACES.fullmatch(rest[at + 1]):
                rest[at + 1] = first
    given = vars(_parser(command).parse_args(rest))
    if given.get("--ids"):
        return
    lacking = [
        strings for strings, said in options_of(command).items()
        if "^" in said.split(" ")[0] and not given[max(strings.split(" "), key=len)]
    ]  # fmt: skip
    if lacking:
        raise RefusedError(f"({' '.join(lacking)} | --ids) are required")
