"""The installed agent against the twin's Azure, on one host with dpkg and one with rpm."""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from arcferry import bundle as bundles
from arcferry import times
from arcferry.errors import InputError
from arcferry_lab.azure import machines
from arcferry_lab.document import document
from arcferry_lab.hosts import LabHost, read_journal, unavailable
from arcferry_lab.hosts.packaging import PackageKind
from arcferry_lab.twin import RESOURCE_GROUP, Twin, TwinSettings

from .conftest import Server, with_script

pytestmark = [pytest.mark.hosts, pytest.mark.lab]
EVERYTHING = ("12076:51010", "12076:51012", "12076:5060", "12076:5070")
CONFIG = "/root/config.json"


@pytest.fixture
async def twin(tmp_path: Path) -> AsyncIterator[Twin]:
    """server01 has dpkg, server02 has rpm; every required endpoint answers."""
    reason = unavailable("deb") or unavailable("rpm")
    if reason:
        pytest.skip(f"no hosts with dpkg and rpm here: {reason}")
    settings = TwinSettings(tmp_path / "twin", hosts=2, rpm_hosts=1, communities=EVERYTHING)
    async with Twin.start(settings) as running:
        yield running


@pytest.fixture
def arc_server(twin: Twin, kind: PackageKind, tmp_path: Path) -> Server:
    return with_script(host_of(twin, kind), tmp_path / "packages")


def host_of(twin: Twin, kind: PackageKind) -> LabHost:
    return next(host for host in twin.servers.hosts if host.settings.packages == kind)


def put_config(server: Server, twin: Twin) -> str:
    """Lay a config with a token of the twin's Entra where only root reads it; gives the token."""
    token = twin.azure.signer.access_token(
        tenant=twin.azure.tenant_id,
        client=twin.client.client_id,
        object_id=twin.client.object_id,
        audience="https://management.azure.com",
    )
    config = {
        "access-token": token,
        "tenant-id": twin.azure.tenant_id,
        "subscription-id": twin.azure.subscription_id,
        "resource-group": RESOURCE_GROUP,
        "location": "eastasia",
    }
    path = server.host.root / CONFIG.lstrip("/")
    path.write_text(json.dumps(config))
    path.chmod(0o600)
    return token


async def connect(server: Server, twin: Twin) -> dict[str, Any]:
    put_config(server, twin)
    return await server.script("connect", CONFIG)


def status(twin: Twin, host: LabHost) -> str:
    """What ARM says of a host's machine."""
    machine = twin.azure.machines.get((RESOURCE_GROUP, host.name))
    return machines.status(twin.azure, machine) if machine else "none"


async def test_installed_checked_connected_disconnected_uninstalled(arc_server: Server, twin: Twin) -> None:
    server = arc_server
    assert (await server.install(server.agent("1.67.0")))["ok"] is True
    checked = await server.script("check", "eastasia", "AzureCloud")
    assert (checked["exit"], checked["output"].count("|true ")) == (0, 8), checked
    assert status(twin, server.host) == "none"

    token = put_config(server, twin)
    connected = await server.script("connect", CONFIG)
    assert (connected["ok"], connected["changed"]) == (True, True), connected
    assert status(twin, server.host) == "Connected"
    assert not (server.host.root / CONFIG.lstrip("/")).exists()
    assert not read_journal(server.host).mentions(token)
    assert (await connect(server, twin))["changed"] is False
    assert (await server.script("show"))["agent"]["status"] == "Connected"

    refused = await server.script("uninstall")
    assert (refused["ok"], refused["code"]) == (False, "still-connected")
    assert await server.installed() == ["azcmagent 1.67.0 ii"]
    put_config(server, twin)
    assert (await server.script("disconnect", CONFIG))["changed"] is True
    assert status(twin, server.host) == "none"
    assert (await server.script("uninstall"))["changed"] is True
    assert (await server.host.run("ls -d /opt/azcmagent /var/opt/azcmagent")).stdout == ""


async def test_an_upgrade_keeps_the_machine_and_starts_the_new_service(
    arc_server: Server, twin: Twin
) -> None:
    server = arc_server
    await server.install(server.agent("1.66.0"))
    assert (await connect(server, twin))["ok"] is True
    before = (await server.script("show"))["agent"]
    old = await services(server)
    assert len(old) == 1

    assert (await server.install(server.agent("1.67.0")))["version"] == server.version("1.67.0")
    after = (await server.script("show"))["agent"]
    assert (after["version"], after["status"]) == ("1.67.0", "Connected")
    assert (after["resource_id"], after["vm_id"]) == (before["resource_id"], before["vm_id"])
    await server.until('[ -d "/proc/$(cat /run/himds.pid)" ]')
    new = await services(server)
    assert len(new) == 1
    assert new != old
    assert (await connect(server, twin))["changed"] is False


async def services(server: Server) -> list[str]:
    """The processes of the agent's service."""
    found = await server.host.run("grep -lz '^himdsd$' /proc/[0-9]*/cmdline")
    return found.stdout.splitlines()


async def test_one_run_gives_each_host_its_own_package(twin: Twin, tmp_path: Path) -> None:
    deb, rpm = packages(twin)
    ended = await onboard(twin, tmp_path, deb, rpm)
    assert outcomes(ended) == {"server01": "connected", "server02": "connected"}
    for kind, own, other in (("deb", deb, rpm), ("rpm", rpm, deb)):
        host = host_of(twin, kind)
        assert status(twin, host) == "Connected"
        assert await Server(host, tmp_path).installed() == ["azcmagent 1.67.0 ii"]
        carried = {path.name for path in host.root.glob("var/lib/arcferry/**/*")}
        assert own.name in carried
        assert other.name not in carried


async def test_a_bundle_without_its_package_blocks_that_host_alone(twin: Twin, tmp_path: Path) -> None:
    deb, _ = packages(twin)
    ended = await onboard(twin, tmp_path, deb, code=1)
    assert outcomes(ended) == {"server01": "connected", "server02": "blocked"}
    blocked = next(host for host in ended["hosts"] if host["name"] == "server02")
    assert "holds no agent as rpm" in json.dumps(blocked)
    assert await Server(host_of(twin, "rpm"), tmp_path).installed() == []


def packages(twin: Twin) -> tuple[Path, Path]:
    """The deb and the rpm that come with the twin."""
    deb, rpm = twin.servers.package, twin.servers.rpm_package
    assert deb
    assert rpm
    return deb, rpm


def outcomes(ended: dict[str, Any]) -> dict[str, str]:
    return {host["name"]: host["outcome"] for host in ended["hosts"]}


async def onboard(twin: Twin, folder: Path, *agents: Path, code: int = 0) -> dict[str, Any]:
    """`arcferry onboard apply` of both hosts with a bundle of these agents, in a process of its own."""
    key, bundle = folder / "key", folder / "bundle"
    bundles.create_key_pair(key)
    bundles.build(bundle, bundles.Contents(agents), bundles.load_secret_key(key), created=times.now())
    own = {name: value for name, value in os.environ.items() if not name.startswith(("ARCFERRY_", "AZURE_"))}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "arcferry", "onboard", "apply", str(twin.paths.inventory)),
        *("--bundle", str(bundle), "--bundle-key", f"{key}.pub", "--output", "json"),
        env=own | document(twin)["environment"] | {"NO_COLOR": "1"},
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        start_new_session=True,
    )
    out, err = await process.communicate()
    assert process.returncode == code, err.decode()
    found: dict[str, Any] = json.loads(out)
    return found


async def test_more_hosts_with_rpm_than_hosts_are_refused(tmp_path: Path) -> None:
    settings = TwinSettings(tmp_path / "twin", hosts=1, rpm_hosts=2)
    with pytest.raises(InputError, match="2 hosts with rpm of 1 hosts in all"):
        async with Twin.start(settings):
            pytest.fail("it started")
