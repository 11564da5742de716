"""What holds for every command: its help, its settings from the environment."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from arcferry.cli.app import app
from arcferry.cli.options import LOCATION_VARIABLE


def commands(group: Any, *words: str) -> Iterator[tuple[tuple[str, ...], Any]]:  # noqa: ANN401  # typer's own
    yield words, group
    for name, command in getattr(group, "commands", {}).items():
        yield from commands(command, *words, name)


COMMANDS = dict(commands(typer.main.get_command(app)))


def written(command: Any) -> str:  # noqa: ANN401  # typer's own
    """Every text of a command's help, as its source has it."""
    texts = (text for option in command.params for text in (option.metavar, getattr(option, "help", "")))
    return " ".join(filter(None, (command.help, *texts)))


def test_a_location_is_set_once_for_every_command() -> None:
    """But for the lab's own machines, which lie where the twin is told to."""
    found = {
        words: option.envvar
        for words, command in COMMANDS.items()
        for option in command.params
        if "--location" in option.opts
    }
    assert len(found) >= 8
    assert found == dict.fromkeys(found, LOCATION_VARIABLE) | {("lab", "up"): None}


@pytest.mark.parametrize("words", [("routes", "plan"), ("routes", "firewall")], ids=" ".join)
def test_a_location_from_the_environment_is_not_asked_for(words: tuple[str, ...]) -> None:
    done = CliRunner().invoke(app, words, env={LOCATION_VARIABLE: "eastasai", "ARCFERRY_DATA": "/nowhere"})
    assert "eastasai" in str(done.exception), done.output


@pytest.mark.parametrize(
    "words", [words for words, command in COMMANDS.items() if "\\" in written(command)], ids=" ".join
)
def test_help_shows_paths_as_they_are_typed(words: tuple[str, ...]) -> None:
    """Markdown would take a backslash for its own mark: a UNC path begins with two."""
    done = CliRunner().invoke(app, [*words, "--help"], env={"COLUMNS": "400", "TERM": "dumb"})
    paths = re.findall(r"[\w$\\:]*\\[\w$\\]+", written(COMMANDS[words]))
    assert paths
    for path in paths:
        assert re.search(rf"(?<![\\\w]){re.escape(path)}(?![\\\w$])", done.output), path


def test_a_wrong_value_is_shown_as_it_was_given() -> None:
    words = ["collect", "x", "--output", r"\\fs01\x"]
    done = CliRunner().invoke(app, words, env={"COLUMNS": "400", "TERM": "dumb"})
    assert done.exit_code == 2
    assert r"'\\fs01\x' is not one of 'table'" in done.output
