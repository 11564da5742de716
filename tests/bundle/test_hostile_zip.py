"""Zips that somebody made to harm: each refused by name, soon, and without a file written."""

import io
import os
import stat
import struct
import time
import zipfile
import zlib
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pytest

from arcferry import bundle
from arcferry.bundle import archive
from arcferry.bundle.archive import ArchiveEntry
from arcferry.errors import BundleRefusedError

Small = Callable[..., Path]
Refused = Callable[..., str]
DEADLINE = 10.0


@pytest.fixture
def refused(tmp_path: Path, key: bundle.SecretKey, now: datetime) -> Refused:
    """The message with which these bytes, or this zip, are refused, in bounded time and memory."""

    def open_it(source: bytes | Path) -> str:
        path = tmp_path / "in" / "b.zip"
        path.parent.mkdir(exist_ok=True)
        if isinstance(source, bytes):
            path.write_bytes(source)
        else:
            source.replace(path)
        before = sorted(tmp_path.rglob("*"))
        start = time.perf_counter()
        with pytest.raises(BundleRefusedError) as caught:
            bundle.open_bundle(path, key.public(), now=now)
        assert time.perf_counter() - start < DEADLINE
        assert sorted(tmp_path.rglob("*")) == before
        assert caught.value.message.isprintable()
        return caught.value.message

    return open_it


def canonical(*files: tuple[str, bytes]) -> bytes:
    """The layout of a bundle's zip around any names and contents."""
    whole, entries = bytearray(), []
    for name, data in files:
        entry = ArchiveEntry(name, len(data), zlib.crc32(data), len(whole))
        whole += archive.local_header(entry) + data
        entries.append(entry)
    return bytes(whole) + archive.directory(entries, len(whole))


def stock(*files: tuple[str | zipfile.ZipInfo, bytes], packing: int = zipfile.ZIP_STORED) -> bytes:
    """What Python's zipfile makes of the same."""
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", packing) as made:
        for name, data in files:
            made.writestr(name, data)
    return held.getvalue()


@pytest.fixture
def sealed(small: Small) -> dict[str, bytes]:
    folder = small()
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_the_builder_of_these_tests_makes_good_zips(
    sealed: dict[str, bytes], tmp_path: Path, key: bundle.SecretKey, now: datetime
) -> None:
    (tmp_path / "good.zip").write_bytes(canonical(*sorted(sealed.items())))
    assert bundle.open_bundle(tmp_path / "good.zip", key.public(), now=now).manifest.version == 7


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("../outside", "leaves the bundle"),
        ("a/../../outside", "leaves the bundle"),
        ("/etc/cron.d/x", "is an absolute path"),
        ("C:/Windows/x", "is an absolute path"),
        ("c:x", "is an absolute path"),
        ("//server/share/x", "is an absolute path"),
        ("a\\..\\x", "holds a backslash"),
        ("CON", "is a device name on Windows"),
        ("host/nul.txt", "is a device name on Windows"),
        ("com1.log", "is a device name on Windows"),
        ("LPT9", "is a device name on Windows"),
        ("x.", "do not mean the same"),
        ("x ", "do not mean the same"),
        (" x", "do not mean the same"),
        ("xy:stream", "do not mean the same"),
        ("a//b", "has an empty part"),
        ("./a", "has an empty part"),
        ("", "has an empty part"),
        ("x\x00.sh", "holds a NUL character"),
        ("x\x1b[2J", "do not mean the same"),
        ("a" * 201, "is longer than 200"),
        ("host/", "is a folder"),
        ("../", "is a folder"),
    ],
)
def test_names(refused: Refused, sealed: dict[str, bytes], name: str, says: str) -> None:
    files = sorted({**sealed, name: b"x"}.items())
    assert says in refused(canonical(*files))


@pytest.mark.parametrize("raw", [b"caf\xe9", "文".encode(), b"\xff\xfe", b"\xc0\xae\xc0\xae/x"])
def test_names_that_are_not_ascii(refused: Refused, raw: bytes) -> None:
    whole = canonical(("n" * len(raw), b"x")).replace(b"n" * len(raw), raw)
    assert "do not mean the same on Windows and Linux" in refused(whole)


def test_names_twice(refused: Refused, sealed: dict[str, bytes]) -> None:
    files = sorted([*sealed.items(), ("host/linux.sh", b"rm -rf /\n")])
    assert refused(canonical(*files)) == "host/linux.sh: is in the zip twice"


def test_names_that_differ_in_case(refused: Refused, sealed: dict[str, bytes]) -> None:
    files = sorted([*sealed.items(), ("HOST/linux.sh", b"rm -rf /\n")])
    assert refused(canonical(*files)) == "host/linux.sh: differs from HOST/linux.sh in case only"


def test_a_file_in_a_folders_place(refused: Refused, sealed: dict[str, bytes]) -> None:
    files = sorted([*sealed.items(), ("host", b"x")])
    assert refused(canonical(*files)) == "host: is not in the manifest"


def test_a_file_added_missing_or_changed(refused: Refused, sealed: dict[str, bytes]) -> None:
    assert refused(canonical(*sorted({**sealed, "x": b""}.items()))) == "x: is not in the manifest"
    del sealed["catalog/a.toml"]
    assert refused(canonical(*sorted(sealed.items()))) == "catalog/a.toml: missing"
    sealed["catalog/a.toml"] = b"x = 2\n"
    assert "its content was changed" in refused(canonical(*sorted(sealed.items())))
    sealed["catalog/a.toml"] = b"x = 10\n"
    assert "1 byte longer" in refused(canonical(*sorted(sealed.items())))


@pytest.mark.parametrize("name", ["manifest.json", "manifest.json.minisig"])
def test_manifest_or_seal_missing_or_huge(refused: Refused, sealed: dict[str, bytes], name: str) -> None:
    data = sealed.pop(name)
    assert refused(canonical(*sorted(sealed.items()))).startswith(f"{name}: missing")
    sealed[name] = data + bytes(20 * 2**20)
    assert f"{name}: larger than" in refused(canonical(*sorted(sealed.items())))


def test_files_out_of_order(refused: Refused, sealed: dict[str, bytes]) -> None:
    assert "not sorted" in refused(canonical(*sorted(sealed.items(), reverse=True)))


def test_no_files(refused: Refused) -> None:
    assert refused(canonical()).startswith("manifest.json: missing")


@pytest.mark.parametrize(
    ("kind", "says"),
    [
        (stat.S_IFLNK, "x: is a symbolic link"),
        (stat.S_IFCHR, "x: is a device"),
        (stat.S_IFIFO, "x: is a named pipe"),
        (stat.S_IFSOCK, "x: is a socket"),
        (stat.S_IFDIR, "x: is a folder"),
    ],
)
def test_kinds(refused: Refused, kind: int, says: str) -> None:
    entry = zipfile.ZipInfo("x")
    entry.create_system = 3
    entry.external_attr = (kind | 0o777) << 16
    assert says in refused(stock((entry, b"/etc/passwd")))


@pytest.mark.parametrize("flag", [0x01, 0x41, 0x2001])
def test_encrypted(refused: Refused, flag: int) -> None:
    whole = bytearray(canonical(("x", b"secret")))
    struct.pack_into("<H", whole, whole.index(archive.CENTRAL) + 8, flag)
    struct.pack_into("<H", whole, 6, flag)
    assert refused(bytes(whole)) == "x: is encrypted, and nothing in a bundle is"


@pytest.mark.parametrize(
    ("packing", "how"),
    [(zipfile.ZIP_DEFLATED, "deflate"), (zipfile.ZIP_BZIP2, "bzip2"), (zipfile.ZIP_LZMA, "LZMA")],
)
def test_a_bomb_is_never_unpacked(refused: Refused, packing: int, how: str) -> None:
    bomb = stock(("x", bytes(64 * 2**20)), packing=packing)
    assert len(bomb) < 2**20
    assert f"x: is compressed ({how})" in refused(bomb)


def test_another_programs_zip_is_refused_with_a_way_out(
    sealed: dict[str, bytes], tmp_path: Path, key: bundle.SecretKey, now: datetime
) -> None:
    (tmp_path / "b.zip").write_bytes(stock(*sorted(sealed.items())))
    with pytest.raises(BundleRefusedError) as caught:
        bundle.open_bundle(tmp_path / "b.zip", key.public(), now=now)
    assert "give that folder" in caught.value.hint


def test_a_hundred_thousand_entries(refused: Refused) -> None:
    files = [(f"f{number:06}", b"") for number in range(100_000)]
    assert refused(canonical(*files)) == "b.zip: holds 100,000 files, and a bundle at most 10,000"


def test_a_hundred_thousand_entries_behind_a_lying_count(refused: Refused) -> None:
    entries = [ArchiveEntry(f"f{number:06}", 0, 0, 37 * number) for number in range(100_000)]
    listed = b"".join(map(archive.central_header, entries))
    locals_ = b"".join(map(archive.local_header, entries))
    for count in (5, 9_000):
        whole = locals_ + listed + archive.ending(count, len(locals_), len(listed))
        assert "its directory" in refused(whole)


def test_ten_thousand_entries_that_are_not_a_bundle(refused: Refused) -> None:
    files = [(f"f{number:06}", b"") for number in range(10_000)]
    assert refused(canonical(*files)).startswith("manifest.json: missing")


def test_a_sparse_giant(refused: Refused, sealed: dict[str, bytes], tmp_path: Path) -> None:
    """Ten gigabytes in the place of a file of a few bytes, in a hole that takes no room on the disk."""
    entries: list[ArchiveEntry] = []
    path = tmp_path / "giant"
    with path.open("wb") as stream:
        for name, data in sorted(sealed.items()):
            length = 10 * 2**30 if name == "host/linux.sh" else len(data)
            entry = ArchiveEntry(name, length, zlib.crc32(data), entries[-1].end if entries else 0)
            stream.seek(entry.start)
            stream.write(archive.local_header(entry) + data)
            entries.append(entry)
        stream.seek(entries[-1].end)
        stream.write(archive.directory(entries, entries[-1].end))
    assert path.stat().st_blocks * 512 < 2**20
    assert refused(path) == f"host/linux.sh: {10 * 2**30 - 10:,} bytes longer than the manifest says"


class TestLies:
    """What the directory says is held against what lies where it points."""

    @pytest.fixture
    def whole(self) -> bytearray:
        return bytearray(canonical(("a", b"content of a"), ("b", b"content of b")))

    def central(self, whole: bytearray, number: int) -> int:
        at = -1
        for _ in range(number + 1):
            at = whole.index(archive.CENTRAL, at + 1)
        return at

    @pytest.mark.parametrize(("place", "value"), [(24, 2**31), (24, 0xFFFFFFFF), (20, 1), (24, 1)])
    def test_about_one_length(self, whole: bytearray, refused: Refused, place: int, value: int) -> None:
        struct.pack_into("<I", whole, self.central(whole, 0) + place, value)
        assert refused(bytes(whole)) == "a: two lengths are stated for it"

    def test_about_both_lengths(self, whole: bytearray, refused: Refused) -> None:
        struct.pack_into("<2I", whole, self.central(whole, 0) + 20, 2**31, 2**31)
        assert refused(bytes(whole)) == "a: is said to be longer than the zip"
        struct.pack_into("<2I", whole, self.central(whole, 0) + 20, 5, 5)
        assert refused(bytes(whole)).startswith("a: what stands before it in the zip")

    def test_that_two_files_share_their_bytes(self, whole: bytearray, refused: Refused) -> None:
        struct.pack_into("<I", whole, self.central(whole, 1) + 42, 0)
        assert refused(bytes(whole)) == "b: begins inside another file of the zip"

    def test_that_there_is_room_between_files(self, refused: Refused) -> None:
        first = ArchiveEntry("a", 1, zlib.crc32(b"x"), 0)
        second = ArchiveEntry("b", 1, zlib.crc32(b"x"), first.end + 9)
        whole = archive.local_header(first) + b"x" + b"malicious" + archive.local_header(second) + b"x"
        whole += archive.directory([first, second], second.end)
        assert refused(whole) == "b: 9 bytes before it belong to no file"

    def test_that_there_is_room_before_the_directory(self, refused: Refused) -> None:
        entry = ArchiveEntry("a", 1, zlib.crc32(b"x"), 0)
        whole = archive.local_header(entry) + b"x" + b"malicious"
        whole += archive.directory([entry], len(whole))
        assert refused(whole) == "b.zip: 9 bytes in it belong to no file"

    def test_about_the_name(self, whole: bytearray, refused: Refused) -> None:
        whole[30] = ord("c")
        assert refused(bytes(whole)).startswith("a: what stands before it in the zip")

    @pytest.mark.parametrize("extra", [b"PK\x05\x06" + bytes(18), b"x", bytes(2**16)])
    def test_behind_the_end(self, whole: bytearray, refused: Refused, extra: bytes) -> None:
        """Readers that search for an end record could take another one than we do."""
        message = refused(bytes(whole) + extra)
        assert message.startswith("b.zip: ")
        assert "added to" in message or "does not lie where" in message

    def test_before_the_start(self, whole: bytearray, refused: Refused) -> None:
        assert "does not lie where its end says" in refused(b"#!/bin/sh\n" + bytes(whole))

    def test_in_a_comment(self, whole: bytearray, refused: Refused) -> None:
        struct.pack_into("<H", whole, len(whole) - 2, 22)
        assert "does not lie where" in refused(bytes(whole))

    def test_in_an_extra_field(self, refused: Refused) -> None:
        entry = zipfile.ZipInfo("a")
        name = struct.pack("<BI", 1, zlib.crc32(b"a")) + b"../outside"
        entry.extra = struct.pack("<2H", 0x7075, len(name)) + name
        assert refused(stock((entry, b"x"))).startswith("a: what stands before it in the zip")

    def test_about_several_volumes(self, whole: bytearray, refused: Refused) -> None:
        struct.pack_into("<H", whole, len(whole) - 18, 1)
        assert refused(bytes(whole)) == "b.zip: is one part of a zip that was split into several"

    def test_about_being_large(self, whole: bytearray, refused: Refused) -> None:
        struct.pack_into("<I", whole, len(whole) - 6, 0xFFFFFFFF)
        assert refused(bytes(whole)) == "b.zip: lacks the record that a zip of its size must have"

    def test_of_absurd_size_in_the_large_record(self, refused: Refused) -> None:
        huge = 2**63
        record = archive.END_RECORD_64.pack(archive.END_64, 44, 45, 45, 0, 0, 1, 1, huge, huge)
        locator = archive.LOCATOR_RECORD_64.pack(archive.LOCATOR_64, 0, 0, 1)
        end = archive.END_RECORD.pack(archive.END, 0, 0, 1, 1, 2**32 - 1, 2**32 - 1, 0)
        assert refused(bytes(99) + record + locator + end) == (
            "b.zip: its directory does not lie where its end says"
        )

    def test_both_checksums_are_wrong(self, refused: Refused, sealed: dict[str, bytes]) -> None:
        """No other program could unpack it, although its content is right."""
        whole = canonical(*sorted(sealed.items()))
        right = struct.pack("<I", zlib.crc32(sealed["host/linux.sh"]))
        assert whole.count(right) == 2
        assert refused(whole.replace(right, b"\0\0\0\0")) == (
            "host/linux.sh: the zip states a wrong checksum for it"
        )


def test_a_pipe_or_a_device_is_not_waited_on(tmp_path: Path, key: bundle.SecretKey, now: datetime) -> None:
    os.mkfifo(tmp_path / "b.zip")
    for path in (tmp_path / "b.zip", Path("/dev/zero")):
        with pytest.raises(Exception, match="is neither a folder nor a zip"):
            bundle.open_bundle(path, key.public(), now=now)
