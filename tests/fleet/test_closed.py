"""A fleet by SSH where nothing but the twin's Azure can be reached, as where arcferry is for."""

import errno
import socket
from pathlib import Path

import pytest
from tests.matrix.closed import ClosedNetwork

from arcferry_lab.hosts import unavailable
from arcferry_lab.twin import Twin, TwinSettings

from .conftest import EVERYTHING, Fleet, Sealed, ended

pytestmark = [pytest.mark.lab, pytest.mark.hosts]


def test_a_bundle_takes_servers_in_that_have_no_other_way(tmp_path: Path, sealed: Sealed) -> None:
    if reason := unavailable():
        pytest.skip(f"no hosts here: {reason}")
    with ClosedNetwork() as closed:
        if not closed.isolated:
            pytest.skip("this machine allows no network namespaces")
        closed.run(_taken_in(sealed, tmp_path))


async def _taken_in(sealed: Sealed, folder: Path) -> None:
    async with Twin.start(TwinSettings(folder / "twin", hosts=2, communities=EVERYTHING)) as twin:
        with socket.socket() as probe:
            assert probe.connect_ex(("192.0.2.1", 443)) == errno.ENETUNREACH
        for host in twin.servers.hosts:
            ways = await host.run("tail -n +2 /proc/net/route; cut -d : -f 1 -s /proc/net/dev")
            assert ways.stdout.split() == ["lo"]
        fleet = Fleet(twin, sealed, folder)
        # Not forked from a process outside: an abstract address is one network namespace's alone.
        done = await ended(await fleet.start("apply", "--output", "json"))
        assert (done.code, set(done.outcomes.values())) == (0, {"connected"}), done.err
        machines = [host["machine"] for host in done.document["hosts"]]
        assert [machine["status"] for machine in machines] == ["Connected", "Connected"]
