"""`arcferry check` as a process of its own, against real sockets."""

import asyncio
import json
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests import forked
from tests.json_documents import known

from arcferry import catalog, times
from arcferry.evidence.case import Case
from arcferry.evidence.reading import read_document
from arcferry_lab.network.dns import DnsResponse, DnsServer
from arcferry_lab.pki import Authority

STRAY = "agentserviceapi.guestconfiguration.azure.com"
CHAIN = ("agentserviceapi.trafficmanager.net", "jpe-gas-cses-1b.japaneast.cloudapp.azure.com")
LOCATION = ("--location", "eastasia")
OWN = ("ARCFERRY_DATA", "ARCFERRY_STATE")


@dataclass(frozen=True)
class Ended:
    code: int
    out: str
    err: str


@dataclass
class Azure:
    """What the process under test is pointed at; `silent` makes every service accept and say nothing."""

    arguments: list[str]
    names: dict[str, DnsResponse]
    reached: asyncio.Event
    silent: bool = False

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            self.reached.set()
            head = await reader.readuntil(b"\r\n\r\n")
            if self.silent:
                await reader.read()
            body = b'"https://ea.his.arc.azure.com"' if b"/discovery" in head else b""
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))
            await writer.drain()
        writer.transport.abort()


@pytest.fixture
async def azure(tmp_path: Path) -> AsyncIterator[Azure]:
    hosts = [item.host for item in catalog.endpoints(catalog.cloud("AzureCloud"), catalog.region("eastasia"))]
    hosts = [*filter(None, hosts), "ea.his.arc.azure.com"]
    authority = Authority()
    made = Azure([], {host: DnsResponse(addresses=("127.0.0.1",)) for host in hosts}, asyncio.Event())
    dns = DnsServer(lambda name: made.names.get(name, DnsResponse(rcode="NXDOMAIN")))
    resolver = f"127.0.0.1:{await dns.start()}"
    server = await asyncio.start_server(made.serve, "127.0.0.1", 0, ssl=authority.server_context(hosts))
    ca_file = tmp_path / "ca.pem"
    ca_file.write_bytes(authority.pem)
    port = str(server.sockets[0].getsockname()[1])
    made.arguments = ["--resolver", resolver, "--ca-file", str(ca_file), "--port", port]
    yield made
    server.close()
    await dns.stop()


async def start(
    *arguments: str, by: tuple[str, ...] = (sys.executable, "-m", "arcferry"), **environment: str
) -> asyncio.subprocess.Process:
    kept = {
        name: value
        for name, value in os.environ.items()
        if (name in OWN or not name.startswith("ARCFERRY_")) and name.upper() != "HTTPS_PROXY"
    }
    return await asyncio.create_subprocess_exec(
        *by,
        "check",
        *arguments,
        env=kept | environment,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )


async def end(process: asyncio.subprocess.Process) -> Ended:
    out, err = await asyncio.wait_for(process.communicate(), 60)
    return Ended(process.returncode or 0, out.decode(), err.decode())


async def run(*arguments: str, **environment: str) -> Ended:
    ended = await end(await start(*arguments, by=forked.arcferry(), **environment))
    assert "Traceback" not in ended.err
    assert "\x1b" not in ended.out
    return ended


def stray(azure: Azure) -> None:
    azure.names[STRAY] = DnsResponse(CHAIN, ("127.0.0.2",))


def table(out: str) -> dict[str, list[str]]:
    rows = [[cell.strip() for cell in line.split("|")] for line in out.splitlines() if "|" in line]
    assert rows[0][:5] == ["ENDPOINT", "REACHABLE", "PRIVATE", "TLS", "PROXY"]
    return {row[0].removeprefix("https://"): row[1:] for row in rows[1:]}


async def test_all_reached(azure: Azure) -> None:
    ended = await run(*LOCATION, *azure.arguments)
    assert ended.code == 0, ended.out + ended.err
    rows = table(ended.out)
    assert set(rows) == set(azure.names)
    assert all(row[:4] == ["true", "false", "TLS 1.3", "not set"] for row in rows.values())
    assert "8 of 8 required endpoints reached for eastasia in AzureCloud" in ended.out
    told = [line for line in ended.out.splitlines() if line.startswith("Ahead, ")]
    assert told == [f"Ahead, {one}" for one in catalog.ahead(times.now().date(), catalog.cloud("public"))]
    assert ended.err == ""


async def test_one_red_row(azure: Azure) -> None:
    stray(azure)
    ended = await run(*LOCATION, *azure.arguments)
    assert ended.code == 1
    rows = table(ended.out)
    assert [host for host, row in rows.items() if row[0] == "false"] == [STRAY]
    assert rows[STRAY][:5] == ["false", "false", "unknown", "not set", "127.0.0.2"]
    (told,) = [line for line in ended.out.splitlines() if line.startswith("FAIL")]
    assert "tcp refused: 127.0.0.2" in told
    assert " -> ".join([*CHAIN, "127.0.0.2"]) in told
    assert "7 of 8 required endpoints reached" in ended.out
    assert "arcferry explain check.json" in ended.out


async def test_json(azure: Azure) -> None:
    stray(azure)
    ended = await run(*LOCATION, *azure.arguments, "--output", "json")
    assert ended.code == 1
    assert ended.err == ""
    document = known(ended.out)
    assert (document["schema"], document["kind"]) == (1, "check")
    assert (document["cloud"], document["location"]) == ("AzureCloud", "eastasia")
    (failed,) = [row for row in document["endpoints"] if not row["reachable"]]
    assert failed["host"] == STRAY
    assert failed["steering"] == "traffic-manager"
    assert failed["dns"]["chain"] == list(CHAIN)
    assert failed["address"] == "127.0.0.2"
    assert (failed["failure"]["stage"], failed["failure"]["kind"]) == ("tcp", "refused")
    announced = catalog.ahead(times.now().date(), catalog.cloud("public"))
    assert [one["says"] for one in document["ahead"]] == [one.says for one in announced]


async def test_json_lines(azure: Azure) -> None:
    ended = await run(*LOCATION, *azure.arguments, "--output", "jsonl")
    *rows, last = map(json.loads, ended.out.splitlines())
    assert {row["kind"] for row in rows} == {"endpoint", "finding", "evidence"}
    assert (last["kind"], last["required"], last["failed"]) == ("check", 8, 0)


async def test_settings_come_from_the_environment_too(azure: Azure) -> None:
    names = ("ARCFERRY_RESOLVER", "ARCFERRY_CA_FILE", "ARCFERRY_PORT")
    ended = await run(*LOCATION, **dict(zip(names, azure.arguments[1::2], strict=True)))
    assert ended.code == 0, ended.out


async def test_a_proxy_in_the_environment_is_mentioned_and_its_password_is_not(azure: Azure) -> None:
    ended = await run(*LOCATION, *azure.arguments, HTTPS_PROXY="http://user:canary-7@proxy.example:8080")
    assert ended.code == 0
    assert "HTTPS_PROXY is set, and not used here" in ended.err
    assert "canary-7" not in ended.err


async def test_optional_endpoints_do_not_fail_the_check(azure: Azure) -> None:
    ended = await run(*LOCATION, *azure.arguments, "--all")
    assert ended.code == 0
    assert "warn  https://download.microsoft.com dns nxdomain" in ended.out
    assert "8 of 8 required endpoints reached" in ended.out


async def test_a_dead_proxy(azure: Azure) -> None:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        proxy = f"http://127.0.0.1:{sock.getsockname()[1]}"
        ended = await run(*LOCATION, *azure.arguments, "--proxy", proxy, "--output", "json")
    assert ended.code == 1
    document = known(ended.out)
    assert (document["proxy"], document["resolver"]) == (proxy, None)
    assert {row["proxy"] for row in document["endpoints"]} == {"set"}
    assert {row["failure"]["kind"] for row in document["endpoints"]} == {
        "proxy-unreachable",
        "discovery-failed",
    }


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--location", "eastasi"), ["unknown location 'eastasi'", "eastasia"]),
        ((*LOCATION, "--cloud", "AzureClod"), ["unknown cloud", "azurecloud"]),
        ((*LOCATION, "--cloud", "AzureChinaCloud"), ["eastasia"]),
        ((*LOCATION, "--resolver", "dns.example"), ["'dns.example' is not an IP address"]),
        ((*LOCATION, "--port", "70000"), ["port 70000"]),
        ((*LOCATION, "--ca-file", "/nonexistent/ca.pem"), ["/nonexistent/ca.pem: no such file"]),
        ((*LOCATION, "--proxy", "http://user:canary-7@proxy:80"), ["credentials", "does not support"]),
        ((*LOCATION, "--output", "xml"), ["--output"]),
        ((), ["--location"]),
    ],
)
async def test_wrong_input(arguments: tuple[str, ...], says: list[str]) -> None:
    ended = await run(*arguments)
    assert ended.code == 2
    assert ended.out == ""
    assert "canary-7" not in ended.err
    for words in says:
        assert words.lower() in ended.err.lower()


@pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX signals")
async def test_interrupted(azure: Azure) -> None:
    azure.silent = True
    process = await start(*LOCATION, *azure.arguments)
    await asyncio.wait_for(azure.reached.wait(), 60)
    process.send_signal(signal.SIGINT)
    ended = await end(process)
    assert ended.code == 130
    assert "stopped before every endpoint had answered" in ended.err
    assert "Traceback" not in ended.err
    assert ended.out == ""


async def test_help_reads_well() -> None:
    ended = await run("--help")
    assert ended.code == 0
    for words in ("--location", "--resolver", "--proxy", "--ca-file", "ARCFERRY_RESOLVER", "Exit code"):
        assert words in ended.out


SCOPE = (
    "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/rg-net"
    "/providers/Microsoft.HybridCompute/privateLinkScopes/pls-one"
)


async def private_link(azure: Azure, *arguments: str) -> dict[str, dict[str, object]]:
    ended = await run(*LOCATION, *azure.arguments, "--output", "json", *arguments)
    assert ended.code == 1, ended.err
    shown = known(ended.out)["private_link"]
    assert "proxy.bypass Arc" in shown["bypass"]
    return {one["host"]: one for one in shown["names"]}


async def test_a_scope_is_looked_at_name_by_name(azure: Azure) -> None:
    """Private, public and mixed answers, a zone that lacks the record, and names that stay public."""
    azure.names["gbl.his.arc.azure.com"] = DnsResponse(
        ("gbl.privatelink.his.arc.azure.com",), ("127.0.0.1", "10.255.255.254")
    )
    azure.names[STRAY] = DnsResponse(rcode="NXDOMAIN")
    azure.names["login.windows.net"] = DnsResponse(addresses=("10.255.255.254",))
    names = await private_link(azure, "--private-link-scope", SCOPE)
    assert {host: one["answers"] for host, one in names.items() if one["served"]} == {
        STRAY: "no address",
        "ea.his.arc.azure.com": "public",
        "eastasia-gas.guestconfiguration.azure.com": "public",
        "gbl.his.arc.azure.com": "mixed",
    }
    assert "127.0.0.1" in str(names["gbl.his.arc.azure.com"]["says"])
    assert str(names[STRAY]["zone"]) == "privatelink.guestconfiguration.azure.com"
    assert "leaks" in str(names["login.windows.net"]["says"])
    assert names["management.azure.com"]["says"] == ""


async def test_a_scope_needs_no_id(azure: Azure) -> None:
    ended = await run(*LOCATION, "--private-link-scope", *azure.arguments)
    assert ended.code == 1  # every name answers publicly, though all are reached
    assert "8 of 8 required endpoints reached" in ended.out
    assert "link privatelink.his.arc.azure.com to the network of the resolver" in ended.out
    assert "Stay public: login.microsoftonline.com, login.windows.net, management.azure.com" in ended.out


async def test_what_a_check_was_told_of_a_scope_explain_knows_too(azure: Azure, tmp_path: Path) -> None:
    ended = await run(*LOCATION, *azure.arguments, "--output", "json", "--private-link-scope", SCOPE)
    file = tmp_path / "check.json"
    file.write_text(ended.out, encoding="utf-8")
    documents = read_document(file.name, file.read_bytes())
    assert Case.of(documents).private_link_scope == SCOPE


async def test_what_is_no_scope_is_refused(azure: Azure) -> None:
    ended = await run(*LOCATION, *azure.arguments, "--private-link-scope", "rg-net")
    assert ended.code == 2
    assert "'rg-net' is not the ARM id of a private link scope" in ended.err
