import hashlib
import json
import subprocess
import sys
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from arcferry import bundle
from arcferry.bundle import Role, SecretKey
from arcferry.bundle.itself import Selection, WheelTarget, build_itself, locked
from arcferry.bundle.itself.lock import read_requirements
from arcferry.cli.app import app
from arcferry.errors import BlockedError, BundleRefusedError, FileInputError, InputError

Build = Callable[..., Path]


@pytest.fixture
def build(
    wheels: Path, here: tuple[WheelTarget, ...], key: SecretKey, now: datetime, tmp_path: Path
) -> Build:
    def run(name: str, targets: tuple[WheelTarget, ...] = here, source: Path | None = wheels) -> Path:
        build_itself(tmp_path / name, Selection(targets, source), key, created=now)
        return tmp_path / name

    return run


def test_it_opens_as_every_bundle_does(build: Build, key: SecretKey, now: datetime) -> None:
    opened = bundle.open_bundle(build("self.zip"), key.public(), now=now)
    names = {file.name for file in opened.manifest.files}
    assert {"install.sh", "install.ps1", "install.py", "INSTALL.txt"} <= names
    assert opened.manifest.agents == ()
    roles = {file.name: file.role for file in opened.manifest.files}
    assert {roles[name] for name in names if name.startswith("wheels/")} == {Role.WHEEL}
    assert roles["install.sh"] is Role.INSTALLER


def test_it_holds_every_locked_wheel_and_its_own(
    build: Build, here: tuple[WheelTarget, ...], key: SecretKey, now: datetime
) -> None:
    opened = bundle.open_bundle(build("self"), key.public(), now=now)
    hashes = {file.sha256: file.name for file in opened.files(Role.WHEEL)}
    for target in here:
        listed = read_requirements(opened.file(f"requirements/{target.tag}.txt").read().decode())
        assert {wheel.name for wheel in listed} == {"arcferry", *(wheel.name for wheel in locked(target))}
        for wheel in listed:
            assert hashes[wheel.sha256] == f"wheels/{wheel.file}"


def test_the_same_inputs_give_the_same_bytes(build: Build, key: SecretKey, now: datetime) -> None:
    first, second = build("one.zip").read_bytes(), build("two.zip").read_bytes()
    assert hashlib.sha256(first).digest() == hashlib.sha256(second).digest()
    folder = bundle.open_bundle(build("three"), key.public(), now=now)
    bundle.copy_bundle(folder, folder.path.with_name("four.zip"))
    assert folder.path.with_name("four.zip").read_bytes() == first


def test_one_platform_alone_is_smaller(build: Build, here: tuple[WheelTarget, ...]) -> None:
    both, windows = build("both.zip"), build("windows.zip", targets=here[1:])
    assert windows.stat().st_size < 0.7 * both.stat().st_size


def test_any_change_is_refused_by_verify(build: Build, key: SecretKey, now: datetime) -> None:
    folder = build("self")
    script = folder / "install.sh"
    script.write_bytes(script.read_bytes().replace(b"umask 022", b"umask 000"))
    with pytest.raises(BundleRefusedError, match=r"install\.sh: its content was changed"):
        bundle.open_bundle(folder, key.public(), now=now)


def test_nothing_is_left_where_pip_cannot_get_the_wheels(
    build: Build, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    before = set(tmp_path.iterdir())
    with pytest.raises(BlockedError):
        build("self.zip", source=None)
    assert set(tmp_path.iterdir()) == before


def test_a_bundle_that_lies_there_stays(build: Build) -> None:
    folder = build("self")
    with pytest.raises(FileInputError, match="a bundle exists there"):
        build("self")
    assert (folder / "manifest.json").exists()


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"version": 0}, "the version 0"),
        ({"version": 2**53}, "the version"),
        ({"expires_after": timedelta(0)}, "lives from 1"),
        ({"expires_after": timedelta(days=3651)}, "lives from 1"),
    ],
)
def test_a_setting_out_of_range_is_refused_before_any_work(
    *,
    changed: dict[str, Any],
    says: str,
    here: tuple[WheelTarget, ...],
    key: SecretKey,
    now: datetime,
    tmp_path: Path,
) -> None:
    with pytest.raises(InputError, match=says):
        build_itself(tmp_path / "a", Selection(here), key, created=now, **changed)
    assert list(tmp_path.iterdir()) == []


def test_the_command_seals_a_bundle_and_says_how_it_is_checked(
    wheels: Path, here: tuple[WheelTarget, ...], tmp_path: Path
) -> None:
    key = tmp_path / "builder.key"
    public = bundle.create_key_pair(key)
    out = tmp_path / "self.zip"
    arguments = ["--out", str(out), "--secret-key", str(key), "--wheels", str(wheels), "--output", "json"]
    done = CliRunner().invoke(
        app, ["bundle", "self", *arguments, "--platform", "win_amd64", "--created", "2026-11-23T08:00:00Z"]
    )
    assert done.exit_code == 0, done.output
    shown = json.loads(done.stdout)
    assert (shown["key_id"], shown["verified"], shown["agents"]) == (public.id, True, [])
    assert "minisign -V -p builder.key.pub -m manifest.json" in done.stderr
    assert here[1].tag in str([file["name"] for file in shown["files"]])
    assert here[0].tag not in str([file["name"] for file in shown["files"]])


def test_stock_minisign_verifies_the_seal_on_the_other_side(
    build: Build, key: SecretKey, tmp_path: Path
) -> None:
    folder = build("self")
    (tmp_path / "builder.pub").write_bytes(key.public().to_bytes())
    command = ["minisign", "-V", "-p", str(tmp_path / "builder.pub"), "-m", "manifest.json"]
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, check=False)
    except FileNotFoundError:
        pytest.skip("minisign is not on PATH")
    assert done.returncode == 0, done.stderr
    manifest = folder / "manifest.json"
    manifest.write_bytes(manifest.read_bytes().replace(b"install.sh", b"install.sx"))
    assert subprocess.run(command, cwd=folder, capture_output=True, check=False).returncode != 0


def test_the_zip_unpacks_with_python_alone(build: Build, key: SecretKey, now: datetime) -> None:
    path = build("self.zip")
    folder = path.with_name("unpacked")
    subprocess.run([sys.executable, "-m", "zipfile", "-e", str(path), str(folder)], check=True)
    assert bundle.open_bundle(folder, key.public(), now=now).manifest.agents == ()
