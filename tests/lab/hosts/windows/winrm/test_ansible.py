"""Ansible's `winrm` connection against a Windows host of the twin: its commands and its way to put a file."""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.lab.hosts.windows.winrm.conftest import ACCOUNTS, PASSWORD

from arcferry_lab.hosts.windows import WindowsHost
from arcferry_lab.hosts.windows.winrm import Directory, WinRmServer, WinRmSettings
from arcferry_lab.pki import Authority

pytestmark = [pytest.mark.lab, pytest.mark.xdist_group("wine")]
PLAYBOOK = r"""
- hosts: all
  gather_facts: false
  tasks:
    - name: run
      ansible.builtin.raw: '[Console]::Out.Write("5 of $env:COMPUTERNAME"); exit 3'
      register: ran
      failed_when: false
    - name: tell
      ansible.builtin.debug: {msg: "said={{ ran.stdout }} rc={{ ran.rc }}"}
"""
PUT = r"""
import sys
from ansible.playbook.play_context import PlayContext
from ansible.plugins.loader import connection_loader, init_plugin_loader

init_plugin_loader([])
connection = connection_loader.get("winrm", PlayContext(), None)
address, port, source, target = sys.argv[1:]
connection.set_options(var_options={"_extras": {}}, direct={
    "remote_addr": address, "port": int(port), "scheme": "http", "transport": ["ntlm"],
    "remote_user": "Administrator", "remote_password": sys.stdin.readline().strip(),
})
connection.put_file(source, target)
connection.close()
"""


@pytest.fixture
async def server(host: WindowsHost, authority: Authority) -> AsyncIterator[WinRmServer]:
    server = WinRmServer(host, Directory("win01", ACCOUNTS), WinRmSettings(), authority, ports=(0, 0))
    await server.start()
    yield server
    await server.stop()


@pytest.mark.timeout(180)
async def test_a_play_runs_a_command(server: WinRmServer, host: WindowsHost, tmp_path: Path) -> None:
    (tmp_path / "play.yml").write_text(PLAYBOOK)
    inventory = {
        "ansible_connection": "winrm",
        "ansible_host": host.address,
        "ansible_port": server.ports[False],
        "ansible_winrm_scheme": "http",
        "ansible_winrm_transport": "ntlm",
        "ansible_user": "Administrator",
        "ansible_password": PASSWORD,
        "ansible_shell_type": "powershell",
    }
    (tmp_path / "hosts.json").write_text(json.dumps({"all": {"hosts": {"win01": inventory}}}))
    out = await _run(tmp_path, "ansible-playbook", "-i", "hosts.json", "play.yml")
    assert "said=5 of WIN01 rc=3" in out
    assert server.shells.count == 0


@pytest.mark.timeout(180)
async def test_a_file_is_put_whole(server: WinRmServer, host: WindowsHost, tmp_path: Path) -> None:
    source = tmp_path / "data.bin"
    source.write_bytes(os.urandom(700_000))
    target = r"C:\windows\Temp\put.bin"
    (tmp_path / "put.py").write_text(PUT)
    words = (host.address, str(server.ports[False]), str(source), target)
    await _run(tmp_path, "python", "put.py", *words, given=f"{PASSWORD}\n")
    assert host.path(target).read_bytes() == source.read_bytes()


async def _run(folder: Path, name: str, *words: str, given: str = "") -> str:
    process = await asyncio.create_subprocess_exec(
        str(Path(sys.executable).with_name(name)),
        *words,
        cwd=folder,
        env=os.environ
        | {
            "ANSIBLE_HOME": str(folder),
            "ANSIBLE_NOCOLOR": "1",
            "LC_ALL": "C.UTF-8",
            "PYTHONWARNINGS": "ignore",
        },
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    out, _ = await process.communicate(given.encode())
    assert process.returncode == 0, out.decode()
    return out.decode()
