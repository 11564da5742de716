"""Every word of a page that no document brings, one TOML file a language."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from importlib import resources
from typing import Any

from arcferry.diagnosis.words import filled
from arcferry.language import ENGLISH, over, spoken
from arcferry.report.page.page import Again, Cause, Move


@dataclass(frozen=True, slots=True)
class Words:
    """The words of one language, by section and key: `words("answer.run", good=3)`."""

    table: Mapping[str, Any]

    def __call__(self, key: str, **values: object) -> str:
        """The text, with these values in its braces.

        Raises:
            KeyError: there is no such text, or a value is missing.
        """
        section, _, name = key.partition(".")
        return filled(str(self.table[section][name]), lambda field: str(values[field]))

    def of(self, section: str, word: str) -> str:
        """The text for a word of a document; the word itself where there is none."""
        return str(self.table[section].get(word, word))

    def addressee(self, to: str) -> str:
        """Whom a letter goes to: a team by its name, such as `the network team`, anybody else as given."""
        return self("labels.the_team", team=self.table["owners"][to]) if to in self.table["owners"] else to

    def day(self, instant: datetime | None) -> str:
        """`2026-11-23 01:02 UTC`, without a time of day where only the day is known."""
        if instant is None:
            return self("labels.unknown_day")
        text = f"{instant.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
        return text.removesuffix(" 00:00 UTC")

    def moved(self, move: Move) -> str:
        """From where to where a name's answer moved, and between which two looks."""
        values = {"host": move.host, "before": move.before, "after": move.after}
        return self("labels.moved", until=self.day(move.until), since=self.day(move.since), **values)

    def was(self, cause: Cause) -> str:
        """What was broken, and as of when; the title alone where nobody reached it since."""
        return self("answer.was", day=self.day(cause.seen), title=cause.title) if cause.again else cause.title

    def reached_again(self, again: Again) -> str:
        """Who reached it since."""
        day, names = self.day(again.day), again.who
        if names.count == 1:
            return self("labels.again_one", who=names.shown[0], day=day)
        return self("labels.again", count=names.count, day=day)

    def servers(self, count: int) -> str:
        """`1 server`, `12 servers`."""
        return self("labels.hosts_one") if count == 1 else self("labels.hosts_many", count=count)

    def failure(self, told: str) -> str:
        """How an attempt ended, such as `tcp timeout`: what the stage stands for, and the kind as it is."""
        stage, _, kind = told.partition(" ")
        if stage not in self.table["stages"] or not kind:
            return told
        return self("labels.failure", stage=self.of("stages", stage), kind=kind)

    def listed(self, names: tuple[str, ...], most: int = 3) -> str:
        """The first few names, and how many more there are."""
        left = len(names) - most
        return ", ".join(names[:most]) + (f" {self('labels.more', count=left)}" if left > 0 else "")


def load(*packages: str) -> Words:
    """The words of the language that is spoken, with the tables that lie in these packages too."""
    return _load(spoken(), (__package__, *packages))


@cache
def _load(language: str, packages: tuple[str, ...]) -> Words:
    found: dict[str, Any] = {}
    for package in packages:
        text = resources.files(package).joinpath(f"{language}.toml").read_text(encoding="utf-8")
        found |= tomllib.loads(text)
    return Words(found if language == ENGLISH else over(_load(ENGLISH, packages).table, found))
