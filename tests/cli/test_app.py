"""What holds for every command: its help, its options, its settings from the environment."""

import re
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from arcferry.cli.app import RENAMED, app


def commands(group: Any, *words: str) -> Iterator[tuple[tuple[str, ...], Any]]:  # noqa: ANN401  # typer's own
    yield words, group
    for name, command in getattr(group, "commands", {}).items():
        yield from commands(command, *words, name)


COMMANDS = dict(commands(typer.main.get_command(app)))
# The twin is a distribution of its own, with options of its own.
OURS = {words: command for words, command in COMMANDS.items() if words[:1] != ("lab",)}


TWO_MEANINGS = {
    "--since": "a time, for a history; an older file, for a sheet of rules",
    "--inventory": "the servers that a command is about; for a watch, those that look",
    "--site": "the servers of a site; what was watched from a site",
    "--resolver": "the one that is asked; for a watch several, of a site each",
    "--replace": "a bundle that lies there; tags that are there",
}


def options(words: tuple[str, ...]) -> Iterator[Any]:
    """What a command's help shows."""
    context = typer.Context(COMMANDS[words], help_option_names=["-h", "--help"])
    for option in COMMANDS[words].get_params(context):
        if option.param_type_name == "option" and not option.hidden:
            yield option


def written(command: Any) -> str:  # noqa: ANN401  # typer's own
    """Every text of a command's help, as its source has it."""
    texts = (text for option in command.params for text in (option.metavar, getattr(option, "help", "")))
    return " ".join(filter(None, (command.help, *texts)))


def test_two_options_of_one_name_are_one_option() -> None:
    """The same help, default, metavar and variables, in whichever command it stands."""
    declared = defaultdict(set)
    for words in OURS:
        for option in options(words):
            default = option.default or None  # a list and a single value begin alike
            facts = (tuple(option.opts), option.help, default, option.metavar, str(option.envvar))
            declared[max(option.opts, key=len)].add(facts)
    several = {name for name, facts in declared.items() if len(facts) > 1}
    assert several == set(TWO_MEANINGS)
    assert len(declared) > 70


def test_a_variable_belongs_to_one_option() -> None:
    heard = defaultdict(set)
    for words in OURS:
        for option in options(words):
            names = [option.envvar] if isinstance(option.envvar, str) else option.envvar or []
            for name in names:
                heard[name].add(option.opts[0])
    assert {name: found for name, found in heard.items() if len(found) > 1} == {}
    odd = {name: found.pop() for name, found in heard.items() if name.startswith("ARCFERRY_")}
    for name, option in odd.items():
        assert name == "ARCFERRY_" + option[2:].replace("-", "_").upper() or name == "ARCFERRY_SSH_USER"


def test_a_location_is_set_once_for_every_command() -> None:
    found = {words: one.envvar for words in OURS for one in options(words) if "--location" in one.opts}
    assert len(found) > 10
    assert set(found.values()) == {"ARCFERRY_LOCATION"}


@pytest.mark.parametrize("words", [("routes", "plan"), ("routes", "firewall")], ids=" ".join)
def test_a_location_from_the_environment_is_not_asked_for(words: tuple[str, ...]) -> None:
    done = CliRunner().invoke(app, words, env={"ARCFERRY_LOCATION": "eastasai", "ARCFERRY_DATA": "/nowhere"})
    assert "eastasai" in str(done.exception), done.output


@pytest.mark.parametrize("words", COMMANDS, ids=lambda words: " ".join(words) or "arcferry")
def test_help_is_told_for_both_spellings_and_shows_no_type_after_a_flag(words: tuple[str, ...]) -> None:
    env = {"COLUMNS": "200", "TERM": "dumb"}
    short, long = (CliRunner().invoke(app, [*words, flag], env=env) for flag in ("-h", "--help"))
    assert short.exit_code == long.exit_code == 0
    assert short.stdout == long.stdout
    assert "-h" in short.stdout
    assert "<bool>" not in short.stdout


@pytest.mark.parametrize("words", [words for words in OURS if not hasattr(COMMANDS[words], "commands")])
def test_every_command_can_say_what_it_does_and_takes_a_site_file(words: tuple[str, ...]) -> None:
    spellings = {spelling for option in options(words) for spelling in option.opts}
    assert {"-v", "--verbose", "-q", "--quiet", "--config"} <= spellings


@pytest.mark.parametrize(
    ("path", "old", "new"), [(path, *pair) for path, names in RENAMED.items() for pair in names.items()]
)
def test_a_spelling_of_old_works_and_is_not_shown(path: str, old: str, new: str) -> None:
    command = COMMANDS[tuple(path.split())]
    shown, hidden = (next(one for one in command.params if name in one.opts) for name in (new, old))
    assert (shown.hidden, hidden.hidden) == (False, True)
    context = typer.Context(command, resilient_parsing=True)
    taken = [] if shown.is_flag else ["7" if "VERSION" in shown.name.upper() else "value"]
    command.parse_args(context, [old, *taken])
    before = dict(context.params)
    context = typer.Context(command, resilient_parsing=True)
    command.parse_args(context, [new, *taken])
    assert before == context.params
    assert context.params[shown.name]


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


def test_a_command_loads_nothing_of_the_others() -> None:
    code = (
        "import sys; from arcferry.cli.app import app\n"
        "try: app(['--version'])\n"
        "except SystemExit: pass\n"
        "print(sorted(name for name in sys.modules if name.startswith('arcferry.')))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = ["arcferry.cli", "arcferry.cli.app", "arcferry.cli.signals"]
    assert done.stdout.splitlines()[-1] == str(loaded)
