"""What stands after the -- of `arcferry serve`: refused before a page is there, or the command of a run."""

import os
import sys
from pathlib import Path

import pytest
from tests.cli.running import Run
from tests.cli.test_onboard import arguments
from tests.serve import made

from arcferry import errors
from arcferry.cli import serve
from arcferry.cli.serve_retry import command_of
from arcferry.files import only_one
from arcferry.language import speaking

__all__ = ["arguments"]


def command(given: dict[str, str]) -> list[str]:
    """A command line without what the page has of itself."""
    pairs = (pair for pair in given.items() if pair[0] != "--state")
    return [word for pair in pairs for word in pair if word != "INVENTORY"]


def test_it_is_the_command_of_that_run_and_nothing_is_kept(arguments: dict[str, str]) -> None:
    state = Path(arguments["--state"])
    with speaking("zh-TW"):
        found = command_of(command(arguments), state)
    assert len(found.run) == 12
    assert found.words == (
        sys.executable, "-P", "-m", "arcferry", "onboard", "retry", "--quiet", "--lang", "zh-TW",
        "--run", found.run, "--state", str(state),
    )  # fmt: skip
    assert list(found.given) == command(arguments)
    assert "hush" not in " ".join(found.given)
    assert not state.exists()
    other = command_of(command(arguments | {"--resource-group": "rg-other"}), state)
    assert other.run != found.run


def test_it_says_who_holds_the_folder_where_another_run_began_meanwhile(
    arguments: dict[str, str], arcferry: Run
) -> None:
    state = Path(arguments["--state"])
    with speaking("zh-TW"):
        found = command_of(command(arguments), state)
    made.tell(made.run(state, made.hosts(1), found.run), *made.failed("web01"))
    program = found.words.index("arcferry") + 1
    with only_one(state, "apply", hint=""):
        ended = arcferry(*found.words[program:], "--failed", *found.given)
    assert (ended.code, ended.out) == (3, "")
    assert f"{state} (process {os.getpid()})" not in ended.err
    assert f"處理序 {os.getpid()}" in ended.err
    assert "停止它" in ended.err


def test_the_site_file_holds_for_it(
    arguments: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    state, (inventory, *others) = Path(arguments.pop("--state")), command(arguments)
    found = command_of([inventory, *others], state)
    kept = ("--bundle", arguments.pop("--bundle"))
    lines = (f'{name[2:]} = "{value}"\n' for name, value in arguments.items() if name != "INVENTORY")
    (tmp_path / "arcferry.toml").write_text("".join(lines))
    monkeypatch.chdir(tmp_path)
    assert command_of([inventory, *kept], state).run == found.run


BROKEN = {
    "no inventory": ({"INVENTORY": "/none.csv"}, "/none.csv: no such file"),
    "no bundle": ({"--bundle": "/none"}, "/none"),
    "which servers": ({"--limit": "web01"}, "chosen on the page"),
    "which site": ({"--site": "taipei"}, "chosen on the page"),
    "another state": ({"--state": "/elsewhere"}, "not those of /elsewhere"),
    "nobody signs in": ({"--secret-file": ""}, "no secret and no certificate"),
}


@pytest.mark.parametrize("case", BROKEN)
def test_what_would_begin_nothing_is_refused(arguments: dict[str, str], case: str) -> None:
    state, (more, says) = Path(arguments.pop("--state")), BROKEN[case]
    given = {name: value for name, value in (arguments | more).items() if value}
    wanted = [word for pair in given.items() for word in pair if word != "INVENTORY"]
    with pytest.raises(errors.ArcferryError, match=says) as refused:
        command_of(wanted, state)
    assert refused.value.exit_code == 2
    assert not state.exists()


@pytest.mark.parametrize("option", ["--failed", "--run", "--cause"])
def test_what_the_page_says_itself_is_no_option(arguments: dict[str, str], option: str) -> None:
    with pytest.raises(Exception, match=f"No such option: {option}"):
        command_of([*command(arguments), option, "x"], Path(arguments["--state"]))


def test_its_help_is_told(arcferry: Run) -> None:
    ended = arcferry("serve", "--allow-actions", "--", "--help")
    assert (ended.code, "--bundle-key" in ended.out, "--failed" in ended.out) == (0, True, False)
    ended = arcferry("serve", "--allow-actions", "--", "servers.csv")
    assert (ended.code, "Missing option" in ended.err) == (2, True)


def test_a_page_that_only_shows_takes_none() -> None:
    with pytest.raises(errors.InputError, match="only shows") as refused:
        serve.serve(["servers.csv"], port=0)
    assert "--allow-actions" in refused.value.hint
