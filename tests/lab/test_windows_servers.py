"""Windows hosts of a twin: started beside Linux ones, and reached by what the document says."""

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import asyncssh
import pytest
import requests
from pypsrp.exceptions import AuthenticationError
from pypsrp.shell import Process, WinRS
from pypsrp.wsman import WSMan
from tests.windows_host import need_windows

from arcferry.errors import InputError
from arcferry.fleet.inventory import read_inventory
from arcferry_lab.document import document
from arcferry_lab.hosts.windows.versions import VERSIONS
from arcferry_lab.twin import Twin, TwinSettings

pytestmark = [pytest.mark.lab, pytest.mark.hosts, pytest.mark.xdist_group("wine")]


@pytest.fixture
async def twin(tmp_path: Path) -> AsyncIterator[Twin]:
    need_windows()
    settings = TwinSettings(tmp_path / "twin", hosts=1, windows_hosts=2, windows_version="2019")
    async with Twin.start(settings) as twin:
        yield twin


async def test_they_are_reached_by_what_the_document_says(twin: Twin) -> None:
    said = document(twin)
    listed = read_inventory(twin.paths.inventory).hosts
    assert [(host.name, host.transport) for host in listed] == [
        ("server01", "ssh"),
        ("winserver01", "winrm"),
        ("winserver02", "winrm"),
    ]
    assert said["environment"]["ARCFERRY_WINRM_PASSWORD_FILE"] == str(twin.paths.password)
    assert twin.paths.password.stat().st_mode & 0o077 == 0
    for host in said["windows_hosts"]:
        assert [door["transport"] for door in host["doors"]] == ["winrm", "ssh"]
        assert (await asyncio.to_thread(_by_winrm, said, host)).strip() == host["name"].upper().encode()
        assert (await _by_ssh(said, host)).strip() == host["name"].upper()


def _by_winrm(said: dict[str, Any], host: dict[str, Any]) -> bytes:
    client = WSMan(
        host["address"],
        port=host["doors"][0]["port"],
        username=host["user"],
        password=Path(host["password_file"]).read_text().strip(),
        auth="ntlm",
        cert_validation=said["ca_file"],
    )
    with client, WinRS(client) as shell:
        process = Process(shell, "hostname")
        process.invoke()
        return bytes(process.stdout)


async def _by_ssh(said: dict[str, Any], host: dict[str, Any]) -> str:
    async with asyncssh.connect(
        host["address"],
        host["doors"][1]["port"],
        username=host["user"],
        client_keys=[said["environment"]["ARCFERRY_SSH_KEY"]],
        known_hosts=said["known_hosts_file"],
        config=None,
    ) as connection:
        return str((await connection.run("hostname", check=True)).stdout)


async def test_a_fault_is_laid_on_a_host_by_its_name(twin: Twin) -> None:
    await twin.servers.lay("host/reboot-pending", "winserver02")
    key = r"HKLM\Software\Microsoft\Windows\CurrentVersion\Component Based Servicing\RebootPending"
    codes = [(await host.run(f'reg query "{key}"')).exit_code for host in twin.servers.windows]
    assert codes == [1, 0]
    await twin.servers.lay("host/refuses-connect", "server01")
    with pytest.raises(InputError, match="winserver03"):
        await twin.servers.lay("host/reboot-pending", "winserver03")


async def test_a_fault_is_laid_on_a_servers_winrm(twin: Twin) -> None:
    await twin.servers.lay("winrm/wrong-password", "winserver02")
    first, second = document(twin)["windows_hosts"]
    assert (await asyncio.to_thread(_by_winrm, document(twin), first)).strip() == b"WINSERVER01"
    with pytest.raises(AuthenticationError):
        await asyncio.to_thread(_by_winrm, document(twin), second)
    await twin.servers.lay("winrm/off", "winserver01")
    with pytest.raises(requests.exceptions.ConnectionError, match="refused"):
        await asyncio.to_thread(_by_winrm, document(twin), first)
    with pytest.raises(InputError, match="winrm/of"):
        await twin.servers.lay("winrm/of", "winserver01")
    with pytest.raises(InputError, match="winrm/off"):
        await twin.servers.lay("winrm/off", "server01")


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"windows_hosts": 251}, "0 to 250 hosts, not 251"),
        ({"hosts": 130, "windows_hosts": 130}, "0 to 250 hosts, not 260"),
        ({"windows_hosts": 1, "windows_version": "2012"}, "2012"),
    ],
)
async def test_what_no_twin_has_is_refused(tmp_path: Path, changes: dict[str, Any], says: str) -> None:
    with pytest.raises(InputError, match=says):
        async with Twin.start(TwinSettings(tmp_path / "twin", **changes)):
            pass


def test_every_version_is_one_that_can_be_asked_for() -> None:
    assert [(one.year, one.build) for one in VERSIONS.values()] == [
        ("2016", "14393"), ("2019", "17763"), ("2022", "20348"), ("2025", "26100"),
    ]  # fmt: skip


def test_without_the_engine_lab_up_says_the_way_out(tmp_path: Path) -> None:
    (tmp_path / "tools").mkdir()
    words = ["lab", "up", "--windows-hosts", "1", "--folder", str(tmp_path / "twin"), "--quiet"]
    done = subprocess.run(
        [sys.executable, "-m", "arcferry", *words],
        env={"PATH": "/usr/bin:/bin:/usr/sbin:/sbin", "ARCFERRY_TOOLS": str(tmp_path / "tools")},
        capture_output=True,
        text=True,
        check=False,
    )
    said = " ".join(done.stderr.split())
    assert done.returncode == 3, said
    assert "Windows hosts cannot run here" in said
    assert "make tools" in said
    assert "Without --windows-hosts all the rest starts" in said
