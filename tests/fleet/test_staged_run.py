"""A run in its order: the path proved from each network, then its canaries to Connected, then the waves."""

import asyncio

import pytest
from tests import forked

from arcferry.fleet.inventory import Host
from arcferry.fleet.networks import network_of
from arcferry_lab.hosts.faults import lay

from .conftest import EVERYTHING, Ended, Fleet, free_port

pytestmark = [pytest.mark.lab, pytest.mark.hosts, pytest.mark.timeout(300)]
LACKING = "12076:51012"
STEERED = "agentserviceapi.guestconfiguration.azure.com"
CHANGING = {"stage", "verify", "install", "check", "connect"}


@pytest.fixture
def staged(fleet: Fleet) -> Fleet:
    """Its proof and its canaries are not turned off."""
    if (fleet.twin.network.resolver.rpartition(":")[2], fleet.twin.network.port) != ("53", 443):
        pytest.skip("ports 53 and 443 cannot be had here, so that hosts cannot measure their path")
    fleet.extra["ARCFERRY_CANARY"] = "1"
    return fleet


def rows(fleet: Fleet, **sites: str) -> None:
    """An inventory of the twin's hosts with these sites; before them one that is off for each `off…`."""
    there = [
        f"{host.name},{host.address},{host.port},{sites.get(host.name, 'taipei')}"
        for host in fleet.twin.servers.hosts
    ]
    off = [f"{name},127.0.0.1,{free_port()},{site}" for name, site in sites.items() if name.startswith("off")]
    fleet.twin.paths.inventory.write_text("\n".join(["name,address,port,site", *off, *there, ""]))


def order(fleet: Fleet) -> dict[str, int]:
    """For each host the place of the journal's line with which its work began; and `NAME connected`."""
    places: dict[str, int] = {}
    for place, event in enumerate(fleet.events()):
        if event["step"] == "facts" and event["event"] == "started":
            places.setdefault(event["host"], place)
        if event["event"] == "connected":
            places[f"{event['host']} connected"] = place
    return places


def stages(done: Ended) -> dict[str, str]:
    return {host["name"]: host["stage"] for host in done.document["hosts"]}


async def test_one_server_proves_the_path_goes_ahead_and_waves_follow(staged: Fleet) -> None:
    fleet = staged
    planned = (await fleet.run("plan", "--waves", "2,100%")).document["order"]
    done = await fleet.run("apply", "--waves", "2,100%")
    assert [one["first"] for one in planned["path_proof"]] == [["server01"]]
    assert stages(done) == {name: one["stage"] for one in planned["stages"] for name in one["hosts"]}
    assert (done.code, set(done.outcomes.values())) == (0, {"connected"}), done.err
    (proof,) = done.document["path_proof"]
    assert proof["network"] == network_of(Host("server01", fleet.twin.servers.hosts[0].address))
    assert (proof["outcome"], proof["asked"]) == ("proved", ["server01"])
    assert proof["says"] == "server01 reaches every one of 8 required endpoints"
    assert stages(done) == {"server01": "canary", "server02": "wave 1", "server03": "wave 2"}
    places = order(fleet)
    assert places["server01 connected"] < places["server02"]
    assert places["server02 connected"] < places["server03"]
    assert {event["stage"] for event in fleet.events() if event["host"] == "server03"} == {"wave 2"}
    (run,) = (await fleet.run("status")).document["runs"]
    assert {name: host["stage"] for name, host in run["hosts"].items()} == stages(done)
    # What is done needs no proof and no canary again.
    events = len(fleet.events())
    again = await fleet.run("apply")
    assert (again.code, again.document["path_proof"]) == (0, [])
    assert {event["event"] for event in fleet.events()[events:]} == {"connected"}


async def hold(fleet: Fleet) -> None:
    """Hold the filter as it is now, and what places addresses."""
    paths = fleet.twin.paths
    held = [str(path) for path in (paths.route_filter, paths.service_tags, paths.communities)]
    fleet.extra["ARCFERRY_DATA"] = str(fleet.folder / "data")
    line = [*forked.arcferry(), "data", "import", *held]
    assert await (await asyncio.create_subprocess_exec(*line, env=fleet.environment())).wait() == 0


async def test_where_the_path_is_not_there_nothing_is_installed_anywhere(staged: Fleet) -> None:
    fleet = staged
    await fleet.twin.allow(*(value for value in EVERYTHING if value != LACKING))
    await hold(fleet)
    done = await fleet.run("apply")
    assert done.code == 3, done.err
    assert done.outcomes == {"server01": "failed", "server02": "blocked", "server03": "blocked"}
    assert STEERED in done.host("server01")["failure"]["says"]
    error = next(one for one in done.document["findings"] if one["severity"] == "error")
    assert (error["cause"], error["owner"]) == ("route/community-not-in-filter", "network")
    assert LACKING in error["remedy"]["request"]
    assert not CHANGING & {event["step"] for event in fleet.events()}
    assert fleet.puts() == {}
    for host in fleet.twin.servers.hosts:
        assert not (host.root / "opt/azcmagent").exists()
        assert not (host.root / "var/lib/arcferry").exists()
    # Mended, the same command goes on.
    await fleet.twin.allow(*EVERYTHING)
    await hold(fleet)
    assert (await fleet.run("apply", "--limit", "server01")).code == 0
    # Gone again, it says what changed since its network had the path.
    await fleet.twin.allow(*(value for value in EVERYTHING if value != LACKING))
    await hold(fleet)
    gone = await fleet.run("apply")
    assert gone.code == 3, gone.err
    error = next(one for one in gone.document["findings"] if one["severity"] == "error")
    lines = [one["says"] for one in error["evidence"] if one["origin"].startswith("changed since 20")]
    assert lines[0] == f"{STEERED} was reached, and is not reached (tcp timeout) now"
    assert lines[1].endswith("no longer lets 12076:51012 (Japan East) through"), lines


async def test_a_failing_canary_ends_the_run_before_the_waves(staged: Fleet) -> None:
    fleet = staged
    await lay("host/refuses-connect", fleet.twin.servers.hosts[0])
    done = await fleet.run("apply")
    assert done.code == 1
    assert done.outcomes == {"server01": "failed", "server02": "stopped", "server03": "stopped"}
    assert done.document["refusal"] == "server01 went ahead and failed, so no further host was begun"
    # The next run lets another go ahead: one odd server ends no second one before it begins.
    again = await fleet.run("apply")
    assert again.outcomes == {"server01": "failed", "server02": "connected", "server03": "connected"}
    assert stages(again)["server02"] == "canary"


async def test_a_wave_that_fails_too_often_ends_the_run_before_the_next(staged: Fleet) -> None:
    fleet = staged
    await lay("host/refuses-connect", fleet.twin.servers.hosts[1])
    done = await fleet.run("apply", "--waves", "2,100%", "--max-failures", "33%")
    assert done.outcomes == {"server01": "connected", "server02": "failed", "server03": "stopped"}
    assert done.document["budget_spent"]
    again = await fleet.run("apply", "--waves", "2,100%")
    assert again.outcomes == {"server01": "connected", "server02": "failed", "server03": "connected"}
    assert stages(again) == {"server01": "wave 1", "server02": "wave 1", "server03": "wave 2"}


async def test_servers_that_are_off_prove_nothing_and_hold_up_nobody_else(staged: Fleet) -> None:
    fleet = staged
    rows(fleet, off1="osaka", off2="osaka", off3="taipei")
    done = await fleet.run("apply")
    assert done.code == 1
    named = {one["network"]: one for one in done.document["path_proof"]}
    assert named["site osaka"]["outcome"] == "unknown"
    assert named["site osaka"]["says"] == "no answer from off1, off2"
    assert named["site taipei"]["outcome"] == "proved"
    assert named["site taipei"]["asked"][0] == "off3"
    connected = {name for name, outcome in done.outcomes.items() if outcome == "connected"}
    assert connected == {"server01", "server02", "server03"}
    assert {done.outcomes[name] for name in ("off1", "off2", "off3")} == {"failed"}
    assert "off1" in done.host("off1")["failure"]["says"]


async def test_a_part_of_the_inventory_is_a_part_of_its_run(fleet: Fleet) -> None:
    rows(fleet, server02="osaka")
    first = await fleet.run("apply", "--site", "osaka")
    assert first.outcomes == {"server02": "connected"}
    named = await fleet.run("apply", "--limit", "SERVER03", "--limit", "server02")
    assert named.document["run"] == first.document["run"]
    assert {host["name"]: host["already"] for host in named.document["hosts"]} == {
        "server02": True,
        "server03": False,
    }
    (run,) = (await fleet.run("status")).document["runs"]
    assert run["hosts_total"] == 3
    wrong = await fleet.run("plan", "--limit", "server2")
    assert (wrong.code, "Did you mean server02" in wrong.err) == (2, True)
