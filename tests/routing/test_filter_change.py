import re
import shlex
import shutil
import subprocess
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arcferry.errors import InputError
from arcferry.routing.circuit import Circuit
from arcferry.routing.filter_change import (
    FILTER_UNKNOWN,
    GROUP_UNKNOWN,
    TOOLS,
    AsOf,
    changes,
    communities_after,
    request,
    see,
)

TODAY = ("12076:51010", "12076:5060")
ADD = ("12076:51012",)
A_DAY = AsOf(date(2026, 11, 23), newest=date(2026, 11, 23))
DOUBTS = {
    "undated": AsOf(),
    "undated-beside-evidence": AsOf(None, date(2026, 11, 23)),
    "older": AsOf(date(2026, 11, 22), date(2026, 11, 23)),
}


def texts(**changed: object) -> dict[str, str]:
    given = {
        "filter_name": "rf-msp",
        "resource_group": "rg-net",
        "rule_name": "allow",
        "today": TODAY,
        "add": ADD,
        "location": "East Asia",
        "asof": A_DAY,
    } | changed
    return {change.tool: change.text for change in changes(**given)}  # type: ignore[arg-type] - one call for all


def test_every_tool_names_the_filter_and_what_is_added() -> None:
    found = texts()
    assert tuple(found) == TOOLS
    for text in found.values():
        assert ADD[0] in text
        assert "rf-msp" in text
        assert "rg-net" in text


@pytest.mark.parametrize("tool", ["bicep", "terraform"])
def test_what_replaces_names_the_whole_list_and_the_day_for_which_it_is_right(tool: str) -> None:
    text = texts()[tool]
    positions = [text.index(value) for value in (*TODAY, *ADD)]
    assert positions == sorted(positions)
    assert "Replaces the whole list: right for the filter as of 2026-11-23." in text


@pytest.mark.parametrize("tool", ["az", "powershell"])
def test_what_adds_names_nothing_that_is_there_already(tool: str) -> None:
    for asof in (A_DAY, *DOUBTS.values()):
        assert not set(TODAY) & set(re.findall(r"\d+:\d+", texts(asof=asof)[tool]))


@pytest.mark.parametrize("asof", DOUBTS.values(), ids=DOUBTS)
def test_what_replaces_is_withheld_where_the_filter_may_have_changed(asof: AsOf) -> None:
    found = {one.tool: one for one in changes("rf-msp", "rg-net", "allow", TODAY, ADD, asof=asof)}
    for tool in ("bicep", "terraform"):
        assert found[tool].text == ""
        assert "replaces the whole list, as REST does" in found[tool].withheld
        assert "\n" not in found[tool].withheld
        assert found[tool].fetch == (
            "az network route-filter show --resource-group rg-net --name rf-msp --output json "
            "> route-filter-YYYY-MM-DD.json"
        )
    assert found["az"].text
    assert found["powershell"].text


def test_a_new_filter_has_nothing_to_lose() -> None:
    found = changes("rf-msp", "rg-net", "", (), ADD, asof=AsOf(), new=True)
    assert [one.withheld for one in found] == [""] * len(TOOLS)


def test_nothing_is_changed_where_the_rule_holds_it_all() -> None:
    assert changes("rf-msp", "rg-net", "allow", TODAY, TODAY[:1], asof=A_DAY) == ()


def test_az_updates_the_rule_that_is_there_and_creates_one_that_is_not() -> None:
    assert texts()["az"] == (
        "az network route-filter rule update --resource-group rg-net --filter-name rf-msp --name allow "
        "--add communities 12076:51012"
    )
    created = texts(rule_name="", today=())["az"]
    assert created.splitlines()[0].startswith("az network route-filter rule list ")
    assert "rule create " in created
    assert "--access Allow" in created


def test_powershell_reads_the_rule_as_it_is_appends_and_sets() -> None:
    assert texts()["powershell"].splitlines() == [
        "$filter = Get-AzRouteFilter -ResourceGroupName rg-net -Name rf-msp",
        "$rule = $filter.Rules | Where-Object Access -eq 'Allow' | Select-Object -First 1",
        "$values = @($rule.Communities) + @('12076:51012') | Select-Object -Unique",
        (
            "$filter = Set-AzRouteFilterRuleConfig -RouteFilter $filter -Name $rule.Name -Access Allow "
            "-RouteFilterRuleType Community -CommunityList $values"
        ),
        "Set-AzRouteFilter -RouteFilter $filter",
    ]


def test_powershell_sets_or_adds_the_rule_then_stores_the_filter() -> None:
    assert "Set-AzRouteFilterRuleConfig" in texts()["powershell"]
    assert "Add-AzRouteFilterRuleConfig" in texts(rule_name="")["powershell"]
    assert texts()["powershell"].splitlines()[-1] == "Set-AzRouteFilter -RouteFilter $filter"


def test_a_new_filter_is_made_and_attached() -> None:
    found = texts(new=True, rule_name="ignored", today=())
    assert "route-filter create " in found["az"]
    assert "peering update " in found["az"]
    assert '--location "East Asia"' in found["az"]
    assert (
        "--route-filter /subscriptions/SUBSCRIPTION-ID/resourceGroups/rg-net/providers/Microsoft.Network"
        "/routeFilters/rf-msp"
    ) in found["az"]
    assert "--resource-group RESOURCE-GROUP-OF-THE-CIRCUIT --circuit-name CIRCUIT" in found["az"]
    assert "New-AzRouteFilter " in found["powershell"]
    assert "routeFilters@2023-11-01' = {" in found["bicep"]
    assert "location: 'East Asia'" in found["bicep"]
    assert "to = azurerm_route_filter.arc" not in found["terraform"]
    assert 'location            = "East Asia"' in found["terraform"]


SUBSCRIPTION = "22222222-3333-4444-5555-666666666666"
NETWORK = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-edge/providers/Microsoft.Network"
CIRCUIT = Circuit(
    "er-hk",
    resource_group="rg-edge",
    resource_id=f"{NETWORK}/expressRouteCircuits/er-hk",
    location="eastasia",
)
PLACEHOLDER = re.compile(r"\b(?:SUBSCRIPTION|RESOURCE|CIRCUIT|LOCATION|ROUTE-FILTER)\b[A-Z-]*")


def test_a_new_filter_is_made_where_the_circuit_at_hand_is_and_attached_to_it() -> None:
    for tool, text in texts(new=True, today=(), resource_group="", location="", circuit=CIRCUIT).items():
        assert not PLACEHOLDER.search(text), tool
        assert "er-hk" in text
        assert "eastasia" in text
    assert (
        "--name MicrosoftPeering --route-filter rf-msp"
        in texts(new=True, today=(), resource_group="rg-edge", circuit=CIRCUIT)["az"]
    )


def test_a_filter_of_another_group_is_attached_by_its_id() -> None:
    az = texts(new=True, today=(), circuit=CIRCUIT)["az"]
    assert (
        f"--route-filter /subscriptions/{SUBSCRIPTION}/resourceGroups/rg-net/providers/Microsoft.Network"
        "/routeFilters/rf-msp"
    ) in az


def test_the_change_of_a_filter_at_hand_has_no_placeholder() -> None:
    path = f"{NETWORK.replace('rg-edge', 'rg-net')}/routeFilters/rf-msp"
    for text in texts(filter_id=path).values():
        assert not PLACEHOLDER.search(text)


def test_bicep_attaches_a_new_filter_and_keeps_what_the_peering_holds() -> None:
    text = texts(new=True, today=(), circuit=CIRCUIT)["bicep"]
    assert "union(peering.properties, { routeFilter: { id: filter.id } })" in text
    assert "name: 'er-hk/MicrosoftPeering'" in text
    assert "scope: resourceGroup('rg-edge')" in text
    # The first API that knows prefixes which are validated one by one.
    assert text.count("expressRouteCircuits/peerings@2024-10-01'") == 2


def test_terraform_attaches_a_new_filter_and_keeps_what_the_peering_holds() -> None:
    text = texts(new=True, today=(), circuit=CIRCUIT)["terraform"]
    assert "route_filter_id            = azurerm_route_filter.arc.id" in text
    assert f'id = "{CIRCUIT.resource_id}/peerings/MicrosoftPeering"' in text
    kept = re.search(r"ignore_changes = \[([^]]*)\]", text)
    assert kept
    assert {"vlan_id", "peer_asn", "microsoft_peering_config", "ipv6", "shared_key"} <= set(
        re.findall(r"\w+", kept[1])
    )


@pytest.mark.parametrize("location", ["eastasia", "", "; no location"])
def test_terraform_never_replaces_a_filter_that_is_there(location: str) -> None:
    """A location of another spelling or place makes Terraform destroy the filter and make another."""
    text = texts(location=location)["terraform"]
    said = location if location == "eastasia" else ""
    expected = f'"{said}"' if said else "data.azurerm_route_filter.live.location"
    assert f"  location            = {expected}\n" in text
    assert "LOCATION" not in text
    assert "prevent_destroy = true" in text
    assert re.search(r"ignore_changes = \[\s+location,\s+tags,\s+\]", text)
    assert ('data "azurerm_route_filter" "live" {' in text) == (not said)


@pytest.mark.skipif(not shutil.which("terraform"), reason="no terraform here")
@pytest.mark.parametrize("new", [True, False])
@pytest.mark.parametrize("location", ["eastasia", ""])
def test_terraform_itself_reads_it_and_would_lay_it_out_so(tmp_path: Path, location: str, new: bool) -> None:
    (tmp_path / "main.tf").write_text(texts(new=new, location=location, circuit=CIRCUIT)["terraform"] + "\n")
    ran = subprocess.run(
        ["terraform", "fmt", "-check", "-diff"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr


def test_what_is_there_is_adopted_not_made_again() -> None:
    found = texts()
    assert "routeFilters@2023-11-01' existing = {" in found["bicep"]
    assert "import {" in found["terraform"]
    assert "/resourceGroups/rg-net/providers/Microsoft.Network/routeFilters/rf-msp" in found["terraform"]


def test_a_filter_without_an_id_is_not_looked_for_in_the_circuits_subscription() -> None:
    """It may be in another one, and what is adopted there would be another filter."""
    terraform = texts(circuit=CIRCUIT)["terraform"]
    assert SUBSCRIPTION not in terraform
    assert "/subscriptions/SUBSCRIPTION-ID/resourceGroups/rg-net/" in terraform


@pytest.mark.parametrize("tool", ["bicep", "terraform"])
@pytest.mark.parametrize("new", [True, False])
def test_blocks_close_in_the_order_in_which_they_open(tool: str, new: bool) -> None:
    text = texts(new=new)[tool]
    code = "\n".join(re.sub(r"'[^']*'|\"[^\"]*\"|//.*|^#.*", "", line) for line in text.splitlines())
    pairs = {"}": "{", "]": "["}
    open_ones: list[str] = []
    for character in code:
        if character in pairs.values():
            open_ones.append(character)
        elif character in pairs:
            assert open_ones.pop() == pairs[character]
    assert open_ones == []
    assert "'" not in code
    assert '"' not in code


def test_a_list_in_bicep_is_one_value_a_line_and_in_terraform_with_commas() -> None:
    assert re.search(r"communities: \[\n( {6}'12076:\d+'\n){3} {4}\]", texts()["bicep"])
    assert re.search(r"communities = \[\n( {6}\"12076:\d+\",\n){3} {4}\]", texts()["terraform"])


HOSTILE = [
    "rf'; Remove-Item C:\\ -Recurse #",
    'rf" }\nresource "x" "y" {',
    "rf$(reboot)",
    "${var.secret}",
    "rf`n",
    "-rf",
    "rf\u2019",
    "r" * 91,
    "rf\n",
    "",
]


@pytest.mark.parametrize("hostile", HOSTILE)
def test_a_name_that_azure_could_not_have_given_goes_nowhere(hostile: str) -> None:
    for text in texts(
        filter_name=hostile, resource_group=hostile, rule_name=hostile, location=hostile
    ).values():
        assert FILTER_UNKNOWN in text
        assert GROUP_UNKNOWN in text
        assert not hostile or hostile not in text
    assert not hostile or hostile not in request(hostile, TODAY, ADD)
    assert not hostile or hostile not in see(hostile, hostile).text


@given(st.text(max_size=120), st.text(max_size=120), st.text(max_size=120))
def test_the_az_line_stays_one_command_whatever_the_names(name: str, group: str, rule: str) -> None:
    (change,) = changes(name, group, rule, TODAY, ADD, tools=("az",))
    for line in change.text.splitlines():
        assert shlex.split(line)[:4] == ["az", "network", "route-filter", "rule"]
    words = shlex.split(change.text)
    assert words[-1:] == [*ADD]
    assert not set(change.text) & set(";|&<>$`\\'%")


@pytest.mark.parametrize("value", ["12076", "12076:51010; reboot", "a:b", "", "12076:51010\n", "1:2:3"])
def test_what_is_no_community_is_refused(value: str) -> None:
    with pytest.raises(InputError, match="is no community value"):
        communities_after([value], [])
    with pytest.raises(InputError, match="is no community value"):
        request("rf", TODAY, [value])


def test_each_community_stands_once() -> None:
    assert communities_after(TODAY, [*ADD, *TODAY, *ADD]) == (*TODAY, *ADD)


def test_a_rule_needs_a_community() -> None:
    with pytest.raises(InputError, match="at least one community"):
        texts(today=(), add=())


def test_the_request_says_what_to_add_and_what_must_stay() -> None:
    text = request("rf-msp", TODAY, ADD, ["12076:51012 (Japan East): agentserviceapi"], asof=A_DAY)
    assert text.startswith(
        "Subject: ExpressRoute route filter rf-msp: please allow BGP community 12076:51012 too"
    )
    assert "12076:51012 (Japan East): agentserviceapi" in text
    assert "The filter as of 2026-11-23, as we know it, allows:\n  12076:51010 12076:5060\n" in text
    assert "keep what the rule allows now" in text
    assert "must read" not in text
    assert "The filter of unknown day, as we know it, allows:" in request("rf-msp", TODAY, ADD)
    new = request("", (), [*TODAY, *ADD], new=True)
    assert "attach a route filter with 3 BGP communities" in new
    assert "replaces" not in new
