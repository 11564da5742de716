"""A whole bundle against its manifest, as `arcferry bundle build` writes it; what is hostile does no harm."""

import hashlib
import json
import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from arcferry.bundle.manifest import Manifest, ManifestFile, Role, name_fault, read_manifest
from arcferry.errors import BundleRefusedError

if TYPE_CHECKING:
    from conftest import PrivateRoot

CONTENTS = {
    "agent/azcmagent_1.67.0_amd64.deb": (Role.AGENT, b"deb" * 1000),
    "data/ServiceTags_Public.json": (Role.SERVICE_TAGS, b"{}"),
    "host/linux.sh": (Role.HOST_SCRIPT, b"#!/bin/sh\n"),
    "host/windows.ps1": (Role.HOST_SCRIPT, b""),
}
MADE = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
Run = Callable[..., Any]


def manifest_of(files: dict[str, tuple[Role, bytes]]) -> Manifest:
    listed = tuple(
        ManifestFile(name, role, len(data), hashlib.sha256(data).hexdigest())
        for name, (role, data) in files.items()
    )
    return Manifest(3, MADE, MADE + timedelta(days=90), (), listed)


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    folder = tmp_path / "a bundle"
    for name, (_, data) in CONTENTS.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    (folder / "manifest.json").write_bytes(manifest_of(CONTENTS).to_bytes())
    (folder / "manifest.json.minisig").write_text("untrusted comment: x\n")
    return folder


def change(folder: Path, old: str, new: str) -> None:
    """Change the manifest, and nothing else."""
    path = folder / "manifest.json"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def test_a_whole_bundle_is_right(shell: list[str], here: Run, bundle: Path) -> None:
    answer = here(shell, "verify", bundle)
    assert answer["ok"], answer.document
    manifest = manifest_of(CONTENTS)
    assert answer["manifest"] == {"sha256": manifest.sha256, "id": manifest.id}
    assert answer["files"] == [
        {"name": name, "sha256": hashlib.sha256(data).hexdigest(), "ok": True}
        for name, (_, data) in sorted(CONTENTS.items())
    ]


def test_the_name_of_a_bundle_is_taken_for_no_file(shell: list[str], here: Run, bundle: Path) -> None:
    named = replace(manifest_of(CONTENTS), name="debian12")
    (bundle / "manifest.json").write_bytes(named.to_bytes())
    answer = here(shell, "verify", bundle)
    assert answer["ok"], answer.document
    assert [one["name"] for one in answer["files"]] == sorted(CONTENTS)


def test_it_is_found_from_its_own_folder_whatever_cdpath_says(
    shell: list[str], here: Run, bundle: Path, tmp_path: Path
) -> None:
    (tmp_path / "elsewhere" / "host").mkdir(parents=True)
    trap = os.environ | {"CDPATH": str(tmp_path / "elsewhere")}
    assert here(shell, "verify", "..", cwd=bundle / "host", env=trap)["ok"]
    bundle.rename(tmp_path / "-b")
    assert here(shell, "verify", "-b", cwd=tmp_path, env=trap)["ok"]


SINS: dict[str, tuple[Callable[[Path], object], str, str]] = {
    "changed": (lambda b: (b / "host/linux.sh").write_text("#!/bin/sh\r"), "hash-mismatch", "host/linux.sh"),
    "missing": (lambda b: (b / "host/linux.sh").unlink(), "hash-mismatch", "host/linux.sh"),
    "emptied": (
        lambda b: [shutil.rmtree(b / name) for name in ("agent", "data", "host")],
        "hash-mismatch",
        "agent/",
    ),
    "a folder in its place": (
        lambda b: ((b / "host/windows.ps1").unlink(), (b / "host/windows.ps1").mkdir()),
        "hash-mismatch",
        "host/windows.ps1",
    ),
    "extra": (lambda b: (b / "host/more.sh").write_text("x"), "extra-file", "host/more.sh"),
    "hidden": (lambda b: (b / ".more").write_text("x"), "extra-file", ".more"),
    "extra with a line feed": (
        lambda b: ((b / "host/linux.sh\n.").mkdir(), (b / "host/linux.sh\n./host").mkdir(),
                   (b / "host/linux.sh\n./host/linux.sh").write_text("x")),
        "extra-file",
        "host/linux.sh",
    ),
    "a link": (
        lambda b: (
            (b / "host/linux.sh").rename(b.parent / "l"),
            (b / "host/linux.sh").symlink_to(b.parent / "l"),
        ),
        "extra-file",
        "host/linux.sh",
    ),
    "a linked folder": (
        lambda b: ((b / "host").rename(b.parent / "h"), (b / "host").symlink_to(b.parent / "h")),
        "extra-file",
        "host",
    ),
    "a pipe": (
        lambda b: ((b / "host/linux.sh").unlink(), os.mkfifo(b / "host/linux.sh")),
        "extra-file",
        "host/linux.sh",
    ),
    "no manifest": (lambda b: (b / "manifest.json").unlink(), "no-manifest", "manifest.json"),
    "nothing": (shutil.rmtree, "no-manifest", "manifest.json"),
    "a huge manifest": (
        lambda b: os.truncate(b / "manifest.json", 17 * 1024 * 1024),
        "bad-manifest",
        "larger than 16 MB",
    ),
}  # fmt: skip


@pytest.mark.parametrize("sin", SINS)
def test_a_bundle_that_is_not_as_sealed_is_refused(
    shell: list[str], here: Run, bundle: Path, sin: str
) -> None:
    commit, code, says = SINS[sin]
    commit(bundle)
    answer = here(shell, "verify", bundle, timeout=60)
    assert (answer["ok"], answer["code"]) == (False, code)
    assert says in answer["message"]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"name": "host/linux.sh"', f'"name": "{name}"')
        for name in (
            "../linux.sh", "/etc/passwd", "C:/x", "a\\\\b", "host//linux.sh", "host/./linux.sh", "", "-rf",
            ".hidden", "host/linux.sh/", "host/linux.", "host/windows.ps1", "HOST/windows.ps1",
            "manifest.json", "a b", "$(reboot)", "\\u0041", "x" * 101, "/".join(["a" * 90] * 3), "host/é",
        )
    ]
    + [
        ('"sha256": "', '"sha256": "0'),
        ('"sha256": "', '"sha256": "../'),
        ('"schema": 1', '"schema": 2'),
        ("arcferry-bundle", "another-bundle"),
        ('  "files": [', '  "Files": ['),
        ('  "files": [', '  "files": [], "more": ['),
        ('  "files": [\n', '  "files": [\n    "x",\n'),
        ('      "role": "agent",\n', '      "role": "agent", "name": "x",\n    x\n'),
        ('  "version": 3\n}\n', '  "version": 3,\n  "files": [\n  ],\n}\n'),
        ("\n  ", " "),
        ("{", ""),
    ],
)  # fmt: skip
def test_a_manifest_that_no_bundle_has_is_refused(
    dash: list[str], here: Run, bundle: Path, old: str, new: str
) -> None:
    change(bundle, old, new)
    with pytest.raises(BundleRefusedError):
        read_manifest((bundle / "manifest.json").read_bytes())
    answer = here(dash, "verify", bundle)
    assert (answer["ok"], answer["code"]) == (False, "bad-manifest")
    assert len(answer["message"]) < 500


def test_many_files_take_no_long(dash: list[str], here: Run, bundle: Path) -> None:
    many = CONTENTS | {f"data/{number}": (Role.DISCOVERY, b"x") for number in range(5_000)}
    for name, (_, data) in many.items():
        (bundle / name).write_bytes(data)
    (bundle / "manifest.json").write_bytes(manifest_of(many).to_bytes())
    answer = here(dash, "verify", bundle, timeout=30)
    assert (answer["ok"], len(answer["files"])) == (True, 5_004)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    name=st.text(
        st.characters(exclude_characters='"\\', codec="utf-8", exclude_categories=["Cc"]), max_size=30
    )
)
def test_names_are_judged_as_arcferry_judges_them(
    dash: list[str], here: Run, bundle: Path, name: str
) -> None:
    listed = manifest_of({name: (Role.DISCOVERY, b"x")}).to_bytes()
    (bundle / "manifest.json").write_bytes(listed)
    refused = bool(name_fault(name)) or name.lower() in {"manifest.json", "manifest.json.minisig"}
    # A device's name is one on Windows alone, and so only Windows need know it.
    if "device" not in name_fault(name):
        assert (here(dash, "verify", bundle)["code"] == "bad-manifest") is refused


def test_busybox_is_all_it_needs(busybox_root: "PrivateRoot", bundle: Path) -> None:
    shutil.copytree(bundle, busybox_root.path / "b")
    assert busybox_root.run(["sh"], "verify", "/b")["ok"]
    (busybox_root.path / "b/host/more").write_text("x")
    assert busybox_root.run(["sh"], "verify", "/b")["code"] == "extra-file"
    (busybox_root.path / "b/host/linux.sh").write_text("x")
    answer = busybox_root.run(["sh"], "verify", "/b")
    assert [answer["code"], *(file["name"] for file in answer["files"] if not file["ok"])] == [
        "hash-mismatch",
        "host/linux.sh",
    ]


def test_the_manifest_of_today_is_one_key_a_line(bundle: Path) -> None:
    """What the script's reading rests on."""
    text = (bundle / "manifest.json").read_text()
    assert json.loads(text)["kind"] == "arcferry-bundle"
    assert text.index('\n  "agents": ') < text.index('\n  "files": [\n    {\n      "length": ')
