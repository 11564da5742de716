"""An older bundle is refused after a newer one of the same origin."""

import json
import multiprocessing
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from types import MappingProxyType

import pytest

from arcferry import bundle
from arcferry.bundle.manifest import ITSELF
from arcferry.errors import BundleRefusedError, FileInputError, InputError

Build = Callable[..., Path]


@pytest.fixture
def make(tmp_path: Path, agent: Path, key: bundle.SecretKey, now: datetime) -> Build:
    def build(
        version: int,
        name: str = "",
        *,
        by: bundle.SecretKey = key,
        days: int = 90,
        agents: tuple[Path, ...] = (agent,),
        distributions: Mapping[Path, tuple[str, ...]] = MappingProxyType({}),
        called: str = "",
        created: datetime = now,
    ) -> Path:
        out = tmp_path / (name or f"b{version}")
        contents = bundle.Contents(agents, distributions=distributions)
        life = bundle.EXPIRES_AFTER * days / 90
        given = {"created": created, "version": version, "expires_after": life, "name": called}
        bundle.build(out, contents, by, replace=True, **given)
        return out

    return build


@pytest.fixture
def record(tmp_path: Path) -> bundle.VersionRecord:
    return bundle.VersionRecord(tmp_path / "state")


@pytest.fixture
def open_it(
    record: bundle.VersionRecord, key: bundle.SecretKey, now: datetime
) -> Callable[..., bundle.Bundle]:
    def opened(path: Path, *keys: bundle.SecretKey, reason: str = "") -> bundle.Bundle:
        public = [one.public() for one in keys or (key,)]
        return bundle.open_bundle(path, public, now=now, record=record, allow_older=reason)

    return opened


Open = Callable[..., bundle.Bundle]


def kept(record: bundle.VersionRecord) -> list[str]:
    return sorted(path.name for path in record.folder.rglob("*.json"))


def test_newer_ones_and_the_same_one_again_are_opened(
    make: Build, open_it: Open, record: bundle.VersionRecord
) -> None:
    for version in (5, 7, 7, 12):
        assert open_it(make(version)).older is None
    assert kept(record) == ["12.json"]


@pytest.mark.parametrize("form", ["older", "older.zip"])
def test_an_older_one_is_refused_and_both_versions_named(
    make: Build, open_it: Open, record: bundle.VersionRecord, form: str, tmp_path: Path
) -> None:
    newest = open_it(make(7))
    with pytest.raises(BundleRefusedError) as caught:
        open_it(make(6, form))
    assert caught.value.message.startswith(f"{tmp_path / form}: version 6 is older")
    assert "Linux deb amd64" in caught.value.message
    assert f"version 7 (id {newest.id}, 2026-11-23T08:00:00Z)" in caught.value.message
    assert "--allow-older REASON" in caught.value.hint
    assert kept(record) == ["7.json"]


def test_another_bundle_of_the_same_version_is_refused(make: Build, open_it: Open) -> None:
    open_it(make(7))
    with pytest.raises(BundleRefusedError, match=r"another bundle .* with the version of one"):
        open_it(make(7, "other", days=30))


def test_a_reason_opens_it_and_is_kept(make: Build, open_it: Open, record: bundle.VersionRecord) -> None:
    newest = open_it(make(7))
    opened = open_it(make(6), reason="agent 1.68\x1b[2J breaks\non Debian 11")
    assert opened.older is not None
    assert opened.older.newest.version == 7
    assert opened.older.reason == "agent 1.68 breaks on Debian 11"
    (line,) = (record.folder / "bundles" / "older.jsonl").read_text().splitlines()
    document = json.loads(line)
    assert (document["version"], document["newest"], document["id"]) == (6, 7, opened.id)
    assert document["reason"] == opened.older.reason
    with pytest.raises(BundleRefusedError):
        open_it(make(6))
    assert open_it(make(7)).id == newest.id
    assert open_it(make(8), reason="not needed").older is None
    assert len((record.folder / "bundles" / "older.jsonl").read_text().splitlines()) == 1


def test_a_refused_bundle_does_not_count(make: Build, open_it: Open, record: bundle.VersionRecord) -> None:
    """Or one damaged copy would lock every good one out."""
    damaged = make(99)
    (damaged / "host/linux.sh").write_bytes(b"x")
    with pytest.raises(BundleRefusedError, match=r"host/linux\.sh"):
        open_it(damaged)
    assert kept(record) == []
    assert open_it(make(7)).older is None


def test_every_origin_has_its_own_versions(make: Build, open_it: Open) -> None:
    other = bundle.new_secret_key()
    open_it(make(7))
    assert open_it(make(5, "theirs", by=other), other).older is None


def test_a_key_that_claims_anothers_id_has_its_own_versions(
    make: Build, open_it: Open, key: bundle.SecretKey
) -> None:
    forged = bundle.SecretKey(key.key_id, bundle.new_secret_key().seed)
    open_it(make(99, by=forged), forged)
    assert open_it(make(7)).older is None


def test_a_new_key_goes_on_where_the_old_one_ended(make: Build, open_it: Open, key: bundle.SecretKey) -> None:
    new = bundle.new_secret_key()
    assert open_it(make(7), key, new).key_id == key.public().id
    assert open_it(make(8, by=new), key, new).key_id == new.public().id
    with pytest.raises(BundleRefusedError, match="version 7 is older"):
        open_it(make(7), key, new)


@pytest.mark.parametrize("content", [b"", b"\xff", b"[]", b"{}", b"[" * 5000, b'{"id": 3}'])
def test_a_damaged_record_still_refuses(
    make: Build, open_it: Open, record: bundle.VersionRecord, content: bytes
) -> None:
    open_it(make(7))
    (path,) = record.folder.rglob("7.json")
    path.write_bytes(content)
    with pytest.raises(BundleRefusedError, match=r"opened here before: version 7$"):
        open_it(make(6))
    assert open_it(make(7)).older is None


def test_a_record_that_cannot_be_kept_is_named(make: Build, open_it: Open, tmp_path: Path) -> None:
    (tmp_path / "state").write_text("a file in the folder's place")
    with pytest.raises(FileInputError, match="state"):
        open_it(make(7))


def test_what_was_opened_is_private(make: Build, open_it: Open, record: bundle.VersionRecord) -> None:
    open_it(make(7))
    open_it(make(6), reason="x")
    for path in record.folder.rglob("*"):
        assert path.stat().st_mode & 0o077 == 0


def _open(path: Path, key: bundle.PublicKey, now: datetime, folder: Path) -> None:
    bundle.open_bundle(path, key, now=now, record=bundle.VersionRecord(folder), allow_older="a race")


def test_the_newest_of_many_opened_at_once_is_kept(
    make: Build, record: bundle.VersionRecord, key: bundle.SecretKey, now: datetime
) -> None:
    work = [(make(version), key.public(), now, record.folder) for version in range(1, 9)]
    with multiprocessing.get_context("spawn").Pool(4) as pool:
        pool.starmap(_open, work * 2)
    assert max(int(name.removesuffix(".json")) for name in kept(record)) == 8
    with pytest.raises(BundleRefusedError):
        bundle.open_bundle(work[6][0], key.public(), now=now, record=record)


def test_a_bundle_of_arcferry_itself_has_versions_of_its_own(
    record: bundle.VersionRecord, key: bundle.SecretKey, make: Build, now: datetime
) -> None:
    agents = bundle.open_bundle(make(7), key.public(), now=now).manifest
    itself = replace(agents, version=9, kind=ITSELF)
    older = replace(itself, version=8)
    for content in (itself, agents):
        assert record.check(content, [key.public()], called=Path("b"), allow_older="") is None
        record.remember(content, key.public(), None, now=now)
    with pytest.raises(BundleRefusedError, match="version 8 is older"):
        record.check(older, [key.public()], called=Path("b"), allow_older="")


@pytest.fixture
def make_rpm_bundle(make: Build, rpm: Callable[..., bytes], tmp_path: Path) -> Build:
    """A bundle of one rpm package, which was fetched for these distributions."""

    def build(version: int, name: str, *distributions: str, architecture: str = "x86_64") -> Path:
        package = tmp_path / "-".join(distributions) / f"azcmagent.{architecture}.rpm"
        package.parent.mkdir(exist_ok=True)
        package.write_bytes(rpm(architecture=architecture))
        return make(version, name, agents=(package,), distributions={package: distributions})

    return build


def test_bundles_of_one_key_for_other_servers_do_not_refuse_each_other(
    make_rpm_bundle: Build, open_it: Open
) -> None:
    """As docs/bundle.md says: one bundle for each distribution whose package is another one."""
    rh8, rh9 = make_rpm_bundle(7, "rh8.zip", "rhel8"), make_rpm_bundle(8, "rh9.zip", "rhel9")
    for path in (rh9, rh8, rh9, rh8):
        assert open_it(path).older is None
    assert open_it(make_rpm_bundle(9, "newer8.zip", "rhel8")).older is None
    with pytest.raises(BundleRefusedError, match=r"rh8\.zip: version 7 is older .*Linux rhel8 amd64"):
        open_it(rh8)
    assert open_it(rh9).older is None


def test_what_a_bundle_is_for_is_in_the_manifest_and_not_in_a_name(
    make_rpm_bundle: Build, open_it: Open
) -> None:
    open_it(make_rpm_bundle(8, "rh8.zip", "rhel8", "alma8"))
    with pytest.raises(BundleRefusedError, match=r"rh9\.zip: version 7 is older"):
        open_it(make_rpm_bundle(7, "rh9.zip", "alma8", "rhel8"))


def test_another_processor_is_another_row(make_rpm_bundle: Build, open_it: Open) -> None:
    assert open_it(make_rpm_bundle(8, "x", "rhel9")).older is None
    assert open_it(make_rpm_bundle(7, "a", "rhel9", architecture="aarch64")).older is None


def test_bundles_of_arcferry_itself_for_other_machines_do_not_refuse_each_other(
    record: bundle.VersionRecord, key: bundle.SecretKey, make: Build, now: datetime
) -> None:
    agents = bundle.open_bundle(make(7), key.public(), now=now).manifest

    def itself(version: int, target: str) -> bundle.Manifest:
        listed = bundle.ManifestFile(f"requirements/{target}.txt", bundle.Role.INSTALLER, 1, "0" * 64)
        return replace(agents, version=version, kind=ITSELF, agents=(), files=(listed,))

    for content in (itself(9, "cp311-win_amd64"), itself(8, "cp311-linux_x86_64")):
        assert record.check(content, [key.public()], called=Path("b"), allow_older="") is None
        record.remember(content, key.public(), None, now=now)
    with pytest.raises(BundleRefusedError, match="version 8 is older"):
        record.check(itself(8, "cp311-win_amd64"), [key.public()], called=Path("b"), allow_older="")


def test_bundles_of_two_names_for_the_same_servers_open_beside_each_other(make: Build, open_it: Open) -> None:
    canary, all_of_them = make(8, "c.zip", called="canary"), make(7, "a.zip", called="all-of-them")
    for path in (canary, all_of_them, make(6, "unnamed.zip"), canary, all_of_them):
        assert open_it(path).older is None


def test_an_older_one_of_a_name_is_refused_in_the_bundle_s_own_words(
    make: Build, open_it: Open, now: datetime, tmp_path: Path
) -> None:
    newest = open_it(make(8, called="debian12", created=now - timedelta(days=3)))
    with pytest.raises(BundleRefusedError) as caught:
        open_it(make(7, "old", called="debian12", created=now - timedelta(days=20)))
    assert caught.value.message == (
        f"{tmp_path / 'old'}: bundle debian12 of 2026-11-03 (version 7) is older than the one of 2026-11-20 "
        f"that was opened here before: version 8 (id {newest.id}, 2026-11-23T08:00:00Z)"
    )
    with pytest.raises(
        BundleRefusedError, match=r"bundle debian12 of 2026-11-23 \(id .*\) is not the one of"
    ):
        open_it(make(8, "other", called="debian12", days=30))


def test_a_name_s_row_goes_on_where_its_servers_change(
    make: Build, open_it: Open, rpm: Callable[..., bytes], tmp_path: Path, agent: Path
) -> None:
    """Whoever adds a package to what a name is for does not open the way for the bundles of before."""
    package = tmp_path / "azcmagent.rpm"
    package.write_bytes(rpm())
    open_it(make(8, called="dmz", agents=(agent, package)))
    with pytest.raises(BundleRefusedError, match=r"bundle dmz .* is older"):
        open_it(make(7, called="dmz"))


def test_a_record_of_before_days_were_kept_is_valid(
    make: Build, open_it: Open, record: bundle.VersionRecord
) -> None:
    open_it(make(8, called="dmz"))
    (path,) = record.folder.rglob("8.json")
    document = json.loads(path.read_text())
    del document["created"]
    path.write_text(json.dumps(document))
    with pytest.raises(BundleRefusedError, match=r"is older than one that was opened here before: version 8"):
        open_it(make(7, called="dmz"))


def test_a_manifest_without_a_name_does_not_mention_it(make: Build) -> None:
    assert '\n  "name"' not in (make(7) / "manifest.json").read_text()
    assert '\n  "name": "dmz",\n' in (make(8, called="dmz") / "manifest.json").read_text()


@pytest.mark.parametrize("called", ["Debian", "a b", "-x", "x/y", "ü", "x" * 41])
def test_a_name_that_is_none_is_refused(make: Build, called: str) -> None:
    with pytest.raises(InputError, match="not one for a bundle"):
        make(7, called=called)
