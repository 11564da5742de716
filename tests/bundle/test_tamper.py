"""Every single change of a small bundle is refused."""

import contextlib
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arcferry import bundle
from arcferry.bundle import seal
from arcferry.errors import BundleRefusedError

Small = Callable[..., Path]
FILES = ["manifest.json", "manifest.json.minisig", "host/linux.sh", "catalog/a.toml"]


@pytest.mark.parametrize("name", FILES)
def test_every_flipped_bit_is_refused(small: Small, key: bundle.SecretKey, now: datetime, name: str) -> None:
    folder, public = small(), key.public()
    whole = (folder / name).read_bytes()
    accepted = []
    for at in range(len(whole)):
        for bit in range(8):
            changed = whole[:at] + bytes([whole[at] ^ 1 << bit]) + whole[at + 1 :]
            (folder / name).write_bytes(changed)
            try:
                bundle.open_bundle(folder, public, now=now)
            except BundleRefusedError:
                continue
            accepted.append((at, bit))
    assert accepted == []
    (folder / name).write_bytes(whole)
    bundle.open_bundle(folder, public, now=now)


def test_every_other_byte_in_every_place_of_the_seal_is_refused(small: Small, key: bundle.SecretKey) -> None:
    folder, public = small(), key.public()
    manifest = (folder / "manifest.json").read_bytes()
    whole = (folder / "manifest.json.minisig").read_bytes()
    accepted = []
    for at in range(len(whole)):
        for byte in set(range(256)) - {whole[at]}:
            try:
                read = seal.read_seal(whole[:at] + bytes([byte]) + whole[at + 1 :])
                seal.check_seal(read, manifest, public)
            except BundleRefusedError:
                continue
            accepted.append((at, byte))
    assert accepted == []
    seal.check_seal(seal.read_seal(whole), manifest, public)


@pytest.mark.parametrize("name", FILES)
def test_every_byte_left_out_or_put_in_is_refused(
    small: Small, key: bundle.SecretKey, now: datetime, name: str
) -> None:
    folder, public = small(), key.public()
    whole = (folder / name).read_bytes()
    for at in range(len(whole) + 1):
        for changed in (whole[:at] + whole[at + 1 :], whole[:at] + b"\n" + whole[at:]):
            if changed != whole:
                (folder / name).write_bytes(changed)
                with pytest.raises(BundleRefusedError):
                    bundle.open_bundle(folder, public, now=now)


@pytest.fixture
def zipped(small: Small, key: bundle.SecretKey, now: datetime, tmp_path: Path) -> Path:
    bundle.copy_bundle(bundle.open_bundle(small(), key.public(), now=now), tmp_path / "b.zip")
    return tmp_path / "b.zip"


def test_every_flipped_bit_of_a_zip_is_refused(zipped: Path, key: bundle.SecretKey, now: datetime) -> None:
    whole, public = zipped.read_bytes(), key.public()
    accepted = []
    for at in range(len(whole)):
        for bit in range(8):
            zipped.write_bytes(whole[:at] + bytes([whole[at] ^ 1 << bit]) + whole[at + 1 :])
            try:
                bundle.open_bundle(zipped, public, now=now)
            except BundleRefusedError:
                continue
            accepted.append((at, bit))
    assert accepted == []
    zipped.write_bytes(whole)
    bundle.open_bundle(zipped, public, now=now)


def test_every_byte_left_out_of_a_zip_or_put_in_is_refused(
    zipped: Path, key: bundle.SecretKey, now: datetime
) -> None:
    whole = zipped.read_bytes()
    for at in range(len(whole) + 1):
        for changed in (whole[:at] + whole[at + 1 :], whole[:at] + b"\n" + whole[at:]):
            if changed != whole:
                zipped.write_bytes(changed)
                with pytest.raises(BundleRefusedError):
                    bundle.open_bundle(zipped, key.public(), now=now)


@given(st.binary(max_size=400))
def test_no_bytes_but_a_seal_are_read_as_one(data: bytes) -> None:
    with contextlib.suppress(BundleRefusedError):
        assert seal.read_seal(data).to_bytes() == data


def test_every_signature_of_another_manifest_is_refused(
    small: Small, key: bundle.SecretKey, now: datetime
) -> None:
    folder = small()
    data = (folder / "manifest.json").read_bytes()
    manifest = bundle.read_unverified(folder)
    other = seal.make_seal(data.replace(b'"version": 7', b'"version": 8'), manifest.trusted_comment, key)
    (folder / "manifest.json.minisig").write_bytes(other.to_bytes())
    with pytest.raises(BundleRefusedError, match=r"manifest\.json: is not what key"):
        bundle.open_bundle(folder, key.public(), now=now)
