"""`arcferry watch` as a process of its own, against the twin."""

import asyncio
import json
import os
import re
import signal
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from arcferry import catalog, times
from arcferry_lab.twin import STORY_NAME, Twin

pytestmark = pytest.mark.lab


@dataclass(frozen=True)
class Ended:
    code: int
    out: str
    err: str


@dataclass
class Desk:
    twin: Twin
    state: Path
    given: list[str] = field(default_factory=list)

    async def start(self, *arguments: str) -> asyncio.subprocess.Process:
        return await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "arcferry",
            "watch",
            *arguments,
            env={name: text for name, text in os.environ.items() if name != "ARCFERRY_RESOLVER"},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )

    async def run(self, *arguments: str) -> Ended:
        process = await self.start(*arguments)
        out, err = await asyncio.wait_for(process.communicate(), 60)
        ended = Ended(process.returncode or 0, out.decode(), err.decode())
        assert "Traceback" not in ended.err
        return ended

    def recording(self, *more: str) -> list[str]:
        network, paths = self.twin.network, self.twin.paths
        return [
            "--location",
            "eastasia",
            "--resolver",
            network.resolver,
            "--ca-file",
            str(paths.ca),
            "--port",
            str(network.port),
            "--state",
            str(self.state),
            *self.evidence(),
            *more,
        ]

    def evidence(self) -> Sequence[str]:
        paths = self.twin.paths
        files = (paths.service_tags, paths.communities, paths.route_filter)
        return [word for path in files for word in ("--with", str(path))]


@pytest.fixture
def desk(twin: Twin, tmp_path: Path) -> Desk:
    return Desk(twin, tmp_path / "state")


async def test_rounds_are_recorded_told_and_shown(desk: Desk, tmp_path: Path) -> None:
    await desk.twin.steer(STORY_NAME, "eastasia")
    first = await desk.run(*desk.recording("--rounds", "1"))
    assert first.code == 0, first.err
    assert first.out == ""
    told = [line for line in first.err.splitlines() if line.startswith("note: ")]
    assert told == [f"note: {one}" for one in catalog.ahead(times.now().date(), catalog.cloud("public"))]
    await desk.twin.steer(STORY_NAME, "japaneast")
    second = await desk.run(*desk.recording("--rounds", "1"))
    assert second.code == 1
    assert "moved" not in second.out
    assert f"FAIL  {STORY_NAME}" in second.out
    assert "the route filter lacks 12076:51012 (Japan East)" in second.out

    shown = await desk.run("show", "--state", str(desk.state), *desk.evidence())
    rows = [line.split() for line in shown.out.splitlines() if line.startswith(STORY_NAME)]
    assert [row[-1] for row in rows if row[1] != "tcp"] == ["yes", "no"]
    assert any(row[1:3] == ["tcp", "timeout"] for row in rows)

    picture = tmp_path / "watch.svg"
    await desk.run("show", "--state", str(desk.state), *desk.evidence(), "-o", "svg", "--out", str(picture))
    texts = re.findall(r">([^<>]+)</(?:text|title)>", picture.read_text())
    assert STORY_NAME in texts
    assert "japaneast" in texts
    assert any("not in the route filter" in text for text in texts)

    document = tmp_path / "watch.json"
    await desk.run("show", "--state", str(desk.state), *desk.evidence(), "-o", "json", "--out", str(document))
    history = json.loads(document.read_text())
    assert history["kind"] == "watch-history"
    moved = [row for row in history["answers"] if row["host"] == STORY_NAME]
    assert [(row["region"], row["carried"]) for row in moved] == [("eastasia", "yes"), ("japaneast", "no")]


async def test_what_watch_shows_explain_reads(desk: Desk, tmp_path: Path) -> None:
    await desk.run(*desk.recording("--rounds", "1"))
    document = tmp_path / "watch.json"
    await desk.run("show", "--state", str(desk.state), "-o", "json", "--out", str(document))
    files = [word for word in desk.evidence() if word != "--with"]
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "arcferry",
        "explain",
        str(document),
        *files,
        "--output",
        "json",
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await asyncio.wait_for(process.communicate(), 60)
    found = json.loads(out or b"{}")
    assert process.returncode == 1, err.decode()
    causes = [one["cause"] for one in found["findings"] if one["severity"] == "error"]
    assert causes == ["route/community-not-in-filter"]
    assert "watch-history" in {taken["kind"] for taken in found["inputs"]}


async def test_one_instance_a_location_and_a_killed_one_leaves_no_lock(desk: Desk) -> None:
    running = await desk.start(*desk.recording("--every", "1h"))
    assert running.stderr
    await asyncio.wait_for(running.stderr.readline(), 30)
    refused = await desk.run(*desk.recording("--rounds", "1"))
    assert refused.code == 3
    assert "another watch is running" in refused.err
    assert str(running.pid) in refused.err
    running.kill()
    await running.wait()
    again = await desk.run(*desk.recording("--rounds", "1"))
    assert again.code == 1, again.err


async def test_an_interrupt_keeps_the_history(desk: Desk) -> None:
    running = await desk.start(*desk.recording("--every", "1h", "--output", "jsonl"))
    assert running.stdout
    while json.loads(await asyncio.wait_for(running.stdout.readline(), 30))["kind"] != "watch-round":
        pass
    running.send_signal(signal.SIGINT)
    _, err = await asyncio.wait_for(running.communicate(), 30)
    assert running.returncode == 130
    assert b"the history is kept" in err
    shown = await desk.run("show", "--state", str(desk.state), "--since", "1h")
    assert "1 rounds" in shown.out or "1 round " in shown.out


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ((), "which location"),
        (("--location", "eastasia", "--every", "5"), "'5' is no time"),
        (("--location", "eastasia", "--every", "2d"), "'2d' is no time"),
        (("--location", "eastasia", "--resolver", "ns.example"), "not an IP address"),
        (("--location", "eastasai", "--rounds", "1"), "unknown location"),
        (("show", "--location", "japanwest"), "nothing was watched yet"),
        (("show",), "nothing was watched yet"),
    ],
)
async def test_wrong_words_are_refused_with_a_way_out(
    desk: Desk, arguments: tuple[str, ...], says: str
) -> None:
    state = ("--state", str(desk.state))
    refused = await desk.run(*arguments, *state)
    assert refused.code == 2
    assert says in refused.err
