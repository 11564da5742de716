"""The script of `arcferry evidence script`, run by real shells behind real routers, decides the story."""

import asyncio
import shutil
from pathlib import Path

import pytest
from tests.matrix.evidence import azure_documents, diagnosed
from tests.matrix.findings import errors, explained
from tests.matrix.routed import AGENT_SERVICE, Scene
from typer.testing import CliRunner

from arcferry.cli.app import app
from arcferry.diagnosis import Diagnosis

pytestmark = [pytest.mark.lab, pytest.mark.hosts]


async def _run(scene: Scene, shell: str, script: Path) -> bytes:
    """What the script wrote on the customer's host, which knows the twin's own authority."""
    process = await asyncio.create_subprocess_exec(
        *scene.on_the_host("sh", "-c", 'cd "$1" && exec "$2" "$3"', "sh", script.parent, shell, script),
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
        env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "SSL_CERT_FILE": str(scene.twin.paths.ca)},
    )
    _, said = await process.communicate()
    assert process.returncode == 0, said.decode(errors="replace")
    return (script.parent / "arcferry-evidence.txt").read_bytes()


def _judged(scene: Scene, shell: str, folder: Path, *, of_azure: tuple[str, ...]) -> Diagnosis:
    """What follows from the script's file, beside these of Azure's documents."""
    script = folder / "ask.sh"
    words = ["evidence", "script", "--location", "eastasia", "--system", "linux", "--out", str(script)]
    assert CliRunner().invoke(app, words).exit_code == 0
    documents = azure_documents(scene.twin).items()
    beside = {name: data for name, data in documents if name.startswith(of_azure)}
    return diagnosed({"evidence.txt": scene.loop.run(_run(scene, shell, script)), **beside}.items())


@pytest.mark.parametrize("shell", ["dash", "bash"])
def test_what_the_script_writes_decides_the_story(scene: Scene, shell: str, tmp_path: Path) -> None:
    if not shutil.which(shell):
        pytest.skip(f"no {shell} here")
    scene.loop.run(scene.twin.steer(AGENT_SERVICE, "japaneast"))
    try:
        found = _judged(scene, shell, tmp_path, of_azure=("route-filter", "ServiceTags"))
    finally:
        scene.loop.run(scene.twin.steer(AGENT_SERVICE, scene.twin.azure.location))
    (finding,) = [one for one in found.findings if one.severity == "error"]
    assert finding.cause == "route/community-not-in-filter", explained(found)
    assert [(one.host, one.community) for one in finding.endpoints] == [(AGENT_SERVICE, "12076:51012")]
    assert any("--add communities 12076:51012" in one.text for one in finding.remedy.commands)
    assert any("trafficmanager.net" in one.says for one in finding.evidence), "its chain"


def test_where_the_circuit_carries_all_every_name_is_reached(scene: Scene, tmp_path: Path) -> None:
    found = _judged(scene, "dash", tmp_path, of_azure=("",))
    assert errors(found) == [], explained(found)
    attempts = [one for document in found.case.documents for one in document.attempts]
    assert len(attempts) > 5
    assert all(one.reachable for one in attempts)
    assert all(abs(one.clock_skew or 0) < 60 for one in attempts)
