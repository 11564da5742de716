"""A watch that looks from the servers of an inventory, on the twin's Linux hosts."""

import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from arcferry import catalog
from arcferry.errors import HostCommandError, InputError
from arcferry.evidence.reading import read_document
from arcferry.fleet.by_host import Asking, HostLook, looks, round_of
from arcferry.fleet.inventory import Host
from arcferry.fleet.place import Place
from arcferry.fleet.transport import SignIn
from arcferry.watch.changes import Level, Round
from arcferry_lab.hosts import unavailable
from arcferry_lab.twin import STORY_NAME, Twin, TwinSettings

from .conftest import EVERYTHING, Ended, Fleet, Sealed, ended, free_port

CLOUD = catalog.cloud("AzureCloud")
LACKING = "12076:51012"
REGION = catalog.region("eastasia", CLOUD)
ASKING = Asking(CLOUD, REGION, {}, SignIn())
of_module = pytest.mark.asyncio(loop_scope="module")


def test_each_network_has_a_look_under_a_name_that_a_file_can_have() -> None:
    hosts = [
        Host("a", "10.1.0.1", site="taipei"),
        Host("b", "10.2.0.1", site="taipei"),
        Host("c", "10.3.0.1"),
        Host("d", "web.corp.example"),
        Host("e", "10.1.0.2", site="taipei", place=Place(location="eastasia")),
        Host("f", "10.1.0.3", site="taipei", place=Place(proxy="http://proxy:8080")),
        Host("g", "10.1.0.4", site="高雄 1", place=Place(location="japaneast")),
    ]
    found = looks(hosts, ASKING)
    assert list(found) == [
        "taipei",
        "subnet-10-3-0-0-24",
        "domain-corp-example",
        "taipei-by-http-proxy-8080",
    ]


@pytest.mark.parametrize(
    ("hosts", "says"),
    [
        ([Host("a", "10.1.0.1", site="a b"), Host("b", "10.1.0.2", site="a.b")], "would have the name"),
        ([Host("a", "10.1.0.1", site="tp"), Host("b", "10.1.0.2", site="TP")], "would have the name"),
        ([Host("a", "10.1.0.1", place=Place(location="japaneast"))], "no server of the inventory is for"),
    ],
)
def test_networks_without_a_history_of_their_own_are_refused(hosts: list[Host], says: str) -> None:
    with pytest.raises(InputError, match=says) as caught:
        looks(hosts, ASKING)
    assert caught.value.hint


def measured(*rows: Mapping[str, Any]) -> Round:
    path = {"schema": 1, "kind": "check", "taken": "1999-01-01T00:00:00Z", "resolver": "10.1.0.53"}
    read = read_document("web01", json.dumps(path | {"endpoints": rows}).encode())
    return round_of("web01", read, CLOUD, REGION)


def row(host: str, failed: Mapping[str, str] | None = None, *addresses: str) -> dict[str, Any]:
    dns = {"chain": [], "addresses": addresses} if addresses else None
    return {"host": host, "required": True, "reachable": failed is None, "dns": dns, "failure": failed}


def test_a_measured_path_is_a_round_of_now_and_of_required_endpoints_alone() -> None:
    nxdomain = {"stage": "dns", "kind": "nxdomain", "says": "no such name"}
    lost = {"stage": "http", "kind": "discovery-failed", "says": "no host"}
    seen = measured(
        row(STORY_NAME, None, "20.187.194.195"),
        row("login.microsoftonline.com", nxdomain),
        row("", lost),
        row("evil.example", None, "203.0.113.1"),
    )
    assert [one.endpoint.host for one in seen.observations] == [STORY_NAME, "login.microsoftonline.com", ""]
    assert [(one.host, one.addresses, one.rcode) for one in seen.answers] == [
        (STORY_NAME, ("20.187.194.195",), ""),
        ("login.microsoftonline.com", (), "nxdomain"),
    ]
    assert seen.resolvers == ("10.1.0.53",)
    assert seen.taken.year > 2000
    assert {one.taken for one in (*seen.answers, *seen.observations)} == {seen.taken}


@pytest.mark.parametrize("rows", [(), (row("evil.example"),), (row(STORY_NAME) | {"reachable": False},)])
def test_what_is_no_measured_path_is_no_answer(rows: tuple[Mapping[str, Any], ...]) -> None:
    with pytest.raises(HostCommandError, match="the measured path"):
        measured(*rows)


async def test_servers_that_are_silent_are_told_once_and_each_is_tried_in_turn() -> None:
    """Nothing to sign in with was read, so that no server can be asked at all."""
    hosts = [Host(f"web{number:02}", "127.0.0.1", free_port()) for number in range(11)]
    look = HostLook("taipei", hosts, ASKING)
    first, second, third = await look(), await look(), await look()
    assert (first.site, first.location, first.observations) == ("taipei", "eastasia", ())
    warned = [one.says.split()[1] for one in first.notices if one.level is Level.WARN]
    assert warned == [host.name for host in hosts[:9]]
    assert [one.says for one in first.notices if one.level is Level.FAIL] == [
        "no server gave its path; asked were web00, web01, web02, web03 and 5 more"
    ]
    assert [one.says.split()[1] for one in second.notices] == ["web09", "web10"]
    assert third.notices == ()


@dataclass
class Watched:
    """`arcferry watch --inventory` on the twin's hosts, each in a site of its own."""

    fleet: Fleet

    def evidence(self) -> list[str]:
        paths = self.fleet.twin.paths
        files = (paths.service_tags, paths.communities, paths.route_filter)
        return [word for path in files for word in ("--with", str(path))]

    async def run(self, *words: str) -> Ended:
        return await ended(await self.fleet.begun("watch", *words))

    def files(self) -> set[Path]:
        """Everything that lies on the servers."""
        return {path for host in self.fleet.twin.servers.hosts for path in host.root.rglob("*")}

    def rows(self, *more: str) -> Path:
        one, two = self.fleet.twin.servers.hosts
        inventory = self.fleet.folder / "servers.csv"
        there = [f"{one.name},{one.address},{one.port},taipei", f"{two.name},{two.address},{two.port},tainan"]
        inventory.write_text("\n".join(["name,address,port,site", *more, *there, ""]))
        return inventory


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def running(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Twin]:
    if reason := unavailable():
        pytest.skip(f"no hosts here: {reason}")
    settings = TwinSettings(tmp_path_factory.mktemp("by-host") / "twin", hosts=2, communities=EVERYTHING)
    async with Twin.start(settings) as twin:
        if (twin.network.resolver.rpartition(":")[2], twin.network.port) != ("53", 443):
            pytest.skip("ports 53 and 443 cannot be had here, so that hosts cannot measure their path")
        yield twin


@pytest.fixture
def watched(running: Twin, sealed: Sealed, tmp_path: Path) -> Watched:
    return Watched(Fleet(running, sealed, tmp_path))


@of_module
@pytest.mark.lab
@pytest.mark.hosts
@pytest.mark.timeout(300)
async def test_each_site_is_seen_by_its_server_and_kept_apart(watched: Watched) -> None:
    before = watched.files()
    off = [f"off{site},127.0.0.1,{free_port()},{site}" for site in ("taipei", "chiayi")]
    inventory = str(watched.rows(*off))
    done = await watched.run("--inventory", inventory, "--rounds", "2", "--every", "1s", "-o", "jsonl")
    # One site that nobody can look from is not well, and keeps no other from being seen.
    assert done.code == 1, done.err
    told = [json.loads(line) for line in done.out.splitlines()]
    reached = [(one["site"], one["reached"]) for one in told if one["kind"] == "watch-round"]
    assert reached == [("taipei", 8), ("chiayi", 0), ("tainan", 8)] * 2
    notices = [(one["site"], one["level"], one["says"]) for one in told if one["kind"] == "watch-notice"]
    assert [one[:2] for one in notices] == [
        ("taipei", "warn"), ("taipei", "ok"), ("chiayi", "warn"), ("chiayi", "FAIL"),
    ]  # fmt: skip
    assert "server offtaipei gave no path: " in notices[0][2]
    assert notices[1][2] == "the path is seen from server server01"
    joined = await watched.run("show", "-o", "json")
    sites = {one["site"]: one for one in joined.document["sites"]}
    assert list(sites) == ["chiayi", "tainan", "taipei"]
    assert {one["rounds"] for one in sites["taipei"]["reach"]} == {2}
    assert all(one["reached"] for one in (*sites["taipei"]["reach"], *sites["tainan"]["reach"]))
    assert STORY_NAME in {one["host"] for one in sites["tainan"]["answers"] if one["addresses"]}
    assert sites["chiayi"]["reach"] == []
    for words in (("show",), ("show", "--site", "chiayi"), ("show", "--site", "chiayi", "-o", "svg")):
        assert (await watched.run(*words)).code == 0
    assert watched.files() == before != set()


@of_module
@pytest.mark.lab
@pytest.mark.hosts
@pytest.mark.timeout(300)
async def test_what_a_server_cannot_reach_comes_with_cause_owner_and_letter(watched: Watched) -> None:
    twin = watched.fleet.twin
    inventory, given = str(watched.rows()), ("--rounds", "1", "-o", "jsonl", *watched.evidence())
    assert (await watched.run("--inventory", inventory, *given)).code == 0
    await twin.allow(*(value for value in EVERYTHING if value != LACKING))
    try:
        done = await watched.run("--inventory", inventory, *given)
    finally:
        await twin.allow(*EVERYTHING)
    assert done.code == 1, done.err
    told = [json.loads(line) for line in done.out.splitlines()]
    lost = [one for one in told if one["kind"] == "watch-notice" and one["level"] == "FAIL"]
    assert {one["site"] for one in lost} == {"taipei", "tainan"}
    for one in lost:
        assert (one["host"], one["cause"]) == (STORY_NAME, "route/community-not-in-filter")
        assert (one["owner"], LACKING in one["request"]) == ("network", True)


@of_module
@pytest.mark.lab
@pytest.mark.hosts
@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--resolver", "10.1.0.53"), "--resolver with --inventory"),
        (("--location", "japaneast", "--bundle-key", "none.pub"), "none.pub"),
    ],
)
async def test_what_does_not_go_together_is_refused(
    watched: Watched, words: tuple[str, ...], says: str
) -> None:
    done = await watched.run("--inventory", str(watched.rows()), "--rounds", "1", *words)
    assert done.code == 2
    assert says in done.err


@of_module
@pytest.mark.lab
@pytest.mark.hosts
async def test_a_watch_from_servers_is_no_service(watched: Watched) -> None:
    done = await watched.run("install", "--inventory", str(watched.rows()))
    assert done.code == 2
    assert "not written as a service" in done.err
