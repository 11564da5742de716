from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import asyncssh
import pytest

from arcferry_lab.hosts.windows import WindowsHost
from arcferry_lab.hosts.windows.accounts import Account
from arcferry_lab.hosts.windows.ssh import CMD, Shell, WindowsSsh

PASSWORD = "Correct-Horse-9"
ACCOUNTS = (
    Account("Administrator", PASSWORD),
    Account("operator", PASSWORD, administrator=False),
    Account("locked", PASSWORD, locked=True),
)


@dataclass
class Reached:
    """An SSH server of the host, and what a client needs to sign in."""

    host: WindowsHost
    folder: Path
    key: asyncssh.SSHKey
    servers: list[WindowsSsh] = field(default_factory=list)

    async def serve(self, shell: Shell = CMD) -> WindowsSsh:
        server = await WindowsSsh.start(self.host, ACCOUNTS, shell=shell, port=0)
        self.servers.append(server)
        self.known_hosts.write_text(f"[{server.address}]:{server.port} {server.host_key}\n")
        return server

    @property
    def known_hosts(self) -> Path:
        return self.folder / "known_hosts"

    @property
    def key_file(self) -> Path:
        path = self.folder / "user_key"
        if not path.exists():
            self.key.write_private_key(path)
            path.chmod(0o600)
        return path

    def let_in(self, windows_path: str) -> None:
        path = self.host.path(windows_path)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(self.key.export_public_key())

    def connect(
        self, server: WindowsSsh, user: str, **given: object
    ) -> AbstractAsyncContextManager[asyncssh.SSHClientConnection]:
        known: dict[str, object] = {
            "username": user, "known_hosts": str(self.known_hosts), "config": None, "agent_path": None,
            "client_keys": None,
        }  # fmt: skip
        return asyncssh.connect(server.address, server.port, **(known | given))  # type: ignore[arg-type] - of a table


@pytest.fixture
async def reached(host: WindowsHost, tmp_path: Path) -> AsyncIterator[Reached]:
    reached = Reached(host, tmp_path, asyncssh.generate_private_key("ssh-ed25519"))
    yield reached
    for server in reached.servers:
        with suppress(OSError):
            await server.stop()
