"""Windows hosts: each a copy of one base, in namespaces of its own, with Wine's services running."""

import asyncio
import itertools
import json
import os
import re
import signal
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path, PureWindowsPath
from typing import Any, Self

from arcferry.files import write_whole
from arcferry.text import quoted
from arcferry_lab.errors import LabError
from arcferry_lab.hosts.host import CommandResult
from arcferry_lab.hosts.windows.base import base_prefix
from arcferry_lab.hosts.windows.machine import Machine, children
from arcferry_lab.hosts.windows.programs import HOST_CONTROL
from arcferry_lab.hosts.windows.settings import WindowsSettings
from arcferry_lab.hosts.windows.versions import registry, version_of
from arcferry_lab.system import remove_tree

AGENT = r"C:\Program Files\AzureConnectedMachineAgent\azcmagent.exe"
MSIEXEC = r"C:\windows\system32\msiexec.exe"
POWERSHELL = r"C:\windows\system32\WindowsPowerShell\v1.0\powershell.exe"
_CONTROL = rf"C:\windows\system32\{HOST_CONTROL}"
_RUNS = r"C:\ProgramData\arcferry-lab\runs"
_CA = r"C:\ProgramData\arcferry-lab\ca.pem"
_LAB = r"C:\ProgramData\arcferry-lab.json"
_OUTPUT_LIMIT = 1 << 20
_LONGEST_LINE = 32_767
_KILLED = 1
_TRIES = 4
_LOOK_SECONDS = 0.005


class RunningProgram:
    """A program on a Windows host, with its three streams.

    Attributes:
        stdin: closed by whoever writes it.
        stdout: as the program wrote it, in whatever code page.
        stderr: the same.
    """

    def __init__(self, process: asyncio.subprocess.Process, code: Path) -> None:
        if process.stdin is None or process.stdout is None or process.stderr is None:
            raise LabError("the program was started without its streams")
        self.stdin, self.stdout, self.stderr = process.stdin, process.stdout, process.stderr
        self._process = process
        self._code = code

    @property
    def ended(self) -> bool:
        """Whether it has ended, by itself or not."""
        return self._process.returncode is not None

    async def wait(self) -> int:
        """Its exit code, whole; 1 where it was ended. Read both streams beside, or it never ends."""
        await self._process.wait()
        try:
            code = int(self._code.read_text(encoding="ascii"))
        except (OSError, ValueError):
            return _KILLED
        self._code.unlink(missing_ok=True)
        return code

    async def end(self) -> None:
        """End it and what it started; services, which belong to nobody's session, go on."""
        # its own process alone: the one started here then ends too, and leaves no orphan
        pid = self._process.pid
        for one in (children(pid) or [pid]) if self._process.returncode is None else ():
            with suppress(ProcessLookupError):
                os.kill(one, signal.SIGKILL)
        await self._process.wait()


class WindowsHost:
    """A running Windows host.

    Attributes:
        settings: what it runs with.
    """

    def __init__(self, settings: WindowsSettings, folder: Path) -> None:
        self.settings = settings
        self._folder = folder.absolute()
        self._machine = Machine(self._folder, rootless=settings.rootless)
        self._small_disk = 0
        self._count = itertools.count(1)
        self._watching: list[asyncio.Task[None]] = []

    def __repr__(self) -> str:
        return f"WindowsHost({self.name}, {self.address}, {self.version})"

    @property
    def name(self) -> str:
        """The computer name, in small letters."""
        return self.settings.name

    @property
    def domain(self) -> str:
        """The DNS domain that it is in."""
        return self.settings.domain

    @property
    def address(self) -> str:
        """Where its services listen."""
        return self.settings.address

    @property
    def version(self) -> str:
        """The year of its Windows Server."""
        return self.settings.version

    async def boot(self) -> Self:
        """Make the folder and run the host; returns when Wine's services run.

        Raises:
            LabError: the folder exists, Windows hosts cannot run here, or it does not start.
        """
        if self._folder.exists():
            raise LabError(
                f"{self._folder} exists", hint="Another host has this name, or one was left behind."
            )
        try:
            self._lay_out()
            await self._power_on()
            self._tell_agent()
        except BaseException:
            await self.stop()
            raise
        return self

    async def restart(self, *, small_disk: int | None = None) -> None:
        """End every program, as a server does that restarts, and start Windows again with its services.

        Args:
            small_disk: bytes that may be written from now on, 0 for no bound; None leaves it as it is.

        Raises:
            LabError: it does not come back.
        """
        await self._machine.power_off()
        if small_disk is not None:
            self._small_disk = small_disk
        await self._power_on()

    def keep(self, task: asyncio.Task[None]) -> None:
        """Let a task run for as long as the host does."""
        self._watching.append(task)

    async def stop(self) -> None:
        """End every process of the host, and remove its folder."""
        for task in self._watching:
            task.cancel()
        await asyncio.gather(*self._watching, return_exceptions=True)
        await self._machine.power_off()
        try:
            await asyncio.to_thread(remove_tree, self._folder)
        except OSError as error:
            raise LabError(f"{self._folder} could not be removed: {error.strerror}") from error

    def path(self, windows_path: str) -> Path:
        r"""Where a path such as `C:\temp\x` lies while the host runs, in any case of letters.

        Raises:
            LabError: it is not on drive C:, or the host does not run.
        """
        parsed = PureWindowsPath(windows_path)
        if parsed.drive.upper() != "C:" or not parsed.root or ".." in parsed.parts:
            raise LabError(f"{quoted(windows_path)} is no full path on drive C:")
        path = self._machine.drive
        for part in parsed.parts[1:]:
            path = beneath(path, part)
        return path

    def put(self, source: Path, windows_path: str) -> str:
        """Copy a file in; returns its path there."""
        target = self.path(windows_path)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(source.read_bytes())
        return windows_path

    def reach(self, *, blocked: tuple[str, ...] = (), **changes: Any) -> None:  # noqa: ANN401 - of the settings
        """Change how the agent reaches the twin's Azure, and the names to which its connections time out.

        Windows itself trusts another CA from its next start on.
        """
        self.settings = replace(self.settings, **changes)
        self._tell_network()
        self._tell_agent(blocked)

    async def start(
        self,
        command_line: str,
        *,
        folder: str = "",
        variables: Mapping[str, str] = {},
        user: str = "Administrator",
    ) -> RunningProgram:
        r"""Start a program.

        Args:
            command_line: as CreateProcess takes it.
            folder: where it starts; `C:\windows\system32` where empty.
            variables: on top of those that every program has.
            user: whose profile it runs in; every user of Wine's is an administrator.

        Raises:
            LabError: the line is too long or has a zero in it, or the host does not run.
        """
        fields = (command_line, folder or r"C:\windows\system32", *(f"{k}={v}" for k, v in variables.items()))
        if len(command_line) >= _LONGEST_LINE or any("\0" in field for field in fields):
            raise LabError("Windows takes no such command line: at most 32,766 characters, and no zero")
        name = rf"{_RUNS}\{next(self._count)}.run"
        order = self.path(name)
        order.parent.mkdir(parents=True, exist_ok=True)
        write_whole(order, ("".join(f"{field}\0" for field in fields) + "\0").encode("utf-16-le"), mode=0o600)
        code = order.with_name(f"{order.name}.code")
        for _ in range(_TRIES):
            process = await self._machine.start("wine", _CONTROL, "run", name, user=user)
            running = RunningProgram(process, code)
            try:
                if await taken_up(running, order):
                    break
            except BaseException:
                await running.end()
                raise
        return running

    async def run(self, command_line: str, *, given: bytes = b"", seconds: float = 120) -> CommandResult:
        """Run a program to its end.

        Raises:
            LabError: as `start`, or it did not end in time, and was ended.
        """
        running = await self.start(command_line)
        try:
            async with asyncio.timeout(seconds):
                _, out, err, code = await asyncio.gather(
                    _feed(running.stdin, given), _read(running.stdout), _read(running.stderr), running.wait()
                )
        except TimeoutError as error:
            raise LabError(
                f"{self.name}: {command_line[:60]} did not end within {seconds:.0f} seconds"
            ) from error
        finally:
            await running.end()
        return CommandResult(code, _text(out), _text(err))

    async def powershell(
        self, script: str, *words: str, given: bytes = b"", seconds: float = 120
    ) -> CommandResult:
        """Run a script's text in the engine, from a file, with words as arguments."""
        name = rf"{_RUNS}\{next(self._count)}.ps1"
        target = self.path(name)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(script.encode("utf-8-sig"))
        line = "powershell.exe -NoProfile -NonInteractive -ExecutionPolicy Bypass -File"
        try:
            return await self.run(command_line(*line.split(), name, *words), given=given, seconds=seconds)
        finally:
            target.unlink(missing_ok=True)

    async def agent(self, *words: str) -> CommandResult:
        """Run the installed agent."""
        return await self.run(command_line(AGENT, *words))

    async def msiexec(self, *words: str) -> int:
        """Run Windows Installer to its end; returns the whole exit code."""
        return (await self.run(command_line(MSIEXEC, *words))).exit_code

    def _lay_out(self) -> None:
        settings = self.settings
        self._folder.mkdir(parents=True)
        text = registry(version_of(settings.version), settings.name, settings.domain)
        (self._folder / "registry").write_text(text, encoding="utf-8")
        self._tell_network()

    def _tell_network(self) -> None:
        """In place, because the host sees these very files."""
        settings = self.settings
        resolver, _, _ = settings.resolver.rpartition(":")
        full = f"{settings.name}.{settings.domain}"
        folder = self._folder / "etc"
        folder.mkdir(exist_ok=True)
        (folder / "resolv.conf").write_text(f"search {settings.domain}\nnameserver {resolver}\n", "utf-8")
        hosts = f"127.0.0.1 localhost\n{settings.address} {full} {settings.name}\n"
        (folder / "hosts").write_text(hosts, "utf-8")
        (folder / "ca.pem").write_bytes(settings.ca_pem)

    def _tell_agent(self, blocked: tuple[str, ...] = ()) -> None:
        settings = self.settings
        document = {
            "resolver": settings.resolver,
            "service_port": settings.service_port,
            "address": settings.address,
            "heartbeat_seconds": settings.heartbeat_seconds,
            "blocked": blocked,
            "ca_file": _CA,
        }
        write_whole(self.path(_CA), settings.ca_pem)
        write_whole(self.path(_LAB), json.dumps(document).encode())

    async def _power_on(self) -> None:
        base = await asyncio.to_thread(base_prefix)
        await self._machine.power_on(base, self.name.upper(), _CONTROL, self._small_disk)


async def start_windows_host(settings: WindowsSettings, folder: Path) -> WindowsHost:
    """Start a host in its own folder under `folder`; a second or two, and 20 where no base is there yet.

    Raises:
        LabError: Windows hosts cannot run here, or this one did not start.
    """
    return await WindowsHost(settings, folder / settings.name).boot()


def command_line(*words: str) -> str:
    """Words as one line, as a C program takes it apart again."""
    return " ".join(_quoted(word) if not word or re.search(r'[\s"]', word) else word for word in words)


def _quoted(word: str) -> str:
    doubled = re.sub(r'(\\*)("|$)', r"\1\1\2", word)
    return '"' + doubled.replace('"', r"\"") + '"'


def beneath(folder: Path, name: str) -> Path:
    """A name in a folder as Windows finds it: whatever its case."""
    exact = folder / name
    if os.path.lexists(exact) or not folder.is_dir():
        return exact
    return next((path for path in folder.iterdir() if path.name.casefold() == name.casefold()), exact)


async def taken_up(running: RunningProgram, order: Path) -> bool:
    """Whether it read what it is to run, which takes the file away; now and then Wine ends it before."""
    while _lies(order):
        if running.ended:
            return not _lies(order)
        await asyncio.sleep(_LOOK_SECONDS)
    return True


def _lies(path: Path) -> bool:
    """Whether there is such a file now."""
    return path.exists()


async def _feed(stream: asyncio.StreamWriter, data: bytes) -> None:
    with suppress(ConnectionError):
        stream.write(data)
        await stream.drain()
    stream.close()


async def _read(stream: asyncio.StreamReader) -> bytes:
    """The first MiB; the rest is read and dropped, so that the program can go on."""
    data = b""
    while block := await stream.read(1 << 16):
        data += block[: _OUTPUT_LIMIT - len(data)]
    return data


def _text(data: bytes) -> str:
    return data.decode("utf-8", errors="replace").replace("\r\n", "\n")
