"""A sign-in that Entra refuses in mid-run: the run pauses, says so, and goes on with the new secret."""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from .conftest import Fleet, ended

pytestmark = [pytest.mark.lab, pytest.mark.hosts, pytest.mark.timeout(300)]
NEW = "the-new-secret-of-this-evening"  # of the twin's


@pytest.fixture
def secret(fleet: Fleet, tmp_path: Path) -> Path:
    """The file that the secret is in; tokens live so short that each host takes one of its own."""
    fleet.twin.azure.signer.life = timedelta(minutes=10)
    path = tmp_path / "secret"
    path.write_text(fleet.twin.client.secret)
    path.chmod(0o600)
    return path


def put(secret: Path, text: str) -> None:
    secret.write_text(text)


async def until(seen: Callable[[], bool], process: asyncio.subprocess.Process) -> None:
    async with asyncio.timeout(60):
        while not seen():
            assert process.returncode is None
            await asyncio.sleep(0.02)  # another process writes what is looked for


async def test_a_run_pauses_where_its_secret_has_ended_and_goes_on_with_the_new_one(
    fleet: Fleet, secret: Path
) -> None:
    options = ("--secret-file", str(secret), "--concurrency", "1", "--output", "json")
    applying = await fleet.start("apply", *options)
    await until(lambda: any(event["event"] == "connected" for event in fleet.events()), applying)
    fleet.twin.client.secret = NEW
    await until(lambda: "paused" in dict(fleet.of_run()), applying)
    status = (await fleet.run("status")).document["runs"][0]
    assert status["state"] == "paused"
    assert "AADSTS7000215" in status["says"]
    assert "goes on by itself" in status["says"]
    for text in ("", NEW):  # an editor writes what it holds a moment later
        put(secret, text)
    done = await ended(applying)
    assert (done.code, set(done.outcomes.values())) == (0, {"connected"}), done.err
    assert [kind for kind, _ in fleet.of_run()] == ["begun", "paused", "resumed", "ended"]
    written = "".join(path.read_text() for path in fleet.state.rglob("*.jsonl"))
    assert NEW not in written + done.err + str(done.document)


async def test_a_run_that_waits_for_a_sign_in_can_be_stopped(fleet: Fleet, secret: Path) -> None:
    applying = await fleet.start("apply", "--secret-file", str(secret), "--concurrency", "1")
    await until(lambda: any(event["event"] == "connected" for event in fleet.events()), applying)
    fleet.twin.client.secret = NEW
    await until(lambda: "paused" in dict(fleet.of_run()), applying)
    applying.terminate()
    done = await ended(applying)
    assert done.code == 130
    put(secret, NEW)
    again = await fleet.run("apply", "--secret-file", str(secret))
    assert (again.code, set(again.outcomes.values())) == (0, {"connected"}), again.err
