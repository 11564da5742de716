from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import asyncssh
import pytest
from tests.windows_host import windows

from arcferry.fleet.inventory import Host
from arcferry.fleet.transport.session import Session
from arcferry.fleet.transport.ssh import open_ssh
from arcferry.fleet.transport.trust import SshTrust, read_trust
from arcferry_lab.hosts.windows import WindowsHost
from arcferry_lab.hosts.windows.accounts import Account
from arcferry_lab.hosts.windows.ssh import ADMINISTRATORS_KEYS, Shell, WindowsSsh

__all__ = ["windows"]
Answers = Callable[[str], tuple[bytes, bytes, int]]


@dataclass(frozen=True)
class Keys:
    """A user's key, and a file of known hosts."""

    folder: Path

    @property
    def file(self) -> Path:
        path = self.folder / "user_key"
        if not path.exists():
            key = asyncssh.generate_private_key("ssh-ed25519")
            key.write_private_key(path)
            key.write_public_key(path.with_suffix(".pub"))
        return path

    @property
    def public(self) -> bytes:
        return self.file.with_suffix(".pub").read_bytes()

    def trust(self, address: str, port: int, host_key: str) -> SshTrust:
        known = self.folder / "known_hosts"
        known.write_text(f"[{address}]:{port} {host_key}\n")
        return read_trust(known, self.file, "Administrator")


@pytest.fixture
def keys(tmp_path: Path) -> Keys:
    return Keys(tmp_path)


@asynccontextmanager
async def reached(
    windows: WindowsHost, keys: Keys, shell: Shell
) -> AsyncIterator[tuple[Session, WindowsSsh]]:
    """A session with the twin's Windows."""
    path = windows.path(ADMINISTRATORS_KEYS)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(keys.public)
    server = await WindowsSsh.start(windows, (Account("Administrator"),), shell=shell, port=0)
    try:
        host = Host("win02", server.address, server.port)
        session = await open_ssh(host, keys.trust(host.address, host.port, server.host_key))
        try:
            yield session, server
        finally:
            await session.close()
    finally:
        await server.stop()


class Anybody(asyncssh.SSHServer):
    def begin_auth(self, username: str) -> bool:  # noqa: ARG002 - asyncssh's name
        return False


@asynccontextmanager
async def answered(keys: Keys, version: str, answers: Answers) -> AsyncIterator[Session]:
    """A session with a server that answers each command line as a test has it."""

    def serve(process: asyncssh.SSHServerProcess[bytes]) -> None:
        out, err, code = answers(process.command or "")
        process.stdout.write(out)
        process.stderr.write(err)
        process.exit(code)

    key = asyncssh.generate_private_key("ssh-ed25519")
    listening = await asyncssh.listen(
        "127.0.0.1", 0, server_factory=Anybody, server_host_keys=[key], server_version=version,
        process_factory=serve, encoding=None,
    )  # fmt: skip
    async with listening:
        host = Host("odd", "127.0.0.1", listening.get_port())
        session = await open_ssh(host, keys.trust(host.address, host.port, key.export_public_key().decode()))
        try:
            yield session
        finally:
            await session.close()
