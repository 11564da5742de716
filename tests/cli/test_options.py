"""A location that no list has, in every command that asks for one."""

from pathlib import Path

import pytest
from tests.cli.running import Run

GUID = "11111111-1111-4111-8111-111111111111"


@pytest.fixture
def run(arcferry: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.chdir(tmp_path)
    return arcferry


AZURE = ("--tenant-id", GUID, "--subscription-id", GUID, "--resource-group", "rg")
ONBOARD = ("servers.csv", "--bundle", "b", "--bundle-key", "k.pub", "--known-hosts", "known", *AZURE)
COMMANDS = {
    "check": ("check",),
    "watch": ("watch", "--rounds", "1"),
    "plan": ("routes", "plan"),
    "firewall": ("routes", "firewall"),
    "audit": ("routes", "audit"),
    "bundle": ("bundle", "build", "--out", "b", "--secret-key", "seal", "--offline"),
    "onboard plan": ("onboard", "plan", *ONBOARD),
    "export": ("export", "script", "--bundle", "b", "--bundle-key", "k.pub", "--out", "o", *AZURE),
}


@pytest.mark.parametrize("command", COMMANDS)
def test_it_is_refused_with_the_nearest_names_and_the_way_out(run: Run, command: str) -> None:
    assert run("bundle", "key", "new", "seal").code == 0
    ended = run(*COMMANDS[command], "--location", "eastasai")
    assert ended.code == 2
    assert "eastasia" in ended.err
    assert "unknown location 'eastasai'" in ended.err
    assert "--location-unlisted" in ended.err


@pytest.mark.parametrize("command", ["plan", "firewall", "audit"])
def test_it_may_be_let_pass_and_what_is_not_known_is_said(run: Run, command: str) -> None:
    ended = run(*COMMANDS[command], "--location", "denmarkwest", "--location-unlisted")
    assert ended.code in (0, 1)
    assert "denmarkwest is in no list of arcferry's" in ended.err
    assert "its BGP community" in ended.err
    assert "denmarkwest-gas.guestconfiguration.azure.com" in ended.out


def test_a_history_of_a_location_that_nobody_watched_is_a_misspelling(run: Run) -> None:
    ended = run("watch", "show", "--location", "eastasai")
    assert ended.code == 2
    assert "unknown location 'eastasai'" in ended.err


def test_one_that_is_known_needs_no_leave_and_no_word(run: Run) -> None:
    ended = run("routes", "firewall", "--location", "eastasia", "--location-unlisted")
    assert (ended.code, ended.err) == (0, "")
