import asyncio
import hashlib
import os
import socket
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path

import asyncssh
import pytest

from arcferry_lab.errors import LabError
from arcferry_lab.hosts import HostSettings, LabHost, build_agent_package, read_journal
from arcferry_lab.network.block import Block

StartHost = Callable[..., Awaitable[LabHost]]
LogIn = Callable[[LabHost], Awaitable[asyncssh.SSHClientConnection]]
pytestmark = pytest.mark.hosts


async def test_a_log_in_with_a_checked_host_key_runs_as_root_of_the_host(
    host: LabHost, log_in: LogIn
) -> None:
    async with await log_in(host) as connection:
        done = await connection.run("id -u; hostname; hostname -f; pwd", check=True)
    assert done.stdout == "0\nweb01\nweb01.corp.example\n/root\n"


async def test_exit_code_and_error_stream_arrive(host: LabHost, log_in: LogIn) -> None:
    async with await log_in(host) as connection:
        done = await connection.run("echo bad >&2; exit 41")
    assert (done.exit_status, done.stdout, done.stderr) == (41, "", "bad\n")


async def test_standard_input_reaches_the_command(host: LabHost, log_in: LogIn) -> None:
    async with await log_in(host) as connection:
        done = await connection.run("sh -s one", input='echo "$1 of $(wc -c </etc/hostname)"\n')
    assert done.stdout == "one of 6\n"


async def test_without_a_command_there_is_a_login_shell(host: LabHost, log_in: LogIn) -> None:
    async with await log_in(host) as connection:
        done = await connection.run(term_type="dumb", input="tty; exit 7\n")
    assert done.exit_status == 7
    assert "/dev/pts/" in str(done.stdout)


async def test_sftp_sees_the_hosts_files_and_not_this_computers(
    host: LabHost, log_in: LogIn, tmp_path: Path
) -> None:
    data = os.urandom(300_000)
    async with await log_in(host) as connection, connection.start_sftp_client() as sftp:
        async with sftp.open("/root/file", "wb") as stream:
            await stream.write(data)
        async with sftp.open("file", "rb") as stream:
            assert await stream.read() == data
        assert not await sftp.exists(str(tmp_path))
        attributes = await sftp.stat("/root/file")
        done = await connection.run("sha256sum </root/file", check=True)
    assert attributes.uid == 0
    assert str(done.stdout).split()[0] == hashlib.sha256(data).hexdigest()


async def test_two_hosts_do_not_see_each_others_files_or_processes(start: StartHost) -> None:
    one, two = await asyncio.gather(start(1), start(2))
    await one.run("echo mine >/root/mine; echo x >/tmp/x; sleep 300 </dev/null >/dev/null 2>&1 &")
    seen = await two.run("ls -A /root /tmp; grep -lx sleep /proc/[0-9]*/comm | wc -l")
    assert "mine" not in seen.stdout
    assert seen.stdout.splitlines()[-1] == "0"
    assert (await one.run("grep -lx sleep /proc/[0-9]*/comm | wc -l")).stdout == "1\n"


async def test_what_the_host_borrows_is_read_only(host: LabHost) -> None:
    done = await host.run("touch /usr/arcferry-was-here || ls /usr/arcferry-was-here")
    assert done.exit_code != 0
    assert "Read-only file system" in done.stderr


async def test_a_stranger_is_not_let_in(host: LabHost) -> None:
    with pytest.raises(asyncssh.PermissionDenied):
        await asyncssh.connect(
            host.address,
            host.port,
            username=host.user,
            client_keys=[asyncssh.generate_private_key("ssh-ed25519")],
            known_hosts=None,
            config=None,
            agent_path=None,
        )


async def test_a_real_package_is_installed_and_this_computer_is_left_alone(
    host: LabHost, tmp_path: Path
) -> None:
    before = _own_state()
    package = build_agent_package(tmp_path)
    (host.root / "tmp" / package.name).write_bytes(package.read_bytes())
    done = await host.run(f"dpkg -i /tmp/{package.name} && /opt/azcmagent/bin/azcmagent version")
    assert (done.exit_code, done.stdout.splitlines()[-1]) == (0, "azcmagent version 1.67.0")
    listed = await host.run("dpkg-query -W -f '${Package} ${Version} ${db:Status-Status}\\n'")
    assert listed.stdout == "azcmagent 1.67.0 installed\n"
    assert (await host.run("dpkg --verify azcmagent")).stdout == ""
    assert (await host.run("dpkg -P azcmagent && ls -d /opt/azcmagent /var/opt/azcmagent")).exit_code != 0
    assert _own_state() == before


def _own_state() -> tuple[bytes, list[str], list[str]]:
    """This computer's dpkg database, /opt, and the mounts that this process sees."""
    database = Path("/var/lib/dpkg/status")
    mounts = Path("/proc/self/mountinfo").read_text(encoding="utf-8").splitlines()
    content = database.read_bytes() if database.exists() else b""
    return content, sorted(path.name for path in Path("/opt").iterdir()), mounts


async def test_every_command_is_in_the_journal_word_for_word(host: LabHost, log_in: LogIn) -> None:
    commands = ["echo 'two\nlines' \"and\" $HOME", "true"]
    async with await log_in(host) as connection:
        for command in commands:
            await connection.run(command, check=True)
        async with connection.start_sftp_client() as sftp:
            await sftp.listdir("/")
    journal = read_journal(host)
    assert journal.commands[:2] == tuple(commands)
    assert journal.commands[2].endswith("sftp-server")
    assert journal.mentions("two\nlines")
    assert not journal.mentions("three")


async def test_six_hosts_start_in_two_seconds(start: StartHost) -> None:
    began = time.monotonic()
    running = await asyncio.gather(*(start(number) for number in range(1, 7)))
    assert time.monotonic() - began < 2
    assert len({host.host_key for host in running}) == 6


async def test_stop_ends_sessions_and_removes_the_folder(start: StartHost, log_in: LogIn) -> None:
    host = await start()
    connection = await log_in(host)
    await connection.create_process("sleep 300")
    process = await connection.create_process("echo up; sleep 300")
    assert await process.stdout.readline() == "up\n"
    inside = _namespace_members(host)
    assert len(inside) >= 3
    await host.stop()
    assert not _alive(inside)
    assert not host.root.parent.exists()
    await connection.wait_closed()


async def test_a_killed_parent_leaves_no_process_and_no_mount(
    needs_hosts: None, block: Block, tmp_path: Path
) -> None:
    before = _own_state()
    script = f"""
import asyncio
from pathlib import Path
from arcferry_lab.hosts import HostSettings, start_host
async def main():
    settings = HostSettings("web01", "{block.address(1, 1)}", 2222, "127.0.0.1:53", 443, b"", "eastasia")
    host = await start_host(settings, Path("{tmp_path}"), "")
    await host.run("setsid sleep 300 </dev/null >/dev/null 2>&1 &")
    print("up", flush=True)
    await asyncio.sleep(60)
asyncio.run(main())
"""
    parent = await asyncio.create_subprocess_exec(sys.executable, "-c", script, stdout=subprocess.PIPE)
    try:
        assert parent.stdout
        assert await parent.stdout.readline() == b"up\n"
        inside = await _descendants_with("sleep", parent.pid)
    finally:
        parent.kill()
        await parent.wait()
    await _until_gone(inside)
    assert _own_state() == before


async def test_a_restart_keeps_files_and_host_key(start: StartHost) -> None:
    host = await start()
    await host.run("echo kept >/root/kept; echo gone >/run/gone")
    key = host.host_key
    await host.restart()
    assert host.host_key == key
    assert (await host.run("cat /root/kept; ls /run/gone")).stdout == "kept\n"


async def test_a_taken_port_is_named(start: StartHost, block: Block) -> None:
    with socket.socket() as taken:
        taken.bind((block.address(1, 9), 2222))
        taken.listen()
        with pytest.raises(LabError, match=rf"web09 cannot listen on {block.address(1, 9)}:2222"):
            await start(9)


async def test_a_name_in_use_is_refused_and_its_folder_kept(start: StartHost) -> None:
    host = await start(1)
    with pytest.raises(LabError, match="exists"):
        await start(2, name="web01")
    assert (await host.run("cat /etc/hostname")).stdout == "web01\n"


async def test_a_host_that_cannot_start_says_why_and_leaves_nothing(start: StartHost, tmp_path: Path) -> None:
    with pytest.raises(LabError, match=r"web03 (did not start|cannot listen)"):
        await start(3, address="192.0.2.1")
    assert not (tmp_path / "hosts" / "web03").exists()


@pytest.mark.parametrize("name", ["", "../up", "a/b", "Web", "-x", "x" * 64, "a b", "a\nb"])
def test_a_name_that_is_no_host_name_is_refused(name: str) -> None:
    with pytest.raises(LabError, match="no host name"):
        HostSettings(name, "127.0.0.1", 22, "127.0.0.1:53", 443, b"", "eastasia")


def _stat(pid: int) -> list[str]:
    """Fields of /proc/PID/stat after the name: state, parent, …; empty where the process is gone."""
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    except OSError:
        return []


def _pids() -> list[int]:
    return [int(path.name) for path in Path("/proc").iterdir() if path.name.isdecimal()]


def _descendants(root: int) -> dict[tuple[int, str], str]:
    """Processes under `root`, by id and start time, which together name a process for ever."""
    parents = {pid: int(fields[1]) for pid in _pids() if (fields := _stat(pid))}
    found: dict[tuple[int, str], str] = {}
    for pid in parents:
        above = pid
        while above in parents and above != root:
            above = parents[above]
        if above == root and pid != root and (fields := _stat(pid)):
            with suppress(OSError):
                found[pid, fields[19]] = Path(f"/proc/{pid}/comm").read_text(encoding="utf-8")
    return found


def _namespace_members(host: LabHost) -> dict[tuple[int, str], str]:
    """The host's processes: those whose root is the host's."""
    assert host._process
    return _descendants(host._process.pid)


def _alive(processes: dict[tuple[int, str], str]) -> list[str]:
    return [
        name
        for (pid, began), name in processes.items()
        if (now := _stat(pid)) and now[19] == began and now[0] != "Z"
    ]


async def _descendants_with(name: str, root: int) -> dict[tuple[int, str], str]:
    """All descendants, once one of them has this name."""
    deadline = time.monotonic() + 10
    while f"{name}\n" not in (found := _descendants(root)).values():
        assert time.monotonic() < deadline, f"no {name} among {found}"
        await asyncio.sleep(0.02)
    return found


async def _until_gone(processes: dict[tuple[int, str], str]) -> None:
    deadline = time.monotonic() + 10
    while _alive(processes):
        assert time.monotonic() < deadline, f"still there: {_alive(processes)}"
        await asyncio.sleep(0.02)
