"""`arcferry azure preflight`, as a program, and registering providers, the one thing that it may change."""

import asyncio
import os
import subprocess
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from tests import forked
from tests.azure.conftest import aim, principal
from tests.json_documents import known

from arcferry import azure
from arcferry_lab.azure import authorization
from arcferry_lab.twin import RESOURCE_GROUP, Twin

pytestmark = [pytest.mark.lab, pytest.mark.timeout(200)]
Run = Callable[..., Awaitable["subprocess.CompletedProcess[str]"]]


@pytest.fixture
def run(twin: Twin, tmp_path: Path) -> Run:
    clean = {
        name: value for name, value in os.environ.items() if not name.startswith(("ARCFERRY_", "AZURE_"))
    }
    environment = clean | {
        "ARCFERRY_CA_FILE": str(twin.paths.ca),
        "ARCFERRY_ARM_URL": twin.azure.arm_url,
        "ARCFERRY_AUTHORITY": twin.azure.authority,
        "AZURE_TENANT_ID": twin.azure.tenant_id,
        "AZURE_SUBSCRIPTION_ID": twin.azure.subscription_id,
        "ARCFERRY_RESOURCE_GROUP": RESOURCE_GROUP,
        "ARCFERRY_LOCATION": twin.azure.location,
    }

    async def run(role: str, *arguments: str) -> "subprocess.CompletedProcess[str]":
        client = twin.azure.add_client(role)
        signed = {"AZURE_CLIENT_ID": client.client_id, "AZURE_CLIENT_SECRET": client.secret}
        line = [*forked.arcferry(), "azure", "preflight", *arguments]
        done = await asyncio.to_thread(
            subprocess.run,
            line,
            cwd=tmp_path,
            env=environment | signed,
            capture_output=True,
            text=True,
            check=False,
        )
        assert client.secret not in done.stdout + done.stderr
        return done

    return run


async def test_it_tells_every_check_and_how_it_went(twin: Twin, run: Run, tmp_path: Path) -> None:
    (tmp_path / "fleet.csv").write_text("name,address,tags\nweb01,10.0.0.1,site=taipei\n")
    tag = {"tagName": "site"}
    authorization.assign(
        twin.azure,
        f"/subscriptions/{twin.azure.subscription_id}",
        "871b6d14-10aa-478d-b590-94f262ecfa99",
        tag,
    )
    done = await run("contributor", "fleet.csv")
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert any(line.startswith("ok         policies: none of 1 policies") for line in lines)
    assert any(line.startswith("warning    rights: machines may be written, but") for line in lines)
    assert lines[-1] == "nothing that was seen hinders; 2 could not be seen by this identity"
    assert {call.method for call in twin.azure.journal if "/subscriptions/" in call.path} == {"GET"}


@pytest.mark.parametrize(("role", "code"), [("reader", 4), ("none", 4), ("onboarding", 0)])
async def test_its_end_says_what_hinders(run: Run, role: str, code: int) -> None:
    done = await run(role, "--output", "json")
    document = known(done.stdout)
    assert (done.returncode, document["kind"]) == (code, "preflight")
    hindered = [check["name"] for check in document["checks"] if check["answer"] == "hindrance"]
    assert hindered == (["rights"] if code else [])
    assert document["summary"]["hindrance"] == len(hindered)


async def test_a_lock_is_for_somebody_else_to_take_away(twin: Twin, run: Run) -> None:
    authorization.lock(twin.azure, f"/subscriptions/{twin.azure.subscription_id}", "ReadOnly")
    done = await run("reader", "--output", "junit")
    assert done.returncode == 3
    assert "makes the subscription read-only" in done.stdout


async def test_registering_is_asked_for_told_and_waited_for(twin: Twin, run: Run) -> None:
    for namespace in ("Microsoft.GuestConfiguration", "Microsoft.HybridConnectivity"):
        twin.azure.registered[namespace] = False
    before = await run("contributor")
    assert before.returncode == 3
    assert "arcferry azure preflight --register" in before.stdout
    done = await run("contributor", "--register")
    assert done.returncode == 0, done.stderr
    assert "Microsoft.HybridCompute is registered already" in done.stderr
    assert "asked Azure to register Microsoft.GuestConfiguration" in done.stderr
    changing = [
        call.path for call in twin.azure.journal if call.method != "GET" and "/subscriptions/" in call.path
    ]
    assert [path.split("/")[-2] for path in changing] == [
        "Microsoft.GuestConfiguration",
        "Microsoft.HybridConnectivity",
    ]


async def test_a_registration_that_takes_its_time(twin: Twin) -> None:
    twin.azure.registered["Microsoft.HybridCompute"] = False
    twin.azure.looks_until_registered = 3
    told: list[str] = []
    async with azure.signed_in(aim(twin), principal(twin)) as session:
        await azure.register(session, told.append, pause=0.01)
    assert told[-1] == "Microsoft.HybridCompute is registered"


async def test_a_registration_without_end_is_left_to_azure(twin: Twin) -> None:
    await twin.add_fault("arm/provider-not-registered")
    told: list[str] = []
    async with azure.signed_in(aim(twin), principal(twin)) as session:
        await azure.register(session, told.append, patience=0.3, pause=0.05)
    assert "Azure goes on with it" in told[-1]


async def test_who_may_not_register_is_told_what_it_takes(twin: Twin, run: Run) -> None:
    twin.azure.registered["Microsoft.HybridCompute"] = False
    done = await run("reader", "--register")
    assert done.returncode == 4
    assert "Microsoft.HybridCompute/register/action" in done.stderr


@pytest.mark.parametrize("more", [("--az-login", "--managed-identity"), ("--federated-token-file", "/none")])
async def test_an_identity_that_cannot_be(run: Run, more: tuple[str, ...]) -> None:
    done = await run("reader", *more)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
