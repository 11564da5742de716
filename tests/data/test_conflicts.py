import json
from datetime import date
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from arcferry.data.conflicts import Conflict, compare
from arcferry.routing.azure_json import ServiceTags, read_community_list, read_service_tags

NEW = "ServiceTags_Public_20260105.json"


def _tags(make: SimpleNamespace, *more: dict[str, Any], name: str = NEW) -> ServiceTags:
    return read_service_tags(json.loads(make.tags(7, "Public", *more)), name)


def test_a_prefix_in_another_region_is_named_with_its_size(make: SimpleNamespace) -> None:
    listed = read_community_list(json.loads(make.communities()), "list-2019-05-30.json")
    found = compare(_tags(make), listed)
    assert (found.compared, found.prefixes, found.newer) == (2, 2, "service tags")
    assert found.conflicts == (
        Conflict(
            "2603:1:2::/48",
            "12076:51006",
            "westus",
            "eastasia",
            "AzureCloud.eastasia",
            "2603:1::/32",
            1 << 80,
        ),
        Conflict(
            "20.187.128.0/17",
            "12076:51006",
            "westus",
            "eastasia",
            "AzureCloud.eastasia",
            "20.187.128.0/17",
            1 << 15,
        ),
    )


@pytest.mark.parametrize(
    ("value", "region"),
    [("12076:51010", "eastasia"), ("12076:51005", "eastus2euap"), ("12076:51005", "eastus2")],
)
def test_agreement_is_no_conflict(make: SimpleNamespace, value: str, region: str) -> None:
    entry = make.community(value, "x", "51.1.0.0/16")
    listed = read_community_list(json.loads(make.communities(entry)), "list-2019-05-30.json")
    found = compare(_tags(make, make.tag(f"AzureCloud.{region}", region, "51.0.0.0/9")), listed)
    assert (found.compared, found.conflicts) == (1, ())


@pytest.mark.parametrize("value", ["12076:5060", "12076:52006", "12076:9999"])
def test_only_communities_of_a_whole_region_are_compared(make: SimpleNamespace, value: str) -> None:
    entry = make.community(value, "x", "20.187.128.0/18")
    listed = read_community_list(json.loads(make.communities(entry)), "list.json")
    assert compare(_tags(make), listed).compared == 0


def test_a_part_inside_a_prefix_counts_alone(make: SimpleNamespace) -> None:
    entry = make.community("12076:51010", "x", "51.1.0.0/16", "51.1.0.0/16")
    listed = read_community_list(json.loads(make.communities(entry)), "list-2026-02-01.json")
    more = [
        make.tag("AzureCloud.eastasia", "eastasia", "51.1.0.0/16"),
        make.tag("Storage.JapanEast", "japaneast", "51.1.2.0/24", "51.1.9.0/28"),
    ]
    found = compare(_tags(make, *more), listed)
    assert [(one.tag_region, one.part, one.addresses) for one in found.conflicts] == [
        ("japaneast", "51.1.2.0/24", 256 + 16)
    ]
    assert found.newer == "community list"


@pytest.mark.parametrize(
    ("tags_name", "list_name"),
    [("tags.json", "list-2026-01-01.json"), (NEW, "list.json"), (NEW, "l-2026-01-05")],
)
def test_without_two_days_neither_is_newer(make: SimpleNamespace, tags_name: str, list_name: str) -> None:
    listed = read_community_list(json.loads(make.communities()), list_name)
    assert compare(_tags(make, name=tags_name), listed).newer == ""


@pytest.mark.shared
def test_the_trap_between_2019_and_2025(public_file: bytes) -> None:
    path = Path(__file__).parents[3] / "shared" / "data" / "bgp-service-communities-2019-05-30.json"
    listed = read_community_list(json.loads(path.read_bytes()), path.name)
    found = compare(read_service_tags(json.loads(public_file), "ServiceTags_Public_20251028.json"), listed)
    assert (found.tags.taken, found.listed.taken) == (date(2025, 10, 28), date(2019, 5, 30))
    trap = next(one for one in found.conflicts if one.prefix == "20.187.128.0/17")
    assert (trap.value, trap.listed_region, trap.tag_region) == ("12076:51006", "westus", "eastasia")
    assert found.newer == "service tags"
    assert 0 < found.prefixes < found.compared / 20
