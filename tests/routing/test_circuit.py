import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arcferry.errors import InputError
from arcferry.routing.circuit import Circuit, Peering, Tier, read_circuit

SECRET = "canary-9f1c"
GROUP = "/subscriptions/s/resourceGroups/rg-net/providers/Microsoft.Network"
CIRCUIT_ID = f"{GROUP}/expressRouteCircuits/er-hk"
FILTER_ID = f"{GROUP}/routeFilters/rf-arc"

PEERING: dict[str, Any] = {
    "peeringType": "MicrosoftPeering",
    "state": "Enabled",
    "provisioningState": "Succeeded",
    "azureASN": 12076,
    "peerASN": 64520,
    "primaryPeerAddressPrefix": "192.0.2.0/30",
    "secondaryPeerAddressPrefix": "192.0.2.4/30",
    "sharedKey": SECRET,
    "vlanId": 300,
    "microsoftPeeringConfig": {
        "advertisedPublicPrefixes": ["203.0.113.0/24"],
        "advertisedPublicPrefixesState": "ValidationNeeded",
        "legacyMode": 0,
        "customerASN": 64496,
        "routingRegistryName": "APNIC",
    },
    "routeFilter": {"id": FILTER_ID},
    "ipv6PeeringConfig": {
        "primaryPeerAddressPrefix": "2001:db8:0:1::/126",
        "secondaryPeerAddressPrefix": "2001:db8:0:2::/126",
        "microsoftPeeringConfig": {"advertisedPublicPrefixes": ["2001:db8:100::/48"]},
        "state": "Disabled",
    },
}
PROVIDER = {"serviceProviderName": "Equinix", "peeringLocation": "Hong Kong", "bandwidthInMbps": 200}
REST: dict[str, Any] = {
    "name": "er-hk",
    "id": CIRCUIT_ID,
    "location": "eastasia",
    "sku": {"name": "Standard_MeteredData", "tier": "Standard", "family": "MeteredData"},
    "properties": {
        "circuitProvisioningState": "Enabled",
        "serviceProviderProvisioningState": "Provisioned",
        "serviceKey": SECRET,
        "serviceProviderProperties": PROVIDER,
        "authorizations": [{"properties": {"authorizationKey": SECRET}}],
        "peerings": [
            {"name": "AzurePrivatePeering", "properties": {"peeringType": "AzurePrivatePeering"}},
            {
                "name": "MicrosoftPeering",
                "id": f"{CIRCUIT_ID}/peerings/MicrosoftPeering",
                "properties": PEERING,
            },
        ],
    },
}
FLAT: dict[str, Any] = {
    "name": "er-hk",
    "id": CIRCUIT_ID,
    "resourceGroup": "rg-net",
    "location": "eastasia",
    "sku": REST["sku"],
    **REST["properties"],
    "peerings": [
        {"name": "MicrosoftPeering", "id": f"{CIRCUIT_ID}/peerings/MicrosoftPeering", **PEERING},
    ],
}
EXPECTED = Circuit(
    name="er-hk",
    tier=Tier.STANDARD,
    peering_location="Hong Kong",
    provisioning="Provisioned",
    microsoft=Peering(
        state="Enabled",
        primary_prefix="192.0.2.0/30",
        secondary_prefix="192.0.2.4/30",
        advertised_prefixes=("203.0.113.0/24",),
        advertised_state="ValidationNeeded",
        legacy=False,
        route_filter=FILTER_ID,
    ),
    microsoft_ipv6=Peering(
        state="Disabled",
        primary_prefix="2001:db8:0:1::/126",
        secondary_prefix="2001:db8:0:2::/126",
        advertised_prefixes=("2001:db8:100::/48",),
    ),
    state="Enabled",
    family="MeteredData",
    resource_group="rg-net",
    resource_id=CIRCUIT_ID,
    location="eastasia",
)


def pascal(value: object) -> object:
    """The same document with keys as PowerShell writes them."""
    if isinstance(value, dict):
        return {key[0].upper() + key[1:]: pascal(item) for key, item in value.items()}
    return [pascal(item) for item in value] if isinstance(value, list) else value


@pytest.mark.parametrize(
    "document",
    [
        pytest.param(REST, id="rest"),
        pytest.param(FLAT, id="az"),
        pytest.param([FLAT], id="az-list-of-one"),
        pytest.param({"value": [REST]}, id="rest-list-of-one"),
        pytest.param(pascal(FLAT), id="powershell"),
    ],
)
def test_every_shape_is_read_alike(document: object) -> None:
    assert read_circuit(document, "c.json") == EXPECTED


@pytest.mark.parametrize(
    "document",
    [
        pytest.param(FLAT["peerings"][0], id="az-show"),
        pytest.param(FLAT["peerings"], id="az-list"),
        pytest.param(REST["properties"]["peerings"][1], id="rest"),
        pytest.param({"value": REST["properties"]["peerings"]}, id="rest-list"),
        pytest.param(pascal(FLAT["peerings"][0]), id="powershell"),
    ],
)
def test_peerings_alone_tell_of_their_circuit(document: object) -> None:
    found = read_circuit(document, "p.json")
    assert found.microsoft == EXPECTED.microsoft
    assert found.microsoft_ipv6 == EXPECTED.microsoft_ipv6
    assert (found.tier, found.peering_location, found.lists_peerings) == (Tier.UNKNOWN, "", True)


def test_a_peering_alone_takes_the_circuit_s_name_and_group_from_its_id() -> None:
    found = read_circuit(FLAT["peerings"][0], "p.json")
    assert (found.name, found.resource_group) == ("er-hk", "rg-net")


def test_a_private_peering_alone_says_nothing_of_microsoft_peering() -> None:
    private = {"peeringType": "AzurePrivatePeering", "state": "Enabled"}
    assert read_circuit(private, "p.json").lists_peerings is False
    listed = read_circuit([private], "p.json")
    assert (listed.lists_peerings, listed.microsoft) == (True, None)


def test_missing_fields_stay_unknown() -> None:
    assert read_circuit({"serviceProviderProvisioningState": "NotProvisioned"}, "c.json") == Circuit(
        "c.json", provisioning="NotProvisioned", lists_peerings=False
    )
    bare = read_circuit({"peeringType": "MicrosoftPeering"}, "p.json")
    assert bare.microsoft == Peering()
    assert bare.microsoft_ipv6 is None


@pytest.mark.parametrize(
    ("sku", "tier"),
    [
        ({"tier": "Premium"}, Tier.PREMIUM),
        ({"Tier": "local"}, Tier.LOCAL),
        ({"name": "Premium_UnlimitedData"}, Tier.PREMIUM),
        ({"tier": "Basic"}, Tier.UNKNOWN),
        ({}, Tier.UNKNOWN),
        (None, Tier.UNKNOWN),
    ],
)
def test_the_sku(sku: object, tier: Tier) -> None:
    assert read_circuit({**FLAT, "sku": sku}, "c.json").tier is tier


@pytest.mark.parametrize(("mode", "legacy"), [(0, False), (1, True), ("1", True), (None, None)])
def test_legacy_mode(mode: object, legacy: bool | None) -> None:
    config = {**PEERING["microsoftPeeringConfig"], "legacyMode": mode}
    found = read_circuit({**PEERING, "microsoftPeeringConfig": config}, "p.json")
    assert found.microsoft
    assert found.microsoft.legacy is legacy


def test_a_circuit_of_expressroute_direct_has_no_location_of_its_own() -> None:
    direct = {**FLAT, "serviceProviderProperties": None, "expressRoutePort": {"id": f"{GROUP}/port"}}
    found = read_circuit(direct, "c.json")
    assert (found.direct, found.peering_location) == (True, "")


def test_a_link_with_the_host_s_bits_set_becomes_its_prefix() -> None:
    found = read_circuit({**PEERING, "primaryPeerAddressPrefix": "192.0.2.1/30"}, "p.json")
    assert found.microsoft
    assert found.microsoft.links == ("192.0.2.0/30", "192.0.2.4/30")


@pytest.mark.parametrize(
    ("document", "place"),
    [
        (None, "neither a circuit nor a peering of one"),
        ({}, "neither a circuit nor a peering of one"),
        ([], "neither a circuit nor a peering of one"),
        ({"value": "x"}, "neither a circuit nor a peering of one"),
        ([FLAT, FLAT], "holds 2 circuits, expected one"),
        ({**FLAT, "name": 7}, "name: expected text"),
        ({**FLAT, "peerings": {}}, "peerings: expected a list"),
        (
            {**FLAT, "sku": "Standard"},
            "sku: expected an object; with PowerShell use ConvertTo-Json -Depth",
        ),
        (
            {**FLAT, "serviceProviderProperties": "System.Object"},
            "serviceProviderProperties: expected an object; with PowerShell",
        ),
        (
            {**PEERING, "microsoftPeeringConfig": {"legacyMode": -1}},
            "microsoftPeeringConfig.legacyMode: expected 0",
        ),
        (
            {**PEERING, "microsoftPeeringConfig": {"legacyMode": True}},
            "microsoftPeeringConfig.legacyMode: expected 0",
        ),
        (
            {**PEERING, "microsoftPeeringConfig": {"legacyMode": "9" * 5000}},
            "microsoftPeeringConfig.legacyMode: exp",
        ),
        ({**PEERING, "routeFilter": [FILTER_ID]}, "routeFilter: expected an object"),
        ({**PEERING, "primaryPeerAddressPrefix": "x"}, "primaryPeerAddressPrefix: expected a prefix"),
        (
            {**REST, "properties": {**REST["properties"], "peerings": [{"properties": {"peeringType": 1}}]}},
            r"properties\.peerings\[0\]\.properties\.peeringType: expected text",
        ),
        (
            {**PEERING, "microsoftPeeringConfig": {"advertisedPublicPrefixes": ["203.0.113.0/24", "x"]}},
            r"microsoftPeeringConfig\.advertisedPublicPrefixes\[1\]: expected a prefix",
        ),
    ],
)
def test_what_is_wrong_is_refused_by_file_and_place(document: object, place: str) -> None:
    with pytest.raises(InputError, match=rf"^bad\.json: {place}"):
        read_circuit(document, "bad.json")


@pytest.mark.parametrize("document", [REST, FLAT, pascal(FLAT), FLAT["peerings"]])
def test_no_key_is_kept(document: object) -> None:
    assert SECRET in json.dumps(document)
    assert SECRET not in repr(read_circuit(document, "c.json"))


NOT_READ = {"sharedKey", "azureASN", "peerASN", "vlanId", "peeringType", "provisioningState"}


@pytest.mark.parametrize("field", sorted(set(PEERING) - NOT_READ))
def test_no_key_is_in_an_error(field: str) -> None:
    broken = {**PEERING, field: [SECRET], "sharedKey": {SECRET: [SECRET]}}
    with pytest.raises(InputError) as caught:
        read_circuit(broken, "p.json")
    assert SECRET not in f"{caught.value} {caught.value.hint}"


def test_the_expected_circuit_is_not_a_default_one() -> None:
    assert replace(EXPECTED, name="") != Circuit("")


FIELDS = [*FLAT, *PEERING, *PEERING["microsoftPeeringConfig"], "value", "properties", "tier", "Peerings"]
VALUES = st.sampled_from(["MicrosoftPeering", "192.0.2.0/30", "Local", ""])
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.sampled_from(["MicrosoftPeering", "192.0.2.0/30", "Local", ""]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(FIELDS), inner, max_size=6),
    max_leaves=25,
)


@given(JSON)
def test_any_json_is_read_or_refused(document: object) -> None:
    problem = "any.json: "
    try:
        read_circuit(document, "any.json")
    except InputError as error:
        problem = error.message
    assert problem.startswith("any.json: ")
