"""`arcferry data import BUNDLE`: its documents are held in one step, once the seal is proved."""

import json
from pathlib import Path

import pytest
from tests.cli.running import Run
from tests.cli.test_bundle import make_deb
from tests.data.conftest import community_file, filter_file, tags_file

from arcferry import bundle, catalog, times
from arcferry.bundle import Contents, Role
from arcferry.cli.evidence import held_beside
from arcferry.files import data_folder

TAGS, LIST = "ServiceTags_Public_20261116.json", "bgp-service-communities-2026-11-17.json"
ORIGIN = f"https://download.microsoft.com/{TAGS}"


@pytest.fixture
def sealed(tmp_path: Path) -> Path:
    """A bundle with three documents, beside its key in `k.pub`."""
    files = {TAGS: tags_file(9), LIST: community_file(), "filter.json": filter_file("12076:51010")}
    for name, data in {**files, "azcmagent_1.67.0_amd64.deb": make_deb()}.items():
        (tmp_path / name).write_bytes(data)
    roles = (Role.SERVICE_TAGS, Role.COMMUNITIES, Role.ROUTE_FILTER)
    given = tuple((role, tmp_path / name) for role, name in zip(roles, files, strict=True))
    bundle.create_key_pair(tmp_path / "k")
    contents = Contents((tmp_path / "azcmagent_1.67.0_amd64.deb",), given, {tmp_path / TAGS: ORIGIN})
    key = bundle.load_secret_key(tmp_path / "k", "")
    bundle.build(tmp_path / "b.zip", contents, key, created=times.now())
    return tmp_path / "b.zip"


def test_its_documents_become_held_data_each_with_its_day_and_origin(arcferry: Run, sealed: Path) -> None:
    ended = arcferry("data", "import", sealed, "--bundle-key", sealed.with_name("k.pub"), "-o", "json")
    assert ended.code == 0, ended.err
    found = {one["kind"]: one for one in json.loads(ended.out)["imported"]}
    assert {kind: one["taken"] for kind, one in found.items()} == {
        "service-tags": "2026-11-16",
        "community-list": "2026-11-17",
        "route-filter": None,
    }
    assert found["service-tags"]["source"].startswith(f"{ORIGIN}, in bundle ")
    assert found["route-filter"]["source"].startswith("data/filter.json, in bundle ")
    again = arcferry(
        "data", "import", sealed, "--bundle-key", sealed.with_name("k.pub"), "--taken", "2026-11-18"
    )
    assert "route filter of 2026-11-18" in again.out
    assert "service tags of 2026-11-16" in again.out, "its own day stays"
    assert len(json.loads(arcferry("data", "show", "-o", "json").out)["held"]) == 3


def test_a_folder_is_a_bundle_too(arcferry: Run, sealed: Path, tmp_path: Path) -> None:
    key = sealed.with_name("k.pub")
    assert arcferry("bundle", "copy", sealed, tmp_path / "b", "--bundle-key", key).code == 0
    assert "held as" in arcferry("data", "import", tmp_path / "b", "--bundle-key", key).out


@pytest.mark.parametrize("case", ["no key", "another key", "changed"])
def test_without_a_proved_seal_nothing_is_held(
    arcferry: Run, sealed: Path, tmp_path: Path, case: str
) -> None:
    bundle.create_key_pair(tmp_path / "other")
    key = sealed.with_name("k.pub" if case == "changed" else "other.pub")
    path = sealed
    if case == "changed":
        path = tmp_path / "b"
        arcferry("bundle", "copy", sealed, path, "--bundle-key", key)
        (path / "data" / TAGS).write_bytes(tags_file(10))
    (tmp_path / "good.json").write_bytes(tags_file(8))
    options = () if case == "no key" else ("--bundle-key", key)
    ended = arcferry("data", "import", tmp_path / "good.json", path, *options)
    assert (ended.code, ended.out) == (2 if case == "no key" else 3, "")
    assert ("--bundle-key" if case == "no key" else "k" if case == "another key" else TAGS) in ended.err
    assert not data_folder().exists()


def test_a_bundle_without_documents_says_so(arcferry: Run, tmp_path: Path) -> None:
    (tmp_path / "azcmagent_1.67.0_amd64.deb").write_bytes(make_deb())
    bundle.create_key_pair(tmp_path / "k")
    contents = Contents((tmp_path / "azcmagent_1.67.0_amd64.deb",))
    bundle.build(tmp_path / "b", contents, bundle.load_secret_key(tmp_path / "k", ""), created=times.now())
    ended = arcferry("data", "import", tmp_path / "b", "--bundle-key", tmp_path / "k.pub")
    assert ended.code == 2
    assert "no document that can be held" in ended.err


def test_a_run_judges_by_its_bundle_where_nothing_newer_is_held(arcferry: Run, sealed: Path) -> None:
    key = bundle.load_public_key(sealed.with_name("k.pub"))
    opened = bundle.open_bundle(sealed, key, now=times.now())

    def known() -> dict[str, str]:
        found = held_beside((), catalog.cloud("public"), opened)
        return {one.kind.value: one.name for one in found}

    assert set(known()) == {"service-tags", "community-list", "route-filter"}
    assert not data_folder().exists(), "a run takes nothing into the data folder"
    newer = sealed.with_name("ServiceTags_Public_20261123.json")
    newer.write_bytes(tags_file(10))
    older = sealed.with_name("communities-2025-11-01.json")
    older.write_bytes(community_file())
    assert arcferry("data", "import", newer, older).code == 0
    assert newer.name in known()["service-tags"]
    assert LIST in known()["community-list"]
