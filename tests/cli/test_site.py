"""The site file: where it is found, what stands above it, and what it refuses."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
import typer
from tests.cli.test_app import COMMANDS, OURS
from typer.testing import CliRunner, Result

from arcferry.cli import site
from arcferry.cli.app import app
from arcferry.errors import ArcferryError, FileInputError

Write = Callable[[str], Path]


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Write:
    """A site file in the current folder."""
    folder = tmp_path / "site"
    folder.mkdir()
    monkeypatch.chdir(folder)
    for name in [name for name in os.environ if name.startswith(("ARCFERRY_", "AZURE_"))]:
        if name not in ("ARCFERRY_DATA", "ARCFERRY_STATE", "ARCFERRY_TOOLS"):
            monkeypatch.delenv(name)

    def written(text: str) -> Path:
        path = folder / site.NAME
        path.write_text(text)
        path.chmod(0o644)
        return path

    return written


def run(*words: str, **env: str) -> Result:
    return CliRunner().invoke(app, words, env=env)


def refused(*words: str) -> ArcferryError:
    error = run(*words).exception
    assert isinstance(error, FileInputError)
    return error


def taken(command: str, *typed: str, **env: str) -> dict[str, object]:
    """What each option comes to, without running the command."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in env.items():
            patch.setenv(name, value)
        found = COMMANDS[tuple(command.split())]
        context = typer.Context(found)
        required = ["INVENTORY", "--bundle", "b", "--bundle-key", "k", "--known-hosts", "h"]
        required += ["--subscription-id", "s", "--resource-group", "g"]
        found.parse_args(context, [*required, *typed])
        return context.params


# Of each setting: its key, its value in the file, in the environment and on the command line.
SETTINGS = {
    "location": ('"eastasia"', "japaneast", "koreacentral"),
    "cloud": ('"AzureCloud"', "AzureChinaCloud", "AzureUSGovernment"),
    "tenant-id": ('"file.example"', "variable.example", "option.example"),
    "client-id": ('"file"', "variable", "option"),
    "proxy": ('"http://file:1"', "http://variable:1", "http://option:1"),
    "arm-url": ('"https://file"', "https://variable", "https://option"),
    "secret-file": ('"/file"', "/variable", "/option"),
    "certificate": ('"/file"', "/variable", "/option"),
    "ssh-key": ('"/file"', "/variable", "/option"),
    "ca-file": ('"/file"', "/variable", "/option"),
    "transport": ('"winrm"', "ssh", "winrm"),
    "auth": ('"ntlm"', "kerberos", "basic"),
    "host-port": ("5986", "5985", "2222"),
}


@pytest.mark.parametrize("key", SETTINGS)
def test_option_beats_environment_beats_file(write: Write, key: str) -> None:
    in_file, in_environment, typed = SETTINGS[key]
    name, variable = key.replace("-", "_"), "ARCFERRY_" + key.replace("-", "_").upper()
    basics = 'location = "eastasia"\ntenant-id = "t"\n'
    basics = "".join(line for line in basics.splitlines(keepends=True) if not line.startswith(key))
    write(f"{basics}{key} = {in_file}\n")
    assert str(taken("onboard plan")[name]) == in_file.strip('"')
    assert str(taken("onboard plan", **{variable: in_environment})[name]) == in_environment
    assert str(taken("onboard plan", f"--{key}", typed, **{variable: in_environment})[name]) == typed


@pytest.mark.parametrize(
    ("typed", "env", "kept"),
    [
        ([], {}, "/file.pem"),
        (["--secret-file", "/mine"], {}, "None"),
        (["--secret-env", "MINE"], {}, "None"),
        ([], {"ARCFERRY_SECRET_FILE": "/mine"}, "None"),
    ],
)
def test_a_secret_named_nearer_at_hand_stands_above_the_file_s_certificate(
    write: Write, typed: list[str], env: dict[str, str], kept: str
) -> None:
    write('location = "eastasia"\ntenant-id = "t"\ncertificate = "/file.pem"\n')
    assert str(taken("onboard plan", *typed, **env)["certificate"]) == kept


def test_a_resolver_and_tags_are_lists_where_a_command_takes_several(write: Write) -> None:
    write('location = "eastasia"\ntenant-id = "t"\nresolver = "10.0.0.53"\ntags = ["site=taipei", "a=b"]\n')
    assert [*taken("onboard plan")["tags"]] == ["site=taipei", "a=b"]
    context = typer.Context(COMMANDS["watch",])
    COMMANDS["watch",].parse_args(context, [])
    assert [*context.params["resolver"]] == ["10.0.0.53"]


def test_a_location_that_no_list_has_may_pass_for_a_whole_site(write: Write) -> None:
    write('location = "denmarkwest"\nlocation-unlisted = true\n')
    done = run("routes", "firewall")
    assert done.exit_code == 0
    assert "denmarkwest is in no list" in done.stderr


def test_the_nearest_file_above_is_used_and_named(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write('location = "eastasai"\n')
    below = path.parent / "a" / "b"
    below.mkdir(parents=True)
    monkeypatch.chdir(below)
    done = run("routes", "plan", "-v")
    assert "eastasai" in str(done.exception)
    assert f"arcferry: site-file path={path}\n" in done.stderr
    (below.parent / site.NAME).write_text('location = "nearer"\n')
    assert "nearer" in str(run("routes", "plan").exception)


def test_a_named_file_stands_above_the_found_one(write: Write, tmp_path: Path) -> None:
    write('location = "found"\n')
    other = tmp_path / "other.toml"
    other.write_text('location = "named"\n')
    assert "named" in str(run("routes", "plan", "--config", str(other)).exception)
    done = run("routes", "plan", "-v", ARCFERRY_CONFIG=str(other))
    assert "named" in str(done.exception)
    assert f"site-file path={other}" in done.stderr
    assert "no such file" in refused("routes", "plan", "--config", "/none.toml").message


def test_which_file_was_used_is_told_in_any_order(write: Write) -> None:
    path = write("")
    for words in (("-v", "--config", str(path)), ("--config", str(path), "-v")):
        assert run("routes", "plan", *words).stderr.count("site-file path=") == 1


def test_paths_are_taken_from_the_file_s_folder(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write('location = "eastasia"\ntenant-id = "t"\nssh-key = "keys/id"\nca-file = "~/ca.pem"\n')
    below = path.parent / "below"
    below.mkdir()
    monkeypatch.chdir(below)
    monkeypatch.setenv("HOME", "/home/me")
    found = taken("onboard plan")
    assert str(found["ssh_key"]) == str(path.parent / "keys/id")
    assert str(found["ca_file"]) == "/home/me/ca.pem"


REFUSED = {
    "no TOML": ("\nlocation = eastasia", 2, "is not TOML", 'location = "eastasia"'),
    "digits": ("location = " + "9" * 5000, None, "is not TOML", ""),
    "brackets": ("location = " + "[" * 5000, None, "is not TOML", ""),
    "unknown": ("\n\nlocatoin = 'x'", 3, "unknown key 'locatoin'", "location"),
    "of a section": ("[onboard]\nlocation = 'x'", 1, "unknown key 'onboard'", "Known: "),
    "auth": ("\nauth = 'digest'", 2, "auth 'digest' is not known", ""),
    "secret": ("client-secret = 'hush~1'", 1, "client-secret is a secret", "secret-file"),
    "password": ("[password]\nof = 'hush~1'", 1, "password is a secret", "secret-file"),
    "secret for its variable": ("secret-env = 'hush~1'", 1, "secret-env is not the name of a", "secret-file"),
    "proxy with a password": ("proxy = 'http://u:hush~1@p:1'", 1, "proxy holds a user", "ARCFERRY_PROXY"),
    "number": ("location = 1", 1, "location is not text in quotes", ""),
    "empty": ("location = ''", 1, "location is not text in quotes", ""),
    "flag": ("location-unlisted = 'yes'", 1, "location-unlisted is not true or false", ""),
    "tags": ("tags = { site = 'taipei' }", 1, 'tags is not a list of texts such as ["site=taipei"]', ""),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_wrong_in_it_is_named_with_its_line_and_without_its_value(write: Write, case: str) -> None:
    text, line, says, hint = REFUSED[case]
    path = write(text)
    error = refused("routes", "plan")
    assert error.message.startswith(f"{path}:{line}: {says}" if line else f"{path}: {says}")
    assert hint in error.hint
    assert "hush" not in error.message + error.hint
    assert error.exit_code == 2


@pytest.mark.parametrize("mode", [0o666, 0o664])
def test_a_file_that_others_can_write_is_not_used_unless_it_is_named(write: Write, mode: int) -> None:
    path = write('location = "eastasai"\n')
    path.chmod(mode)
    error = refused("routes", "plan")
    assert f"{path}: others can write it" in error.message
    assert f"chmod go-w {path}" in error.hint
    assert "eastasai" in str(run("routes", "plan", "--config", str(path)).exception)


def test_a_file_of_another_user_is_not_used(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write('location = "eastasai"\n')
    mine = path.stat().st_uid
    if mine == 0:
        os.chown(path, 12345, -1)
    else:
        monkeypatch.setattr(os, "getuid", lambda: mine + 1)
    error = refused("routes", "plan")
    assert f"{path}: belongs to another user" in error.message
    assert f"--config {path}" in error.hint


@pytest.mark.skipif(os.getuid() != 0, reason="only root gives a link to another user")
def test_a_link_of_another_user_is_not_followed(write: Write) -> None:
    path = write("")
    own = path.rename(path.with_name("own.toml"))
    path.symlink_to(own)
    assert run("routes", "plan").exit_code == 2  # without a location, and not because of the link
    os.chown(path, 12345, -1, follow_symlinks=False)
    assert "belongs to another user" in refused("routes", "plan").message


def test_a_folder_that_is_gone_has_no_site_file(write: Write) -> None:
    folder = write("").parent / "gone"
    folder.mkdir()
    os.chdir(folder)
    folder.rmdir()
    assert "eastasai" in str(run("routes", "plan", "-l", "eastasai").exception)


def test_a_command_that_takes_nothing_of_it_does_not_read_it(write: Write) -> None:
    write("nonsense")
    assert run("data", "show").exit_code == 0
    assert "nonsense" not in run("data", "show").output


def test_init_writes_a_file_that_says_nothing_until_it_is_filled_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    done = run("init")
    path = tmp_path / site.NAME
    assert done.stdout == f"{path}\n"
    assert site.read(path, path.read_bytes()) == {}
    assert path.stat().st_mode & 0o022 == 0
    lines = [
        line.removeprefix("#")
        for line in path.read_text().splitlines()
        if line.startswith("#") and "=" in line
    ]
    path.write_text("\n".join(line for line in lines if not line.startswith(" ")))
    assert set(site.read(path, path.read_bytes())) == site.KEYS - {"arm-url", "authority"}


def test_init_overwrites_nothing(write: Write) -> None:
    path = write("# mine\n")
    error = refused("init")
    assert error.message == f"{path}: is there already, and stays as it is"
    assert path.read_text() == "# mine\n"


def test_every_key_is_an_option_with_a_variable_of_its_own() -> None:
    """But tags, windows and the variables' own names, whose values the environment cannot hold well."""
    found = {
        spelling.removeprefix("--"): option.envvar
        for command in OURS.values()
        for option in command.params
        if not getattr(option, "hidden", False)
        for spelling in option.opts
    }
    assert found.keys() >= site.KEYS
    assert {key for key in site.KEYS if not found[key]} == {
        "tags", "window", "secret-env", "winrm-password-env",
    }  # fmt: skip
