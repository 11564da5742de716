"""Each fault, as a client of the service sees it."""

import http.client
import ssl
from base64 import b64encode

import pytest
import requests
from pypsrp.exceptions import AuthenticationError, WSManFaultError
from pypsrp.shell import WinRS
from tests.lab.hosts.windows.winrm.conftest import PASSWORD, Service, in_thread

from arcferry.errors import UnknownNameError
from arcferry_lab.hosts.windows.winrm import FAULTS, lay

pytestmark = [pytest.mark.lab, pytest.mark.xdist_group("winrm-faults")]  # its last test looks at all before
SEEN = set[str]()


async def _laid(service: Service, name: str) -> None:
    SEEN.add(name)
    await lay(name, service.server)


@pytest.mark.parametrize(
    "name", ["winrm/wrong-password", "winrm/account-locked", "winrm/unencrypted-refused"]
)
async def test_not_let_in(service: Service, name: str) -> None:
    await _laid(service, name)
    with pytest.raises(AuthenticationError):
        await service.run("true")


@pytest.mark.parametrize(
    ("name", "code", "says"),
    [
        ("winrm/token-filtered", 5, "Access is denied."),
        ("winrm/not-administrator", 5, "Access is denied."),
        ("winrm/shells-quota", 2150859173, "a maximum number of 5 concurrent shells"),
    ],
)
async def test_a_fault_with_its_code(service: Service, name: str, code: int, says: str) -> None:
    await _laid(service, name)
    with pytest.raises(WSManFaultError) as raised:
        await service.run("true")
    assert raised.value.code == code
    assert says in str(raised.value.reason)


async def test_no_memory_for_a_program(service: Service) -> None:
    """The line and the exit code that ansible/ansible#39327 shows."""
    await _laid(service, "winrm/memory-quota")
    done = await service.run("true")
    assert (done.rc, done.stderr) == (1, b"The paging file is too small for this operation to complete.\r\n")


@pytest.mark.parametrize("ssl", [False, True])
async def test_ports_are_closed(service: Service, ssl: bool) -> None:
    await _laid(service, "winrm/off")
    with pytest.raises(requests.exceptions.ConnectionError, match="refused"):
        await service.run("true", wsman=service.wsman(ssl=ssl))


async def test_the_certificate_is_of_an_unknown_ca(service: Service) -> None:
    await _laid(service, "winrm/unknown-ca")
    with pytest.raises(requests.exceptions.SSLError, match="CERTIFICATE_VERIFY_FAILED"):
        await service.run("true", wsman=service.wsman(ssl=True))
    assert (await service.run("exit 2")).rc == 2


async def test_silence(service: Service) -> None:
    def left() -> None:
        wsman = service.wsman(read_timeout=1)
        with wsman, WinRS(wsman):
            service.server.change(silent=True)
            WinRS(wsman).open()

    SEEN.add("winrm/silent")
    with pytest.raises(requests.exceptions.ReadTimeout):
        await in_thread(left)
    await lay("winrm/silent", service.server)


async def test_a_fault_in_another_language_has_the_same_code(service: Service) -> None:
    await _laid(service, "winrm/other-language")
    service.server.change(max_shells_per_user=0)
    with pytest.raises(WSManFaultError) as raised:
        await service.run("true")
    assert (raised.value.code, "殼層數目上限為 0" in str(raised.value.reason)) == (2150859173, True)


async def test_100_mb_of_output(service: Service) -> None:
    """The first 5 MB are taken here; they come in answers of the size that the client asked for."""
    await _laid(service, "winrm/chatty")

    def first() -> int:
        with service.wsman(max_envelope_size=512_000) as wsman, WinRS(wsman) as shell:
            body = shell.command("echo", ["end"])
            command = next(
                body.iter("{http://schemas.microsoft.com/wbem/wsman/1/windows/shell}CommandId")
            ).text
            return sum(len(shell.receive("stdout stderr", command)[2]["stdout"]) for _ in range(15))

    assert 5_000_000 < await in_thread(first) < 15 * 512_000


async def test_an_answer_of_100_mb(service: Service) -> None:
    await _laid(service, "winrm/huge-answer")
    service.server.change(basic=True, huge=FAULT_SIZE)

    def length() -> int:
        """The answer's own length; a client that reads it whole holds it several times."""
        with service.wsman(ssl=True, auth="basic") as wsman, WinRS(wsman) as shell:
            body = shell.command("echo", ["end"])
            command = next(
                body.iter("{http://schemas.microsoft.com/wbem/wsman/1/windows/shell}CommandId")
            ).text
            return _length_of_answer(service, str(shell.id), str(command))

    assert await in_thread(length) > FAULT_SIZE * 4 // 3


FAULT_SIZE = 100 * 1024 * 1024
_RECEIVE = """<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope"
 xmlns:a="http://schemas.xmlsoap.org/ws/2004/08/addressing" xmlns:w="http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd"
 xmlns:rsp="http://schemas.microsoft.com/wbem/wsman/1/windows/shell"><s:Header>
<a:Action>http://schemas.microsoft.com/wbem/wsman/1/windows/shell/Receive</a:Action>
<w:ResourceURI>http://schemas.microsoft.com/wbem/wsman/1/windows/shell/cmd</w:ResourceURI>
<w:SelectorSet><w:Selector Name="ShellId">{shell}</w:Selector></w:SelectorSet></s:Header><s:Body>
<rsp:Receive><rsp:DesiredStream CommandId="{command}">stdout stderr</rsp:DesiredStream></rsp:Receive></s:Body>
</s:Envelope>"""


def _length_of_answer(service: Service, shell: str, command: str) -> int:
    context = ssl.create_default_context(cafile=service.ca)
    connection = http.client.HTTPSConnection("127.0.0.1", service.server.ports[True], context=context)
    secret = b64encode(f"Administrator:{PASSWORD}".encode()).decode()
    body = _RECEIVE.format(shell=shell, command=command)
    connection.request("POST", "/wsman", body.encode(), {"Authorization": f"Basic {secret}"})
    answer = connection.getresponse()
    length = int(answer.headers["Content-Length"])
    answer.close()
    connection.close()
    return length


async def test_an_unknown_name_is_said_with_its_neighbours(service: Service) -> None:
    with pytest.raises(UnknownNameError, match="unknown WinRM fault"):
        await lay("winrm/of", service.server)


def test_every_fault_was_seen() -> None:
    """This file alone shows them, from first to last."""
    if len(SEEN) < 2:
        pytest.skip("the tests before were not run")
    assert set(FAULTS) - {"winrm/clock-skew"} == SEEN
