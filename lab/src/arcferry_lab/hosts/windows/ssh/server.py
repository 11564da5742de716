r"""The SSH server of a Windows host: sign-in, commands, and files.

Like sshd.exe's: an administrator's keys are those in `C:\ProgramData\ssh\administrators_authorized_keys`,
another user's those in his profile; a command belongs to a job, so that what it started ends when it does,
and goes on when its client is gone (PowerShell/Win32-OpenSSH issue 1751, open as of 2026-11). There is no
terminal: a client that asks for one is refused it, and served without.
"""

import asyncio
import hmac
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path, PureWindowsPath
from typing import Self

import asyncssh

from arcferry_lab.errors import LabError
from arcferry_lab.hosts.windows.accounts import Account
from arcferry_lab.hosts.windows.host import WindowsHost
from arcferry_lab.hosts.windows.ssh.commands import CMD, Shell
from arcferry_lab.hosts.windows.ssh.files import DriveFiles

ADMINISTRATORS_KEYS = r"C:\ProgramData\ssh\administrators_authorized_keys"
# What each Windows Server's own OpenSSH calls itself; 2016 has none, and takes the one of GitHub.
_VERSIONS = {
    "2016": "OpenSSH_for_Windows_9.8 Win32-OpenSSH-GitHub",
    "2019": "OpenSSH_for_Windows_7.7",
    "2022": "OpenSSH_for_Windows_8.1",
    "2025": "OpenSSH_for_Windows_9.5",
}
_CHUNK = 64 * 1024
_END_SECONDS = 5.0


class WindowsSsh:
    """A running server. Made by `start`.

    Attributes:
        address: where it listens.
        host_key: its public key, as a known_hosts file has it.
        commands: the lines that clients asked to be run, in order.
    """

    def __init__(
        self, host: WindowsHost, accounts: Sequence[Account], shell: Shell, key: asyncssh.SSHKey
    ) -> None:
        self.address = host.address
        self.port = 0
        self.host_key = key.export_public_key().decode().strip()
        self.commands: list[str] = []
        self._host = host
        self._accounts = accounts
        self._shell = shell
        self._programs: set[asyncio.Task[None]] = set()
        self._connections: set[asyncssh.SSHServerConnection] = set()
        self._acceptor: asyncssh.SSHAcceptor | None = None

    @classmethod
    async def start(
        cls, host: WindowsHost, accounts: Sequence[Account], *, shell: Shell = CMD, port: int = 22
    ) -> Self:
        """Listen.

        Args:
            host: where programs run, and whose address it listens on.
            accounts: who may sign in.
            shell: `CMD`, or what the registry's DefaultShell names.
            port: 0 is any that is free.

        Raises:
            LabError: something else listens there, or it may not be had.
        """
        key = asyncssh.generate_private_key("ssh-ed25519")
        server = cls(host, accounts, shell, key)
        try:
            server._acceptor = await asyncssh.listen(
                host.address,
                port,
                server_factory=lambda: _SignIn(host, accounts, server._connections),
                server_host_keys=[key],
                server_version=_VERSIONS[host.version],
                process_factory=server._serve,
                sftp_factory=server._files,
                allow_scp=True,
                allow_pty=False,
                agent_forwarding=False,
                x11_forwarding=False,
                line_editor=False,
                encoding=None,
                gss_host=None,
                keepalive_interval=0,
            )
        except OSError as error:
            raise LabError(f"no SSH server on {host.address}:{port}: {error.strerror}") from error
        server.port = server._acceptor.get_port()
        return server

    async def stop(self) -> None:
        """Listen no more, cut every session, and end what clients started."""
        if self._acceptor:
            self._acceptor.close()
            await self._acceptor.wait_closed()
        for connection in list(self._connections):
            connection.abort()
            await connection.wait_closed()
        for task in self._programs:
            task.cancel()
        await asyncio.gather(*self._programs, return_exceptions=True)

    def _files(self, channel: "asyncssh.SSHServerChannel[bytes]") -> asyncssh.SFTPServer:
        account = self._account_of(channel)
        home = self._host.path(account.profile)
        home.mkdir(parents=True, exist_ok=True)
        return DriveFiles(channel, self._host.path("C:\\"), PureWindowsPath(account.profile).parts[1:])

    def _account_of(self, channel: "asyncssh.SSHServerChannel[bytes]") -> Account:
        user = channel.get_connection().get_extra_info("username")
        account = _account(self._accounts, self._host.name, str(user))
        if account is None:
            raise LabError(f"{user} signed in and has no account")
        return account

    def _serve(self, client: asyncssh.SSHServerProcess[bytes]) -> None:
        # Not a task of the connection's, which ends when the client goes.
        task = asyncio.get_running_loop().create_task(self._run(client))
        self._programs.add(task)
        task.add_done_callback(self._programs.discard)

    async def _run(self, client: asyncssh.SSHServerProcess[bytes]) -> None:
        if client.is_closing():
            return
        account = self._account_of(client.channel)
        if client.command is not None:
            self.commands.append(client.command)
        self._host.path(account.profile).mkdir(parents=True, exist_ok=True)
        line = self._shell.command_line(client.command)
        try:
            program = await self._host.start(
                line, folder=account.profile, variables=_variables(account, client), user=account.name
            )
        except LabError as error:
            client.stderr.write(f"{error}\r\n".encode())
            client.exit(255)
            return
        feeding = asyncio.ensure_future(_feed(client.stdin, program.stdin))
        printing = asyncio.gather(
            _print(program.stdout, client.stdout), _print(program.stderr, client.stderr)
        )
        try:
            code = await program.wait()
            # The job ends with its first program, and with it whatever else would hold the output open.
            await program.end()
            with suppress(TimeoutError):
                await asyncio.wait_for(asyncio.shield(printing), _END_SECONDS)
            client.exit(code & 0xFFFFFFFF)
        finally:
            feeding.cancel()
            printing.cancel()
            await asyncio.gather(feeding, printing, return_exceptions=True)
            await program.end()


class _SignIn(asyncssh.SSHServer):
    def __init__(
        self, host: WindowsHost, accounts: Sequence[Account], connections: set[asyncssh.SSHServerConnection]
    ) -> None:
        self._host = host
        self._accounts = accounts
        self._connections = connections
        self._connection: asyncssh.SSHServerConnection | None = None

    def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
        self._connection = conn
        self._connections.add(conn)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncssh's name
        if self._connection:
            self._connections.discard(self._connection)

    def begin_auth(self, username: str) -> bool:
        account = _account(self._accounts, self._host.name, username)
        if account and not account.locked and self._connection:
            self._connection.set_authorized_keys(_keys(self._host.path(_keys_file(account))))
        return True

    def password_auth_supported(self) -> bool:
        return True

    def validate_password(self, username: str, password: str) -> bool:
        account = _account(self._accounts, self._host.name, username)
        if account is None or account.locked or not account.password:
            return False
        return hmac.compare_digest(account.password.encode(), password.encode())


def _account(accounts: Sequence[Account], computer: str, user: str) -> Account | None:
    r"""Who signs in as `user`, `COMPUTER\user` or `user@computer`, in whatever letters."""
    name, domain = user, computer
    if "\\" in user:
        domain, _, name = user.partition("\\")
    elif "@" in user:
        name, _, domain = user.partition("@")
    if domain.casefold() != computer.casefold():
        return None
    return next((one for one in accounts if one.name.casefold() == name.casefold()), None)


def _keys_file(account: Account) -> str:
    """Where sshd looks for the keys that may sign in as this user."""
    return ADMINISTRATORS_KEYS if account.administrator else rf"{account.profile}\.ssh\authorized_keys"


def _keys(path: Path) -> asyncssh.SSHAuthorizedKeys:
    """The keys in a file, read anew for each sign-in; none where it is missing or of another encoding."""
    try:
        return asyncssh.import_authorized_keys(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return asyncssh.import_authorized_keys("")


def _variables(account: Account, client: asyncssh.SSHServerProcess[bytes]) -> dict[str, str]:
    """As `setup_session_env` in w32-doexec.c sets them."""
    peer, own = client.get_extra_info("peername"), client.get_extra_info("sockname")
    return {
        "USERNAME": account.name,
        "USERPROFILE": account.profile,
        "HOMEDRIVE": "C:",
        "HOMEPATH": account.profile.removeprefix("C:"),
        "SSH_CLIENT": f"{peer[0]} {peer[1]} {own[1]}",
        "SSH_CONNECTION": f"{peer[0]} {peer[1]} {own[0]} {own[1]}",
    }


async def _feed(source: asyncssh.SSHReader[bytes], program: asyncio.StreamWriter) -> None:
    try:
        while chunk := await source.read(_CHUNK):
            program.write(chunk)
            await program.drain()
    except (OSError, asyncssh.Error):
        pass  # the program ended, or the client went; the program then meets the end of its input
    finally:
        with suppress(OSError):
            program.close()


async def _print(program: asyncio.StreamReader, target: asyncssh.SSHWriter[bytes]) -> None:
    """To the client, and to nowhere once it is gone: the program goes on."""
    there = True
    while chunk := await program.read(_CHUNK):
        if not there:
            continue
        try:
            target.write(chunk)
            await target.drain()
        except (OSError, asyncssh.Error):
            there = False
