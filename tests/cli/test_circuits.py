"""`arcferry circuits show`: by the twin's Resource Manager, and by what two routers print."""

import asyncio
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from arcferry_lab.azure.ids import CIRCUIT
from arcferry_lab.azure.state import ROUTE_FILTER
from arcferry_lab.document import document as lab_document
from arcferry_lab.twin import Twin

pytestmark = pytest.mark.lab


async def shown(twin: Twin, *arguments: object, code: int = 0, role: str = "") -> dict[str, Any]:
    """What the command prints as JSON, asked as a user of the twin's would ask it."""
    twin.azure.plane.retry_after = 0
    environment = os.environ | lab_document(twin)["environment"]
    if role:
        client = twin.azure.add_client(role)
        del environment["ARCFERRY_SECRET_FILE"]
        environment |= {"ARCFERRY_CLIENT_ID": client.client_id, "AZURE_CLIENT_SECRET": client.secret}
    line = [sys.executable, "-m", "arcferry", "circuits", "show", *map(str, arguments), "--output", "json"]
    done = await asyncio.to_thread(
        subprocess.run, line, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == code, done.stderr + done.stdout
    return dict(json.loads(done.stdout or "{}")) | {"stderr": done.stderr}


async def test_smoke(twin: Twin) -> None:
    found = await shown(twin, "--circuit", CIRCUIT, "--location", "eastasia", code=0)
    print(json.dumps(found, indent=1))
    assert 0
