import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.windows_host import reaching
from tests.windows_host import windows as host

from arcferry_lab.hosts import CommandResult
from arcferry_lab.hosts.windows import (
    CodeSigning,
    WindowsHost,
    build_agent_msi,
    cannot_build,
)
from arcferry_lab.twin import Twin

__all__ = ["host"]
OLD, CURRENT = "1.66.3300.1001", "1.67.3421.1187"
AGENT_FILE = r"C:\Program Files\AzureConnectedMachineAgent\azcmagent.exe"
STATE = r"C:\ProgramData\AzureConnectedMachineAgent"
EVERYTHING = ("12076:51010", "12076:51011", "12076:51012", "12076:5060", "12076:5070")


@pytest.fixture(scope="session")
def needs_tools() -> None:
    reason = cannot_build()
    if reason:
        pytest.skip(f"no MSI can be made here: {reason}")


@pytest.fixture(scope="session")
def ca() -> CodeSigning:
    return CodeSigning()


Build = Callable[[str], Path]


@pytest.fixture(scope="session")
def build(needs_tools: None, ca: CodeSigning, tmp_path_factory: pytest.TempPathFactory) -> Build:
    """The agent's MSI in a version; what was built before is given again."""
    folder = tmp_path_factory.mktemp("windows-agent")

    def built(version: str) -> Path:
        path = folder / f"AzureConnectedMachineAgent-{version}.msi"
        return path if path.exists() else build_agent_msi(folder, version=version, ca=ca)

    return built


class Server:
    """A Windows server of the lab, with nothing of the agent on it."""

    def __init__(self, host: WindowsHost, build: Build) -> None:
        self.host = host
        self.build = build
        self.log = host.path(r"C:\windows\Logs\arcferry\msi.log")
        self.log.parent.mkdir(parents=True, exist_ok=True)

    async def msiexec(self, action: str, what: str) -> int:
        """As the host script calls it; test_command_line compares."""
        self.log.unlink(missing_ok=True)
        log = r"C:\windows\Logs\arcferry\msi.log"
        return await self.host.msiexec(
            action, what, "/qn", "/norestart", "REBOOT=ReallySuppress", "/l*v", log
        )

    async def install(self, version: str = CURRENT) -> int:
        package = await asyncio.to_thread(self.build, version)
        return await self.msiexec("/i", self.host.put(package, rf"C:\temp\{version}.msi"))

    async def product(self) -> dict[str, str]:
        """The uninstall entry that the host script reads; empty where there is none."""
        key = r"HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\Uninstall"
        listed = (await self.host.run(f"reg query {key} /s")).stdout
        for block in listed.split("HKEY_LOCAL_MACHINE\\")[1:]:
            lines = block.splitlines()
            values = {
                words[0]: words[2] for line in lines[1:] if len(words := line.strip().split("    ")) > 2
            }
            if values.get("DisplayName") == "Azure Connected Machine Agent":
                return values | {"code": lines[0].rpartition("\\")[2]}
        return {}

    @property
    def agent_file(self) -> Path:
        return self.host.path(AGENT_FILE)

    async def clear(self, *, keep: str = "") -> None:
        """Take the agent away, unless it is of the version to keep, and what it knows."""
        product = await self.product()
        if product and product["DisplayVersion"] == keep:
            await self.host.agent("disconnect", "--force-local-only")
        elif product:
            assert await self.host.msiexec("/x", product["code"], "/qn") == 0
        _remove(self.host.path(STATE))


def _remove(path: Path) -> None:
    for item in sorted(path.rglob("*"), reverse=True):
        item.rmdir() if item.is_dir() else item.unlink()


@pytest.fixture
async def server(host: WindowsHost, build: Build) -> Server:
    server = Server(host, build)
    await server.clear()
    return server


class Connected:
    """A server with the agent, and with a way to the twin's Azure."""

    def __init__(self, server: Server, twin: Twin) -> None:
        self.server = server
        self.twin = twin
        self.config: dict[str, Any] = {
            "service-principal-id": twin.client.client_id,
            "service-principal-secret": twin.client.secret,
            "tenant-id": twin.azure.tenant_id,
            "subscription-id": twin.azure.subscription_id,
            "resource-group": "rg-arc",
            "resource-name": "win01",
            "location": "eastasia",
        }

    def reach(self, **changes: object) -> None:
        self.server.host.reach(**(reaching(self.twin) | changes))

    async def agent(self, *words: str) -> CommandResult:
        return await self.server.host.agent(*words)

    async def with_config(self, *words: str, **changes: object) -> CommandResult:
        """Run the agent with a config file that is gone afterwards, as the host script does."""
        given = self.config | {key.replace("_", "-"): value for key, value in changes.items()}
        path = self.server.host.path(r"C:\windows\temp\config.json")
        # With the mark that PowerShell 5.1 puts first.
        path.write_text(json.dumps(given), encoding="utf-8-sig")
        try:
            return await self.agent(*words, "--config", r"C:\windows\temp\config.json")
        finally:
            path.unlink()

    async def show(self) -> dict[str, Any]:
        return dict(json.loads((await self.agent("show", "-j", "--log-stderr")).stdout))


@pytest.fixture
async def agent(host: WindowsHost, build: Build, twin: Twin) -> Connected:
    """Installed, and not connected; the route filter carries everything."""
    await twin.allow(*EVERYTHING)
    server = Server(host, build)
    await server.clear(keep=CURRENT)
    if not server.agent_file.exists():
        assert await server.install() == 0
    connected = Connected(server, twin)
    connected.reach()
    return connected
