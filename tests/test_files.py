import os
from pathlib import Path

import pytest

from arcferry.errors import FileInputError
from arcferry.files import read_bounded, write_whole


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
