"""The keys that arcferry brings, and those that a user gives."""

import subprocess
from pathlib import Path

import pytest
from tests.fetch.conftest import Gpg, needs

from arcferry.errors import BundleRefusedError, FileInputError
from arcferry.fetch import PINNED, openpgp
from arcferry.fetch.openpgp import fingerprints, read_keys, repository_keys, verify_detached, verify_inline

KEYRING = Path(openpgp.__file__).parent / "keyring"


def test_the_keys_are_the_pinned_ones() -> None:
    assert fingerprints(repository_keys()) == tuple(PINNED.values())
    assert sorted(PINNED) == sorted(path.name for path in KEYRING.iterdir())


@pytest.mark.parametrize("name", PINNED)
def test_gpg_reads_the_same_fingerprint(tmp_path: Path, name: str) -> None:
    """Another program's word for it, and that the key's own signature on its name holds."""
    needs("gpg")
    command = [
        "gpg",
        "--batch",
        "--homedir",
        str(tmp_path),
        "--with-colons",
        "--show-keys",
        str(KEYRING / name),
    ]
    tmp_path.chmod(0o700)
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    told = [line.split(":")[9].lower() for line in done.stdout.splitlines() if line.startswith("fpr")]
    assert told == [PINNED[name]]


def test_a_key_that_is_not_the_pinned_one_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(openpgp.PINNED, "microsoft.asc", PINNED["microsoft-2025.asc"])
    with pytest.raises(BundleRefusedError, match=r"microsoft\.asc of arcferry is not the key"):
        repository_keys()


def test_a_file_may_hold_several(gpg: Gpg, tmp_path: Path) -> None:
    path = tmp_path / "keys.asc"
    path.write_bytes(gpg.public("good") + gpg.public("other"))
    assert len(fingerprints(repository_keys([path]))) == len(PINNED) + 2


@pytest.mark.parametrize("data", [b"", b"no key", b"-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nAAAA\n"])
def test_what_is_no_key(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "key.asc"
    path.write_bytes(data)
    with pytest.raises(FileInputError, match=r"key\.asc"):
        repository_keys([path])


def test_a_secret_key_is_not_read(gpg: Gpg) -> None:
    for data in (gpg("--armor", "--export-secret-keys", "good"), gpg("--export-secret-keys", "good")):
        with pytest.raises(FileInputError, match="secret key"):
            read_keys(data, "key")


def test_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(FileInputError, match="no such file"):
        repository_keys([tmp_path / "no.asc"])


def test_only_what_was_signed_is_given_back(gpg: Gpg) -> None:
    ring = read_keys(gpg.public("good"), "good")
    text = b"Codename: bookworm\n- a line that is escaped\n"
    signed = gpg.clear("good", text)
    found = verify_inline(b"before\n\n" + signed + b"\nbehind\n", ring, "place")
    assert found.data.rstrip(b"\n") == text.rstrip(b"\n")
    assert found.fingerprint == fingerprints(ring)[0]


def test_a_signature_by_two_keys_counts_when_one_is_trusted(gpg: Gpg) -> None:
    """Microsoft may sign with the old key and the new one for a while."""
    text = b"Codename: bookworm\n"
    both = gpg("--clearsign", "--local-user", "other", "--local-user", "good", data=text)
    for name in ("good", "other"):
        ring = read_keys(gpg.public(name), name)
        assert verify_inline(both, ring, "place").fingerprint == fingerprints(ring)[0]
    apart = gpg("--armor", "--detach-sign", "--local-user", "other", "--local-user", "good", data=text)
    for name in ("good", "other"):
        ring = read_keys(gpg.public(name), name)
        assert verify_detached(text, apart, ring, "place").fingerprint == fingerprints(ring)[0]


def test_the_error_names_the_signer_and_no_stack(gpg: Gpg) -> None:
    ring = read_keys(gpg.public("good"), "good")
    other = fingerprints(read_keys(gpg.public("other"), "other"))[0]
    with pytest.raises(BundleRefusedError) as caught:
        verify_inline(gpg.clear("other", b"text\n"), ring, "place")
    assert other.upper() in caught.value.message
    assert "\n" not in caught.value.message
    assert ".py" not in caught.value.message


def test_a_revoked_key_is_not_trusted(gpg: Gpg, tmp_path: Path) -> None:
    gpg.key("gone")
    signed = gpg.clear("gone", b"text\n")
    ring = read_keys(gpg.public("gone"), "gone")
    assert verify_inline(signed, ring, "place")
    (revocation,) = (gpg.home / "openpgp-revocs.d").glob(f"{fingerprints(ring)[0].upper()}.rev")
    # gpg writes a colon before the armor, so that nobody revokes by accident.
    gpg("--import", data=revocation.read_bytes().replace(b":-----BEGIN", b"-----BEGIN"))
    with pytest.raises(BundleRefusedError):
        verify_inline(signed, read_keys(gpg.public("gone"), "gone"), "place")
