"""The guide's text as it is written, one TOML file a language, and what it is for one bundle.

A section's body is Markdown, with conditions and places for what depends on the bundle; the top of `en.toml`
tells their form. What stands in a block is markdown-it's to read (`html`), or shown as it is (`plain`).
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from arcferry.bundle.guide.commands import (
    BundleFacts,
    CommandBox,
    System,
    commands,
    load_toml,
    shown_name,
)
from arcferry.text import fill

LANGUAGES = ("en", "zh-TW")

_CONDITION = re.compile(r"(?:- )?\?(?P<word>[a-z]+)\s+")
_PLACE = re.compile(r"@(?P<kind>run|table) (?P<name>[a-z-]+)")


@dataclass(frozen=True, slots=True)
class MarkdownBlock:
    """A paragraph, an item of a list (`- `), a note (`> `), or `@run` or `@table` with a name.

    Attributes:
        markdown: with blanks such as `{{key_id}}`, until `compose` fills them.
        when: the condition under which it stands; after `compose` the system that it is for, or empty if it
            is for every system of the guide.
    """

    markdown: str
    when: str = ""


@dataclass(frozen=True, slots=True)
class Run:
    """Commands, a box for each system."""

    boxes: tuple[CommandBox, ...]
    when: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of as many cells as there are headers."""

    caption: str
    headers: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    when: str = ""


@dataclass(frozen=True, slots=True)
class Chapter:
    """A section of the guide; `slug` is the same in every language."""

    slug: str
    heading: str
    parts: tuple[MarkdownBlock | Run | Table, ...]
    when: str = ""


@dataclass(frozen=True, slots=True)
class Guide:
    """The guide in one language, before it is about a bundle."""

    language: str
    title: str
    labels: Mapping[str, str]
    tables: Mapping[str, Mapping[str, str]]
    chapters: tuple[Chapter, ...]


def load_guide(language: str) -> Guide:
    """The guide in one of `LANGUAGES`; its chapters consist of blocks only."""
    document = load_toml(f"{language}.toml")
    chapters = tuple(
        Chapter(one["slug"], one["heading"], tuple(_blocks(one["body"])), one.get("when", ""))
        for one in document["section"]
    )
    return Guide(document["language"], document["title"], document["labels"], document["tables"], chapters)


def _blocks(body: str) -> Iterator[MarkdownBlock]:
    """The body's blocks; a condition before a list is that of each item."""
    for text in re.split(r"\n{2,}", body.strip()):
        when, rest = _condition(text)
        for one in re.split(r"\n(?=- )", rest):
            own, markdown = _condition(one)
            yield MarkdownBlock(markdown, own or when)


def _condition(text: str) -> tuple[str, str]:
    if not (match := _CONDITION.match(text)):
        return "", text
    return match["word"], "- " * text.startswith("- ") + text[match.end() :]


def compose(guide: Guide, facts: BundleFacts) -> tuple[Chapter, ...]:
    """The chapters whose conditions hold, with what the bundle's facts put into their places."""
    return tuple(
        replace(chapter, parts=tuple(_composed(block, guide, facts) for block in _kept(chapter, facts)))
        for chapter in guide.chapters
        if facts.holds(chapter.when)
    )


def _kept(chapter: Chapter, facts: BundleFacts) -> Iterator[MarkdownBlock]:
    both = facts.holds("both")
    for block in chapter.parts:
        if isinstance(block, MarkdownBlock) and facts.holds(block.when):
            yield replace(block, when=block.when if both and block.when in tuple(System) else "")


def _composed(block: MarkdownBlock, guide: Guide, facts: BundleFacts) -> MarkdownBlock | Run | Table:
    if not (place := _PLACE.fullmatch(block.markdown)):
        return replace(block, markdown=fill(block.markdown, facts.values))
    if place["kind"] == "run":
        return Run(commands(place["name"], facts))
    words = guide.tables[place["name"]]
    cells = list(_rows(place["name"], facts, guide.labels))
    # A column that no row has anything in is left out, such as the signature if no MSI is packed.
    keys = [key for key in words if any(row.get(key) for row in cells)]
    listed = tuple(tuple(row[key] for key in keys) for row in cells)
    return Table(words["caption"], tuple(words[key] for key in keys), listed)


def _rows(table: str, facts: BundleFacts, labels: Mapping[str, str]) -> Iterator[dict[str, str]]:
    if table == "bundle":
        yield {
            "name": facts.manifest.name,
            "version": str(facts.manifest.version),
            "created": _minute(facts.manifest.created),
            "expires": _minute(facts.manifest.expires),
            "key": facts.key_id,
            "location": facts.location,
            "cloud": facts.cloud if facts.location else "",
        }
    elif table == "agents":
        for agent in sorted(facts.manifest.agents, key=lambda agent: agent.file):
            yield {
                "file": agent.file,
                "version": agent.version,
                "architecture": agent.architecture,
                "sha256": facts.sha256(agent.file),
                "signature": agent.signature,
            }
    else:
        suffixes = {".cer": facts.holds("windows"), ".crt": facts.holds("linux")}
        for stem, one in facts.certificates.items():
            names = [
                suffix for suffix, used in suffixes.items() if used and (suffix == ".cer" or one.for_tls)
            ]
            if names:
                yield {
                    "file": stem + ", ".join(names),
                    "subject": shown_name(one.name),
                    "kind": labels["root" if one.is_root else "intermediate"],
                    "sha1": one.sha1,
                    "sha256": one.sha256,
                }


def _minute(instant: datetime) -> str:
    return f"{instant.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
