import json
from pathlib import Path
from typing import Any

import pytest

from arcferry.errors import FileInputError
from arcferry.evidence.case import Document, Kind
from arcferry.evidence.readers.network import read_json

SECRET = "canary-51d0"
GROUP = "/subscriptions/s/resourceGroups/rg-net/providers/Microsoft.Network"
DATA = Path(__file__).parents[4] / "shared" / "data"


def route_filter(name: str, *values: str) -> dict[str, Any]:
    rule = {"name": "allow", "access": "Allow", "routeFilterRuleType": "Community", "communities": [*values]}
    return {
        "name": name,
        "id": f"{GROUP}/routeFilters/{name}",
        "provisioningState": "Succeeded",
        "rules": [rule],
        "peerings": [{"id": f"{GROUP}/expressRouteCircuits/er-hk/peerings/MicrosoftPeering"}],
    }


def peering(kind: str = "MicrosoftPeering") -> dict[str, Any]:
    return {
        "name": kind,
        "id": f"{GROUP}/expressRouteCircuits/er-hk/peerings/{kind}",
        "peeringType": kind,
        "state": "Enabled",
        "sharedKey": SECRET,
        "routeFilter": {"id": f"{GROUP}/routeFilters/rf-arc"},
    }


def circuit(name: str = "er-hk") -> dict[str, Any]:
    return {
        "name": name,
        "id": f"{GROUP}/expressRouteCircuits/{name}",
        "serviceKey": SECRET,
        "serviceProviderProvisioningState": "Provisioned",
        "peerings": [peering()],
    }


FILTER = route_filter("rf-arc", "12076:51010", "12076:5060")


@pytest.mark.parametrize(
    "value",
    [
        pytest.param(FILTER, id="az"),
        pytest.param([FILTER], id="az-list"),
        pytest.param({"value": [FILTER]}, id="wrapped"),
        pytest.param({"value": [FILTER], "nextLink": None}, id="wrapped-with-link"),
        pytest.param(
            {
                "name": "rf-arc",
                "id": FILTER["id"],
                "properties": {"rules": [{"name": "allow", "properties": FILTER["rules"][0]}]},
            },
            id="rest",
        ),
        pytest.param(
            {
                "Name": "rf-arc",
                "Id": FILTER["id"],
                "Rules": [
                    {"Name": "allow", "Access": "Allow", "Communities": ["12076:51010", "12076:5060"]},
                ],
            },
            id="powershell",
        ),
    ],
)
def test_a_route_filter_in_every_shape(value: object) -> None:
    (found,) = read_json("filter.json", value)
    seen = found.route_filter
    assert (found.kind, found.name) == (Kind.ROUTE_FILTER, "filter.json")
    assert seen
    assert seen.communities == {"12076:51010", "12076:5060"}
    assert (seen.rule, seen.resource_group) == ("allow", "rg-net")
    assert seen.in_order == ("12076:51010", "12076:5060")
    assert seen.is_named_by(FILTER["id"])


@pytest.mark.parametrize(
    "value",
    [
        pytest.param(circuit(), id="circuit"),
        pytest.param([circuit()], id="circuit-list"),
        pytest.param(peering(), id="peering"),
        pytest.param([peering("AzurePrivatePeering"), peering()], id="peering-list"),
        pytest.param({"value": [peering()]}, id="peering-wrapped"),
    ],
)
def test_a_circuit_or_its_peerings(value: object) -> None:
    (found,) = read_json("circuit.json", value)
    assert (found.kind, found.name) == (Kind.CIRCUIT, "circuit.json")
    assert found.circuit
    assert found.circuit.name == "er-hk"
    assert found.circuit.microsoft
    assert found.circuit.microsoft.route_filter == f"{GROUP}/routeFilters/rf-arc"


def test_several_resources_of_one_list_become_documents_of_their_own() -> None:
    found = read_json("all.json", {"value": [FILTER, circuit(), route_filter("rf-old", "12076:51011")]})
    assert [(one.name, one.kind) for one in found] == [
        ("all.json: rf-arc", Kind.ROUTE_FILTER),
        ("all.json: er-hk", Kind.CIRCUIT),
        ("all.json: rf-old", Kind.ROUTE_FILTER),
    ]


def test_a_peering_among_other_resources_is_a_document_too() -> None:
    kinds = [one.kind for one in read_json("all.json", [FILTER, peering()])]
    assert kinds == [Kind.ROUTE_FILTER, Kind.CIRCUIT]


def test_more_resources_than_are_read_are_refused_and_not_cut_off() -> None:
    with pytest.raises(FileInputError, match="holds 1001 resources, more than the 1000 that are read"):
        read_json("all.json", [FILTER] * 1001)


def test_a_resource_without_a_name_is_called_by_its_place() -> None:
    nameless = {key: value for key, value in FILTER.items() if key != "name"}
    assert [one.name for one in read_json("all.json", [FILTER, nameless])] == [
        "all.json: rf-arc",
        "all.json: [1]",
    ]


@pytest.mark.parametrize(
    "value",
    [
        None,
        7,
        "text",
        [],
        {},
        {"value": []},
        [[]],
        {"value": [{"network": "203.0.113.0/24", "nextHop": "192.0.2.1", "path": "64496 I"}]},
        {"name": "vnet-peering", "peeringState": "Connected"},
        {"rules": []},
        {"sku": {"tier": "Standard"}, "name": "a storage account"},
        [{"Endpoint": "gbl.his.arc.azure.com", "Reachable": True}],
    ],
)
def test_anything_else_is_left_to_the_other_readers(value: object) -> None:
    assert read_json("other.json", value) == []


@pytest.mark.parametrize(
    ("value", "says"),
    [
        ([FILTER, {"name": "vm"}], r"\[1\]: neither a route filter nor a circuit"),
        ({**FILTER, "rules": [{"communities": []}]}, "a rule whose access is neither"),
        (
            {**circuit(), "peerings": [{"peeringType": "MicrosoftPeering", "state": 7}]},
            "state: expected",
        ),
        ([{**peering(), "routeFilter": SECRET}], "routeFilter: expected an object"),
    ],
)
def test_what_is_wrong_is_said_with_the_file_s_name_and_no_key(value: object, says: str) -> None:
    with pytest.raises(FileInputError, match=says) as caught:
        read_json("bad.json", value)
    assert str(caught.value).startswith("bad.json")
    assert SECRET not in f"{caught.value} {caught.value.hint}"


@pytest.mark.parametrize("value", [circuit(), peering(), [circuit(), circuit("er-sg")]])
def test_no_key_is_kept(value: object) -> None:
    assert SECRET in json.dumps(value)
    assert SECRET not in repr(read_json("circuit.json", value))


def _of(name: str) -> Document:
    path = DATA / name
    if not path.exists():
        pytest.skip(f"{name} is not beside the checkout")
    (found,) = read_json(name, json.loads(path.read_text(encoding="utf-8")))
    return found


@pytest.mark.shared
@pytest.mark.parametrize(
    ("name", "kind", "day"),
    [
        ("ServiceTags_China_20260720.json", Kind.SERVICE_TAGS, "2026-07-20"),
        ("bgp-service-communities-2019-05-30.json", Kind.COMMUNITY_LIST, "2019-05-30"),
        ("bgp-service-communities-2019-05-30.cli-shape.json", Kind.COMMUNITY_LIST, "2019-05-30"),
    ],
)
def test_real_files_are_taken_for_themselves(name: str, kind: Kind, day: str) -> None:
    found = _of(name)
    assert found.taken
    assert (found.kind, found.taken.date().isoformat()) == (kind, day)
