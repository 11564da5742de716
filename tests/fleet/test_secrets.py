"""What hosts print may hold their secrets; nothing of it is in a run's folder, its output or its findings."""

import json
from pathlib import Path

import pytest

from arcferry_lab.hosts.faults import lay

from .conftest import Fleet

SHAPES = json.loads((Path(__file__).parents[1] / "redaction/shapes.json").read_text(encoding="utf-8"))
HOSTILE = Path(__file__).parents[3] / "shared/cases/hostile-2026-11/secrets.json"
SECRET = "Qp7~hT2.yV6_oKl1-Sq8Xa3Mb5Gc0Ie4Fr9Pz"
_AGENT = "opt/azcmagent/bin/azcmagent"


def _printing(text: str) -> str:
    """An agent whose check fails, and that prints all this before it does."""
    return f"#!/bin/sh\ncat <<'THE-END-OF-IT'\n{text}\nTHE-END-OF-IT\nexit 26\n"


async def _leaks(fleet: Fleet, shapes: list[tuple[str, str]]) -> list[str]:
    for host in fleet.twin.servers.hosts:
        await lay("host/refuses-connect", host)
    await fleet.run("apply")  # installs the agent, and stops at its check
    hosts = fleet.twin.servers.hosts
    for number, host in enumerate(hosts):
        agent = host.root / _AGENT
        lines = "\n".join(text for text, _ in shapes[number :: len(hosts)])
        agent.write_text(_printing(f"ERROR   AZCM0026: no\n{lines}"), encoding="utf-8")
    done = await fleet.run("apply")
    assert set(done.outcomes.values()) == {"failed"}
    told = [done.out.encode(), done.err.encode()]
    told += [path.read_bytes() for path in fleet.state.rglob("*") if path.is_file()]
    assert any(b"[redacted]" in one for one in told)
    return [
        text
        for text, secret in shapes
        if any(secret.encode() in one or json.dumps(secret)[1:-1].encode() in one for one in told)
    ]


async def test_no_shape_is_in_the_state(fleet: Fleet) -> None:
    filled = [shape.replace("{secret}", SECRET) for kind in ("any", "long") for shape in SHAPES[kind]]
    shapes = [(text, SECRET) for text in filled]
    assert await _leaks(fleet, [*shapes[::3], *map(tuple, SHAPES["router"][::3])]) == []


@pytest.mark.shared
async def test_no_shape_that_others_found_is_in_the_state(fleet: Fleet) -> None:
    if not HOSTILE.exists():
        pytest.skip("no shared cases beside the checkout")
    shapes = [(one["text"], one["secret"]) for one in json.loads(HOSTILE.read_text(encoding="utf-8"))]
    assert await _leaks(fleet, shapes) == []
