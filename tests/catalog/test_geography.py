import pytest

from arcferry import catalog
from arcferry.catalog.store import load


@pytest.mark.parametrize(
    ("region", "area"),
    [
        ("eastasia", "Asia"),
        ("japaneast", "Japan"),
        ("francecentral", "Europe"),
        ("centralfrance", "Europe"),
        ("mexicocentral", "North America"),
        ("australiacentral", "Australia Government"),
        ("usgovvirginia", "US Government cloud"),
        ("chinaeast2", "China East"),
        ("chinanorth3", "China North"),
        ("spaincentral", ""),
        ("atlantis", ""),
        ("", ""),
    ],
)
def test_the_area_of_a_region(region: str, area: str) -> None:
    assert catalog.geography_of(region) == area


@pytest.mark.parametrize(
    ("name", "area", "local"),
    [
        ("Hong Kong", "Asia", ("eastasia",)),
        ("hong kong2", "Asia", ("eastasia",)),
        ("Hong Kong SAR", "Asia", ("eastasia",)),
        ("Zurich Metro", "Europe", ("switzerlandnorth",)),
        ("Queretaro (Mexico)", "North America", ("mexicocentral",)),
        ("Washington DC", "North America", ("eastus", "eastus2")),
        ("Dallas", "North America", ()),
        ("Vienna", "", ()),
        ("Beijing2", "China North", ()),
    ],
)
def test_a_peering_location(name: str, area: str, local: tuple[str, ...]) -> None:
    assert catalog.peering_location(name) == (area, local)


def test_a_national_cloud_has_locations_of_its_own() -> None:
    government = catalog.cloud("usgov")
    assert catalog.peering_location("Phoenix", government) == ("US Government cloud", ("usgovarizona",))
    assert catalog.peering_location("Hong Kong", government) is None
    assert catalog.peering_location("Atlantis") is None


@pytest.mark.parametrize(
    ("tier", "location", "region", "reached"),
    [
        ("Local", "Hong Kong", "eastasia", True),
        ("Local", "Hong Kong", "southeastasia", False),
        ("Local", "Dallas", "eastus", None),
        ("Standard", "Hong Kong", "southeastasia", True),
        ("standard", "Hong Kong", "japaneast", False),
        ("Standard", "Amsterdam", "centralfrance", True),
        ("Standard", "Madrid", "spaincentral", True),
        ("Standard", "Amsterdam", "spaincentral", None),
        ("Standard", "Vienna", "westeurope", None),
        ("Standard", "", "eastasia", None),
        ("Standard", "Atlantis", "eastasia", None),
        ("Premium", "Hong Kong", "japaneast", True),
        ("Premium", "", "swedencentral", True),
        ("Premium", "Hong Kong", "usgovvirginia", False),
        ("Standard", "Washington DC", "usgovarizona", True),
        ("Standard", "Beijing", "chinaeast", False),
        ("Premium", "Beijing", "chinaeast", True),
        ("", "Hong Kong", "eastasia", True),
        ("", "Hong Kong", "japaneast", None),
        ("Basic", "Hong Kong", "southeastasia", None),
        ("Premium", "Hong Kong", "atlantis", None),
        ("Premium", "Hong Kong", "", None),
    ],
)
def test_what_a_sku_reaches(tier: str, location: str, region: str, reached: bool | None) -> None:
    assert catalog.within_reach(tier, location, region) is reached


def test_every_name_in_the_file_is_a_known_one() -> None:
    content = load("geographies").content
    known = {region.name for region in catalog.regions()}
    known |= {community.region for community in catalog.communities()}
    known |= set(catalog.regions_without_community())
    for cloud in catalog.clouds():
        areas = {row["area"] for row in content["areas"][cloud.name]}
        for row in content["areas"][cloud.name]:
            assert set(row["regions"]) <= known
            assert row["source"] in content["sources"]
        for row in content["locations"][cloud.name]:
            assert row.get("area", "") in areas | {""}, row
            assert (row.get("source") in content["sources"]) is ("area" in row), row
            assert set(row.get("local_regions", ())) <= known, row


def test_a_metro_s_region_lies_in_the_location_s_area_where_both_are_known() -> None:
    for cloud in catalog.clouds():
        for row in load("geographies").content["locations"][cloud.name]:
            if area := row.get("area"):
                areas = {catalog.geography_of(region) for region in row.get("local_regions", ())}
                assert areas <= {area, ""}, row
