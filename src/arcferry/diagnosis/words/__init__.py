"""What arcferry says of each cause, as data: one file a family, one entry a cause, one folder a language."""

import re
import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from arcferry.command_line import Does
from arcferry.language import ENGLISH, over, spoken

_FOLDER = Path(__file__).parent
PLACEHOLDERS = {
    "arc_location": "LOCATION",
    "circuit": "CIRCUIT",
    "circuit_group": "RESOURCE-GROUP",
    "filter": "ROUTE-FILTER",
    "filter_group": "RESOURCE-GROUP",
    "msee": "MSEE-ADDRESS",
}
"""What stands in the ways to have evidence for what no evidence at hand tells."""
_NOTHING_KNOWN: Mapping[str, str] = {}
_FIELD = re.compile(r"\{([A-Za-z][a-z_]*)\}")
_CHINESE = re.compile(r"[\u3001-\u9fff\uff01-\uff60]")


@dataclass(frozen=True, slots=True)
class Piece:
    """A step, a command or the letter of an entry.

    Attributes:
        text: with named values in braces; of one that is a name in braces alone, several pieces come.
        when: the named value that must be there; `not NAME` for one that must not; empty for always.
        tool: whose command line it is; empty for a step or a letter.
        each: the named value of which each text gives a command of its own.
        does: whether a command reads or changes; counts for nothing else.
    """

    text: str
    when: str = ""
    tool: str = ""
    each: str = ""
    does: Does = Does.CHANGES


@dataclass(frozen=True, slots=True)
class Entry:
    """The words of one cause. Named values stand in braces; the docstring of `values.py` has their names.

    Attributes:
        title: what is wrong, without names.
        headline: a finding's title, with names.
        summary: what to do, in one sentence.
        request: the letter to the owner, its subject in the first line; empty if the owner is the reader.
        to: who gets the letter, if that is not the owner: another team, or somebody by name.
        meaning: what is wrong and why it looks as it does.
        tells: what arcferry concludes it from.
        symptom: a sample of what somebody sees: lines of the agent, a check, a router or a log.
        evidence: lines of evidence that the rule adds, by their keys: who says so if it is no document,
            and what.
        choices: of a named value, the words for each of its values.
    """

    title: str
    headline: str
    summary: str
    steps: tuple[Piece, ...]
    commands: tuple[Piece, ...]
    request: Piece
    to: str
    meaning: str
    tells: str
    symptom: str
    evidence: Mapping[str, tuple[str, str]]
    choices: Mapping[str, Mapping[str, str]]

    @property
    def fields(self) -> frozenset[str]:
        """Every named value that the entry's texts use."""
        texts = [
            self.headline,
            self.summary,
            self.request.text,
            *(says for _, says in self.evidence.values()),
        ]
        texts += [piece.text for piece in (*self.steps, *self.commands)]
        texts += [text for words in self.choices.values() for text in words.values()]
        return frozenset(name for text in texts for name in fields(text))


def entry(slug: str) -> Entry:
    """The words of the cause with this slug, in the language that is spoken.

    Raises:
        KeyError: there is no such entry.
    """
    whole = family(slug.partition("/")[0])
    found = whole[slug]
    tables = (family("common"), whole, found)
    return Entry(
        title=found["title"],
        headline=found.get("headline", whole.get("headline", found["title"])),
        summary=_flowing(found.get("summary", "")),
        steps=tuple(_piece(one, _flowing) for one in _with_shared(found, whole, "steps")),
        commands=tuple(map(_command, _with_shared(found, whole, "commands"))),
        request=_piece(found.get("request", ""), _trimmed),
        to=found.get("to", ""),
        meaning=_flowing(found["meaning"]),
        tells=_flowing(found["tells"]),
        symptom=_trimmed(found.get("symptom", "")),
        evidence={key: _line(one) for table in tables for key, one in table.get("evidence", {}).items()},
        choices={name: choice for table in tables for name, choice in table.get("choices", {}).items()},
    )


def family(name: str) -> dict[str, Any]:
    """Everything in a family's file, in the language that is spoken.

    Entries by slug; a `headline`, `choices` and `evidence` for those that have none of their own, `steps` and
    `commands` by the names that stand for them, `sample` values for pages. `choices` and `evidence` in
    `common` are every family's. What a language does not say again is English: commands, names of tools.
    """
    return _family(name, spoken())


@cache
def _family(name: str, language: str) -> dict[str, Any]:
    path = _FOLDER / language / f"{name}.toml"
    if language == ENGLISH:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    translated = tomllib.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    return over(_family(name, ENGLISH), translated)


def filled(template: str, value: Callable[[str], str]) -> str:
    """The template with `value(name)` in place of each `{name}`; other braces stay as they are.

    Beside a name a Chinese template has a space, which falls away where the value is Chinese too.
    """
    made, *pieces = _FIELD.split(template)
    for name, text in zip(pieces[::2], pieces[1::2], strict=True):
        made = _put_after(_put_after(made, value(name)), text)
    return made


def _put_after(left: str, right: str) -> str:
    if left[-1:] == " " and _CHINESE.match(left[-2:-1]) and _CHINESE.match(right):
        return left[:-1] + right
    if right[:1] == " " and _CHINESE.match(left[-1:]) and _CHINESE.match(right[1:2]):
        return left + right[1:]
    return left + right


def fields(template: str) -> frozenset[str]:
    """The names that stand in braces in the template."""
    return frozenset(_FIELD.findall(template))


def field_alone(template: str) -> str:
    """The name, if the template is nothing but one name in braces; else empty."""
    found = _FIELD.fullmatch(template.strip())
    return found[1] if found else ""


def how_to_get(known: Mapping[str, str] = _NOTHING_KNOWN) -> Mapping[str, str]:
    """How each kind of evidence is had, by the kinds of `evidence.case.Kind`.

    Args:
        known: what stands in commands in place of `PLACEHOLDERS`, as it stands in a command line.
    """
    found: Mapping[str, str] = family("common")["how_to_get"]
    return {kind: filled(text, {**PLACEHOLDERS, **known}.__getitem__) for kind, text in found.items()}


def _with_shared(found: Mapping[str, Any], whole: Mapping[str, Any], name: str) -> Iterator[Any]:
    """The steps or commands of an entry; in place of a name in braces those that the family shares by it."""
    shared = whole.get(name, {})
    for one in found.get(name, ()):
        yield from shared.get(field_alone(one), (one,)) if isinstance(one, str) else (one,)


def _flowing(text: str) -> str:
    return " ".join(text.split())


def _trimmed(text: str) -> str:
    return text.strip("\n")


def _piece(value: str | Mapping[str, str], laid_out: Callable[[str], str]) -> Piece:
    if isinstance(value, str):
        return Piece(laid_out(value))
    return Piece(laid_out(value["text"]), value.get("when", ""))


def _line(value: str | Mapping[str, str]) -> tuple[str, str]:
    return ("", value) if isinstance(value, str) else (value["origin"], value["says"])


def _command(value: str | Mapping[str, str]) -> Piece:
    """A command's table has its tool for a key, such as `{ does = "reads", az = "az account show" }`."""
    if isinstance(value, str):
        return Piece(value)
    (tool,) = set(value) - {"when", "each", "does"}
    text, does = _trimmed(value[tool]), Does(value["does"])
    return Piece(text, value.get("when", ""), tool, value.get("each", ""), does)
