"""The commands of the letters, filled with what a site has said."""

import tomllib
from collections.abc import Iterable, Mapping
from functools import cache
from importlib import resources

from arcferry import command_line, rights
from arcferry.bundle.guide.commands import CommandBox, CommandLine
from arcferry.command_line import Does, Word
from arcferry.prepare.site import Site


@cache
def _commands() -> Mapping[Does, Mapping[str, list[str]]]:
    text = resources.files(__package__).joinpath("commands.toml").read_text(encoding="utf-8")
    document = tomllib.loads(text)
    return {does: document[does.value] for does in Does}


def boxes_of(site: Site) -> dict[str, CommandBox]:
    """Every box by its name: those of `commands.toml`, and `give` and `take` for the role of each task."""
    words = _words(site)
    boxes = {
        name: _box(texts, words, does) for does, known in _commands().items() for name, texts in known.items()
    }
    for task in rights.rights().task:
        lines = rights.assignment(task, site.place)
        for name, keys in (("give", ("create", "assign")), ("take", ("undo", "remove"))):
            made = tuple(CommandLine(lines[key]) for key in keys)
            boxes[f"{name}-{task.name}"] = CommandBox(None, made, Does.CHANGES)
    return boxes


def _words(site: Site) -> dict[str, Word]:
    return {
        "location": command_line.location(site.region.name),
        "cloud": command_line.word(site.cloud.name, "CLOUD"),
        "subscription": command_line.guid(site.subscription, "SUBSCRIPTION"),
        "group": command_line.group(site.group),
        "circuit": command_line.resource(site.circuit, "CIRCUIT"),
        "group_scope": Word(site.place.scope(rights.Scope.GROUP)),
    }


def _box(texts: Iterable[str], words: Mapping[str, Word], does: Does) -> CommandBox:
    lines = []
    for text in texts:
        used = {name: word for name, word in words.items() if f"{{{name}}}" in text}
        lines.append(CommandLine(command_line.line(text, **used)))
    return CommandBox(None, tuple(lines), does)
