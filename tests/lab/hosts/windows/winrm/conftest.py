"""The WinRM service on the shell of this computer in place of cmd.exe, so that it is shown without Wine."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

import pytest
from pypsrp.shell import Process, WinRS
from pypsrp.wsman import WSMan

from arcferry_lab.hosts.windows.winrm import (
    Account,
    Directory,
    WinRmServer,
    WinRmSettings,
)
from arcferry_lab.pki import Authority

PASSWORD = "Pa:ss wörd 密碼"
T = TypeVar("T")
P = ParamSpec("P")


class ShellProgram:
    def __init__(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdin
        assert process.stdout
        assert process.stderr
        self.stdin, self.stdout, self.stderr = process.stdin, process.stdout, process.stderr
        self.process = process

    async def wait(self) -> int:
        return await self.process.wait()

    async def end(self) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        await self.process.wait()


@dataclass
class ShellComputer:
    """Runs command lines in sh; `cmd.exe /c` is taken off."""

    name: str = "win01"
    domain: str = "corp.example"
    address: str = "127.0.0.1"
    lines: list[str] = field(default_factory=list)
    programs: list[ShellProgram] = field(default_factory=list)

    async def start(
        self,
        command_line: str,
        *,
        folder: str = "",
        variables: Mapping[str, str] = {},
        user: str = "Administrator",
    ) -> ShellProgram:
        self.lines.append(command_line)
        if command_line.startswith("missing.exe"):
            raise FileNotFoundError
        process = await asyncio.create_subprocess_exec(
            "/bin/sh",
            "-c",
            command_line.removeprefix("cmd.exe /c "),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            cwd=folder or "/",
            env={"PATH": os.environ["PATH"], "USER": user} | dict(variables),
            start_new_session=True,
        )
        self.programs.append(ShellProgram(process))
        return self.programs[-1]


@dataclass
class Service:
    """A running service, and clients of it."""

    server: WinRmServer
    computer: ShellComputer
    authority: Authority
    ca: Path

    def wsman(
        self, *, ssl: bool = False, auth: str = "ntlm", user: str = "Administrator", **more: object
    ) -> WSMan:
        given: dict[str, Any] = {"password": PASSWORD, "cert_validation": str(self.ca), "no_proxy": True}
        if auth == "basic":  # as text, requests would take Latin-1 for it
            given["password"] = PASSWORD.encode()
        return WSMan(
            "127.0.0.1",
            port=self.server.ports[ssl],
            ssl=ssl,
            auth=auth,
            username=user,
            **(given | more),
        )

    async def run(self, line: str, *, wsman: WSMan | None = None, stdin: bytes | None = None) -> Process:
        """One command in a shell of its own."""
        return await in_thread(run, wsman or self.wsman(), line, stdin)


def run(wsman: WSMan, line: str, stdin: bytes | None = None) -> Process:
    with wsman, WinRS(wsman) as shell:
        process = Process(shell, line)
        process.begin_invoke()
        if stdin is not None:
            process.send(stdin)
        process.end_invoke()
        process.signal("http://schemas.microsoft.com/wbem/wsman/1/windows/shell/signal/Terminate")
        return process


async def in_thread(call: Callable[P, T], *given: P.args, **named: P.kwargs) -> T:
    return await asyncio.to_thread(call, *given, **named)


ACCOUNTS = (
    Account("Administrator", PASSWORD, built_in=True),
    Account("operator", PASSWORD),
    Account("visitor", PASSWORD, administrator=False),
    Account("arc", PASSWORD, domain="corp.example"),
    Account("nobody", PASSWORD, domain="corp.example", administrator=False),
    Account("late", PASSWORD, locked=True),
)


@pytest.fixture(scope="session")
def authority() -> Authority:
    return Authority()


@pytest.fixture
async def service(authority: Authority, tmp_path: Path) -> AsyncIterator[Service]:
    computer = ShellComputer()
    directory = Directory("win01", ACCOUNTS, certificates={"arc@corp.example": "CORP\\arc"})
    server = WinRmServer(computer, directory, WinRmSettings(), authority, ports=(0, 0))
    await server.start()
    ca = tmp_path / "ca.pem"
    ca.write_bytes(authority.pem)
    try:
        yield Service(server, computer, authority, ca)
    finally:
        await server.stop()
