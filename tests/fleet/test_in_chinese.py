"""dump"""
import asyncio
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from arcferry_lab.twin import RESOURCE_GROUP

from .conftest import Fleet, ended

pytestmark = [pytest.mark.lab, pytest.mark.hosts, pytest.mark.timeout(600)]
OUT = Path("/tmp/s-zh/o/fleet.txt")


async def test_dump(fleet: Fleet) -> None:
    inv = str(fleet.twin.paths.inventory)
    fleet.extra |= {"ARCFERRY_LANG": "zh-TW", "COLUMNS": "110", "ARCFERRY_DATA": str(fleet.folder / "data"), "ARCFERRY_RESOLVER": fleet.twin.network.resolver}
    log = []

    async def go(*words):
        done = await ended(await fleet.begun(*words))
        log.append(f"$$$ {' '.join(words)} -> {done.code}\n{done.out}\n--- stderr\n{done.err}\n")
        OUT.write_text("".join(log))

    await go("azure", "preflight", inv)
    await go("onboard", "plan", inv)
    await go("check")
    await go("verify", inv)
    await go("onboard", "apply", inv, "--limit", "1")
    await go("onboard", "apply", inv)
    await go("onboard", "plan", inv)
    await go("onboard", "status")
    await go("onboard", "follow")
    await go("verify", inv)
    await go("lifecycle")
    await go("collect", inv)
    await go("set-tags", inv, "--tags", "a=b")
    await go("set-tags", inv, "--tags", "a=b", "--apply")
    await go("set-proxy", inv, "--none")
    await go("set-proxy", inv, "--agent-proxy", "http://127.0.0.1:9", "--apply")
    await go("upgrade", inv)
    await go("reconnect", inv)
    await go("watch", "--location", "eastasia", "--rounds", "1")
    await fleet.twin.steer("agentserviceapi.guestconfiguration.azure.com", "southeastasia")
    await fleet.twin.add_fault("his/no-heartbeat")
    await go("check")
    await go("watch", "--location", "eastasia", "--rounds", "1")
    await go("watch", "show")
    for one in fleet.twin.azure.machines.values():
        one.last_heartbeat = datetime.now(UTC) - timedelta(days=3)
    await go("verify", inv)
    await go("onboard", "plan", inv)
    await go("onboard", "apply", inv)
    await go("offboard", inv)
    await go("offboard", inv, "--apply")
    await go("uninstall", inv)
    await go("uninstall", inv, "--apply")
    await go("leave")
    await go("bundle", "verify", str(fleet.sealed.path), "--bundle-key", str(fleet.sealed.public_key))
    await go("bundle", "show", str(fleet.sealed.path))
    await go("data", "show")
    await go("azure", "rights", "onboard")
