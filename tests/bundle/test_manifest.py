import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from arcferry import bundle
from arcferry.bundle import manifest
from arcferry.bundle.manifest import Manifest, ManifestFile, Role
from arcferry.errors import BundleRefusedError

Small = Callable[..., Path]


@pytest.fixture
def document(small: Small) -> dict[str, Any]:
    read: dict[str, Any] = json.loads((small() / "manifest.json").read_bytes())
    return read


def canonical(document: object) -> bytes:
    return f"{json.dumps(document, indent=2, sort_keys=True)}\n".encode()


def test_it_reads_what_it_writes(document: dict[str, Any]) -> None:
    read = manifest.read_manifest(canonical(document))
    assert read.version == 7
    assert [file.name for file in read.files] == ["catalog/a.toml", "host/linux.sh"]
    assert read.to_bytes() == canonical(document)


def test_distributions_are_told_only_where_they_are_known(document: dict[str, Any]) -> None:
    """So that a bundle of before they were noted is still what its seal says."""
    agent = {"file": "agent/a.rpm", "format": "rpm", "version": "1", "architecture": "x86_64"}
    agent |= {"signature": "", "signer": ""}
    document["files"].insert(0, document["files"][0] | {"name": "agent/a.rpm", "role": "agent"})
    for known in ({}, {"distributions": ["alma9", "rhel9"]}):
        data = canonical(document | {"agents": [agent | known]})
        read = manifest.read_manifest(data)
        assert read.agents[0].distributions == tuple(known.get("distributions", ()))
        assert read.to_bytes() == data
    with pytest.raises(BundleRefusedError, match="not canonical"):
        manifest.read_manifest(canonical(document | {"agents": [agent | {"distributions": []}]}))


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"schema": 2}, "schema 2"),
        ({"kind": "npm"}, "'npm'"),
        ({"surprise": 1}, "surprise"),
        ({"version": 0}, "version"),
        ({"version": "7"}, "version"),
        ({"version": True}, "version"),
        ({"version": 2**53}, "version"),
        ({"created": "2026-11-23T08:00:00"}, "created"),
        ({"created": "yesterday"}, "created"),
        ({"created": "2026-11-23T08:00:00.5Z"}, "not canonical"),
        ({"created": "2026-11-23T09:00:00+01:00"}, "not canonical"),
        ({"files": None}, "files"),
        ({"files": [{"name": "x"}]}, r"files\.0"),
        ({"agents": [{"file": "x", "format": "deb", "version": "1", "architecture": "a"}]}, "disagree: x"),
        ({"agents": [{"file": "x", "format": "exe", "version": "1", "architecture": "a"}]}, r"agents\.0"),
        ({"agents": [{"file": "x", "format": "deb", "version": "\x1b[2J", "architecture": ""}]}, "version"),
        (
            {
                "agents": [
                    {"file": "x", "format": "rpm", "version": "1", "architecture": "", "distributions": [""]}
                ]
            },
            "distributions",
        ),
    ],
)
def test_a_wrong_shape_is_named(document: dict[str, Any], change: dict[str, Any], says: str) -> None:
    with pytest.raises(BundleRefusedError, match=says):
        manifest.read_manifest(canonical(document | change))


@pytest.mark.parametrize(
    "change",
    [
        {"length": -1},
        {"length": 1.5},
        {"sha256": "A" * 64},
        {"sha256": "a" * 63},
        {"sha256": "a" * 64 + "\n"},
        {"role": "payload"},
        {"name": 3},
    ],
)
def test_a_wrong_file_entry_is_named(document: dict[str, Any], change: dict[str, Any]) -> None:
    document["files"][0] |= change
    with pytest.raises(BundleRefusedError, match=rf"files\.0\.{next(iter(change))}"):
        manifest.read_manifest(canonical(document))


@pytest.mark.parametrize(
    "data",
    [b"", b"\xff\xfe", b"[]", b"null", b"[" * 100_000, b'{"schema": 1, "schema": 1}', b"{}\n{}"],
)
def test_what_is_no_manifest_is_refused(data: bytes) -> None:
    with pytest.raises(BundleRefusedError, match=r"manifest\.json"):
        manifest.read_manifest(data)


@pytest.mark.parametrize(
    "rewrite",
    [
        lambda data: data + b"\n",
        lambda data: data.replace(b'"version": 7', b'"version":  7'),
        lambda data: data.replace(b"host/linux.sh", b"host/linu\\u0078.sh"),
        lambda data: data.replace(b'"version": 7\n', b'"version": 7,\n  "version": 7\n'),
        lambda data: data.replace(b"\n", b"\r\n"),
    ],
)
def test_only_the_canonical_form_is_read(document: dict[str, Any], rewrite: Callable[[bytes], bytes]) -> None:
    data = canonical(document)
    assert rewrite(data) != data
    with pytest.raises(BundleRefusedError):
        manifest.read_manifest(rewrite(data))


@pytest.mark.parametrize(
    ("listed", "says"),
    [
        (["../x"], "leaves the bundle"),
        (["/x"], "absolute"),
        (["a\\b"], "backslash"),
        (["a\0b"], "NUL"),
        (["d:x"], "absolute"),
        (["x", "x"], "named twice"),
        (["x", "X"], "differs from X in case"),
        (["Manifest.json"], "in case"),
        (["manifest.json.minisig"], "named twice"),
        (["a", "a/b"], "also a folder"),
        (["a/b", "A"], "also a folder"),
    ],
)
def test_names_that_collide_or_climb_are_refused(small: Small, listed: list[str], says: str) -> None:
    files = tuple(ManifestFile(name, Role.CATALOG, 0, "0" * 64) for name in listed)
    data = (small() / "manifest.json").read_bytes()
    content = manifest.read_manifest(data)
    changed = Manifest(content.version, content.created, content.expires, (), files)
    with pytest.raises(BundleRefusedError, match=says):
        manifest.read_manifest(changed.to_bytes())


def test_the_number_of_files_is_bounded(small: Small) -> None:
    content = bundle.read_unverified(small())
    files = tuple(ManifestFile(f"f{n}", Role.CATALOG, 0, "0" * 64) for n in range(manifest.MOST_FILES + 1))
    with pytest.raises(BundleRefusedError, match="files"):
        manifest.read_manifest(Manifest(1, content.created, content.expires, (), files).to_bytes())


def test_its_dates_bound_its_life(small: Small) -> None:
    content = bundle.read_unverified(small())
    manifest.check_dates(content, content.expires - timedelta(seconds=1), called=Path("b.zip"))
    manifest.check_dates(content, content.created - timedelta(days=1), called=Path("b.zip"))
    with pytest.raises(BundleRefusedError, match=r"b\.zip: expired on 2027-02-21"):
        manifest.check_dates(content, content.expires, called=Path("b.zip"))
    with pytest.raises(BundleRefusedError, match="in the future") as caught:
        manifest.check_dates(content, content.created - timedelta(days=1, seconds=1), called=Path("b.zip"))
    assert "clock" in caught.value.hint
