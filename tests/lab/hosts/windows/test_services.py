"""The agent's Windows services: Wine's service manager runs them, and himds keeps the machine Connected."""

import asyncio

import pytest
from tests.lab.hosts.windows.conftest import STATE, Connected, Server

from arcferry_lab.hosts.windows import WindowsHost

pytestmark = [pytest.mark.lab, pytest.mark.xdist_group("wine")]
SERVICES = ("Agent Service (himds)", "Extension Service (extensionservice)", "GC Service (gcarcservice)")


async def _states(host: WindowsHost) -> list[str]:
    done = await host.powershell(
        "Get-Service himds, GCArcService, ExtensionService -ErrorAction SilentlyContinue |"
        ' ForEach-Object { "$($_.Name) $($_.Status) $($_.StartType)" }'
    )
    return sorted(done.stdout.splitlines())


async def test_the_services_come_with_the_package_and_go_with_it(server: Server) -> None:
    assert await _states(server.host) == []
    assert await server.install() == 0
    running = [
        "ExtensionService Running Automatic",
        "GCArcService Running Automatic",
        "himds Running Automatic",
    ]
    assert await _states(server.host) == running
    await server.host.restart()
    assert await _states(server.host) == running, "they start with Windows"
    await server.host.powershell("Stop-Service himds")
    assert (await _states(server.host))[2] == "himds Stopped Automatic"
    await server.clear()
    assert await _states(server.host) == []


async def test_heartbeats_go_on_until_the_machine_is_disconnected(agent: Connected) -> None:
    agent.reach(heartbeat_seconds=0.5)
    assert (await agent.with_config("connect")).exit_code == 0
    machine = agent.twin.azure.machines["rg-arc", "win01"]
    shown = await agent.show()
    assert (shown["status"], {shown["dependentServiceStatus"][name] for name in SERVICES}) == (
        "Connected",
        {"running"},
    )
    async with asyncio.timeout(60):
        beats = set()
        while len(beats) < 3:
            beats.add(machine.last_heartbeat)
            await asyncio.sleep(0.1)
    agent.twin.azure.faults.add("his/no-heartbeat")
    async with asyncio.timeout(60):
        while (await agent.show())["agentErrorCode"] != "AZCM0001":
            pass
    agent.twin.azure.faults.clear()
    assert (await agent.agent("disconnect", "--force-local-only")).exit_code == 0
    shown = await agent.show()
    assert {shown["dependentServiceStatus"][name] for name in SERVICES} == {"stopped"}
    log = agent.server.host.path(rf"{STATE}\Log\himds.log").read_text("utf-8")
    assert 'msg="Heartbeat sent"' in log


async def test_a_restart_of_windows_is_followed_by_a_heartbeat(agent: Connected) -> None:
    assert (await agent.with_config("connect")).exit_code == 0
    machine = agent.twin.azure.machines["rg-arc", "win01"]
    machine.last_heartbeat = None
    await agent.server.host.restart()
    async with asyncio.timeout(60):
        while machine.last_heartbeat is None:  # noqa: ASYNC110 - set by the twin's HIS
            await asyncio.sleep(0.1)
