import re
import shlex

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arcferry.errors import InputError
from arcferry.routing.filter_change import (
    FILTER_UNKNOWN,
    GROUP_UNKNOWN,
    TOOLS,
    changes,
    communities_after,
    request,
    see,
)

TODAY = ("12076:51010", "12076:5060")
ADD = ("12076:51012",)


def texts(**changed: object) -> dict[str, str]:
    given = {
        "filter_name": "rf-msp",
        "resource_group": "rg-net",
        "rule_name": "allow",
        "today": TODAY,
        "add": ADD,
        "location": "East Asia",
    } | changed
    return {change.tool: change.text for change in changes(**given)}  # type: ignore[arg-type] - one call for all


def test_every_tool_names_the_whole_list() -> None:
    found = texts()
    assert tuple(found) == TOOLS
    for text in found.values():
        positions = [text.index(value) for value in (*TODAY, *ADD)]
        assert positions == sorted(positions)
        assert "rf-msp" in text
        assert "rg-net" in text


def test_az_updates_the_rule_that_is_there_and_creates_one_that_is_not() -> None:
    assert texts()["az"] == (
        "az network route-filter rule update --resource-group rg-net --filter-name rf-msp --name allow "
        "--communities 12076:51010 12076:5060 12076:51012"
    )
    created = texts(rule_name="", today=())["az"]
    assert "rule create " in created
    assert "--access Allow" in created


def test_powershell_sets_or_adds_the_rule_then_stores_the_filter() -> None:
    assert "Set-AzRouteFilterRuleConfig" in texts()["powershell"]
    assert "Add-AzRouteFilterRuleConfig" in texts(rule_name="")["powershell"]
    assert texts()["powershell"].splitlines()[-1] == "Set-AzRouteFilter -RouteFilter $filter"


def test_a_new_filter_is_made_and_attached() -> None:
    found = texts(new=True, rule_name="ignored", today=())
    assert "route-filter create " in found["az"]
    assert "peering update " in found["az"]
    assert "--location 'East Asia'" in found["az"]
    assert "New-AzRouteFilter " in found["powershell"]
    assert "existing" not in found["bicep"]
    assert "location: 'East Asia'" in found["bicep"]
    assert "import {" not in found["terraform"]
    assert 'location            = "East Asia"' in found["terraform"]


def test_what_is_there_is_adopted_not_made_again() -> None:
    found = texts()
    assert "routeFilters@2023-11-01' existing = {" in found["bicep"]
    assert found["terraform"].startswith("import {")
    assert "/resourceGroups/rg-net/providers/Microsoft.Network/routeFilters/rf-msp" in found["terraform"]


@pytest.mark.parametrize("tool", ["bicep", "terraform"])
@pytest.mark.parametrize("new", [True, False])
def test_blocks_close_in_the_order_in_which_they_open(tool: str, new: bool) -> None:
    text = texts(new=new)[tool]
    code = "\n".join(re.sub(r"'[^']*'|\"[^\"]*\"|//.*", "", line) for line in text.splitlines())
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
    words = shlex.split(change.text)
    assert words[:4] == ["az", "network", "route-filter", "rule"]
    assert words[-3:] == [*TODAY, *ADD]
    assert not set(change.text) & set(';|&<>$`\\"\n')


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
    text = request("rf-msp", TODAY, ADD, ["12076:51012 (Japan East): agentserviceapi"])
    assert text.startswith(
        "Subject: ExpressRoute route filter rf-msp: please allow BGP community 12076:51012 too"
    )
    assert "12076:51012 (Japan East): agentserviceapi" in text
    assert "12076:51010 12076:5060 12076:51012" in text
    new = request("", (), [*TODAY, *ADD], new=True)
    assert "attach a route filter with 3 BGP communities" in new
    assert "replaces" not in new
