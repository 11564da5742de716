"""The story on the twin: what `routes plan` asks for, by what the names really answered."""

import asyncio
import json
import os
import re
import shutil
import subprocess
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from tests import forked

from arcferry_lab.document import document as lab_document
from arcferry_lab.twin import Twin

pytestmark = pytest.mark.lab
HELD = ("12076:51010", "12076:5060", "12076:5070")
AGENT_SERVICE = "agentserviceapi.guestconfiguration.azure.com"
Run = Callable[..., Awaitable[str]]


@pytest.fixture
def run(twin: Twin, tmp_path: Path) -> Run:
    environment = os.environ | lab_document(twin)["environment"]

    async def run(*arguments: object, ends: int = 0) -> str:
        line = [*forked.arcferry(), *map(str, arguments)]
        done = await asyncio.to_thread(
            subprocess.run, line, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == ends, done.stderr
        return done.stdout

    return run


def documents(twin: Twin) -> list[str]:
    lab = lab_document(twin)
    return [lab["route_filter_file"], lab["service_tags_file"], lab["communities_file"]]


def added(text: str) -> set[str]:
    found = re.search(r"--add communities ([0-9: ]+)", text)
    assert found is not None, text
    return set(found[1].split())


async def test_it_asks_for_what_explain_asks_for_and_then_nothing_is_left(
    twin: Twin, run: Run, tmp_path: Path
) -> None:
    (tmp_path / "check.json").write_text(await run("check", "-l", "eastasia", "-o", "json", ends=1))
    explained = added(await run("explain", "check.json", *documents(twin), ends=1))
    assert explained == {"12076:51012"}
    plan = await run("routes", "plan", "-l", "eastasia", "check.json", *documents(twin))
    assert added(plan) == {"12076:51012", "12076:51011"}
    answered = rf"{re.escape(AGENT_SERVICE)} +Japan East, .*arcferry check.*: carried by 12076:51012"
    assert re.search(answered, plan)
    assert "names answered here" in plan
    assert "comfortable" in plan
    assert "max" in plan

    narrow = await run(
        "routes", "plan", "-l", "eastasia", "--steered", "region", "--with", "check.json", *documents(twin)
    )
    assert added(narrow) == explained
    await twin.allow(*HELD, *added(narrow))
    after = json.loads(await run("check", "-l", "eastasia", "-o", "json"))
    assert not [one for one in after["endpoints"] if one["required"] and not one["reachable"]]


async def test_an_old_filter_is_named_as_the_reason_for_what_looks_odd(
    twin: Twin, run: Run, tmp_path: Path
) -> None:
    route_filter, tags, communities = documents(twin)
    old = shutil.copy(route_filter, tmp_path / "route-filter-2026-11-20.json")
    await run("data", "import", old, tags, communities)
    await twin.allow(*HELD, "12076:51012")
    (tmp_path / "after.json").write_text(await run("check", "-l", "eastasia", "-o", "json"))
    found: dict[str, Any] = json.loads(
        await run("routes", "plan", "-l", "eastasia", "after.json", "-o", "json")
    )
    odd, stale = found["first"]
    explained = json.loads(await run("explain", "after.json", "-o", "json"))
    (same,) = [one for one in explained["findings"] if one["cause"] == "risk/reached-outside-filter"]
    assert odd == f"{same['title']}. {same['remedy']['summary']}"
    assert odd.startswith(f"{AGENT_SERVICE} is reached, though not expected over this route filter. ")
    assert "as of 2026-11-20" in odd
    assert "it was changed since" in odd
    assert "known as of 2026-11-20" in stale
    assert "az network route-filter show" in stale
    shown = (await run("routes", "plan", "-l", "eastasia", "after.json")).splitlines()
    assert f"First: {odd}" in shown


async def test_what_watch_has_recorded_is_planned_for_without_being_handed_in(twin: Twin, run: Run) -> None:
    _, tags, communities = documents(twin)
    await run("data", "import", tags, communities)
    before = json.loads(await run("routes", "plan", "-l", "eastasia", "-o", "json"))
    assert "12076:51012" not in before["planned"]
    await run("watch", "-l", "eastasia", "--rounds", "1", ends=1)
    await twin.steer(AGENT_SERVICE, "southeastasia")
    await run("watch", "-l", "eastasia", "--rounds", "1", ends=1)
    plan = json.loads(await run("routes", "plan", "-l", "eastasia", "-o", "json"))
    answered = {(one["region"], one["origin"]) for one in plan["answers"] if one["host"] == AGENT_SERVICE}
    assert answered == {("japaneast", "arcferry watch"), ("southeastasia", "arcferry watch")}
    assert "12076:51012" in plan["planned"]
    assert plan["comfortable"] == plan["planned"]
