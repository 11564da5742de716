"""azcmagent.exe under Wine, against the twin's own Azure: the same words and codes as on Linux hosts."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from tests.lab.hosts.windows.conftest import CURRENT, STATE, Connected, Server

from arcferry_lab.pki import Authority

pytestmark = [pytest.mark.lab, pytest.mark.xdist_group("wine")]
STORY = "https://agentserviceapi.guestconfiguration.azure.com"


async def test_check_prints_the_published_table(agent: Connected) -> None:
    done = await agent.agent("check", "--location", "East Asia", "--cloud", "azurecloud")
    assert done.exit_code == 0, done.stdout
    first, *rest = done.stdout.splitlines()
    assert first.startswith("INFO    Testing connectivity to endpoints that are needed")
    assert rest == [
        "ENDPOINT                                              |REACHABLE  |PRIVATE  |TLS      |PROXY",
        "https://agentserviceapi.guestconfiguration.azure.com  |true       |false    |TLS 1.2  |not used",
        "https://ea.his.arc.azure.com                          |true       |false    |TLS 1.2  |not used",
        "https://eastasia-gas.guestconfiguration.azure.com     |true       |false    |TLS 1.2  |not used",
        "https://gbl.his.arc.azure.com                         |true       |false    |TLS 1.2  |not used",
        "https://login.microsoftonline.com                     |true       |false    |TLS 1.2  |not used",
        "https://login.windows.net                             |true       |false    |TLS 1.2  |not used",
        "https://management.azure.com                          |true       |false    |TLS 1.2  |not used",
        "https://pas.windows.net                               |true       |false    |TLS 1.2  |not used",
    ]


async def test_one_endpoint_behind_the_filter_ends_check_and_connect_with_26(agent: Connected) -> None:
    await agent.twin.allow("12076:51010", "12076:5060", "12076:5070")
    checked = await agent.agent("check", "--location", "eastasia", "-j", "--log-stderr")
    assert checked.exit_code == 26
    dead = [row for row in json.loads(checked.stdout)["endpoints"] if not row["reachable"]]
    assert [row["endpoint"] for row in dead] == [STORY]
    assert "i/o timeout" in dead[0]["failure"]
    connected = await agent.with_config("connect")
    assert connected.exit_code == 26
    assert connected.stdout.splitlines()[-3:] == [
        "INFO    Exit Code:  AZCM0026: Network Error",
        "INFO    For troubleshooting, see https://aka.ms/arc/azcmerror",
        f"FATAL   required endpoints unavailable: {STORY}",
    ]
    assert not agent.twin.azure.machines


async def test_connect_show_disconnect(agent: Connected) -> None:
    before = await agent.show()
    assert (before["status"], before["resourceId"], before["agentVersion"]) == ("Disconnected", "", CURRENT)
    done = await agent.with_config("connect", tags="site=fra,owner='net, ops'")
    assert done.exit_code == 0, done.stdout
    assert "INFO    Connected machine to Azure" in done.stdout
    machine = agent.twin.azure.machines["rg-arc", "win01"]
    assert machine.last_heartbeat, "only a heartbeat makes a machine Connected"
    assert machine.tags == {"site": "fra", "owner": "net, ops"}
    assert machine.properties["osType"] == "windows"
    shown = await agent.show()
    assert (shown["status"], shown["vmId"]) == ("Connected", machine.properties["vmId"])
    assert shown["resourceId"].endswith("/Microsoft.HybridCompute/machines/win01")
    again = await agent.with_config("connect")
    assert (again.exit_code, "AZCM0067" in again.stdout) == (67, True)
    gone = await agent.with_config("disconnect")
    assert gone.exit_code == 0, gone.stdout
    assert not agent.twin.azure.machines
    assert (await agent.show())["status"] == "Disconnected"
    state = agent.server.host.path(STATE)
    assert {path.name for path in state.rglob("*") if path.is_file()} == {
        "vmid",
        "azcmagent.log",
        "himds.log",
    }


async def test_the_text_of_show_has_azcmagents_names(agent: Connected) -> None:
    await agent.with_config("connect")
    lines = (await agent.agent("show")).stdout.splitlines()
    pairs = {line.partition(":")[0].strip(): line.partition(":")[2].strip() for line in lines}
    assert (pairs["Agent Status"], pairs["Resource Name"]) == ("Connected", "win01")
    assert (pairs["Agent Version"], pairs["Location"]) == (CURRENT, "eastasia")
    assert pairs["Agent Logfile"] == rf"{STATE}\Log\himds.log"
    some = await agent.agent("show", "Agent Status", "cloud")
    assert some.stdout.split() == ["Agent", "Status", ":", "Connected", "Cloud", ":", "AzureCloud"]


async def test_the_machine_keeps_its_id_through_an_upgrade(agent: Connected) -> None:
    await agent.with_config("connect")
    first = await agent.show()
    assert await agent.server.install("1.68.1.1") == 0
    later = await agent.show()
    assert later["lastHeartbeat"] >= first["lastHeartbeat"]
    assert later == first | {"agentVersion": "1.68.1.1", "lastHeartbeat": later["lastHeartbeat"]}
    gone = await agent.agent("disconnect", "--force-local-only")
    assert gone.exit_code == 0
    assert agent.twin.azure.machines, "force-local-only leaves Azure alone"
    assert (await agent.with_config("connect")).exit_code == 0
    assert (await agent.show())["vmId"] == first["vmId"]


async def test_a_name_that_another_server_holds_is_refused(agent: Connected) -> None:
    await agent.with_config("connect")
    await agent.agent("disconnect", "--force-local-only")
    agent.server.host.path(rf"{STATE}\Config\vmid").unlink()
    done = await agent.with_config("connect")
    assert (done.exit_code, "AZCM0044" in done.stdout) == (44, True)


# fault of the twin's Azure, exit code of connect, what the last line says
FAULTS = {
    "arm/403": (42, "Code: AuthorizationFailed httpStatusCode:403"),
    "arm/401": (12, "httpStatusCode:401"),
    "arm/500": (42, "Code: InternalServerError httpStatusCode:500"),
    "arm/garbage": (42, "no resource"),
    "entra/expired-secret": (41, "AADSTS7000222"),
    "path/discovery-failed": (26, "required endpoints unavailable"),
    "his/no-certificate": (81, "Get MSI Certificate"),
}


@pytest.mark.parametrize("fault", FAULTS)
async def test_a_fault_of_azure_ends_connect_with_its_code(agent: Connected, fault: str) -> None:
    number, says = FAULTS[fault]
    agent.twin.azure.faults.add(fault)
    done = await agent.with_config("connect")
    assert done.exit_code == number, done.stdout
    assert f"AZCM{number:04d}" in done.stdout
    assert says in done.stdout.splitlines()[-1]
    assert (await agent.show())["status"] == "Disconnected"
    agent.twin.azure.faults.clear()
    assert (await agent.with_config("connect")).exit_code == 0, "a second try goes on"


async def test_throttling_is_waited_out(agent: Connected) -> None:
    agent.twin.azure.faults.add("arm/429", times=1)
    done = await agent.with_config("connect", "-v", ignore_network_check=True)
    assert done.exit_code == 0, done.stdout


async def test_a_refused_heartbeat_leaves_the_agent_disconnected_and_says_so(agent: Connected) -> None:
    agent.twin.azure.faults.add("his/no-heartbeat")
    done = await agent.with_config("connect")
    assert (done.exit_code, "heartbeat was not accepted" in done.stdout) == (0, True)
    shown = await agent.show()
    assert (shown["status"], shown["agentErrorCode"]) == ("Disconnected", "AZCM0001")
    assert "503" in shown["agentErrorDetails"]


async def test_a_ca_that_is_not_passed_in_is_not_trusted(agent: Connected) -> None:
    agent.reach(ca_pem=Authority().pem)
    done = await agent.agent("check", "-l", "eastasia", "-v")
    assert done.exit_code == 26
    assert "x509: certificate signed by unknown authority" in done.stdout
    assert "|true " not in done.stdout
    agent.reach(ca_pem=b"no certificate")
    done = await agent.agent("check", "-l", "eastasia", "-v")
    assert (done.exit_code, "holds no certificate" in done.stdout) == (26, True)


@pytest.mark.parametrize("fault", ["tls/intercepted", "tls/expired", "tls/name-mismatch"])
async def test_a_certificate_that_does_not_hold_is_a_network_error(agent: Connected, fault: str) -> None:
    await agent.twin.add_fault(fault, "login.microsoftonline.com")
    done = await agent.agent("check", "-l", "eastasia", "-v")
    assert done.exit_code == 26
    assert "https://login.microsoftonline.com                     |false" in done.stdout
    assert done.stdout.count("failed to verify certificate") == 1


@pytest.fixture
def short_signatures(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every certificate of the twin's gets a signature with a number that begins with a zero byte."""

    def sign_short(self: Authority, builder: x509.CertificateBuilder) -> x509.Certificate:
        for _ in range(10_000):
            signed = builder.sign(self._key, hashes.SHA256())
            if min(decode_dss_signature(signed.signature)) < 1 << 248:
                return signed
        pytest.fail("no short signature came up")

    monkeypatch.setattr(Authority, "_sign", sign_short)


async def test_signatures_that_wine_takes_for_bad_are_verified_again(
    short_signatures: None, agent: Connected
) -> None:
    done = await agent.agent("check", "-l", "eastasia", "-v")
    assert done.exit_code == 0, done.stdout
    agent.reach(ca_pem=Authority().pem)
    assert "|true " not in (await agent.agent("check", "-l", "eastasia")).stdout


async def test_a_wrong_clock_is_said_and_stops_nothing(agent: Connected) -> None:
    agent.twin.azure.faults.add("clock/skew")
    done = await agent.agent("check", "-l", "eastasia")
    assert done.exit_code == 0
    assert re.search(r"clock of this machine is -(3599|3600) seconds ahead", done.stdout)


async def test_a_blocked_name_times_out_on_this_host_alone(agent: Connected) -> None:
    agent.reach(blocked=("login.windows.net",))
    done = await agent.agent("check", "-l", "eastasia")
    assert done.exit_code == 26
    assert [line.split()[0] for line in done.stdout.splitlines() if "|false      |" in line] == [
        "https://login.windows.net"
    ]


async def test_through_the_proxy(agent: Connected) -> None:
    done = await agent.agent("config", "set", "proxy.url", agent.twin.network.proxy)
    assert done.stdout.startswith(f"Config property proxy.url set to value {agent.twin.network.proxy}\n")
    checked = await agent.agent("check", "-l", "eastasia", "-v")
    assert checked.exit_code == 0, checked.stdout
    assert checked.stdout.count("|set\n") == 8
    assert (await agent.agent("config", "set", "proxy.bypass", "ARM, AAD")).exit_code == 0
    passed = await agent.agent("check", "-l", "eastasia")
    assert passed.stdout.count("|not used\n") == 4
    cleared = await agent.agent("config", "clear", "proxy.url")
    assert cleared.stdout.startswith("Config property proxy.url cleared\n")
    assert (await agent.agent("config", "get", "proxy.url")).stdout == "\n"


async def test_no_secret_and_no_token_stays_on_the_host(agent: Connected) -> None:
    wrong = "eyJhbGciOiJub25lIn0.canary-in-a-refused-token.x"
    refused = await agent.with_config("connect", "-v", access_token=wrong)
    assert refused.exit_code == 12
    done = await agent.with_config("connect", "-v", "--json")
    assert done.exit_code == 0, done.stdout
    assert json.loads(done.stdout[done.stdout.index("{") :])["status"] == "success"
    found = {
        canary: [path for path in agent.server.host.path(STATE).rglob("*") if _holds(path, canary)]
        for canary in (wrong, agent.config["service-principal-secret"], "Connected machine to Azure")
    }
    assert [len(paths) for paths in found.values()] == [0, 0, 1], "the search finds what is there"
    printed = refused.stdout + refused.stderr + done.stdout + done.stderr
    assert wrong not in printed
    assert agent.config["service-principal-secret"] not in printed


def _holds(path: Path, canary: str) -> bool:
    return path.is_file() and canary.encode() in path.read_bytes()


# what the command line is, the exit code, what it says
MISTAKES = {
    "unknown command": (("bogus",), 23, 'unknown command "bogus"'),
    "unknown flag": (("check", "--locatio", "x"), 23, "unknown flag: --locatio"),
    "unknown flag with a value": (("connect", "--secret=canary"), 23, "unknown flag: --secret\n"),
    "no value": (("check", "--location"), 23, "needs an argument: --location"),
    "too many words": (("version", "please"), 23, "too many arguments"),
    "unknown cloud": (("check", "-l", "eastasia", "--cloud", "Mars"), 23, "valid values are: AzureCloud"),
    "no location": (("check",), 16, '"location" not set'),
    "odd location": (("check", "-l", "east/asia"), 20, "invalid location"),
    "unknown location": (("check", "-l", "eastasiaa"), 20, "not supported by Azure Arc"),
    "missing options": (
        ("connect", "-l", "eastasia"),
        16,
        '"subscription-id", "resource-group", "tenant-id"',
    ),
    "no config": (("connect", "--config", r"C:\none.json"), 19, r"C:\none.json cannot be read"),
    "unknown property": (("show", "colour"), 23, "unknown property 'colour'"),
    "unknown setting": (("config", "get", "proxy.colour"), 23, "unknown configuration property"),
    "no such action": (("config", "change"), 23, "one of list, get, set and clear"),
    "setting to nothing": (("config", "set", "proxy.url"), 16, "a value for proxy.url is required"),
    "no number": (("config", "set", "extensions.agent.cpulimit", "many"), 23, "expected a number"),
}


async def test_mistakes_are_named(agent: Connected) -> None:
    for words, number, says in MISTAKES.values():
        done = await agent.agent(*words)
        assert done.exit_code == number, (words, done.stdout)
        assert says in done.stdout
        assert f"AZCM{number:04d}" in done.stdout
        assert "canary" not in done.stdout


# what is in the config file, the exit code, what it says
CONFIGS: dict[str, tuple[Callable[[dict[str, str]], bytes], int, str]] = {
    "empty": (lambda _: b"", 23, "not valid JSON"),
    "cut short": (lambda given: json.dumps(given).encode()[:-2], 23, "not valid JSON"),
    "a list": (lambda _: b"[1, 2]", 23, "must hold an object"),
    "too deep": (lambda _: b"[" * 5000, 23, "not valid JSON"),
    "a zero": (lambda _: b'{"location": "a\\u0000b"}', 23, "not valid JSON"),
    "odd name": (
        lambda given: json.dumps(given | {"resource-name": "-x"}).encode(), 102, "resource name '-x'",
    ),
    "nobody": (
        lambda given: json.dumps(given | {"service-principal-secret": ""}).encode(), 41, "no access token",
    ),
    "wrong secret": (
        lambda given: json.dumps(given | {"service-principal-secret": "not-it"}).encode(), 41, "AADSTS",
    ),
    "tags": (lambda given: json.dumps(given | {"tags": "=x"}).encode(), 23, "expected key=value"),
}  # fmt: skip


async def test_config_files_that_are_wrong(agent: Connected) -> None:
    path = agent.server.host.path(r"C:\windows\temp\config.json")
    for content, number, says in CONFIGS.values():
        path.write_bytes(content(agent.config))
        done = await agent.agent("connect", "--config", r"C:\windows\temp\config.json")
        assert (done.exit_code, says in done.stdout) == (number, True), done.stdout
    path.unlink()


async def test_text_that_is_not_ascii_comes_through(agent: Connected) -> None:
    done = await agent.with_config("connect", tags={"Besitzer": "Müller & Söhne 北", "zeichen": "😀"})
    assert done.exit_code == 0, done.stdout
    machine = agent.twin.azure.machines["rg-arc", "win01"]
    assert machine.tags == {"Besitzer": "Müller & Söhne 北", "zeichen": "😀"}


async def test_an_agent_that_nobody_told_where_azure_is_reaches_nothing(server: Server) -> None:
    await server.install()
    server.host.path(r"C:\ProgramData\arcferry-lab.json").unlink(missing_ok=True)
    done = await server.host.agent("check", "-l", "eastasia")
    assert done.exit_code == 26
    assert "|true " not in done.stdout
