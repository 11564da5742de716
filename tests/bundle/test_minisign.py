"""The same files through stock minisign, both ways."""

import shutil
import subprocess
from datetime import datetime
from pathlib import Path

import pytest

from arcferry import bundle
from arcferry.errors import BundleRefusedError

pytestmark = pytest.mark.skipif(not shutil.which("minisign"), reason="minisign is not on PATH")

UNTRUSTED = "seal of an arcferry bundle"


def minisign(*arguments: str | Path, answers: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["minisign", *map(str, arguments)],
        input=answers,
        capture_output=True,
        text=True,
        check=False,
        start_new_session=True,  # a program that asks for passwords has no business with our terminal
    )


def seal_by_minisign(folder: Path, secret: Path, comment: str, answers: str = "") -> None:
    done = minisign(
        "-S", "-s", secret, "-c", UNTRUSTED, "-t", comment, "-m", folder / "manifest.json", answers=answers
    )
    assert done.returncode == 0, done.stderr


def test_minisign_accepts_our_seal_and_prints_its_comment(
    built: Path, key: bundle.SecretKey, tmp_path: Path
) -> None:
    (tmp_path / "k.pub").write_bytes(key.public().to_bytes())
    done = minisign("-V", "-p", tmp_path / "k.pub", "-m", built / "manifest.json")
    assert done.returncode == 0, done.stderr
    assert "arcferry bundle version:20261123080000 created:2026-11-23T08:00:00Z" in done.stdout


def test_minisign_refuses_our_seal_over_a_changed_manifest(
    built: Path, key: bundle.SecretKey, tmp_path: Path
) -> None:
    (tmp_path / "k.pub").write_bytes(key.public().to_bytes())
    (built / "manifest.json").write_bytes((built / "manifest.json").read_bytes() + b" ")
    assert minisign("-V", "-p", tmp_path / "k.pub", "-m", built / "manifest.json").returncode != 0


@pytest.mark.parametrize("password", ["", "correct horse"])
def test_minisign_seals_with_our_key_and_we_accept_it(tmp_path: Path, small: object, password: str) -> None:
    folder = small()  # type: ignore[operator]
    secret = tmp_path / "k"
    public = bundle.create_key_pair(secret, password=password)
    manifest = bundle.read_unverified(folder)
    seal_by_minisign(folder, secret, manifest.trusted_comment, answers=f"{password}\n")
    assert bundle.open_bundle(folder, public, now=manifest.created).manifest == manifest


@pytest.mark.parametrize(("flags", "password"), [(["-W"], ""), ([], "correct horse")])
def test_we_open_minisigns_own_keys(tmp_path: Path, flags: list[str], password: str) -> None:
    secret, public = tmp_path / "k", tmp_path / "k.pub"
    done = minisign("-G", *flags, "-p", public, "-s", secret, answers=f"{password}\n{password}\n")
    assert done.returncode == 0, done.stderr
    assert bundle.load_secret_key(secret, password).public() == bundle.load_public_key(public)
    # minisign prints an id without leading zeros.
    assert bundle.load_public_key(public).id.lstrip("0") in public.read_text()


def test_a_seal_with_another_comment_is_not_about_this_bundle(
    tmp_path: Path, small: object, now: datetime
) -> None:
    folder = small()  # type: ignore[operator]
    public = bundle.create_key_pair(tmp_path / "k")
    seal_by_minisign(folder, tmp_path / "k", "timestamp:1 file:manifest.json")
    with pytest.raises(BundleRefusedError, match="not about this manifest"):
        bundle.open_bundle(folder, public, now=now)
