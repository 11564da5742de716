"""What arcferry has put somewhere, and how it is taken away again."""

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from importlib import resources
from types import MappingProxyType
from typing import Any

from arcferry.text import fill, one_line


class TraceKind(StrEnum):
    """What it is, in the order in which it is taken away: servers need the identity, and are remembered."""

    SERVERS = "servers"
    EXPORT = "export"
    WATCH = "watch"
    IDENTITY = "identity"
    COMMUNITIES = "communities"
    MEMORY = "memory"
    DATA = "data"


class TraceState(StrEnum):
    """What becomes of it. Listed: it is somebody else's to take away; kept: something stands in the way."""

    LISTED = "listed"
    PLANNED = "planned"
    REMOVED = "removed"
    KEPT = "kept"


@dataclass(frozen=True, slots=True)
class Trace:
    """One thing that is somewhere because of arcferry.

    Attributes:
        name: what it is called there.
        where: the place: a folder, a file, a scope.
        says: what is known of it.
        owner: the team that takes it away: server, network or identity; `here` for whoever runs arcferry.
        steps: how, in the order in which it is done.
        commands: for its owner to run.
        state: what arcferry itself does with it.
        hint: the way out, where something stands in the way.
    """

    kind: TraceKind
    name: str
    where: str
    says: str
    owner: str
    steps: tuple[str, ...]
    commands: tuple[str, ...]
    state: TraceState = TraceState.LISTED
    hint: str = ""


@cache
def _words() -> Mapping[str, Mapping[str, Any]]:
    text = resources.files(__package__).joinpath("words.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


def trace(
    kind: TraceKind,
    name: str,
    where: str,
    says: str,
    *,
    words: str = "",
    commands: Iterable[str] = (),
    blanks: Mapping[str, str] = MappingProxyType({}),
) -> Trace:
    """What was found, with the words on how it is taken away.

    Args:
        kind: what it is.
        name: what it is called.
        where: the place.
        says: what is known of it.
        words: the entry of the words, where it is not the kind's.
        commands: beside those of the words.
        blanks: what the words leave out.
    """
    entry = _words()[words or kind.value]
    shown = {key: one_line(value) for key, value in blanks.items()}
    return Trace(
        kind,
        one_line(name),
        one_line(where),
        one_line(says, limit=900),
        entry["owner"],
        tuple(filter(None, (fill(step, shown) for step in entry["steps"]))),
        (*(fill(command, shown) for command in entry.get("commands", ())), *commands),
    )
