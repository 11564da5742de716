"""The agent on real hosts, against the twin's own Azure."""

import asyncio
import json
import re
import shlex
import zipfile
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from arcferry_lab.hosts import CommandResult, LabHost, read_journal
from arcferry_lab.hosts.faults import lay
from arcferry_lab.hosts.tools import agent_python
from arcferry_lab.twin import Twin

AGENT = "/opt/azcmagent/bin/azcmagent"
STATE = "/var/opt/azcmagent"
Eventually = Callable[[Callable[[], Awaitable[bool]]], Awaitable[None]]
pytestmark = [pytest.mark.hosts, pytest.mark.lab]


class Server:
    """A host with the agent installed, and what is needed to connect it."""

    def __init__(self, host: LabHost, twin: Twin) -> None:
        self.host = host
        self.twin = twin
        self.secret = twin.client.secret
        self.config: dict[str, Any] = {
            "service-principal-id": twin.client.client_id,
            "service-principal-secret": twin.client.secret,
            "tenant-id": twin.azure.tenant_id,
            "subscription-id": twin.azure.subscription_id,
            "resource-group": "rg-arc",
            "location": "eastasia",
        }

    async def install(self) -> None:
        package = self.twin.servers.package
        assert package
        (self.host.root / "tmp/agent.deb").write_bytes(package.read_bytes())
        done = await self.host.run("dpkg -i /tmp/agent.deb")
        assert done.exit_code == 0, done.stderr

    async def agent(self, *words: str) -> CommandResult:
        return await self.host.run(shlex.join([AGENT, *words]))

    async def with_config(self, *words: str, **changes: str) -> CommandResult:
        """Run the agent with a config file that is gone afterwards, as the host script does."""
        path = self.host.root / "root/config.json"
        path.write_text(
            json.dumps(self.config | {key.replace("_", "-"): value for key, value in changes.items()})
        )
        path.chmod(0o600)
        try:
            return await self.agent(*words, "--config", "/root/config.json")
        finally:
            path.unlink()

    async def show(self) -> dict[str, Any]:
        return dict(json.loads((await self.agent("show", "-j")).stdout))

    def machine(self, name: str = "") -> dict[str, Any] | None:
        """The machine as ARM has it."""
        found = self.twin.azure.machines.get(("rg-arc", name or self.host.name))
        return (
            None
            if found is None
            else {"tags": found.tags, "heartbeat": found.last_heartbeat, **found.properties}
        )


@pytest.fixture
async def server(twin_with_hosts: Twin) -> Server:
    """The route filter carries everything."""
    twin = twin_with_hosts
    await twin.allow("12076:51010", "12076:51011", "12076:51012", "12076:5060", "12076:5070")
    server = Server(twin.servers.hosts[0], twin)
    await server.install()
    return server


async def test_check_prints_the_published_table(server: Server, twin_with_hosts: Twin) -> None:
    done = await server.agent("check", "--location", "East Asia", "--cloud", "azurecloud")
    assert done.exit_code == 0
    assert "INFO    Testing connectivity to endpoints that are needed" in done.stdout.splitlines()[0]
    assert done.stdout.splitlines()[1:] == [
        "ENDPOINT                                              |REACHABLE  |PRIVATE  |TLS      |PROXY",
        "https://agentserviceapi.guestconfiguration.azure.com  |true       |false    |TLS 1.3  |not used",
        "https://ea.his.arc.azure.com                          |true       |false    |TLS 1.3  |not used",
        "https://eastasia-gas.guestconfiguration.azure.com     |true       |false    |TLS 1.3  |not used",
        "https://gbl.his.arc.azure.com                         |true       |false    |TLS 1.3  |not used",
        "https://login.microsoftonline.com                     |true       |false    |TLS 1.3  |not used",
        "https://login.windows.net                             |true       |false    |TLS 1.3  |not used",
        "https://management.azure.com                          |true       |false    |TLS 1.3  |not used",
        "https://pas.windows.net                               |true       |false    |TLS 1.3  |not used",
    ]


async def test_one_endpoint_behind_the_filter_ends_check_and_connect_with_26(server: Server) -> None:
    await server.twin.allow("12076:51010", "12076:5060", "12076:5070")
    checked, connected = await asyncio.gather(
        server.agent("check", "--location", "eastasia", "-j", "--log-stderr"), server.with_config("connect")
    )
    assert checked.exit_code == 26
    dead = [row for row in json.loads(checked.stdout)["endpoints"] if not row["reachable"]]
    assert [row["endpoint"] for row in dead] == ["https://agentserviceapi.guestconfiguration.azure.com"]
    assert "i/o timeout" in dead[0]["failure"]
    assert connected.exit_code == 26
    assert connected.stdout.splitlines()[-3:] == [
        "INFO    Exit Code:  AZCM0026: Network Error",
        "INFO    For troubleshooting, see https://aka.ms/arc/azcmerror",
        "FATAL   required endpoints unavailable: https://agentserviceapi.guestconfiguration.azure.com",
    ]
    assert server.machine() is None


async def test_connect_show_disconnect(server: Server) -> None:
    before = await server.show()
    assert (before["status"], before["resourceId"]) == ("Disconnected", "")
    done = await server.with_config("connect", tags="site=fra,owner='net, ops'")
    assert done.exit_code == 0, done.stdout
    assert "INFO    Connected machine to Azure" in done.stdout
    machine = server.machine()
    assert machine
    assert machine["heartbeat"]
    assert machine["tags"] == {"site": "fra", "owner": "net, ops"}
    assert machine["machineFqdn"] == "server01.corp.example"
    shown = await server.show()
    assert shown["status"] == "Connected"
    assert shown["vmId"] == machine["vmId"]
    assert shown["resourceId"].endswith("/Microsoft.HybridCompute/machines/server01")
    assert shown["lastHeartbeat"].endswith("Z")
    assert shown["dependentServiceStatus"]["Agent Service (himds)"] == "running"
    again = await server.with_config("connect")
    assert (again.exit_code, "AZCM0067" in again.stdout) == (67, True)
    gone = await server.with_config("disconnect")
    assert gone.exit_code == 0, gone.stdout
    assert server.machine() is None
    assert (await server.show())["status"] == "Disconnected"
    services = "cat /proc/[0-9]*/cmdline | tr '\\0' ' ' | grep -c '[h]imdsd'"
    left = await server.host.run(f"ls {STATE} {STATE}/certs; {services}")
    assert left.stdout.split() == [f"{STATE}:", "certs", "log", "tokens", "vmid", f"{STATE}/certs:", "0"]


async def test_the_text_of_show_has_azcmagents_names(server: Server) -> None:
    await server.with_config("connect")
    lines = (await server.agent("show")).stdout.splitlines()
    pairs = {line.partition(":")[0].strip(): line.partition(":")[2].strip() for line in lines}
    assert pairs["Agent Status"] == "Connected"
    assert pairs["Resource Name"] == "server01"
    assert pairs["Agent Version"] == "1.67.0"
    assert pairs["Agent Service (himds)"] == "running"
    assert (await server.agent("show", "Agent Status", "cloud")).stdout.split() == [
        *["Agent", "Status", ":", "Connected"], *["Cloud", ":", "AzureCloud"],
    ]  # fmt: skip


async def test_the_machine_keeps_its_id_and_can_come_back(server: Server) -> None:
    await server.with_config("connect")
    first = (await server.show())["vmId"]
    gone = await server.agent("disconnect", "--force-local-only")
    assert gone.exit_code == 0
    assert server.machine(), "force-local-only leaves Azure alone"
    assert (await server.with_config("connect")).exit_code == 0
    assert (await server.show())["vmId"] == first


async def test_a_name_that_another_server_holds_is_refused(server: Server) -> None:
    other = Server(server.twin.servers.hosts[1], server.twin)
    await other.install()
    assert (await other.with_config("connect", resource_name="shared")).exit_code == 0
    done = await server.with_config("connect", resource_name="shared")
    assert done.exit_code == 44
    assert "AZCM0044" in done.stdout


# fault of the twin's Azure, exit code of connect, what the last line says
FAULTS = {
    "arm/403": (42, "Code: AuthorizationFailed httpStatusCode:403"),
    "arm/401": (12, "httpStatusCode:401"),
    "arm/409": (42, "httpStatusCode:409"),
    "arm/500": (42, "Code: InternalServerError httpStatusCode:500"),
    "arm/garbage": (42, "no resource"),
    "entra/expired-secret": (41, "AADSTS7000222"),
    "path/discovery-failed": (26, "required endpoints unavailable"),
    "his/no-certificate": (81, "Get MSI Certificate"),
}


@pytest.mark.parametrize("fault", FAULTS)
async def test_a_fault_of_azure_ends_connect_with_its_code(server: Server, fault: str) -> None:
    number, says = FAULTS[fault]
    server.twin.azure.faults.add(fault)
    done = await server.with_config("connect")
    if fault == "arm/409":
        assert done.exit_code in (42, 44)
    else:
        assert done.exit_code == number, done.stdout
    assert f"AZCM{done.exit_code:04d}" in done.stdout
    assert says in done.stdout.splitlines()[-1]
    assert (await server.show())["status"] == "Disconnected"
    server.twin.azure.faults.clear()
    assert (await server.with_config("connect")).exit_code == 0, "a second try goes on"


async def test_throttling_is_waited_out(server: Server) -> None:
    server.twin.azure.faults.add("arm/429", times=1)
    assert (await server.with_config("connect")).exit_code == 0


async def test_a_refused_heartbeat_leaves_the_agent_disconnected_and_says_so(server: Server) -> None:
    server.twin.azure.faults.add("his/no-heartbeat")
    done = await server.with_config("connect")
    assert done.exit_code == 0
    assert "heartbeat was not accepted" in done.stdout
    shown = await server.show()
    assert (shown["status"], shown["agentErrorCode"]) == ("Disconnected", "AZCM0001")
    assert "503" in shown["agentErrorDetails"]


async def test_the_service_sends_heartbeats_on_its_own_also_after_a_restart(
    server: Server, eventually: Eventually
) -> None:
    lab = server.host.root / "etc/arcferry-lab.json"
    lab.write_text(json.dumps(json.loads(lab.read_text()) | {"heartbeat_seconds": 0.05}))
    await server.with_config("connect")
    await eventually(_newer_heartbeat(server))
    await server.host.restart()
    await eventually(_newer_heartbeat(server))
    assert (await server.show())["dependentServiceStatus"]["Agent Service (himds)"] == "running"


def _newer_heartbeat(server: Server) -> Callable[[], Awaitable[bool]]:
    last = server.twin.azure.machines["rg-arc", server.host.name].last_heartbeat

    async def arrived() -> bool:
        return server.twin.azure.machines["rg-arc", server.host.name].last_heartbeat != last

    return arrived


async def test_an_unknown_location_is_refused(server: Server) -> None:
    for done in (
        await server.agent("check", "-l", "eastasiaa"),
        await server.with_config("connect", location="nowhere"),
    ):
        assert done.exit_code == 20
        assert "AZCM0020" in done.stdout


async def test_an_untrusted_ca_is_a_network_error(server: Server) -> None:
    server.twin.azure.faults.add("tls/intercepted", "login.microsoftonline.com")
    done = await server.agent("check", "-l", "eastasia", "-v")
    assert done.exit_code == 26
    assert "login.microsoftonline.com                     |false" in done.stdout
    assert "failed to verify certificate" in done.stdout


async def test_a_wrong_clock_is_said_and_stops_nothing(server: Server) -> None:
    server.twin.azure.faults.add("clock/skew")
    done = await server.agent("check", "-l", "eastasia")
    assert done.exit_code == 0
    assert re.search(r"clock of this machine is -(3599|3600) seconds ahead", done.stdout)


async def test_missing_options_and_credentials(server: Server) -> None:
    missing = await server.agent("connect", "--location", "eastasia")
    assert (missing.exit_code, '"subscription-id"' in missing.stdout) == (16, True)
    nobody = await server.with_config("connect", service_principal_secret="")
    assert (nobody.exit_code, "AZCM0041" in nobody.stdout) == (41, True)
    wrong = await server.with_config("connect", service_principal_secret="not-it")
    assert (wrong.exit_code, "AADSTS" in wrong.stdout) == (41, True)


async def test_commands_that_change_something_need_root(server: Server) -> None:
    done = await server.host.run(
        f"setpriv --bounding-set -all --reuid 65534 --clear-groups {AGENT} connect 2>&1"
    )
    if "setgroups" in done.stdout or "setresuid" in done.stdout:
        pytest.skip("this computer lends its hosts no other users than root")
    assert done.exit_code == 18


async def test_no_secret_and_no_token_stays_on_the_host(server: Server, tmp_path: Path) -> None:
    token = await _token(server)
    wrong = "eyJhbGciOiJub25lIn0.canary-in-a-refused-token.x"
    refused = await server.with_config("connect", "-v", access_token=wrong)
    assert refused.exit_code == 12
    done = await server.with_config(
        "connect", "-v", "--json", access_token=token, service_principal_secret=""
    )
    assert done.exit_code == 0, done.stdout
    await server.agent("logs", "--output", "/root/logs.zip")
    await server.with_config("disconnect", access_token=token)
    for canary in (token, wrong, server.secret):
        assert canary not in done.stdout + done.stderr + refused.stdout
        assert not read_journal(server.host).mentions(canary)
        assert _files_with(server.host.root, canary.encode()) == []
    assert _files_with(server.host.root, b"Connected machine to Azure"), "the search finds what is there"
    with zipfile.ZipFile(server.host.root / "root/logs.zip") as archive:
        assert {"azcmagent.log", "himds.log", "agentconfig.json"} <= set(archive.namelist())
        assert not any(token.encode() in archive.read(name) for name in archive.namelist())


async def test_a_token_in_argv_would_be_seen(server: Server) -> None:
    await server.agent("show", "--no-color", "canary-argv")
    assert read_journal(server.host).mentions("canary-argv")


async def _token(server: Server) -> str:
    """A token of the twin's Entra, asked for by the agent's own code."""
    script = """
import sys
sys.path.insert(0, "/opt/azcmagent/lib")
from argparse import Namespace
from azcmagent import azure, clouds, network, options
given = options.Options(Namespace(config="/root/credential.json"))
print(azure.access_token(network.AgentHttps.load(), clouds.find_cloud("AzureCloud"), given))
"""
    path = server.host.root / "root/credential.json"
    path.write_text(json.dumps(server.config))
    done = await server.host.run(f"{shlex.quote(str(agent_python()))} -IB -c {shlex.quote(script)}")
    path.unlink()
    assert done.stdout.count(".") == 2, done.stderr
    return done.stdout.strip()


def _files_with(root: Path, needle: bytes) -> list[str]:
    folders = [root / name for name in ("etc", "opt", "root", "tmp", "var", "home")]
    files = [
        path for folder in folders for path in folder.rglob("*") if path.is_file() and not path.is_symlink()
    ]
    return [str(path) for path in files if needle in path.read_bytes()]


async def test_local_settings(server: Server) -> None:
    assert (await server.agent("config", "get", "proxy.url")).stdout == "\n"
    done = await server.agent("config", "set", "proxy.url", "http://127.0.0.1:1")
    assert done.stdout.splitlines()[0] == "Config property proxy.url set to value http://127.0.0.1:1"
    checked = await server.agent("check", "-l", "eastasia")
    assert (checked.exit_code, "|unknown  |set" in checked.stdout) == (26, True)
    await server.agent("config", "set", "proxy.bypass", "AAD, ARM ,Arc")
    assert (await server.agent("check", "-l", "eastasia")).exit_code == 0
    listed = (await server.agent("config", "list")).stdout.splitlines()
    assert listed[0] == "Local Configuration Settings"
    assert "  proxy.bypass : [AAD, ARM, Arc]" in listed
    await server.agent("config", "clear", "proxy.url")
    assert (await server.agent("config", "get", "proxy.url")).stdout == "\n"
    for words in (["set", "config.color", "x"], ["set", "extensions.enabled", "maybe"], ["get", "nothing"]):
        assert (await server.agent("config", *words)).exit_code == 23


async def test_an_upgrade_keeps_the_connection(server: Server, build: Callable[[str], Path]) -> None:
    await server.with_config("connect")
    (server.host.root / "tmp/newer.deb").write_bytes(build("1.68.0").read_bytes())
    assert (await server.host.run("dpkg -i /tmp/newer.deb")).exit_code == 0
    shown = await server.show()
    assert (shown["agentVersion"], shown["status"]) == ("1.68.0", "Connected")


async def test_the_fault_refuses_connect_gives_26(server: Server) -> None:
    await lay("host/refuses-connect", server.host)
    done = await server.with_config("connect")
    assert done.exit_code == 26
    assert done.stdout.endswith("unavailable: https://agentserviceapi.guestconfiguration.azure.com\n")
