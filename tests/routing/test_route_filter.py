import copy
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arcferry.errors import InputError
from arcferry.routing.route_filter import RouteFilter, read_route_filter

RULE: dict[str, Any] = {
    "access": "Allow",
    "routeFilterRuleType": "Community",
    "communities": ["12076:51010", "12076:5060"],
}
REST: dict[str, Any] = {
    "name": "rf-msp",
    "properties": {
        "provisioningState": "Succeeded",
        "rules": [{"name": "allow", "properties": RULE}],
        "peerings": [],
    },
}
FLAT: dict[str, Any] = {
    "name": "rf-msp",
    "provisioningState": "Succeeded",
    "rules": [{"name": "allow", **RULE}],
}
EXPECTED = RouteFilter(
    "rf-msp",
    frozenset({"12076:51010", "12076:5060"}),
    frozenset(),
    "Succeeded",
    rule="allow",
    in_order=("12076:51010", "12076:5060"),
    origin="f.json",
)


@pytest.mark.parametrize(
    "document",
    [
        REST,
        FLAT,
        [FLAT],
        {"value": [REST]},
        {
            "Name": "rf-msp",
            "ProvisioningState": "Succeeded",
            "Rules": [{"Name": "allow", "Access": "Allow", "Communities": ["12076:51010", "12076:5060"]}],
        },
    ],
)
def test_every_shape_is_read_alike(document: object) -> None:
    assert replace(read_route_filter(document, "f.json"), attached_to=None) == EXPECTED


@pytest.mark.parametrize(
    ("fields", "attached"),
    [
        ({}, None),
        ({"peerings": []}, ()),
        ({"peerings": [], "ipv6Peerings": []}, ()),
        ({"Peerings": [{"Id": f"/{'subscriptions/0/resourceGroups/g/providers/Microsoft.Network'}/x/y"}]}, 1),
    ],
)
def test_a_filter_tells_which_peerings_hold_it(fields: dict[str, object], attached: object) -> None:
    found = read_route_filter({"name": "rf", "rules": [], **fields}, "f.json")
    assert (len(found.attached_to) if attached == 1 and found.attached_to else found.attached_to) == attached
    assert found.is_attached_nowhere is (attached == ())


GROUP = "/subscriptions/s/resourceGroups/rg-net/providers/Microsoft.Network"


@pytest.mark.parametrize(
    ("reference", "meant"),
    [
        (f"{GROUP}/routeFilters/rf-msp", True),
        (f"{GROUP}/routeFilters/RF-MSP".upper(), True),
        ("rf-msp", True),
        (f"{GROUP}/routeFilters/rf-other", False),
        (f"{GROUP.replace('rg-net', 'rg-old')}/routeFilters/rf-msp", False),
        ("", False),
    ],
)
def test_a_reference_means_the_filter_or_not(reference: str, meant: bool) -> None:
    found = read_route_filter({**FLAT, "id": f"{GROUP}/routeFilters/rf-msp"}, "f.json")
    assert found.is_named_by(reference) is meant


def test_deny_is_honoured_and_outweighs_allow() -> None:
    document = copy.deepcopy(FLAT)
    document["rules"].append({"access": "deny", "communities": ["12076:5060", "12076:5070"]})
    found = read_route_filter(document, "f.json")
    assert found.denied == {"12076:5060", "12076:5070"}
    assert (found.allows("12076:51010"), found.allows("12076:5060"), found.allows("12076:5070")) == (
        True,
        False,
        False,
    )


def test_a_filter_without_rules_allows_nothing() -> None:
    found = read_route_filter({"rules": []}, "empty.json")
    assert found == RouteFilter("empty.json", frozenset(), frozenset(), "", origin="empty.json")
    assert not found.allows("12076:51010")


def test_a_value_that_stands_twice_counts_once() -> None:
    found = read_route_filter(
        {**FLAT, "rules": [{**RULE, "communities": ["12076:51010", "12076:51010 "]}]}, "f.json"
    )
    assert found.communities == {"12076:51010"}


@pytest.mark.parametrize(
    ("document", "place"),
    [
        (None, "no rules: not a route filter"),
        ({}, "no rules: not a route filter"),
        ([], "holds none"),
        ([FLAT, {**FLAT, "name": "other"}], r"holds 2 route filters \(rf-msp, other\), expected one"),
        ({"rules": {}}, "rules: expected a list"),
        ({"rules": [{"communities": []}]}, r"rules\[0\]: a rule whose access is neither Allow nor Deny"),
        ({"rules": [{"access": "Permit"}]}, r"rules\[0\]: a rule whose access is neither"),
        ({"rules": [{"access": 1}]}, r"rules\[0\]\.access: expected text"),
        ({"rules": [{**RULE, "communities": "12076:51010"}]}, r"rules\[0\]\.communities: expected a list"),
        (
            {"rules": [{**RULE, "communities": ["East Asia"]}]},
            r"rules\[0\]: 'East Asia' is no community value",
        ),
        ({"rules": [{**RULE, "communities": [51010]}]}, r"rules\[0\]\.communities\[0\]: expected text"),
    ],
)
def test_a_malformed_filter_is_refused_by_file_and_place(document: object, place: str) -> None:
    with pytest.raises(InputError, match=rf"^bad\.json: {place}"):
        read_route_filter(document, "bad.json")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.sampled_from(["Allow", "Deny", "12076:5060", "x"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["name", "value", "rules", "Rules", "properties", "access", "communities"]),
            inner,
            max_size=5,
        )
    ),
    max_leaves=20,
)


@given(JSON)
def test_any_json_is_read_or_refused(document: object) -> None:
    problem = "any.json: "
    try:
        read_route_filter(document, "any.json")
    except InputError as error:
        problem = error.message
    assert problem.startswith("any.json: ")
