"""No token stays on a host: not after kills, and none that an earlier attempt has left."""

import asyncio
import shutil

import pytest

from .conftest import Fleet, ended
from .test_apply import ALL, leftovers

pytestmark = [pytest.mark.lab, pytest.mark.hosts]
# Waits for a token, then ends what arcferry and the agent run there, as a kernel does that is out of memory.
KILLER = """
folder=/run/arc; folder=${folder}ferry
until ls $folder/connect-*.json >/dev/null 2>&1; do sleep 0.01; done
kill -9 $(grep -la 'arcferr[y]' /proc/[0-9]*/cmdline | cut -d / -f 3)
ls $folder
"""


@pytest.mark.timeout(300)
async def test_six_kills_while_the_token_is_there(fleet: Fleet) -> None:
    for _ in range(2):
        killers = [asyncio.create_task(host.run(KILLER)) for host in fleet.twin.servers.hosts]
        process = await fleet.start("apply")
        reading = asyncio.create_task(process.communicate())
        done = await asyncio.gather(*killers)
        process.kill()
        await reading
        assert all("connect-" in killer.stdout for killer in done), "a process that is killed removes nothing"
    # A kill that was recorded before arcferry was killed too is told by the next run, and then tried again.
    await fleet.run("apply")
    last = await fleet.run("apply")
    assert (last.code, last.outcomes) == (0, ALL), last.err
    assert await leftovers(fleet) == []


async def test_killed_alone_the_host_goes_on_and_removes_it(fleet: Fleet) -> None:
    assert await fleet.killed_when(lambda event: (event["step"], event["event"]) == ("connect", "started"))
    # Each waits for the lock that such a connect still holds.
    for host in fleet.twin.servers.hosts:
        await host.run("mkdir -p /run/arcferry; flock /run/arcferry/lock true")
    assert await leftovers(fleet) == []
    assert (await fleet.run("apply")).outcomes == ALL


async def test_what_an_earlier_version_left_on_a_connected_host(fleet: Fleet) -> None:
    assert (await fleet.run("apply")).code == 0
    for host in fleet.twin.servers.hosts:
        await host.run("echo '{\"access-token\": \"ey''J0\"}' >/run/arcferry/connect-0123456789abcdef.json")
    shutil.rmtree(fleet.state)
    assert len(set(await leftovers(fleet))) == len(ALL)
    assert (await fleet.run("apply")).outcomes == ALL
    assert await leftovers(fleet) == []


async def test_two_at_a_time_do_not_take_each_others_token(fleet: Fleet) -> None:
    other = Fleet(fleet.twin, fleet.sealed, fleet.folder / "other")
    runs = await asyncio.gather(fleet.start("apply"), other.start("apply"))
    done = await asyncio.gather(*(ended(one) for one in runs))
    # Their uploads may meet; a token that is gone would be told by the host script as config-….
    assert [one.err for one in done if "config-" in one.out + one.err] == []
    assert (await fleet.run("apply")).outcomes == ALL
    assert fleet.puts() == dict.fromkeys(ALL, 1)
    assert await leftovers(fleet) == []
