"""What connected servers measured is kept for their network, and a later failure is told beside it."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.cli.running import Ended, Run
from tests.export.test_collect import CHECK, GAS, failing, put, result

DAY = "2026-11-23"
ROWS = "name,address,site\nweb01.corp.example,10.0.0.1,taipei\nweb02,10.0.1.1,taipei\ndb01,10.0.2.1,osaka\n"
Collect = Callable[[], Ended]


def well(taken: str = f"{DAY}T08:04:00Z", address: str = "127.60.10.3") -> dict[str, Any]:
    """The check of a path that is there, with the story's endpoint answered elsewhere."""
    path: dict[str, Any] = json.loads(json.dumps(CHECK | {"taken": taken}))
    for row in path["endpoints"]:
        row["reachable"], row["failure"] = True, None
        if row["host"] == GAS:
            row["address"] = address
            row["dns"] |= {"addresses": [address], "chain": []}
    return path


def failed_later(host: str) -> dict[str, Any]:
    path = CHECK | {"taken": "2026-11-24T07:59:00Z"}
    return failing(host, path=path, ended="2026-11-24T08:00:00Z")


@pytest.fixture
def share(tmp_path: Path) -> Path:
    folder = tmp_path / "share"
    folder.mkdir()
    (tmp_path / "servers.csv").write_text(ROWS)
    return folder


@pytest.fixture
def collected(arcferry: Run, share: Path, tmp_path: Path) -> Collect:
    words = ("--inventory", tmp_path / "servers.csv", "--state", tmp_path / "state", "--output", "json")
    return lambda: arcferry("collect", share, *words)


def changes(ended: Ended) -> list[str]:
    found = json.loads(ended.out)["findings"]
    return [line["says"] for one in found for line in one["evidence"] if "changed since" in line["origin"]]


def test_a_later_failure_says_what_changed_since_a_server_of_its_network_was_connected(
    collected: Collect, share: Path
) -> None:
    put(share, result("web01", path=well()))
    assert changes(collected()) == []
    (share / "web01.json").unlink()
    put(share, failed_later("web02"))
    told = collected()
    assert told.err == ""
    assert any(f"{GAS} was reached, and is not reached" in says for says in changes(told)), told.out


@pytest.mark.parametrize(
    "document",
    [
        result("db01", path=well()),
        result("web02", path=well(), ended="2031-01-01T00:00:00Z"),
        result("web02", path=None),
        result("web02", path={"kind": "check", "endpoints": "none"}),
        failing("web02"),
    ],
    ids=["another network", "of the future", "nothing measured", "no path", "not connected"],
)
def test_what_proves_nothing_of_a_network_is_not_kept(
    collected: Collect, share: Path, tmp_path: Path, document: dict[str, Any]
) -> None:
    put(share, document)
    collected()
    kept = [path.name for path in (tmp_path / "state").rglob("*.json")]
    assert [name for name in kept if "taipei" in name] == []


def test_two_servers_of_one_short_name_prove_nothing(collected: Collect, share: Path, tmp_path: Path) -> None:
    for name in ("web01.corp.example", "web01.other.example"):
        put(share, result(name, path=well()))
    collected()
    assert not list((tmp_path / "state").rglob("*.json"))


def test_a_baseline_that_cannot_be_read_is_named_and_ends_nothing(
    collected: Collect, share: Path, tmp_path: Path
) -> None:
    put(share, result("web01", path=well()))
    collected()
    (kept,) = (tmp_path / "state").rglob("*.json")
    kept.write_bytes(b"\x00")
    put(share, failed_later("web02"))
    told = collected()
    assert told.code == 1
    assert "what changed since site taipei had its path is not known" in told.err
