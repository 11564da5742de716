from collections.abc import Awaitable, Callable
from pathlib import Path

import asyncssh
import pytest

from arcferry.errors import UnknownNameError
from arcferry_lab.hosts import LabHost, build_agent_package
from arcferry_lab.hosts.faults import FAULTS, lay

StartHost = Callable[..., Awaitable[LabHost]]
LogIn = Callable[[LabHost], Awaitable[asyncssh.SSHClientConnection]]
Eventually = Callable[[Callable[[], Awaitable[bool]]], Awaitable[None]]
pytestmark = pytest.mark.hosts


async def test_a_full_disk_stops_sftp_and_dpkg(host: LabHost, log_in: LogIn, tmp_path: Path) -> None:
    await lay("host/disk-full", host)
    package = build_agent_package(tmp_path)
    (host.root / "tmp/agent.deb").write_bytes(package.read_bytes())
    done = await host.run("dpkg -i /tmp/agent.deb")
    assert done.exit_code != 0
    assert "No space left on device" in done.stderr
    async with await log_in(host) as connection, connection.start_sftp_client() as sftp:
        with pytest.raises(asyncssh.SFTPError):
            await sftp.put(package, "/var/lib/arcferry/agent.deb")


async def test_a_chatty_host_prints_a_hundred_megabytes_before_it_obeys(host: LabHost, log_in: LogIn) -> None:
    await lay("host/chatty", host)
    received = 0
    async with await log_in(host) as connection:
        async with connection.create_process("echo done", encoding=None) as process:
            last = b""
            while data := await process.stdout.read(1 << 20):
                received += len(data)
                last = data
        async with connection.start_sftp_client() as sftp:
            assert await sftp.exists("/etc/hostname")
    assert received == 100 * 1024 * 1024 + len(b"done\n")
    assert last.endswith(b"done\n")


async def test_a_client_that_hangs_up_ends_the_chatter(
    host: LabHost, log_in: LogIn, eventually: Eventually
) -> None:
    await lay("host/chatty", host)
    async with await log_in(host) as connection:
        process = await connection.create_process("true", encoding=None)
        await process.stdout.read(10)
    (host.root / "etc/arcferry/chatty").unlink()

    async def silent() -> bool:
        return (await host.run("grep -lx yes /proc/[0-9]*/comm | wc -l")).stdout == "0\n"

    await eventually(silent)


async def test_escape_sequences_are_in_the_names_that_a_host_tells(host: LabHost) -> None:
    await lay("host/escape-sequences", host)
    told = await host.run('. /etc/os-release; echo "$PRETTY_NAME"; hostname; uname -n')
    lines = told.stdout.splitlines()
    assert len(lines) == 3
    assert all("\x1b[2J" in line for line in lines)
    assert lines[1] == lines[2] != "web01"


async def test_a_changed_key_is_refused_by_who_knew_the_old_one(host: LabHost, log_in: LogIn) -> None:
    old = host.host_key
    known = asyncssh.import_known_hosts(f"[{host.address}]:{host.port} {old}\n")
    await lay("host/key-changed", host)
    assert host.host_key != old
    with pytest.raises(asyncssh.HostKeyNotVerifiable):
        await asyncssh.connect(host.address, host.port, username=host.user, known_hosts=known, config=None)
    async with await log_in(host) as connection:
        assert (await connection.run("true")).exit_status == 0


async def test_an_older_agent_is_there_already(host: LabHost) -> None:
    await lay("host/agent-already-installed", host)
    assert (await host.run("/opt/azcmagent/bin/azcmagent version")).stdout == "azcmagent version 1.40.0\n"
    assert (await host.run("dpkg-query -W -f '${Version}' azcmagent")).stdout == "1.40.0"


async def test_an_unknown_fault_offers_the_near_one(start: StartHost) -> None:
    with pytest.raises(UnknownNameError) as caught:
        await lay("host/disk-ful", await start())
    assert "host/disk-full" in caught.value.near


def test_every_fault_says_what_it_does() -> None:
    assert all(name.startswith("host/") and fault.__doc__ for name, fault in FAULTS.items())
