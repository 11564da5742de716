import os
import sys
from pathlib import Path

import pytest

from arcferry_lab.errors import LabError
from arcferry_lab.system import require_linux, run_tool, tools_folder


def test_another_system_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "win32")
    with pytest.raises(LabError, match=r"needs Linux.*win32"):
        require_linux()


def test_what_make_tools_unpacked_is_found_without_being_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("ARCFERRY_TOOLS", raising=False)
    monkeypatch.setattr(sys, "prefix", str(tmp_path / ".venv"))
    (tmp_path / ".venv").mkdir()
    assert tools_folder() is None
    (tmp_path / ".tools").mkdir()
    assert tools_folder() == tmp_path / ".tools"
    monkeypatch.setenv("ARCFERRY_TOOLS", str(tmp_path / "others"))
    assert tools_folder() == tmp_path / "others"


def test_a_folder_that_somebody_else_put_there_is_not_run_from(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("ARCFERRY_TOOLS", raising=False)
    monkeypatch.setattr(sys, "prefix", str(tmp_path / ".venv"))
    (tmp_path / ".venv").mkdir()
    (tmp_path / ".tools").symlink_to("/usr")
    assert tools_folder() is None
    if os.getuid() == 0:
        (tmp_path / ".tools").unlink()
        (tmp_path / ".tools").mkdir()
        os.chown(tmp_path / ".tools", 12345, 12345)
        assert tools_folder() is None


def test_a_failing_tool_says_why() -> None:
    with pytest.raises(LabError, match=r"ended with 3: no\?"):
        run_tool("sh", "-c", "printf 'no?'; exit 3")
    with pytest.raises(LabError, match="did not end"):
        run_tool("sleep", "30", seconds=0.05)
