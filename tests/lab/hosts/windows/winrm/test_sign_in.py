"""Who gets in, and how: NTLM, Basic and certificates, over HTTP and TLS, as pypsrp signs in."""

import http.client
import json
from pathlib import Path

import pytest
import requests
from pypsrp.exceptions import AuthenticationError, WinRMTransportError, WSManFaultError
from tests.lab.hosts.windows.winrm.conftest import Service, in_thread

from arcferry_lab.pki import Authority, new_rsa_key

pytestmark = pytest.mark.lab
DENIED = 5


@pytest.mark.parametrize("ssl", [False, True])
@pytest.mark.parametrize("auth", ["ntlm", "negotiate"])
@pytest.mark.parametrize(
    "user",
    [
        "Administrator",
        "ADMINISTRATOR",
        "win01\\administrator",
        ".\\Administrator",
        "CORP\\arc",
        "arc@corp.example",
    ],
)
async def test_an_administrator_signs_in(service: Service, ssl: bool, auth: str, user: str) -> None:
    done = await service.run("echo $USER", wsman=service.wsman(ssl=ssl, auth=auth, user=user))
    assert done.stdout == (b"arc\n" if "arc" in user else b"Administrator\n")


async def test_messages_in_tls_may_be_encrypted_as_well(service: Service) -> None:
    assert (await service.run("exit 3", wsman=service.wsman(ssl=True, encryption="always"))).rc == 3


@pytest.mark.parametrize(
    ("user", "password"),
    [("Administrator", "wrong"), ("stranger", ""), ("late", ""), ("OTHER\\Administrator", ""), ("arc", "")],
)
@pytest.mark.parametrize(("auth", "ssl"), [("ntlm", False), ("ntlm", True), ("basic", True)])
async def test_nobody_else_does(service: Service, auth: str, ssl: bool, user: str, password: str) -> None:
    service.server.change(basic=True)
    given = {"password": password} if password else {}
    with pytest.raises(AuthenticationError, match="Failed to authenticate"):
        await service.run("true", wsman=service.wsman(ssl=ssl, auth=auth, user=user, **given))
    assert service.computer.lines == []


@pytest.mark.parametrize(
    ("user", "token_filter", "denied"),
    [
        ("operator", True, True),
        ("operator", False, False),
        ("visitor", False, True),
        ("CORP\\nobody", True, True),
        ("CORP\\arc", True, False),
        ("Administrator", True, False),
    ],
)
async def test_the_command_shell_is_open_to_administrators(
    service: Service, user: str, token_filter: bool, denied: bool
) -> None:
    service.server.change(token_filter=token_filter)
    if not denied:
        assert (await service.run("exit 4", wsman=service.wsman(user=user))).rc == 4
        return
    with pytest.raises(WSManFaultError) as raised:
        await service.run("true", wsman=service.wsman(user=user))
    assert (raised.value.code, raised.value.reason) == (DENIED, "Access is denied.")


async def test_a_plain_message_over_http_is_refused_after_sign_in(service: Service) -> None:
    with pytest.raises(WinRMTransportError) as raised:
        await service.run("true", wsman=service.wsman(encryption="never"))
    assert (raised.value.code, raised.value.response_text) == (500, "")
    service.server.change(allow_unencrypted=True)
    assert (await service.run("exit 6", wsman=service.wsman(encryption="never"))).rc == 6


async def test_basic_over_tls_alone_and_only_where_it_is_on(service: Service) -> None:
    with pytest.raises(AuthenticationError):
        await service.run("true", wsman=service.wsman(ssl=True, auth="basic"))
    service.server.change(basic=True, allow_unencrypted=True)
    assert (await service.run("exit 5", wsman=service.wsman(ssl=True, auth="basic"))).rc == 5
    with pytest.raises(AuthenticationError):
        await service.run("true", wsman=service.wsman(auth="basic", encryption="never"))


@pytest.fixture
def certificate(authority: Authority, tmp_path: Path) -> dict[str, str]:
    return _certificate(authority, tmp_path, "arc@corp.example")


def _certificate(authority: Authority, folder: Path, name: str) -> dict[str, str]:
    leaf = authority.issue([name], client=True, key=new_rsa_key())
    (folder / "user.pem").write_bytes(leaf.certificate_pem)
    (folder / "user.key").write_bytes(leaf.key_pem)
    return {"certificate_pem": str(folder / "user.pem"), "certificate_key_pem": str(folder / "user.key")}


async def test_a_certificate_is_the_account_that_its_principal_name_maps_to(
    service: Service, certificate: dict[str, str]
) -> None:
    with pytest.raises(AuthenticationError):
        await service.run("true", wsman=service.wsman(ssl=True, auth="certificate", **certificate))
    service.server.change(certificate=True)
    done = await service.run("echo $USER", wsman=service.wsman(ssl=True, auth="certificate", **certificate))
    assert done.stdout == b"arc\n"


async def test_other_certificates_are_nobodys(service: Service, authority: Authority, tmp_path: Path) -> None:
    service.server.change(certificate=True)
    other = _certificate(authority, tmp_path, "other@corp.example")
    with pytest.raises(AuthenticationError):
        await service.run("true", wsman=service.wsman(ssl=True, auth="certificate", **other))
    forged = _certificate(Authority("forged"), tmp_path, "arc@corp.example")
    with pytest.raises(requests.exceptions.ConnectionError):
        await service.run("true", wsman=service.wsman(ssl=True, auth="certificate", **forged))


async def test_the_service_tells_what_it_is_without_sign_in_and_what_it_takes(service: Service) -> None:
    service.server.change(basic=True)

    def asked(**headers: str) -> tuple[int, list[str], str]:
        connection = http.client.HTTPConnection("127.0.0.1", service.server.ports[False])
        connection.request("POST", "/wsman", body=b"", headers=headers)
        answer = connection.getresponse()
        found = answer.headers.get_all("WWW-Authenticate") or []
        text = answer.read().decode()
        connection.close()
        return answer.status, found, text

    assert await in_thread(asked) == (401, ["Negotiate", "Kerberos"], "")
    status, _, text = await in_thread(asked, WSMANIDENTIFY="unauthenticated")
    assert status == 200
    assert "<wsmid:ProductVersion>OS: 0.0.0 SP: 0.0 Stack: 3.0</wsmid:ProductVersion>" in text


@pytest.mark.parametrize(
    "header",
    [
        "Negotiate",
        "Negotiate !!!",
        "Negotiate AAAA",
        "Kerberos YIIA",
        "Basic",
        "Negotiate TlRMTVNTUAABAAAA",
        "Bearer x",
    ],
)
async def test_no_header_gets_more_than_a_refusal(service: Service, header: str) -> None:
    def asked() -> int:
        return requests.post(
            f"http://127.0.0.1:{service.server.ports[False]}/wsman",
            data=json.dumps({}),
            headers={"Authorization": header},
            timeout=5,
        ).status_code

    assert await in_thread(asked) == 401


@pytest.mark.parametrize(
    ("method", "path", "status"), [("GET", "/wsman", 405), ("POST", "/", 404), ("POST", "/wsman", 401)]
)
async def test_what_is_no_request(service: Service, method: str, path: str, status: int) -> None:
    url = f"http://127.0.0.1:{service.server.ports[False]}{path}"
    assert (await in_thread(requests.request, method, url, timeout=5)).status_code == status
