"""What changed since a server of a share was connected, over several collections of the same share."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.export.test_collect import CHECK, GAS, failing, put, result

from arcferry.export.baselines import with_baselines
from arcferry.export.collect import collect
from arcferry.fleet.inventory import read_inventory
from arcferry.times import now, to_text

WELL, BROKEN = "2026-01-02T06:05:00Z", "2026-01-10T06:05:00Z"


def whole(taken: str = WELL, address: str = "20.0.0.9") -> dict[str, Any]:
    """A path on which all is reached."""
    path = json.loads(json.dumps(CHECK)) | {"taken": taken}
    for row in path["endpoints"]:
        row |= {"reachable": True, "failure": None}
        if row["host"] == GAS:
            row |= {"address": address, "dns": row["dns"] | {"addresses": [address]}}
    return path


def told(folder: Path, inventory: Path | None = None) -> tuple[list[str], tuple[str, ...]]:
    """What one collection says has changed, and its notes."""
    rows = read_inventory(inventory) if inventory else None
    found, notes = with_baselines(collect(folder / "share", rows), rows, folder / "state", ())
    lines = [line for one in found.diagnosis.findings for line in one.evidence]
    return [line.origin for line in lines if line.origin.startswith("changed since")], notes


def kept(folder: Path) -> list[Path]:
    return sorted(folder.glob("state/baselines/*"))


@pytest.fixture
def share(tmp_path: Path) -> Path:
    folder = tmp_path / "share"
    folder.mkdir()
    return folder


def test_a_server_that_fails_later_says_what_changed_and_since_when(share: Path, tmp_path: Path) -> None:
    put(share, result("web01", path=whole()))
    assert told(tmp_path) == ([], ())
    put(share, failing("web01"))
    changes, notes = told(tmp_path)
    assert set(changes) == {"changed since 2026-01-02"}
    assert notes == ()


def test_another_server_is_compared_only_where_the_inventory_says_one_network(
    share: Path, tmp_path: Path
) -> None:
    inventory = tmp_path / "servers.csv"
    inventory.write_text("name,address,site\nweb01,10.0.0.1,taipei\nweb02,10.9.0.2,taipei\n")
    put(share, result("web01", path=whole()))
    told(tmp_path, inventory)
    put(share, failing("web02"))
    assert told(tmp_path)[0] == []
    assert set(told(tmp_path, inventory)[0]) == {"changed since 2026-01-02"}


def test_an_old_result_takes_no_newer_baselines_place(share: Path, tmp_path: Path) -> None:
    put(share, result("web01", path=whole()))
    told(tmp_path)
    (path,) = kept(tmp_path)
    before = path.read_bytes()
    put(share, result("web01", path=whole("2025-12-01T00:00:00Z")))
    told(tmp_path)
    assert path.read_bytes() == before
    put(share, result("web01", path=whole("2026-01-03T00:00:00Z")))
    told(tmp_path)
    assert path.read_bytes() != before


def test_a_path_that_is_broken_is_no_baseline(share: Path, tmp_path: Path) -> None:
    put(share, result("web01", path=CHECK))
    assert told(tmp_path) == ([], ())
    assert kept(tmp_path) == []


def test_a_path_from_the_future_is_no_baseline(share: Path, tmp_path: Path) -> None:
    put(share, result("web01", path=whole(to_text(now() + timedelta(days=400)))))
    changes, (note,) = told(tmp_path)
    assert (changes, kept(tmp_path)) == ([], [])
    assert "look at its clock" in note


def test_a_baseline_newer_than_the_failure_says_nothing(share: Path, tmp_path: Path) -> None:
    put(share, result("web01", path=whole("2026-01-20T00:00:00Z")))
    told(tmp_path)
    put(share, failing("web01"))
    assert told(tmp_path) == ([], ())


def test_a_damaged_baseline_is_a_note(share: Path, tmp_path: Path) -> None:
    put(share, result("web01", path=whole()))
    told(tmp_path)
    kept(tmp_path)[0].write_text("{")
    put(share, failing("web01"))
    changes, (note,) = told(tmp_path)
    assert changes == []
    assert note.startswith("what changed since server web01 had its path is not known: ")


@pytest.mark.parametrize("hostile", ["../../etc/x", "", 7, None])
def test_a_place_that_is_none_leads_nowhere(share: Path, tmp_path: Path, hostile: object) -> None:
    put(share, result("web01", path=whole() | {"location": hostile}))
    told(tmp_path)
    assert all(path.parent == tmp_path / "state/baselines" for path in kept(tmp_path))
