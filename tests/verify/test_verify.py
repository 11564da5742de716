"""How servers stand in Azure, as whoever looks after them asks weeks later."""

import json
from datetime import timedelta

import pytest
from tests.verify.conftest import Desk

from arcferry import bundle as bundles
from arcferry import times
from arcferry_lab.azure.state import CannedResponse
from arcferry_lab.hosts import build_agent_package
from arcferry_lab.twin import RESOURCE_GROUP

pytestmark = pytest.mark.lab
GRAPH = "Microsoft.ResourceGraph/resources"
LIST = f"resourceGroups/{RESOURCE_GROUP}/providers/Microsoft.HybridCompute/machines"


async def test_all_is_well(desk: Desk) -> None:
    desk.put("web01", tags={"Site": "hq", "owner": "x"})
    ended = await desk.run(desk.inventory("WEB01,site=hq", header="name,tags"))
    assert ended.code == 0, ended.err
    assert ended.document["whole"]
    assert ended.states == {"WEB01": "connected"}
    assert (desk.asked(GRAPH), desk.asked(LIST)) == (1, 0)
    table = await desk.run(desk.folder / "servers.csv", "--tags", "site=hq", output="table")
    assert table.out.splitlines()[-1] == "1 of 1 servers connected and as they should be"


async def test_each_state_has_its_own_word(desk: Desk) -> None:
    silent = {"web01": 0.0, "web02": 2, "web03": 20, "web04": 60}
    for name, days in silent.items():
        desk.put(name, silent=timedelta(days=days))
    desk.put("web05", silent=None)
    desk.put("other")
    path = desk.inventory(*silent, "web05", "web06")
    ended = await desk.run(path)
    assert ended.code == 1, ended.err
    assert ended.states == {
        "web01": "connected", "web02": "disconnected", "web03": "stale", "web04": "expired",
        "web05": "awaiting-connection", "web06": "missing",
    }  # fmt: skip
    (extra,) = [one["name"] for one in ended.document["machines"] if one["extra"]]
    assert extra == "other"
    assert ended.machine("web03")["expires_from"] is not None
    assert ended.document["thresholds"]["stale_after_days"] == 7
    again = await desk.run(path, "--stale-after", "1")
    assert again.states["web02"] == "stale"
    table = await desk.run(path, output="table")
    assert max(map(len, table.out.splitlines()[:-1])) <= 80, table.out
    for line in ("FAIL  missing: web06", "warn  disconnected: web02", "extra: 1 in rg-arc"):
        assert line in table.out
    assert "web01" not in table.out
    assert "15 to 30 minutes" in " ".join(table.out.split())
    assert "web01" in (await desk.run(path, "--every-machine", output="table")).out


async def test_extra_machines_alone_are_no_failure(desk: Desk) -> None:
    desk.put("web01")
    desk.put("others-01")
    assert (await desk.run(desk.inventory("web01"))).code == 0
    # A row that is not asked for this time is not extra.
    desk.inventory("web01", "others-01")
    ended = await desk.run(desk.folder / "servers.csv", "--limit", "web01")
    assert [one["name"] for one in ended.document["machines"]] == ["web01"]


async def test_rows_with_places_of_their_own_are_each_compared_with_theirs(desk: Desk) -> None:
    desk.twin.azure.add_group("rg-other")
    desk.put("web01", group="rg-other")
    desk.put("web02")
    desk.put("web03", group="rg-other")
    path = desk.inventory(
        "web01,rg-other,", "web02,,japaneast", "web03,,", header="name,resource_group,location"
    )
    ended = await desk.run(path)
    assert ended.code == 1, ended.err
    assert ended.faults("web01") == {}
    assert ended.faults("web02") == {"wrong-location": "it is in eastasia and should be in japaneast"}
    assert ended.faults("web03") == {"wrong-group": "it is in rg-other and should be in rg-arc"}
    assert desk.asked(GRAPH) == 1


async def test_tags_vm_ids_and_agents(desk: Desk) -> None:
    desk.put("web01", tags={"site": "hq"}, vm_id="one")
    desk.put("web02", tags={"SITE": "hq"}, vm_id="ONE")
    desk.put("web03", tags={"site": "hq"}, version="1.54.0.1")
    desk.put("web04", tags={"site": "hq"}, version="1.66.0.1")
    path = desk.inventory("web01,owner=a", "web02,", "web03,", "web04,", header="name,tags")
    ended = await desk.run(path, "--tags", "site=HQ")
    assert ended.code == 1, ended.err
    first = ended.faults("web01")
    assert "web02 in rg-arc" in first["vm-id-twice"]
    assert first["wrong-tags"] == "tags: it lacks the tag owner; site is 'hq' and should be 'HQ'"
    assert "web01" in ended.faults("web02")["vm-id-twice"]
    assert "out of support since 2026-08-01" in ended.faults("web03")["agent-unsupported"]
    assert "agent-unsupported" not in ended.faults("web04")
    assert any("older than 1.67" in note for note in ended.document["notes"])


async def test_without_an_inventory_every_machine_of_the_group_is_judged(desk: Desk) -> None:
    desk.put("web01")
    desk.put("web02", silent=timedelta(days=1))
    ended = await desk.run()
    assert (ended.code, ended.states) == (1, {"web01": "connected", "web02": "disconnected"})


async def test_pages_are_followed_to_the_end(desk: Desk) -> None:
    desk.twin.azure.page = 10
    names = [f"web{number:03}" for number in range(35)]
    for name in names:
        desk.put(name)
    ended = await desk.run(desk.inventory(*names))
    assert (ended.code, ended.document["summary"]["good"]) == (0, 35)
    assert desk.asked(GRAPH) == 4


async def test_a_quota_that_is_used_up_is_waited_for_before_anybody_refuses(desk: Desk) -> None:
    plane = desk.twin.azure.plane
    desk.twin.azure.page, plane.graph_quota, plane.graph_window = 1, 2, 1
    names = ["web01", "web02", "web03"]
    for name in names:
        desk.put(name)
    ended = await desk.run(desk.inventory(*names))
    assert (ended.code, ended.document["summary"]["good"]) == (0, 3)
    assert [call.status for call in desk.twin.azure.journal if GRAPH in call.path] == [200, 200, 200]


async def test_agents_are_compared_with_the_bundles_own(desk: Desk) -> None:
    package = build_agent_package(desk.folder, version="1.66.5")
    key, bundle = desk.folder / "key", desk.folder / "bundle.zip"
    bundles.create_key_pair(key)
    built = times.now() - timedelta(days=80)
    bundles.build(bundle, bundles.Contents((package,)), bundles.load_secret_key(key), created=built)
    desk.put("web01", version="1.66.4")
    desk.put("web02", version="1.66.5")
    desk.extra |= {"ARCFERRY_BUNDLE": str(bundle), "ARCFERRY_BUNDLE_KEY": f"{key}.pub"}
    ended = await desk.run(desk.inventory("web01", "web02"))
    assert ended.code == 1, ended.err
    assert "agent 1.66.4 is older than 1.66.5 of bundle" in ended.faults("web01")["agent-too-old"]
    assert ended.faults("web02") == {}
    # Weeks later it must not be installed from any more; that hides nothing of Azure.
    contents = bundles.Contents((package,))
    bundles.build(
        bundle, contents, bundles.load_secret_key(key), created=built - timedelta(days=20), replace=True
    )
    ended = await desk.run(desk.inventory("web01", "web02"))
    assert (ended.code, ended.faults("web01")) == (0, {})
    assert "agents are not compared with the bundle's" in ended.err


async def test_ten_thousand_rows(desk: Desk) -> None:
    names = [f"server-{number:05}" for number in range(10_000)]
    group = f"/subscriptions/{desk.twin.azure.subscription_id}/resourceGroups/{RESOURCE_GROUP}"
    rows = [
        {
            "id": f"{group}/providers/Microsoft.HybridCompute/machines/{name}",
            "name": name,
            "status": "Connected",
        }
        for name in names
    ]
    rows[-1]["status"] = "Disconnected"
    body = json.dumps({"totalRecords": len(rows), "count": len(rows), "data": rows})
    desk.twin.azure.replies[f"*{GRAPH}*"] = CannedResponse(body.encode())
    ended = await desk.run(desk.inventory(*names), output="table")
    assert ended.code == 1, ended.err
    assert "disconnected: server-09999" in ended.out
    assert ended.out.splitlines()[-1].startswith("9999 of 10000 servers connected")
    assert len(ended.out.splitlines()) < 20


# What Azure does not say.


async def test_what_may_not_be_read_is_unknown_and_not_gone(desk: Desk) -> None:
    """Resource Graph leaves it out without a word."""
    desk.put("web01")
    desk.sign_in_as("none")
    ended = await desk.run(desk.inventory("web01"))
    assert (ended.code, ended.states) == (4, {"web01": "unknown"})
    (unasked,) = ended.document["unasked"]
    assert (unasked["status"], unasked["resource_group"]) == (403, RESOURCE_GROUP)
    assert "Microsoft.HybridCompute/machines/read" in unasked["says"] + unasked["hint"]
    table = await desk.run(desk.folder / "servers.csv", output="table")
    assert "Azure's answer is not whole" in table.out.splitlines()[-1]
    assert "missing" not in table.out


async def test_a_group_and_a_subscription_that_are_not_there_are_unknown(desk: Desk) -> None:
    desk.put("web01")
    other = "99999999-9999-4999-8999-999999999999"
    path = desk.inventory(
        "web01,,", "web02,rg-none,", f"web03,,{other}", header="name,resource_group,subscription"
    )
    ended = await desk.run(path)
    assert ended.code == 3, ended.err
    assert ended.states == {"web01": "connected", "web02": "unknown", "web03": "unknown"}
    assert {one["status"] for one in ended.document["unasked"]} == {404}


async def test_where_resource_graph_is_refused_resource_manager_is_asked(desk: Desk) -> None:
    desk.put("web01")
    body = b'{"error": {"code": "AuthorizationFailed", "message": "no"}}'
    desk.twin.azure.replies[f"*{GRAPH}*"] = CannedResponse(body, 403)
    ended = await desk.run(desk.inventory("web01", "web02"))
    assert (ended.code, ended.states) == (1, {"web01": "connected", "web02": "missing"})
    assert any("own lists were asked in its place" in note for note in ended.document["notes"])


async def test_half_of_an_answer_is_not_taken_for_the_whole(desk: Desk) -> None:
    desk.put("web01")
    body = b'{"totalRecords": 5000, "count": 0, "data": [], "resultTruncated": "true"}'
    desk.twin.azure.replies[f"*{GRAPH}*"] = CannedResponse(body)
    ended = await desk.run(desk.inventory("web01"))
    assert (ended.code, ended.states) == (0, {"web01": "connected"})
    assert any("only a part of the answer came, 0 of 5000" in note for note in ended.document["notes"])


async def test_resource_graph_that_is_behind_makes_nothing_missing(desk: Desk) -> None:
    desk.put("web01")
    desk.twin.azure.replies[f"*{GRAPH}*"] = CannedResponse(b'{"totalRecords": 0, "count": 0, "data": []}')
    ended = await desk.run(desk.inventory("web01"))
    assert (ended.code, ended.states) == (0, {"web01": "connected"})


async def test_throttling_is_waited_out(desk: Desk) -> None:
    desk.put("web01")
    await desk.twin.add_fault("arm/graph-throttling", times=2)
    ended = await desk.run(desk.inventory("web01"))
    assert (ended.code, ended.document["notes"]) == (0, [])
    assert desk.asked(GRAPH) == 3


async def test_nobody_answers_in_azures_place(desk: Desk) -> None:
    desk.put("web01")
    desk.twin.azure.replies["*"] = CannedResponse(b"<html>Sign in</html>", 200, "text/html")
    ended = await desk.run(desk.inventory("web01"))
    assert ended.code != 0
    assert "missing" not in ended.out


async def test_arm_alone_may_be_asked(desk: Desk) -> None:
    desk.put("web01")
    ended = await desk.run(desk.inventory("web01"), "--ask", "arm")
    assert (ended.code, ended.states) == (0, {"web01": "connected"})
    assert (desk.asked(GRAPH), desk.asked(LIST)) == (0, 1)


async def test_hostile_text_of_azures_stays_text(desk: Desk) -> None:
    desk.put("web01", tags={"site": "\x1b[31mred\n" + "x" * 200}, version="1.54\x1b[2J")
    desk.put("web02", status="Odd")
    ended = await desk.run(desk.inventory("web01,site=hq", "web02,", header="name,tags"), output="table")
    assert ended.code == 1
    assert "\x1b" not in ended.out


async def test_each_form_tells_the_same(desk: Desk) -> None:
    desk.put("web01")
    desk.put("others")
    path = desk.inventory("web01", "web02")
    lines = (await desk.run(path, output="jsonl")).out.splitlines()
    assert sum('"kind": "machine"' in line for line in lines) == 3
    junit = (await desk.run(path, output="junit")).out
    assert 'tests="3"' in junit
    assert 'failures="1"' in junit
    assert 'skipped="1"' in junit


@pytest.mark.parametrize(
    ("drop", "says"),
    [
        ("ARCFERRY_TENANT_ID", "--tenant-id"),
        ("ARCFERRY_SUBSCRIPTION_ID", "--subscription-id"),
        ("ARCFERRY_CLIENT_ID", "service principal"),
    ],
)
async def test_what_is_needed_is_named(desk: Desk, drop: str, says: str) -> None:
    desk.extra[drop] = ""
    ended = await desk.run(desk.inventory("web01"))
    assert ended.code == 2
    assert says in ended.err
