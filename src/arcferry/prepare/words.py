"""The letters as they are written: one TOML file a language; the top of `en.toml` tells their form."""

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources

LANGUAGES = ("en", "zh-TW")
SECTIONS = ("what", "why", "rights", "proof", "undo")
"""What every letter says, in this order."""

_CONDITION = re.compile(r"\?(?P<word>[a-z]+)\s+")
_PLACE = re.compile(r"@(?P<kind>run|table) (?P<name>[a-z-]+)")


@dataclass(frozen=True, slots=True)
class Block:
    """A paragraph, an item of a list (`- `), a note (`> `), or a place for a table or for commands.

    Attributes:
        text: Markdown with blanks such as `{{location}}`; empty for a place.
        when: the condition under which it stands; empty for always.
        place: `run` or `table`, and the name of what stands there; empty for a text.
    """

    text: str
    when: str = ""
    place: tuple[str, str] = ("", "")


@dataclass(frozen=True, slots=True)
class Letter:
    """What one team is asked for, before it is about a site."""

    slug: str
    title: str
    sections: Mapping[str, tuple[Block, ...]]


@dataclass(frozen=True, slots=True)
class Words:
    """Everything that is said in one language."""

    language: str
    title: str
    first: tuple[Block, ...]
    labels: Mapping[str, str]
    headings: Mapping[str, str]
    tables: Mapping[str, tuple[str, ...]]
    captions: Mapping[str, str]
    items: Mapping[str, str]
    letters: tuple[Letter, ...]


@cache
def words(language: str) -> Words:
    """What is said in one of `LANGUAGES`."""
    text = resources.files(__package__).joinpath("words", f"{language}.toml").read_text(encoding="utf-8")
    document = tomllib.loads(text)
    letters = (
        Letter(one["slug"], one["title"], {name: tuple(_blocks(one[name])) for name in SECTIONS})
        for one in document["letter"]
    )
    return Words(
        language=document["language"],
        title=document["title"],
        first=tuple(_blocks(document["first"])),
        labels=document["labels"],
        headings=document["headings"],
        tables={name: tuple(heads) for name, heads in document["tables"].items()},
        captions=document["captions"],
        items=document["items"],
        letters=tuple(letters),
    )


def _blocks(body: str) -> Iterator[Block]:
    """The body's blocks; a condition before a list is that of each item."""
    for text in re.split(r"\n{2,}", body.strip()):
        condition = _CONDITION.match(text)
        when, rest = (condition["word"], text[condition.end() :]) if condition else ("", text)
        if place := _PLACE.fullmatch(rest):
            yield Block("", when, (place["kind"], place["name"]))
            continue
        for one in re.split(r"\n(?=- )", rest):
            yield Block(one, when)
