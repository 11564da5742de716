import base64
import os
import struct
from pathlib import Path

import pytest

from arcferry import bundle
from arcferry.bundle.keys import scrypt_parameters
from arcferry.errors import FileInputError, InputError


def test_a_new_pair_is_private_and_opens_again(tmp_path: Path) -> None:
    public = bundle.create_key_pair(tmp_path / "k")
    assert (tmp_path / "k").stat().st_mode & 0o777 == 0o600
    secret = bundle.load_secret_key(tmp_path / "k")
    assert secret.public() == public == bundle.load_public_key(tmp_path / "k.pub")
    assert not bundle.is_encrypted(tmp_path / "k")


def test_two_new_keys_differ(tmp_path: Path) -> None:
    first, second = bundle.create_key_pair(tmp_path / "a"), bundle.create_key_pair(tmp_path / "b")
    assert first.id != second.id
    assert first.key != second.key


def test_a_password_is_needed_and_must_be_the_right_one(tmp_path: Path) -> None:
    path = tmp_path / "k"
    public = bundle.create_key_pair(path, password="correct horse")
    assert bundle.is_encrypted(path)
    assert bundle.load_secret_key(path, "correct horse").public() == public
    with pytest.raises(InputError, match="wrong password"):
        bundle.load_secret_key(path, "battery staple")
    with pytest.raises(InputError, match="none was given"):
        bundle.load_secret_key(path)


@pytest.mark.parametrize("taken", ["k", "k.pub"])
def test_a_key_is_never_overwritten(tmp_path: Path, taken: str) -> None:
    (tmp_path / taken).write_text("something dear")
    with pytest.raises(FileInputError, match="exists already"):
        bundle.create_key_pair(tmp_path / "k")
    assert [path.name for path in tmp_path.iterdir()] == [taken]
    assert (tmp_path / taken).read_text() == "something dear"


def test_a_secret_key_that_all_can_read_is_refused(tmp_path: Path) -> None:
    bundle.create_key_pair(tmp_path / "k")
    (tmp_path / "k").chmod(0o644)
    with pytest.raises(FileInputError, match="every user") as caught:
        bundle.load_secret_key(tmp_path / "k")
    assert "chmod 600" in caught.value.hint


def test_the_wrong_half_is_named(tmp_path: Path) -> None:
    bundle.create_key_pair(tmp_path / "k")
    with pytest.raises(FileInputError, match="is a secret key"):
        bundle.load_public_key(tmp_path / "k")
    with pytest.raises(FileInputError, match="is a public key"):
        bundle.load_secret_key(tmp_path / "k.pub")


@pytest.mark.parametrize(
    "content",
    [b"", b"\0" * 100, b"-----BEGIN PRIVATE KEY-----\n", b"untrusted comment: x\nRWQ!\n", b"a\n" * 4000],
)
def test_other_files_are_no_keys(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "k"
    path.write_bytes(content)
    path.chmod(0o600)
    for load in (bundle.load_public_key, bundle.load_secret_key):
        with pytest.raises(FileInputError, match=str(path)):
            load(path)


def test_a_missing_key_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileInputError, match="no such file"):
        bundle.load_public_key(tmp_path / "nowhere.pub")


def test_a_damaged_key_is_refused(tmp_path: Path) -> None:
    bundle.create_key_pair(tmp_path / "k")
    raw = (tmp_path / "k").read_bytes()
    at = len(raw) - 60
    (tmp_path / "k").write_bytes(raw[:at] + (b"A" if raw[at : at + 1] != b"A" else b"B") + raw[at + 1 :])
    with pytest.raises(InputError, match=r"damaged|wrong password"):
        bundle.load_secret_key(tmp_path / "k")


@pytest.mark.parametrize("cost", [(1 << 62, 1 << 62), (1 << 40, 1 << 30), (1 << 62, 1 << 25)])
def test_a_key_file_cannot_ask_for_endless_work(tmp_path: Path, cost: tuple[int, int]) -> None:
    path = tmp_path / "k"
    bundle.create_key_pair(path, password="secret")
    comment, body = path.read_bytes().splitlines()
    raw = bytearray(base64.b64decode(body))
    struct.pack_into("<2Q", raw, 38, *cost)
    path.write_bytes(comment + b"\n" + base64.b64encode(raw) + b"\n")
    with pytest.raises(FileInputError, match="more memory or time"):
        bundle.load_secret_key(path, "secret")


@pytest.mark.parametrize(
    ("operations", "memory", "n", "p"),
    [
        (33554432, 1073741824, 1 << 20, 1),  # libsodium's SENSITIVE, minisign's default
        (524288, 16777216, 1 << 14, 1),  # libsodium's INTERACTIVE
        (1 << 22, 1 << 27, 1 << 17, 1),
    ],
)
def test_the_cost_is_read_as_libsodium_reads_it(operations: int, memory: int, n: int, p: int) -> None:
    assert scrypt_parameters(operations, memory) == (n, p)


def test_no_secret_shows_in_a_representation(tmp_path: Path) -> None:
    bundle.create_key_pair(tmp_path / "k")
    secret = bundle.load_secret_key(tmp_path / "k")
    assert secret.seed.hex() not in repr(secret)
    assert repr(secret.seed) not in repr(secret)


@pytest.mark.skipif(os.geteuid() == 0, reason="root writes everywhere")
def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(FileInputError, match="Permission denied"):
        bundle.create_key_pair(tmp_path / "k")
