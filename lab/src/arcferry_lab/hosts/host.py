"""Linux hosts with a real SSH server, each in its own namespaces and with its own view of the files."""

import asyncio
import os
import signal
import socket
import time
from contextlib import suppress
from dataclasses import dataclass, replace
from importlib import resources
from pathlib import Path
from typing import Self

import asyncssh

from arcferry.files import write_whole
from arcferry.text import clean
from arcferry_lab.errors import LabError
from arcferry_lab.hosts.packaging import PackageKind
from arcferry_lab.hosts.settings import HostSettings
from arcferry_lab.hosts.tools import (
    OpenSsh,
    agent_python,
    namespaces,
    open_ssh,
    unavailable,
    without_root,
)
from arcferry_lab.hosts.view import Account, lay_out
from arcferry_lab.system import program, remove_tree

_START_SECONDS = 15.0
_STOP_SECONDS = 3.0
_POLL_SECONDS = 0.01
_OUTPUT_LIMIT = 1 << 20
_PROGRAMS = Path("/usr/bin")
_OTHER_MANAGERS: dict[PackageKind, tuple[str, ...]] = {"deb": ("rpm",), "rpm": ("dpkg", "apt")}


@dataclass(frozen=True, slots=True)
class CommandResult:
    """What a command on a host gave; each text is its first MiB."""

    exit_code: int
    stdout: str
    stderr: str


class LabHost:
    """A running host.

    Its processes live in their own PID namespace, whose first process dies with the thread that started
    the host, however that ends; the kernel then ends all others. What it mounts is in its mount namespace
    alone. So a host that is killed leaves its folder and nothing else.

    Attributes:
        settings: what it runs with.
        user: who logs in; any command then runs as root of the host.
        host_key: the SSH server's public key, as OpenSSH writes it.
        root: its file system, seen from outside.
        log: what its SSH server says.
    """

    def __init__(self, settings: HostSettings, folder: Path, authorized_key: str) -> None:
        ssh, options = open_ssh(), namespaces(rootless=settings.rootless)
        reason = unavailable(settings.packages)
        if reason or ssh is None or options is None:
            raise LabError(f"hosts cannot run here: {reason}")
        self.settings = settings
        folder = folder.absolute()
        self.root = folder / "root"
        self.log = folder / "sshd.log"
        self.host_key = ""
        self._folder = folder
        self._ssh: OpenSsh = ssh
        self._namespaces = options
        self._account = Account("admin", 1000) if without_root(options) else Account("root", 0)
        self._own_key = asyncssh.generate_private_key("ssh-ed25519")
        self._authorized = f"{authorized_key.strip()}\n{self._own_key.export_public_key().decode()}"
        self._borrowed: tuple[str, ...] = ()
        self._process: asyncio.subprocess.Process | None = None

    def __repr__(self) -> str:
        return f"LabHost({self.name}, {self.address}:{self.port})"

    @property
    def name(self) -> str:
        """The host name."""
        return self.settings.name

    @property
    def address(self) -> str:
        """Where its SSH server listens."""
        return self.settings.address

    @property
    def port(self) -> int:
        """The SSH server's port."""
        return self.settings.port

    @property
    def user(self) -> str:
        """`root`, or `admin` on a host that runs without real root; commands run as root either way."""
        return self._account.name

    async def start(self) -> Self:
        """Make the folder and run the host; returns when its SSH server has greeted.

        Raises:
            LabError: the folder exists, the port is taken, or the host ends before it greets.
        """
        if self._folder.exists():
            raise LabError(
                f"{self._folder} exists", hint="Another host has this name, or one was left behind."
            )
        try:
            self._borrowed = lay_out(self.root, self.settings, self._account, self._ssh)
            write_whole(self.root / "etc/ssh/authorized_keys", self._authorized.encode())
            self.renew_key()
            await self._boot()
        except BaseException:
            await self.stop()
            raise
        return self

    def renew_key(self) -> None:
        """Give the SSH server another host key; it uses it from its next start on."""
        key = asyncssh.generate_private_key("ssh-ed25519")
        write_whole(self.root / "etc/ssh/ssh_host_ed25519_key", key.export_private_key(), mode=0o600)
        self.host_key = key.export_public_key().decode().strip()

    async def restart(self, *, small_disk: int | None = None) -> None:
        """End every process of the host and start it again on the same folder.

        Args:
            small_disk: the new size of its small disks in bytes, 0 for none; None leaves it as it is.

        Raises:
            LabError: it does not come back.
        """
        await self._end()
        if small_disk is not None:
            self.settings = replace(self.settings, small_disk=small_disk)
        await self._boot()

    async def stop(self) -> None:
        """End every process of the host, sessions too, and remove its folder."""
        await self._end()
        try:
            await asyncio.to_thread(remove_tree, self._folder)
        except OSError as error:
            raise LabError(f"{self._folder} could not be removed: {error.strerror}") from error

    async def run(self, command: str) -> CommandResult:
        """Run a shell command on the host over SSH, with a key that the lab keeps for itself.

        Raises:
            LabError: the host cannot be reached.
        """
        host_key = asyncssh.import_public_key(self.host_key)
        try:
            async with asyncssh.connect(
                self.address,
                self.port,
                username=self.user,
                client_keys=[self._own_key],
                known_hosts=([host_key], [], []),
                config=None,
                agent_path=None,
            ) as connection:
                done = await connection.run(command, check=False, encoding=None, stdin=asyncssh.DEVNULL)
        except (OSError, asyncssh.Error) as error:
            raise LabError(f"{self.name}: {error}") from error
        code = -1 if done.returncode is None else done.returncode
        return CommandResult(code, _text(done.stdout), _text(done.stderr))

    async def _boot(self) -> None:
        self._refuse_taken_port()
        command = self._command()
        with self.log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                *command,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,  # a Ctrl-C for the lab is the lab's to handle
                env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"},
            )
        await self._greeted()

    def _command(self) -> list[str]:
        boot = self._folder / "boot.sh"
        write_whole(boot, resources.files(__package__).joinpath("boot.sh").read_bytes())
        libraries = [str(program("env")), f"LD_LIBRARY_PATH={self._ssh.libraries}"]
        sshd = [str(self._ssh.sshd), "-D", "-e", "-f", "/etc/ssh/sshd_config"]
        return [
            str(program("setpriv")), "--pdeathsig", "KILL",
            str(program("unshare")), *self._namespaces,
            "sh", str(boot), str(self.root), str(agent_python()), str(self.settings.small_disk),
            *self._borrowed, "--", *_hidden_programs(self.settings.packages), "--",
            *without_root(self._namespaces), *(libraries if self._ssh.libraries else []), *sshd,
        ]  # fmt: skip

    def _refuse_taken_port(self) -> None:
        """Without this, the greeting of a stranger on the same port would pass for the host's."""
        with socket.socket() as listener:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                listener.bind((self.address, self.port))
            except OSError as error:
                raise LabError(
                    f"{self.name} cannot listen on {self.address}:{self.port}: {error.strerror}"
                ) from error

    async def _greeted(self) -> None:
        deadline = time.monotonic() + _START_SECONDS
        while time.monotonic() < deadline:
            if self._process is None or self._process.returncode is not None:
                break
            with suppress(OSError, TimeoutError):
                async with asyncio.timeout_at(asyncio.get_running_loop().time() + 2.0):
                    if await _greeting(self.address, self.port):
                        return
            await asyncio.sleep(_POLL_SECONDS)
        said = clean(self.log.read_bytes()[-2000:]).strip()
        raise LabError(f"{self.name} did not start: {said or 'its SSH server does not answer'}")

    async def _end(self) -> None:
        """Ask the first process to end, so that the kernel has ended all others before it is gone."""
        process, self._process = self._process, None
        if process is None:
            return
        for number in (signal.SIGTERM, signal.SIGKILL):
            with suppress(ProcessLookupError):
                os.killpg(process.pid, number)
            with suppress(TimeoutError):
                async with asyncio.timeout(_STOP_SECONDS):
                    await process.wait()
                return


async def start_host(settings: HostSettings, folder: Path, authorized_key: str) -> LabHost:
    """Start a host in its own folder under `folder`; under 0.5 s.

    Args:
        settings: what it is called, where it listens, and how its agent reaches the twin's Azure.
        folder: made where it does not exist.
        authorized_key: a line of OpenSSH's authorized_keys.

    Raises:
        LabError: hosts cannot run here, or this one did not start.
    """
    return await LabHost(settings, folder / settings.name, authorized_key).start()


def _hidden_programs(packages: PackageKind) -> list[str]:
    """The other package manager's programs, which this computer may have and such a host never has."""
    found = (path for path in _PROGRAMS.iterdir() if path.name.startswith(_OTHER_MANAGERS[packages]))
    return sorted(str(path) for path in found if not path.is_symlink())


async def _greeting(address: str, port: int) -> bool:
    reader, writer = await asyncio.open_connection(address, port)
    try:
        return (await reader.readline()).startswith(b"SSH-2.0-")
    finally:
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()


def _text(output: object) -> str:
    data = output if isinstance(output, bytes) else b""
    return data[:_OUTPUT_LIMIT].decode("utf-8", errors="replace")
