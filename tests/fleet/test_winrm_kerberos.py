"""WinRM by Kerberos, in a realm of the twin's: tickets, keytabs, and what is never done in their place."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from tests.fleet.test_winrm import Computer
from tests.fleet.test_winrm_strangers import answering, http

from arcferry.errors import HostSignInError
from arcferry.fleet.inventory import Host
from arcferry.fleet.transport.winrm import open_winrm
from arcferry.fleet.transport.winrm_trust import WinrmTrust
from arcferry_lab.hosts.windows.winrm import (
    Account,
    Directory,
    Realm,
    WinRmServer,
    WinRmSettings,
    cannot_serve,
    lay,
)
from arcferry_lab.pki import Authority

pytestmark = [pytest.mark.lab, pytest.mark.xdist_group("kerberos")]
ADDRESS, OTHER = "127.65.0.12", "127.65.0.13"
DOMAIN = "corp.example"
PASSWORD = "Pa55 wörd 密碼"
USER = "arc@CORP.EXAMPLE"


@dataclass
class Site:
    """A server of a domain, and the realm of that."""

    service: WinRmServer
    realm: Realm
    folder: Path

    def host(self, *, tls: bool, auth: str = "kerberos") -> Host:
        # The name goes to Kerberos, as an address has no ticket.
        return Host(f"web01.{DOMAIN}", ADDRESS, self.service.ports[tls], transport="winrm", auth=auth)

    def trust(self, **other: Any) -> WinrmTrust:  # noqa: ANN401  # any of its fields
        return replace(WinrmTrust(user=USER, ca_file=self.folder / "ca.pem"), **other)

    @property
    def tickets(self) -> bytes:
        return (self.folder / "tickets").read_bytes()

    async def signed_in(self, host: Host, trust: WinrmTrust) -> None:
        session = await open_winrm(host, trust)
        try:
            done = await session.run(["echo.exe"], stdin=b"given " * 20_000)
        finally:
            await session.close()
        assert (done.exit_status, len(done.stdout)) == (0, 120_000)
        assert self.service.shells._shells == {}


def _have_ticket(password: str) -> None:
    """What `kinit` does."""
    krb5 = pytest.importorskip("krb5")

    context = krb5.init_context()
    principal = krb5.parse_name_flags(context, USER.encode())
    options = krb5.get_init_creds_opt_alloc(context)
    credential = krb5.get_init_creds_password(context, principal, options, password=password.encode())
    cache = krb5.cc_default(context)
    krb5.cc_initialize(context, cache, principal)
    krb5.cc_store_cred(context, cache, credential)


@pytest.fixture
async def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Site]:
    if reason := cannot_serve():
        pytest.skip(f"no Kerberos here: {reason}")
    authority = Authority("Contoso Server CA")
    (tmp_path / "ca.pem").write_bytes(authority.pem)
    accounts = (Account("arc", PASSWORD, domain=DOMAIN),)
    realm = Realm(DOMAIN, tmp_path / "realm")
    computer = Computer("web01", DOMAIN, ADDRESS)
    service = WinRmServer(computer, Directory("web01", accounts, realm=realm), WinRmSettings(), authority)
    await realm.start(accounts, ["web01"])
    await service.start()
    monkeypatch.setenv("KRB5_CONFIG", str(realm.config))
    monkeypatch.setenv("KRB5CCNAME", f"FILE:{tmp_path / 'tickets'}")
    try:
        yield Site(service, realm, tmp_path)
    finally:
        await service.stop()
        await realm.stop()


@pytest.mark.parametrize("tls", [False, True])
@pytest.mark.parametrize("user", [USER, ""])
async def test_a_ticket_at_hand_signs_in(site: Site, user: str, tls: bool) -> None:
    await asyncio.to_thread(_have_ticket, PASSWORD)
    await site.signed_in(site.host(tls=tls), site.trust(user=user))
    asked = [kind for kind in (b"HTTP", b"WSMAN", b"host") if kind in site.tickets]
    assert asked == [b"HTTP"]


@pytest.mark.parametrize("tls", [False, True])
@pytest.mark.parametrize("user", [USER, ""])
async def test_a_keytab_signs_in(site: Site, user: str, tls: bool) -> None:
    keytab = site.folder / "arc.keytab"
    await site.realm.export("arc", keytab)
    keytab.chmod(0o600)
    await site.signed_in(site.host(tls=tls), site.trust(user=user, keytab=keytab))


@pytest.mark.parametrize("tls", [False, True])
async def test_a_password_gets_a_ticket_and_leaves_none(site: Site, tls: bool) -> None:
    await site.signed_in(site.host(tls=tls, auth=""), site.trust(password=PASSWORD))
    assert not (site.folder / "tickets").exists()


@pytest.mark.parametrize("tls", [False, True])
async def test_a_clock_that_differs_is_told(site: Site, tls: bool) -> None:
    await lay("winrm/clock-skew", site.service)
    await _refused(
        site.host(tls=tls), site.trust(password=PASSWORD), "the clocks of this machine", "timedatectl"
    )


async def test_no_ticket_is_told(site: Site) -> None:
    await _refused(site.host(tls=False), site.trust(), "Kerberos: no ticket at hand", "kinit")


async def test_a_server_that_the_domain_does_not_know_is_told(site: Site) -> None:
    host = replace(site.host(tls=False), name=f"other.{DOMAIN}")
    await _refused(host, site.trust(password=PASSWORD), "the domain knows no such server", "full name")


async def test_another_password_is_told(site: Site) -> None:
    await _refused(site.host(tls=False), site.trust(password="another"), "refused the user", "name@REALM")


async def test_ntlm_is_not_taken_over_http_in_place_of_kerberos(site: Site) -> None:
    await site.realm.stop()
    trust = site.trust(password=PASSWORD)
    await _refused(site.host(tls=False, auth=""), trust, "no domain controller", "write auth ntlm")
    await site.signed_in(site.host(tls=True, auth=""), trust)
    await site.signed_in(site.host(tls=False, auth="ntlm"), trust)


async def test_whoever_blocks_the_rest_gets_no_answer_of_ntlms(site: Site) -> None:
    await site.realm.stop()
    offer = http("401 No", "WWW-Authenticate: Negotiate")
    async with answering(offer, address=OTHER) as heard:
        host = Host(f"web01.{DOMAIN}", OTHER, 0, transport="winrm")
        for user, says in (
            (USER, "no domain controller"),
            ("Administrator", "no auth"),
            ("CORP\\arc", "no auth"),
        ):
            await _refused(host, site.trust(user=user, password=PASSWORD), says, "write auth ntlm")
    assert b"TlRMTVNT" not in b"".join(heard)  # NTLMSSP


async def _refused(host: Host, trust: WinrmTrust, says: str, hint: str) -> None:
    with pytest.raises(HostSignInError) as refused:
        await open_winrm(host, trust)
    assert says in refused.value.message
    assert hint in refused.value.hint
    assert PASSWORD not in refused.value.message + refused.value.hint
