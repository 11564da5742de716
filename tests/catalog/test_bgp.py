import json
from pathlib import Path

import pytest

from arcferry import catalog
from arcferry.catalog import Carrier

FACTS = Path(__file__).parents[3] / "shared" / "data" / "region-communities.json"
PUBLIC = catalog.cloud("AzureCloud")
KINDS = {
    "privatePeering": "private-peering",
    "microsoftPeering": "region",
    "storage": "storage",
    "sql": "sql",
    "cosmosDb": "cosmos-db",
    "backup": "backup",
}


@pytest.mark.parametrize(
    ("value", "name", "kind", "region"),
    [
        ("12076:51012", "Japan East", "region", "japaneast"),
        ("12076:52012", "Japan East", "storage", "japaneast"),
        ("12076:51030", "France Central", "region", "francecentral"),
        ("12076:51059", "New Zealand North", "region", "newzealandnorth"),
        ("12076:5060", "Microsoft Entra ID", "service", ""),
        ("12076:51105", "US Gov Virginia", "region", "usgovvirginia"),
        ("12076:51305", "China North 3", "region", "chinanorth3"),
    ],
)
def test_community_by_value(value: str, name: str, kind: str, region: str) -> None:
    found = catalog.community(value)
    assert found is not None
    assert (found.name, found.kind, found.region) == (name, kind, region)


@pytest.mark.parametrize("value", ["12076:51045", "12076:51058", "12076:51023", "8075:51012", "", "51012"])
def test_undocumented_values_are_not_guessed(value: str) -> None:
    assert catalog.community(value) is None


@pytest.mark.parametrize("spelling", ["francecentral", "centralfrance", " FranceCentral "])
def test_region_by_either_spelling(spelling: str) -> None:
    found = catalog.region_community(spelling)
    assert found is not None
    assert (found.value, found.service_tag_region) == ("12076:51030", "centralfrance")


@pytest.mark.parametrize(
    "region", ["swedencentral", "chilecentral", "chilec", "denmarkeast", "chinaeast3", ""]
)
def test_regions_without_a_documented_community(region: str) -> None:
    assert catalog.region_community(region) is None


@pytest.mark.parametrize(
    ("tag_region", "arm_name"),
    [
        ("centralfrance", "francecentral"),
        ("germanywc", "germanywestcentral"),
        ("norwaye", "norwayeast"),
        ("switzerlandn", "switzerlandnorth"),
        ("chilec", "chilecentral"),
        ("brazilse", "brazilsoutheast"),
        ("eastasia", "eastasia"),
        ("a-region-of-tomorrow", "a-region-of-tomorrow"),
        ("", ""),
    ],
)
def test_service_tag_spelling_becomes_the_arm_name(tag_region: str, arm_name: str) -> None:
    assert catalog.arm_region(tag_region) == arm_name


@pytest.mark.parametrize(
    ("carrier", "cloud", "value"),
    [
        (Carrier.ENTRA, "AzureCloud", "12076:5060"),
        (Carrier.ARM, "AzureCloud", "12076:5070"),
        (Carrier.ARC, "AzureCloud", None),
        (Carrier.EDGE, "AzureCloud", None),
        (Carrier.ENTRA, "AzureUSGovernment", "12076:5160"),
        (Carrier.ARM, "AzureUSGovernment", None),
        (Carrier.ENTRA, "AzureChinaCloud", None),
    ],
)
def test_services_with_a_community_of_their_own(carrier: Carrier, cloud: str, value: str | None) -> None:
    found = catalog.service_community(carrier, catalog.cloud(cloud))
    assert (found.value if found else None) == value


def test_every_arc_region_of_the_service_tags_has_a_community_or_is_known_to_have_none() -> None:
    without = set(catalog.regions_without_community())
    silent = {
        region.name
        for region in catalog.regions()
        if catalog.region_community(region.name) is None and region.name not in without
    }
    assert silent == {"denmarkeast"}  # in no service-tag file so far


def test_the_catalogue_is_as_old_as_its_oldest_file() -> None:
    assert catalog.dated().isoformat() == "2026-03-12"


@pytest.mark.shared
@pytest.mark.skipif(not FACTS.exists(), reason=f"{FACTS.name} is not beside the checkout")
def test_the_table_agrees_with_the_collected_facts() -> None:
    facts = json.loads(FACTS.read_text())
    for fact in facts["regions"]:
        for key, value in fact["communities"].items():
            found = catalog.community(value)
            assert found is not None
            assert (found.kind, found.service_tag_region) == (KINDS[key], fact["serviceTagRegion"])
    assert len([known for known in catalog.communities(PUBLIC) if known.kind == "region"]) == 42
    services = {known.value for known in catalog.communities(PUBLIC) if known.kind == "service"}
    assert services == {fact["value"] for fact in facts["services"]}
    undocumented = {fact["serviceTagRegion"] for fact in facts["serviceTagRegionsWithoutDocumentedCommunity"]}
    assert {catalog.arm_region(region) for region in undocumented} == set(
        catalog.regions_without_community(PUBLIC)
    )
