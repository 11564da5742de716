"""`arcferry circuits show`: by the twin's Resource Manager, and by what two routers print."""

import asyncio
import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
from tests import forked
from tests.cli.running import Run
from tests.data.conftest import circuit_file, filter_file
from tests.json_documents import known

from arcferry_lab.azure.ids import CIRCUIT
from arcferry_lab.azure.state import ROUTE_FILTER, CannedResponse
from arcferry_lab.document import document as lab_document
from arcferry_lab.twin import Twin

NAMES = ("--location", "eastasia")
OF_AZURE = ("--circuit", CIRCUIT, *NAMES)
HOME, JAPAN = "20.187.128.0/17", "40.115.128.0/17"
AGENT_SERVICE = "agentserviceapi.guestconfiguration.azure.com"


async def shown(twin: Twin, *arguments: object, code: int = 0, role: str = "") -> dict[str, Any]:
    """What the command prints as JSON, asked as a user of the twin's would ask it."""
    twin.azure.plane.retry_after = 0
    environment = os.environ | lab_document(twin)["environment"]
    if role:
        client = twin.azure.add_client(role)
        del environment["ARCFERRY_SECRET_FILE"]
        environment |= {"ARCFERRY_CLIENT_ID": client.client_id, "AZURE_CLIENT_SECRET": client.secret}
    line = [*forked.arcferry(), "circuits", "show", *map(str, arguments), "--output", "json"]
    done = await asyncio.to_thread(
        subprocess.run, line, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == code, done.stderr + done.stdout
    return (known(done.stdout) if done.stdout else {}) | {"stderr": done.stderr}


@pytest.mark.lab
async def test_it_is_read_by_resource_manager_and_each_path_stands_apart(twin: Twin, tmp_path: Path) -> None:
    found = await shown(twin, *OF_AZURE, "--keep", tmp_path / "kept")
    assert any(f"circuit {CIRCUIT}: SKU Premium at Hong Kong" in one for one in found["configured"])
    assert any(f"route filter {ROUTE_FILTER}" in one and "12076:5060" in one for one in found["configured"])
    primary, secondary = found["paths"]
    assert (primary["link"], secondary["link"]) == twin.azure.circuit.links
    assert [one["peer"] for one in (*primary["sessions"], *secondary["sessions"])] == [
        "198.51.100.1",
        "198.51.100.5",
    ]
    assert [entry["side"] for entry in secondary["arp"]] == ["On-Prem", "Microsoft"]
    assert primary["bytes_in"] == 734_003_200
    assert (primary["carries"], secondary["carries"], found["not_read"]) == (True, True, [])
    assert {one["host"]: one["together"] for one in found["names"]}["login.microsoftonline.com"] == "there"
    assert found["falls_without"] == {"primary": [], "secondary": []}
    assert any("which direction they list is not documented" in one for one in found["notes"])
    kept = {path.name[11:]: path for path in (tmp_path / "kept").iterdir()}
    assert {
        "circuit.json",
        "route-filter.json",
        "stats.json",
        "arp-primary.json",
        "routes-secondary.json",
    } <= {*kept}
    again = await held(twin)
    assert again == {"circuit", "route-filter", "community-list"}


async def held(twin: Twin) -> set[str]:
    environment = os.environ | lab_document(twin)["environment"]
    line = [*forked.arcferry(), "data", "show", "--output", "json"]
    done = await asyncio.to_thread(subprocess.run, line, env=environment, capture_output=True, check=True)
    return {one["kind"] for one in json.loads(done.stdout)["held"]}


@pytest.mark.lab
async def test_a_path_without_the_way_back_loses_every_name_alone(twin: Twin) -> None:
    async def rows(link: str) -> list[dict[str, Any]]:
        row = {"network": "203.0.113.0/28", "nextHop": "198.51.100.1", "locPrf": "", "weight": 0}
        return [row | {"path": "65010 I"}] if link == "primary" else []

    twin.azure.route_rows = rows
    found = await shown(twin, *OF_AZURE, code=1)
    assert [one["carries"] for one in found["paths"]] == [True, False]
    assert "has no route to 203.0.113.0/28: answers cannot come back" in found["paths"][1]["says"]
    assert found["on_one_path_alone"] == [{"path": "primary", "azure": True, "prefixes": ["203.0.113.0/28"]}]
    assert set(found["falls_without"]["primary"]) == {one["host"] for one in found["names"]}
    assert found["falls_without"]["secondary"] == []


@pytest.mark.lab
async def test_with_the_peering_down_neither_path_carries(twin: Twin) -> None:
    twin.azure.circuit.peering_state = "Disabled"
    found = await shown(twin, *OF_AZURE, code=1)
    assert [one["carries"] for one in found["paths"]] == [False, False]
    assert "its BGP session with 198.51.100.1 is Idle" in found["paths"][0]["says"]
    assert {one["together"] for one in found["names"]} == {"missing"}
    assert found["falls_without"] == {"primary": [], "secondary": []}, "nothing is there that could fall"


@pytest.mark.lab
@pytest.mark.parametrize("private", [True, False])
async def test_a_circuit_without_microsoft_peering_carries_nothing(twin: Twin, *, private: bool) -> None:
    circuit = json.loads(twin.paths.circuit.read_bytes())
    other = {"name": "AzurePrivatePeering", "properties": {"peeringType": "AzurePrivatePeering"}}
    circuit["properties"]["peerings"] = [other] if private else []
    twin.azure.replies[f"*/expressRouteCircuits/{CIRCUIT}*"] = CannedResponse(json.dumps(circuit).encode())
    found = await shown(twin, *OF_AZURE, code=1)
    assert [one["carries"] for one in found["paths"]] == [False, False]
    assert found["paths"][0]["says"] == "the circuit has no Microsoft peering"
    assert {one["together"] for one in found["names"]} == {"missing"}


@pytest.mark.lab
async def test_what_this_identity_may_not_read_is_named_and_the_rest_is_shown(twin: Twin) -> None:
    found = await shown(twin, *OF_AZURE, code=4, role="reader")
    assert len(found["not_read"]) == 6
    assert "peerings/arpTables/action" in found["not_read"][0]["says"]
    assert "Network Contributor" in found["stderr"]
    assert found["paths"][0]["bytes_in"] == 734_003_200
    assert found["paths"][0]["carries"] is None
    assert any(f"circuit {CIRCUIT}" in one for one in found["configured"])


@pytest.mark.lab
async def test_a_circuit_that_is_not_there(twin: Twin) -> None:
    found = await shown(twin, "--circuit", "er-other", code=1)
    assert "er-other" in found["stderr"]
    assert "resource group" in found["stderr"]


def ios(*routes: tuple[str, str, str]) -> str:
    """`show bgp` of an IOS router: prefix, next hop, community."""
    rows = "".join(f" *>  {prefix:<18}{hop:<25}0             0 12076 ?\n" for prefix, hop, _ in routes)
    head = "BGP table version is 9, local router ID is 203.0.113.1\n"
    legend = "Status codes: s suppressed, d damped, h history, * valid, > best, i - internal\n\n"
    columns = "     Network            Next Hop            Metric LocPrf Weight Path\n"
    return f"rtr#show ip bgp\n{head}{legend}{columns}{rows}"


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """A circuit, its filter, the tags of two regions and an answer in the second one."""
    links = {"primaryPeerAddressPrefix": "198.51.100.0/30", "secondaryPeerAddressPrefix": "198.51.100.4/30"}
    circuit = json.loads(circuit_file())
    circuit["properties"]["peerings"][0]["properties"] |= {**links, "routeFilter": {"id": "rf"}}
    (tmp_path / "circuit.json").write_text(json.dumps(circuit))
    (tmp_path / "filter.json").write_bytes(filter_file("12076:51010", "12076:51012"))
    tags = [
        {"name": f"AzureCloud.{region}", "properties": {"region": region, "addressPrefixes": [prefix]}}
        for region, prefix in (("eastasia", HOME), ("japaneast", JAPAN))
    ]
    document = {"changeNumber": 7, "cloud": "Public", "values": tags}
    (tmp_path / "ServiceTags_Public_20261123.json").write_text(json.dumps(document))
    answer = f"Name:    gas.japaneast.cloudapp.azure.com\nAddress:  40.115.144.3\nAliases:  {AGENT_SERVICE}\n"
    (tmp_path / "nslookup.txt").write_text(
        f"Server:  dns\nAddress:  10.0.0.53\n\nNon-authoritative answer:\n{answer}"
    )
    return tmp_path


def by_dumps(arcferry: Run, files: Path, primary: str, secondary: str, *more: object) -> Any:  # noqa: ANN401 - JSON
    (files / "p.txt").write_text(primary)
    (files / "s.txt").write_text(secondary)
    given = [word for file in sorted(files.glob("*.*")) if file.stem not in "ps" for word in ("--with", file)]
    dumps = ("--primary", files / "p.txt", "--secondary", files / "s.txt")
    ended = arcferry("circuits", "show", *dumps, *given, *NAMES, "-o", "json", *more)
    return known(ended.out) | {"code": ended.code, "stderr": ended.err}


def test_by_the_dumps_of_both_routers_a_name_falls_whose_prefix_one_alone_has(
    arcferry: Run, files: Path
) -> None:
    first = ios((HOME, "198.51.100.2", ""), (JAPAN, "198.51.100.2", ""))
    found = by_dumps(arcferry, files, first, ios((HOME, "198.51.100.6", "")))
    assert found["code"] == 1, found["stderr"]
    assert found["on_one_path_alone"] == [{"path": "primary", "azure": False, "prefixes": [JAPAN]}]
    assert found["falls_without"] == {"primary": [AGENT_SERVICE], "secondary": []}
    name = next(one for one in found["names"] if one["host"] == AGENT_SERVICE)
    assert (name["together"], name["alone"]) == ("there", {"primary": "there", "secondary": "missing"})
    assert name["observed"] == {"primary": True, "secondary": True}
    assert "s.txt" in name["says"]["secondary"]


def test_a_route_that_one_router_has_from_the_other_is_not_its_own(arcferry: Run, files: Path) -> None:
    """Over iBGP the secondary router shows the primary link's routes as well, with its next hop."""
    first = ios((HOME, "198.51.100.2", ""), (JAPAN, "198.51.100.2", ""))
    second = ios((HOME, "198.51.100.6", ""), (JAPAN, "198.51.100.2", ""))
    assert by_dumps(arcferry, files, first, second)["falls_without"]["primary"] == [AGENT_SERVICE]


def test_where_both_carry_the_same_nothing_falls(arcferry: Run, files: Path) -> None:
    both = [ios((HOME, hop, ""), (JAPAN, hop, "")) for hop in ("198.51.100.2", "198.51.100.6")]
    found = by_dumps(arcferry, files, *both)
    assert (found["code"], found["on_one_path_alone"]) == (0, [])
    assert found["falls_without"] == {"primary": [], "secondary": []}


def test_for_people_it_says_which_names_fall(arcferry: Run, files: Path) -> None:
    by_dumps(arcferry, files, ios((HOME, "198.51.100.2", "")), ios((HOME, "198.51.100.6", "")))
    (files / "p.txt").write_text(ios((HOME, "198.51.100.2", ""), (JAPAN, "198.51.100.2", "")))
    dumps = ("--primary", files / "p.txt", "--secondary", files / "s.txt")
    given = [word for file in files.glob("*.json") for word in ("--with", file)]
    ended = arcferry("circuits", "show", *dumps, *given, "--with", files / "nslookup.txt", *NAMES)
    assert ended.code == 1
    assert "FAIL  if the primary path is down, 1 name falls" in ended.out
    assert "warn  if the secondary path is down, no name is known to fall, and of " in ended.out
    assert "Without the primary path 1 name falls" in ended.out.splitlines()[-1]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ((), "there is no path to show"),
        (("--primary", "p.txt"), "--primary and --secondary belong together"),
        (("--circuit", "er1"), "--circuit needs a sign-in"),
    ],
)
def test_what_cannot_be_shown_is_refused(arcferry: Run, arguments: tuple[str, ...], says: str) -> None:
    ended = arcferry("circuits", "show", *NAMES, *arguments)
    assert (ended.code, ended.out) == (2, "")
    assert says in ended.err


def test_a_dump_that_is_none_is_refused(arcferry: Run, files: Path) -> None:
    dumps = ("--primary", files / "filter.json", "--secondary", files / "filter.json")
    ended = arcferry("circuits", "show", *dumps)
    assert ended.code == 2
    assert "filter.json: neither routes nor BGP sessions of a router" in ended.err
