import os
import socket
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from arcferry import bundle
from arcferry.bundle import manifest, seal
from arcferry.errors import BundleRefusedError, FileInputError, InputError

Small = Callable[..., Path]


@pytest.fixture
def refused(key: bundle.SecretKey, now: datetime) -> Callable[[Path], BundleRefusedError]:
    def open_it(folder: Path) -> BundleRefusedError:
        with pytest.raises(BundleRefusedError) as caught:
            bundle.open_bundle(folder, key.public(), now=now)
        return caught.value

    return open_it


Refused = Callable[[Path], BundleRefusedError]


def test_an_untouched_bundle_opens(small: Small, key: bundle.SecretKey, now: datetime) -> None:
    opened = bundle.open_bundle(small(), key.public(), now=now)
    assert opened.file("host/linux.sh").read() == b"#!/bin/sh\n"
    assert len(opened.id) == 12
    with pytest.raises(InputError, match=r"no file '\.\./x'"):
        opened.file("../x")


def test_a_bundle_opens_through_a_link_to_it(
    small: Small, key: bundle.SecretKey, now: datetime, tmp_path: Path
) -> None:
    (tmp_path / "link").symlink_to(small())
    assert bundle.open_bundle(tmp_path / "link", key.public(), now=now).manifest.version == 7


def test_what_is_longer_or_shorter_is_told_by_how_much(small: Small, refused: Refused) -> None:
    folder = small()
    (folder / "host/linux.sh").write_bytes(b"#!/bin/sh\n# twelve more")
    assert refused(folder).message == "host/linux.sh: 13 bytes longer than the manifest says"
    (folder / "host/linux.sh").write_bytes(b"#!/bin/sh")
    assert refused(folder).message == "host/linux.sh: 1 byte shorter than the manifest says"


def test_changed_content_of_the_same_length_is_named(small: Small, refused: Refused) -> None:
    folder = small()
    (folder / "host/linux.sh").write_bytes(b"#!/bin/sh ")
    assert refused(folder).message.startswith("host/linux.sh: its content was changed")


def test_a_missing_file_is_named(small: Small, refused: Refused) -> None:
    folder = small()
    (folder / "host/linux.sh").unlink()
    assert refused(folder).message == "host/linux.sh: missing"


def test_a_renamed_file_is_recognised(small: Small, refused: Refused) -> None:
    folder = small()
    (folder / "host/linux.sh").rename(folder / "host/Linux.sh")
    assert "host/linux.sh: missing" in refused(folder).message
    assert "host/Linux.sh" in refused(folder).message
    assert "renamed?" in refused(folder).message


@pytest.mark.parametrize(
    "name", ["extra.txt", "host/extra.txt", ".DS_Store", "host/\udcff\udcfe", "a\x1b[2J"]
)
def test_an_added_file_is_named(small: Small, refused: Refused, name: str) -> None:
    folder = small()
    (folder / name).write_bytes(b"")
    message = refused(folder).message
    assert "is not in the manifest" in message
    assert message.isprintable()


def test_an_added_empty_folder_is_named(small: Small, refused: Refused) -> None:
    folder = small()
    (folder / "host/extra").mkdir()
    assert refused(folder).message == "host/extra: is not in the manifest"


def test_a_folder_in_a_files_place_is_named(small: Small, refused: Refused) -> None:
    folder = small()
    (folder / "host/linux.sh").unlink()
    (folder / "host/linux.sh").mkdir()
    assert refused(folder).message == "host/linux.sh: is a folder, not a file"


@pytest.mark.parametrize("victim", ["host/linux.sh", "manifest.json", "manifest.json.minisig", "host"])
def test_links_are_refused_even_to_the_right_content(
    small: Small, refused: Refused, tmp_path: Path, victim: str
) -> None:
    folder = small()
    (folder / victim).rename(tmp_path / "elsewhere")
    (folder / victim).symlink_to(tmp_path / "elsewhere")
    assert f"{victim}: is a symbolic link" in refused(folder).message


@pytest.mark.parametrize("victim", ["host/linux.sh", "manifest.json", "manifest.json.minisig"])
def test_a_pipe_is_refused_without_waiting_on_it(small: Small, refused: Refused, victim: str) -> None:
    folder = small()
    (folder / victim).unlink()
    os.mkfifo(folder / victim)
    assert f"{victim}: is a named pipe" in refused(folder).message


def test_a_socket_is_refused(small: Small, refused: Refused, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = small()
    monkeypatch.chdir(folder)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind("s")
        assert refused(folder).message == "s: is a socket; a bundle holds files and folders only"


@pytest.mark.skipif(os.geteuid() != 0, reason="making a device needs root")
def test_a_device_is_refused(small: Small, refused: Refused) -> None:
    folder = small()
    (folder / "host/linux.sh").unlink()
    try:
        os.mknod(folder / "host/linux.sh", 0o20600, os.makedev(1, 5))
    except PermissionError:
        pytest.skip("this container may not make devices")
    assert "host/linux.sh: is a device" in refused(folder).message


def test_a_deep_nest_of_folders_ends(small: Small, refused: Refused) -> None:
    folder = small()
    (folder / "/".join("d" * 40)).mkdir(parents=True)
    assert "deeper" in refused(folder).message


def test_another_key_is_named_with_both_ids(small: Small, now: datetime) -> None:
    other = bundle.new_secret_key().public()
    with pytest.raises(BundleRefusedError) as caught:
        bundle.open_bundle(small(), other, now=now)
    assert other.id in caught.value.message
    assert bundle.PublicKey(b"arcferry", b"").id in caught.value.message


def test_several_other_keys_are_all_named(small: Small, now: datetime) -> None:
    others = [bundle.new_secret_key().public() for _ in range(2)]
    with pytest.raises(BundleRefusedError) as caught:
        bundle.open_bundle(small(), others, now=now)
    assert all(other.id in caught.value.message for other in others)
    assert bundle.PublicKey(b"arcferry", b"").id in caught.value.message
    assert "key accept" in caught.value.hint


def test_another_key_with_the_same_id_is_refused(small: Small, key: bundle.SecretKey, now: datetime) -> None:
    forged = replace(bundle.new_secret_key(), key_id=key.key_id)
    with pytest.raises(BundleRefusedError, match=r"manifest\.json: is not what key"):
        bundle.open_bundle(small(), forged.public(), now=now)


def test_an_expired_bundle_is_refused(small: Small, refused: Refused, now: datetime) -> None:
    assert "expired on 2026-11-23" in refused(small(expires=now)).message


def test_a_bundle_from_the_future_is_refused(small: Small, refused: Refused, now: datetime) -> None:
    future = now + timedelta(days=2)
    assert "in the future" in refused(small(created=future, expires=future + timedelta(days=1))).message


@pytest.mark.parametrize("name", ["../outside", "/etc/passwd", "a\\b", "a\0b", "C:x"])
def test_a_sealed_path_that_leaves_the_bundle_is_refused(
    small: Small, refused: Refused, tmp_path: Path, name: str
) -> None:
    (tmp_path / "outside").write_bytes(b"outside")
    assert "manifest.json: the path" in refused(small({name: b"outside"})).message


def test_the_seal_comes_before_anything_the_manifest_says(small: Small, refused: Refused) -> None:
    folder = small()
    (folder / "manifest.json").write_bytes(b'{"schema": 99}')
    assert "is not what key" in refused(folder).message


@pytest.mark.parametrize("name", ["manifest.json", "manifest.json.minisig"])
def test_a_bundle_without_manifest_or_seal_is_none(small: Small, refused: Refused, name: str) -> None:
    folder = small()
    (folder / name).unlink()
    assert refused(folder).message.startswith(f"{name}: missing")


@pytest.mark.parametrize(
    ("name", "limit"), [("manifest.json", manifest.LIMIT), ("manifest.json.minisig", seal.LIMIT)]
)
def test_what_is_read_before_the_seal_is_bounded(
    small: Small, refused: Refused, name: str, limit: int
) -> None:
    folder = small()
    with (folder / name).open("r+b") as stream:
        stream.truncate(10 * 2**30)
    assert f"{name}: larger than the {limit:,} bytes" in refused(folder).message


def test_a_sparse_giant_is_refused_by_its_length(small: Small, refused: Refused) -> None:
    folder = small()
    with (folder / "host/linux.sh").open("r+b") as stream:
        stream.truncate(10 * 2**30)
    assert "bytes longer" in refused(folder).message


def test_too_many_added_files_end_early(
    small: Small, refused: Refused, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = small()
    monkeypatch.setattr(manifest, "MOST_FILES", 50)
    for number in range(120):
        os.close(os.open(folder / f"f{number}", os.O_CREAT))
    assert "more than 50 files" in refused(folder).message


@pytest.mark.parametrize("place", ["nowhere", "file"])
def test_no_folder_is_an_input_error(
    tmp_path: Path, key: bundle.SecretKey, now: datetime, place: str
) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(FileInputError, match=place):
        bundle.open_bundle(tmp_path / place, key.public(), now=now)


class TestAFileChangedAfterTheBundleWasOpened:
    """Every way to its content checks again, and gives nothing away that is wrong."""

    @pytest.fixture
    def file(self, small: Small, key: bundle.SecretKey, now: datetime) -> bundle.BundleFile:
        return bundle.open_bundle(small(), key.public(), now=now).file("host/linux.sh")

    @pytest.mark.parametrize("content", [b"#!/bin/bad", b"#!/bin/s", b"#!/bin/sh\n and more"])
    def test_is_refused(self, file: bundle.BundleFile, tmp_path: Path, content: bytes) -> None:
        file.path.write_bytes(content)
        with pytest.raises(BundleRefusedError, match=r"host/linux\.sh"):
            file.read()
        with pytest.raises(BundleRefusedError, match=r"host/linux\.sh"):
            file.copy_to(tmp_path / "copy")
        assert not [path for path in tmp_path.iterdir() if "copy" in path.name]
        with file.open_verified() as stream, pytest.raises(BundleRefusedError, match=r"host/linux\.sh"):
            for _ in stream:
                pass

    def test_is_refused_as_a_link(self, file: bundle.BundleFile, tmp_path: Path) -> None:
        file.path.rename(tmp_path / "elsewhere")
        file.path.symlink_to(tmp_path / "elsewhere")
        with pytest.raises(BundleRefusedError, match="symbolic link"):
            file.read()

    @pytest.mark.skipif(not Path("/proc/self/mem").exists(), reason="no file here fails when it is read")
    def test_is_refused_when_reading_fails(self, file: bundle.BundleFile, tmp_path: Path) -> None:
        """As on a failing stick: the first page of a process's own memory cannot be read."""
        failing = replace(file, path=Path("/proc/self/mem"))
        for way in (failing.check, failing.read, lambda: failing.copy_to(tmp_path / "copy")):
            with pytest.raises(
                BundleRefusedError, match=r"host/linux\.sh: cannot be read: Input/output error"
            ):
                way()
        assert not (tmp_path / "copy").exists()

    def test_is_refused_when_gone(self, file: bundle.BundleFile) -> None:
        file.path.unlink()
        with pytest.raises(BundleRefusedError, match=r"host/linux\.sh: missing"):
            file.read()

    def test_a_right_one_is_copied_whole(self, file: bundle.BundleFile, tmp_path: Path) -> None:
        file.copy_to(tmp_path / "copy")
        assert (tmp_path / "copy").read_bytes() == b"#!/bin/sh\n"
        with file.open_verified() as stream:
            assert b"".join(bytes(block) for block in stream) == b"#!/bin/sh\n"

    def test_a_place_that_cannot_be_written_is_named(self, file: bundle.BundleFile, tmp_path: Path) -> None:
        (tmp_path / "nowhere").write_bytes(b"a file, not a folder")
        with pytest.raises(FileInputError, match="nowhere"):
            file.copy_to(tmp_path / "nowhere" / "copy")
