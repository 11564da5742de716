"""Faults of a Windows host, and what a script and an installation then see."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.lab.hosts.windows.conftest import AGENT_FILE, CURRENT, Build
from tests.windows_host import need_windows, windows_settings

from arcferry.errors import UnknownNameError
from arcferry_lab.hosts.windows import WindowsHost, faults, start_windows_host

pytestmark = [pytest.mark.lab, pytest.mark.xdist_group("wine")]
SCRIPT = r"""
"$($ExecutionContext.SessionState.LanguageMode)"
$update = 'HKLM:\SOFTWARE\Microsoft\Windows\CurrentVersion\Component Based Servicing\RebootPending'
if (Test-Path $update) { 'a restart is pending' }
if ((Get-PSDrive C).Free -lt 10MB) { 'no room' }
"""
FAILED = -1  # with whatever Wine's msiexec then meets
# what the script prints, how it ends, how msiexec ends, whether the agent is there then
SEEN = {
    "host/agent-already-installed": ("FullLanguage\n", 0, 0, True),
    "host/constrained-language": ("ConstrainedLanguage\n", 0, 0, True),
    "host/disk-full": ("FullLanguage\nno room\n", 0, FAILED, False),
    "host/execution-policy": ("", 1, 0, True),
    "host/other-installation": ("FullLanguage\n", 0, 1618, False),
    "host/powershell-removed": ("", 9009, 0, True),
    "host/reboot-pending": ("FullLanguage\na restart is pending\n", 0, 0, True),
    "host/refuses-connect": ("FullLanguage\n", 0, 0, True),
    "host/restart-in-install": ("FullLanguage\n", 0, 1, False),
    "host/restart-wanted": ("FullLanguage\n", 0, 3010, True),
}


@pytest.fixture
async def fresh(tmp_path: Path) -> AsyncIterator[WindowsHost]:
    need_windows()
    host = await start_windows_host(windows_settings(), tmp_path)
    yield host
    await host.stop()


def test_every_fault_is_shown() -> None:
    assert SEEN.keys() == faults.FAULTS.keys()


@pytest.mark.parametrize("name", SEEN)
async def test_a_fault_is_seen(fresh: WindowsHost, build: Build, name: str) -> None:
    printed, ended, installed, there = SEEN[name]
    fresh.path(r"C:\temp").mkdir()
    package = fresh.put(await asyncio.to_thread(build, CURRENT), r"C:\temp\agent.msi")
    await faults.lay(name, fresh)
    done = await fresh.powershell(SCRIPT)
    assert (done.stdout, done.exit_code) == (printed, ended), done.stderr
    code = await fresh.msiexec("/i", package, "/qn")
    assert code == installed or (installed == FAILED and code)
    if name == "host/restart-in-install":
        await _comes_back(fresh)
        assert not fresh.path(AGENT_FILE).exists()
        assert await fresh.msiexec("/i", package, "/qn") == 0, "a second try goes on"
        return
    assert fresh.path(AGENT_FILE).exists() == there


async def test_another_installation_ends(fresh: WindowsHost, build: Build) -> None:
    package = fresh.put(await asyncio.to_thread(build, CURRENT), r"C:\temp\agent.msi")
    await faults.other_installation(fresh, times=2)
    assert [await fresh.msiexec("/i", package, "/qn") for _ in range(3)] == [1618, 1618, 0]


async def test_a_fault_that_is_none_is_refused(fresh: WindowsHost) -> None:
    with pytest.raises(UnknownNameError, match="fault of a Windows host"):
        await faults.lay("host/key-changed", fresh)


async def _comes_back(host: WindowsHost) -> None:
    async with asyncio.timeout(60):
        while True:
            try:
                if (await host.run("cmd /c exit 5")).exit_code == 5:
                    return
            except Exception:  # noqa: BLE001 - whatever a server says while it restarts
                await asyncio.sleep(0.1)
