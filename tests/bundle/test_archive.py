"""The zip form: one layout, which other programs can read too."""

import contextlib
import dataclasses
import shutil
import subprocess
import threading
import zipfile
import zlib
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arcferry import bundle
from arcferry.bundle import archive
from arcferry.bundle.archive import ArchiveEntry
from arcferry.errors import BundleRefusedError, FileInputError

Small = Callable[..., Path]


@pytest.fixture
def zipped(small: Small, key: bundle.SecretKey, now: datetime, tmp_path: Path) -> Path:
    bundle.copy_bundle(bundle.open_bundle(small(), key.public(), now=now), tmp_path / "b.zip")
    return tmp_path / "b.zip"


def test_it_opens_and_gives_the_same_as_the_folder(
    zipped: Path, key: bundle.SecretKey, now: datetime, tmp_path: Path
) -> None:
    opened = bundle.open_bundle(zipped, key.public(), now=now)
    folder = bundle.open_bundle(tmp_path / "small", key.public(), now=now)
    assert opened.manifest == folder.manifest
    file = opened.file("host/linux.sh")
    assert file.read() == b"#!/bin/sh\n"
    with file.open_verified() as stream:
        assert b"".join(map(bytes, stream)) == b"#!/bin/sh\n"
    file.copy_to(tmp_path / "copy")
    assert (tmp_path / "copy").read_bytes() == b"#!/bin/sh\n"
    assert bundle.claimed_key(zipped) == key.public().id
    assert bundle.read_unverified(zipped) == opened.manifest


def test_it_is_known_by_its_content_and_through_a_link(
    zipped: Path, key: bundle.SecretKey, now: datetime, tmp_path: Path
) -> None:
    zipped.rename(tmp_path / "from-the-stick")
    (tmp_path / "link").symlink_to(tmp_path / "from-the-stick")
    assert bundle.open_bundle(tmp_path / "link", key.public(), now=now).manifest.version == 7


def test_python_reads_it(zipped: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(zipped) as stock:
        assert stock.testzip() is None
        entries = {entry.filename: entry for entry in stock.infolist()}
        assert list(entries) == ["catalog/a.toml", "host/linux.sh", "manifest.json", "manifest.json.minisig"]
        assert {entry.date_time for entry in entries.values()} == {(1980, 1, 1, 0, 0, 0)}
        assert entries["host/linux.sh"].external_attr >> 16 == 0o100755
        assert entries["manifest.json"].external_attr >> 16 == 0o100644
        assert stock.read("manifest.json") == (tmp_path / "small" / "manifest.json").read_bytes()


@pytest.mark.skipif(not shutil.which("unzip"), reason="unzip is not on PATH")
def test_what_unzip_unpacks_is_the_bundle_again(
    zipped: Path, key: bundle.SecretKey, now: datetime, tmp_path: Path
) -> None:
    subprocess.run(["unzip", "-q", zipped, "-d", tmp_path / "out"], check=True)
    assert bundle.open_bundle(tmp_path / "out", key.public(), now=now).manifest.version == 7
    assert (tmp_path / "out/host/linux.sh").stat().st_mode & 0o100


def test_a_bundle_copied_to_and_fro_has_the_same_bytes(
    zipped: Path, key: bundle.SecretKey, now: datetime, tmp_path: Path
) -> None:
    bundle.copy_bundle(bundle.open_bundle(zipped, key.public(), now=now), tmp_path / "folder")
    bundle.copy_bundle(bundle.open_bundle(tmp_path / "folder", key.public(), now=now), tmp_path / "again.zip")
    assert (tmp_path / "again.zip").read_bytes() == zipped.read_bytes()
    assert (tmp_path / "folder/host/linux.sh").stat().st_mode & 0o777 == 0o755


def test_a_copy_never_takes_the_place_of_something_else(
    zipped: Path, key: bundle.SecretKey, now: datetime, tmp_path: Path
) -> None:
    opened = bundle.open_bundle(zipped, key.public(), now=now)
    (tmp_path / "thesis.zip").write_bytes(b"three years")
    for replace in (False, True):
        with pytest.raises(FileInputError, match=r"thesis\.zip: exists and holds something other"):
            bundle.copy_bundle(opened, tmp_path / "thesis.zip", replace=replace)
    with pytest.raises(FileInputError, match="a bundle exists there"):
        bundle.copy_bundle(opened, zipped)
    bundle.copy_bundle(opened, zipped, replace=True)
    assert (tmp_path / "thesis.zip").read_bytes() == b"three years"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["b.zip", "small", "thesis.zip"]


def test_a_source_changed_while_it_is_copied_leaves_nothing(
    zipped: Path, key: bundle.SecretKey, now: datetime, tmp_path: Path
) -> None:
    opened = bundle.open_bundle(tmp_path / "small", key.public(), now=now)
    (tmp_path / "small/host/linux.sh").write_bytes(b"#!/bin/no\n")
    for out in ("c.zip", "c"):
        with pytest.raises(BundleRefusedError, match=r"host/linux\.sh: its content was changed"):
            bundle.copy_bundle(opened, tmp_path / out)
    assert sorted(path.name for path in tmp_path.iterdir()) == [zipped.name, "small"]


class TestAZipChangedAfterItWasOpened:
    def test_is_refused_by_every_reading(
        self, zipped: Path, key: bundle.SecretKey, now: datetime, tmp_path: Path
    ) -> None:
        file = bundle.open_bundle(zipped, key.public(), now=now).file("host/linux.sh")
        zipped.write_bytes(zipped.read_bytes().replace(b"#!/bin/sh\n", b"#!/bin/no\n"))
        with pytest.raises(BundleRefusedError, match=r"host/linux\.sh: its content was changed"):
            file.read()
        with pytest.raises(BundleRefusedError, match=r"host/linux\.sh"):
            file.copy_to(tmp_path / "copy")
        assert not (tmp_path / "copy").exists()

    def test_is_refused_when_cut_short(self, zipped: Path, key: bundle.SecretKey, now: datetime) -> None:
        file = bundle.open_bundle(zipped, key.public(), now=now).file("host/linux.sh")
        whole = zipped.read_bytes()
        zipped.write_bytes(whole[: whole.index(b"/bin/sh")])
        with pytest.raises(BundleRefusedError, match=r"host/linux\.sh: 8 bytes shorter"):
            file.read()

    def test_does_not_matter_where_a_whole_one_took_its_place(
        self, zipped: Path, key: bundle.SecretKey, now: datetime, tmp_path: Path
    ) -> None:
        opened = bundle.open_bundle(zipped, key.public(), now=now)
        bundle.copy_bundle(
            bundle.open_bundle(tmp_path / "small", key.public(), now=now), zipped, replace=True
        )
        assert opened.file("host/linux.sh").read() == b"#!/bin/sh\n"


def test_a_zip_that_is_still_being_copied_is_refused_at_every_length(
    zipped: Path, key: bundle.SecretKey, now: datetime
) -> None:
    whole = zipped.read_bytes()
    for length in range(len(whole)):
        zipped.write_bytes(whole[:length])
        with pytest.raises(BundleRefusedError) as caught:
            bundle.open_bundle(zipped, key.public(), now=now)
        assert "cut short, still being copied" in caught.value.message
        assert caught.value.message.startswith("b.zip: ")
        assert caught.value.hint


def test_a_zip_that_others_replace_again_and_again_is_whole_or_refused(
    small: Small, key: bundle.SecretKey, now: datetime, tmp_path: Path
) -> None:
    contents = {7: b"#!/bin/sh\n", 8: b"#!/bin/sh\n# of version 8\n"}
    for version, content in contents.items():
        folder = small({"host/linux.sh": content}, version=version)
        source = bundle.open_bundle(folder, key.public(), now=now)
        bundle.copy_bundle(source, tmp_path / f"{version}.zip")
        folder.rename(tmp_path / f"folder-{version}")
    done = threading.Event()

    def replace_it() -> None:
        while not done.is_set():
            for version in contents:
                shutil.copy(tmp_path / f"{version}.zip", tmp_path / "beside")
                (tmp_path / "beside").replace(tmp_path / "b.zip")

    shutil.copy(tmp_path / "7.zip", tmp_path / "b.zip")
    other = threading.Thread(target=replace_it)
    other.start()
    seen = set()
    try:
        for _ in range(200):
            with contextlib.suppress(BundleRefusedError):
                opened = bundle.open_bundle(tmp_path / "b.zip", key.public(), now=now)
                assert opened.file("host/linux.sh").read() == contents[opened.manifest.version]
                seen.add(opened.manifest.version)
    finally:
        done.set()
        other.join()
    assert seen


def write_sparse(path: Path, *lengths: int) -> list[ArchiveEntry]:
    """An archive whose files are holes."""
    entries: list[ArchiveEntry] = []
    with path.open("wb") as stream:
        for number, length in enumerate(lengths):
            # The checksum is right where the test reads the content.
            crc = zlib.crc32(bytes(length)) if length < 100 else 0
            entry = ArchiveEntry(f"f{number}", length, crc, entries[-1].end if entries else 0)
            stream.seek(entry.start)
            stream.write(archive.local_header(entry))
            entries.append(entry)
        stream.truncate(entries[-1].end)
        stream.seek(entries[-1].end)
        stream.write(archive.directory(entries, entries[-1].end))
    return entries


@pytest.mark.parametrize(
    "lengths",
    [(5, 0, 3), (2**32 - 2, 1), (2**32 - 1, 1), (2**32, 1), (5 * 2**30, 1, 2**33), (2**31, 2**31, 7)],
)
def test_lengths_and_places_beyond_32_bits(tmp_path: Path, lengths: tuple[int, ...]) -> None:
    """Read back by us and by Python's zipfile, which knows zip64 too."""
    path = tmp_path / "b.zip"
    entries = write_sparse(path, *lengths)
    assert list(archive.read_index(path).values()) == entries
    with zipfile.ZipFile(path) as stock:
        assert [(one.filename, one.file_size, one.header_offset) for one in stock.infolist()] == [
            (entry.name, entry.length, entry.start) for entry in entries
        ]
        for number in (number for number, length in enumerate(lengths) if length < 100):
            assert stock.read(f"f{number}") == bytes(lengths[number])


@given(st.binary(max_size=300), st.data())
def test_no_bytes_but_an_archive_are_read_as_one(
    tmp_path_factory: pytest.TempPathFactory, noise: bytes, data: st.DataObject
) -> None:
    path = tmp_path_factory.getbasetemp() / "noise.zip"
    (entry,) = write_sparse(path, 3)
    whole = path.read_bytes()
    at, end = sorted(data.draw(st.tuples(*[st.integers(0, len(whole))] * 2)))
    changed = whole[:at] + noise + whole[end:]
    path.write_bytes(changed)
    try:
        read = archive.read_index(path)
    except BundleRefusedError:
        return
    held = dataclasses.replace(entry, crc=read["f0"].crc, length=read["f0"].length)
    assert read == {"f0": held}
    again = (
        archive.local_header(held) + changed[held.content : held.end] + archive.directory([held], held.end)
    )
    assert changed == again
