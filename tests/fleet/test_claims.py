"""One server is one row's of the inventory, and is told before anything is written to it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from arcferry.fleet.claims import Claims
from arcferry.fleet.host_state import Action, HostFacts
from arcferry.fleet.inventory import Host

from .conftest import Fleet
from .test_decide import BARE

ONE = Host("web01", "10.0.0.1", line=2)
TWO = Host("web02", "10.0.0.2", line=3)
LONG = Host("web03.corp.example", "10.0.0.3", line=4)
NAMES = {host.name: host for host in (ONE, TWO, LONG)}
FIRST = replace(BARE, hostname="web01", machine_id="a" * 32, vm_uuid="u")
SECOND = replace(BARE, hostname="web02", machine_id="b" * 32, vm_uuid="v")


def objections(*answers: tuple[Host, HostFacts]) -> list[str]:
    claims = Claims(NAMES)
    found = [claims.objection(host, facts) for host, facts in answers]
    assert all(one is None or (one.action is Action.BLOCK and one.hint) for one in found)
    return ["" if one is None else one.why for one in found]


FINE = {
    "two servers": ((ONE, FIRST), (TWO, SECOND)),
    "the same one twice": ((ONE, FIRST), (ONE, FIRST)),
    "a clone with a name of its own": ((ONE, FIRST), (TWO, replace(FIRST, hostname="web02"))),
    "nothing is known": ((ONE, replace(BARE, hostname="x")), (TWO, replace(BARE, hostname="x"))),
    "a name that no row has": ((ONE, replace(FIRST, hostname="localhost")),),
    "its full name": ((ONE, replace(FIRST, hostname="WEB01.corp.example")),),
    "its short name": ((LONG, replace(FIRST, hostname="web03")),),
}


@pytest.mark.parametrize("case", FINE)
def test_nothing_to_object_to(case: str) -> None:
    assert objections(*FINE[case]) == [""] * len(FINE[case])


def test_two_names_for_one_server() -> None:
    other = replace(FIRST, hostname="elsewhere")
    first, second = objections((ONE, other), (TWO, other))
    assert first == ""
    assert second.startswith("it is the server that web01 is too (line 2, 10.0.0.1)")


@pytest.mark.parametrize("calls", ["web02", "WEB02.corp.example"])
def test_a_server_that_answers_with_another_rows_name(calls: str) -> None:
    (why,) = objections((ONE, replace(FIRST, hostname=calls)))
    assert why == (
        f"the server at 10.0.0.1 calls itself {calls}, which is the name of line 3 of the inventory "
        "(10.0.0.2), and not web01"
    )


@asynccontextmanager
async def another_way_to(fleet: Fleet, number: int) -> AsyncIterator[int]:
    """A port at which one of the twin's hosts answers too, as behind a second address of it."""
    host = fleet.twin.servers.hosts[number].settings

    async def carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(65536):
                writer.write(data)
                await writer.drain()
        except ConnectionError:
            pass
        finally:
            writer.close()

    async def join(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_connection(host.address, host.port)
        await asyncio.gather(carry(reader, far_writer), carry(far_reader, writer))

    async with await asyncio.start_server(join, "127.0.0.1", 0) as server:
        port: int = server.sockets[0].getsockname()[1]
        known = fleet.twin.paths.known_hosts
        keys = [line.split(maxsplit=1) for line in known.read_text().splitlines()]
        own = next(key for place, key in keys if host.address in place)
        known.write_text(f"{known.read_text()}[127.0.0.1]:{port} {own}\n")
        yield port


@pytest.mark.lab
@pytest.mark.hosts
async def test_two_rows_that_reach_one_server(fleet: Fleet) -> None:
    inventory = fleet.twin.paths.inventory
    async with another_way_to(fleet, 0) as port:
        header = inventory.read_text().splitlines()[0]
        cells = {"name": "alias01", "address": "127.0.0.1", "port": str(port)}
        row = ",".join(cells.get(column, "") for column in header.split(","))
        inventory.write_text(f"{inventory.read_text()}{row}\n")
        done = await fleet.run("apply")
    assert done.code == 1, done.err
    assert (done.outcomes["server01"], done.outcomes["alias01"]) == ("connected", "blocked"), done.out
    failure = done.host("alias01")["failure"]
    assert failure["step"] == "stage"
    assert "calls itself server01, which is the name of line 2 of the inventory" in failure["says"]
    assert set(fleet.puts()) == {"server01", "server02", "server03"}
