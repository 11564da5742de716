"""`arcferry collect` with a sign-in at hand: what the twin's Azure shows of each host counts."""

import asyncio
import os
import subprocess
from pathlib import Path

import pytest
from tests import forked
from tests.export.test_collect import GOOD, UNHEARD, VM_ID, put, result, shown
from tests.json_documents import known

from arcferry.times import now
from arcferry_lab.azure.state import ArcMachine
from arcferry_lab.document import document as lab_document
from arcferry_lab.twin import RESOURCE_GROUP, Twin

pytestmark = pytest.mark.lab
Done = subprocess.CompletedProcess[str]


async def collected(twin: Twin, share: Path, *words: str) -> Done:
    line = [*forked.arcferry(), "collect", str(share), *words]
    environment = os.environ | lab_document(twin)["environment"]
    return await asyncio.to_thread(
        subprocess.run, line, env=environment, capture_output=True, text=True, check=False
    )


async def test_azures_word_counts_and_is_asked_for_in_one_list(twin: Twin, tmp_path: Path) -> None:
    share = tmp_path / "share"
    share.mkdir()
    hosts = ("web01", "web02", "web03", "web04")
    for name in hosts:
        put(share, result(name, answers=[*GOOD[:-1], shown("Connected", name)]))
    unheard = [*UNHEARD[:-1], shown("Disconnected", "web02")]
    put(share, result("web02", outcome="not-heard-from", answers=unheard))
    for name, heard in (("web01", now()), ("web02", now()), ("web03", None)):
        properties = {"vmId": VM_ID}
        machine = ArcMachine(RESOURCE_GROUP, name, "eastasia", {}, properties, last_heartbeat=heard)
        twin.azure.machines[RESOURCE_GROUP, name] = machine
    done = await collected(twin, share, "--output", "json")
    document = known(done.stdout)
    assert (done.returncode, done.stderr) == (1, "")
    assert document["asked_azure"] is True
    assert {
        one["name"]: (one["outcome"], (one["failure"] or {}).get("code")) for one in document["hosts"]
    } == {
        "web01": ("connected", None),
        "web02": ("connected", None),
        "web03": ("not-heard-from", "not-heard-from"),
        "web04": ("failed", "no-machine"),
    }
    asked = [call.path for call in twin.azure.journal if "/machines" in call.path.lower()]
    assert len(asked) == 1


async def test_where_azure_gives_no_answer_the_hosts_own_word_stands(twin: Twin, tmp_path: Path) -> None:
    share = tmp_path / "share"
    share.mkdir()
    put(share, result("web01"))
    await twin.add_fault("arm/403")
    done = await collected(twin, share)
    assert done.returncode == 0, done.stderr
    assert done.stderr.startswith("warn: Azure was not asked: ")
    assert done.stdout.splitlines()[-1] == "1 of 1 hosts that reported say that they are connected"


async def test_of_a_host_that_goes_to_another_group_its_own_word_stands(twin: Twin, tmp_path: Path) -> None:
    share = tmp_path / "share"
    share.mkdir()
    for name in ("web01", "web02"):
        put(share, result(name, answers=[*GOOD[:-1], shown("Connected", name)]))
    machine = ArcMachine(RESOURCE_GROUP, "web01", "eastasia", {}, {"vmId": VM_ID}, last_heartbeat=now())
    twin.azure.machines[RESOURCE_GROUP, "web01"] = machine
    servers = tmp_path / "servers.csv"
    servers.write_text(f"name,resource_group\nweb01,{RESOURCE_GROUP.upper()}\nweb02.corp.example,rg-osaka\n")
    done = await collected(twin, share, "--inventory", str(servers), "--output", "json")
    document = known(done.stdout)
    assert (done.returncode, document["asked_azure"]) == (0, False)
    assert [one["outcome"] for one in document["hosts"]] == ["connected", "connected"]
    other = f"{'9' * 8}-9999-4999-8999-{'9' * 12}"
    own = twin.azure.subscription_id.upper()
    servers.write_text(f"name,subscription\nweb01,{own}\nweb02,{other}\n")
    done = await collected(twin, share, "--inventory", str(servers), "--output", "json")
    assert [one["outcome"] for one in known(done.stdout)["hosts"]] == ["connected", "connected"]
    servers.write_text("name,resource_group\nweb01,\nweb02,\n")
    alone = await collected(twin, share, "--inventory", str(servers), "--output", "json")
    assert [one["outcome"] for one in known(alone.stdout)["hosts"]] == ["connected", "failed"]
