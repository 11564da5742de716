import json
from pathlib import Path

import pytest

from arcferry import catalog
from arcferry.errors import InputError, UnknownNameError

REGIONS = Path(__file__).parents[3] / "shared" / "data" / "arc-regions.json"


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ("AzureCloud", "AzureCloud"),
        ("azurepubliccloud", "AzureCloud"),
        (" PUBLIC ", "AzureCloud"),
        ("AzureUSGovernment", "AzureUSGovernment"),
        ("usgov", "AzureUSGovernment"),
        ("AzureChinaCloud", "AzureChinaCloud"),
        ("china", "AzureChinaCloud"),
    ],
)
def test_cloud_by_any_of_its_names(given: str, name: str) -> None:
    assert catalog.cloud(given).name == name


def test_each_cloud_has_its_own_authority_and_resource_manager() -> None:
    found = {cloud.name: (cloud.authority, cloud.arm, cloud.discovery_host) for cloud in catalog.clouds()}
    assert found == {
        "AzureCloud": (
            "https://login.microsoftonline.com",
            "https://management.azure.com",
            "gbl.his.arc.azure.com",
        ),
        "AzureUSGovernment": (
            "https://login.microsoftonline.us",
            "https://management.usgovcloudapi.net",
            "gbl.his.arc.azure.us",
        ),
        "AzureChinaCloud": (
            "https://login.chinacloudapi.cn",
            "https://management.chinacloudapi.cn",
            "gbl.his.arc.azure.cn",
        ),
    }


def test_unknown_cloud_offers_the_nearest() -> None:
    with pytest.raises(UnknownNameError) as raised:
        catalog.cloud("AzureClod")
    assert "AzureCloud" in raised.value.near


@pytest.mark.parametrize("given", ["eastasia", "East Asia", " EASTASIA "])
def test_region_by_arm_name_or_display_name(given: str) -> None:
    region = catalog.region(given)
    assert (region.name, region.display, region.cloud) == ("eastasia", "East Asia", "AzureCloud")
    assert (region.his_code, region.his_code_status) == ("ea", "unverified-third-party")


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ("東亞", "eastasia"),
        (" 東 亞 ", "eastasia"),
        ("(Asia Pacific) 東亞", "eastasia"),
        ("(Asia Pacific) East Asia", "eastasia"),
        ("东亚", "eastasia"),
        ("East-Asia", "eastasia"),
        ("澳洲東部", "australiaeast"),
        ("澳大利亞東部", "australiaeast"),
        ("韓國南部", "koreasouth"),
        ("美國東部２", "eastus2"),
        ("US Gov 維吉尼亞州", "usgovvirginia"),
        ("中国北部 3", "chinanorth3"),
    ],
)
def test_region_by_what_microsoft_calls_it_in_chinese(given: str, name: str) -> None:
    assert catalog.region(given).name == name


@pytest.mark.parametrize(
    ("given", "near"), [("東亜", "eastasia"), ("日本東", "japaneast"), ("臺灣北部", "taiwannorth")]
)
def test_a_name_that_no_page_has_is_asked_back(given: str, near: str) -> None:
    with pytest.raises(UnknownNameError) as raised:
        catalog.region(given)
    assert raised.value.near[0] == near


def test_each_chinese_name_is_of_one_region_and_says_where_it_stands() -> None:
    for language in ("zh-TW", "zh-CN"):
        told = [found for region in catalog.regions() if (found := catalog.local_name(region, language))]
        assert len({name for name, _ in told}) == len(told)
        assert all("icrosoft" in str(source) for _, source in told)
    without = {region.name for region in catalog.regions() if not catalog.local_name(region, "zh-TW")}
    assert without == {
        *("belgiumcentral", "chinanorth3", "denmarkeast", "eastus2euap", "jioindiawest", "spaincentral"),
        "taiwannorth",
    }


def test_unknown_region_offers_the_nearest() -> None:
    with pytest.raises(UnknownNameError, match="unknown location 'eastasai'") as raised:
        catalog.region("eastasai")
    assert raised.value.near[0] == "eastasia"
    assert raised.value.exit_code == 2


def test_region_of_another_cloud_is_refused_by_name() -> None:
    with pytest.raises(InputError, match="chinaeast2 belongs to AzureChinaCloud") as raised:
        catalog.region("chinaeast2", catalog.cloud("AzureCloud"))
    assert "--cloud AzureChinaCloud" in raised.value.hint


def test_a_region_that_no_list_has_may_be_let_pass() -> None:
    found = catalog.region("Denmark West", catalog.cloud("public"), unlisted=True)
    assert (found.name, found.cloud, found.his_code, found.source) == (
        "denmarkwest",
        "AzureCloud",
        None,
        "named by the user; in no list that arcferry has",
    )
    assert catalog.region("eastasia", catalog.cloud("public"), unlisted=True) == catalog.region("eastasia")
    hosts = {one.host for one in catalog.endpoints(catalog.cloud("public"), found)}
    assert "denmarkwest-gas.guestconfiguration.azure.com" in hosts


@pytest.mark.parametrize("given", ["../x", "a", "den$mark", "9lives", "x" * 41])
def test_what_cannot_be_a_regions_name_is_refused_all_the_same(given: str) -> None:
    with pytest.raises(InputError, match="cannot be the name of a location"):
        catalog.region(given, catalog.cloud("public"), unlisted=True)


def test_regions_of_one_cloud_only() -> None:
    names = {region.name for region in catalog.regions(catalog.cloud("usgov"))}
    assert names == {"usgovvirginia", "usgovarizona", "usgovtexas"}
    assert len(catalog.regions()) == 61


@pytest.mark.shared
@pytest.mark.skipif(not REGIONS.exists(), reason=f"{REGIONS.name} is not beside the checkout")
def test_regions_agree_with_the_collected_facts() -> None:
    facts = json.loads(REGIONS.read_text())
    ours = {region.name: region for region in catalog.regions()}
    # Microsoft's built-in policy for such machines allows two more than the collected facts have.
    assert set(ours) == {fact["region"] for fact in facts} | {"jioindiawest", "eastus2euap"}
    for fact in facts:
        region = ours[fact["region"]]
        assert (region.display, region.cloud, region.his_code, region.his_code_status) == (
            fact["display"],
            fact["cloud"],
            fact["code"],
            fact["code_status"],
        )
        # Machine Configuration's requirements name more hosts than the collected facts knew: `documented`.
        assert (region.gas_status == "verified") == (fact["gas_status"] == "verified")
