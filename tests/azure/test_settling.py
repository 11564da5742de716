"""ARM answers 403 and 404 for minutes after a role or a group is made; that is waited out, within bounds."""

import asyncio

import pytest

from arcferry import azure, errors
from arcferry.fleet import poller
from arcferry.fleet.settling import Settling, may_pass
from arcferry_lab.azure.errors import ArmError
from arcferry_lab.azure.state import ArcMachine, CannedResponse
from arcferry_lab.twin import RESOURCE_GROUP, Twin

from .conftest import aim, principal

pytestmark = pytest.mark.lab


@pytest.mark.parametrize("fault", ["arm/401", "arm/403", "arm/404"])
async def test_a_passing_refusal_ends_no_watch(twin: Twin, fault: str) -> None:
    await twin.add_fault(fault, times=2)
    async with azure.signed_in(aim(twin), principal(twin)) as session:
        watch = poller.MachinePoller(session)
        assert await watch.wait_for("web01", lambda _: True, patience=4) is None
        await watch.aclose()


async def test_a_lasting_refusal_ends_it(twin: Twin) -> None:
    await twin.add_fault("arm/403")
    async with azure.signed_in(aim(twin), principal(twin)) as session:
        watch = poller.MachinePoller(session, Settling(0.5))
        with pytest.raises(errors.PermissionDeniedError):
            await watch.wait_for("web01", lambda _: True, patience=60)
        await watch.aclose()


def put_machine(twin: Twin, name: str) -> None:
    machine = ArcMachine(RESOURCE_GROUP, name, "eastasia", {}, {})
    twin.azure.machines[RESOURCE_GROUP, name] = machine


def refused(status: int, code: str) -> CannedResponse:
    body = ArmError(status, code, "No.").response().body
    assert isinstance(body, bytes)
    return CannedResponse(body, status)


async def test_each_watch_speaks_of_its_own_host(twin: Twin) -> None:
    twin.azure.replies["*/machines/web01"] = refused(403, "AuthorizationFailed")
    put_machine(twin, "web02")
    async with azure.signed_in(aim(twin), principal(twin)) as session:
        watch = poller.MachinePoller(session, Settling(0))
        bad = asyncio.create_task(watch.wait_for("web01", lambda _: True, patience=60))
        good = await watch.wait_for("web02", lambda _: True, patience=60)
        assert good is not None
        with pytest.raises(errors.PermissionDeniedError, match="web01"):
            await bad
        await watch.aclose()


async def test_a_list_that_is_refused_names_the_host_that_waits(twin: Twin) -> None:
    twin.azure.replies["*/machines"] = refused(403, "AuthorizationFailed")
    names = [f"web{number:02}" for number in range(poller.FEW + 1)]
    async with azure.signed_in(aim(twin), principal(twin)) as session:
        watch = poller.MachinePoller(session, Settling(0))
        waits = [watch.wait_for(name, lambda _: True, patience=60) for name in names]
        found = await asyncio.gather(*waits, return_exceptions=True)
        await watch.aclose()
    assert all(isinstance(error, errors.PermissionDeniedError) for error in found)
    assert [str(error).split(":")[0] for error in found] == names


@pytest.mark.parametrize("body", [b"null", b"[1, 2]", b"{}", b'"x"', b"<html>"])
@pytest.mark.parametrize("many", [False, True])
async def test_an_odd_answer_is_an_error_of_azures_with_the_hosts_name(
    twin: Twin, body: bytes, many: bool
) -> None:
    twin.azure.replies["*/machines" if many else "*/machines/web00"] = CannedResponse(body)
    names = [f"web{number:02}" for number in range(poller.FEW + 1 if many else 1)]
    async with azure.signed_in(aim(twin), principal(twin)) as session:
        watch = poller.MachinePoller(session)
        waits = [watch.wait_for(name, lambda _: True, patience=1) for name in names]
        found = await asyncio.gather(*waits, return_exceptions=True)
        await watch.aclose()
    for name, error in zip(names, found, strict=True):
        assert isinstance(error, errors.AzureUnavailableError)
        assert name in error.message
        assert "cannot be read" in error.message


PASSING = {
    "a new role": (errors.PermissionDeniedError("", code="AuthorizationFailed"), True),
    "a new group": (errors.NotFoundError("", code="ResourceGroupNotFound"), True),
    "ARM's 401": (errors.SignInError("", status=401, code="InvalidAuthenticationToken"), True),
    "another tenant": (errors.SignInError("", status=401, code="InvalidAuthenticationTokenTenant"), False),
    "Entra's no": (errors.SignInError("", status=401, code="AADSTS7000215"), False),
    "a conflict": (errors.ConflictError("", code="Conflict"), False),
}


@pytest.mark.parametrize("case", PASSING)
def test_which_refusals_may_pass(case: str) -> None:
    error, passes = PASSING[case]
    assert may_pass(error) is passes


async def test_what_was_waited_out_for_one_host_is_not_for_the_next() -> None:
    settling, asked = Settling(0.2), []

    async def refuses() -> None:
        asked.append(1)
        raise errors.PermissionDeniedError("no")

    with pytest.raises(errors.PermissionDeniedError):
        await settling.wait_out(refuses)
    assert len(asked) == 2
    with pytest.raises(errors.PermissionDeniedError):
        await settling.wait_out(refuses)
    assert len(asked) == 3
