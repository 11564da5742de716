"""What a run keeps of a host whose check failed: the path to Azure, measured by that host."""

import asyncio
import json
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from tests import forked
from tests.azure.conftest import aim, principal

from arcferry import catalog
from arcferry.diagnosis import Owner, Severity, judge
from arcferry.evidence.case import Document, observed
from arcferry.evidence.reading import read_claimed, read_document
from arcferry.fleet.findings import findings_of_run
from arcferry.fleet.inventory import read_inventory
from arcferry.fleet.measured import MOST_PATH
from arcferry.fleet.outcome import FleetRun, HostRun
from arcferry.fleet.run import apply_fleet
from arcferry.fleet.task import RunRequest
from arcferry.fleet.transport.trust import SignIn, read_trust
from arcferry.probe.https import CheckResult, check
from arcferry.probe.step import ProbeSettings
from arcferry_lab.hosts.faults import lay
from arcferry_lab.paths import LabPaths
from arcferry_lab.twin import Twin

from .conftest import EVERYTHING, Fleet

LACKING = "12076:51012"
pytestmark = [pytest.mark.lab, pytest.mark.hosts]
STEERED = "agentserviceapi.guestconfiguration.azure.com"


@pytest.fixture
def resolving(fleet: Fleet) -> Fleet:
    """Hosts whose resolver is the twin's: else their programs know of names in their files only."""
    address, _, port = fleet.twin.network.resolver.rpartition(":")
    if (port, fleet.twin.network.port) != ("53", 443):
        pytest.skip("ports 53 and 443 cannot be had here")
    for host in fleet.twin.servers.hosts:
        (host.root / "etc/resolv.conf").write_text(f"nameserver {address}\n")
        (host.root / "etc/nsswitch.conf").write_text("passwd: files\ngroup: files\nhosts: files dns\n")
    return fleet


async def applied(fleet: Fleet) -> FleetRun:
    """Apply in this process, for what the run itself holds."""
    twin = fleet.twin
    target, who = aim(twin), principal(twin)
    sign_in = SignIn(read_trust(twin.paths.known_hosts, twin.paths.key, "root"))
    hosts = read_inventory(twin.paths.inventory)
    return await apply_fleet(RunRequest(hosts, fleet.sealed.open(), sign_in, target, who, fleet.state), who)


def documents(paths: LabPaths) -> list[Document]:
    """The twin's filter, circuit, tags and communities, as `arcferry data` would hold them."""
    held = (paths.route_filter, paths.circuit, paths.service_tags, paths.communities)
    return [one for path in held for one in read_document(path.name, path.read_bytes())]


async def checked_here(twin: Twin) -> CheckResult:
    """What `arcferry check` sees from the machine that runs the tests."""
    cloud = catalog.cloud("AzureCloud")
    settings = ProbeSettings(resolver=twin.network.resolver, ca_file=twin.paths.ca)
    return await check(cloud, catalog.region(twin.azure.location, cloud), settings)


def named(run: FleetRun, name: str) -> HostRun:
    return next(host for host in run.hosts if host.host.name == name)


def recorded(fleet: Fleet) -> dict[str, list[str]]:
    """For each table of the record, the texts in it that hold path evidence."""
    (database,) = fleet.state.glob("runs/*/steps.sqlite")
    with sqlite3.connect(database) as records:
        tables = {"operation_outputs": "output", "workflow_status": "output", "workflow_output": "output"}
        known = {row[0] for row in records.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        return {
            table: [
                text
                for (text,) in records.execute(f"SELECT {column} FROM {table}")  # noqa: S608 - names of ours
                if text and '\\"endpoints\\":' in text
            ]
            for table, column in tables.items()
            if table in known and column in {row[1] for row in records.execute(f"PRAGMA table_info({table})")}
        }


@pytest.mark.timeout(300)
async def test_a_host_whose_check_fails_keeps_the_path_as_it_sees_it(resolving: Fleet) -> None:
    """The story: one steered name answers in a region whose community is not in the filter."""
    await resolving.twin.allow(*(value for value in EVERYTHING if value != LACKING))
    done = await applied(resolving)
    for host in done.hosts:
        assert host.failure is not None
        assert (host.failure.step, host.failure.code) == ("check", "AZCM0026")
        files = dict(host.evidence)
        assert list(files) == ["azcmagent-check.txt", "path.json"]
        (path,) = read_claimed("path.json", files["path.json"])
        answers = {answer.host: answer for answer in path.answers}
        assert any(name.endswith(".trafficmanager.net") for name in answers[STEERED].chain)
        assert len(answers) == len(path.attempts) == 8
        seen = {seen.host: seen for seen in path.attempts}
        assert seen[STEERED].address in answers[STEERED].addresses
        failed = {name: one.failure for name, one in seen.items() if one.failure}
        assert list(failed) == [STEERED]
        assert (failed[STEERED].stage, failed[STEERED].kind) == ("tcp", "timeout")
        assert len(files["path.json"]) < MOST_PATH / 4
    held = documents(resolving.twin.paths)
    (found,) = (one for one in findings_of_run(done.hosts, held).findings if one.severity is Severity.ERROR)
    assert found.servers == tuple(host.host.name for host in done.hosts)
    assert (found.cause, found.owner) == ("route/community-not-in-filter", Owner.NETWORK)
    assert f"please add BGP community {LACKING}" in found.remedy.request
    # The same names and data give the same finding, in the same words, by whatever command they come.
    checked = judge([observed((await checked_here(resolving.twin)).observations)], held)
    same = next(one for one in checked.findings if one.cause == found.cause)
    assert (same.title, same.remedy, same.endpoints) == (
        found.title,
        found.remedy,
        found.endpoints,
    )


@pytest.mark.timeout(300)
async def test_the_record_holds_it_once_and_of_failed_hosts_alone(fleet: Fleet) -> None:
    await lay("host/refuses-connect", fleet.twin.servers.hosts[0])
    done = await applied(fleet)
    assert {host.host.name: len(host.evidence) for host in done.hosts} == {
        "server01": 2,
        "server02": 0,
        "server03": 0,
    }
    held = recorded(fleet)
    assert {table: len(texts) for table, texts in held.items() if texts} == {"operation_outputs": 1}
    (text,) = held["operation_outputs"]
    assert json.loads(text)["path"] == dict(named(done, "server01").evidence)["path.json"].decode()
    # A run's report is as it was; the evidence is for the diagnosis.
    document = (await fleet.run("apply")).host("server01")["failure"]
    assert document["step"] == "check"
    assert "path" not in document


@pytest.mark.timeout(300)
async def test_a_path_that_cannot_be_measured_leaves_the_failure_as_it_is(fleet: Fleet) -> None:
    """Its openssl is gone, which the host script needs to measure with."""
    host = fleet.twin.servers.hosts[0]
    await lay("host/refuses-connect", host)
    for folder in ("/usr/bin", "/bin", "/usr/local/bin"):
        await host.run(f"mount --bind /dev/null {folder}/openssl 2>/dev/null || true")
    done = await applied(fleet)
    failure = named(done, "server01").failure
    assert failure is not None
    assert (failure.step, failure.code, failure.path) == ("check", "AZCM0026", "")
    says = [event["says"] for event in fleet.events() if event["event"] == "waiting"]
    assert any(text.startswith("the path to Azure was not") for text in says), says


@pytest.mark.timeout(300)
async def test_explain_gives_what_a_run_s_json_says(resolving: Fleet, tmp_path: Path) -> None:
    """Of plan, apply and status, with held data that `explain` has not."""
    await resolving.twin.allow(*(value for value in EVERYTHING if value != LACKING))
    paths = resolving.twin.paths
    resolving.extra["ARCFERRY_DATA"] = str(tmp_path / "held")
    held = (paths.route_filter, paths.circuit, paths.service_tags, paths.communities)
    environment = resolving.environment()
    done = await asyncio.create_subprocess_exec(
        *forked.arcferry(), "data", "import", *map(str, held), env=environment
    )
    assert await done.wait() == 0
    told = {}
    for verb in ("plan", "apply", "status"):
        for form in ("json", "jsonl"):
            # The last of two options counts.
            output = (await resolving.run(verb, "--output", form)).out
            explained = await explain(output, environment | {"ARCFERRY_DATA": str(tmp_path / "nothing")})
            told[verb, form] = listed(output)
            assert told[verb, form] == explained, (verb, form)
    assert told["plan", "json"] == []
    causes = [one["cause"] for one in told["apply", "json"]]
    assert "route/community-not-in-filter" in causes
    assert told["status", "json"] == told["status", "jsonl"] == told["apply", "jsonl"]


def listed(text: str) -> list[dict[str, Any]]:
    """The findings of a document, or of one object a line."""
    try:
        found: list[dict[str, Any]] = json.loads(text)["findings"]
    except ValueError:
        lines = [json.loads(line) for line in text.splitlines()]
        found = [
            {key: value for key, value in line.items() if key not in ("schema", "kind")}
            for line in lines
            if line["kind"] == "finding"
        ]
    return found


async def explain(text: str, environment: dict[str, str]) -> list[dict[str, Any]]:
    process = await asyncio.create_subprocess_exec(
        *forked.arcferry(), "explain", "-", "--output", "json",
        env=environment, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    out, _ = await process.communicate(text.encode())
    return listed(out.decode())
