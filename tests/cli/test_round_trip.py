"""What a command's JSON says follows is what `explain` says of that JSON, with nothing else at hand."""

import asyncio
import json
import os
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from tests import forked

from arcferry import bundle as bundles
from arcferry import times
from arcferry_lab.hosts import build_agent_package
from arcferry_lab.twin import Twin

CASE = Path(__file__).parents[1] / "cases/timeout-outside-filter"


@dataclass(frozen=True)
class Ended:
    code: int
    out: str
    err: str


async def arcferry(*arguments: str, data: Path | None = None, given: str = "") -> Ended:
    """The command, which has no more than its words and what it holds."""
    environment = {
        name: text
        for name, text in os.environ.items()
        if name in ("ARCFERRY_DATA", "ARCFERRY_STATE") or not name.startswith("ARCFERRY_")
    }
    process = await asyncio.create_subprocess_exec(
        *forked.arcferry(),
        *arguments,
        env=environment | ({"ARCFERRY_DATA": str(data)} if data else {}),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await asyncio.wait_for(process.communicate(given.encode()), 100)
    ended = Ended(process.returncode or 0, out.decode(), err.decode())
    assert "Traceback" not in ended.err
    return ended


def listed(text: str) -> list[dict[str, Any]]:
    """The findings of a document, or of one object a line."""
    try:
        found: list[dict[str, Any]] = json.loads(text)["findings"]
    except ValueError:
        lines = [json.loads(line) for line in text.splitlines()]
        return [without_form(line) for line in lines if line["kind"] == "finding"]
    return found


def without_form(line: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in line.items() if key not in ("schema", "kind")}


async def assert_explained(told: str, nothing: Path) -> list[dict[str, Any]]:
    """Explain the output by itself, and return the findings that both have."""
    explained = await arcferry("explain", "-", "--output", "json", data=nothing, given=told)
    again = listed(explained.out)
    assert causes(listed(told)) == causes(again), explained.err
    for one, other in zip(listed(told), again, strict=True):
        assert {key: (value, other[key]) for key, value in one.items() if value != other[key]} == {}
    return listed(told)


def causes(findings: list[dict[str, Any]]) -> list[str]:
    return [one["cause"] for one in findings]


@pytest.mark.lab
@pytest.mark.timeout(300)
async def test_every_command_that_asks_the_network(twin: Twin, tmp_path: Path) -> None:
    """With a filter, a circuit, tags and communities held that `explain` has not."""
    paths, nothing, held = twin.paths, tmp_path / "nothing", tmp_path / "held"
    files = (paths.route_filter, paths.circuit, paths.service_tags, paths.communities)
    imported = await arcferry("data", "import", *map(str, files), data=held)
    assert imported.code == 0, imported.err
    network = (
        "--resolver",
        twin.network.resolver,
        "--ca-file",
        str(paths.ca),
        "--port",
        str(twin.network.port),
    )
    where = ("--location", "eastasia")
    commands = {
        "check": ("check", *where, *network),
        "routes audit": ("routes", "audit", "check.json", *where),
        "watch": ("watch", *where, *network, "--rounds", "1"),
        "watch show": ("watch", "show", *where),
    }
    seen = {}
    for name, words in commands.items():
        forms = ("json",) if name == "watch show" else ("json", "jsonl")
        for form in forms:
            given = [str(tmp_path / word) if word == "check.json" else word for word in words]
            ended = await arcferry(*given, "--output", form, data=held)
            assert ended.out, (name, ended.err)
            if name == "check":
                (tmp_path / f"check.{form}").write_text(ended.out)
            seen[name, form] = causes(await assert_explained(ended.out, nothing))
    for found in seen.values():
        assert "route/community-not-in-filter" in found, seen
    # Handed in beside it, a newer filter counts instead of the one that was kept.
    await twin.allow("12076:51010", "12076:51012", "12076:5060", "12076:5070")
    explained = await arcferry(
        "explain", str(tmp_path / "check.json"), str(paths.route_filter), "--output", "json", data=nothing
    )
    assert "route/community-not-in-filter" not in causes(listed(explained.out))


async def test_collect(tmp_path: Path) -> None:
    """Hosts that fail in two ways, each judged by itself."""
    check = json.loads((CASE / "check.json").read_text())
    gone = check | {
        "endpoints": [
            row
            | {"reachable": False, "failure": {"stage": "dns", "kind": "nxdomain", "says": "no such name"}}
            for row in check["endpoints"]
        ]
    }
    share = tmp_path / "share"
    share.mkdir()
    for name, path in (("web01", check), ("web02", check), ("db01", gone)):
        answers = [
            {"schema": 1, "verb": "check", "ok": False, "exit": 26, "code": "AZCM0026", "message": "no"}
        ]
        document = {
            "schema": 1, "kind": "host-run", "host": name, "via": "gpo", "bundle": "0123456789ab",
            "began": "2026-11-23T08:00:00Z", "ended": "2026-11-23T08:05:00Z", "outcome": "failed",
            "answers": answers, "path": path,
        }  # fmt: skip
        (share / f"{name}.json").write_text(json.dumps(document))
    context = [word for path in sorted(CASE.glob("*[!k].json")) for word in ("--with", str(path))]
    for form in ("json", "jsonl"):
        ended = await arcferry("collect", str(share), *context, "--output", form)
        found = await assert_explained(ended.out, tmp_path / "nothing")
        hosts = {one["cause"]: one["hosts"] for one in found}
        assert hosts["route/community-not-in-filter"] == ["web01", "web02"]
        assert hosts["dns/name-not-found"] == ["db01"]


async def test_bundle_verify(tmp_path: Path) -> None:
    bundle, key = tmp_path / "b", tmp_path / "key"
    bundles.create_key_pair(key)
    contents = bundles.Contents((build_agent_package(tmp_path),))
    bundles.build(bundle, contents, bundles.load_secret_key(key), created=times.now() - timedelta(days=1))
    verify = ("bundle", "verify", str(bundle), "--bundle-key", f"{key}.pub", "--output")
    for form in ("json", "jsonl"):
        right = await arcferry(*verify, form)
        assert (right.code, await assert_explained(right.out, tmp_path / "nothing")) == (0, [])
    changed = next(bundle.rglob("*.deb"))
    changed.write_bytes(changed.read_bytes()[:-1] + b"?")
    for form in ("json", "jsonl"):
        refused = await arcferry(*verify, form)
        (finding,) = await assert_explained(refused.out, tmp_path / "nothing")
        assert (refused.code, finding["cause"]) == (3, "bundle/refused")
        assert finding["evidence"][0]["says"].endswith(f"{changed.name}: a file is not what was sealed")
