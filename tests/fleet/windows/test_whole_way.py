"""What the fleet runs on a Windows host goes over SSH, with a real engine, through either login shell."""

import hashlib
import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from arcferry.bundle import BundleFile
from arcferry.fleet.host_state import read_facts
from arcferry.fleet.script import ask, run_to_end, sweep
from arcferry.fleet.system import WINDOWS
from arcferry.fleet.transport.session import Session
from arcferry.fleet.transport.upload import checksums, make_folder, put
from arcferry_lab.hosts.windows import WindowsHost
from arcferry_lab.hosts.windows.ssh import CMD, POWERSHELL

from .conftest import Keys, reached

pytestmark = [pytest.mark.lab, pytest.mark.xdist_group("windows")]
FOLDER = WINDOWS.staged("0123456789ab")
SCRIPT = Path("src/arcferry/bundle/hostscripts/windows.ps1")


@pytest.fixture
async def by_cmd(windows: WindowsHost, keys: Keys) -> AsyncIterator[Session]:
    async with reached(windows, keys, CMD) as (session, _):
        yield session


@pytest.fixture
async def by_powershell(windows: WindowsHost, keys: Keys) -> AsyncIterator[Session]:
    """An engine starts another here, which takes its time."""
    async with reached(windows, keys, POWERSHELL) as (session, _):
        yield session


def sent(path: Path, length: int = 0) -> BundleFile:
    """A file as a bundle has it, of random bytes where it is not there."""
    if not path.exists():
        path.write_bytes(os.urandom(length))
    content = path.read_bytes()
    return BundleFile(path.name, path, len(content), hashlib.sha256(content).hexdigest(), "host-script")


async def test_a_package_is_carried_and_continued(
    by_cmd: Session, windows: WindowsHost, tmp_path: Path
) -> None:
    file = sent(tmp_path / "agent.msi", 8 << 20)
    await make_folder(by_cmd, FOLDER)
    path = WINDOWS.staged("0123456789ab", file.name)
    windows.path(path).unlink(missing_ok=True)
    windows.path(f"{path}.part").write_bytes(file.read()[: 1 << 20])
    assert await put(by_cmd, file, path) == 7 << 20
    assert windows.path(path).read_bytes() == file.read()
    assert await checksums(by_cmd, [path, rf"{FOLDER}\none"]) == {path: file.sha256}


async def test_the_host_script_before_it_is_staged_and_after(by_powershell: Session) -> None:
    script = sent(SCRIPT)
    answer = await ask(by_powershell, script.read(), "facts")
    facts = read_facts(answer, skew=None, staged={})
    assert (answer.ok, facts.os, facts.package_format, facts.root) == (True, "windows", "msi", True)
    await make_folder(by_powershell, FOLDER)
    path = WINDOWS.staged("0123456789ab", script.name)
    await put(by_powershell, script, path)
    assert (await ask(by_powershell, path, "facts")).ok
    # The exit code of what could not be done arrives, also where PowerShell is the login shell.
    assert not (await run_to_end(by_powershell, path, "verify", path, "0" * 64)).ok
    await sweep(by_powershell)
