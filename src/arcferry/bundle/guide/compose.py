"""From the guide's text and a bundle to what is to be read, whatever the form.

Here `when` is the system that a part is for, and empty where it is for every system of the guide.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from arcferry.bundle.guide.commands import Commands, certificates, commands, fill, place, sample
from arcferry.bundle.guide.packed import Packed, System
from arcferry.bundle.guide.source import Directive, Items, Line, Note, Paragraph, Section, Source


@dataclass(frozen=True, slots=True)
class Run:
    """Commands, each group with its system."""

    groups: tuple[Commands, ...]


@dataclass(frozen=True, slots=True)
class Sample:
    """A file to write."""

    text: str
    when: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of as many cells as there are headers."""

    caption: str
    headers: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    when: str = ""


Part = Paragraph | Note | Items | Run | Sample | Table


@dataclass(frozen=True, slots=True)
class Chapter:
    """A section about one bundle."""

    slug: str
    heading: str
    parts: tuple[Part, ...]


def compose(source: Source, packed: Packed) -> tuple[Chapter, ...]:
    """The sections whose conditions hold, with the bundle's facts in them."""
    return tuple(_chapter(one, source, packed) for one in source.sections if packed.holds(one.when))


def _chapter(section: Section, source: Source, packed: Packed) -> Chapter:
    return Chapter(section.slug, section.heading, tuple(_parts(section, source, packed)))


def _system(when: str, packed: Packed) -> str:
    """What a reader is told of a condition: the system, where the guide is about both."""
    return when if when in tuple(System) and packed.holds("both") else ""


def _parts(section: Section, source: Source, packed: Packed) -> Iterator[Part]:
    for block in section.blocks:
        if not packed.holds(block.when):
            continue
        match block:
            case Directive():
                yield _directed(block, source, packed)
            case Items():
                kept = tuple(
                    Paragraph(_filled(item.line, packed), _system(item.when, packed))
                    for item in block.items
                    if packed.holds(item.when)
                )
                yield Items(kept, _system(block.when, packed))
            case _:
                yield replace(block, line=_filled(block.line, packed), when=_system(block.when, packed))


def _filled(line: Line, packed: Packed) -> Line:
    values = place(packed) | {"key_id": packed.key_id, "version": str(packed.version)}
    return tuple(replace(span, text=fill(span.text, values)) for span in line)


def _directed(directive: Directive, source: Source, packed: Packed) -> Part:
    when = _system(directive.when, packed)
    if directive.kind == "run":
        return Run(commands(directive.name, packed))
    if directive.kind == "sample":
        return Sample(sample(directive.name, packed), when)
    words = source.tables[directive.name]
    tables = {"bundle": _bundle_rows, "agents": _agent_rows, "certificates": _certificate_rows}
    keys, rows = tables[directive.name](packed, source.labels)
    return Table(words["caption"], tuple(words[key] for key in keys), rows, when)


_Rows = tuple[tuple[str, ...], tuple[tuple[str, ...], ...]]


def _bundle_rows(packed: Packed, _labels: Mapping[str, str]) -> _Rows:
    values = {
        "version": str(packed.version),
        "created": _day(packed.created),
        "expires": _day(packed.expires),
        "key": packed.key_id,
        "location": packed.location,
        "cloud": packed.cloud if packed.location else "",
    }
    kept = {key: text for key, text in values.items() if text}
    return tuple(kept), (tuple(kept.values()),)


def _agent_rows(packed: Packed, _labels: Mapping[str, str]) -> _Rows:
    agents = sorted(packed.agents, key=lambda agent: agent.file)
    rows = [(one.file, one.version, one.architecture, packed.sha256(one.file)) for one in agents]
    keys: tuple[str, ...] = ("file", "version", "architecture", "sha256")
    if any(agent.signature for agent in agents):
        return (*keys, "signature"), tuple(
            (*row, one.signature) for row, one in zip(rows, agents, strict=True)
        )
    return keys, tuple(rows)


def _certificate_rows(packed: Packed, labels: Mapping[str, str]) -> _Rows:
    rows = []
    for one in certificates(packed):
        file = one.file if packed.holds("windows") else one.linux_file
        if file:
            also = ", .crt" if file == one.file and one.linux_file and packed.holds("linux") else ""
            kind = labels["root" if one.root else "intermediate"]
            rows.append((file + also, one.subject, kind, one.sha1, one.sha256))
    return ("file", "subject", "kind", "sha1", "sha256"), tuple(rows)


def _day(instant: datetime) -> str:
    return f"{instant.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
