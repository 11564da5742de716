"""A Windows server of the twin's, and a bundle for it, in a network that leads nowhere."""

import asyncio
import json
import os
import stat
import time
from collections.abc import Iterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.azure.conftest import aim, token_of
from tests.matrix.closed import ClosedNetwork
from tests.windows_host import need_windows, reaching, windows_settings

from arcferry import bundle as bundles
from arcferry import times
from arcferry.azure import AzureTarget
from arcferry.bundle.authenticode.roots import Roots
from arcferry_lab.hosts.host import CommandResult
from arcferry_lab.hosts.windows import (
    CodeSigning,
    WindowsHost,
    build_agent_msi,
    command_line,
    start_windows_host,
)
from arcferry_lab.twin import RESOURCE_GROUP, Twin, TwinSettings

EVERYTHING = ("12076:51010", "12076:51011", "12076:51012", "12076:5060", "12076:5070")
NAME = "web01"
ADDRESS = "127.77.7.7"
AGENT = r"C:\Program Files\AzureConnectedMachineAgent\azcmagent.exe"


_UNINSTALL = r"""
& "$env:ProgramFiles\AzureConnectedMachineAgent\azcmagent.exe" disconnect --force-local-only
$key = 'HKLM:\SOFTWARE\Microsoft\Windows\CurrentVersion\Uninstall\*'
$found = Get-ItemProperty $key | Where-Object { $_.DisplayName -eq "Azure Connected Machine Agent" }
Start-Process msiexec.exe "/x $($found.PSChildName) /qn" -Wait
"""


@dataclass(frozen=True)
class WindowsSite:
    """The twin, its server, and a bundle of the server's agent with the key that sealed it."""

    loop: ClosedNetwork
    twin: Twin
    host: WindowsHost
    bundle: Path
    key: Path
    since: float

    @property
    def place(self) -> AzureTarget:
        return aim(self.twin)

    def token(self) -> str:
        return self.loop.run(token_of(self.twin))

    def run(self, *words: str, seconds: float = 300) -> CommandResult:
        """Run a program of the server's, by words as Windows' C runtime takes them apart."""
        return self.loop.run(self.host.run(command_line(*words), seconds=seconds))

    def line(self, line: str, *, folder: str = "") -> CommandResult:
        """Run a command line to its end."""

        async def ran() -> CommandResult:
            program = await self.host.start(line, folder=folder)
            program.stdin.close()
            out, err, code = await asyncio.gather(
                program.stdout.read(), program.stderr.read(), program.wait()
            )
            return CommandResult(code, *(data.decode(errors="replace") for data in (out, err)))

        return self.loop.run(ran())

    def script(self, text: str, *words: str, seconds: float = 300) -> CommandResult:
        """Run a PowerShell script's text."""
        return self.loop.run(self.host.powershell(text, *words, seconds=seconds))

    def drive(self, letter: str) -> Path:
        """A drive beside C:, empty; Windows sees it after a restart, which this includes."""
        folder = self.host.path(f"C:\\drive-{letter}")
        folder.mkdir()
        self._devices.joinpath(f"{letter.lower()}:").symlink_to(f"../drive_c/{folder.name}")
        self.loop.run(self.host.restart())
        return self.host.path(f"C:\\drive-{letter}")

    def share(self, server: str, name: str) -> Path:
        r"""An empty folder that the server sees as \\SERVER\NAME: Wine asks no network for it."""
        folder = self._devices / "unc" / server / name
        folder.mkdir(parents=True)
        return folder

    @property
    def _devices(self) -> Path:
        return self.host.path("C:\\").parent / "dosdevices"

    def fault(self, name: str) -> None:
        self.loop.run(self.twin.add_fault(name))

    def mend(self, name: str) -> None:
        self.twin.azure.faults.remove(name)

    def connect(self, token: str) -> None:
        """Have the agent connect, as the host script does; it is there already."""
        azure, config = self.twin.azure, r"C:\config.json"
        settings = {
            "tenant-id": azure.tenant_id,
            "subscription-id": azure.subscription_id,
            "location": azure.location,
            "resource-group": RESOURCE_GROUP,
            "resource-name": NAME,
            "access-token": token,
        }
        self.host.path(config).write_text(json.dumps(settings))
        done = self.run(AGENT, "connect", "--config", config)
        self.host.path(config).unlink()
        assert done.exit_code == 0, done.stdout

    def shown(self) -> dict[str, str]:
        """What `azcmagent show` says."""
        return dict(json.loads(self.run(AGENT, "show", "-j", "--log-stderr").stdout))

    def clear(self) -> None:
        """Take the agent away, if it is there, and what it knows of a machine."""
        if self.host.path(AGENT).exists():
            self.script(_UNINSTALL)
        self.twin.azure.machines.clear()

    def holding(self, words: Sequence[str]) -> list[str]:
        """The files that drive C: got since the start and that hold one of these texts, in any encoding."""
        wanted = [word.encode(code) for word in words for code in ("utf-8", "utf-16-le")]
        found = []
        for folder, _, names in os.walk(self.host.path("C:\\")):
            for path in (Path(folder, name) for name in names):
                known = path.lstat()
                if not stat.S_ISREG(known.st_mode) or known.st_ctime < self.since:
                    continue
                data = path.read_bytes()
                found += [str(path)] if any(one in data for one in wanted) else []
        return found


@pytest.fixture(scope="module")
def windows_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WindowsSite]:
    """The module's own; skipped by name where there can be no Windows host."""
    need_windows()
    folder = tmp_path_factory.mktemp("windows-site")
    signing = CodeSigning()
    msi = build_agent_msi(folder, ca=signing)
    key = folder / "key"
    bundles.create_key_pair(key)
    contents = bundles.Contents((msi,), signing_roots=Roots.from_pem(signing.root_pem), location="eastasia")
    bundles.build(folder / "bundle", contents, bundles.load_secret_key(key), created=times.now())
    with ClosedNetwork() as loop:
        if not loop.isolated:
            pytest.skip("needs a network namespace: Linux and root")
        stack = AsyncExitStack()
        settings = TwinSettings(folder / "twin", communities=EVERYTHING, port=443)
        twin = loop.run(stack.enter_async_context(Twin.start(settings)))
        try:
            server = windows_settings(NAME, address=ADDRESS, heartbeat_seconds=1.0, **reaching(twin))
            host = loop.run(start_windows_host(server, folder / "hosts"))
            stack.push_async_callback(host.stop)
            yield WindowsSite(loop, twin, host, folder / "bundle", key.with_name("key.pub"), time.time())
        finally:
            loop.run(stack.aclose())
