"""A guide's text as it is written, one TOML file a language; see the top of `en.toml` for its form."""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from importlib import resources
from typing import Any

LANGUAGES = ("en", "zh-TW")

_INLINE = re.compile(r"`(?P<code>[^`]+)`|\*\*(?P<strong>[^*]+)\*\*|(?P<plain>[^`*]+|[`*])")
_CONDITION = re.compile(r"\?(?P<word>[a-z]+)\s+(?P<rest>.+)", re.DOTALL)
_DIRECTIVE = re.compile(r"@(?P<kind>run|sample|table) (?P<name>[a-z-]+)")


class Style(StrEnum):
    """How a span of text is set."""

    PLAIN = "plain"
    CODE = "code"
    STRONG = "strong"


@dataclass(frozen=True, slots=True)
class Span:
    """A run of text of one style."""

    text: str
    style: Style = Style.PLAIN


Line = tuple[Span, ...]


@dataclass(frozen=True, slots=True)
class Paragraph:
    """A paragraph; `when` is the condition under which it stands, here and below."""

    line: Line
    when: str = ""


@dataclass(frozen=True, slots=True)
class Note:
    """A paragraph that must not be overlooked."""

    line: Line
    when: str = ""


@dataclass(frozen=True, slots=True)
class Items:
    """A list, each item with its own condition."""

    items: tuple[Paragraph, ...]
    when: str = ""


@dataclass(frozen=True, slots=True)
class Directive:
    """A place for what depends on the bundle: commands to run, a sample of a file, a table."""

    kind: str
    name: str
    when: str = ""


Block = Paragraph | Note | Items | Directive


@dataclass(frozen=True, slots=True)
class Section:
    """A part of the guide; `slug` is the same in every language."""

    slug: str
    heading: str
    blocks: tuple[Block, ...]
    when: str = ""


@dataclass(frozen=True, slots=True)
class Source:
    """A guide in one language, before it is about a bundle."""

    language: str
    title: str
    labels: Mapping[str, str]
    tables: Mapping[str, Mapping[str, str]]
    sections: tuple[Section, ...]


def load_source(language: str) -> Source:
    """The guide in one of `LANGUAGES`."""
    document = load_toml(f"{language}.toml")
    sections = tuple(
        Section(one["slug"], one["heading"], _blocks(one["body"]), one.get("when", ""))
        for one in document["section"]
    )
    return Source(document["language"], document["title"], document["labels"], document["tables"], sections)


def load_toml(name: str) -> dict[str, Any]:
    """A data file that lies beside this one."""
    return tomllib.loads(resources.files(__package__).joinpath(name).read_text(encoding="utf-8"))


def spans(text: str) -> Line:
    """Text with `code` and **strong** parts."""
    found = _INLINE.finditer(text)
    return tuple(Span(match[style], Style(style)) for match in found if (style := match.lastgroup))


def _blocks(body: str) -> tuple[Block, ...]:
    return tuple(_block(*_condition(text)) for text in re.split(r"\n{2,}", body.strip()))


def _block(when: str, text: str) -> Block:
    if directive := _DIRECTIVE.fullmatch(text):
        return Directive(directive["kind"], directive["name"], when)
    if text.startswith("- "):
        items = [_condition(item) for item in text.removeprefix("- ").split("\n- ")]
        return Items(tuple(Paragraph(spans(item), word) for word, item in items), when)
    if text.startswith("! "):
        return Note(spans(text.removeprefix("! ")), when)
    return Paragraph(spans(text), when)


def _condition(text: str) -> tuple[str, str]:
    match = _CONDITION.fullmatch(text)
    return (match["word"], match["rest"]) if match else ("", text)
