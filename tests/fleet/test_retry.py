"""What is tried again within a run, by its cause; and which hosts `retry` takes up."""

import pytest

from arcferry import catalog
from arcferry.diagnosis.words import entry
from arcferry.fleet.outcome import StepResult, StepState
from arcferry.fleet.retries import pause_before, retries, retry_of
from arcferry_lab.hosts.faults import lay

from .conftest import Fleet


def failure(code: str, **more: object) -> StepResult:
    return StepResult("connect", StepState.FAILED, code=code, **more)  # type: ignore[arg-type]


def test_what_is_tried_again_is_a_cause_or_a_code_that_is_known() -> None:
    for name, retry in retries().items():
        assert retry.source
        assert 1 <= retry.times <= 5
        assert "/" not in name or entry(name)
        assert "/" in name or catalog.code(name).retry


@pytest.mark.parametrize(
    "code", ["AZCM0145", "azcm0061", "TooManyRequests", "InternalServerError", "AADSTS90033"]
)
def test_what_passes_by_itself_is_tried_again(code: str) -> None:
    assert retry_of(failure(code)) is not None


@pytest.mark.parametrize(
    "code", ["", "AZCM0026", "AZCM0042", "AADSTS7000222", "AuthorizationFailed", "nonsense"]
)
def test_what_somebody_has_to_change_is_not(code: str) -> None:
    assert retry_of(failure(code)) is None


def test_nor_is_what_could_not_be_reached() -> None:
    assert retry_of(failure("AZCM0061", unreachable=("gbl.his.arc.azure.com",))) is None


def test_waits_grow_and_differ() -> None:
    retry = retries()["arm/throttled"]
    first = {pause_before(retry, 1) for _ in range(50)}
    assert len(first) > 40
    assert all(retry.base / 2 <= one <= retry.base * 1.5 for one in first)
    assert min(pause_before(retry, 3) for _ in range(50)) >= retry.base * 2


@pytest.mark.lab
@pytest.mark.hosts
async def test_retry_takes_up_the_hosts_that_failed_and_no_other(fleet: Fleet) -> None:
    none = await fleet.run("retry", "--failed")
    assert none.code == 2
    assert "arcferry onboard apply" in none.err
    broken = fleet.twin.servers.hosts[1]
    await lay("host/refuses-connect", broken)
    first = await fleet.run("apply")
    assert first.outcomes == {"server01": "connected", "server02": "failed", "server03": "connected"}
    (cause,) = {found["cause"] for found in first.document["findings"] if found["severity"] == "error"}
    other = await fleet.run("retry", "--failed", "--cause", "arm/throttled")
    assert other.code == 2
    assert cause in other.err
    assert (await fleet.run("retry", "--failed", "--run", "0123456789ab")).code == 3
    before = len(fleet.events())
    again = await fleet.run("retry", "--failed", "--cause", cause)
    assert again.code == 1
    assert again.host("server02")["attempt"] == 2
    started = {event["host"] for event in fleet.events()[before:] if event["event"] == "started"}
    assert started == {"server02"}
