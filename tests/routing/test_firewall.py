from collections.abc import Sequence

import pytest

from arcferry import catalog
from arcferry.errors import InputError
from arcferry.routing.azure_json import ServiceTags, read_service_tags
from arcferry.routing.firewall import PrefixSheet, name_rules, prefix_sheet
from arcferry.routing.plan import plan
from arcferry.routing.planned import Steered

PUBLIC = catalog.cloud("AzureCloud")
EAST_ASIA = catalog.region("eastasia")


def tagging(
    rows: Sequence[tuple[str, str, Sequence[str]]], cloud: str = "Public", day: str = "20261101"
) -> ServiceTags:
    values = [
        {"name": name, "properties": {"region": region, "addressPrefixes": prefixes}}
        for name, region, prefixes in rows
    ]
    document = {"changeNumber": 1, "cloud": cloud, "values": values}
    return read_service_tags(document, f"ServiceTags_{cloud}_{day}.json")


ROWS = (
    ("AzureArcInfrastructure", "", ["20.0.0.0/24", "20.1.0.0/24", "20.2.0.0/24"]),
    ("AzureArcInfrastructure.EastAsia", "eastasia", ["20.0.0.0/24"]),
    ("AzureArcInfrastructure.WestEurope", "westeurope", ["20.1.0.0/24"]),
    ("AzureActiveDirectory", "", ["20.190.128.0/18", "2603:1036::/48"]),
    ("AzureResourceManager", "", ["40.0.0.0/24"]),
    ("AzureFrontDoor.Frontend", "", ["13.107.246.0/24"]),
    ("AzureFrontDoor.Backend", "", ["13.107.9.0/24"]),
    ("ServiceBus", "", ["52.0.0.0/16"]),
    ("ServiceBus.EastAsia", "eastasia", ["52.0.1.0/24"]),
    ("ServiceBus.WestEurope", "westeurope", ["52.0.2.0/24"]),
    ("Storage", "", ["20.60.0.0/16"]),
    ("Storage.SoutheastAsia", "southeastasia", ["20.60.3.0/24"]),
)


def sheet(*tags: ServiceTags, steered: str = "geography", features: Sequence[str] = ()) -> PrefixSheet:
    found = plan(PUBLIC, EAST_ASIA, steered=Steered(steered), features=features)
    return prefix_sheet(found, tags or (tagging(ROWS),))


def prefixes(found: PrefixSheet, tag: str) -> list[tuple[str, str]]:
    return [(rule.prefix, rule.region) for rule in found.rules if rule.tag == tag]


def test_names_say_port_moment_and_whether_peering_carries_them() -> None:
    rules = {(rule.host, rule.port): rule for rule in name_rules(PUBLIC, EAST_ASIA, ["wac"])}
    arm = rules["management.azure.com", 443]
    assert (arm.required, arm.over_peering, arm.when) == (True, True, "to connect and to disconnect")
    download = rules["download.microsoft.com", 443]
    assert (download.required, download.over_peering) == (False, False)
    assert rules["crl3.digicert.com", 80].when == "to verify certificates"
    assert rules["*.waconazure.com", 443].when == "for wac"
    assert rules["*.waconazure.com", 443].host == "*.waconazure.com"


def test_required_names_come_first() -> None:
    required = [rule.required for rule in name_rules(PUBLIC, EAST_ASIA)]
    assert required == sorted(required, reverse=True)


def test_patterns_become_names_where_the_catalogue_knows_them() -> None:
    known = {rule.host for rule in name_rules(PUBLIC, catalog.region("eastus"))}
    assert {"eus.his.arc.azure.com", "eastus-gas.guestconfiguration.azure.com"} <= known
    assert not {"*.his.arc.azure.com", "*.guestconfiguration.azure.com", "*.login.microsoft.com"} & known
    unknown = {rule.host for rule in name_rules(PUBLIC, catalog.region("westus"))}
    assert "*.his.arc.azure.com" in unknown


def test_azure_arc_comes_whole_with_the_region_of_each_prefix() -> None:
    assert prefixes(sheet(), "AzureArcInfrastructure") == [
        ("20.0.0.0/24", "eastasia"),
        ("20.1.0.0/24", "westeurope"),
        ("20.2.0.0/24", ""),
    ]


def test_services_without_listable_hosts_come_by_region() -> None:
    found = sheet(features=["extensions"])
    assert prefixes(found, "ServiceBus.EastAsia") == [("52.0.1.0/24", "eastasia")]
    assert prefixes(found, "ServiceBus.WestEurope") == []
    assert prefixes(found, "Storage.SoutheastAsia") == [("20.60.3.0/24", "southeastasia")]
    assert not [rule for rule in sheet().rules if rule.tag.startswith("Storage")]


def test_with_every_region_the_whole_tag_is_taken() -> None:
    found = sheet(steered="all", features=["extensions"])
    assert prefixes(found, "ServiceBus") == [("52.0.0.0/16", "")]
    assert prefixes(found, "Storage") == [("20.60.0.0/16", "")]


def test_of_front_door_only_the_part_that_microsoft_names() -> None:
    tags = {rule.tag for rule in sheet().rules}
    assert "AzureFrontDoor.Frontend" in tags
    assert "AzureFrontDoor.Backend" not in tags


def test_tags_that_the_file_lacks_are_named() -> None:
    assert sheet(features=["wac", "extensions"]).lacking == ("WindowsAdminCenter",)
    assert sheet(features=["extensions"], steered="region").lacking == ("Storage",)


def test_the_newest_file_of_the_cloud_leads_and_is_dated() -> None:
    old = tagging([("AzureArcInfrastructure", "", ["9.0.0.0/24"])], day="20250101")
    found = sheet(old, tagging(ROWS))
    assert all(str(rule.taken) == "2026-11-01" for rule in found.rules)
    assert found.sources == ("service tags ServiceTags_Public_20261101.json (2026-11-01)",)


def test_without_service_tags_of_the_cloud_there_is_a_way_out() -> None:
    with pytest.raises(InputError, match="no service tags of the cloud Public") as caught:
        sheet(tagging(ROWS, cloud="China"))
    assert "arcferry data import" in caught.value.hint


def test_a_national_cloud_needs_the_public_clouds_arc_ranges_too() -> None:
    found = plan(catalog.cloud("usgov"), catalog.region("usgovvirginia"))
    own = tagging([("AzureArcInfrastructure", "", ["52.127.0.0/24"])], cloud="AzureGovernment")
    with pytest.raises(InputError, match="no service tags of the cloud Public"):
        prefix_sheet(found, [own])
    rules = {rule.prefix for rule in prefix_sheet(found, [own, tagging(ROWS)]).rules}
    assert {"52.127.0.0/24", "20.2.0.0/24"} <= rules
    assert "40.0.0.0/24" not in rules


@pytest.mark.shared
def test_the_whole_public_file(public_tags: ServiceTags) -> None:
    found = sheet(public_tags, features=["extensions", "wac", "monitor", "sql"])
    assert found.lacking == ()
    arc = {prefix for prefix, _ in prefixes(found, "AzureArcInfrastructure")}
    assert arc == {
        prefix for prefix, (tag, _) in public_tags.prefixes.items() if tag == "AzureArcInfrastructure"
    }
    # 40.115.144.3 is what the incident's name answered, in a region far from the machines.
    assert "40.115.144.0/30" in arc
