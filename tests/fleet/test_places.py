"""One run, several places in Azure: each host goes where its row or its site says."""

import csv
import json
from pathlib import Path
from typing import Any

import pytest

from .conftest import Fleet, free_port

OWN, OTHER = "rg-arc", "rg-osaka"


def rows(fleet: Fleet, **cells: dict[str, str]) -> Path:
    """The twin's own inventory with more cells for the hosts that are named."""
    given = list(csv.DictReader(fleet.twin.paths.inventory.read_text().splitlines()))
    more = sorted({column for row in cells.values() for column in row})
    path = fleet.folder / "placed.csv"
    with path.open("w", newline="") as stream:
        writer = csv.DictWriter(stream, [*given[0], *more])
        writer.writeheader()
        writer.writerows(row | cells.get(row["name"], {}) for row in given)
    return path


def reads(fleet: Fleet, group: str) -> int:
    """How often the machines of a group were listed."""
    wanted = f"/resourcegroups/{group}/providers/microsoft.hybridcompute/machines"
    paths = (call.path.lower().partition("?")[0] for call in fleet.twin.azure.journal if call.method == "GET")
    return sum(path.endswith(wanted) for path in paths)


async def test_each_host_goes_to_its_own_place(fleet: Fleet) -> None:
    fleet.twin.azure.add_group(OTHER)
    elsewhere = {"resource_group": OTHER, "location": "japaneast"}
    inventory = rows(fleet, server02=elsewhere, server03=elsewhere)
    planned = await fleet.run("plan", inventory=inventory)
    assert planned.code == 0, planned.err
    assert [host["place"] for host in planned.document["hosts"]] == [{}, elsewhere, elsewhere]
    assert (reads(fleet, OWN), reads(fleet, OTHER)) == (1, 1), "one preflight a place"

    applied = await fleet.run("apply", inventory=inventory)
    assert applied.code == 0, applied.err
    machines = fleet.twin.azure.machines
    assert {(group, name, machine.location) for (group, name), machine in machines.items()} == {
        (OWN, "server01", "eastasia"),
        (OTHER, "server02", "japaneast"),
        (OTHER, "server03", "japaneast"),
    }
    says = [check["says"] for check in applied.document["preflight"]]
    assert any(line.startswith(f"{OTHER} in japaneast: ") for line in says)
    assert applied.host("server02")["machine"]["location"] == "japaneast"

    again = await fleet.run("apply", inventory=inventory)
    assert all(host["already"] for host in again.document["hosts"])


async def test_plan_groups_hosts_by_their_place(fleet: Fleet) -> None:
    fleet.twin.azure.add_group(OTHER)
    inventory = rows(fleet, server02={"resource_group": OTHER})
    process = await fleet.start("plan", inventory=inventory)
    out, err = await process.communicate()
    assert process.returncode == 0, err.decode()
    text = out.decode()
    assert f"{OWN} in eastasia: 2 hosts" in text
    assert f"{OTHER} in eastasia: 1 host\n" in text
    assert text.index("server03") < text.index(f"{OTHER} in eastasia: 1 host\n") < text.index("server02")


async def test_a_place_that_is_not_ready_blocks_the_run_before_any_host(fleet: Fleet) -> None:
    inventory = rows(fleet, server02={"resource_group": "rg-nowhere"})
    applied = await fleet.run("apply", inventory=inventory)
    assert applied.code == 3
    assert "rg-nowhere" in applied.err
    assert fleet.commands() == []

    nowhere = {"server02": {"resource_group": "rg-nowhere"}, "server03": {"resource_group": "rg-neither"}}
    planned = await fleet.run("plan", inventory=rows(fleet, **nowhere))
    assert planned.code == 3
    assert "(1) rg-nowhere in eastasia: " in planned.err
    assert "(2) rg-neither in eastasia: " in planned.err


async def test_without_a_group_anywhere_the_hosts_line_is_named(fleet: Fleet) -> None:
    fleet.extra = {"ARCFERRY_RESOURCE_GROUP": ""}
    inventory = rows(fleet, server02={"resource_group": OWN})
    planned = await fleet.run("plan", inventory=inventory)
    assert planned.code == 2
    assert f"{inventory}:2: server01 has no resource group" in planned.err
    assert "line 4" in planned.err
    assert "--resource-group" in planned.err

    fleet.extra = dict.fromkeys(
        ("ARCFERRY_RESOURCE_GROUP", "ARCFERRY_LOCATION", "ARCFERRY_SUBSCRIPTION_ID", "AZURE_SUBSCRIPTION_ID"),
        "",
    )
    planned = await fleet.run("plan", inventory=inventory)
    assert f"{inventory}:2: server01 has no location and no subscription and no resource group" in planned.err
    assert "--location and --subscription-id and --resource-group" in planned.err
    everywhere = {
        name: {
            "resource_group": OWN,
            "location": "eastasia",
            "subscription": fleet.twin.azure.subscription_id,
        }
        for name in fleet.names
    }
    planned = await fleet.run("plan", inventory=rows(fleet, **everywhere))
    assert planned.code == 0, planned.err


def agents_own(fleet: Fleet, number: int) -> list[dict[str, Any]]:
    """What the agent of a host keeps of its settings."""
    root = fleet.twin.servers.hosts[number].root
    found = (path for path in root.rglob("*.json") if "proxy.url" in path.read_text(errors="replace"))
    return [json.loads(path.read_text()) for path in found]


@pytest.mark.timeout(180)
async def test_an_agent_is_given_its_hosts_proxy_before_its_path_is_checked(fleet: Fleet) -> None:
    proxy = f"http://127.0.0.1:{free_port()}"
    applied = await fleet.run("apply", inventory=rows(fleet, server02={"proxy": proxy}))
    assert applied.outcomes == {"server01": "connected", "server02": "failed", "server03": "connected"}
    failure = applied.host("server02")["failure"]
    assert failure["step"] == "check", failure
    assert [own["proxy.url"] for own in agents_own(fleet, 1)] == [proxy]
    assert not any(own["proxy.url"] for own in agents_own(fleet, 0))


@pytest.mark.timeout(180)
async def test_the_path_by_a_proxy_is_proved_apart_and_before_anything_is_installed(fleet: Fleet) -> None:
    if (fleet.twin.network.resolver.rpartition(":")[2], fleet.twin.network.port) != ("53", 443):
        pytest.skip("ports 53 and 443 cannot be had here, so that hosts cannot measure their path")
    fleet.extra["ARCFERRY_CANARY"] = "1"
    proxy = f"http://127.0.0.1:{free_port()}"
    applied = await fleet.run("apply", inventory=rows(fleet, server03={"proxy": proxy}))
    assert applied.code == 3, applied.err
    proofs = {proof["network"].partition(", ")[2]: proof for proof in applied.document["path_proof"]}
    assert (proofs[""]["outcome"], proofs[f"by {proxy}"]["outcome"]) == ("proved", "broken")
    assert proofs[f"by {proxy}"]["asked"] == ["server03"]
    assert fleet.puts() == {}
