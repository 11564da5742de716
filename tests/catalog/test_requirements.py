import pytest

from arcferry import catalog
from arcferry.catalog import Carrier, Steering, When
from arcferry.errors import InputError, UnknownNameError

PUBLIC = catalog.cloud("AzureCloud")
EAST_ASIA = catalog.region("eastasia")

REQUIRED = {
    "AzureCloud": [
        "agentserviceapi.guestconfiguration.azure.com",
        "",
        "eastasia-gas.guestconfiguration.azure.com",
        "gbl.his.arc.azure.com",
        "login.microsoftonline.com",
        "login.windows.net",
        "management.azure.com",
        "pas.windows.net",
    ],
    "AzureUSGovernment": [
        "agentserviceapi.guestconfiguration.azure.us",
        "",
        "usgovvirginia-gas.guestconfiguration.azure.us",
        "gbl.his.arc.azure.us",
        "login.microsoftonline.us",
        "management.usgovcloudapi.net",
        "pasff.usgovcloudapi.net",
    ],
    "AzureChinaCloud": [
        "agentserviceapi.guestconfiguration.azure.cn",
        "",
        "chinaeast2-gas.guestconfiguration.azure.cn",
        "gbl.his.arc.azure.cn",
        "login.chinacloudapi.cn",
        "login.partner.chinacloudapi.cn",
        "management.chinacloudapi.cn",
        "pas.chinacloudapi.cn",
    ],
}
REGION = {"AzureCloud": "eastasia", "AzureUSGovernment": "usgovvirginia", "AzureChinaCloud": "chinaeast2"}


@pytest.mark.parametrize("cloud", REQUIRED)
def test_required_names(cloud: str) -> None:
    found = catalog.endpoints(catalog.cloud(cloud), catalog.region(REGION[cloud]))
    assert [endpoint.host for endpoint in found] == REQUIRED[cloud]
    assert all(endpoint.required and endpoint.when in (When.ALWAYS, When.CONNECT) for endpoint in found)


@pytest.mark.parametrize("cloud", REQUIRED)
def test_exactly_the_regional_identity_host_is_left_to_discovery(cloud: str) -> None:
    found = catalog.endpoints(catalog.cloud(cloud), catalog.region(REGION[cloud]), optional=True)
    assert [endpoint.host for endpoint in found if endpoint.discovered] == [""]


@pytest.mark.parametrize("region", catalog.regions(), ids=lambda region: region.name)
def test_no_name_is_a_wildcard_or_a_template(region: catalog.Region) -> None:
    found = catalog.endpoints(catalog.cloud(region.cloud), region, optional=True)
    hosts = [endpoint.host for endpoint in found]
    assert not [host for host in hosts if "*" in host or "{" in host]
    assert len(hosts) == len(set(hosts))
    assert any(host.startswith(f"{region.name}-gas.") for host in hosts)


def test_optional_adds_installation_features_and_what_the_agent_can_do_without() -> None:
    required = catalog.endpoints(PUBLIC, EAST_ASIA)
    every = {endpoint.host: endpoint for endpoint in catalog.endpoints(PUBLIC, EAST_ASIA, optional=True)}
    assert {endpoint.host for endpoint in required} < set(every)
    assert every["download.microsoft.com"].when is When.INSTALL
    assert every["eastasia.login.microsoft.com"].required is False
    assert every["guestnotificationservice.azure.com"].required is False
    assert every["dls.microsoft.com"].when is When.FEATURE


def test_extended_security_updates_have_their_own_smaller_set() -> None:
    hosts = {endpoint.host for endpoint in catalog.feature_endpoints(PUBLIC, EAST_ASIA, "esu")}
    assert {"www.microsoft.com", "login.windows.net", "eastasia.login.microsoft.com"} <= hosts
    assert "guestnotificationservice.azure.com" not in hosts
    china = catalog.cloud("china")
    assert catalog.feature_endpoints(china, catalog.region("chinaeast2"), "esu") == ()


def test_features_are_called_as_the_command_line_takes_them() -> None:
    wanted = {"extensions", "sql", "ssh", "wac", "esu", "paygo", "monitor", "legacy-log-analytics"}
    assert wanted <= set(catalog.features(PUBLIC))
    assert catalog.PKI not in catalog.features()
    assert "esu" not in catalog.features(catalog.cloud("china"))


def test_a_sheet_has_the_core_and_the_chosen_features_alone() -> None:
    hosts = {endpoint.host for endpoint in catalog.requirements(PUBLIC, EAST_ASIA, ["legacy-log-analytics"])}
    assert {"*.ods.opinsights.azure.com", "*.oms.opinsights.azure.com", "*.azure-automation.net"} <= hosts
    assert {endpoint.host for endpoint in catalog.endpoints(PUBLIC, EAST_ASIA)} - {""} < hosts
    assert "dls.microsoft.com" not in hosts
    assert "dls.microsoft.com" in {
        endpoint.host for endpoint in catalog.requirements(PUBLIC, EAST_ASIA, ["paygo"])
    }


def test_a_pattern_stays_only_where_nobody_can_list_the_names() -> None:
    hosts = {endpoint.host for endpoint in catalog.requirements(PUBLIC, EAST_ASIA, ["sql"])}
    assert "*.his.arc.azure.com" in hosts
    assert "*.eastasia.arcdataservices.com" in hosts
    assert not {"*.guestconfiguration.azure.com", "*.login.microsoft.com"} & hosts
    published = {endpoint.host for endpoint in catalog.requirements(PUBLIC, catalog.region("westeurope"))}
    assert "weu.his.arc.azure.com" in published
    assert "*.his.arc.azure.com" not in published


@pytest.mark.parametrize("cloud", REQUIRED)
def test_names_asked_over_plain_http_are_in_a_sheet_and_never_probed(cloud: str) -> None:
    chosen, region = catalog.cloud(cloud), catalog.region(REGION[cloud])
    plain = {endpoint.host for endpoint in catalog.requirements(chosen, region) if endpoint.port == 80}
    assert {"oneocsp.microsoft.com", "crl3.digicert.com"} <= plain
    assert {endpoint.port for endpoint in catalog.endpoints(chosen, region, optional=True)} == {443}


def test_an_unknown_feature_offers_the_nearest() -> None:
    with pytest.raises(UnknownNameError, match="unknown feature 'licencing'"):
        catalog.requirements(PUBLIC, EAST_ASIA, ["licencing"])


def test_region_of_another_cloud_is_refused() -> None:
    with pytest.raises(InputError, match="belongs to AzureCloud, not to AzureChinaCloud"):
        catalog.endpoints(catalog.cloud("china"), EAST_ASIA)


@pytest.mark.parametrize(
    ("host", "steering", "carrier"),
    [
        ("agentserviceapi.guestconfiguration.azure.com", Steering.TRAFFIC_MANAGER, Carrier.ARC),
        ("gbl.his.arc.azure.com", Steering.TRAFFIC_MANAGER, Carrier.ARC),
        ("ea.his.arc.azure.com", Steering.NONE_KNOWN, Carrier.ARC),
        ("eastasia-gas.guestconfiguration.azure.com", Steering.NONE_KNOWN, Carrier.ARC),
        ("login.microsoftonline.com", Steering.TRAFFIC_MANAGER, Carrier.ENTRA),
        ("eastasia.login.microsoft.com", Steering.NONE_KNOWN, Carrier.ENTRA),
        ("management.azure.com", Steering.TRAFFIC_MANAGER, Carrier.ARM),
        ("guestnotificationservice.azure.com", Steering.TRAFFIC_MANAGER, Carrier.ARC),
        ("packages.microsoft.com", Steering.FRONT_DOOR, Carrier.EDGE),
        ("aka.ms", Steering.FRONT_DOOR, Carrier.EDGE),
        ("download.microsoft.com", Steering.CDN, Carrier.EDGE),
        ("contoso.gw.arc.azure.com", Steering.FRONT_DOOR, Carrier.EDGE),
        ("account.blob.core.windows.net", Steering.NONE_KNOWN, Carrier.REGIONAL),
        ("azgn-eastus-public-1p-x.servicebus.windows.net", Steering.NONE_KNOWN, Carrier.REGIONAL),
        ("x.eastasia.arcdataservices.com", Steering.NONE_KNOWN, Carrier.REGIONAL),
        ("usgv.his.arc.azure.us", Steering.NONE_KNOWN, Carrier.ARC),
    ],
)
def test_endpoint_by_a_name_that_somebody_saw(host: str, steering: Steering, carrier: Carrier) -> None:
    found = catalog.endpoint_named(f" {host.upper()}. ")
    assert found is not None
    assert (found.host, found.steering, found.carrier) == (host, steering, carrier)


def test_a_specific_name_wins_over_a_wildcard() -> None:
    regional = catalog.endpoint_named("eastasia-gas.guestconfiguration.azure.com")
    other = catalog.endpoint_named("something.guestconfiguration.azure.com")
    assert regional is not None
    assert other is not None
    assert regional.purpose.endswith("regional")
    assert other.purpose != regional.purpose
    notification = catalog.endpoint_named("azgn-x.servicebus.windows.net")
    assert notification is not None
    assert "notifications" in notification.purpose


@pytest.mark.parametrize(
    "host",
    [
        "",
        "example.com",
        "his.arc.azure.com",
        ".his.arc.azure.com",
        "his.arc.azure.com.example.com",
        "-gas.guestconfiguration.azure.com.example.com",
        "e/vil.his.arc.azure.com",
        "bücher.his.arc.azure.com",
        "evilaka.ms",
        "eastasia.arcdataservices.com",
        "www.microsoft.com:80",
    ],
)
def test_names_that_belong_to_nobody(host: str) -> None:
    assert catalog.endpoint_named(host) is None
    assert catalog.cloud_of(host) is None


@pytest.mark.parametrize(
    ("host", "cloud"),
    [
        ("ea.his.arc.azure.com", "AzureCloud"),
        ("login.microsoftonline.us", "AzureUSGovernment"),
        ("pas.chinacloudapi.cn", "AzureChinaCloud"),
        ("packages.microsoft.com", "AzureCloud"),
    ],
)
def test_cloud_of_a_host(host: str, cloud: str) -> None:
    found = catalog.cloud_of(host)
    assert found is not None
    assert found.name == cloud


def test_private_link_serves_the_arc_hosts_alone() -> None:
    found = catalog.endpoints(PUBLIC, EAST_ASIA)
    assert {endpoint.carrier for endpoint in found if endpoint.private_link} == {Carrier.ARC}
    assert all(endpoint.private_link for endpoint in found if endpoint.carrier is Carrier.ARC)
