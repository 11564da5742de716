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
from tests import forked
from tests.json_documents import known

from arcferry import catalog, times
from arcferry.diagnosis import judge
from arcferry.evidence.reading import read_document
from arcferry_lab.network.dns import DnsResponse, DnsServer
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
        """As its user begins it, so that it can get a signal."""
        return await self._begun(sys.executable, "-m", "arcferry", "watch", *arguments)

    async def _begun(self, *line: str) -> asyncio.subprocess.Process:
        return await asyncio.create_subprocess_exec(
            *line,
            env={name: text for name, text in os.environ.items() if name != "ARCFERRY_RESOLVER"},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )

    async def run(self, *arguments: str) -> Ended:
        process = await self._begun(*forked.arcferry(), "watch", *arguments)
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
    history = known(document.read_text())
    assert history["kind"] == "watch-history"
    moved = [row for row in history["answers"] if row["host"] == STORY_NAME]
    assert [(row["region"], row["carried"]) for row in moved] == [("eastasia", "yes"), ("japaneast", "no")]


async def test_what_watch_shows_explain_reads(desk: Desk, tmp_path: Path) -> None:
    await desk.run(*desk.recording("--rounds", "1"))
    document = tmp_path / "watch.json"
    await desk.run("show", "--state", str(desk.state), "-o", "json", "--out", str(document))
    files = [word for word in desk.evidence() if word != "--with"]
    process = await asyncio.create_subprocess_exec(
        *forked.arcferry(),
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


@pytest.mark.timeout(300)
async def test_sites_are_watched_apart_told_by_name_and_shown_side_by_side(
    desk: Desk, tmp_path: Path
) -> None:
    await desk.twin.steer(STORY_NAME, "eastasia")
    own, ca, port = desk.twin.network.resolver, str(desk.twin.paths.ca), str(desk.twin.network.port)
    lost = DnsServer(lambda _: DnsResponse(rcode="NXDOMAIN"))
    elsewhere = await lost.start()
    metrics = tmp_path / "arcferry.prom"
    try:
        ended = await desk.run(
            *("--location", "eastasia", "--state", str(desk.state), "--ca-file", ca, "--port", port),
            *("--resolver", f"taipei={own}", "--resolver", f"kaohsiung=127.0.0.1:{elsewhere}"),
            *("--rounds", "1", "--output", "jsonl", "--notify", f"textfile:{metrics}", *desk.evidence()),
        )
    finally:
        await lost.stop()
    assert ended.code == 1, ended.err
    rows = [known(line) for line in ended.out.splitlines() if '"kind": "watch-' in line]
    assert {one["site"] for one in rows if one["kind"] == "watch-notice"} == {"kaohsiung"}
    reached = {one["site"]: one["reached"] for one in rows if one["kind"] == "watch-round"}
    assert reached["taipei"] > reached["kaohsiung"] == 0
    for site, value in (("taipei", "1"), ("kaohsiung", "0")):
        labels = f'location="eastasia",site="{site}",host="{STORY_NAME}"'
        assert f"arcferry_watch_endpoint_reached{{{labels}}} {value}\n" in metrics.read_text()

    shown = await desk.run("show", "--state", str(desk.state), *desk.evidence())
    assert shown.code == 0, shown.err
    (differs,) = [one for one in shown.out.splitlines() if one.startswith(f"Sites differ at {STORY_NAME}")]
    assert "taipei has eastasia since" in differs
    assert "kaohsiung has nxdomain since" in differs
    written = (await desk.run("show", "--state", str(desk.state), "-o", "json")).out
    joined = known(written)
    assert [one["site"] for one in joined["sites"]] == ["kaohsiung", "taipei"]
    read = read_document("watch.json", written.encode())
    assert [one.servers for one in judge(read).findings] == [("site kaohsiung",)]
    assert {one["site"] for one in joined["differs"]} == {"kaohsiung", "taipei"}

    alone = await desk.run("show", "--state", str(desk.state), "--site", "taipei", "-o", "json")
    assert json.loads(alone.out)["kind"] == "watch-history"
    assert all(one["reached"] for one in json.loads(alone.out)["reach"])
    picture = await desk.run("show", "--state", str(desk.state), "-o", "svg")
    assert "Give --site, one of kaohsiung, taipei." in picture.err
    unknown = await desk.run("show", "--state", str(desk.state), "--site", "tainan")
    assert "no history of site 'tainan'" in unknown.err


@pytest.mark.skipif(sys.platform == "win32", reason="a program of POSIX's shell")
async def test_a_change_is_told_with_owner_and_letter_and_one_that_hangs_stops_nothing(
    desk: Desk, tmp_path: Path
) -> None:
    page, hang = tmp_path / "page", tmp_path / "hang"
    page.write_text(f'#!/bin/sh\ncat >> "{tmp_path}/got"\n')
    os.mkfifo(tmp_path / "never")
    hang.write_text(f'#!/bin/sh\nexec cat "{tmp_path}/never"\n')
    for path in (page, hang):
        path.chmod(0o755)
    metrics = tmp_path / "arcferry.prom"
    to = [
        word
        for one in (f"command:{page}", f"command:{hang}", f"textfile:{metrics}")
        for word in ("--notify", one)
    ]
    await desk.twin.steer(STORY_NAME, "japaneast")
    again = ("--rounds", "2", "--every", "1s", "--notify-within", "2s", "--alive-every", "1d")
    ended = await desk.run(*desk.recording(*again, *to))
    assert ended.code == 1, ended.err

    told = [json.loads(line) for line in (tmp_path / "got").read_text().splitlines()]
    assert [one["kind"] for one in told].count("watch-alive") == 1
    lost = [one for one in told if one["kind"] == "watch-notice" and one["host"] == STORY_NAME]
    assert len(lost) == 2
    for one in lost:
        assert (one["level"], one["owner"], one["location"]) == ("FAIL", "network", "eastasia")
        assert one["cause"] == "route/community-not-in-filter"
        assert "12076:51012" in one["request"]

    warned = [line for line in ended.err.splitlines() if line.startswith("warning: ")]
    assert len(warned) == 1, ended.err
    assert f"command:{hang} does not take what it is told: not done within 2 s" in warned[0]
    shown = await desk.run("show", "--state", str(desk.state), "--output", "json")
    assert [one["says"] for one in json.loads(shown.out)["notices"] if not one["host"]] == [
        warned[0].removeprefix("warning: ")
    ]

    lines = metrics.read_text().splitlines()
    samples = dict(line.rsplit(" ", 1) for line in lines if not line.startswith("#"))
    assert samples[f'arcferry_watch_endpoint_reached{{location="eastasia",host="{STORY_NAME}"}}'] == "0"
    finding = 'location="eastasia",cause="route/community-not-in-filter",owner="network",severity="error"'
    assert samples[f"arcferry_watch_finding{{{finding}}}"] == "1"
    last = times.from_text(json.loads(shown.out)["last"]).timestamp()
    assert float(samples['arcferry_watch_last_round_timestamp_seconds{location="eastasia"}']) == last


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ((), "which location"),
        (("--location", "eastasia", "--every", "5"), "'5' is no time"),
        (("--location", "eastasia", "--every", "2d"), "'2d' is no time"),
        (("--location", "eastasia", "--resolver", "ns.example"), "not an IP address"),
        (("--location", "eastasia", "--resolver", "a=1.2.3.4", "--resolver", "5.6.7.8"), "some have none"),
        (("--location", "eastasai", "--rounds", "1"), "unknown location"),
        (("--location", "eastasia", "--notify", "pager"), "names nobody that can be told"),
        (("--location", "eastasia", "--notify", "smtp://a:canary@b"), "can be seen by others"),
        (("--location", "eastasia", "--notify", "syslog", "--notify-within", "6m"), "between 1s and 5m"),
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
    assert "canary" not in refused.err
