"""What is said on stderr beside the data, in a window and with `--quiet`."""

import io
import json
import os
from pathlib import Path

import pytest
from tests.cli.running import Run

from arcferry.cli.talk import in_window

SCRIPT = ("evidence", "script", "--location", "eastasia", "--system", "linux")
COMMAND = "arcferry bundle verify /srv/bundles/of-the-closed-network --bundle-key /srv/keys/arcferry.pub"


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True

    def fileno(self) -> int:
        return 2


def test_quiet_silences_notes_and_never_the_result(arcferry: Run, tmp_path: Path) -> None:
    told = arcferry(*SCRIPT, "--out", tmp_path / "ask.sh")
    quiet = arcferry(*SCRIPT, "--out", tmp_path / "again.sh", "--quiet")
    assert "Hand in what it writes" in told.err
    assert (quiet.code, quiet.err) == (0, "")
    assert (tmp_path / "again.sh").read_bytes() == (tmp_path / "ask.sh").read_bytes()
    assert json.loads(arcferry("locations", "-q", "--output", "json").out)["kind"] == "locations"


def test_quiet_silences_no_error(arcferry: Run) -> None:
    ended = arcferry("explain", "-q", "/none.json")
    assert ended.code == 2
    assert ended.err.startswith("error: ")


def test_quiet_holds_for_its_own_command_alone(arcferry: Run, tmp_path: Path) -> None:
    arcferry("locations", "-q")
    assert arcferry(*SCRIPT, "--out", tmp_path / "ask.sh").err


def test_a_note_is_wrapped_at_blanks_and_a_command_in_it_stays_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.get_terminal_size", lambda _: os.terminal_size((60, 24)))
    monkeypatch.setattr("sys.stderr", Terminal())
    lines = in_window(f"hint: what was built can be read back on the other machine: {COMMAND}").splitlines()
    assert lines == ["hint: what was built can be read back on the other machine:", f"  {COMMAND}"]


def test_off_a_terminal_a_note_is_a_line() -> None:
    assert in_window("note " * 60) == "note " * 60
