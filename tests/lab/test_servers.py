import asyncio
import errno
import json
import os
import select
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import asyncssh
import pytest
from aiohttp.test_utils import TestClient, TestServer

from arcferry.errors import InputError
from arcferry.fleet.inventory import read_inventory
from arcferry_lab import background, hosts
from arcferry_lab.control import control
from arcferry_lab.document import document
from arcferry_lab.twin import Twin

pytestmark = [pytest.mark.lab, pytest.mark.hosts]


async def test_hosts_are_reached_by_what_the_document_says(twin_with_hosts: Twin) -> None:
    said = document(twin_with_hosts)
    assert [host["name"] for host in said["hosts"]] == ["server01", "server02"]
    for host in said["hosts"]:
        async with asyncssh.connect(
            host["address"],
            host["port"],
            username=host["user"],
            client_keys=[host["private_key_file"]],
            known_hosts=said["known_hosts_file"],
            config=None,
        ) as connection:
            assert (await connection.run("hostname", check=True)).stdout == f"{host['name']}\n"


async def test_the_inventory_is_one_that_a_fleet_reads(twin_with_hosts: Twin) -> None:
    inventory = read_inventory(twin_with_hosts.paths.inventory)
    said = document(twin_with_hosts)["hosts"]
    assert [(host.name, host.address, host.port, host.user) for host in inventory.hosts] == [
        (host["name"], host["address"], host["port"], host["user"]) for host in said
    ]
    assert inventory.hosts[0].tags == {"site": "lab"}


async def test_the_agent_package_fits_the_hosts(twin_with_hosts: Twin) -> None:
    package = twin_with_hosts.servers.package
    assert package is not None
    assert package.read_bytes().startswith(b"!<arch>\ndebian-binary")


@pytest.mark.parametrize(
    ("fault", "host", "says"),
    [
        ("host/execution-policy", "server01", "is a fault of Windows hosts, and server01 is none"),
        ("host/execution-policy", "", "strikes one host"),
        ("host/chatty", "nosuch", "unknown host 'nosuch'"),
        ("host/nosuch", "server01", "unknown host fault 'host/nosuch'"),
    ],
)
async def test_a_fault_that_cannot_be_laid(twin_with_hosts: Twin, fault: str, host: str, says: str) -> None:
    with pytest.raises(InputError, match=says):
        await twin_with_hosts.servers.lay(fault, host)
    assert twin_with_hosts.servers.laid == {}


async def test_a_fault_that_was_laid_is_shown(twin_with_hosts: Twin) -> None:
    fault = {"name": "host/escape-sequences", "host": "server02"}
    async with TestClient(TestServer(control(twin_with_hosts, asyncio.Event()))) as client:
        assert (await client.post("/faults", json=fault)).ok
        (shown,) = await (await client.get("/faults")).json()
        assert shown.items() > fault.items()
        assert "terminal sequences" in shown["does"]
        for laid in (fault, {"name": "winrm/off", "host": "winserver01"}):
            refused = await client.delete("/faults", json=laid)
            assert "stays as long as the lab runs" in await refused.text()


def test_a_killed_lab_leaves_no_host_behind(tmp_path: Path) -> None:
    reason = hosts.unavailable()
    if reason:
        pytest.skip(f"no hosts here: {reason}")
    folder = tmp_path / "lab"
    command = [sys.executable, "-m", "arcferry", "lab", "up", "--hosts", "2", "--output", "json"]
    started = subprocess.run(
        [*command, "--folder", str(folder)], capture_output=True, check=True, text=True, timeout=60
    )
    said = json.loads(started.stdout)
    servers = [os.pidfd_open(int(pid)) for pid in _children(said["pid"])]
    try:
        assert len(servers) == 2
        os.kill(said["pid"], signal.SIGKILL)
        for server in servers:
            assert select.select([server], [], [], 10)[0]
        assert _soon_closed(said["hosts"][0]["address"], said["hosts"][0]["port"])
    finally:
        for server in servers:
            os.close(server)
        assert background.down(folder)
    assert not folder.exists()


def _soon_closed(address: str, port: int) -> bool:
    """Whether nothing listens there any more; a host's own processes end a moment after their first one."""
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        with socket.socket() as client:
            if client.connect_ex((address, port)) == errno.ECONNREFUSED:
                return True
    return False


def _children(pid: int) -> list[str]:
    return Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
