import asyncio
import hashlib
import json
import shlex
import tempfile
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncssh
import pytest

from arcferry_lab.hosts import HostSettings, LabHost, build_agent_package, start_host, unavailable
from arcferry_lab.hosts.packaging import PackagedFile, PackageFields, PackageKind, build_package
from arcferry_lab.network.block import claim
from arcferry_lab.pki import Authority

SCRIPTS = Path(__file__).parents[2] / "src/arcferry/bundle/hostscripts"
FOLDER = "/var/tmp/bundle"  # noqa: S108 - a host's own


@dataclass
class Server:
    """A host with the host script on it, and packages to hand it."""

    host: LabHost
    folder: Path

    @property
    def kind(self) -> PackageKind:
        return self.host.settings.packages

    def put(self, name: str, data: bytes) -> str:
        """Lay a file beside the script; gives its path on the host."""
        path = self.host.root / FOLDER.lstrip("/") / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        return f"{FOLDER}/{name}"

    async def script(self, verb: str, *words: str) -> dict[str, Any]:
        """What the host script answers, which is one line and agrees with how it ended."""
        done = await self.host.run(shlex.join(["sh", f"{FOLDER}/linux.sh", verb, *words]))
        assert done.stdout.count("\n") == 1, (done.stdout, done.stderr)
        answer: dict[str, Any] = json.loads(done.stdout)
        assert (done.exit_code == 0) is answer["ok"], done
        return answer

    def agent(self, version: str) -> bytes:
        """The agent's package in a version."""
        return build_agent_package(self.folder, version=version, kind=self.kind).read_bytes()

    async def install(self, data: bytes, name: str = "agent") -> dict[str, Any]:
        path = self.put(f"{name}.{self.kind}", data)
        return await self.script("install", path, hashlib.sha256(data).hexdigest())

    async def until(self, command: str) -> None:
        """Wait until a command succeeds on the host; ten seconds at least, then it fails."""
        for _ in range(500):
            if (await self.host.run(command)).exit_code == 0:
                return
            await asyncio.sleep(0.02)
        pytest.fail(f"{command} never succeeded")

    async def installed(self) -> list[str]:
        """What this host's own package manager lists, with its state."""
        query = "dpkg-query -W -f '${Package} ${Version} ${db:Status-Abbrev}\\n'"
        if self.kind == "rpm":
            query = "rpm -qa --qf '%{NAME} %{VERSION} ii \\n'"
        return [line.strip() for line in (await self.host.run(query)).stdout.splitlines()]

    async def verified(self) -> str:
        """What this host's package manager finds changed in the agent's files; empty for nothing."""
        verify = "dpkg --verify azcmagent" if self.kind == "deb" else "rpm -V azcmagent"
        done = await self.host.run(verify)
        return done.stdout + done.stderr

    def version(self, number: str) -> str:
        """A version as this host's package manager says it."""
        return number if self.kind == "deb" else f"{number}-1"


def package(kind: PackageKind, *, name: str = "azcmagent", before: str = "", after: str = "") -> bytes:
    """A package without the agent, whose scripts are given."""
    scripts = {"deb": ("preinst", "postinst"), "rpm": ("pre", "post")}[kind]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "package"
        fields = PackageFields(name, "1.70.0", "x", "x")
        content = {f"/opt/{name}/file": PackagedFile(b"content")}
        build_package(kind, path, fields, dict(zip(scripts, (before, after), strict=True)), content)
        return path.read_bytes()


@pytest.fixture(params=["deb", "rpm"])
def kind(request: pytest.FixtureRequest) -> PackageKind:
    chosen: PackageKind = request.param
    reason = unavailable(chosen)
    if reason:
        pytest.skip(f"no host with {chosen} packages here: {reason}")
    return chosen


@pytest.fixture
async def server(kind: PackageKind, tmp_path: Path) -> AsyncIterator[Server]:
    """A host with nothing installed, and no Azure."""
    block = claim()
    settings = HostSettings(
        name="web01",
        address=block.address(1, 1),
        port=2222,
        resolver=f"{block.address(0, 53)}:5353",
        service_port=8443,
        ca_pem=Authority().pem,
        location="eastasia",
        packages=kind,
    )
    key = asyncssh.generate_private_key("ssh-ed25519").export_public_key().decode()
    host = await start_host(settings, tmp_path / "hosts", key)
    try:
        yield with_script(host, tmp_path / "packages")
    finally:
        await host.stop()
        block.release()


def with_script(host: LabHost, folder: Path) -> Server:
    server = Server(host, folder)
    for script in SCRIPTS.glob("linux*.sh"):
        server.put(script.name, script.read_bytes())
    return server
