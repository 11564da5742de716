import gzip
import hashlib
import io
import lzma
import struct
import tarfile
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from arcferry import bundle
from arcferry.bundle.manifest import Manifest, ManifestFile, Role
from arcferry.bundle.packages import msi as msi_reader
from arcferry.bundle.seal import make_seal

NOW = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)


def _ar(members: dict[str, bytes]) -> bytes:
    parts = [b"!<arch>\n"]
    for name, data in members.items():
        parts.append(f"{name:<16}{0:<12}{0:<6}{0:<6}{100644:<8}{len(data):<10}`\n".encode())
        parts.append(data + b"\n" * (len(data) % 2))
    return b"".join(parts)


def _tar(name: str, data: bytes) -> bytes:
    held = io.BytesIO()
    with tarfile.open(fileobj=held, mode="w") as archive:
        entry = tarfile.TarInfo(name)
        entry.size = len(data)
        archive.addfile(entry, io.BytesIO(data))
    return held.getvalue()


def make_deb(
    package: str = "azcmagent", version: str = "1.67.0", architecture: str = "amd64", pack: str = "gz"
) -> bytes:
    control = f"Package: {package}\nVersion: {version}\nArchitecture: {architecture}\nDescription: x\n y\n"
    tar = _tar("./control", control.encode())
    packed = {
        "gz": gzip.compress(tar, mtime=0),
        "xz": lzma.compress(tar),
        "zst": b"\x28\xb5\x2f\xfd" + b"not unpacked",
    }[pack]
    members = {"debian-binary": b"2.0\n", f"control.tar.{pack}": packed, "data.tar.gz": gzip.compress(b"")}
    return _ar(members)


def grow_deb(path: Path, size: int) -> None:
    """Give the package a sparse payload of `size` bytes."""
    whole = path.read_bytes()
    at = whole.index(b"data.tar.gz")
    header = whole[at : at + 48] + f"{size:<10}`\n".encode()
    path.write_bytes(whole[:at] + header)
    with path.open("ab") as stream:
        stream.truncate(at + len(header) + size)


def _rpm_header(tags: dict[int, str | int]) -> bytes:
    index, store = b"", b""
    for tag, value in sorted(tags.items()):
        if isinstance(value, int):
            store += b"\0" * (-len(store) % 4)
            index += struct.pack(">IIII", tag, 4, len(store), 1)
            store += struct.pack(">I", value)
        else:
            index += struct.pack(">IIII", tag, 6, len(store), 1)
            store += value.encode() + b"\0"
    return b"\x8e\xad\xe8\x01\0\0\0\0" + struct.pack(">II", len(tags), len(store)) + index + store


def make_rpm(package: str = "azcmagent", version: str = "1.67.0", architecture: str = "x86_64") -> bytes:
    body = _rpm_header({1000: package, 1001: version, 1002: "7", 1022: architecture}) + b"payload" * 9
    signature = _rpm_header({1000: len(body)})
    return b"\xed\xab\xee\xdb" + bytes(92) + signature + bytes(-len(signature) % 8) + body


Tree = dict[str, "bytes | Tree"]
INSTALLER = bytes.fromhex("84100c0000000000c000000000000046")


def pack_compound(streams: Tree, root: bytes = INSTALLER) -> bytes:
    """A compound file ([MS-CFB]) of these streams and storages, in sectors of 512 bytes."""
    mini, minifat, large, entries = bytearray(), [], [], [["Root Entry", 5, root, -1, 0, 0, -1]]

    def add(tree: Tree, parent: int) -> None:
        previous = None
        for name, content in sorted(tree.items(), key=lambda item: (len(item[0]), item[0].upper())):
            number = len(entries)
            entries.append([name, 2, bytes(16), -1, 0, 0, -1])
            if previous is None:
                entries[parent][3] = number
            else:
                entries[previous][6] = number
            previous = number
            if isinstance(content, dict):
                entries[number][1] = 1
                add(content, number)
            elif len(content) >= 4096:
                entries[number][5] = len(content)
                large.append((number, content))
            else:
                entries[number][4:6] = [len(mini) // 64 if content else -2, len(content)]
                mini.extend(content + bytes(-len(content) % 64))
                first, last = len(minifat), len(mini) // 64
                minifat.extend([*range(first + 1, last), -2] if last > first else [])

    add(streams, 0)
    body, fat = bytearray(), []

    def place(content: bytes) -> int:
        start, count = len(fat), -(-len(content) // 512)
        fat.extend([*range(start + 1, start + count), -2] if count else [])
        body.extend(content + bytes(-len(content) % 512))
        return start if count else -2

    for number, content in large:
        entries[number][4] = place(content)
    minifat_at = place(struct.pack(f"<{len(minifat)}i", *minifat) + b"\xff" * (-4 * len(minifat) % 512))
    entries[0][4:6] = [place(bytes(mini)), len(mini)]
    directory = b"".join(_directory_entry(entry) for entry in entries)
    directory += _directory_entry(["", 0, bytes(16), -1, 0, 0, -1]) * (-len(entries) % 4)
    directory_at = place(directory)
    fat_sectors = 1
    while (len(fat) + fat_sectors) * 4 > fat_sectors * 512:
        fat_sectors += 1
    fat_at = len(fat)
    fat += [-3] * fat_sectors
    body += struct.pack(f"<{len(fat)}i", *fat) + b"\xff" * (-4 * len(fat) % 512)
    header = bytes.fromhex("d0cf11e0a1b11ae1") + bytes(16) + struct.pack("<HHHHH6x", 0x3E, 3, 0xFFFE, 9, 6)
    header += struct.pack(
        "<IIiIIiIiI", 0, fat_sectors, directory_at, 0, 4096, minifat_at, -(-len(minifat) // 128), -2, 0
    )
    difat = [*range(fat_at, fat_at + fat_sectors)]
    return header + struct.pack("<109i", *difat, *[-1] * (109 - len(difat))) + bytes(body)


def _directory_entry(fields: list[Any]) -> bytes:
    name, kind, clsid, child, start, size, right = fields
    raw = name.encode("utf-16-le")
    entry = raw.ljust(64, b"\0") + struct.pack("<HBB", len(raw) + 2 if name else 0, kind, 1)
    return entry + struct.pack("<iii16sIQQiQ", -1, right, child, clsid, 0, 0, 0, start, size)


def msi_streams(properties: dict[str, str], *, wide: bool = False) -> dict[str, bytes]:
    """The streams of an MSI with these properties."""
    texts = [text.encode() for pair in properties.items() for text in pair]
    pool = (65001).to_bytes(2, "little") + (0x8000 if wide else 0).to_bytes(2, "little")
    for text in texts:
        if len(text) > 0xFFFF:
            pool += bytes.fromhex("00000100") + len(text).to_bytes(4, "little")
        else:
            pool += len(text).to_bytes(2, "little") + b"\1\0"
    width = 3 if wide else 2
    numbers = [*range(1, len(texts), 2), *range(2, len(texts) + 1, 2)]
    summary = bytes(44) + (48).to_bytes(4, "little") + bytes(4) + (1).to_bytes(4, "little")
    summary += (7).to_bytes(4, "little") + (16).to_bytes(4, "little")
    summary += (30).to_bytes(4, "little") + (9).to_bytes(4, "little") + b"x64;1033\0"
    return {
        msi_reader._mangled("_StringPool"): pool,
        msi_reader._mangled("_StringData"): b"".join(texts),
        msi_reader._mangled("Property"): b"".join(number.to_bytes(width, "little") for number in numbers),
        "\x05SummaryInformation": summary,
    }


def make_msi(
    root: str = INSTALLER.hex(), version: str = "1.67", product: str = "Azure Connected Machine Agent"
) -> bytes:
    properties = {"Manufacturer": "Microsoft Corporation", "ProductName": product, "ProductVersion": version}
    return pack_compound(msi_streams(properties), root=bytes.fromhex(root))


@pytest.fixture(scope="session")
def pack() -> Callable[..., bytes]:
    return pack_compound


@pytest.fixture(scope="session")
def streams() -> Callable[..., dict[str, bytes]]:
    return msi_streams


@pytest.fixture(scope="session")
def deb() -> Callable[..., bytes]:
    return make_deb


@pytest.fixture(scope="session")
def grow() -> Callable[[Path, int], None]:
    return grow_deb


@pytest.fixture(scope="session")
def rpm() -> Callable[..., bytes]:
    return make_rpm


@pytest.fixture(scope="session")
def msi() -> Callable[..., bytes]:
    return make_msi


@pytest.fixture(scope="session")
def now() -> datetime:
    return NOW


@pytest.fixture(scope="session")
def key() -> bundle.SecretKey:
    return bundle.SecretKey(b"arcferry", hashlib.sha256(b"a key for tests").digest())


@pytest.fixture
def agent(tmp_path: Path) -> Path:
    path = tmp_path / "in" / "azcmagent_1.67.0_amd64.deb"
    path.parent.mkdir()
    path.write_bytes(make_deb())
    return path


@pytest.fixture
def built(tmp_path: Path, key: bundle.SecretKey, agent: Path) -> Path:
    out = tmp_path / "bundle"
    bundle.build(out, bundle.Contents((agent,)), key, created=NOW)
    return out


Small = Callable[..., Path]


@pytest.fixture
def small(tmp_path: Path, key: bundle.SecretKey) -> Small:
    """Write a bundle of a few bytes, sealed by `key`; whatever is passed for the manifest is sealed too."""

    def write(files: dict[str, bytes] | None = None, **changed: object) -> Path:
        contents = {"host/linux.sh": b"#!/bin/sh\n", "catalog/a.toml": b"x = 1\n"} if files is None else files
        listed = tuple(
            ManifestFile(name, Role.CATALOG, len(data), hashlib.sha256(data).hexdigest())
            for name, data in contents.items()
        )
        manifest = Manifest(7, NOW, NOW + timedelta(days=90), (), listed)
        manifest = replace(manifest, **changed)
        folder = tmp_path / "small"
        folder.mkdir()
        for name, data in contents.items():
            path = folder / name.replace("\0", "")
            if path.resolve().is_relative_to(folder):
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(data)
        reseal(folder, manifest.to_bytes(), manifest.trusted_comment, key)
        return folder

    return write


def reseal(folder: Path, data: bytes, comment: str, key: bundle.SecretKey) -> None:
    (folder / "manifest.json").write_bytes(data)
    (folder / "manifest.json.minisig").write_bytes(make_seal(data, comment, key).to_bytes())
