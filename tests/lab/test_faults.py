from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

import aiohttp
import dns.exception
import dns.resolver
import pytest

from arcferry import times
from arcferry.errors import InputError, UnknownNameError
from arcferry_lab.faults import FAULTS, LOOPBACK, NAMESPACES, Faults
from arcferry_lab.twin import Twin

if TYPE_CHECKING:
    from tests.lab.conftest import Browser

HOST = "login.microsoftonline.com"


@pytest.mark.lab
@pytest.mark.parametrize(
    ("fault", "error", "says"),
    [
        ("dns/name-not-found", dns.resolver.NXDOMAIN, "not exist"),
        ("dns/resolver-fails", dns.resolver.NoNameservers, "SERVFAIL"),
        ("tcp/silent", TimeoutError, None),
        ("tcp/refused", aiohttp.ClientConnectorError, "Connect call failed"),
        ("tls/expired", aiohttp.ClientConnectorCertificateError, "certificate has expired"),
        ("tls/name-mismatch", aiohttp.ClientConnectorCertificateError, "Hostname mismatch"),
        (
            "tls/intercepted",
            aiohttp.ClientConnectorCertificateError,
            "self-signed certificate in certificate chain",
        ),
        ("tls/connection-cut", aiohttp.ClientConnectorError, None),
        ("path/no-http-answer", TimeoutError, None),
        ("service/reset", aiohttp.ServerDisconnectedError, None),
    ],
)
async def test_a_fault_of_an_endpoint_strikes_it_alone_and_ends(
    twin: Twin, browser: "Browser", fault: str, error: type[Exception], says: str | None
) -> None:
    assert await browser.status(HOST) == 404
    await twin.add_fault(fault, HOST)
    with pytest.raises(error, match=says):
        await browser.status(HOST)
    assert await browser.status("management.azure.com") == 401
    assert await twin.remove_fault(fault) == 1
    assert await browser.status(HOST) == 404


@pytest.mark.lab
async def test_a_silent_resolver_times_out(twin: Twin, browser: "Browser") -> None:
    twin.azure.faults.add("dns/silent", "*.his.arc.azure.com")
    with pytest.raises((dns.exception.Timeout, TimeoutError)):
        await browser.status("gbl.his.arc.azure.com")
    assert await browser.status(HOST) == 404


@pytest.mark.lab
async def test_the_clock_runs_ahead(twin: Twin, browser: "Browser") -> None:
    twin.azure.faults.add("clock/skew")
    _, _, headers = await browser.ask("GET", f"https://{HOST}/")
    ahead = parsedate_to_datetime(headers["Date"]) - times.now()
    assert 3590 < ahead.total_seconds() < 3610


@pytest.mark.lab
async def test_an_expired_certificate_strikes_a_client_that_names_no_host(twin: Twin) -> None:
    twin.azure.faults.add("tls/expired", "management.azure.com")
    context = twin.authority.client_context()
    async with aiohttp.ClientSession() as session:
        with pytest.raises(aiohttp.ClientConnectorCertificateError, match="expired"):
            await session.get(twin.azure.arm_url, ssl=context)


def test_a_fault_counts_down_and_is_gone() -> None:
    faults = Faults()
    faults.add("arm/429", times=2)
    assert [faults.take("arm/429") for _ in range(3)] == [True, True, False]
    assert faults.active() == ()


def test_a_fault_is_switched_on_once_however_often_it_is_added() -> None:
    faults = Faults()
    faults.add("arm/500", times=9)
    faults.add("arm/500", times=1)
    assert [one.times for one in faults.active()] == [1]


def test_removing_by_host_leaves_the_others() -> None:
    faults = Faults()
    faults.add("path/no-http-answer", "A.example")
    faults.add("path/no-http-answer", "b.example")
    assert faults.remove("path/no-http-answer", "a.example") == 1
    assert [one.host for one in faults.active()] == ["b.example"]
    assert faults.take("path/no-http-answer", "c.example") is False


def test_a_near_name_is_offered() -> None:
    with pytest.raises(UnknownNameError) as caught:
        Faults().add("arm/42")
    assert "arm/429" in caught.value.near or "arm/401" in caught.value.near


def test_an_endpoint_must_be_named_and_times_be_positive() -> None:
    with pytest.raises(InputError, match="name it"):
        Faults().add("path/no-http-answer")
    with pytest.raises(InputError, match="at least once"):
        Faults().add("arm/500", times=0)


def test_every_fault_says_what_it_does() -> None:
    assert len({fault.name for fault in FAULTS}) == len(FAULTS)
    assert all(fault.does and "/" in fault.name for fault in FAULTS)
    assert all(fault.networks <= {LOOPBACK, NAMESPACES} and fault.networks for fault in FAULTS)


def test_a_fault_that_is_named_like_a_cause_leads_to_it() -> None:
    slugs = {fault.cause for fault in FAULTS}
    assert all(fault.cause == fault.name for fault in FAULTS if fault.name in slugs)


def test_a_network_refuses_what_it_cannot_produce() -> None:
    with pytest.raises(InputError, match="the loopback network has not"):
        Faults(LOOPBACK).add("route/session-down")
    assert Faults(NAMESPACES).add("route/session-down").fault.cause == "route/session-down"
    assert Faults(LOOPBACK).add("tcp/refused", "a.example")
