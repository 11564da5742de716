"""WinRM to the twin's Windows with a real engine: what the fleet runs there, and a file that is carried."""

import asyncio
import hashlib
import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from arcferry.bundle import BundleFile
from arcferry.bundle.manifest import Role
from arcferry.errors import HostCommandError
from arcferry.fleet.inventory import Host
from arcferry.fleet.transport.upload import make_folder, put
from arcferry.fleet.transport.winrm import WinrmSession, open_winrm
from arcferry.fleet.transport.winrm_trust import WinrmTrust
from arcferry_lab.hosts.windows import WindowsHost
from arcferry_lab.hosts.windows.winrm import Account, Directory, WinRmServer, WinRmSettings
from arcferry_lab.pki import Authority

from .test_ssh_windows import powershell

pytestmark = [pytest.mark.lab, pytest.mark.xdist_group("wine")]
PASSWORD = "Pa55-word!"
FOLDER = r"C:\Program Files\arcferry\carried"


@pytest.fixture
async def session(windows: WindowsHost) -> AsyncIterator[WinrmSession]:
    accounts = (Account("Administrator", PASSWORD, built_in=True),)
    service = WinRmServer(windows, Directory(windows.name, accounts), WinRmSettings(https=False), Authority())
    await service.start()
    try:
        host = Host("win02", windows.address, transport="winrm", port=0, auth="ntlm")
        opened = await open_winrm(host, WinrmTrust("Administrator", PASSWORD))
        assert opened.place == f"win02 ({windows.address}:5985)"
        yield opened
        await opened.close()
        assert service.shells._shells == {}
    finally:
        await service.stop()


async def test_what_a_session_does(session: WinrmSession) -> None:
    script = (
        "$n = [Console]::OpenStandardInput(); $m = New-Object IO.MemoryStream; $n.CopyTo($m)\n"
        "[Console]::Error.Write('bad'); \"$($m.Length)\"; exit 70001"
    )
    given = bytes(range(256)) * 4000
    result = await session.run(powershell(script), stdin=given)
    assert (result.stdout.strip(), result.stderr, result.exit_status) == (b"1024000", b"bad", 70001)
    with pytest.raises(HostCommandError, match="did not end within 1 s"):
        await session.run(powershell("Start-Sleep 60"), deadline=1)
    assert (await session.run(powershell("exit 0"))).exit_status == 0


async def test_a_file_arrives_and_half_of_one_is_continued(
    session: WinrmSession, windows: WindowsHost, tmp_path: Path
) -> None:
    content = os.urandom(1_500_000)
    (tmp_path / "agent.msi").write_bytes(content)
    digest = hashlib.sha256(content).hexdigest()
    source = BundleFile("agent.msi", tmp_path / "agent.msi", len(content), digest, next(iter(Role)))
    await make_folder(session, FOLDER)
    arrived = windows.path(FOLDER) / "agent.msi"
    arrived.with_name("agent.msi.part").write_bytes(content[:1_000_000])
    assert await put(session, source, rf"{FOLDER}\agent.msi") == 500_000
    assert await asyncio.to_thread(arrived.read_bytes) == content
    assert await put(session, source, rf"{FOLDER}\agent.msi") == 0
