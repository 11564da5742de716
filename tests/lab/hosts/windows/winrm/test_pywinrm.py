"""pywinrm, which speaks the same protocol with other details."""

import pytest
import winrm
from tests.lab.hosts.windows.winrm.conftest import PASSWORD, Service, in_thread
from winrm.exceptions import InvalidCredentialsError, WSManFaultError

pytestmark = pytest.mark.lab


def _protocol(
    service: Service, transport: str, *, password: str = PASSWORD, user: str = "Administrator"
) -> winrm.Protocol:
    ssl = transport == "ssl"
    return winrm.Protocol(
        f"http{'s' if ssl else ''}://127.0.0.1:{service.server.ports[ssl]}/wsman",
        transport=transport,
        username=user,
        password=password,
        ca_trust_path=str(service.ca),
        server_cert_validation="validate",
        operation_timeout_sec=1,
        read_timeout_sec=10,
        proxy=None,
    )


def _run(protocol: winrm.Protocol) -> tuple[bytes, bytes, int]:
    shell = protocol.open_shell(codepage=65001, env_vars={"SITE": "taipei"}, idle_timeout="PT60S")
    command = protocol.run_command(shell, 'read x; sleep 1.5; echo "$x $SITE"; echo err >&2; exit', ["5"])
    protocol.send_command_input(shell, command, b"given\n", end=True)
    try:
        out, err, code = protocol.get_command_output(shell, command)
    finally:
        protocol.cleanup_command(shell, command)
        protocol.close_shell(shell)
    return out, err, code


@pytest.mark.parametrize("transport", ["ntlm", "ssl"])
async def test_a_command_with_input_that_takes_longer_than_an_operation(
    service: Service, transport: str
) -> None:
    service.server.change(basic=True)
    protocol = _protocol(service, transport)
    if transport == "ssl":  # with the password as bytes, because requests takes text for Latin-1
        protocol.transport.password = PASSWORD.encode()
    assert await in_thread(_run, protocol) == (b"given taipei\n", b"err\n", 5)
    assert service.server.shells.count == 0


async def test_refusals(service: Service) -> None:
    with pytest.raises(InvalidCredentialsError):
        await in_thread(_run, _protocol(service, "ntlm", password="wrong"))
    with pytest.raises(WSManFaultError) as raised:
        await in_thread(_run, _protocol(service, "ntlm", user="operator"))
    assert (raised.value.wsman_fault_code, raised.value.fault_subcode) == (5, "w:AccessDenied")
