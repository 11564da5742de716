"""A Windows host: its name and version, programs with their streams and whole exit codes, and its end."""

import asyncio
import os
import select
import signal
import subprocess
import sys
import textwrap
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.windows_host import need_windows, windows_settings

from arcferry_lab.errors import LabError
from arcferry_lab.hosts.windows import (
    WindowsHost,
    command_line,
    start_windows_host,
)
from arcferry_lab.hosts.windows.host import RunningProgram, taken_up

pytestmark = [pytest.mark.lab, pytest.mark.xdist_group("wine")]


async def test_a_program_has_streams_variables_a_folder_and_its_whole_exit_code(host: WindowsHost) -> None:
    running = await host.start(
        'cmd /v:on /c "set /p line= & echo %MARK%:%CD%:!line! & echo wrong 1>&2 & exit 3010"',
        folder=r"C:\users",
        variables={"MARK": "a x"},
    )
    running.stdin.write(b"what was asked\r\n")
    running.stdin.close()
    out, err = await asyncio.gather(running.stdout.read(), running.stderr.read())
    assert out.decode().strip() == r"a x:C:\users:what was asked"
    assert err.strip() == b"wrong"
    assert await running.wait() == 3010


@pytest.mark.parametrize("code", [0, 256, 70000, -1])
async def test_every_bit_of_an_exit_code_arrives(host: WindowsHost, code: int) -> None:
    assert (await host.run(f"cmd /c exit {code}")).exit_code == code % (1 << 32)


async def test_what_is_no_program_ends_as_in_cmd(host: WindowsHost) -> None:
    done = await host.run("nothing-of-this-name.exe /x")
    assert (done.exit_code, "is not recognized" in done.stderr) == (9009, True)


async def test_powershell_runs_by_name_and_by_path_and_knows_the_server(host: WindowsHost) -> None:
    done = await host.powershell(
        r"""
        $in = [Console]::In.ReadToEnd()
        $here = Get-ItemProperty 'HKLM:\SOFTWARE\Microsoft\Windows NT\CurrentVersion'
        "$($here.ProductName)|$($here.InstallationType)|$($here.DisplayVersion)"
        [string][Environment]::OSVersion.Version
        [Net.Dns]::GetHostEntry('').HostName
        [Security.Principal.WindowsIdentity]::GetCurrent().Name
        "$args|$in"
        (& powershell.exe -NoProfile -Command '"by name"')
        (& 'C:\Windows\System32\WindowsPowerShell\v1.0\powershell.exe' -NoProfile -Command '"by path"')
        exit 70001
        """,
        "two words", 'a"b',
        given="北".encode(),
    )  # fmt: skip
    assert done.stderr == ""
    assert done.stdout.splitlines() == [
        "Windows Server 2022 Datacenter|Server|21H2",
        "10.0.20348.0",
        "win01.corp.example",
        r"WIN01\Administrator",
        'two words a"b|北',
        "by name",
        "by path",
    ]
    assert done.exit_code == 70001


async def test_ending_a_program_ends_what_it_started(host: WindowsHost) -> None:
    running = await host.start('cmd /c "echo up & ping -n 300 127.0.0.1 >nul"')
    assert (await running.stdout.readline()).strip() == b"up"
    await running.end()
    assert await running.wait() == 1
    listed = (await host.run("tasklist")).stdout
    assert "ping.exe" not in listed.lower(), listed


@pytest.mark.parametrize("path", ["temp", r"D:\temp", r"C:temp", r"C:\..\x", "/etc/passwd"])
def test_a_path_outside_of_drive_c_is_refused(host: WindowsHost, path: str) -> None:
    with pytest.raises(LabError, match="no full path"):
        host.path(path)


async def test_a_path_is_found_in_any_case(host: WindowsHost) -> None:
    host.path(r"C:\Windows\TEMP\Made.txt").write_text("made outside")
    assert (await host.run(r"cmd /c type c:\windows\temp\made.TXT")).stdout == "made outside"


async def test_a_restart_keeps_files_and_registry(host: WindowsHost) -> None:
    await host.run(r"reg add HKLM\Software\Kept /v word /d here /f")
    host.path(r"C:\kept.txt").write_text("kept")
    await host.restart()
    assert "here" in (await host.run(r"reg query HKLM\Software\Kept /v word")).stdout
    assert host.path(r"C:\kept.txt").read_text() == "kept"


def test_words_become_the_line_that_a_program_takes_apart() -> None:
    assert command_line("a", "b c", "", 'd"e', "f\\", "g h\\") == 'a "b c" "" "d\\"e" f\\ "g h\\\\"'


@pytest.mark.parametrize("name", ["", "a b", "../x", "sixteen-letters-", "123", "Ä"])
def test_a_name_that_is_no_computer_name_is_refused(name: str) -> None:
    with pytest.raises(LabError, match="computer name"):
        windows_settings(name)


@pytest.fixture
async def two(tmp_path: Path) -> AsyncIterator[list[WindowsHost]]:
    """Of two versions, one of them as an ordinary user's."""
    need_windows()
    wanted = (windows_settings("one", version="2016"), windows_settings("two", version="2025", rootless=True))
    hosts = await asyncio.gather(*(start_windows_host(one, tmp_path) for one in wanted))
    yield list(hosts)
    await asyncio.gather(*(one.stop() for one in hosts))


async def test_two_hosts_side_by_side_share_nothing(two: list[WindowsHost]) -> None:
    two[0].path(r"C:\only.txt").write_text("mine")
    told = await asyncio.gather(
        *(one.run(r'cmd /c "ver & hostname & if exist C:\only.txt echo only"') for one in two)
    )
    first, second = (done.stdout for done in told)
    assert ("14393" in first, "one" in first.lower(), "only" in first) == (True, True, True)
    assert ("26100" in second, "two" in second.lower(), "only" in second) == (True, True, False)


def test_a_killed_lab_leaves_no_process(tmp_path: Path) -> None:
    need_windows()
    script = """
        import asyncio, sys
        from pathlib import Path
        from tests.windows_host import windows_settings
        from arcferry_lab.hosts.windows import start_windows_host

        async def main():
            host = await start_windows_host(windows_settings(), Path(sys.argv[1]))
            running = await host.start("cmd /c echo up & ping -n 300 127.0.0.1")
            await running.stdout.readline()
            print("up", flush=True)
            await asyncio.Event().wait()

        asyncio.run(main())
    """
    words = [sys.executable, "-c", textwrap.dedent(script), str(tmp_path)]
    lab = subprocess.Popen(words, stdout=subprocess.PIPE, cwd=Path(__file__).parents[4])
    assert lab.stdout
    assert lab.stdout.readline() == b"up\n"
    before = _processes_of(tmp_path)
    assert len(before) > 5
    lab.send_signal(signal.SIGKILL)
    lab.wait()
    lab.stdout.close()
    for pid in before:
        _until_gone(pid)
    assert _processes_of(tmp_path) == []
    assert str(tmp_path) not in Path("/proc/self/mounts").read_text()


def _processes_of(folder: Path) -> list[int]:
    """Those that have the prefix in this folder in their environment."""
    found = []
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdecimal() and str(folder).encode() in (entry / "environ").read_bytes():
                found.append(int(entry.name))
        except OSError:
            continue
    return found


def _until_gone(pid: int) -> None:
    try:
        handle = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    assert select.select([handle], [], [], 10)[0], f"process {pid} goes on"
    os.close(handle)


@pytest.mark.parametrize(
    ("does", "taken"), [("exit 1", False), ("rm order; exit 1", True), ("rm order; cat", True)]
)
async def test_a_program_that_ended_before_it_read_its_order_is_told_apart(
    tmp_path: Path, does: str, taken: bool
) -> None:
    order = tmp_path / "order"
    order.touch()
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        "sh", "-c", does, cwd=tmp_path, stdin=pipe, stdout=pipe, stderr=pipe
    )
    running = RunningProgram(process, tmp_path / "code")
    assert await taken_up(running, order) is taken
    running.stdin.close()
    await running.end()
