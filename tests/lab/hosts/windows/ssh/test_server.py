"""The twin's OpenSSH for Windows, by the clients that real ones are reached with."""

import asyncio
import base64
import json
import os
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

import asyncssh
import pytest

from arcferry_lab.hosts.windows.ssh import ADMINISTRATORS_KEYS, CMD, POWERSHELL, Shell, WindowsSsh

from .conftest import PASSWORD, Reached

pytestmark = [pytest.mark.lab, pytest.mark.xdist_group("wine")]
Eventually = Callable[[Callable[[], Awaitable[bool]]], Awaitable[None]]


async def run(*words: str, given: bytes = b"", **variables: str) -> tuple[int, bytes, bytes]:
    process = await asyncio.create_subprocess_exec(
        *words,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env=os.environ | variables,
    )
    out, err = await asyncio.wait_for(process.communicate(given), 90)
    assert process.returncode is not None
    return process.returncode, out, err


def options(reached: Reached, server: WindowsSsh) -> list[str]:
    own = {
        "UserKnownHostsFile": reached.known_hosts, "IdentityFile": reached.key_file, "BatchMode": "yes",
        "IdentitiesOnly": "yes", "StrictHostKeyChecking": "yes", "Port": server.port, "User": "Administrator",
    }  # fmt: skip
    return ["-F", "none", *(word for key, value in own.items() for word in ("-o", f"{key}={value}"))]


def encoded(script: str) -> str:
    """By its full path: in Wine 8 the engine finds no program by its name alone."""
    text = base64.b64encode(script.encode("utf-16-le")).decode()
    return rf"{POWERSHELL.program} -NoProfile -NonInteractive -EncodedCommand {text}"


@pytest.mark.parametrize(
    ("user", "given", "enters"),
    [
        ("Administrator", PASSWORD, True),
        (r"win01\administrator", PASSWORD, True),
        ("Administrator@WIN01", PASSWORD, True),
        (r"OTHER\Administrator", PASSWORD, False),
        ("operator", PASSWORD, True),
        ("Administrator", "wrong", False),
        ("Administrator", "", False),
        ("locked", PASSWORD, False),
        ("nobody", PASSWORD, False),
    ],
)
async def test_passwords(reached: Reached, user: str, given: str, enters: bool) -> None:
    server = await reached.serve()
    try:
        async with reached.connect(server, user, password=given) as connection:
            assert enters
            assert connection.get_extra_info("server_version") == "SSH-2.0-OpenSSH_for_Windows_8.1"
    except asyncssh.PermissionDenied:
        assert not enters


@pytest.mark.parametrize(
    ("user", "keys", "enters"),
    [
        ("Administrator", ADMINISTRATORS_KEYS, True),
        ("Administrator", r"C:\Users\Administrator\.ssh\authorized_keys", False),
        ("operator", r"C:\Users\operator\.ssh\authorized_keys", True),
        ("operator", ADMINISTRATORS_KEYS, False),
    ],
)
async def test_where_keys_are_looked_for(reached: Reached, user: str, keys: str, enters: bool) -> None:
    server = await reached.serve()
    reached.let_in(keys)
    try:
        async with reached.connect(server, user, client_keys=[reached.key]):
            assert enters
    except asyncssh.PermissionDenied:
        assert not enters
    finally:
        reached.host.path(keys).unlink()


async def test_a_keys_file_as_notepad_saves_it_lets_nobody_in(reached: Reached) -> None:
    server = await reached.serve()
    path = reached.host.path(ADMINISTRATORS_KEYS)
    reached.let_in(ADMINISTRATORS_KEYS)
    path.write_bytes(path.read_text().encode("utf-16"))
    with pytest.raises(asyncssh.PermissionDenied):
        async with reached.connect(server, "Administrator", client_keys=[reached.key]):
            pass


@pytest.mark.parametrize("shell", [CMD, POWERSHELL], ids=["cmd", "powershell"])
async def test_programs_by_ssh(reached: Reached, shell: Shell) -> None:
    server = await reached.serve(shell=shell)
    reached.let_in(ADMINISTRATORS_KEYS)
    ssh = ("ssh", *options(reached, server), server.address)
    code, out, err = await run(*ssh, "echo %ComSpec% $PSHOME")
    where = out.decode().split()
    assert where[0].casefold() == (r"c:\windows\system32\cmd.exe" if shell is CMD else "%comspec%")
    assert (code, err, where[1] == "$PSHOME") == (0, b"", shell is CMD)
    script = (
        "$n = [Console]::In.ReadToEnd().Length; [Console]::Error.Write('bad')\n"
        '"$n $env:USERPROFILE $PWD"; exit 75'
    )
    line = encoded(script) + ("" if shell is CMD else "; exit $LASTEXITCODE")
    code, out, err = await run(*ssh, line, given=b"x" * 100_000)
    home = r"C:\Users\Administrator"
    assert (code, out.decode().strip().casefold(), err) == (75, f"100000 {home} {home}".casefold(), b"bad")
    assert server.commands[-1] == line


async def test_powershell_as_the_shell_keeps_no_exit_code_by_itself(reached: Reached) -> None:
    server = await reached.serve(shell=POWERSHELL)
    async with reached.connect(server, "Administrator", password=PASSWORD) as connection:
        assert (await connection.run(encoded("exit 75"))).exit_status == 1


async def test_a_shell_without_a_terminal(reached: Reached) -> None:
    server = await reached.serve()
    reached.let_in(ADMINISTRATORS_KEYS)
    ssh = ("ssh", "-T", *options(reached, server), server.address)
    code, out, _ = await run(*ssh, given=b"echo here %USERNAME%\r\n")
    assert code == 0
    assert b"here Administrator" in out
    code, _, err = await run("ssh", "-t", "-t", *ssh[2:])
    assert (code, b"PTY allocation request failed" in err) == (255, True)


async def test_a_command_goes_on_when_its_client_is_gone(reached: Reached, eventually: Eventually) -> None:
    server = await reached.serve()
    mark = reached.host.path(r"C:\users\gone.txt")
    async with reached.connect(server, "Administrator", password=PASSWORD) as connection:
        line = r"echo started & set /p line= & echo %line%done >C:\users\gone.txt"
        process: asyncssh.SSHClientProcess[str] = await connection.create_process(line)
        assert (await process.stdout.readline()).strip() == "started"
        connection.abort()

    async def written() -> bool:
        return mark.exists() and "done" in mark.read_text()

    await eventually(written)


async def test_what_a_command_started_ends_with_it(reached: Reached) -> None:
    server = await reached.serve()
    async with reached.connect(server, "Administrator", password=PASSWORD) as connection:
        async with asyncio.timeout(30):
            result = await connection.run("start /b cmd /c set /p line= & exit 7", stdin=asyncssh.PIPE)
    assert result.exit_status == 7


async def test_sftp_and_scp(reached: Reached, tmp_path: Path) -> None:
    server = await reached.serve()
    reached.let_in(ADMINISTRATORS_KEYS)
    source = tmp_path / "a b 台北.bin"
    source.write_bytes(os.urandom(3 << 20))
    how, there = options(reached, server), server.address
    batch = f"mkdir /C:/ssh\nput '{source}' /c:/SSH/sent.bin\npwd\nls /C:/ssh\n"
    batch += f"get /C:/SSH/SENT.BIN {tmp_path}/back\n"
    code, out, err = await run("sftp", "-b", "-", *how, there, given=batch.encode())
    assert code == 0, out + err
    assert b"/C:/Users/Administrator" in out
    assert b"/C:/ssh/sent.bin" in out
    assert (tmp_path / "back").read_bytes() == source.read_bytes()
    for mode in ("-O", "-s"):
        for target in ("C:/ssh/scp.bin", "/C:/ssh/scp.bin", "scp.bin"):
            code, out, err = await run("scp", "-v", mode, *how, str(source), f"{there}:{target}")
            assert code == 0, (mode, target, err[-4000:])
            at = rf"C:\Users\Administrator\{target}" if target == "scp.bin" else target.strip("/")
            assert reached.host.path(at).read_bytes() == source.read_bytes(), (mode, target)
            reached.host.path(at).unlink()


@pytest.mark.parametrize(
    "path",
    [
        "/Z:/etc/passwd",
        "Z:/etc/passwd",
        "/etc/passwd",
        "/C:/../../../../../../etc/passwd",
        "../../../../../../../../etc/passwd",
        r"..\..\..\..\..\..\etc\passwd",
        "/C:/ssh/out/passwd",
        "/C:/users/x.txt:stream",
        "/C:/NUL",
        "/C:/a\0b",
        b"/C:/\xff",
    ],
)
async def test_paths_stay_on_the_drive(reached: Reached, path: str | bytes) -> None:
    server = await reached.serve()
    folder = reached.host.path(r"C:\ssh")
    folder.mkdir(exist_ok=True)
    if not (folder / "out").is_symlink():
        (folder / "out").symlink_to("/etc")
    signed_in = reached.connect(server, "Administrator", password=PASSWORD)
    async with signed_in as connection, connection.start_sftp_client() as files:
        with pytest.raises(asyncssh.SFTPError):
            async with files.open(path, "rb") as stream:
                await stream.read(10)
        with pytest.raises(asyncssh.SFTPError):
            await files.symlink("/etc", "/C:/ssh/link")


@pytest.mark.parametrize("shell", ["cmd", "powershell"])
async def test_ansible(reached: Reached, tmp_path: Path, shell: str) -> None:
    """By `raw`: the modules for Windows are in a collection of their own."""
    server = await reached.serve(shell=CMD if shell == "cmd" else POWERSHELL)
    reached.let_in(ADMINISTRATORS_KEYS)
    inventory = {
        "ansible_host": server.address, "ansible_port": server.port, "ansible_user": "Administrator",
        "ansible_connection": "ssh", "ansible_shell_type": shell,
        "ansible_ssh_private_key_file": str(reached.key_file),
        "ansible_ssh_common_args": f"-F none -o UserKnownHostsFile={reached.known_hosts} -o ControlMaster=no",
    }  # fmt: skip
    (tmp_path / "hosts.json").write_text(json.dumps({"all": {"hosts": {"win01": inventory}}}))
    ansible = str(Path(sys.executable).with_name("ansible"))
    name = "echo %COMPUTERNAME% $env:COMPUTERNAME"
    code, out, err = await run(
        ansible, "all", "-i", str(tmp_path / "hosts.json"), "-m", "raw", "-a", name,
        ANSIBLE_HOME=str(tmp_path / "home"), LC_ALL="C.UTF-8",
    )  # fmt: skip
    assert code == 0, out + err
    assert b"WIN01" in out
