from collections.abc import Callable
from datetime import date
from typing import Any

import pytest

from arcferry.errors import InputError
from arcferry.routing.communities import CommunityList, ListedCommunity, read_community_list

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
