"""Commands that look at the machines in Azure, as their user runs them, on the twin."""

import asyncio
import os
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.json_documents import known
from typer.testing import CliRunner

from arcferry.cli.app import app
from arcferry.errors import ArcferryError
from arcferry_lab.azure.state import ArcMachine
from arcferry_lab.document import document as lab_document
from arcferry_lab.twin import RESOURCE_GROUP, Twin

NEWEST = "1.67.03500.1"


@dataclass
class Ended:
    code: int
    out: str
    err: str

    @property
    def document(self) -> dict[str, Any]:
        return known(self.out)

    @property
    def states(self) -> dict[str, str]:
        return {one["name"]: one["state"] for one in self.document["machines"] if not one["extra"]}

    def machine(self, name: str) -> dict[str, Any]:
        found: dict[str, Any] = next(one for one in self.document["machines"] if one["name"] == name)
        return found

    def faults(self, name: str) -> dict[str, str]:
        return {fault["kind"]: fault["says"] for fault in self.machine(name)["faults"]}


@dataclass
class Desk:
    """A folder with an inventory, and the twin's Azure to compare it with."""

    twin: Twin
    folder: Path
    extra: dict[str, str] = field(default_factory=dict)

    @property
    def state(self) -> Path:
        return self.folder / "state"

    def put(
        self,
        name: str,
        *,
        silent: timedelta | None = timedelta(0),
        group: str = RESOURCE_GROUP,
        version: str = NEWEST,
        vm_id: str = "",
        tags: dict[str, str] | None = None,
        **properties: object,
    ) -> ArcMachine:
        """A machine whose last heartbeat was so long ago; None for never."""
        given = {"vmId": vm_id or f"id-of-{name}", "agentVersion": version, "osName": "linux", **properties}
        machine = ArcMachine(group, name, self.twin.azure.location, tags or {}, given)
        machine.last_heartbeat = None if silent is None else datetime.now(UTC) - silent
        self.twin.azure.machines[group.lower(), name.lower()] = machine
        return machine

    def inventory(self, *rows: str, header: str = "name") -> Path:
        path = self.folder / "servers.csv"
        path.write_text("\n".join((header, *rows, "")))
        return path

    def sign_in_as(self, role: str) -> None:
        client = self.twin.azure.add_client(role)
        self.extra |= {"ARCFERRY_CLIENT_ID": client.client_id, "AZURE_CLIENT_SECRET": client.secret}
        self.extra["ARCFERRY_SECRET_FILE"] = ""

    def environment(self) -> dict[str, str | None]:
        """As `arcferry lab` gives it, with a state folder of this test's own."""
        dropped = dict.fromkeys(name for name in os.environ if name.startswith(("ARCFERRY_", "AZURE_")))
        own = {"ARCFERRY_STATE": str(self.state), "ARCFERRY_DATA": str(self.folder / "data"), "COLUMNS": "80"}
        given = lab_document(self.twin)["environment"] | own | self.extra
        return {**dropped, **{name: value or None for name, value in given.items()}}

    async def run(self, *words: str | Path, output: str = "json", command: str = "verify") -> Ended:
        """In a thread, beside the twin, which answers meanwhile in this loop."""
        line = [command, *map(str, words), "--output", output]
        done = await asyncio.to_thread(CliRunner().invoke, app, line, env=self.environment())
        error = done.exception
        if isinstance(error, ArcferryError):
            return Ended(error.exit_code, done.stdout, f"{done.stderr}{error.message}\n{error.hint}")
        assert error is None or isinstance(error, SystemExit), repr(error)
        return Ended(done.exit_code, done.stdout, done.stderr)

    def asked(self, part: str) -> int:
        """How many requests had this in their path."""
        return sum(part.lower() in call.path.lower() for call in self.twin.azure.journal)


@pytest.fixture
def desk(twin: Twin, tmp_path: Path) -> Desk:
    return Desk(twin, tmp_path)
