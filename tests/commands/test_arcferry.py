"""Every line of arcferry's own that it prints, against its own parser."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
import typer
from tests.commands.texts import Text, printed, written

from arcferry.cli.app import app

ROOT_COMMAND = typer.main.get_command(app)
_CALL = re.compile(r"(?<![\w./@'-])arcferry ((?:[a-z]+)[^\n`|;>&\u3000-\u9fff\uff00-\uffef]*)")
_SENTENCE_ENDS = re.compile(r"(?<=[^-.])[.,:)](?= |$).*")


def command_of(words: list[str]) -> tuple[Any, list[str]]:
    """The command that the words name, None if there is none; and what follows it."""
    found: Any = ROOT_COMMAND
    rest = list(words)
    while rest and rest[0] in getattr(found, "commands", ()):
        found = found.commands[rest.pop(0)]
    runs = not hasattr(found, "commands") or (rest != words and found.invoke_without_command)
    return (found if runs else None), rest


def lines() -> Iterator[Text]:
    for one in (*written(), *printed()):
        for found in _CALL.finditer(one.text):
            yield Text(one.where, _SENTENCE_ENDS.sub("", found[1]).strip().rstrip(".,:;"))


EVERY = tuple(one for one in dict.fromkeys(lines()) if " -" in one.text)


@pytest.mark.parametrize("line", EVERY, ids=lambda one: f"{one.where}-{one.text[:50]}")
def test_arcferry_has_the_options_that_it_prints(line: Text) -> None:
    command, rest = command_of(line.text.split())
    assert command is not None, line
    options = {name for one in command.params if not getattr(one, "hidden", False)
               for name in (*one.opts, *one.secondary_opts)} | {"--help"}  # fmt: skip
    every = options | {name for one in ROOT_COMMAND.params for name in one.opts}
    for word in " ".join(rest).partition(" -- ")[0].split():
        name = word.partition("=")[0]
        if re.fullmatch(r"--[a-z][a-z-]+|-[a-z]", name):
            assert name in every, line


def test_there_are_lines_to_look_at() -> None:
    assert len(EVERY) > 20
