import asyncio
import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from arcferry_lab.hosts.windows import (
    CodeSigning,
    LabSettings,
    ProgramResult,
    WinePrefix,
    build_agent_msi,
    cannot_build,
    cannot_run,
)
from arcferry_lab.pki import Authority
from arcferry_lab.twin import Twin

OLD, CURRENT = "1.66.3300.1001", "1.67.3421.1187"
INSTALLED = r"C:\Program Files\AzureConnectedMachineAgent\azcmagent.exe"
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


@pytest.fixture(scope="session")
def _prefix(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WinePrefix]:
    """One for all tests: making one takes ten seconds."""
    reason = cannot_run()
    if reason:
        pytest.skip(f"no Windows here: {reason}")
    folder = tmp_path_factory.mktemp("wine") / "prefix"
    WinePrefix.make(folder)
    with WinePrefix(folder) as prefix:
        yield prefix
    shutil.rmtree(folder)  # 700 MB, which pytest would keep


class Server:
    """A Windows server of the lab, with nothing of the agent on it."""

    def __init__(self, prefix: WinePrefix, build: Build) -> None:
        self.prefix = prefix
        self.build = build
        self.log = prefix.path(r"C:\windows\Logs\arcferry\msi.log")
        self.log.parent.mkdir(parents=True, exist_ok=True)

    def msiexec(self, action: str, what: str) -> int:
        """As the host script calls it; test_command_line compares."""
        self.log.unlink(missing_ok=True)
        log = r"C:\windows\Logs\arcferry\msi.log"
        return self.prefix.msiexec(action, what, "/qn", "/norestart", "REBOOT=ReallySuppress", "/l*v", log)

    def install(self, version: str = CURRENT) -> int:
        return self.msiexec("/i", self.prefix.put(self.build(version), rf"C:\temp\{version}.msi"))

    def product(self) -> dict[str, str]:
        """The uninstall entry that the host script reads; empty where there is none."""
        key = r"HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\Uninstall"
        listed = self.prefix.run(r"C:\windows\system32\reg.exe", "query", key, "/s").stdout
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
        return self.prefix.path(INSTALLED)

    def clear(self, *, keep: str = "") -> None:
        """Take the agent away, unless it is of the version to keep, and what it knows."""
        product = self.product()
        if product and product["DisplayVersion"] != keep:
            assert self.prefix.msiexec("/x", product["code"], "/qn") == 0
        _remove(self.prefix.path(STATE))


def _remove(path: Path) -> None:
    for item in sorted(path.rglob("*"), reverse=True):
        item.rmdir() if item.is_dir() else item.unlink()


@pytest.fixture
def server(_prefix: WinePrefix, build: Build) -> Server:
    server = Server(_prefix, build)
    server.clear()
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
        values: dict[str, Any] = {
            "resolver": self.twin.network.resolver,
            "service_port": self.twin.network.port,
            "ca_pem": self.twin.authority.pem,
        }
        self.server.prefix.connect_to(LabSettings(**(values | changes)))

    async def agent(self, *words: str) -> ProgramResult:
        return await asyncio.to_thread(self.server.prefix.agent, *words)

    async def with_config(self, *words: str, **changes: object) -> ProgramResult:
        """Run the agent with a config file that is gone afterwards, as the host script does."""
        given = self.config | {key.replace("_", "-"): value for key, value in changes.items()}
        path = self.server.prefix.path(r"C:\arcferry\config.json")
        # With the mark that PowerShell 5.1 puts first.
        path.write_text(json.dumps(given), encoding="utf-8-sig")
        try:
            return await self.agent(*words, "--config", r"C:\arcferry\config.json")
        finally:
            path.unlink()

    async def show(self) -> dict[str, Any]:
        return dict(json.loads((await self.agent("show", "-j", "--log-stderr")).stdout))


@pytest.fixture
async def agent(_prefix: WinePrefix, build: Build, twin: Twin) -> Connected:
    """Installed, and not connected; the route filter carries everything."""
    await twin.allow(*EVERYTHING)
    twin.azure.issue_identity = lambda vm_id: _rsa_identity(twin.authority, vm_id)
    server = Server(_prefix, build)
    server.clear(keep=CURRENT)
    if not server.agent_file.exists():
        assert server.install() == 0
    connected = Connected(server, twin)
    connected.reach()
    return connected


def _rsa_identity(authority: Authority, vm_id: str) -> tuple[bytes, bytes]:
    """The twin's certificate for a machine, with an RSA key: Wine's Schannel signs with no other."""
    leaf = authority.issue([vm_id], client=True, with_rsa=True)
    return leaf.certificate_pem, leaf.key_pem
