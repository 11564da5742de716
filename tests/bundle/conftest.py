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

import pytest

from arcferry import bundle
from arcferry.bundle.manifest import Manifest, ManifestFile, Role
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


def make_msi(root: str = "84100c0000000000c000000000000046") -> bytes:
    header = bytearray(512)
    header[:8] = bytes.fromhex("d0cf11e0a1b11ae1")
    struct.pack_into("<HHHH", header, 24, 0x3E, 3, 0xFFFE, 9)
    struct.pack_into("<I", header, 48, 1)
    directory = bytearray(512)
    directory[80:96] = bytes.fromhex(root)
    return bytes(header) + bytes(512) + bytes(directory)


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
