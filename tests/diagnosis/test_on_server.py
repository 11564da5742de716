"""The block that is pasted on a server, and the script that is mailed: what they may be made of."""

import shutil
import subprocess
from pathlib import Path

import pytest
from tests.bundle.hostscript.windows.test_rules import BANNED_NODES, BANNED_TOKENS, OWN_CALENDAR, nodes, parse
from typer.testing import CliRunner

from arcferry.cli.app import app
from arcferry.diagnosis.on_server.blocks import SHELLS, block, blocks

HOSTS = ("agentserviceapi.guestconfiguration.azure.com", "gbl.his.arc.azure.com")
# What Windows PowerShell 3.0 has; Resolve-DnsName is asked for before it is called.
COMMANDS = {
    "foreach-object",
    "get-command",
    "get-content",
    "netsh",
    "new-object",
    "resolve-dnsname",
    "select-object",
    "set-content",
    "test-path",
    "where-object",
}


@pytest.mark.parametrize("system", SHELLS)
def test_a_block_is_short_plain_and_names_the_very_hosts(system: str) -> None:
    text = block(system, HOSTS)
    assert text.isascii()
    assert len(text) < 4000
    assert max(map(len, text.splitlines())) < 180
    assert " ".join(HOSTS) in text
    assert not [line for line in text.splitlines() if not line.strip()], (
        "a console ends a block at an empty line"
    )


def test_a_name_that_is_none_does_not_get_into_a_block() -> None:
    for one in blocks(["gbl.his.arc.azure.com", "x;reboot", "$(reboot)"]):
        assert "reboot" not in one.text
        assert one.does == "reads"
    assert blocks([""]) == ()


def test_bash_takes_the_block_at_a_prompt() -> None:
    # An interactive bash before 5.0 expands the sign of its history on lines that go on a quoted text.
    assert "!" not in block("linux", HOSTS)


@pytest.mark.parametrize("shell", ["dash", "bash", "sh"])
def test_a_shell_parses_the_block(shell: str) -> None:
    if not shutil.which(shell):
        pytest.skip(f"no {shell} here")
    subprocess.run([shell, "-n"], input=block("linux", HOSTS), text=True, check=True)


def test_powershell_3_parses_the_block_and_has_what_it_calls() -> None:
    text = block("windows", HOSTS)
    found = list(nodes(parse(text)))
    assert not [one for one in found if one.type == "ERROR" or one.is_missing or one.type in BANNED_NODES]
    assert not BANNED_TOKENS.search(text)
    assert not OWN_CALENDAR.search(text)
    called = {one.text.decode().lower() for one in found if one.type == "command_name"}
    assert called <= COMMANDS, called


def test_the_script_for_windows_is_marked_as_utf_8_and_nothing_is_overwritten(tmp_path: Path) -> None:
    script = tmp_path / "ask.ps1"
    words = ["evidence", "script", "-l", "eastasia", "--endpoint", HOSTS[1], "--out", str(script)]
    done = CliRunner().invoke(app, words)
    assert done.exit_code == 0, done.output
    data = script.read_bytes()
    assert data.startswith(b"\xef\xbb\xbf# Asks")
    assert data.count(b"\r\n") == data.count(b"\n")
    assert HOSTS[1].encode() in data
    assert HOSTS[0].encode() not in data
    script.write_text("mine")
    again = CliRunner().invoke(app, words)
    assert again.exit_code != 0
    assert script.read_text() == "mine"
    assert [path.name for path in tmp_path.iterdir()] == ["ask.ps1"]


def test_the_script_asks_about_every_name_of_the_location(tmp_path: Path) -> None:
    script = tmp_path / "ask.sh"
    words = ["evidence", "script", "-l", "japaneast", "--system", "linux", "--out", str(script)]
    assert CliRunner().invoke(app, words).exit_code == 0
    text = script.read_text()
    for host in (
        *HOSTS,
        "japaneast-gas.guestconfiguration.azure.com",
        "management.azure.com",
        "login.microsoftonline.com",
    ):
        assert host in text
    assert "*" not in text.partition("for n in ")[2].partition(";")[0]


@pytest.mark.parametrize("wrong", ["x;reboot", "http://gbl.his.arc.azure.com/", ""])
def test_an_endpoint_that_is_no_name_is_refused(wrong: str, tmp_path: Path) -> None:
    words = ["evidence", "script", "-l", "eastasia", "--endpoint", wrong, "--out", str(tmp_path / "x.sh")]
    done = CliRunner().invoke(app, words)
    assert done.exit_code != 0
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(("system", "suffix"), [("windows", "ps1"), ("linux", "sh")])
def test_the_host_script_alone_is_written_with_its_part_beside(
    system: str, suffix: str, tmp_path: Path
) -> None:
    folder = tmp_path / "host"
    words = [
        "evidence",
        "script",
        "-l",
        "japaneast",
        "--system",
        system,
        "--host-script",
        "--out",
        str(folder),
    ]
    done = CliRunner().invoke(app, words)
    assert done.exit_code == 0, done.output
    assert f"{system}.{suffix} facts japaneast AzureCloud facts.json" in done.output
    names = {path.name for path in folder.iterdir()}
    assert names == {f"{system}.{suffix}", f"{system}-network.{suffix}"}
    assert CliRunner().invoke(app, words).exit_code != 0
