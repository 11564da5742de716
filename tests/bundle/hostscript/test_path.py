"""The path to Azure as a server sees it: real names, TLS and ports, in a network of the test's own."""

import json
import os
import re
import signal
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from tests import forked

from arcferry import catalog
from arcferry.evidence.readers import arcferry_check

if TYPE_CHECKING:
    from conftest import Answer, ClosedNetwork, PrivateRoot

NETWORK = Path(__file__).parents[3] / "src/arcferry/bundle/hostscripts/linux-network.sh"
PLACE = ("eastasia", "AzureCloud")
TOOLS = ("dig", "host", "nslookup", "resolvectl")

FAULTS = {
    "silent": ("tls", "tls-timeout"),
    "cut": ("tls", "tls-cut"),
    "banner": ("tls", "handshake-failed"),
    "inspected": ("tls", "certificate-untrusted"),
    "alone": ("tls", "incomplete-chain"),
    "another": ("tls", "name-mismatch"),
    "expired": ("tls", "certificate-expired"),
    "early": ("tls", "certificate-not-yet-valid"),
    "old": ("tls", "tls-protocol-version"),
    "ciphers": ("tls", "tls-cipher-mismatch"),
    "mute": ("http", "timeout"),
    "babble": ("http", "not-http"),
    "flood": ("http", "not-http"),
    "refuse": ("tcp", "refused"),
    "198.51.100.7": ("tcp", "timeout"),
    "203.0.113.9": ("tcp", "unreachable"),
    "NXDOMAIN": ("dns", "nxdomain"),
    "SERVFAIL": ("dns", "servfail"),
    "no address": ("dns", "no-addresses"),
    "no-name-server": ("dns", "no-resolver"),
}
BATCHES = [tuple(FAULTS)[at : at + 6] for at in range(0, len(FAULTS), 6)]
STRUCK = (
    "agentserviceapi.guestconfiguration.azure.com",
    "eastasia-gas.guestconfiguration.azure.com",
    "login.microsoftonline.com",
    "login.windows.net",
    "management.azure.com",
    "pas.windows.net",
)


def rows_of(answer: "Answer") -> dict[str, dict[str, Any]]:
    return {row["host"]: row for row in answer["path"]["endpoints"]}


def failure_of(row: dict[str, Any]) -> tuple[str, str] | None:
    return (row["failure"]["stage"], row["failure"]["kind"]) if row["failure"] else None


def strike(closed: "ClosedNetwork", host: str, fault: str) -> None:
    if fault.isupper():
        closed.hosts[host] = {"rcode": fault}
    elif fault == "no address":
        closed.hosts[host] = {"chain": ["nowhere.trafficmanager.net"]}
    elif fault[0].isdigit():
        closed.hosts[host] = {"address": fault, "does": "refuse"}
    else:
        closed.hosts[host]["does"] = fault


def test_a_path_that_is_open_reads_as_a_check(shell: list[str], closed: "ClosedNetwork") -> None:
    answer = closed.run(shell, "facts", *PLACE, "/path.json")
    path = answer["path"]
    assert json.loads(closed.root.read("path.json")) == path
    assert (path["resolver"], path["proxy"], path["location"]) == ("127.0.0.53", None, "eastasia")
    assert arcferry_check.looks_right(path)
    document = arcferry_check.read("path.json", path)
    assert [(seen.host, seen.reachable, seen.failure) for seen in document.attempts] == [
        (host, True, None) for host in closed.hosts
    ]
    assert [found.addresses for found in document.answers] == [(f"127.0.1.{n}",) for n in range(1, 9)]
    assert document.answers[2].chain == ("3.trafficmanager.net", "3.eastasia.cloudapp.azure.com")
    row = rows_of(answer)["pas.windows.net"]
    assert row["http"] == {"status": 404}
    assert abs(row["clock_skew"] - 300) < 30
    assert (row["tls"]["issuer"], row["tls"]["names"]) == (
        "CN=Closed Network Issuing",
        ["pas.windows.net", "*.example.net"],
    )
    assert (row["tls"]["version"], row["tls"]["public_root"]) == ("TLS 1.3", None)
    assert re.fullmatch(r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ", row["tls"]["not_after"])
    assert len(answer["routes"]) == 8
    assert answer["routes"][0].startswith("local 127.0.1.1 dev lo")


@pytest.mark.parametrize("batch", BATCHES, ids=lambda batch: batch[0])
def test_each_way_to_fail_has_its_words(
    dash: list[str], closed: "ClosedNetwork", batch: tuple[str, ...]
) -> None:
    struck = dict(zip(STRUCK, batch, strict=False))
    for host, fault in struck.items():
        strike(closed, host, fault)
    answer = closed.run(dash, "facts", *PLACE)
    rows = rows_of(answer)
    assert {fault: failure_of(rows[host]) for host, fault in struck.items()} == {
        fault: FAULTS[fault] for fault in batch
    }
    assert rows["gbl.his.arc.azure.com"]["reachable"]
    for host, fault in struck.items():
        row = rows[host]
        assert host in row["failure"]["says"] or str(row["address"]) in row["failure"]["says"]
        if fault == "inspected":
            assert (row["tls"]["issuer"], row["tls"]["public_root"]) == ("CN=Contoso Inspection", False)
        if fault in {"inspected", "alone", "another", "expired", "early"}:
            assert f"Host: {host}" not in closed.seen


def test_what_it_saw_is_explained(dash: list[str], closed: "ClosedNetwork") -> None:
    strike(closed, "agentserviceapi.guestconfiguration.azure.com", "198.51.100.7")
    closed.run(dash, "facts", *PLACE, "/path.json")
    command = [*forked.arcferry(), "explain", str(closed.root.path / "path.json")]
    done = subprocess.run([*command, "--output", "json"], capture_output=True, check=False)
    document = json.loads(done.stdout)
    assert [source["kind"] for source in document["inputs"]] == ["arcferry-check"], done.stderr
    hosts = [end["host"] for finding in document["findings"] for end in finding["endpoints"]]
    assert "agentserviceapi.guestconfiguration.azure.com" in hosts
    assert done.returncode == 1


@pytest.mark.parametrize(
    "says",
    [
        "https://ea.his.arc.azure.com.evil.example",
        "https://evil.example/ea.his.arc.azure.com",
        "http://ea.his.arc.azure.com",
        "https://$(reboot).his.arc.azure.com",
        "nothing",
    ],
)
def test_only_the_clouds_own_regional_host_is_believed(
    dash: list[str], closed: "ClosedNetwork", says: str
) -> None:
    closed.hosts["gbl.his.arc.azure.com"]["does"] = says
    row = rows_of(closed.run(dash, "facts", *PLACE))[""]
    assert failure_of(row) == ("http", "discovery-failed")
    assert "evil" not in closed.seen


def test_without_the_global_host_the_regional_one_is_unknown(
    dash: list[str], closed: "ClosedNetwork"
) -> None:
    strike(closed, "gbl.his.arc.azure.com", "refuse")
    rows = rows_of(closed.run(dash, "facts", *PLACE))
    assert failure_of(rows[""]) == ("tcp", "discovery-failed")
    assert failure_of(rows["gbl.his.arc.azure.com"]) == ("tcp", "refused")


@pytest.mark.parametrize("tool", [*TOOLS[:3], ""])
def test_any_resolvers_tool_will_do(dash: list[str], closed: "ClosedNetwork", tool: str) -> None:
    strike(closed, "pas.windows.net", "NXDOMAIN")
    hidden = " ".join(name for name in TOOLS if name != tool and Path("/usr/bin", name).exists())
    command = closed.command(dash, "facts", *PLACE, hidden=hidden)
    done = subprocess.run(command, capture_output=True, check=True)
    rows = {row["host"]: row for row in json.loads(done.stdout)["path"]["endpoints"]}
    chain = ["7.trafficmanager.net", "7.eastasia.cloudapp.azure.com"]
    if tool and not Path("/usr/bin", tool).exists():
        pytest.skip(f"{tool} is not installed (Debian: bind9-dnsutils, bind9-host)")
    assert rows["management.azure.com"]["dns"]["chain"] == (chain if tool else chain[1:])
    assert failure_of(rows["pas.windows.net"]) == ("dns", "nxdomain" if tool else "no-addresses")


def test_the_hosts_file_comes_first_and_has_no_chain(dash: list[str], closed: "ClosedNetwork") -> None:
    closed.root.put("etc/hosts", "127.0.1.8 PAS.windows.net # pinned\n", 0o644)
    closed.hosts["pas.windows.net"]["chain"] = ["elsewhere.trafficmanager.net"]
    row = rows_of(closed.run(dash, "facts", *PLACE))["pas.windows.net"]
    assert row["reachable"]
    assert (row["dns"]["chain"], row["dns"]["addresses"]) == ([], ["127.0.1.8"])


@pytest.mark.parametrize(
    ("proxy", "kind"),
    [
        ("407", "proxy-authentication-required"),
        ("403", "proxy-refused"),
        ("503", "proxy-cannot-reach"),
        ("ssh", "proxy-not-http"),
        ("mute", "proxy-unreachable"),
        ("", "proxy-unreachable"),
    ],
)
def test_a_proxy_that_does_not_help_is_named(
    dash: list[str], closed: "ClosedNetwork", monkeypatch: pytest.MonkeyPatch, proxy: str, kind: str
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.80:3128/")
    closed.proxy = proxy
    answer = closed.run(dash, "facts", *PLACE)
    assert {failure_of(row) for host, row in rows_of(answer).items() if host} == {("proxy", kind)}
    assert answer["path"]["proxy"] == "http://127.0.0.80:3128/"


def test_the_path_is_measured_by_the_proxy_that_the_agent_is_to_use(
    dash: list[str], closed: "ClosedNetwork", monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    closed.proxy = "pass"
    answer = closed.run(dash, "facts", *PLACE, "--proxy=http://127.0.0.80:3128")
    assert all(row["reachable"] and row["proxy"] == "set" for row in rows_of(answer).values())
    assert answer["proxy"] == {"url": "http://127.0.0.80:3128", "source": "given"}
    refused = closed.run(dash, "facts", *PLACE, "--proxy=http://me:pw@127.0.0.80:3128")
    assert (refused["ok"], refused["code"]) == (False, "bad-proxy")


def test_a_proxy_finds_the_names_itself_and_its_password_is_not_told(
    shell: list[str], closed: "ClosedNetwork", monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://user:s3cret@127.0.0.80:3128")
    closed.proxy = "pass"
    strike(closed, "pas.windows.net", "inspected")
    answer = closed.run(shell, "facts", *PLACE)
    rows = rows_of(answer)
    assert [host for host, row in rows.items() if not row["reachable"]] == ["pas.windows.net"]
    assert rows["pas.windows.net"]["tls"]["issuer"] == "CN=Contoso Inspection"
    assert {(row["proxy"], row["dns"], row["address"]) for row in rows.values()} == {("set", None, None)}
    assert answer["proxy"] == {"url": "http://127.0.0.80:3128", "source": "HTTPS_PROXY"}
    assert "Proxy-Authorization: Basic dXNlcjpzM2NyZXQ=" in closed.seen
    assert b"s3cret" not in answer.raw
    assert arcferry_check.read("x", answer["path"]).attempts[0].proxied


def test_what_an_administrator_added_is_no_public_root(dash: list[str], closed: "ClosedNetwork") -> None:
    command = closed.command(dash, "facts", *PLACE)
    copy = "mkdir -p /usr/local/share/ca-certificates; mount -t tmpfs none /usr/local/share/ca-certificates; "
    copy += "cp /etc/ssl/certs/ca-certificates.crt /usr/local/share/ca-certificates/corp.crt; "
    at = max(index for index, word in enumerate(command) if word == "-c")
    command[at + 1] = copy + command[at + 1]
    done = subprocess.run(command, capture_output=True, check=True)
    rows = json.loads(done.stdout)["path"]["endpoints"]
    assert {(row["reachable"], row["tls"]["public_root"]) for row in rows} == {(True, False)}


def test_the_other_ip_version_is_tried_beside_the_one_that_was_used(
    shell: list[str], closed: "ClosedNetwork"
) -> None:
    closed.hosts["pas.windows.net"]["also"] = ["::1"]
    rows = rows_of(closed.run(shell, "facts", *PLACE))
    other = rows["pas.windows.net"]["other_family"]
    assert rows["pas.windows.net"]["reachable"]
    assert (other["address"], other["failure"]["stage"], other["failure"]["kind"]) == (
        "::1",
        "tcp",
        "refused",
    )
    assert other["first"] in (True, False)
    assert {row["other_family"] for host, row in rows.items() if host != "pas.windows.net"} == {None}


SCOPE = "/subscriptions/0-1/resourceGroups/rg/providers/Microsoft.HybridCompute/privateLinkScopes/pls-one"


@pytest.mark.parametrize("given", ["--private-link-scope", f"--private-link-scope={SCOPE}"])
def test_a_scope_is_looked_at_name_by_name(dash: list[str], closed: "ClosedNetwork", given: str) -> None:
    """The servers of this network have loopback addresses, which are no public ones."""
    closed.hosts["gbl.his.arc.azure.com"]["also"] = ["198.51.100.9"]
    closed.hosts["eastasia-gas.guestconfiguration.azure.com"] = {"rcode": "NXDOMAIN"}
    closed.hosts["agentserviceapi.guestconfiguration.azure.com"] = {
        "address": "198.51.100.7",
        "does": "refuse",
    }
    path = closed.run(dash, "facts", *PLACE, given)["path"]
    told = path["private_link"]
    assert (told["scope"], told["proxy_bypass"]) == (SCOPE if "=" in given else None, "")
    assert {one["host"]: (one["answers"], one["zone"]) for one in told["names"]} == {
        "agentserviceapi.guestconfiguration.azure.com": (
            "public",
            "privatelink.guestconfiguration.azure.com",
        ),
        "ea.his.arc.azure.com": ("private", "privatelink.his.arc.azure.com"),
        "eastasia-gas.guestconfiguration.azure.com": (
            "no address",
            "privatelink.guestconfiguration.azure.com",
        ),
        "gbl.his.arc.azure.com": ("mixed", "privatelink.his.arc.azure.com"),
    }
    state = arcferry_check.read("path.json", path).agent_state
    assert state is not None
    assert state.private_link_scope == (SCOPE if "=" in given else "of unknown name")


def test_what_is_no_scope_is_refused(dash: list[str], root: "PrivateRoot") -> None:
    assert root.run(dash, "facts", *PLACE, "--private-link-scope=/sub;reboot")["code"] == "usage"


@pytest.mark.parametrize("target", ["/etc/victim", "/etc/folder", "/etc/nothing-yet"])
def test_a_link_in_the_files_place_is_not_followed(
    shell: list[str], closed: "ClosedNetwork", target: str
) -> None:
    """The file may be in a folder that others can write, and root writes it."""
    kept = closed.root.put("etc/victim", "as it was", 0o600)
    (closed.root.path / "etc/folder").mkdir()
    (closed.root.path / "path.json").symlink_to(target)
    answer = closed.run(shell, "facts", *PLACE, "/path.json")
    assert (answer["code"], "is a link" in answer["message"]) == ("no-file", True)
    assert (kept.read_text(), kept.stat().st_mode & 0o777) == ("as it was", 0o600)
    assert list((closed.root.path / "etc/folder").iterdir()) == []
    assert not closed.root.has("etc/nothing-yet")
    assert [path.name for path in closed.root.path.glob("path.json*")] == ["path.json"]


def test_a_file_that_cannot_be_written_is_named(dash: list[str], closed: "ClosedNetwork") -> None:
    answer = closed.run(dash, "facts", *PLACE, "/gone/path.json")
    assert (answer["code"], "path" in answer.document) == ("no-file", True)


def test_a_signal_ends_it_within_bounds(dash: list[str], closed: "ClosedNetwork") -> None:
    strike(closed, "pas.windows.net", "silent")
    with subprocess.Popen(closed.command(dash, "facts", *PLACE), stdout=subprocess.PIPE) as running:
        deadline = time.monotonic() + 30
        while "gbl.his.arc.azure.com" not in closed.seen:
            assert time.monotonic() < deadline, "nothing was tried"
            time.sleep(0.05)
        (shell,) = Path(f"/proc/{running.pid}/task/{running.pid}/children").read_text().split()
        os.kill(int(shell), signal.SIGTERM)
        assert running.wait(timeout=20) == 130
    closed.root.assert_clean()


def test_without_the_file_beside_it_nothing_is_opened(shell: list[str], root: "PrivateRoot") -> None:
    (root.path / "linux-network.sh").unlink()
    assert root.run(shell, "facts")["ok"] is True
    answer = root.run(shell, "facts", *PLACE)
    assert (answer["code"], answer["os"]) == ("no-network-script", "linux")


@pytest.mark.parametrize("sin", ["mode", "link", "cut", "owner"])
def test_a_file_beside_it_that_may_be_anybodys_is_not_read(
    shell: list[str], root: "PrivateRoot", sin: str
) -> None:
    beside = root.path / "linux-network.sh"
    text = beside.read_text()
    beside.write_text(f"touch /ran\n{text}" if sin != "cut" else text[: len(text) * 2 // 3])
    if sin == "mode":
        beside.chmod(0o777)
    elif sin == "link":
        beside.rename(root.path / "real.sh")
        beside.symlink_to("real.sh")
    elif sin == "owner":
        try:
            os.chown(beside, 1000, 1000)
        except PermissionError:
            pytest.skip("giving a file away needs root")
    assert root.run(shell, "facts", *PLACE)["code"] == "no-network-script"
    assert not root.has("ran")


def test_it_says_when_openssl_is_missing(busybox_root: "PrivateRoot") -> None:
    assert busybox_root.run(["sh"], "facts", *PLACE)["code"] == "no-openssl"


@pytest.mark.parametrize("cloud", ["AzureCloud", "AzureUSGovernment", "AzureChinaCloud"])
def test_the_endpoints_are_the_catalogues(cloud: str) -> None:
    text = NETWORK.read_text().split(f"\t{cloud})\n")[1].split(";;")[0]
    listed = re.findall(r"'?((?:[a-z0-9]|\*\.|\{region\})[a-z0-9.-]+\.(?:com|net|us|cn))\b", text)
    where = {"AzureCloud": "eastasia", "AzureUSGovernment": "usgovvirginia", "AzureChinaCloud": "chinaeast2"}[
        cloud
    ]
    held = catalog.endpoints(catalog.cloud(cloud), catalog.region(where))
    names = [name.replace("{region}", where) for name in listed]
    assert names == [endpoint.host or f"*.{catalog.cloud(cloud).his_suffix}" for endpoint in held]
