"""A run in a window of time: nothing begins outside, and what is at work when it closes ends its step."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from tests.azure.conftest import aim, principal

from arcferry.fleet.inventory import read_inventory
from arcferry.fleet.run import apply_fleet
from arcferry.fleet.task import RunRequest
from arcferry.fleet.transport.trust import SignIn, read_trust
from arcferry.fleet.window import parse_window

from .conftest import Fleet, ended

pytestmark = [pytest.mark.lab, pytest.mark.hosts]
SATURDAY = datetime(2026, 11, 28, 15, tzinfo=UTC)
SUNDAY = datetime(2026, 11, 29, 15, tzinfo=UTC)
REPEATED = {"facts", "verify", "verified"}
WINDOW = parse_window("Sat 22:00-05:00 Asia/Taipei")


class Clock:
    """Shows Saturday night, until the first host begins to install; Sunday until nothing is at work."""

    def __init__(self, fleet: Fleet) -> None:
        self.fleet = fleet
        self.closed_at = 0
        self.again = False

    def __call__(self) -> datetime:
        events = self.fleet.events()
        if not self.closed_at and any(event["step"] == "install" for event in events):
            self.closed_at = len(events)
        waiting = [event["host"] for event in events if event["step"] == "window"]
        if self.closed_at and len(set(waiting)) == len(self.fleet.names):
            self.again = True
        return SUNDAY if self.closed_at and not self.again else SATURDAY


@pytest.mark.timeout(300)
async def test_hosts_end_their_step_and_go_on_when_the_window_opens_again(fleet: Fleet) -> None:
    twin, clock = fleet.twin, Clock(fleet)
    who = principal(twin)
    sign_in = SignIn(read_trust(twin.paths.known_hosts, twin.paths.key, "root"))
    hosts = read_inventory(twin.paths.inventory)
    request = RunRequest(hosts, fleet.sealed.open(), sign_in, aim(twin), who, fleet.state, window=WINDOW)
    done = await apply_fleet(request, who, clock=clock)
    assert done.all_connected
    events = fleet.events()
    says = {event["says"] for event in events if event["step"] == "window"}
    assert says == {"its window opens Sat 2026-12-05 22:00 Asia/Taipei (2026-12-05T14:00:00Z)"}
    for host in fleet.names:
        steps = [(event["step"], event["event"]) for event in events if event["host"] == host]
        held = steps.index(("window", "waiting"))
        # What was begun before is over, and nothing is done twice.
        assert steps[held - 1][1] in {"done", "skipped"}
        done_steps = [step for step, kind in steps if kind == "done" and step not in REPEATED]
        assert len(done_steps) == len(set(done_steps))
    assert fleet.puts() == dict.fromkeys(fleet.names, 1)


async def test_a_host_s_own_window_is_its_own(fleet: Fleet) -> None:
    twin = fleet.twin
    who = principal(twin)
    sign_in = SignIn(read_trust(twin.paths.known_hosts, twin.paths.key, "root"))
    read = read_inventory(twin.paths.inventory)
    always = parse_window("daily 00:00-24:00 UTC")
    own = tuple(replace(host, window=always if host.name != "server02" else None) for host in read.hosts)
    hosts = replace(read, hosts=own)
    request = RunRequest(hosts, fleet.sealed.open(), sign_in, aim(twin), who, fleet.state, window=WINDOW)

    def clock() -> datetime:
        over = {event["host"] for event in fleet.events() if event["event"] == "connected"}
        return SATURDAY if over == {"server01", "server03"} else SUNDAY

    async with asyncio.timeout(100):
        done = await apply_fleet(request, who, clock=clock)
    assert done.all_connected
    begun = [event["host"] for event in fleet.events() if event["step"] == "facts"]
    assert begun[-1] == "server02"


async def test_a_run_outside_its_window_waits_and_says_until_when(fleet: Fleet) -> None:
    # Not within a day of now, whatever the day is.
    days = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
    far = days[(datetime.now(UTC).weekday() + 3) % 7]
    applying = await fleet.start("apply", "--window", f"{far} 22:00-05:00 UTC")
    async with asyncio.timeout(60):
        while len(fleet.events()) < len(fleet.names):
            assert applying.returncode is None
            await asyncio.sleep(0.02)  # another process writes what is looked for
    status = (await fleet.run("status")).document["runs"][0]
    assert {host["step"] for host in status["hosts"].values()} == {"window"}
    assert all(far in host["says"] for host in status["hosts"].values())
    applying.terminate()
    done = await ended(applying)
    assert done.code == 130
    assert f"window waiting: its window opens {far}" in done.err
    assert {event["step"] for event in fleet.events()} == {"window"}


async def test_a_window_that_is_none_is_refused_with_how_it_is_written(azure_only: Fleet) -> None:
    done = await azure_only.run("apply", "--window", "Sat 22:00-05:00 Taipei")
    assert done.code == 2
    assert "--window: 'Taipei' is no time zone; did you mean Asia/Taipei?" in done.err


async def test_a_host_that_wants_a_restart_is_listed_and_not_restarted(fleet: Fleet) -> None:
    await fleet.twin.servers.hosts[1].run("touch /run/reboot-required")
    done = await fleet.run("apply")
    assert done.code == 0
    wants = {host["name"]: host["wants_restart"] for host in done.document["hosts"]}
    assert wants == {"server01": False, "server02": True, "server03": False}
    table = await ended(await fleet.start("apply"))
    assert "server02: a restart is wanted, which is for its owner to do" in table.out
    asked = [line.replace("reboot-required", "") for line in fleet.commands()]
    assert not [line for line in asked if "reboot" in line or "shutdown" in line]
