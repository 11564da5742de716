import os
from pathlib import Path
from types import SimpleNamespace

import pytest

from arcferry import files
from arcferry.errors import FileInputError
from arcferry.files import naming, opened, packaged, read_bounded, write_whole, writing_whole


def test_written_whole_with_its_mode_and_nothing_beside(tmp_path: Path) -> None:
    path = tmp_path / "new" / "file"
    write_whole(path, b"one", mode=0o600)
    write_whole(path, b"two", mode=0o600)
    assert path.read_bytes() == b"two"
    assert path.stat().st_mode & 0o777 == 0o600
    assert list(path.parent.iterdir()) == [path]


def test_a_write_that_fails_leaves_the_old_content(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "file"
    write_whole(path, b"old")

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(FileInputError, match=r"the disk at .* is full") as caught:
        write_whole(path, b"new")
    assert caught.value.path == str(path)
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_read_within_its_bound(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"12345")
    assert read_bounded(path, limit=5) == b"12345"
    with pytest.raises(FileInputError, match="larger than the 4 bytes"):
        read_bounded(path, limit=4)


@pytest.mark.parametrize(("name", "says"), [("gone", "no such file"), (".", "not a file")])
def test_what_is_no_file_is_named(tmp_path: Path, name: str, says: str) -> None:
    with pytest.raises(FileInputError, match=says):
        read_bounded(tmp_path / name, limit=10)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="Windows has no pipes in folders")
def test_a_pipe_is_no_file_to_read_from_and_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").write_bytes(b"x")
    for name in ("pipe", "folder", "/dev/zero", "none"):
        with pytest.raises(FileInputError, match=name), opened(tmp_path / name):
            pass
    with opened(tmp_path / "file") as stream:
        assert stream.read() == b"x"


def test_a_body_that_fails_leaves_the_old_content_and_nothing_beside_it(tmp_path: Path) -> None:
    path = tmp_path / "kept"
    path.write_bytes(b"old")

    def stopped() -> None:
        with writing_whole(path) as stream:
            stream.write(b"half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        stopped()
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]
    with writing_whole(path, mode=0o600) as stream:
        stream.write(b"new")
    assert (path.read_bytes(), path.stat().st_mode & 0o777) == (b"new", 0o600)


def test_what_the_system_refuses_names_the_file(tmp_path: Path) -> None:
    path = tmp_path / "x"
    with pytest.raises(FileInputError, match=r"x: No such file"), naming(path):
        path.read_bytes()
    with (
        pytest.raises(FileInputError, match=r"x: cannot be written"),
        naming(path, "cannot be written"),
    ):
        raise OSError


def test_packaged_files_are_those_that_were_written_by_hand(tmp_path: Path) -> None:
    for name in ("a.py", "sub/b.toml", "sub/__pycache__/b.pyc", ".DS_Store"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(name.encode())
    held = {"p/a.py": b"a.py", "p/sub/b.toml": b"sub/b.toml"}
    assert dict(packaged(tmp_path, "p/")) == held


@pytest.mark.parametrize("refusals", [2, 99])
def test_windows_keeps_a_file_from_its_name_while_another_has_it_open(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, refusals: int
) -> None:
    """A virus scanner lets go soon; for others it is waited within a bound, and the old content stays."""
    path, tries = tmp_path / "file", 0
    path.write_bytes(b"old")
    replace = Path.replace

    def held_open(source: Path, target: Path) -> Path:
        nonlocal tries
        tries += 1
        if tries <= refusals:
            raise PermissionError(13, "The process cannot access the file", str(source), 32, str(target))
        return replace(source, target)

    monkeypatch.setattr(files, "sys", SimpleNamespace(platform="win32"))
    monkeypatch.setattr(files, "_WAITS", (0.001,) * 5)
    monkeypatch.setattr(Path, "replace", held_open)
    if refusals == 2:
        write_whole(path, b"new")
        assert (path.read_bytes(), tries) == (b"new", 3)
        return
    with pytest.raises(FileInputError, match="cannot access the file") as caught:
        write_whole(path, b"new")
    assert (path.read_bytes(), tries) == (b"old", 6)
    assert caught.value.hint.startswith("Close the program that has it open")
    assert list(tmp_path.iterdir()) == [path]
