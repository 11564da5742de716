"""A new key takes an old one's place."""

import shutil
import subprocess
from datetime import datetime
from pathlib import Path

import pytest

from arcferry import bundle
from arcferry.errors import BundleRefusedError, FileInputError, InputError


@pytest.fixture
def new(tmp_path: Path) -> bundle.SecretKey:
    key = bundle.new_secret_key()
    (tmp_path / "new.pub").write_bytes(key.public().to_bytes())
    return key


@pytest.fixture
def ring(tmp_path: Path, key: bundle.SecretKey) -> Path:
    path = tmp_path / "accepted.pub"
    path.write_bytes(key.public().to_bytes())
    return path


def test_bundles_of_both_keys_open_with_the_key_file(
    *, tmp_path: Path, key: bundle.SecretKey, new: bundle.SecretKey, ring: Path, agent: Path, now: datetime
) -> None:
    for name, by in (("old", key), ("by-new", new)):
        bundle.build(tmp_path / name, bundle.Contents((agent,)), by, created=now)
    with pytest.raises(BundleRefusedError, match="not with the key given"):
        bundle.open_bundle(tmp_path / "by-new", ring, now=now)
    bundle.endorse(tmp_path / "new.pub", key)
    assert bundle.accept(tmp_path / "new.pub", ring) == (new.public(), key.public())
    assert bundle.open_bundle(tmp_path / "by-new", ring, now=now).key_id == new.public().id
    assert bundle.open_bundle(tmp_path / "old", ring, now=now).key_id == key.public().id
    bundle.accept(tmp_path / "new.pub", ring)
    assert bundle.load_public_keys(ring) == (new.public(), key.public())


def test_a_third_key_follows_the_second(
    tmp_path: Path, key: bundle.SecretKey, new: bundle.SecretKey, ring: Path
) -> None:
    third = bundle.create_key_pair(tmp_path / "third")
    bundle.endorse(tmp_path / "new.pub", key)
    bundle.endorse(tmp_path / "third.pub", new)
    with pytest.raises(BundleRefusedError, match="was not made with key"):
        bundle.accept(tmp_path / "third.pub", ring)
    bundle.accept(tmp_path / "new.pub", ring)
    assert bundle.accept(tmp_path / "third.pub", ring) == (third, new.public())


@pytest.mark.skipif(not shutil.which("minisign"), reason="minisign is not on PATH")
def test_stock_minisign_checks_it_too(tmp_path: Path, key: bundle.SecretKey, new: bundle.SecretKey) -> None:
    (tmp_path / "old.pub").write_bytes(key.public().to_bytes())
    bundle.endorse(tmp_path / "new.pub", key)
    command = ["minisign", "-V", "-p", tmp_path / "old.pub", "-m", tmp_path / "new.pub"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert f"arcferry key:{new.public().id} succeeds:{key.public().id}" in done.stdout


class TestRefused:
    def test_another_key_under_a_good_signature(
        self, tmp_path: Path, key: bundle.SecretKey, new: bundle.SecretKey, ring: Path
    ) -> None:
        bundle.endorse(tmp_path / "new.pub", key)
        before = ring.read_bytes()
        forged = bundle.SecretKey(new.key_id, bundle.new_secret_key().seed).public()
        (tmp_path / "new.pub").write_bytes(forged.to_bytes())
        with pytest.raises(BundleRefusedError, match=r"new\.pub: is not the key that"):
            bundle.accept(tmp_path / "new.pub", ring)
        assert ring.read_bytes() == before

    def test_a_signature_by_a_stranger_under_the_old_keys_id(
        self, tmp_path: Path, key: bundle.SecretKey, new: bundle.SecretKey, ring: Path
    ) -> None:
        stranger = bundle.SecretKey(key.key_id, bundle.new_secret_key().seed)
        assert bundle.endorse(tmp_path / "new.pub", stranger).is_file()
        with pytest.raises(BundleRefusedError, match="is not the key that"):
            bundle.accept(tmp_path / "new.pub", ring)
        assert new.public() not in bundle.load_public_keys(ring)

    def test_every_changed_byte(
        self, tmp_path: Path, key: bundle.SecretKey, new: bundle.SecretKey, ring: Path
    ) -> None:
        signature = bundle.endorse(tmp_path / "new.pub", key)
        before, whole = ring.read_bytes(), signature.read_bytes()
        for at in range(len(whole)):
            signature.write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
            with pytest.raises((BundleRefusedError, FileInputError)):
                bundle.accept(tmp_path / "new.pub", ring)
        assert ring.read_bytes() == before
        assert new.public().id

    def test_a_missing_signature(self, tmp_path: Path, new: bundle.SecretKey, ring: Path) -> None:
        assert new.key_id
        with pytest.raises(FileInputError, match=r"new\.pub\.minisig: no such file"):
            bundle.accept(tmp_path / "new.pub", ring)

    def test_a_bundles_seal_in_the_signatures_place(
        self, tmp_path: Path, built: Path, new: bundle.SecretKey, ring: Path
    ) -> None:
        assert new.key_id
        shutil.copy(built / "manifest.json.minisig", tmp_path / "new.pub.minisig")
        with pytest.raises(BundleRefusedError, match="is not the key that"):
            bundle.accept(tmp_path / "new.pub", ring)

    def test_a_key_that_signs_itself(self, tmp_path: Path, new: bundle.SecretKey) -> None:
        with pytest.raises(InputError, match="is the old key itself"):
            bundle.endorse(tmp_path / "new.pub", new)


class TestAKeyFile:
    def test_with_a_broken_second_key_is_refused_whole(self, ring: Path) -> None:
        with ring.open("ab") as stream:
            stream.write(b"untrusted comment: another\nnot base64!\n")
        with pytest.raises(FileInputError, match="is not a key file"):
            bundle.load_public_keys(ring)

    def test_with_one_line_too_many_is_refused(self, ring: Path) -> None:
        with ring.open("ab") as stream:
            stream.write(b"untrusted comment: another\n")
        with pytest.raises(FileInputError, match="is not a key file"):
            bundle.load_public_keys(ring)

    def test_with_two_keys_of_one_id_is_refused(self, ring: Path, key: bundle.SecretKey) -> None:
        twin = bundle.SecretKey(key.key_id, bundle.new_secret_key().seed).public()
        ring.write_bytes(ring.read_bytes() + twin.to_bytes())
        with pytest.raises(FileInputError, match="two keys of one id"):
            bundle.load_public_keys(ring)

    def test_with_two_keys_is_not_one_key(self, ring: Path, new: bundle.SecretKey) -> None:
        ring.write_bytes(ring.read_bytes() + new.public().to_bytes())
        assert len(bundle.load_public_keys(ring)) == 2
        with pytest.raises(FileInputError, match="holds 2 keys"):
            bundle.load_public_key(ring)
