import importlib.util
import shutil
from pathlib import Path

import pytest

from arcferry.bundle.itself import WheelTarget, locked
from arcferry.bundle.itself.build import gather
from arcferry.errors import BlockedError, FileInputError


def quiet(_: str) -> None:
    """Nobody listens."""


@pytest.fixture
def empty(tmp_path: Path) -> Path:
    folder = tmp_path / "out" / "wheels"
    folder.mkdir(parents=True)
    return folder


def test_pip_gets_exactly_the_locked_wheels(wheels: Path, here: tuple[WheelTarget, ...]) -> None:
    wanted = {wheel.file for target in here for wheel in locked(target)}
    assert {path.name for path in wheels.iterdir()} == wanted
    assert any("win_amd64" in name for name in wanted)
    assert [path.name for path in wheels.parent.iterdir()] == ["wheels"]


def test_wheels_at_hand_are_told_by_their_hash(
    wheels: Path, here: tuple[WheelTarget, ...], tmp_path: Path, empty: Path
) -> None:
    at_hand = tmp_path / "hand"
    at_hand.mkdir()
    for number, path in enumerate(sorted(wheels.iterdir())):
        (at_hand / f"{number}.whl").hardlink_to(path)
    (at_hand / "other.whl").write_bytes(b"of no interest")
    gather(here, empty, at_hand, quiet)
    assert {path.name for path in empty.iterdir()} == {path.name for path in wheels.iterdir()}


def test_what_a_folder_lacks_is_named(
    wheels: Path, here: tuple[WheelTarget, ...], tmp_path: Path, empty: Path
) -> None:
    at_hand = tmp_path / "hand"
    shutil.copytree(wheels, at_hand)
    first, second = (wheel.file for wheel in locked(here[0])[:2])
    (at_hand / first).unlink()
    with (at_hand / second).open("r+b") as changed:
        changed.write(b"x")
    with pytest.raises(FileInputError, match="lacks 2 of") as caught:
        gather(here, empty, at_hand, quiet)
    assert first in caught.value.message
    assert second in caught.value.message
    assert list(empty.iterdir()) == []


def test_a_folder_that_is_not_there_is_named(
    here: tuple[WheelTarget, ...], tmp_path: Path, empty: Path
) -> None:
    with pytest.raises(FileInputError, match="nowhere: No such file"):
        gather(here, empty, tmp_path / "nowhere", quiet)


def test_what_pip_says_reaches_the_user(
    here: tuple[WheelTarget, ...], empty: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.delenv("PIP_FIND_LINKS", raising=False)
    with pytest.raises(BlockedError, match=f"wheels for {here[0].tag}:\n  ERROR: .*aio") as caught:
        gather(here, empty, None, quiet)
    assert "--wheels" in caught.value.hint


def test_a_python_without_pip_is_told_the_ways_out(
    here: tuple[WheelTarget, ...], empty: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    with pytest.raises(BlockedError, match="has no pip") as caught:
        gather(here, empty, None, quiet)
    assert "ensurepip" in caught.value.hint
    assert "--wheels" in caught.value.hint


def test_a_file_named_pip_where_the_user_stands_is_not_run(
    here: tuple[WheelTarget, ...], tmp_path: Path, empty: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "pip.py").write_text("open('was-run', 'w')\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    with pytest.raises(BlockedError):
        gather(here, empty, None, quiet)
    assert not (tmp_path / "was-run").exists()
