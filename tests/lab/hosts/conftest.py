import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path

import asyncssh
import pytest

from arcferry_lab import hosts
from arcferry_lab.hosts import HostSettings, LabHost, start_host
from arcferry_lab.hosts.tools import namespaces
from arcferry_lab.network.block import Block, claim
from arcferry_lab.pki import Authority

StartHost = Callable[..., Awaitable[LabHost]]
PORT = 2222


@pytest.fixture(scope="session")
def needs_hosts() -> None:
    reason = hosts.unavailable()
    if reason:
        pytest.skip(f"no hosts here: {reason}")


@pytest.fixture
def block() -> Iterator[Block]:
    claimed = claim()
    yield claimed
    claimed.release()


@pytest.fixture
def user_key() -> asyncssh.SSHKey:
    return asyncssh.generate_private_key("ssh-ed25519")


@pytest.fixture
async def start(
    needs_hosts: None, block: Block, user_key: asyncssh.SSHKey, tmp_path: Path
) -> AsyncIterator[StartHost]:
    """Starts hosts by number, and stops them all."""
    running: list[LabHost] = []
    ca_pem = Authority().pem

    async def start_one(number: int = 1, **changes: object) -> LabHost:
        values: dict[str, object] = {
            "name": f"web{number:02d}",
            "address": block.address(1, number),
            "port": PORT,
            "resolver": f"{block.address(0, 53)}:5353",
            "service_port": 8443,
            "ca_pem": ca_pem,
            "location": "eastasia",
        }
        settings = HostSettings(**(values | changes))  # type: ignore[arg-type]
        host = await start_host(settings, tmp_path / "hosts", user_key.export_public_key().decode())
        running.append(host)
        return host

    yield start_one
    for host in running:
        await host.stop()


@pytest.fixture(params=[False, True], ids=["this-user", "user-namespace"])
async def host(request: pytest.FixtureRequest, start: StartHost) -> LabHost:
    """One host, as this user has it and as an ordinary user would."""
    if request.param and namespaces(rootless=True) is None:
        pytest.skip("user namespaces are not allowed here")
    return await start(rootless=request.param)


def known_hosts(host: LabHost) -> asyncssh.SSHKnownHosts:
    return asyncssh.import_known_hosts(f"[{host.address}]:{host.port} {host.host_key}\n")


@pytest.fixture
def log_in(user_key: asyncssh.SSHKey) -> Callable[[LabHost], Awaitable[asyncssh.SSHClientConnection]]:
    """Connects as a user of the lab does, with the key that the lab lets in and the host's key checked."""

    def connect(host: LabHost) -> Awaitable[asyncssh.SSHClientConnection]:
        return asyncssh.connect(
            host.address,
            host.port,
            username=host.user,
            client_keys=[user_key],
            known_hosts=known_hosts(host),
            config=None,
            agent_path=None,
        )

    return connect


@pytest.fixture
def build(tmp_path: Path) -> Callable[[str], Path]:
    """Builds the agent's package in a version."""
    return lambda version: hosts.build_agent_package(tmp_path / "packages", version=version)


@pytest.fixture
def eventually() -> Callable[[Callable[[], Awaitable[bool]]], Awaitable[None]]:
    """Waits until something holds, ten seconds at most."""

    async def wait(holds: Callable[[], Awaitable[bool]]) -> None:
        for _ in range(500):
            if await holds():
                return
            await asyncio.sleep(0.02)
        pytest.fail("it did not come to hold in time")

    return wait
