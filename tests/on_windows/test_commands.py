"""arcferry as on an engineer's Windows: code page 950, folders with spaces in Chinese, and nothing of POSIX.

What cannot be shown this way, and needs a Windows, stands in docs/unproven.md.
"""

import asyncio
import builtins
import json
import os
import shutil
import signal
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.on_windows.as_windows import import_as_on_windows

from arcferry_lab import hosts
from arcferry_lab.document import document
from arcferry_lab.hosts import build_agent_package
from arcferry_lab.twin import Twin, TwinSettings

RUNNER = Path(__file__).with_name("as_windows.py")
CODE_PAGE = "cp950"
SIGBREAK = signal.SIGUSR1


@dataclass(frozen=True)
class Ended:
    code: int
    out: str
    err: str


@dataclass(frozen=True)
class Desk:
    """A folder to work in, and the settings of a twin's user."""

    folder: Path
    environment: dict[str, str]

    async def start(self, *words: str) -> asyncio.subprocess.Process:
        return await asyncio.create_subprocess_exec(
            *(sys.executable, "-X", "warn_default_encoding", str(RUNNER), *words),
            cwd=self.folder,
            env=self.environment,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )

    async def run(self, *words: str) -> Ended:
        process = await self.start(*words)
        out, err = await asyncio.wait_for(process.communicate(), 100)
        assert process.returncode is not None
        ended = Ended(process.returncode, out.decode(CODE_PAGE), err.decode(CODE_PAGE))
        assert "Traceback" not in ended.err, ended.err
        return ended


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    """With one server of the twin's, and everything of the user's in one folder."""
    reason = hosts.unavailable()
    if reason:
        pytest.skip(f"no hosts here: {reason}")
    folder = tmp_path / "王 小明" / "伺服器 上線"
    folder.mkdir(parents=True)
    async with Twin.start(TwinSettings(tmp_path / "twin", hosts=1)) as twin:
        kept = {
            name: text for name, text in os.environ.items() if not name.startswith(("ARCFERRY_", "AZURE_"))
        }
        own = {"ARCFERRY_STATE": str(folder / "狀態"), "ARCFERRY_DATA": str(folder / "資料")}
        page = {"PYTHONIOENCODING": CODE_PAGE, "PYTHONUTF8": "0", "NO_COLOR": "1"}
        for path in (twin.paths.route_filter, twin.paths.circuit, twin.paths.service_tags):
            shutil.copy(path, folder)
        shutil.copy(twin.paths.communities, folder)
        yield Desk(folder, kept | dict(document(twin)["environment"]) | own | page)


@dataclass(frozen=True)
class Step:
    """One command, how it ends, and what it must print or write."""

    words: str
    says: str
    code: int = 0
    kept: str = ""


FILES = "route-filter.json circuit.json {tags} {communities}"
STORY = (
    Step("locations", "東亞"),
    Step(f"data import {FILES}", "route filter"),
    Step("data show", "route-filter.json"),
    Step("check --location 東亞", "agentserviceapi.guestconfiguration.azure.com", code=1),
    Step("check --location eastasia --output json", '"kind": "check"', code=1, kept="檢查 結果.json"),
    Step("explain {kept}", "12076:51012", code=1),
    Step("explain {kept} --output json", "route/community-not-in-filter", code=1),
    Step("routes plan --location eastasia {kept}", "12076:51012"),
    Step("routes audit {kept} --location eastasia", "12076:51012", code=1),
    Step("routes firewall --location eastasia", "gbl.his.arc.azure.com"),
    Step("features --location eastasia", "Update Manager"),
    Step("watch --location eastasia --rounds 1", "agentserviceapi", code=1),
    Step("watch show --location eastasia", "agentserviceapi"),
    Step("evidence script --location eastasia --system windows", "arcferry-evidence.ps1"),
    Step("bundle key new 金鑰", "key id"),
    Step("bundle build --out 安裝包 --secret-key 金鑰 --agent {agent} --location eastasia", "1.67.0 deb"),
    Step("bundle verify 安裝包 --bundle-key 金鑰.pub", "sealed"),
    Step("bundle copy 安裝包 安裝包.zip --bundle-key 金鑰.pub", "安裝包.zip"),
    Step("bundle show 安裝包.zip", "NOT VERIFIED"),
    Step("export ansible --bundle 安裝包 --bundle-key 金鑰.pub --out 匯出", "匯出"),
    Step("onboard plan {inventory} --bundle 安裝包.zip --bundle-key 金鑰.pub", "server01"),
    Step("collect 回報", "web01", code=1),
)


@pytest.mark.lab
@pytest.mark.hosts
@pytest.mark.timeout(300)
async def test_every_command_comes_to_its_end(desk: Desk, tmp_path: Path) -> None:
    (agents := desk.folder / "[檔案]").mkdir()
    agent = shutil.move(build_agent_package(tmp_path), agents)
    report(desk.folder / "回報")
    named = {
        "tags": next(desk.folder.glob("ServiceTags*")).name,
        "communities": next(desk.folder.glob("bgp-*")).name,
        "inventory": str(tmp_path / "twin" / "inventory.csv"),
        "kept": "檢查 結果.json",
        "agent": str(Path(agent).relative_to(desk.folder)),
    }
    failed = []
    for step in STORY:
        ended = await desk.run(*(word.format(**named) for word in step.words.split(" ")))
        if (ended.code, step.says in ended.out + ended.err) != (step.code, True):
            failed.append((step.words, ended))
        if step.kept:
            (desk.folder / step.kept).write_bytes(ended.out.encode(CODE_PAGE))
    assert not failed, "\n\n".join(f"{words}: {one.code}\n{one.out}\n{one.err}" for words, one in failed)


def report(folder: Path) -> None:
    """What one server's wrapper delivered."""
    folder.mkdir()
    answer = {"schema": 1, "verb": "check", "ok": False, "exit": 26, "code": "AZCM0026", "message": "no"}
    document = {
        "schema": 1, "kind": "host-run", "host": "web01", "via": "gpo", "bundle": "0123456789ab",
        "began": "2026-11-23T08:00:00Z", "ended": "2026-11-23T08:05:00Z", "outcome": "failed",
        "answers": [answer],
    }  # fmt: skip
    (folder / "web01.json").write_text(json.dumps(document), encoding="utf-8")


WATCH = ("watch", "--location", "eastasia", "--every", "1h")


@pytest.mark.lab
@pytest.mark.hosts
async def test_one_at_a_time_and_it_ends_by_the_console(desk: Desk) -> None:
    """Held by msvcrt's lock; Ctrl-Break (here another signal's number) ends it as Ctrl-C does."""
    for number in (signal.SIGINT, SIGBREAK):
        first = await desk.start(*WATCH)
        assert first.stderr is not None
        await asyncio.wait_for(first.stderr.readline(), 60)
        second = await desk.run(*WATCH)
        assert (second.code, f"another watch is running on {desk.folder}" in second.err) == (3, True), second
        assert f"(process {first.pid})" in second.err
        first.send_signal(number)
        _, err = await asyncio.wait_for(first.communicate(), 30)
        assert (first.returncode, "the history is kept" in err.decode(CODE_PAGE)) == (130, True)


@pytest.mark.parametrize(
    "line",
    ["import fcntl", "from os import getuid", "import signal; signal.setitimer", "import os; os.O_DIRECTORY"],
)
def test_what_windows_has_not_is_taken_from_arcferry_alone(line: str) -> None:
    given = vars(builtins) | {"__import__": import_as_on_windows}
    exec(line, {"__name__": "click.core", "__builtins__": given})  # noqa: S102 - what is tested is an import
    with pytest.raises((ImportError, AttributeError), match=r"Windows|cannot import name"):
        exec(line, {"__name__": "arcferry.text", "__builtins__": given})  # noqa: S102
