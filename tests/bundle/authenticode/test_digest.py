import hashlib
import importlib
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from arcferry.bundle.authenticode.verify import EXTENDED, SIGNATURE, load_oscrypto, msi_digest
from arcferry.bundle.packages.msi import Compound

if TYPE_CHECKING:
    from conftest import Authorities

Pack = Callable[..., bytes]


def ours(path: Path, algorithm: str = "sha256") -> bytes | None:
    with path.open("rb") as stream:
        return msi_digest(Compound(stream), algorithm)


@pytest.mark.parametrize(
    ("extended", "algorithm"), [((), "sha256"), ((), "sha512"), (("-add-msi-dse",), "sha256")]
)
def test_it_is_what_signify_finds(
    sign: Callable[..., Path], trusted: "Authorities", extended: tuple[str, ...], algorithm: str
) -> None:
    load_oscrypto()
    signify = importlib.import_module("signify.authenticode.signed_file")
    path = sign(trusted.signer(), *extended)
    with path.open("rb") as stream:
        theirs = signify.SignedMsiFile(stream).get_fingerprint(getattr(hashlib, algorithm))
    assert ours(path, algorithm) == theirs


def test_a_wrong_extended_digest_is_none(tmp_path: Path, pack: Pack) -> None:
    path = tmp_path / "a.msi"
    path.write_bytes(pack({"a": b"1", EXTENDED: bytes(32)}))
    assert ours(path) is None


def test_the_signature_is_left_out_at_the_root_only(tmp_path: Path, pack: Pack) -> None:
    def digest(streams: dict[str, bytes | dict[str, bytes]]) -> bytes | None:
        (tmp_path / "a.msi").write_bytes(pack(streams))
        return ours(tmp_path / "a.msi")

    bare = digest({"a": b"1"})
    assert digest({"a": b"1", SIGNATURE: b"anything"}) == bare
    nested = digest({"a": b"1", "b": {SIGNATURE: b"anything"}})
    assert nested not in {bare, digest({"a": b"1", "b": {SIGNATURE: b"another"}})}


def test_content_of_any_size_is_read_whole(tmp_path: Path, pack: Pack) -> None:
    for size in (0, 1, 63, 64, 65, 4095, 4096, 4097, 300_000):
        content = bytes(index * 7 % 251 for index in range(size))
        path = tmp_path / "a.msi"
        path.write_bytes(pack({"a": content, "b": b"x" * 100}, root=bytes(16)))
        assert ours(path) == hashlib.sha256(content + b"x" * 100 + bytes(16)).digest()
