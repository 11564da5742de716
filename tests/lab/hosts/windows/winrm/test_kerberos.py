"""Kerberos: tickets of a realm of the lab's, as pypsrp gets and uses them."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from pypsrp.exceptions import AuthenticationError, WSManFaultError
from tests.lab.hosts.windows.winrm.conftest import ACCOUNTS, Service

from arcferry_lab.errors import LabError
from arcferry_lab.hosts.windows.winrm import Account, Realm, cannot_serve, lay

pytestmark = pytest.mark.lab
NAME = "win01.corp.example"
PLAIN = 'It is "quite" long'


@pytest.fixture
async def realm(service: Service, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Realm]:
    reason = cannot_serve()
    if reason:
        pytest.skip(f"no Kerberos here: {reason}")
    realm = Realm("corp.example", tmp_path / "realm")
    accounts = (*ACCOUNTS, Account("away", PLAIN, domain="corp.example", locked=True))
    await realm.start(accounts, ["win01"])
    service.server.directory.realm = realm
    monkeypatch.setenv("KRB5_CONFIG", str(realm.config))
    monkeypatch.setenv("KRB5CCNAME", f"FILE:{tmp_path / 'ccache'}")
    yield realm
    await realm.stop()


@pytest.mark.parametrize("kind", ["HTTP", "host", "WSMAN"])
@pytest.mark.parametrize("ssl", [False, True])
async def test_a_ticket_signs_in_and_encrypts(service: Service, realm: Realm, ssl: bool, kind: str) -> None:
    wsman = service.wsman(
        ssl=ssl,
        auth="kerberos",
        user="arc@CORP.EXAMPLE",
        negotiate_hostname_override=NAME,
        negotiate_service=kind,
    )
    done = await service.run("cat; echo $USER; exit 3", wsman=wsman, stdin=b"given " * 60_000)
    assert (done.stdout[-4:], len(done.stdout), done.rc) == (b"arc\n", 360_004, 3)


async def test_negotiate_takes_kerberos_where_it_can(service: Service, realm: Realm) -> None:
    wsman = service.wsman(
        auth="negotiate", user="arc@CORP.EXAMPLE", negotiate_hostname_override=NAME, negotiate_service="HTTP"
    )
    assert (await service.run("exit 2", wsman=wsman)).rc == 2
    (context,) = wsman.transport.session.auth.contexts.values()
    assert context.negotiated_protocol == "kerberos"


@pytest.mark.parametrize(
    ("user", "says"),
    [
        ("away@CORP.EXAMPLE", "credentials have been revoked"),
        ("stranger@CORP.EXAMPLE", "not found in Kerberos database"),
    ],
)
async def test_who_gets_no_ticket_is_told_why(service: Service, realm: Realm, user: str, says: str) -> None:
    with pytest.raises(Exception, match=says):
        await _tried(service, user)


async def test_a_ticket_alone_makes_no_administrator(service: Service, realm: Realm) -> None:
    with pytest.raises(WSManFaultError) as raised:
        await _tried(service, "nobody@CORP.EXAMPLE")
    assert raised.value.code == 5


async def test_another_clock_gives_no_tickets(service: Service, realm: Realm) -> None:
    await lay("winrm/clock-skew", service.server)
    with pytest.raises(Exception, match="Clock skew too great"):
        await _tried(service)


@pytest.mark.parametrize(
    ("fault", "says"),
    [("winrm/wrong-password", "Preauthentication failed"), ("winrm/account-locked", "have been revoked")],
)
async def test_faults_of_accounts_are_the_realms_too(
    service: Service, realm: Realm, fault: str, says: str
) -> None:
    await lay(fault, service.server)
    with pytest.raises(Exception, match=says):
        await _tried(service)


async def test_a_ticket_for_an_account_that_the_server_does_not_know_is_refused(
    service: Service, realm: Realm
) -> None:
    directory = service.server.directory
    directory.accounts = tuple(
        replace(one, domain="other.example") for one in directory.accounts if one.domain
    )
    with pytest.raises(AuthenticationError):
        await _tried(service)


async def test_no_realm_has_no_clock(service: Service) -> None:
    with pytest.raises(LabError, match="no Kerberos realm"):
        await lay("winrm/clock-skew", service.server)


async def _tried(service: Service, user: str = "arc@CORP.EXAMPLE") -> None:
    wsman = service.wsman(
        auth="kerberos", user=user, negotiate_hostname_override=NAME, negotiate_service="HTTP"
    )
    async with asyncio.timeout(30):
        await service.run("true", wsman=wsman)
