import copy
from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arcferry import catalog
from arcferry.errors import InputError
from arcferry.routing.azure_json import (
    CommunityList,
    ListedCommunity,
    ServiceTags,
    TagMatch,
    read_community_list,
    read_service_tags,
)


def _tag(name: str, region: str, *prefixes: str) -> dict[str, Any]:
    return {"name": name, "id": name, "properties": {"region": region, "addressPrefixes": list(prefixes)}}


FILE: dict[str, Any] = {
    "changeNumber": 7,
    "cloud": "Public",
    "values": [
        _tag("AzureCloud", "", "20.0.0.0/8", "2603::/16"),
        _tag("AzureCloud.centralfrance", "centralfrance", "20.1.0.0/16", "2603:1::/32"),
        _tag("AzureArcInfrastructure", "", "20.1.2.0/30"),
        _tag("AzureArcInfrastructure.FranceCentral", "centralfrance", "20.1.2.0/30", "2603:1:2::/64"),
        _tag("Empty", ""),
    ],
}


def test_matches_come_the_most_informative_first() -> None:
    tags = read_service_tags(FILE, "ServiceTags_Public_20260105.json")
    assert tags.matches("20.1.2.3") == (
        TagMatch("AzureArcInfrastructure.FranceCentral", "francecentral", "20.1.2.0/30"),
        TagMatch("AzureArcInfrastructure", "", "20.1.2.0/30"),
        TagMatch("AzureCloud.centralfrance", "francecentral", "20.1.0.0/16"),
        TagMatch("AzureCloud", "", "20.0.0.0/8"),
    )
    assert [match.tag for match in tags.matches("2603:1:2::5")] == [
        "AzureArcInfrastructure.FranceCentral",
        "AzureCloud.centralfrance",
        "AzureCloud",
    ]
    assert tags.matches("192.0.2.1") == ()


def test_a_tag_with_nested_prefixes_matches_once_by_its_longest() -> None:
    document = {**FILE, "values": [_tag("Storage", "", "20.60.0.0/16", "20.60.1.0/24")]}
    found = read_service_tags(document, "tags.json").matches("20.60.1.9")
    assert found == (TagMatch("Storage", "", "20.60.1.0/24"),)


def test_the_prefixes_of_one_tag() -> None:
    tags = read_service_tags(FILE, "tags.json")
    held = [prefix for prefix, (tag, _) in tags.prefixes.items() if tag == "AzureCloud.centralfrance"]
    assert held == ["20.1.0.0/16", "2603:1::/32"]
    assert len(tags.prefixes) == 6


@pytest.mark.parametrize(
    ("name", "taken"),
    [
        ("ServiceTags_Public_20251028.json", date(2025, 10, 28)),
        ("/some/where/ServiceTags_China_20260720.json", date(2026, 7, 20)),
        ("tags.json", None),
        ("ServiceTags_Public_20251399.json", None),
        ("ServiceTags_Public_120251028.json", None),
    ],
)
def test_day_in_the_file_name(name: str, taken: date | None) -> None:
    assert read_service_tags(FILE, name).taken == taken


def test_the_api_writes_the_change_number_as_text_and_adds_keys() -> None:
    document = {
        **FILE,
        "changeNumber": "81",
        "name": "x",
        "type": "Microsoft.Network/serviceTags",
        "nextLink": None,
    }
    tags = read_service_tags(document, "list-service-tags.json")
    assert (tags.change_number, tags.cloud) == (81, "Public")


def test_az_flattens_properties_away() -> None:
    values = [{"name": "Storage.EastAsia", "region": "eastasia", "addressPrefixes": ["20.2.0.0/16"]}]
    found = read_service_tags({**FILE, "values": values}, "t.json").matches("20.2.1.1")
    assert found == (TagMatch("Storage.EastAsia", "eastasia", "20.2.0.0/16"),)


def _broken(change: Callable[[dict[str, Any]], object]) -> dict[str, Any]:
    document = copy.deepcopy(FILE)
    change(document)
    return document


@pytest.mark.parametrize(
    ("document", "place"),
    [
        (None, "expected an object"),
        ([], "expected an object"),
        ({}, "no cloud"),
        (_broken(lambda d: d.pop("values")), "no values"),
        (_broken(lambda d: d.update(values={})), "values: expected a list"),
        (_broken(lambda d: d.pop("changeNumber")), "expected a changeNumber"),
        (_broken(lambda d: d.update(changeNumber="x")), "changeNumber: expected a changeNumber"),
        (_broken(lambda d: d.update(changeNumber="9" * 9000)), "changeNumber: expected a changeNumber"),
        (_broken(lambda d: d.update(changeNumber=True)), "changeNumber: expected a changeNumber"),
        (_broken(lambda d: d["values"].append(3)), r"values\[5\]: a service tag without a name"),
        (_broken(lambda d: d["values"].append({"name": 3})), r"values\[5\]\.name: expected text"),
        (
            _broken(lambda d: d["values"][1]["properties"].update(addressPrefixes=["20.0.0.0/8", "x"])),
            r"values\[1\]\.properties\.addressPrefixes\[1\]: 'x' is not a prefix",
        ),
        (
            _broken(lambda d: d["values"][1]["properties"].update(addressPrefixes=["20.0.0.0/8", 7])),
            r"values\[1\]\.properties\.addressPrefixes\[1\]: expected text",
        ),
        (
            _broken(lambda d: d["values"][1]["properties"].update(addressPrefixes="20.0.0.0/8")),
            r"values\[1\]\.properties\.addressPrefixes: expected a list",
        ),
    ],
)
def test_a_malformed_file_is_refused_by_file_and_place(document: object, place: str) -> None:
    with pytest.raises(InputError, match=rf"^bad\.json: {place}"):
        read_service_tags(document, "bad.json")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(
                ["cloud", "changeNumber", "values", "name", "properties", "addressPrefixes", "region"]
            ),
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
        read_service_tags(document, "any.json")
    except InputError as error:
        problem = error.message
    assert problem.startswith("any.json: ")


@pytest.mark.shared
@pytest.mark.parametrize(
    ("address", "tag", "region"),
    [
        ("40.115.144.3", "AzureArcInfrastructure.JapanEast", "japaneast"),
        ("20.187.194.204", "AzureArcInfrastructure.EastAsia", "eastasia"),
        ("40.71.13.226", "AzureResourceManager.EastUS", "eastus"),
        ("40.126.0.5", "AzureActiveDirectory.ServiceEndpoint", ""),
        ("13.107.219.59", "AzureFrontDoor.MicrosoftSecurity", ""),
        ("2603:1036:3000::1", "AzureActiveDirectory.ServiceEndpoint", ""),
    ],
)
def test_addresses_in_the_public_file(public_tags: ServiceTags, address: str, tag: str, region: str) -> None:
    first = public_tags.matches(address)[0]
    assert (first.tag, first.region) == (tag, region)


@pytest.mark.shared
def test_the_public_file_knows_its_cloud_number_and_day(public_tags: ServiceTags) -> None:
    assert (public_tags.cloud, public_tags.change_number) == ("Public", 375)
    assert public_tags.taken == date(2025, 10, 28)
    assert public_tags.matches("23.50.1.1") == ()


@pytest.mark.shared
@pytest.mark.parametrize(
    ("name", "cloud", "number"),
    [
        ("ServiceTags_AzureGovernment_20260720.json", "AzureGovernment", 402),
        ("ServiceTags_China_20260720.json", "China", 405),
    ],
)
def test_files_of_other_clouds_say_so(
    shared_json: Callable[[str], object], name: str, cloud: str, number: int
) -> None:
    tags = read_service_tags(shared_json(f"data/{name}"), name)
    assert (tags.cloud, tags.change_number) == (cloud, number)


@pytest.mark.shared
def test_every_region_of_the_public_file_is_known_to_the_catalogue(shared_json: Callable[[str], Any]) -> None:
    document = shared_json("data/ServiceTags_Public_20251028.json")
    spelled = {value["properties"]["region"] for value in document["values"]} - {""}
    without = set(catalog.regions_without_community())
    unknown = {
        region
        for region in spelled
        if catalog.region_community(region) is None and catalog.arm_region(region) not in without
    }
    assert len(spelled) == 71
    assert unknown == set()


ENTRY = {
    "serviceSupportedRegion": "Global",
    "communityName": "Azure East Asia",
    "communityValue": "12076:51010",
    "communityPrefixes": ["20.1.0.0/16", "2603:1::/32"],
    "isAuthorizedToUse": True,
    "serviceGroup": "Azure",
}
PASCAL = {key[0].upper() + key[1:]: value for key, value in ENTRY.items()}
SHAPES: dict[str, object] = {
    "rest": {
        "value": [{"name": "AzureEastAsia", "properties": {"serviceName": "x", "bgpCommunities": [ENTRY]}}]
    },
    "az": [{"name": "AzureEastAsia", "resourceGroup": "", "serviceName": "x", "bgpCommunities": [ENTRY]}],
    "powershell": [{"Name": "AzureEastAsia", "BgpCommunities": [PASCAL]}],
    "powershell, one object": {"Name": "AzureEastAsia", "BgpCommunities": [PASCAL]},
    "entries": {"note": "by hand", "entries": [ENTRY]},
    "bare entries": [ENTRY],
}


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize(("address", "prefix"), [("20.1.2.3", "20.1.0.0/16"), ("2603:1::9", "2603:1::/32")])
def test_every_shape_is_read_alike(shape: str, address: str, prefix: str) -> None:
    listed = read_community_list(SHAPES[shape], "list.json")
    assert listed.containing(address) == (ListedCommunity("12076:51010", "Azure East Asia", prefix, "Azure"),)
    assert listed.containing("192.0.2.1") == ()
    assert listed.values == {"12076:51010"}


def test_entries_may_share_a_value_and_may_have_no_prefixes() -> None:
    entries = [
        ENTRY,
        {**ENTRY, "communityName": "Azure East Asia IPv6", "communityPrefixes": ["2603:1:2::/48"]},
        {**ENTRY, "communityName": "Azure East Asia EUAP", "communityPrefixes": ["20.1.0.0/16"]},
        {**ENTRY, "communityValue": "12076:5210", "communityPrefixes": []},
        {"communityValue": "12076:5220"},
    ]
    listed = read_community_list(entries, "list.json")
    assert [found.name for found in listed.containing("20.1.0.1")] == [
        "Azure East Asia",
        "Azure East Asia EUAP",
    ]
    assert [found.name for found in listed.containing("2603:1:2::1")] == [
        "Azure East Asia IPv6",
        "Azure East Asia",
    ]
    assert listed.values == {"12076:51010", "12076:5210", "12076:5220"}


def test_the_prefixes_of_one_value_come_from_all_its_entries() -> None:
    entries = [
        ENTRY,
        {**ENTRY, "communityName": "Azure East Asia IPv6", "communityPrefixes": ["2603:1:2::/48"]},
    ]
    listed = read_community_list(entries, "list.json")
    assert [(prefix, value) for prefix, (value, _, _) in listed.prefixes.items()] == [
        (prefix, "12076:51010") for prefix in ("20.1.0.0/16", "2603:1::/32", "2603:1:2::/48")
    ]


@pytest.mark.parametrize(
    ("name", "as_of", "taken"),
    [
        ("bgp-2019-05-30.json", None, date(2019, 5, 30)),
        ("bgp-2024-01-partial.json", None, date(2024, 1, 1)),
        ("communities.json", "2024-01", date(2024, 1, 1)),
        ("bgp-2019-05-30.json", "2024-01", date(2019, 5, 30)),
        ("communities.json", None, None),
    ],
)
def test_day_of_the_list(name: str, as_of: str | None, taken: date | None) -> None:
    assert read_community_list({"asOf": as_of, "entries": [ENTRY]}, name).taken == taken


@pytest.mark.parametrize(
    ("document", "place"),
    [
        (None, "expected a list of communities"),
        ("text", "expected a list of communities"),
        ([], "holds no community"),
        ({"value": []}, "holds no community"),
        ({"value": 3}, "value: neither bgpCommunities"),
        ([{"rules": []}], r"\[0\]: neither bgpCommunities nor a communityValue"),
        ([{"bgpCommunities": [{}]}], r"\[0\]\.bgpCommunities\[0\]: '' is no community value"),
        ([{"bgpCommunities": 3}], r"\[0\]\.bgpCommunities: expected a list"),
        ([{**ENTRY, "communityValue": "East Asia"}], r"\[0\]: 'East Asia' is no community value"),
        (
            {
                "value": [
                    {"properties": {"bgpCommunities": [{**ENTRY, "communityPrefixes": ["20.1.0.1/16"]}]}}
                ]
            },
            r"value\[0\]\.properties\.bgpCommunities\[0\]\.communityPrefixes\[0\]: '20.1.0.1/16' has bits",
        ),
    ],
)
def test_a_malformed_list_is_refused_by_file_and_place(document: object, place: str) -> None:
    with pytest.raises(InputError, match=rf"^bad\.json: {place}"):
        read_community_list(document, "bad.json")


@pytest.mark.shared
def test_the_list_of_2019(list_of_2019: CommunityList) -> None:
    assert list_of_2019.taken == date(2019, 5, 30)
    assert len(list_of_2019.values) == 112
    assert [found.value for found in list_of_2019.containing("40.115.144.3")] == ["12076:51012"]
    assert [found.value for found in list_of_2019.containing("20.187.194.204")] == ["12076:51006"]


@pytest.mark.shared
def test_the_shape_of_az_gives_the_same_as_rest(
    shared_json: Callable[[str], Any], list_of_2019: CommunityList
) -> None:
    name = "bgp-service-communities-2019-05-30.cli-shape.json"
    flat = read_community_list(shared_json(f"data/{name}"), name)
    assert flat.values == list_of_2019.values
    for service in shared_json(f"data/{name}"):
        for entry in service["bgpCommunities"]:
            for prefix in entry["communityPrefixes"][:3]:
                address = prefix.partition("/")[0]
                assert flat.containing(address) == list_of_2019.containing(address)


@pytest.mark.shared
def test_the_partial_list_of_2024(shared_json: Callable[[str], object]) -> None:
    name = "bgp-service-communities-2024-01-partial.json"
    listed = read_community_list(shared_json(f"data/{name}"), name)
    assert listed.taken == date(2024, 1, 1)
    assert [found.value for found in listed.containing("20.190.128.10")] == ["12076:5060", "12076:5100"]
