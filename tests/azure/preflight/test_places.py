"""`arcferry azure preflight` of an inventory whose rows go to several places."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console
from tests.azure.conftest import aim, principal
from tests.json_documents import known

from arcferry import azure
from arcferry.fleet.in_azure import Part, examined, parts_of, sessions_at
from arcferry.report import preflight as report
from arcferry_lab.azure import authorization, private_link
from arcferry_lab.azure.state import CannedResponse
from arcferry_lab.twin import RESOURCE_GROUP, Twin

from .test_command import Run, run

__all__ = ["run"]
pytestmark = [pytest.mark.lab, pytest.mark.timeout(200)]

OTHER = "rg-osaka"
ROWS = f"""\
name,location,resource_group
web01,,
web02,japaneast,{OTHER}
web03,,
web04,koreacentral,{OTHER}
"""


def asked(twin: Twin) -> Counter[str]:
    """How often each thing was asked of Azure, by its path within the subscription."""
    paths = (f"{call.method} {call.path.partition('?')[0]}".lower() for call in twin.azure.journal)
    within = f"/subscriptions/{twin.azure.subscription_id}"
    return Counter(path.replace(f"{within}/", "") for path in paths if within in path)


def named(document: dict[str, Any], name: str) -> list[tuple[str, str]]:
    return [(one["place"], one["answer"]) for one in document["checks"] if one["name"] == name]


async def test_every_place_has_its_block_and_what_they_share_is_asked_once(
    twin: Twin, run: Run, tmp_path: Path
) -> None:
    twin.azure.add_group(OTHER)
    authorization.lock(
        twin.azure, f"/subscriptions/{twin.azure.subscription_id}/resourceGroups/{OTHER}", "ReadOnly"
    )
    (tmp_path / "fleet.csv").write_text(ROWS)
    done = await run("contributor", "fleet.csv", "--output", "json")
    assert done.returncode == 3, done.stderr
    document = known(done.stdout)
    targets = [(one["place"], one["servers"], one["ready"]) for one in document["targets"]]
    assert targets == [
        (f"{RESOURCE_GROUP} in eastasia", 2, True),
        (f"{OTHER} in japaneast", 1, False),
        (f"{OTHER} in koreacentral", 1, False),
    ]
    assert named(document, "sign-in") == [("", "ok")]
    assert named(document, "provider") == [("", "ok")]
    assert named(document, "locks") == [
        (f"{RESOURCE_GROUP} in eastasia", "ok"),
        (f"{OTHER} in japaneast", "hindrance"),
        (f"{OTHER} in koreacentral", "hindrance"),
    ]
    assert {check["owner"] for check in document["checks"]} == {"identity", "azure"}
    assert document["summary"]["hindrance"] == 2
    counts = asked(twin)
    assert counts["get providers/microsoft.hybridcompute"] == 1
    assert counts[f"get resourcegroups/{OTHER}/providers/microsoft.hybridcompute/machines"] == 1
    assert counts["get providers/microsoft.authorization/locks"] == 1
    assert set(counts.values()) == {1}, counts
    tokens = [call for call in twin.azure.journal if call.path.endswith("/oauth2/v2.0/token")]
    assert len(tokens) == 1


async def test_the_table_names_places_with_their_servers_and_all_that_hinders(
    run: Run, tmp_path: Path
) -> None:
    (tmp_path / "fleet.csv").write_text(ROWS.replace(f"web04,koreacentral,{OTHER}", "web04,,rg-seoul"))
    done = await run("contributor", "fleet.csv")
    assert (done.returncode, done.stderr) == (3, "")
    lines = done.stdout.splitlines()
    assert f"{RESOURCE_GROUP} in eastasia: 2 servers" in lines
    osaka = lines.index(f"{OTHER} in japaneast: 1 server")
    assert f"resource group {OTHER} does not exist" in " ".join(lines[osaka:])
    assert "resource group rg-seoul does not exist" in " ".join(lines[osaka:])
    assert sum("sign-in: " in line for line in lines) == 1
    assert lines[-1].startswith("not ready: 2 of 3 places with 2 of 4 servers: 2 things hinder")


async def test_lines_and_junit_have_a_row_a_check_with_its_place(
    twin: Twin, run: Run, tmp_path: Path
) -> None:
    twin.azure.add_group(OTHER)
    (tmp_path / "fleet.csv").write_text(ROWS)
    done = await run("contributor", "fleet.csv", "--output", "jsonl")
    *rows, rest = map(json.loads, done.stdout.splitlines())
    places = [row["place"] for row in rows if row.get("name") == "location"]
    assert places == [f"{RESOURCE_GROUP} in eastasia", f"{OTHER} in japaneast", f"{OTHER} in koreacentral"]
    assert [one["servers"] for one in rest["targets"]] == [2, 1, 1]
    done = await run("contributor", "fleet.csv", "--output", "junit")
    assert f'<testsuite name="azure preflight: {OTHER} in japaneast"' in done.stdout


async def test_without_an_inventory_the_one_place_is_named(run: Run) -> None:
    done = await run("contributor")
    assert done.stdout.splitlines()[0] == f"{RESOURCE_GROUP} in eastasia"
    assert "server" not in done.stdout.splitlines()[0]


async def test_each_private_link_scope_is_asked_about(twin: Twin, run: Run, tmp_path: Path) -> None:
    there, missing = (
        private_link.scope_id(twin.azure, RESOURCE_GROUP, name) for name in ("pls-one", "pls-two")
    )
    private_link.add_scope(twin.azure, RESOURCE_GROUP, "pls-one")
    private_link.add_scope(twin.azure, RESOURCE_GROUP, "pls-rest")
    rest = private_link.scope_id(twin.azure, RESOURCE_GROUP, "pls-rest")
    (tmp_path / "fleet.csv").write_text(
        f"name,private_link_scope\nweb01,{there}\nweb02,{there.upper()}\nweb03,{missing}\nweb04,\n".replace(
            "/SUBSCRIPTIONS/", "/subscriptions/"
        )
    )
    done = await run("contributor", "fleet.csv", "--private-link-scope", rest, "--output", "json")
    assert done.returncode == 3, done.stderr
    checks = [one for one in json.loads(done.stdout)["checks"] if one["name"] == "private link scope"]
    assert [one["answer"] for one in checks] == ["ok", "hindrance", "ok"]
    assert "pls-two" in checks[1]["says"]
    assert "pls-rest" in checks[2]["says"]


async def test_an_inventory_in_another_encoding_is_read_where_it_is_named(run: Run, tmp_path: Path) -> None:
    (tmp_path / "fleet.csv").write_bytes("name,tags\nweb01,site=台北\n".encode("cp950"))
    refused = await run("contributor", "fleet.csv")
    assert refused.returncode == 2
    assert "fleet.csv:2" in refused.stderr
    done = await run("contributor", "fleet.csv", "--inventory-encoding", "cp950")
    assert done.returncode == 0, done.stderr


NOWHERE = ("--resource-group", "", "--location", "", "--subscription-id", "")
"""As if none of the options had been given."""


async def test_options_are_needed_only_for_rows_that_name_no_place(
    twin: Twin, run: Run, tmp_path: Path
) -> None:
    own = f"eastasia,{RESOURCE_GROUP},{twin.azure.subscription_id}"
    head = "name,location,resource_group,subscription"
    path = tmp_path / "fleet.csv"
    path.write_text(f"{head}\nweb01,{own}\nweb02,{own}\n")
    done = await run("contributor", "fleet.csv", *NOWHERE)
    assert done.returncode == 0, done.stderr
    assert f"{RESOURCE_GROUP} in eastasia: 2 servers" in done.stdout

    path.write_text(f"{head}\nweb01,{own}\nweb02,eastasia,,\nweb03,{own}\nweb04,,{RESOURCE_GROUP},\n")
    done = await run("contributor", "fleet.csv", *NOWHERE)
    assert done.returncode == 2
    assert "fleet.csv:3: web02 has no subscription and no resource group" in done.stderr
    assert "Pass --location and --subscription-id and --resource-group for hosts" in done.stderr
    assert "line 5" in done.stderr

    done = await run("contributor", *NOWHERE)
    assert done.returncode == 2
    assert "no location and no subscription and no resource group to ask about" in done.stderr


async def test_registering_is_done_once_a_subscription(twin: Twin, run: Run, tmp_path: Path) -> None:
    twin.azure.add_group(OTHER)
    twin.azure.registered["Microsoft.GuestConfiguration"] = False
    (tmp_path / "fleet.csv").write_text(ROWS)
    done = await run("contributor", "fleet.csv", "--register")
    assert done.returncode == 0, done.stderr
    posts = [call.path for call in twin.azure.journal if call.path.lower().endswith("/register")]
    assert len(posts) == 1


async def test_an_answer_that_is_none_of_azures_hinders_at_its_place_alone(
    twin: Twin, run: Run, tmp_path: Path
) -> None:
    twin.azure.add_group(OTHER)
    twin.azure.replies = {f"*/resourcegroups/{OTHER}/*/locks": CannedResponse(b"<html>")}
    (tmp_path / "fleet.csv").write_text(ROWS)
    done = await run("contributor", "fleet.csv", "--output", "json")
    assert done.returncode == 3, done.stderr
    document = json.loads(done.stdout)
    assert [one["ready"] for one in document["targets"]] == [True, False, False]
    assert named(document, "answer") == [
        (f"{OTHER} in japaneast", "hindrance"),
        (f"{OTHER} in koreacentral", "hindrance"),
    ]
    assert named(document, "locks") == [(f"{RESOURCE_GROUP} in eastasia", "ok")]
    says = next(one["says"] for one in document["checks"] if one["name"] == "answer")
    assert says.startswith("read the locks: ")


async def test_where_no_place_has_an_answer_that_is_the_error(twin: Twin, run: Run, tmp_path: Path) -> None:
    twin.azure.add_group(OTHER)
    twin.azure.replies = {"*/locks": CannedResponse(b"<html>")}
    (tmp_path / "fleet.csv").write_text(ROWS)
    done = await run("contributor", "fleet.csv")
    assert done.returncode == 1
    assert "error: read the locks: " in done.stderr


async def test_one_sign_in_and_one_rest_serve_every_place(twin: Twin) -> None:
    first, second = aim(twin), aim(twin, resource_group=OTHER)
    async with sessions_at((first, second), principal(twin)) as sessions:
        assert sessions[second].turns is sessions[first].turns
        assert (await sessions[second].token()).text == (await sessions[first].token()).text
        new = twin.azure.add_client("contributor")
        identity = azure.with_secret(new.client_id, new.secret)
        await sessions[second].renew(identity)
        assert (await sessions[first].token()).text == (await sessions[second].token()).text
        machines = await azure.list_machines(sessions[first])
    assert machines == {}
    bodies = [call for call in twin.azure.journal if call.path.endswith("/oauth2/v2.0/token")]
    assert len(bodies) == 2, "one a sign-in"


async def preflight_of(twin: Twin, *targets: azure.AzureTarget) -> dict[azure.AzureTarget, azure.Preflight]:
    async with sessions_at(targets, principal(twin)) as sessions:
        return await examined(sessions, dict.fromkeys(targets, azure.Wanted()))


async def test_each_of_several_subscriptions_is_a_part_before_its_places(twin: Twin) -> None:
    elsewhere = aim(twin, subscription_id="11111111-2222-3333-4444-555555555555")
    found = await preflight_of(twin, aim(twin), elsewhere)
    parts: list[Part] = parts_of(found)
    own = twin.azure.subscription_id
    assert [part.of for part in parts] == [
        "",
        f"subscription {own}",
        f"{RESOURCE_GROUP} in eastasia, subscription {own}",
        f"subscription {elsewhere.subscription_id}",
    ]
    assert [check.name for check in parts[0].checks] == ["sign-in", "credential"]
    (told,) = parts[-1].named()
    assert told.says.startswith(f"subscription {elsewhere.subscription_id}: there is no subscription")


async def test_on_a_terminal_only_commands_are_wider_than_it(twin: Twin) -> None:
    authorization.lock(twin.azure, f"/subscriptions/{twin.azure.subscription_id}", "ReadOnly")
    found = await preflight_of(twin, aim(twin), aim(twin, resource_group=OTHER))
    console = Console(width=80, force_terminal=True, color_system=None, record=True)
    with console.capture() as capture:
        report.draw(report.Asked(found, {}), console)
    lines = [line.rstrip() for line in capture.get().splitlines()]
    assert any(line.startswith(" " * 11 + "az lock delete --ids /subscriptions/") for line in lines)
    wide = [line for line in lines[:-1] if len(line) > 80 and not line.lstrip().startswith("az ")]
    assert wide == []
