import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import asyncssh
import pytest
from tests import forked
from tests.json_documents import known

from arcferry import bundle as bundles
from arcferry import times
from arcferry.bundle.authenticode import Roots
from arcferry.fleet.inventory import Host
from arcferry.fleet.transport import ssh
from arcferry.fleet.transport.ssh import LinuxSession
from arcferry.fleet.transport.trust import SshTrust, read_trust
from arcferry_lab.hosts import build_agent_package, read_journal, unavailable
from arcferry_lab.hosts.tools import open_ssh
from arcferry_lab.hosts.windows import CodeSigning, build_agent_msi, cannot_build
from arcferry_lab.twin import RESOURCE_GROUP, Twin, TwinSettings

EVERYTHING = ("12076:51010", "12076:51012", "12076:5060", "12076:5070")


@dataclass
class Sshd:
    """A real OpenSSH server on loopback, with its own keys, that lets this user in."""

    folder: Path
    port: int
    process: "subprocess.Popen[bytes]"

    @property
    def host(self) -> Host:
        return Host("web01", "127.0.0.1", self.port)

    @property
    def key_file(self) -> Path:
        return self.folder / "user_key"

    @property
    def known_hosts(self) -> Path:
        return self.folder / "known_hosts"

    def trust(self, known_hosts: Path | None = None, key_file: Path | None = None) -> SshTrust:
        user = os.environ.get("USER") or "root"
        return read_trust(known_hosts or self.known_hosts, key_file or self.key_file, user)


@asynccontextmanager
async def connected(host: Host, trust: SshTrust, *, deadline: float = 20.0) -> AsyncIterator[LinuxSession]:
    session = await ssh.open_ssh(host, trust, deadline=deadline)
    assert isinstance(session, LinuxSession)
    try:
        yield session
    finally:
        await session.close()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@contextmanager
def started_sshd(folder: Path, *settings: str) -> Iterator[Sshd]:
    tools = open_ssh()
    if tools is None or os.getuid() != 0:
        pytest.skip("needs an SSH server and root")
    for name in ("host_key", "user_key"):
        asyncssh.generate_private_key("ssh-ed25519").write_private_key(folder / name)
        asyncssh.read_private_key(folder / name).write_public_key(folder / f"{name}.pub")
        (folder / name).chmod(0o600)
    port = free_port()
    home = folder / "home"
    home.mkdir()
    lines = (
        f"ListenAddress 127.0.0.1\nPort {port}\nHostKey {folder}/host_key\nPidFile none\nUsePAM no",
        f"AuthorizedKeysFile {folder}/user_key.pub\nStrictModes no\nPermitRootLogin yes\nMaxSessions 50",
        f"Subsystem sftp internal-sftp\nSetEnv HOME={home} PATH={folder}:/usr/sbin:/usr/bin:/sbin:/bin",
        *settings,
    )
    (folder / "config").write_text("\n".join([*lines, ""]))
    (folder / "known_hosts").write_text(f"[127.0.0.1]:{port} {(folder / 'host_key.pub').read_text()}")
    # Where the package is only unpacked there is no user `sshd` and no /run/sshd: it gets both of its own.
    (folder / "passwd").write_text(
        f"root:x:0:0:root:{home}:/bin/sh\nsshd:x:65533:65534::/run/sshd:/usr/sbin/nologin\n"
    )
    own = 'mount --bind "$1" /etc/passwd && mount -t tmpfs none /run && mkdir /run/sshd && shift && exec "$@"'
    start = ["unshare", "--mount", "sh", "-c", own, "sh", str(folder / "passwd")]
    environment = os.environ | ({"LD_LIBRARY_PATH": tools.libraries} if tools.libraries else {})
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [*start, tools.sshd, "-D", "-e", "-f", str(folder / "config")], stderr=log, env=environment
        )
    try:
        deadline = time.monotonic() + 20
        while not listens(port):
            assert process.poll() is None, (folder / "log").read_text()
            assert time.monotonic() < deadline, (folder / "log").read_text()
        yield Sshd(folder, port, process)
    finally:
        process.terminate()
        process.wait(10)


@pytest.fixture(scope="session")
def sshd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sshd]:
    """Lets root in. Its sudo takes the same words as the real one, which would need a user of its own."""
    folder = tmp_path_factory.mktemp("sshd")
    sudo = folder / "sudo"
    sudo.write_text('#!/bin/sh\n[ "$1 $2" = "-n --" ] || exit 1\nshift 2\nexec "$@"\n')
    sudo.chmod(0o755)
    with started_sshd(folder) as running:
        yield running


@pytest.fixture
def entered(tmp_path: Path) -> Iterator[Sshd]:
    """Runs every command by the program `enter` in its folder, which a test writes."""
    with started_sshd(tmp_path, f"ForceCommand {tmp_path}/enter") as running:
        yield running


@pytest.fixture
async def session(sshd: Sshd) -> AsyncIterator[LinuxSession]:
    async with connected(sshd.host, sshd.trust()) as session:
        yield session


@dataclass(frozen=True)
class Sealed:
    """A bundle with its keys."""

    path: Path
    key: Path

    @property
    def public_key(self) -> Path:
        return self.key.with_name(f"{self.key.name}.pub")

    def open(self) -> bundles.Bundle:
        return bundles.open_bundle(self.path, self.public_key, now=times.now())


@pytest.fixture(scope="session")
def sealed(tmp_path_factory: pytest.TempPathFactory) -> Sealed:
    folder = tmp_path_factory.mktemp("bundle")
    package = build_agent_package(folder)
    made = Sealed(folder / "bundle.zip", folder / "key")
    bundles.create_key_pair(made.key)
    contents = bundles.Contents((package,))
    bundles.build(made.path, contents, bundles.load_secret_key(made.key), created=times.now())
    return made


@pytest.fixture(scope="session")
def with_msi(tmp_path_factory: pytest.TempPathFactory) -> Sealed:
    """A bundle for both systems."""
    if reason := cannot_build():
        pytest.skip(f"no MSI can be built here: {reason}")
    folder = tmp_path_factory.mktemp("both")
    bundles.create_key_pair(folder / "key")
    return for_both(folder, folder / "key", "1.67.0")


@pytest.fixture(scope="session")
def newer(tmp_path_factory: pytest.TempPathFactory, with_msi: Sealed) -> Sealed:
    """The next bundle for both, by the same key."""
    return for_both(tmp_path_factory.mktemp("newer"), with_msi.key, "1.68.0")


def for_both(folder: Path, key: Path, version: str) -> Sealed:
    signer = CodeSigning()
    msi = folder / "AzureConnectedMachineAgent.msi"
    build_agent_msi(folder, version=version, ca=signer).rename(msi)
    packages = (build_agent_package(folder, version=version), msi)
    contents = bundles.Contents(packages, signing_roots=Roots.from_pem(signer.root_pem))
    bundles.build(folder / "bundle.zip", contents, bundles.load_secret_key(key), created=times.now())
    return Sealed(folder / "bundle.zip", key)


@dataclass
class Ended:
    """What a command gave."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> dict[str, Any]:
        return known(self.out)

    @property
    def outcomes(self) -> dict[str, str]:
        return {host["name"]: host["outcome"] for host in self.document["hosts"]}

    def host(self, name: str) -> dict[str, Any]:
        found: dict[str, Any] = next(host for host in self.document["hosts"] if host["name"] == name)
        return found


@dataclass
class Fleet:
    """`arcferry onboard` in a process of its own, on a twin in this one."""

    twin: Twin
    sealed: Sealed
    folder: Path
    extra: dict[str, str] = field(default_factory=dict)

    @property
    def state(self) -> Path:
        return self.folder / "state"

    @property
    def before(self) -> tuple[str, ...]:
        """What the command line begins with."""
        return ()

    @property
    def names(self) -> list[str]:
        return [host.name for host in self.twin.servers.hosts]

    def environment(self) -> dict[str, str]:
        paths, azure = self.twin.paths, self.twin.azure
        kept = {
            key: value for key, value in os.environ.items() if not key.startswith(("ARCFERRY_", "AZURE_"))
        }
        return kept | {
            "ARCFERRY_CA_FILE": str(paths.ca),
            "ARCFERRY_ARM_URL": azure.arm_url,
            "ARCFERRY_AUTHORITY": azure.authority,
            "AZURE_TENANT_ID": azure.tenant_id,
            "AZURE_SUBSCRIPTION_ID": azure.subscription_id,
            "AZURE_CLIENT_ID": self.twin.client.client_id,
            "AZURE_CLIENT_SECRET": self.twin.client.secret,
            "ARCFERRY_RESOURCE_GROUP": RESOURCE_GROUP,
            "ARCFERRY_LOCATION": azure.location,
            "ARCFERRY_KNOWN_HOSTS": str(paths.known_hosts),
            "ARCFERRY_SSH_KEY": str(paths.key),
            "ARCFERRY_BUNDLE": str(self.sealed.path),
            "ARCFERRY_BUNDLE_KEY": str(self.sealed.public_key),
            "ARCFERRY_STATE": str(self.state),
            "ARCFERRY_CANARY": "0",
            "NO_COLOR": "1",
            **self.extra,
        }

    async def start(self, verb: str, *args: str, inventory: Path | None = None) -> asyncio.subprocess.Process:
        return await self.by_itself(*self._onboard(verb, inventory), *args)

    async def by_itself(self, *words: str) -> asyncio.subprocess.Process:
        """A command as its user begins it, so that it can get a signal."""
        return await self._process(*self.before, sys.executable, "-m", "arcferry", *words)

    async def begun(self, *words: str) -> asyncio.subprocess.Process:
        """A command that is left to end by itself."""
        return await (self.by_itself(*words) if self.before else self._process(*forked.arcferry(), *words))

    async def run(self, verb: str, *args: str, inventory: Path | None = None) -> Ended:
        return await ended(await self.begun(*self._onboard(verb, inventory), "--output", "json", *args))

    def _onboard(self, verb: str, inventory: Path | None) -> tuple[str, ...]:
        of_a_run = verb in {"status", "follow", "pause", "resume", "cancel"}
        place = () if of_a_run else (str(inventory or self.twin.paths.inventory),)
        return ("onboard", verb, *place)

    async def _process(self, *line: str) -> asyncio.subprocess.Process:
        return await asyncio.create_subprocess_exec(
            *line,
            env=self.environment(),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )

    async def errand(self, verb: str, *args: str, inventory: Path | None = None) -> Ended:
        """A command for servers that are in Azure already."""
        place = str(inventory or self.twin.paths.inventory)
        done = await ended(await self.begun(verb, place, "--output", "json", *args))
        assert done.out, done.err
        return done

    async def killed_when(self, seen: Callable[[dict[str, Any]], bool], *args: str) -> bool:
        """Apply, and SIGKILL it as soon as its journal shows an event; whether that came before its end."""
        before = len(self.events())
        process = await self.start("apply", *args)
        reading = asyncio.create_task(process.communicate())
        while not reading.done():
            if any(seen(event) for event in self.events()[before:]):
                process.send_signal(signal.SIGKILL)
                await reading
                return True
            await asyncio.sleep(0.005)
        return False

    def journals(self) -> list[Path]:
        return list(self.state.glob("runs/*/journal.jsonl"))

    def events(self) -> list[dict[str, Any]]:
        """What happened to hosts."""
        return [event for event in self.told() if event["host"]]

    def of_run(self) -> list[tuple[str, str]]:
        """What happened to the run as a whole, and what was said of it."""
        return [(event["event"], event["says"]) for event in self.told() if not event["host"]]

    def told(self) -> list[dict[str, Any]]:
        """Everything in the journal."""
        lines = [line for path in self.journals() for line in path.read_bytes().split(b"\n")]
        return [json.loads(line) for line in lines if line.endswith(b"}")]

    def puts(self) -> dict[str, int]:
        """How often each machine was created or written in ARM."""
        counts: dict[str, int] = {}
        for call in self.twin.azure.journal:
            if call.method == "PUT" and "/machines/" in call.path.lower():
                name = call.path.split("/")[-1].split("?")[0]
                counts[name] = counts.get(name, 0) + 1
        return counts

    def commands(self) -> list[str]:
        """Every command that any host was asked to run."""
        return [line for host in self.twin.servers.hosts for line in read_journal(host).commands]


async def ended(process: asyncio.subprocess.Process) -> Ended:
    out, err = await process.communicate()
    assert process.returncode is not None
    result = Ended(process.returncode, out.decode(), err.decode())
    assert "Traceback" not in result.err, result.err
    return result


@pytest.fixture
async def fleet(tmp_path: Path, sealed: Sealed) -> AsyncIterator[Fleet]:
    """Three hosts whose agents beat every second, and a route filter that lets everything through."""
    reason = unavailable()
    if reason:
        pytest.skip(f"no hosts here: {reason}")
    async with Twin.start(TwinSettings(tmp_path / "twin", hosts=3, communities=EVERYTHING)) as twin:
        for host in twin.servers.hosts:
            settings = host.root / "etc/arcferry-lab.json"
            settings.write_text(json.dumps(json.loads(settings.read_text()) | {"heartbeat_seconds": 1}))
        yield Fleet(twin, sealed, tmp_path)


@pytest.fixture
async def azure_only(tmp_path: Path, sealed: Sealed) -> AsyncIterator[Fleet]:
    """No hosts, and an inventory with one that nobody answers for."""
    async with Twin.start(TwinSettings(tmp_path / "twin", communities=EVERYTHING)) as twin:
        twin.paths.inventory.write_text(f"name,address,port\nserver01,127.0.0.1,{free_port()}\n")
        yield Fleet(twin, sealed, tmp_path)
