"""The twin behind real routers, and what is seen from a customer's host of it."""

import asyncio
import json
import sys
from contextlib import AsyncExitStack
from pathlib import Path

from tests.matrix.closed import Loop
from tests.matrix.evidence import azure_documents, diagnosed

from arcferry.diagnosis import Diagnosis
from arcferry_lab.errors import LabError
from arcferry_lab.faults import NAMESPACES, Fault
from arcferry_lab.network.namespaces.namespaces import Namespaces
from arcferry_lab.twin import Twin, TwinSettings

AGENT_SERVICE = "agentserviceapi.guestconfiguration.azure.com"


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

    def on_the_host(self, *command: str | Path) -> tuple[str | Path, ...]:
        """The command as it is run on the customer's host."""
        enter = ("nsenter", f"--target={self.network.hosts[0].pid}", "--net", "--mount", "--uts")
        user = ("--user", "--preserve-credentials") if self.network.rootless else ()
        return (*enter, *user, "--", *command)

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
        check = (sys.executable, "-m", "arcferry", "check", "--location", "eastasia", "--output", "json")
        process = await asyncio.create_subprocess_exec(
            *self.on_the_host(*check),
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
