import hashlib
import io
import json
import os
import pty
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest
from tests.cli.running import Ended, Run
from tests.json_documents import known

from arcferry import cli

PASSWORD = "canary-correct-horse"


def make_deb() -> bytes:
    held = io.BytesIO()
    control = b"Package: azcmagent\nVersion: 1.67.0\nArchitecture: amd64\n"
    with tarfile.open(fileobj=held, mode="w:gz") as archive:
        entry = tarfile.TarInfo("./control")
        entry.size = len(control)
        archive.addfile(entry, io.BytesIO(control))
    parts = [b"!<arch>\n"]
    for name, data in (("debian-binary", b"2.0\n"), ("control.tar.gz", held.getvalue()), ("data.tar", b"")):
        parts.append(f"{name:<16}{0:<12}{0:<6}{0:<6}{100644:<8}{len(data):<10}`\n".encode())
        parts.append(data + b"\n" * (len(data) % 2))
    return b"".join(parts)


@pytest.fixture
def arcferry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """`arcferry bundle` in a folder with a package."""
    (tmp_path / "azcmagent_1.67.0_amd64.deb").write_bytes(make_deb())
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("SOURCE_DATE_EPOCH", raising=False)
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setenv("ARCFERRY_STATE", str(tmp_path / "state"))

    def run(*arguments: str, status: int = 0, **environment: str) -> Ended:
        with monkeypatch.context() as changed:
            for name, value in environment.items():
                changed.setenv(name, value)
            changed.setattr("sys.argv", ["arcferry", "bundle", *arguments])
            with pytest.raises(SystemExit) as ended:
                cli.main()
        out, err = capsys.readouterr()
        assert int(ended.value.code or 0) == status, (out, err)
        assert PASSWORD not in out + err
        return Ended(status, out, err)

    return run


def build(arcferry: Run, *more: str, status: int = 0, **environment: str) -> Ended:
    command = ["build", "--out", "b", "--secret-key", "k", "--agent", "azcmagent_1.67.0_amd64.deb", *more]
    return arcferry(*command, status=status, **environment)


def test_from_key_to_verified_bundle(arcferry: Run, tmp_path: Path) -> None:
    made = arcferry("key", "new", "k")
    key_id = made.out.split()[-1]
    assert (tmp_path / "k").stat().st_mode & 0o777 == 0o600
    built = build(arcferry, "--version", "7")
    assert f"sealed with key {key_id}" in built.out
    assert "1.67.0 deb amd64" in built.out
    assert "arcferry bundle verify b --bundle-key k.pub" in built.err
    assert f"sealed with key {key_id}" in arcferry("verify", "b", "--bundle-key", "k.pub").out
    document = known(arcferry("verify", "b", "--bundle-key", "k.pub", "--output", "json").out)
    assert (document["schema"], document["kind"], document["verified"]) == (1, "bundle", True)
    assert (document["key_id"], document["version"], document["expired"]) == (key_id, 7, False)
    manifest = (tmp_path / "b" / "manifest.json").read_bytes()
    assert document["id"] == hashlib.sha256(manifest).hexdigest()[:12]


def test_show_says_what_it_did_not_check(arcferry: Run, tmp_path: Path) -> None:
    arcferry("key", "new", "k")
    build(arcferry)
    (tmp_path / "b" / "host" / "linux.sh").write_text("rm -rf /\n")
    shown = arcferry("show", "b").out
    assert "NOT VERIFIED" in shown
    assert json.loads(arcferry("show", "b", "--output", "json").out)["verified"] is False
    refused = arcferry("show", "b", "--bundle-key", "k.pub", status=3)
    assert "host/linux.sh" in refused.err
    assert refused.out == ""
    assert refused.err == arcferry("verify", "b", "--bundle-key", "k.pub", status=3).err


def test_the_wrong_key_is_refused_with_both_ids(arcferry: Run) -> None:
    ids = [arcferry("key", "new", name).out.split()[-1] for name in ("k", "other")]
    build(arcferry)
    refused = arcferry("verify", "b", "--bundle-key", "other.pub", status=3).err
    assert all(key_id in refused for key_id in ids)
    assert "is a secret key" in arcferry("verify", "b", "--bundle-key", "k", status=2).err


def test_the_same_time_gives_the_same_bytes(arcferry: Run, tmp_path: Path) -> None:
    arcferry("key", "new", "k")
    build(arcferry, SOURCE_DATE_EPOCH="1795420800")
    first = {path: path.read_bytes() for path in (tmp_path / "b").rglob("*") if path.is_file()}
    build(arcferry, "--created", "2026-11-23T16:00:00+08:00", "--replace")
    assert {path: path.read_bytes() for path in (tmp_path / "b").rglob("*") if path.is_file()} == first
    assert len(first) > 5


def test_a_bundle_that_was_born_expired_is_said_to_be(arcferry: Run) -> None:
    arcferry("key", "new", "k")
    assert "expired already" in build(arcferry, "--created", "2020-01-01T00:00:00Z").err
    assert "expired on 2020-03-31" in arcferry("verify", "b", "--bundle-key", "k.pub", status=3).err


def test_two_bundles_of_one_key_for_other_distributions_are_both_good(arcferry: Run) -> None:
    """Which is older is a question among bundles for the same servers only."""
    arcferry("key", "new", "k")
    package = "azcmagent_1.67.0_amd64.deb"
    made = [("d12.zip", "debian12", "7"), ("d13.zip", "debian13", "8"), ("old13.zip", "debian13", "6")]
    for out, distribution, version in made:
        command = ["build", "--out", out, "--secret-key", "k", "--agent", f"{distribution}={package}"]
        arcferry(*command, "--version", version)
    for out in ("d13.zip", "d12.zip", "d13.zip"):
        arcferry("verify", out, "--bundle-key", "k.pub")
    refused = arcferry("verify", "old13.zip", "--bundle-key", "k.pub", status=3).err
    assert "old13.zip: version 6 is older than one for the same servers (Linux debian13 amd64)" in refused
    assert "manifest.json" not in refused


@pytest.mark.parametrize(
    ("more", "environment", "says"),
    [
        (["--created", "yesterday"], {}, "--created: 'yesterday'"),
        ([], {"SOURCE_DATE_EPOCH": "soon"}, "SOURCE_DATE_EPOCH: 'soon'"),
        ([], {"SOURCE_DATE_EPOCH": "9" * 30}, "SOURCE_DATE_EPOCH"),
        (["--version", "0"], {}, "--version"),
        (["--version", "9" * 30], {}, "--version"),
        (["--expires-days", "0"], {}, "--expires-days"),
        (["--expires-days", "999999999999"], {}, "--expires-days"),
        (["--agent", "nowhere.msi"], {}, "nowhere.msi: no such file"),
        (["--agent", "rhel9=nowhere.rpm"], {}, "nowhere.rpm: no such file"),
        (["--agent", "rhell9=nowhere.rpm"], {}, "rhell9"),
        (["--service-tags", "k.pub"], {}, "k.pub: is not JSON"),
        (["--password-env", "NOT_SET"], {}, "NOT_SET"),
    ],
)
def test_wrong_input_is_named(
    arcferry: Run, tmp_path: Path, more: list[str], environment: dict[str, str], says: str
) -> None:
    arcferry("key", "new", "k")
    assert says in build(arcferry, *more, status=2, **environment).err
    assert not (tmp_path / "b").exists()


def test_a_password_comes_by_environment_and_shows_nowhere(arcferry: Run, tmp_path: Path) -> None:
    arcferry("key", "new", "k", "--password-env", "PW", PW=PASSWORD)
    assert "--password-env" in build(arcferry, status=2).err
    assert "wrong password" in build(arcferry, "--password-env", "PW", status=2, PW="wrong").err
    build(arcferry, "--password-env", "PW", PW=PASSWORD)
    for path in tmp_path.rglob("*"):
        assert not path.is_file() or PASSWORD.encode() not in path.read_bytes()


def test_a_password_is_asked_for_on_a_terminal(arcferry: Run, tmp_path: Path) -> None:
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "arcferry", "bundle", "key", "new", "k", "--password"]
    with subprocess.Popen(
        command, cwd=tmp_path, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True
    ) as asking:
        os.close(theirs)
        seen = b""
        for _ in range(2):
            # With the blank the terminal no longer echoes.
            while not seen.endswith(b": "):
                seen += os.read(ours, 1024)
            os.write(ours, f"{PASSWORD}\n".encode())
            seen += b"."
        assert asking.wait(timeout=60) == 0
    os.close(ours)
    assert PASSWORD.encode() not in seen
    build(arcferry, "--password-env", "PW", PW=PASSWORD)


def test_a_taken_name_needs_replace(arcferry: Run) -> None:
    arcferry("key", "new", "k")
    build(arcferry)
    assert "--replace" in build(arcferry, status=2).err
    build(arcferry, "--replace")
    assert "exists already" in arcferry("key", "new", "k", status=2).err


def test_every_help_says_what_the_command_is_for(arcferry: Run) -> None:
    assert "seal it" in arcferry("--help").out
    for command in (
        ["build"],
        ["verify"],
        ["show"],
        ["copy"],
        ["key", "new"],
        ["key", "endorse"],
        ["key", "accept"],
    ):
        text = arcferry(*command, "--help").out
        assert "Usage:" in text
        assert len(text.splitlines()) > 8


def phone(stdout: str) -> str:
    """The manifest's SHA-256 as it is read out, put together again."""
    lines = stdout.splitlines()
    at = next(number for number, line in enumerate(lines) if line.startswith("SHA-256"))
    groups = [*lines[at].split()[1:], *lines[at + 1].split()]
    assert {len(group) for group in groups} == {4}
    assert len(groups) == 16
    return "".join(groups)


def test_a_zip_is_built_verified_and_shown(arcferry: Run, tmp_path: Path) -> None:
    arcferry("key", "new", "k")
    built = arcferry("build", "--out", "b.zip", "--secret-key", "k", "--agent", "azcmagent_1.67.0_amd64.deb")
    assert "arcferry bundle verify b.zip --bundle-key k.pub" in built.err
    assert "are exactly what the seal says" in arcferry("verify", "b.zip", "--bundle-key", "k.pub").out
    shown = known(arcferry("show", "b.zip", "--output", "json").out)
    assert shown["verified"] is False
    whole = (tmp_path / "b.zip").read_bytes()
    (tmp_path / "b.zip").write_bytes(whole[:-1])
    assert (
        "b.zip: does not end as a whole zip"
        in arcferry("verify", "b.zip", "--bundle-key", "k.pub", status=3).err
    )
    (tmp_path / "b.txt").write_bytes(b"not a zip")
    assert "neither a folder nor a zip" in arcferry("verify", "b.txt", "--bundle-key", "k.pub", status=2).err


def test_the_manifests_own_hash_is_read_out_in_groups(arcferry: Run, tmp_path: Path) -> None:
    arcferry("key", "new", "k")
    built = build(arcferry)
    digest = hashlib.sha256((tmp_path / "b" / "manifest.json").read_bytes()).hexdigest()
    verified = arcferry("verify", "b", "--bundle-key", "k.pub")
    assert phone(verified.out) == phone(built.out) == digest
    document = known(arcferry("verify", "b", "--bundle-key", "k.pub", "--output", "json").out)
    assert document["manifest_sha256"] == digest


def test_a_bundle_is_copied_to_a_zip_and_back(arcferry: Run, tmp_path: Path) -> None:
    arcferry("key", "new", "k")
    build(arcferry)
    assert "exactly what the seal says" in arcferry("copy", "b", "stick/b.zip", "--bundle-key", "k.pub").out
    arcferry("copy", "stick/b.zip", "here", "--bundle-key", "k.pub")

    def content(folder: str) -> dict[str, bytes]:
        root = tmp_path / folder
        return {str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*") if path.is_file()}

    assert content("here") == content("b")
    assert "--replace" in arcferry("copy", "b", "stick/b.zip", "--bundle-key", "k.pub", status=2).err
    (tmp_path / "b" / "host" / "linux.sh").write_text("x")
    assert "host/linux.sh" in arcferry("copy", "b", "other.zip", "--bundle-key", "k.pub", status=3).err
    assert not (tmp_path / "other.zip").exists()


def test_an_older_bundle_needs_a_reason(arcferry: Run, tmp_path: Path) -> None:
    arcferry("key", "new", "k")
    build(arcferry, "--version", "7")
    arcferry("copy", "b", "old.zip", "--bundle-key", "k.pub")
    build(arcferry, "--version", "8", "--replace")
    arcferry("verify", "b", "--bundle-key", "k.pub")
    refused = arcferry("verify", "old.zip", "--bundle-key", "k.pub", status=3)
    assert "version 7 is older" in refused.err
    assert "--allow-older" in refused.err
    assert "exactly what the seal says" in arcferry("show", "old.zip", "--bundle-key", "k.pub").out
    command = ["verify", "old.zip", "--bundle-key", "k.pub", "--allow-older", "1.68 hangs on Debian 11"]
    allowed = arcferry(*command).out
    assert "allowed because: 1.68 hangs on Debian 11" in allowed
    assert "but not the newest" in allowed
    document = json.loads(arcferry(*command, "--output", "json").out)
    assert (document["older"]["newest_version"], document["older"]["reason"]) == (
        8,
        "1.68 hangs on Debian 11",
    )
    assert "1.68 hangs" in (tmp_path / "state" / "bundles" / "older.jsonl").read_text()


def test_a_new_key_follows_the_old_one(arcferry: Run, tmp_path: Path) -> None:
    ids = [arcferry("key", "new", name).out.split()[-1] for name in ("k", "k2")]
    (tmp_path / "ours.pub").write_bytes((tmp_path / "k.pub").read_bytes())
    command = ["build", "--out", "b2", "--secret-key", "k2", "--agent", "azcmagent_1.67.0_amd64.deb"]
    arcferry(*command)
    arcferry("verify", "b2", "--bundle-key", "ours.pub", status=3)
    assert "no such file" in arcferry("key", "accept", "k2.pub", "--into", "ours.pub", status=2).err
    assert arcferry("key", "endorse", "k2.pub", "--secret-key", "k").out == "k2.pub.minisig\n"
    accepted = arcferry("key", "accept", "k2.pub", "--into", "ours.pub").out
    assert all(key_id in accepted for key_id in ids)
    assert f"sealed with key {ids[1]}" in arcferry("verify", "b2", "--bundle-key", "ours.pub").out
    arcferry("key", "new", "k3")
    arcferry("key", "endorse", "k3.pub", "--secret-key", "k3", status=2)
    stranger = arcferry("key", "new", "stranger").out.split()[-1]
    arcferry("key", "endorse", "k3.pub", "--secret-key", "stranger")
    refused = arcferry("key", "accept", "k3.pub", "--into", "ours.pub", status=3).err
    assert ids[0] in refused
    assert stranger not in refused
