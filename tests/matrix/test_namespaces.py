"""Faults that take real routers: the check on a customer's host, the router's captures, and one cause."""

import asyncio
import json
import sys
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from tests.matrix.closed import Loop
from tests.matrix.evidence import azure_documents, diagnosed
from tests.matrix.findings import errors, explained, others
from tests.matrix.table import PROPERTY

from arcferry.diagnosis import Diagnosis
from arcferry.errors import ArcferryError, BlockedError
from arcferry_lab.errors import LabError
from arcferry_lab.faults import FAULTS, NAMESPACES, Fault
from arcferry_lab.network.namespaces.namespaces import Namespaces
from arcferry_lab.twin import Twin, TwinSettings

pytestmark = [pytest.mark.lab, pytest.mark.hosts]

AGENT_SERVICE = "agentserviceapi.guestconfiguration.azure.com"
SHARED = (
    "route/community-not-in-filter",
    "route/no-route-filter",
    "route/peering-down",
    "route/outside-sku-geography",
    "tcp/nat-prefix-not-validated",
    "tls/intercepted",
    "dns/name-not-found",
)
"""Faults of both networks whose cause must also be found beside a router's own table."""
CASES = [fault for fault in FAULTS if fault.networks == frozenset({NAMESPACES}) or fault.name in SHARED]


class Scene:
    """One routed twin, all its names answering at home."""

    def __init__(self, loop: Loop, folder: Path) -> None:
        self.loop = loop
        self._stack = AsyncExitStack()
        settings = TwinSettings(folder, network=NAMESPACES, steered={})
        self.twin = loop.run(self._stack.enter_async_context(Twin.start(settings)))
        assert isinstance(self.twin.network, Namespaces)
        self.network = self.twin.network

    def stop(self) -> None:
        self.loop.run(self._stack.aclose())

    def switch(self, fault: Fault, *, on: bool) -> None:
        host = AGENT_SERVICE if fault.needs_host else ""
        change = self.twin.add_fault(fault.name, host) if on else self.twin.remove_fault(fault.name, host)
        self.loop.run(change)

    def look(self) -> tuple[Diagnosis, list[dict[str, object]]]:
        """The findings, and the rows of the check that they rest on."""
        files = self.loop.run(self._files())
        return diagnosed(files.items()), json.loads(files["check.json"])["endpoints"]

    async def _files(self) -> dict[str, bytes]:
        rows = {"value": await self.network.route_rows("primary")}
        return {
            "check.json": await self._check(),
            **azure_documents(self.twin),
            "router.txt": (await self.network.capture()).encode(),
            "router-filtered.txt": (await self.network.capture("filtered")).encode(),
            **await self._received(),
            "azure-routes-primary.json": json.dumps(rows).encode(),
        }

    async def _received(self) -> dict[str, bytes]:
        """What the primary link brought, which BIRD does not tell while the session is down."""
        try:
            return {"router-received.txt": (await self.network.capture("received")).encode()}
        except LabError:
            return {}

    async def _check(self) -> bytes:
        host = self.network.hosts[0]
        enter = ("nsenter", f"--target={host.pid}", "--net", "--mount", "--uts")
        user = ("--user", "--preserve-credentials") if self.network.rootless else ()
        check = (sys.executable, "-m", "arcferry", "check", "--location", "eastasia", "--output", "json")
        process = await asyncio.create_subprocess_exec(
            *(*enter, *user, "--", *check),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env={
                "ARCFERRY_CA_FILE": str(self.twin.paths.ca),
                "ARCFERRY_DATA": str(self.twin.paths.folder / "data"),
                "HOME": str(self.twin.paths.folder),
            },
        )
        out, said = await process.communicate()
        assert out, said.decode(errors="replace")
        return out


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    with Loop() as loop:
        try:
            made = Scene(loop, tmp_path_factory.mktemp("routed") / "twin")
        except BlockedError as error:
            pytest.skip(f"no network of namespaces here: {error}")
        yield made
        made.stop()


def found_causes(fault: Fault, found: Diagnosis) -> list[str]:
    """What the fault must be known by: a risk is no error, and stands beside others."""
    if not fault.cause.startswith("risk/"):
        return errors(found)
    return errors(found) + [one.cause for one in found.findings if one.cause == fault.cause]


@pytest.mark.parametrize("fault", CASES, ids=lambda fault: fault.name)
def test_a_fault_leads_to_its_cause_and_to_nothing_else(
    scene: Scene, fault: Fault, record_property: Callable[[str, object], None]
) -> None:
    scene.switch(fault, on=True)
    try:
        found, _ = scene.look()
    finally:
        scene.switch(fault, on=False)
    causes = found_causes(fault, found)
    record_property(PROPERTY, (NAMESPACES, fault.name, ", ".join(causes) or "none"))
    assert causes == [fault.cause], explained(found)
    assert not others(found), explained(found)
    healed, rows = scene.look()
    assert all(row["reachable"] for row in rows), [row["failure"] for row in rows]
    assert errors(healed) == [], explained(healed)


def test_a_fault_that_is_not_there_is_refused(scene: Scene) -> None:
    with pytest.raises(ArcferryError):
        scene.loop.run(scene.twin.add_fault("route/weather"))
