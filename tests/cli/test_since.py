"""It worked three weeks ago: what changed since, and whether what was asked for has been done."""

import asyncio
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from tests import forked
from tests.cli.running import Run
from tests.json_documents import known

from arcferry_lab.document import document as lab_document
from arcferry_lab.twin import STORY_NAME, Twin

ALL = ("12076:51010", "12076:5060", "12076:5070")
LACKED = "12076:51012"
CAUSE = "route/community-not-in-filter"


@dataclass
class Desk:
    """A machine beside a twin, with what it holds and remembers."""

    twin: Twin
    folder: Path

    async def run(self, *words: str) -> tuple[int, Any, str]:
        environment = os.environ | lab_document(self.twin)["environment"] | {"NO_COLOR": "1"}
        line = [*forked.arcferry(), *words]
        pipes = {"stdout": asyncio.subprocess.PIPE, "stderr": asyncio.subprocess.PIPE}
        process = await asyncio.create_subprocess_exec(*line, env=environment, cwd=self.folder, **pipes)
        out, err = await process.communicate()
        assert b"Traceback" not in err, err.decode()
        text = out.decode()
        assert text or "risk" in str(words), err.decode()
        found = known(text) if text and "json" in words else text
        return process.returncode or 0, found, err.decode()

    async def check(self, *words: str) -> tuple[int, Any, str]:
        return await self.run("check", "--output", "json", *words)

    async def hold(self) -> None:
        """Hold the filter as it is now, and all else that the check judges by."""
        lab = lab_document(self.twin)
        for kind in ("service_tags", "communities", "route_filter"):
            code, _, err = await self.run("data", "import", lab[f"{kind}_file"])
            assert code == 0, err


@pytest.fixture
async def desk(twin: Twin, tmp_path: Path) -> Desk:
    """A twin whose steered name answers at home, so that all is well."""
    await twin.steer(STORY_NAME, "eastasia")
    found = Desk(twin, tmp_path)
    await found.hold()
    return found


def changed(document: dict[str, Any], cause: str = CAUSE) -> list[str]:
    (finding,) = (one for one in document["findings"] if one["cause"] == cause)
    return [line["says"] for line in finding["evidence"] if line["origin"].startswith("changed since")]


@pytest.mark.lab
async def test_the_story_from_a_good_day_to_the_change_that_helps(desk: Desk) -> None:
    code, good, _ = await desk.check()
    assert code == 0
    (desk.folder / "good.json").write_text(json.dumps(good))

    await desk.twin.steer(STORY_NAME, "japaneast")
    code, bad, err = await desk.check("--expect", CAUSE)
    assert (code, bad["expected"]["met"]) == (1, "not yet"), err
    moved, lost = changed(bad)
    assert moved.startswith(f"{STORY_NAME} answered ")
    assert " in East Asia, and answers " in moved
    assert " in Japan East now; the route filter lacks 12076:51012 (Japan East)" in moved
    assert lost == f"{STORY_NAME} was reached, and is not reached (tcp timeout) now"
    # The same from a file that was kept, by check and by explain.
    (desk.folder / "bad.json").write_text(json.dumps(bad))
    _, named, _ = await desk.check("--since", "good.json")
    _, explained, _ = await desk.run("explain", "bad.json", "--since", "good.json", "--output", "json")
    assert changed(named) == changed(explained) == [moved, lost]
    code, told, _ = await desk.run("diff", "good.json", "bad.json", "--output", "json")
    assert code == 1
    assert [one["says"] for one in told["changes"]] == [moved, lost]

    await desk.twin.allow(*ALL, LACKED)
    await desk.hold()
    code, mended, _ = await desk.check("--expect", CAUSE)
    assert (code, mended["expected"]["met"]) == (0, "done")
    code, _, _ = await desk.run("check", "--expect", "risk/" + CAUSE)
    assert code == 2


@pytest.mark.lab
async def test_a_good_day_that_cannot_be_read_or_is_to_come_hides_nothing(desk: Desk) -> None:
    await desk.check()
    (kept,) = (Path(lab_document(desk.twin)["environment"]["ARCFERRY_STATE"]) / "baselines").iterdir()
    whole = kept.read_text()
    await desk.twin.steer(STORY_NAME, "japaneast")
    day = json.loads(whole)["documents"][0]["taken"][:10]
    for text, says in (
        (whole[:300], "tells of no endpoint"),
        (whole.replace(day, "2099-01-01"), "the first is the later one: of 2099-01-01"),
    ):
        kept.write_text(text)
        code, bad, err = await desk.check()
        assert (code, changed(bad)) == (1, [])
        assert "note: what changed since all was well is not known: " in err
        assert says in err
        assert f"hint: {kept} is written anew once all is well" in err
    await desk.twin.steer(STORY_NAME, "eastasia")
    assert (await desk.check())[0] == 0
    assert "2099-01-01" not in kept.read_text(), "the next good day takes its place"


@pytest.mark.lab
async def test_something_else_hinders_now(desk: Desk) -> None:
    code, found, _ = await desk.check("--expect", CAUSE)
    assert (code, found["expected"]["met"]) == (0, "done")
    await desk.twin.allow("12076:5060", "12076:5070")
    await desk.hold()
    code, found, _ = await desk.check("--expect", "dns/name-not-found")
    assert (code, found["expected"]["met"]) == (1, "something else")
    assert f"now it is {CAUSE}" in found["expected"]["says"]
    gone = [line for line in changed(found) if line.startswith("route filter ")]
    assert len(gone) == 1
    assert gone[0].endswith("no longer lets 12076:51010 (East Asia) through")


FILTER = '{"name": "rf", "location": "eastasia", "provisioningState": "Succeeded", "rules": [%s]}'
RULE = '{"name": "allow", "access": "Allow", "communities": [%s], "routeFilterRuleType": "Community"}'


def a_filter(folder: Path, name: str, *communities: str) -> Path:
    path = folder / name
    path.write_text(FILTER % (RULE % ", ".join(f'"{value}"' for value in communities)))
    return path


def test_two_filters(arcferry: Run, tmp_path: Path) -> None:
    before = a_filter(tmp_path, "before.json", *ALL)
    after = a_filter(tmp_path, "after.json", *ALL[1:], LACKED)
    ended = arcferry("diff", before, after)
    assert ended.code == 1
    assert "route filter rf lets 12076:51012 (Japan East) through, which it did not" in ended.out
    assert "route filter rf no longer lets 12076:51010 (East Asia) through" in ended.out
    assert ended.out.rstrip().endswith("2 changes")
    same = arcferry("diff", before, before)
    assert (same.code, same.out.strip()) == (0, "nothing changed; as before: filter")


SHOWN = """\
Resource Name      : %s
Agent Version      : %s
Agent Status       : Connected
Agent Last Heartbeat: 2026-11-0%sT00:00:00Z
Location           : eastasia
"""


def test_an_agent_then_and_now(arcferry: Run, tmp_path: Path) -> None:
    for name, version, day in (("a.txt", "1.60", 1), ("b.txt", "1.67", 2)):
        (tmp_path / name).write_text(SHOWN % ("web01", version, day))
    ended = arcferry("diff", tmp_path / "a.txt", tmp_path / "b.txt")
    assert "the agent's version was 1.60, and is 1.67 now" in ended.out


@pytest.mark.parametrize(
    ("names", "says"),
    [
        (
            ("filter.json", "agent.txt"),
            "nothing in them can be compared: route-filter before, agent-show after",
        ),
        (
            ("later.json", "earlier.json"),
            "the first is the later one: of 2026-11-02, the second of 2026-11-01",
        ),
        (
            ("afternoon.json", "earlier.json"),
            "the first is the later one: of 2026-11-01T15:00:00Z, the second of 2026-11-01T00:00:00Z",
        ),
        (("list.json", "list.json"), "community-list after\nhint: Hand in two of one kind: results of"),
        (("missing.json", "agent.txt"), "missing.json"),
        (("agent.txt", "nothing.txt"), "nothing.txt"),
    ],
)
def test_what_cannot_be_compared(arcferry: Run, tmp_path: Path, names: tuple[str, str], says: str) -> None:
    a_filter(tmp_path, "filter.json", *ALL)
    (tmp_path / "agent.txt").write_text(SHOWN % ("web01", "1.60", 1))
    (tmp_path / "nothing.txt").write_text("the weather is fine\n")
    entry = {"communityValue": "12076:51010", "communityPrefixes": ["20.187.128.0/17"]}
    listed = {"value": [{"name": "East Asia", "properties": {"bgpCommunities": [entry]}}]}
    (tmp_path / "list.json").write_text(json.dumps(listed))
    times = {"earlier.json": "01T00", "afternoon.json": "01T15", "later.json": "02T00"}
    for name, hour in times.items():
        row = {"host": "gbl.his.arc.azure.com", "reachable": True, "address": "20.0.0.1", "required": True}
        kept = {"taken": f"2026-11-{hour}:00:00Z", "location": "eastasia", "cloud": "AzureCloud"}
        (tmp_path / name).write_text(json.dumps({"schema": 1, "kind": "check", **kept, "endpoints": [row]}))
    ended = arcferry("diff", *(tmp_path / name for name in names))
    assert ended.code == 2
    assert says in ended.err
