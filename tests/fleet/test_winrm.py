"""WinRM to a server of the twin's: each way to sign in, each fault and bytes that arrive."""

import asyncio
import hashlib
import os
import shlex
import sys
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from arcferry.errors import (
    BundleRefusedError,
    HostCommandError,
    HostError,
    HostKeyError,
    HostSignInError,
    HostUnreachableError,
)
from arcferry.fleet.inventory import Host
from arcferry.fleet.transport.winrm import WinrmSession, open_winrm
from arcferry.fleet.transport.winrm_line import OLD_ENVELOPE
from arcferry.fleet.transport.winrm_trust import WinrmTrust
from arcferry_lab.hosts.windows.winrm import Account, Directory, WinRmServer, WinRmSettings, lay
from arcferry_lab.pki import Authority

pytestmark = pytest.mark.xdist_group("winrm")  # they listen on one port
ADDRESS = "127.65.0.9"
PASSWORD = "Pa55 wörd!"
USER = "Administrator"
WAYS = ("ntlm over http", "ntlm", "certificate", "basic")


@dataclass
class Program:
    """A program of this system in place of Windows's."""

    process: asyncio.subprocess.Process

    def __post_init__(self) -> None:
        assert self.process.stdin
        assert self.process.stdout
        assert self.process.stderr
        self.stdin, self.stdout, self.stderr = self.process.stdin, self.process.stdout, self.process.stderr

    async def wait(self) -> int:
        return await self.process.wait()

    async def end(self) -> None:
        if self.process.returncode is None:
            self.process.kill()
        await self.process.wait()
        self.process._transport.close()  # type: ignore[attr-defined]  # whatever it printed and nobody read


@dataclass
class Computer:
    """Runs the Python programs of `programs` by name, as `cmd.exe /c NAME` asks for them."""

    name: str = "WEB01"
    domain: str = ""
    address: str = ADDRESS
    started: list[Program] = field(default_factory=list)
    begun: asyncio.Event = field(default_factory=asyncio.Event)

    async def start(
        self, command_line: str, *, folder: str = "", variables: Mapping[str, str] = {}, user: str = ""
    ) -> Program:
        del folder, user
        words = shlex.split(command_line.removeprefix("cmd.exe /c "), posix=False)
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-c",
            PROGRAMS[words[0]],
            *words[1:],
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env={**os.environ, **variables},
        )
        self.started.append(program := Program(process))
        self.begun.set()
        return program


PROGRAMS = {
    "echo.exe": "import sys; sys.stdout.buffer.write(sys.stdin.buffer.read())",
    "hash.exe": "import hashlib, sys; print(hashlib.file_digest(sys.stdin.buffer, 'sha256').hexdigest())",
    "words.exe": "import sys; print(*sys.argv[1:]); print('said', file=sys.stderr); sys.exit(201)",
    "bytes.exe": "import os; os.write(1, bytes(range(256)) * 4); os.write(2, b'\\x80\\xff')",
    "flood.exe": "import os\nwhile True: os.write(1, b'x' * 65536)",
    "sleep.exe": "import time; time.sleep(600)",
    "deaf.exe": "import os, sys; os.close(0); print('done')",
}


@dataclass
class Server:
    """A running service, and what it takes to sign in to it."""

    service: WinRmServer
    computer: Computer
    authority: Authority
    folder: Path

    def host(self, way: str = "ntlm over http") -> Host:
        port = self.service.ports["over http" not in way]
        return Host("web01", ADDRESS, port, transport="winrm", auth=way.partition(" ")[0])

    def trust(self, way: str = "ntlm", **other: Any) -> WinrmTrust:  # noqa: ANN401  # any of its fields
        given = WinrmTrust(
            user=USER,
            password=None if way == "certificate" else PASSWORD,
            ca_file=self.folder / "ca.pem",
            certificate=self.folder / "me.pem" if way == "certificate" else None,
        )
        return replace(given, **other)

    @asynccontextmanager
    async def session(self, way: str = "ntlm over http", **other: Any) -> AsyncIterator[WinrmSession]:  # noqa: ANN401  # as above
        session = await open_winrm(self.host(way), self.trust(way, **other))
        try:
            yield session
        finally:
            await session.close()


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Server]:
    authority = Authority("Contoso Server CA")
    (tmp_path / "ca.pem").write_bytes(authority.pem)
    leaf = authority.issue([f"{USER}@web01"], client=True)
    (tmp_path / "me.pem").write_bytes(leaf.certificate_pem + leaf.key_pem)
    (tmp_path / "me.pem").chmod(0o600)
    computer = Computer()
    directory = Directory(
        computer.name,
        (Account(USER, PASSWORD, built_in=True), Account("helper", PASSWORD)),
        certificates={f"{USER}@web01": USER},
    )
    service = WinRmServer(
        computer,
        directory,
        WinRmSettings(basic=True, certificate=True),
        authority,
    )
    await service.start()
    try:
        yield Server(service, computer, authority, tmp_path)
    finally:
        await _hung_up(service)
        await service.stop()


async def _hung_up(service: WinRmServer) -> None:
    """Once every client's connection has ended in the server's loop too."""
    if service._runner and service._runner.server:
        async with asyncio.timeout(20):
            while service._runner.server.connections:  # noqa: ASYNC110  # aiohttp tells of their end by no event
                await asyncio.sleep(0.01)


@pytest.mark.parametrize("way", WAYS)
async def test_each_way_signs_in_and_leaves_no_shell(server: Server, way: str) -> None:
    async with server.session(way) as session:
        result = await session.run(["words.exe", "facts", "C:\\Windows\\a.ps1"])
        assert (result.exit_status, result.stdout.strip(), result.stderr.strip()) == (
            201, b"facts C:\\Windows\\a.ps1", b"said",
        )  # fmt: skip
        assert session.place == f"web01 ({ADDRESS}:{session.host.port})"
        assert not session.closed
    assert session.closed
    assert server.service.shells._shells == {}


@pytest.mark.parametrize("way", ["basic", "ntlm", "ntlm over http"])
async def test_a_user_and_a_password_in_any_script_sign_in(server: Server, way: str) -> None:
    user, password = "管理員", "пароль 密碼 ß€"
    directory = server.service.directory
    directory.accounts = (*directory.accounts, Account(user, password, built_in=True))
    async with server.session(way, user=user, password=password) as session:
        assert (await session.run(["echo.exe"], stdin=b"in")).stdout == b"in"


async def test_output_arrives_byte_for_byte(server: Server) -> None:
    async with server.session() as session:
        result = await session.run(["bytes.exe"])
    assert (result.stdout, result.stderr) == (bytes(range(256)) * 4, b"\x80\xff")


@pytest.mark.parametrize("size", [0, 1, 300_000, 5_000_000])
async def test_input_arrives_byte_for_byte(server: Server, size: int) -> None:
    data = os.urandom(size)
    async with server.session() as session:
        result = await session.run(["hash.exe"], stdin=data)
        parts = await session.run(["hash.exe"], stdin=_in_parts(data))
    wanted = hashlib.sha256(data).hexdigest().encode()
    assert (result.stdout.strip(), parts.stdout.strip()) == (wanted, wanted)


async def _in_parts(data: bytes) -> AsyncIterator[bytes]:
    for start in range(0, len(data), 70_001):
        yield data[start : start + 70_001]


async def test_what_is_sent_and_what_comes_back_do_not_wait_for_each_other(server: Server) -> None:
    data = os.urandom(3_000_000)
    async with server.session() as session:
        result = await session.run(["echo.exe"], stdin=data, limit=len(data))
    assert result.stdout == data


async def test_messages_are_as_small_as_the_server_wants_them(server: Server) -> None:
    server.service.change(max_envelope_kb=OLD_ENVELOPE // 1024)
    data = os.urandom(1_000_000)
    async with server.session() as session:
        result = await session.run(["hash.exe"], stdin=data)
    assert result.stdout.strip() == hashlib.sha256(data).hexdigest().encode()


async def test_a_command_may_end_before_it_has_read_its_input(server: Server) -> None:
    async with server.session() as session:
        result = await session.run(["deaf.exe"], stdin=os.urandom(4_000_000))
    assert (result.exit_status, result.stdout.strip()) == (0, b"done")


async def test_a_source_that_fails_ends_the_command(server: Server) -> None:
    async def source() -> AsyncIterator[bytes]:
        yield b"x" * 1_000_000
        raise BundleRefusedError("changed meanwhile")

    async with server.session() as session:
        with pytest.raises(BundleRefusedError):
            await session.run(["hash.exe"], stdin=source())
        assert await _ended(server)


async def _ended(server: Server) -> bool:
    async with asyncio.timeout(20):
        for program in server.computer.started:
            await program.wait()
    return True


async def test_a_flood_is_cut_off(server: Server) -> None:
    async with server.session() as session:
        with pytest.raises(HostCommandError, match="printed more than 500,000 bytes"):
            await session.run(["flood.exe"], limit=500_000)
        assert await _ended(server)


async def test_a_deadline_ends_the_command_at_once(server: Server) -> None:
    async with server.session() as session:
        began = time.monotonic()
        with pytest.raises(HostCommandError, match="did not end within 1 s"):
            await session.run(["sleep.exe"], deadline=1)
        assert await _ended(server)
        assert time.monotonic() - began < 10
        assert (await session.run(["words.exe"])).exit_status == 201


async def test_a_cancelled_run_leaves_neither_command_nor_shell(server: Server) -> None:
    session = await open_winrm(server.host(), server.trust())
    running = asyncio.create_task(session.run(["sleep.exe"], deadline=600))
    async with asyncio.timeout(20):
        await server.computer.begun.wait()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    await session.close()
    assert await _ended(server)
    assert server.service.shells._shells == {}


async def test_a_shell_that_the_server_removed_is_opened_anew(server: Server) -> None:
    async with server.session() as session:
        await server.service.shells.close()
        assert (await session.run(["words.exe"])).exit_status == 201


async def test_a_connection_that_was_idle_for_long_is_made_anew(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with server.session() as session:
        monkeypatch.setattr("arcferry.fleet.transport.winrm_line._IDLE", -1)
        assert (await session.run(["words.exe"])).exit_status == 201


@pytest.mark.parametrize(
    ("fault", "way", "kind", "words"),
    [
        ("winrm/wrong-password", "ntlm over http", HostSignInError, ["user or the password", "locked"]),
        ("winrm/account-locked", "ntlm", HostSignInError, ["user or the password", "locked"]),
        ("winrm/wrong-password", "basic", HostSignInError, ["user or the password", "locked"]),
        ("winrm/not-administrator", "ntlm over http", HostSignInError, ["access is denied", "no rights"]),
        ("winrm/token-filtered", "ntlm", HostSignInError, ["local account", "LocalAccountTokenFilterPolicy"]),
        ("winrm/unknown-ca", "ntlm", HostKeyError, ["that is not known", "somebody else's CA", "--winrm-ca"]),
        ("winrm/off", "ntlm over http", HostUnreachableError, ["port 5985", "Enable-PSRemoting -Force"]),
        ("winrm/off", "ntlm", HostUnreachableError, ["port 5986", "HTTPS listener"]),
        ("winrm/unencrypted-refused", "ntlm over http", HostSignInError, ["not offer Negotiate", "Auth\\"]),
        ("winrm/shells-quota", "ntlm over http", HostCommandError, ["MaxShellsPerUser", "Get-WSManInstance"]),
    ],
)  # fmt: skip
async def test_a_fault_is_told_in_the_users_terms(
    server: Server, fault: str, way: str, kind: type[HostError], words: list[str]
) -> None:
    server.service.change(language="zh-TW")  # it goes by codes, so any other language does
    await lay(fault, server.service)
    with pytest.raises(kind) as failed:
        await open_winrm(server.host(way), server.trust(way))
    said = f"{failed.value.message} {failed.value.hint}"
    assert said.startswith(f"web01 ({ADDRESS}:")
    assert [word for word in words if word not in said] == []
    assert PASSWORD not in repr(failed.value) + said
    assert "TrustedHosts" not in said


async def test_a_server_that_falls_silent_costs_the_deadline_only(server: Server) -> None:
    session = await open_winrm(server.host(), server.trust())
    await lay("winrm/silent", server.service)
    began = time.monotonic()
    with pytest.raises((HostCommandError, HostUnreachableError), match=r"no answer in time|did not end"):
        await session.run(["words.exe"], deadline=2)
    await session.close()
    assert time.monotonic() - began < 20


@pytest.mark.parametrize("fault", ["winrm/chatty", "winrm/huge-answer"])
async def test_a_hundred_megabytes_are_not_taken(server: Server, fault: str) -> None:
    async with server.session() as session:
        await lay(fault, server.service)
        with pytest.raises(HostCommandError, match=r"printed more than|does not answer as WinRM does"):
            await session.run(["words.exe"])


async def test_a_quota_of_memory_shows_as_what_windows_printed(server: Server) -> None:
    async with server.session() as session:
        await lay("winrm/memory-quota", server.service)
        result = await session.run(["words.exe"])
    assert result.exit_status != 0
    assert result.says == "The paging file is too small for this operation to complete."
