"""What the real check sees of each fault: the step, and the kind of failure."""

import pytest

from arcferry import catalog
from arcferry.probe.dns import choose_resolvers, resolve
from arcferry.probe.https import check, observe, prepare
from arcferry.probe.observation import Observation
from arcferry.probe.step import ProbeSettings
from arcferry_lab.faults import FAULTS, LOOPBACK
from arcferry_lab.network.dns_faults import PRIVATE_ADDRESS
from arcferry_lab.network.plan import Service
from arcferry_lab.twin import Twin

pytestmark = pytest.mark.lab

HOST = "management.azure.com"
DNS, PROXY, TCP, TLS, HTTP = "dns", "proxy", "tcp", "tls", "http"
SEEN = {
    "dns/name-not-found": (DNS, "nxdomain"),
    "dns/resolver-fails": (DNS, "servfail"),
    "dns/silent": (DNS, "timeout"),
    "dns/resolver-unreachable": (DNS, "timeout"),
    "dns/no-addresses": (DNS, "no-addresses"),
    "dns/blocked-answer": (TCP, "refused"),
    "dns/wrong-address": (TLS, "name-mismatch"),
    "tcp/refused": (TCP, "refused"),
    "tcp/silent": (TCP, "timeout"),
    "tcp/nat-prefix-not-validated": (TCP, "timeout"),
    "tls/intercepted": (TLS, "certificate-untrusted"),
    "tls/untrusted-root": (TLS, "certificate-untrusted"),
    "tls/expired": (TLS, "certificate-expired"),
    "tls/not-yet-valid": (TLS, "certificate-not-yet-valid"),
    "tls/name-mismatch": (TLS, "name-mismatch"),
    "tls/incomplete-chain": (TLS, "incomplete-chain"),
    "tls/protocol-version": (TLS, "tls-protocol-version"),
    "tls/cipher-mismatch": (TLS, "tls-cipher-mismatch"),
    "tls/connection-cut": (TLS, "tls-cut"),
    "tls/no-answer": (TLS, "tls-timeout"),
    "tls/handshake-failed": (TLS, "handshake-failed"),
    "proxy/authentication-required": (PROXY, "proxy-authentication-required"),
    "proxy/refused": (PROXY, "proxy-refused"),
    "proxy/cannot-reach": (PROXY, "proxy-cannot-reach"),
    "proxy/not-a-proxy": (PROXY, "proxy-not-http"),
    "proxy/unreachable": (PROXY, "proxy-unreachable"),
    "proxy/name-not-found": (PROXY, "proxy-name-not-found"),
    "path/no-http-answer": (HTTP, "timeout"),
    "service/reset": (HTTP, "reset"),
    "path/captive-page": (HTTP, "captive-page"),
    "route/community-denied": (TCP, "timeout"),
    "route/empty-route-filter": (TCP, "timeout"),
    "route/no-route-filter": (TCP, "timeout"),
    "route/filter-not-attached": (TCP, "timeout"),
    "route/peering-down": (TCP, "timeout"),
    "route/region-without-community": (TCP, "timeout"),
    "route/not-on-microsoft-peering": (TCP, "timeout"),
}
REGIONAL = ("route/community-not-in-filter", "route/outside-sku-geography")
ELSEWHERE = ("dns/private-answer-leak", "path/discovery-failed", "clock/skew", *REGIONAL)
"""Faults that a test of its own looks at, or that no single probe shows."""


def settings(twin: Twin, *, proxied: bool = False) -> ProbeSettings:
    return ProbeSettings(
        resolver=twin.network.resolver,
        proxy=twin.network.proxy if proxied else None,
        ca_file=twin.paths.ca,
        port=twin.network.port,
    )


async def seen(twin: Twin, host: str, *, proxied: bool = False) -> Observation:
    endpoint = catalog.endpoint_named(host)
    assert endpoint is not None
    return await observe(endpoint, prepare(settings(twin, proxied=proxied)))


@pytest.mark.parametrize("name", SEEN)
async def test_the_step_and_the_kind(twin: Twin, name: str) -> None:
    proxied = name.startswith("proxy/")
    fault = next(one for one in FAULTS if one.name == name)
    await twin.add_fault(name, HOST if fault.needs_host else "")
    struck = await seen(twin, HOST, proxied=proxied)
    assert struck.failure is not None
    assert (struck.failure.stage, struck.failure.kind) == SEEN[name], struck.failure.says

    assert await twin.remove_fault(name) == 1
    healed = await seen(twin, HOST, proxied=proxied)
    assert healed.reachable, healed.failure


def test_every_fault_with_a_cause_is_looked_at() -> None:
    known = {one.name for one in FAULTS if one.cause and LOOPBACK in one.networks}
    assert known == {*SEEN, *ELSEWHERE}


@pytest.mark.parametrize("name", REGIONAL)
async def test_a_regional_fault_spares_what_is_in_every_region(twin: Twin, name: str) -> None:
    await twin.add_fault(name)
    regional = await seen(twin, "eastasia-gas.guestconfiguration.azure.com")
    assert regional.failure is not None
    assert regional.failure.stage == TCP
    assert (await seen(twin, "login.microsoftonline.com")).reachable


async def test_a_discovery_that_fails_leaves_the_regional_name_unknown(twin: Twin) -> None:
    await twin.add_fault("path/discovery-failed")
    cloud = catalog.cloud("AzureCloud")
    result = await check(cloud, catalog.region("eastasia", cloud), settings(twin))
    kinds = [one.failure.kind for one in result.failed if one.failure and not one.endpoint.host]
    assert kinds == ["discovery-failed"]


async def test_a_clock_that_is_wrong_is_measured(twin: Twin) -> None:
    await twin.add_fault("clock/skew")
    found = await seen(twin, HOST)
    assert found.clock_skew == pytest.approx(-3600, abs=5)


async def test_a_private_answer_names_the_private_zone(twin: Twin) -> None:
    await twin.add_fault("dns/private-answer-leak", HOST)
    lookup = await resolve(HOST, choose_resolvers(settings(twin)), 2)
    assert lookup.answer.addresses == (PRIVATE_ADDRESS,)
    assert lookup.answer.chain == ("management.privatelink.azure.com",)


async def test_through_the_proxy_what_the_peering_lacks_is_reached(twin: Twin) -> None:
    await twin.allow()
    assert not (await seen(twin, HOST)).reachable
    assert not twin.network.is_open(twin.network.place(Service.ARM))
    for host in (HOST, "packages.microsoft.com", "login.microsoftonline.com"):
        found = await seen(twin, host, proxied=True)
        assert found.reachable, found.failure
    unknown = catalog.endpoint_named("zz.his.arc.azure.com")
    assert unknown is not None
    found = await observe(unknown, prepare(settings(twin, proxied=True)))
    assert found.failure is not None
    assert found.failure.kind == "proxy-cannot-reach"
