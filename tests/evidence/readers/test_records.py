"""What PowerShell and az print as text, and what queries of az give: read as the whole JSON would be."""

import json
from contextlib import suppress
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arcferry.errors import FileInputError
from arcferry.evidence.case import Case, Document, Kind
from arcferry.evidence.readers import network
from arcferry.evidence.readers.records import records, yaml_objects
from arcferry.evidence.reading import read_document
from arcferry.routing.circuit import Circuit

ID = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/rg-quay/providers/Microsoft.Network"
PEERING: dict[str, Any] = {
    "Name": "MicrosoftPeering",
    "Id": f"{ID}/expressRouteCircuits/er-quay/peerings/MicrosoftPeering",
    "PeeringType": "MicrosoftPeering",
    "State": "Enabled",
    "PrimaryPeerAddressPrefix": "198.18.70.0/30",
    "MicrosoftPeeringConfig": {
        "AdvertisedPublicPrefixes": ["192.0.2.32/29"],
        "AdvertisedPublicPrefixesState": "Configuring",
        "LegacyMode": 0,
    },
    "RouteFilter": {"Id": f"{ID}/routeFilters/rf-quay"},
}
CIRCUIT: dict[str, Any] = {
    "Name": "er-quay",
    "ResourceGroupName": "rg-quay",
    "Id": f"{ID}/expressRouteCircuits/er-quay",
    "Sku": {"Name": "Standard_MeteredData", "Tier": "Standard", "Family": "MeteredData"},
    "CircuitProvisioningState": "Enabled",
    "ServiceProviderProvisioningState": "Provisioned",
    "ServiceProviderProperties": {"PeeringLocation": "Taipei"},
    "Peerings": [PEERING],
}
FILTER: dict[str, Any] = {
    "Name": "rf-quay",
    "Id": f"{ID}/routeFilters/rf-quay",
    "ProvisioningState": "Succeeded",
    "Rules": [{"Name": "allow", "Access": "Allow", "Communities": ["12076:51010", "12076:5060"]}],
    "Peerings": [{"Id": PEERING["Id"]}],
}


def format_list(resource: dict[str, Any], width: int = 0) -> str:
    """As `Format-List` prints it, with what is longer than the window broken."""
    column = max(map(len, resource)) + 1
    lines = []
    for key, value in resource.items():
        shown = value if isinstance(value, str) else json.dumps(value, indent=2)
        for index, part in enumerate(shown.split("\n")):
            room = width - column - 2 if width else len(part) or 1
            for at in range(0, len(part) or 1, room):
                first = index == at == 0
                lines.append((f"{key:<{column}}: " if first else " " * (column + 2)) + part[at : at + room])
    return "\n".join(lines) + "\n"


def _one(text: str) -> Document:
    (document,) = read_document("handed-in.txt", text.encode())
    return document


@pytest.mark.parametrize("width", [0, 80, 100, 132])
@pytest.mark.parametrize(
    "around", ["{}", "PS C:\\ops> Get-It -Name x\n\n{}\nPS C:\\ops> exit\n", "WARNING: old\n\n{}\n"]
)
@pytest.mark.parametrize("resource", [CIRCUIT, PEERING, FILTER], ids=["circuit", "peering", "filter"])
def test_as_powershell_prints_it_is_as_json(resource: dict[str, Any], around: str, width: int) -> None:
    found = _one(around.format(format_list(resource, width)).replace("\n", "\r\n"))
    as_json = _one(json.dumps(resource))
    assert (found.circuit, found.route_filter) == (as_json.circuit, as_json.route_filter)
    assert found.circuit or found.route_filter


def _yaml(value: object, indent: int = 0) -> str:
    """As az writes YAML: a list at the indentation of its name, an object in it behind a dash."""
    pad = " " * indent
    if isinstance(value, dict):
        parts = []
        for key, item in value.items():
            inner = item if isinstance(item, list | dict) and item else None
            deeper = indent + 2 if isinstance(item, dict) else indent
            scalar = "[]" if item == [] else "null" if item is None else item
            parts.append(f"{pad}{key}:\n{_yaml(inner, deeper)}" if inner else f"{pad}{key}: {scalar}\n")
        return "".join(parts)
    if isinstance(value, list):
        return "".join(f"{pad}- {_yaml(item, indent + 2).lstrip()}" for item in value)
    return f"{value}\n"


@pytest.mark.parametrize("resource", [CIRCUIT, PEERING, FILTER], ids=["circuit", "peering", "filter"])
def test_yaml_and_coloured_json_of_az_are_as_json(resource: dict[str, Any]) -> None:
    as_json = _one(json.dumps(resource))
    coloured = json.dumps(resource, indent=2).replace(": ", ": \x1b[34;01m").replace("\n", "\x1b[39;49;00m\n")
    for text in (f"ops@jump:~$ az network x show -o yaml\n{_yaml(resource)}ops@jump:~$ \n", coloured):
        found = _one(text)
        assert (found.circuit, found.route_filter) == (as_json.circuit, as_json.route_filter)


def test_objects_that_convertto_json_cuts_short_are_read_from_their_text() -> None:
    short = {**CIRCUIT, "Peerings": ["Microsoft.Azure.Commands.Network.Models.PSPeering"]}
    whole = {**short, "PeeringsText": json.dumps([PEERING])}
    assert _one(json.dumps(whole)).circuit == _one(json.dumps(CIRCUIT)).circuit
    with pytest.raises(FileInputError):
        _one(json.dumps(short))


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (PEERING["MicrosoftPeeringConfig"], ("Configuring", ("192.0.2.32/29",), False)),
        ({"state": "Configuring", "prefixes": ["192.0.2.32/29"]}, ("Configuring", ("192.0.2.32/29",), False)),
        ({"filter": None, "state": "Enabled"}, ("", (), True)),
        ({"filter": {"id": f"{ID}/routeFilters/rf-quay"}, "state": "Enabled"}, ("", (), True)),
    ],
)
def test_a_query_of_a_peering_tells_its_part(answer: object, told: tuple[object, ...]) -> None:
    circuit = _one(json.dumps(answer)).circuit
    assert circuit is not None
    assert circuit.microsoft is not None
    side = circuit.microsoft
    assert (side.advertised_state, side.advertised_prefixes, side.tells_filter) == told


@pytest.mark.parametrize(
    "answer",
    [
        {"state": "Succeeded", "communities": [["12076:51010", "12076:5060"]]},
        ["12076:51010", "12076:5060"],
        [{"access": "Allow", "communities": ["12076:51010", "12076:5060"]}],
        {"access": "Allow", "communities": ["12076:51010", "12076:5060"]},
    ],
)
def test_a_query_of_a_filter_tells_what_it_allows(answer: object) -> None:
    route_filter = _one(json.dumps(answer)).route_filter
    assert route_filter is not None
    assert route_filter.allowed == ("12076:51010", "12076:5060")
    assert route_filter.attached_to is None


def test_a_rule_with_powershell_s_own_list_is_a_filter_unless_it_is_cut_short() -> None:
    rule = "Access      : Allow\nCommunities : {12076:51010, 12076:5060}\nName        : allow\n"
    route_filter = _one(rule).route_filter
    assert route_filter is not None
    assert route_filter.allowed == ("12076:51010", "12076:5060")
    assert _one(rule.replace("5060}", "5060...}")).kind is Kind.UNRECOGNISED


def test_one_circuit_by_three_tools_is_one_and_keeps_what_each_tells() -> None:
    config = {**PEERING["MicrosoftPeeringConfig"], "AdvertisedPublicPrefixesState": "ValidationNeeded"}
    texts = [
        json.dumps({**CIRCUIT, "Peerings": []}),
        json.dumps(CIRCUIT),
        format_list(CIRCUIT),
        json.dumps(config),
    ]
    given = [one for text in texts[1:] for one in read_document(f"{len(text)}.txt", text.encode())]
    (circuit,) = Case.of(given).circuits
    assert circuit.name == "er-quay"
    assert circuit.microsoft is not None
    assert circuit.microsoft.route_filter.endswith("/rf-quay")


def test_documents_of_one_circuit_that_contradict_each_other_stay_apart() -> None:
    off = json.dumps({**CIRCUIT, "Peerings": [{**PEERING, "State": "Disabled"}]})
    given = [one for text in (off, json.dumps(CIRCUIT)) for one in read_document("c.json", text.encode())]
    states = [circuit.microsoft.state for circuit in Case.of(given).circuits if circuit.microsoft]
    assert states == ["Disabled", "Enabled"]


def test_one_filter_by_two_tools_counts_once_and_another_of_its_name_stays() -> None:
    rules = [{**FILTER["Rules"][0], "Communities": ["12076:51010"]}]
    texts = [json.dumps(FILTER), format_list(FILTER), json.dumps({**FILTER, "Rules": rules})]
    given = [one for index, text in enumerate(texts) for one in read_document(f"{index}", text.encode())]
    assert [sorted(one.communities) for one in Case.of(given).filters] == [
        ["12076:5060", "12076:51010"],
        ["12076:51010"],
    ]


def test_each_prefix_has_its_own_state_and_its_signature_is_nowhere() -> None:
    info = [
        {"prefix": "192.0.2.32/29", "validationState": "Configured", "signature": "Z2VoZWltZXMtUGZhbmQ="},
        {
            "prefix": "192.0.2.40/29",
            "validationState": "AsnValidationFailed",
            "signature": "Z2VoZWltZXMtUGZhbmQ=",
        },
    ]
    config = {
        "advertisedPublicPrefixes": ["192.0.2.32/29", "192.0.2.40/29", "192.0.2.48/29"],
        "advertisedPublicPrefixesState": "Configuring",
        "advertisedPublicPrefixInfo": info,
    }
    for text in (json.dumps(config), format_list({**PEERING, "MicrosoftPeeringConfig": config})):
        document = _one(text)
        assert isinstance(document.circuit, Circuit)
        assert document.circuit.microsoft is not None
        assert document.circuit.microsoft.unvalidated == (
            ("192.0.2.40/29", "AsnValidationFailed"),
            ("192.0.2.48/29", "Configuring"),
        )
        assert "Z2VoZWltZXM" not in repr(document)


_SAMPLES = [format_list(one, width) for one in (CIRCUIT, PEERING, FILTER) for width in (0, 80)]
_SAMPLES += [_yaml(one) for one in (CIRCUIT, FILTER)]
_SAMPLES.append(
    "Age    Interface    IpAddress    MacAddress\n-----  -----------  -----------  ------------\n"
    "10     On-Prem      10.0.0.1     aabb.cc00.0501\n"
)


@given(st.sampled_from(_SAMPLES), st.sampled_from(_SAMPLES), st.randoms(), st.text(max_size=30))
def test_never_raises_but_for_what_is_wrong_in_it(one: str, other: str, chance: Random, odd: str) -> None:
    lines = [*one.splitlines(), odd, *other.splitlines()]
    for _ in range(chance.randrange(4)):
        at = chance.randrange(len(lines))
        lines[at] = chance.choice(
            ["", lines[at][: chance.randrange(80)], odd, lines[chance.randrange(len(lines))]]
        )
    text = "\n".join(lines)
    list(records(text))
    list(yaml_objects(text))
    with suppress(FileInputError):
        network.read_text("x", text)


@pytest.mark.parametrize(
    "text",
    [
        "Name : somebody\nState : Running\n",
        "Status   Name   DisplayName\n------   ----   -----------\nRunning  himds  Azure Hybrid Instance\n",
        "Network : 203.0.113.0/30\nNextHop : 203.0.113.1\n",
    ],
)
def test_other_objects_are_left_alone(text: str) -> None:
    assert network.read_text("x", text) == ()
