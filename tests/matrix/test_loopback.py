"""Every fault of the loopback network: the real check, its output and Azure's documents, and one cause."""

import asyncio
import json
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from tests.matrix.closed import ClosedNetwork
from tests.matrix.evidence import azure_documents, checked, diagnosed
from tests.matrix.findings import errors, explained, others
from tests.matrix.table import PROPERTY

from arcferry.diagnosis import Diagnosis
from arcferry_lab.faults import FAULTS, LOOPBACK, Fault
from arcferry_lab.twin import Twin, TwinSettings

pytestmark = pytest.mark.lab

AGENT_SERVICE = "agentserviceapi.guestconfiguration.azure.com"
GLOBAL_HIS = "gbl.his.arc.azure.com"
REQUIRED = 8
SPARED = frozenset({"dns/private-answer-leak"})
"""Faults that lead a check to addresses off the machine: only where there is no way there."""
CASES = [fault for fault in FAULTS if fault.cause and LOOPBACK in fault.networks]


class Scene:
    """One twin, in a network of its own, all its names answering at home."""

    def __init__(self, closed: ClosedNetwork, folder: Path) -> None:
        self.closed = closed
        self._stack = AsyncExitStack()
        settings = TwinSettings(folder, steered={})
        self.twin = closed.run(self._stack.enter_async_context(Twin.start(settings)))

    def stop(self) -> None:
        self.closed.run(self._stack.aclose())

    def switch(self, fault: Fault, host: str, *, on: bool) -> None:
        change = self.twin.add_fault(fault.name, host) if on else self.twin.remove_fault(fault.name, host)
        self.closed.run(change)

    def look(self, *, proxied: bool = False) -> Diagnosis:
        return self.explain(self.closed.run(checked(self.twin, proxied=proxied)))

    def explain(self, check: bytes) -> Diagnosis:
        return diagnosed([("check.json", check), *azure_documents(self.twin).items()])

    def check_by_command(self) -> tuple[int, bytes]:
        return self.closed.run(self._command())

    async def _command(self) -> tuple[int, bytes]:
        network = self.twin.network
        environment = {
            "ARCFERRY_RESOLVER": network.resolver,
            "ARCFERRY_CA_FILE": str(self.twin.paths.ca),
            "ARCFERRY_PORT": str(network.port),
            "ARCFERRY_DATA": str(self.twin.paths.folder / "data"),
        }
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "arcferry", "check", "--location", "eastasia", "--output", "json"),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env={**os.environ, **environment},
        )
        out, _ = await process.communicate()
        return process.returncode or 0, out


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    with ClosedNetwork() as closed:
        made = Scene(closed, tmp_path_factory.mktemp("matrix") / "twin")
        yield made
        made.stop()


def host_for(fault: Fault) -> str:
    return AGENT_SERVICE if fault.needs_host else ""


@pytest.mark.parametrize("fault", CASES, ids=lambda fault: fault.name)
def test_a_fault_leads_to_its_cause_and_to_nothing_else(
    scene: Scene, fault: Fault, record_property: Callable[[str, object], None]
) -> None:
    if fault.name in SPARED and not scene.closed.isolated:
        pytest.skip(f"{fault.name} takes a network namespace, and so root")
    proxied = fault.name.startswith("proxy/")
    scene.switch(fault, host_for(fault), on=True)
    try:
        found = scene.look(proxied=proxied)
    finally:
        scene.switch(fault, host_for(fault), on=False)
    record_property(PROPERTY, (LOOPBACK, fault.name, ", ".join(errors(found)) or "none"))
    assert errors(found) == [fault.cause], explained(found)
    assert not others(found), explained(found)
    assert_green(scene, proxied=proxied)


def assert_green(scene: Scene, *, proxied: bool = False) -> None:
    check = scene.closed.run(checked(scene.twin, proxied=proxied))
    rows = json.loads(check)["endpoints"]
    assert len(rows) == REQUIRED
    assert all(row["reachable"] for row in rows), [row["failure"] for row in rows]
    assert errors(scene.explain(check)) == []


@pytest.mark.parametrize("name", ["dns/name-not-found", "tcp/silent", "tls/intercepted", "clock/skew"])
def test_the_command_line_says_the_same(scene: Scene, name: str) -> None:
    fault = next(one for one in CASES if one.name == name)
    scene.switch(fault, host_for(fault), on=True)
    try:
        code, output = scene.check_by_command()
    finally:
        scene.switch(fault, host_for(fault), on=False)
    assert code in (0, 1)
    assert errors(scene.explain(output)) == [fault.cause], explained(scene.explain(output))


@pytest.mark.parametrize(
    "name",
    ["dns/name-not-found", "tcp/refused", "tls/intercepted", "tls/connection-cut", "path/no-http-answer"],
)
def test_where_discovery_fails_with_it_there_is_still_one_cause(scene: Scene, name: str) -> None:
    fault = next(one for one in CASES if one.name == name)
    scene.switch(fault, GLOBAL_HIS, on=True)
    try:
        found = scene.look()
    finally:
        scene.switch(fault, GLOBAL_HIS, on=False)
    assert errors(found) == [fault.cause], explained(found)
    assert not others(found), explained(found)


@pytest.mark.parametrize("name", ["dns/name-not-found", "tcp/refused", "tls/intercepted", "tls/expired"])
def test_what_strikes_every_endpoint_is_one_finding(scene: Scene, name: str) -> None:
    fault = next(one for one in CASES if one.name == name)
    scene.switch(fault, "*.*", on=True)
    try:
        found = scene.look()
    finally:
        scene.switch(fault, "*.*", on=False)
    assert errors(found) == [fault.cause], explained(found)


def test_a_community_that_somebody_removes_is_named_with_its_endpoints(scene: Scene) -> None:
    before = list(scene.twin.azure.communities)
    scene.closed.run(scene.twin.allow(*(value for value in before if value != "12076:5060")))
    try:
        found = scene.look()
    finally:
        scene.closed.run(scene.twin.allow(*before))
    (error,) = [one for one in found.findings if one.severity == "error"]
    assert error.cause == "route/community-not-in-filter", explained(found)
    assert {one.host for one in error.endpoints} == {
        "login.microsoftonline.com",
        "login.windows.net",
        "pas.windows.net",
    }
    assert {one.community for one in error.endpoints} == {"12076:5060"}
    assert_green(scene)
