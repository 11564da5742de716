"""Hosts that somebody else connected after the preflight: healthy, whatever the preflight's list said."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace

import pytest
from tests.azure.conftest import aim, principal

from arcferry import azure
from arcferry.fleet.inventory import read_inventory
from arcferry.fleet.plan import FleetPlan, plan
from arcferry.fleet.task import RunContext, RunRequest
from arcferry.fleet.transport.trust import SignIn, read_trust
from arcferry_lab.azure.errors import ArmError
from arcferry_lab.azure.state import CannedResponse
from arcferry_lab.twin import RESOURCE_GROUP

from .conftest import Fleet

pytestmark = [pytest.mark.lab, pytest.mark.hosts]


Planning = Callable[[], Awaitable[FleetPlan]]


@pytest.fixture
async def by_an_older_list(fleet: Fleet, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Planning]:
    """Plans of a run whose preflight found no machine, though another apply connected every host since."""
    monkeypatch.setattr("arcferry.azure.session.RETRIES", 0)
    twin = fleet.twin
    target, who = aim(twin), principal(twin)
    sign_in = SignIn(read_trust(twin.paths.known_hosts, twin.paths.key, "root"))
    hosts = read_inventory(twin.paths.inventory)
    order = RunRequest(hosts, fleet.sealed.open(), sign_in, target, who, fleet.state)
    async with azure.signed_in(target, who) as session:
        preflight = await azure.prepare(session)
        assert preflight.machines == {}
        assert (await fleet.run("apply")).code == 0
        shared = replace(RunContext.of(order), azure=session, machines=preflight.machines)
        yield lambda: plan(shared, preflight.checks)


async def test_a_host_that_another_apply_connected_since_is_healthy(by_an_older_list: Planning) -> None:
    found = await by_an_older_list()
    assert [host.to_run for host in found.hosts] == [("verified",)] * 3
    for host in found.hosts:
        assert host.state is not None
        assert host.state.machine is not None
        assert host.state.machine.status == "Connected"


def refusal(status: int, code: str) -> CannedResponse:
    body = ArmError(status, code, "No.").response().body
    assert isinstance(body, bytes)
    return CannedResponse(body, status)


SILENT = {
    "403": (refusal(403, "AuthorizationFailed"), "403 AuthorizationFailed"),
    "no group": (refusal(404, "ResourceGroupNotFound"), "404 ResourceGroupNotFound"),
    "no subscription": (refusal(404, "SubscriptionNotFound"), "no subscription"),
    "429": (refusal(429, "TooManyRequests"), "429 TooManyRequests"),
    "500": (refusal(500, "InternalServerError"), "500 InternalServerError"),
    "a page": (CannedResponse(b"<html></html>", 404, "text/html"), "HTTP 404 without a code"),
    "no machine": (CannedResponse(b"[1, 2]"), "cannot be read"),
}


async def test_what_azure_does_not_tell_is_not_told_as_gone(fleet: Fleet, by_an_older_list: Planning) -> None:
    for reply, says in SILENT.values():
        fleet.twin.azure.replies["*/machines/server*"] = reply
        for host in (await by_an_older_list()).hosts:
            assert host.blocked is None
            assert says in next(decision.why for name, decision in host.steps if name == "connect")


async def test_a_machine_that_azure_says_is_gone(fleet: Fleet, by_an_older_list: Planning) -> None:
    del fleet.twin.azure.machines[RESOURCE_GROUP, "server02"]
    gone = {host.host.name: host.blocked for host in (await by_an_older_list()).hosts}
    assert gone["server01"] is None
    assert gone["server02"] is not None
    assert "ARM no longer has" in gone["server02"][1].why
