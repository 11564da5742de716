from collections.abc import Callable
from typing import Any

import pytest

from arcferry import catalog
from arcferry.catalog import Carrier
from arcferry.errors import InputError
from arcferry.routing.azure_json import CommunityList, ServiceTags, read_community_list, read_service_tags
from arcferry.routing.coverage import Coverage, Verdict, coverage
from arcferry.routing.route_filter import RouteFilter

ARC_HOST = "agentserviceapi.guestconfiguration.azure.com"


def _tags(
    *rows: tuple[str, str, str], name: str = "ServiceTags_Public_20250101.json", cloud: str = "Public"
) -> ServiceTags:
    values = [
        {"name": tag, "properties": {"region": region, "addressPrefixes": [prefix]}}
        for tag, region, prefix in rows
    ]
    return read_service_tags({"changeNumber": 1, "cloud": cloud, "values": values}, name)


def _list(*rows: tuple[str, str], name: str = "communities-2019-05-30.json") -> CommunityList:
    entries = [
        {"communityName": f"name of {value}", "communityValue": value, "communityPrefixes": [prefix]}
        for value, prefix in rows
    ]
    return read_community_list({"entries": entries}, name)


def _filter(*allowed: str, denied: tuple[str, ...] = (), state: str = "Succeeded") -> RouteFilter:
    return RouteFilter("rf", frozenset(allowed), frozenset(denied), state)


EAST_ASIA = _tags(
    ("AzureArcInfrastructure.EastAsia", "eastasia", "20.1.0.0/24"),
    ("AzureCloud.eastasia", "eastasia", "20.1.0.0/16"),
    ("AzureCloud", "", "20.0.0.0/8"),
    ("AzureActiveDirectory", "", "20.190.0.0/16"),
    ("AzureCloud.swedencentral", "swedencentral", "20.240.0.0/16"),
    ("AzureCloud.eastus2euap", "eastus2euap", "20.250.0.0/16"),
    ("AzureFrontDoor.Frontend", "", "13.107.0.0/16"),
    ("AzureFrontDoor.Frontend", "", "20.1.9.0/24"),
    ("AzureArcInfrastructure", "", "9.205.0.0/24"),
    ("AzureArcInfrastructure.EastAsia", "eastasia", "127.9.10.0/24"),
    ("AzureFrontDoor.Frontend", "", "127.9.200.0/24"),
    ("AzureCloud.eastasia", "eastasia", "2603:1::/32"),
)


def _cover(
    address: str,
    *,
    host: str = ARC_HOST,
    carrier: Carrier = Carrier.ARC,
    tags: ServiceTags | None = EAST_ASIA,
    communities: CommunityList | None = None,
    route_filter: RouteFilter | None = None,
) -> Coverage:
    return coverage(
        host, address, carrier=carrier, tags=tags, communities=communities, route_filter=route_filter
    )


def test_carried_by_the_regions_community() -> None:
    found = _cover("20.1.0.4", route_filter=_filter("12076:51010"))
    assert (found.verdict, found.community, found.allowed_by) == (
        Verdict.CARRIED,
        "12076:51010",
        ("12076:51010",),
    )
    assert (found.service_tag, found.region) == ("AzureArcInfrastructure.EastAsia", "eastasia")
    assert found.conflicts == ()


def test_not_in_the_filter_names_the_community_to_add() -> None:
    found = _cover("20.1.0.4", route_filter=_filter("12076:51012"))
    assert (found.verdict, found.community, found.allowed_by) == (Verdict.NOT_IN_FILTER, "12076:51010", ())


def test_a_filter_that_allows_nothing_or_denies_lets_nothing_through() -> None:
    assert _cover("20.1.0.4", route_filter=_filter()).verdict is Verdict.NOT_IN_FILTER
    denied = _cover("20.1.0.4", route_filter=_filter("12076:51010", denied=("12076:51010",)))
    assert denied.verdict is Verdict.NOT_IN_FILTER
    assert denied.conflicts == ("route filter rf denies 12076:51010",)


def test_without_a_filter_the_community_is_known_and_the_verdict_is_not() -> None:
    found = _cover("20.1.0.4")
    assert (found.verdict, found.community) == (Verdict.UNKNOWN, "12076:51010")


def test_a_filter_in_another_state_than_succeeded_is_mentioned() -> None:
    found = _cover("20.1.0.4", route_filter=_filter("12076:51010", state="Updating"))
    assert found.verdict is Verdict.CARRIED
    assert "in state Updating" in found.conflicts[0]


def test_ipv6() -> None:
    found = _cover("2603:1::7", route_filter=_filter("12076:51010"))
    assert (found.verdict, found.region) == (Verdict.CARRIED, "eastasia")


@pytest.mark.parametrize("address", ["10.1.2.3", "172.31.0.1", "192.168.1.1", "100.64.0.1", "fd00::1"])
def test_private_addresses(address: str) -> None:
    found = _cover(address, route_filter=_filter("12076:51010"))
    assert (found.verdict, found.community, found.candidates) == (Verdict.PRIVATE, "", ())


def test_loopback_is_an_address_like_any_other() -> None:
    assert _cover("127.9.10.4", route_filter=_filter("12076:51010")).verdict is Verdict.CARRIED
    assert _cover("127.9.200.4").verdict is Verdict.NOT_ON_PEERING


@pytest.mark.parametrize("address", ["13.107.1.1", "23.50.1.1", "2a02:26f0::1"])
def test_front_door_and_addresses_in_no_tag_are_not_on_the_peering(address: str) -> None:
    found = _cover(address, route_filter=_filter("12076:51010"))
    assert (found.verdict, found.community) == (Verdict.NOT_ON_PEERING, "")


@pytest.mark.parametrize("address", ["0.0.0.0", "169.254.1.1", "224.0.0.1", "::", "fe80::1"])
def test_addresses_that_lead_nowhere_decide_nothing(address: str) -> None:
    assert _cover(address).verdict is Verdict.UNKNOWN


def test_front_door_space_inside_a_region_is_left_open() -> None:
    found = _cover("20.1.9.1", route_filter=_filter("12076:51010"))
    assert found.verdict is Verdict.CARRIED
    assert "AzureFrontDoor.Frontend as well" in found.conflicts[0]
    edge = _cover("20.1.9.1", host="packages.microsoft.com", carrier=Carrier.EDGE)
    assert (edge.verdict, edge.service_tag) == (Verdict.NOT_ON_PEERING, "AzureFrontDoor.Frontend")


def test_an_edge_host_without_any_document_is_not_on_the_peering() -> None:
    assert _cover("23.50.1.1", carrier=Carrier.EDGE, tags=None).verdict is Verdict.NOT_ON_PEERING
    assert _cover("23.50.1.1", tags=None).verdict is Verdict.UNKNOWN


def test_region_without_a_documented_community() -> None:
    found = _cover("20.240.0.1", route_filter=_filter("12076:51010"))
    assert (found.verdict, found.region, found.community) == (
        Verdict.NO_DOCUMENTED_COMMUNITY,
        "swedencentral",
        "",
    )


def test_a_fresh_list_gives_what_no_document_does() -> None:
    listed = _list(("12076:51046", "20.240.0.0/16"), name="communities-2026-01-01.json")
    found = _cover("20.240.0.1", communities=listed, route_filter=_filter())
    assert (found.verdict, found.community) == (Verdict.NOT_IN_FILTER, "12076:51046")


def test_early_access_regions_share_the_value_of_their_neighbour() -> None:
    listed = _list(("12076:51005", "20.250.0.0/16"))
    found = _cover("20.250.0.1", communities=listed, route_filter=_filter("12076:51005"))
    assert (found.verdict, found.region, found.conflicts) == (Verdict.CARRIED, "eastus2euap", ())


def test_a_tag_without_a_region_decides_nothing_for_arc() -> None:
    assert _cover("9.205.0.1", route_filter=_filter("12076:51010")).verdict is Verdict.UNKNOWN


@pytest.mark.parametrize(
    ("host", "carrier", "community"),
    [
        ("login.microsoftonline.com", Carrier.ENTRA, "12076:5060"),
        ("management.azure.com", Carrier.ARM, "12076:5070"),
        ("login.microsoftonline.us", Carrier.ENTRA, "12076:5160"),
    ],
)
def test_a_services_own_community_carries_it_wherever_it_is(
    host: str, carrier: Carrier, community: str
) -> None:
    found = _cover("20.240.0.1", host=host, carrier=carrier, tags=None, route_filter=_filter(community))
    assert (found.verdict, found.community) == (Verdict.CARRIED, community)
    missing = _cover("20.1.0.4", host=host, carrier=carrier, route_filter=_filter())
    assert (missing.verdict, missing.community) == (Verdict.NOT_IN_FILTER, community)
    assert missing.candidates == (community, "12076:51010")
    regional = _cover("20.1.0.4", host=host, carrier=carrier, route_filter=_filter("12076:51010"))
    assert (regional.verdict, regional.community) == (Verdict.CARRIED, "12076:51010")


def test_an_entra_address_outside_the_listed_prefixes_is_mentioned() -> None:
    listed = _list(("12076:5060", "40.126.0.0/18"))
    found = _cover(
        "20.190.1.1",
        host="login.microsoftonline.com",
        carrier=Carrier.ENTRA,
        communities=listed,
        route_filter=_filter("12076:5060"),
    )
    assert found.verdict is Verdict.CARRIED
    assert "does not list 20.190.1.1 under 12076:5060" in found.conflicts[0]
    inside = _cover(
        "40.126.0.1", host="login.windows.net", carrier=Carrier.ENTRA, tags=None, communities=listed
    )
    assert inside.conflicts == ()


def test_a_list_alone_gives_region_and_community() -> None:
    found = _cover(
        "40.1.2.3", tags=None, communities=_list(("12076:51012", "40.1.0.0/16")), route_filter=_filter()
    )
    assert (found.verdict, found.region, found.community) == (
        Verdict.NOT_IN_FILTER,
        "japaneast",
        "12076:51012",
    )


def test_a_storage_community_carries_what_the_list_has_under_it() -> None:
    listed = _list(("12076:51010", "20.1.0.0/16"), ("12076:52010", "20.1.5.0/24"))
    found = _cover("20.1.5.1", communities=listed, route_filter=_filter("12076:52010"))
    assert (found.verdict, found.community) == (Verdict.CARRIED, "12076:52010")
    assert found.candidates == ("12076:51010", "12076:52010")


def test_where_the_newer_tags_disagree_with_the_list_they_lead_and_both_are_named() -> None:
    listed = _list(("12076:51006", "20.1.0.0/16"))
    found = _cover("20.1.0.4", communities=listed, route_filter=_filter("12076:51006"))
    assert (found.verdict, found.community, found.region) == (
        Verdict.NOT_IN_FILTER,
        "12076:51010",
        "eastasia",
    )
    assert found.candidates == ("12076:51010", "12076:51006")
    assert found.allowed_by == ()
    says, doubt = found.conflicts
    for part in (
        "ServiceTags_Public_20250101.json (2025-01-01)",
        "East Asia (12076:51010)",
        "communities-2019-05-30.json (2019-05-30)",
        "(12076:51006)",
        "the service tags are newer",
    ):
        assert part in says
    assert "only the older source" in doubt


def test_where_the_newer_list_disagrees_with_the_tags_it_leads() -> None:
    listed = _list(("12076:51006", "20.1.0.0/16"), name="communities-2026-05-30.json")
    found = _cover("20.1.0.4", communities=listed, route_filter=_filter("12076:51006"))
    assert (found.verdict, found.community, found.region) == (Verdict.CARRIED, "12076:51006", "westus")
    assert found.candidates == ("12076:51006", "12076:51010")
    assert "the community list is newer" in found.conflicts[0]


def test_where_a_date_is_missing_neither_is_called_newer() -> None:
    found = _cover("20.1.0.4", communities=_list(("12076:51006", "20.1.0.0/16"), name="list.json"))
    assert found.candidates == ("12076:51010", "12076:51006")
    assert "list.json (undated)" in found.conflicts[0]
    assert "neither is known to be newer" in found.conflicts[0]


def test_an_old_list_does_not_bring_front_door_onto_the_peering() -> None:
    found = _cover(
        "13.107.6.175",
        communities=_list(("12076:5050", "13.107.6.175/32")),
        route_filter=_filter("12076:5050"),
    )
    assert (found.verdict, found.allowed_by, found.candidates) == (
        Verdict.NOT_ON_PEERING,
        (),
        ("12076:5050",),
    )
    assert "AzureFrontDoor.Frontend, which Microsoft peering does not carry" in found.conflicts[0]
    newer = _list(("12076:5050", "13.107.6.175/32"), name="communities-2026-01-01.json")
    assert (
        _cover("13.107.6.175", communities=newer, route_filter=_filter("12076:5050")).verdict
        is Verdict.CARRIED
    )


def test_tags_of_another_cloud_are_mentioned_and_prove_no_absence() -> None:
    china = _tags(("AzureCloud.chinaeast2", "chinaeast2", "40.72.0.0/16"), cloud="China")
    found = _cover("23.50.1.1", tags=china)
    assert found.verdict is Verdict.UNKNOWN
    assert f"of the cloud China, but {ARC_HOST} belongs to AzureCloud" in found.conflicts[0]


def test_what_is_no_address_is_refused_with_the_host() -> None:
    with pytest.raises(InputError, match=f"{ARC_HOST}: 'nowhere' is no IP address"):
        _cover("nowhere")


@pytest.mark.shared
def test_the_red_row_of_the_case(
    public_tags: ServiceTags, list_of_2019: CommunityList, case_filter: RouteFilter
) -> None:
    found = coverage(
        ARC_HOST,
        "40.115.144.3",
        carrier=Carrier.ARC,
        tags=public_tags,
        communities=list_of_2019,
        route_filter=case_filter,
    )
    assert (found.service_tag, found.region, found.community, found.verdict) == (
        "AzureArcInfrastructure.JapanEast",
        "japaneast",
        "12076:51012",
        Verdict.NOT_IN_FILTER,
    )
    assert found.conflicts == ()


@pytest.mark.shared
def test_every_other_row_of_the_case_is_carried(
    shared_json: Callable[[str], Any],
    public_tags: ServiceTags,
    list_of_2019: CommunityList,
    case_filter: RouteFilter,
) -> None:
    answers = shared_json("cases/eastasia-2024/dns.json")["answers"]
    for host, answer in answers.items():
        endpoint = catalog.endpoint_named(host)
        assert endpoint is not None
        for address in answer["addresses"]:
            found = coverage(
                host,
                address,
                carrier=endpoint.carrier,
                tags=public_tags,
                communities=list_of_2019,
                route_filter=case_filter,
            )
            expected = Verdict.NOT_IN_FILTER if host == ARC_HOST else Verdict.CARRIED
            assert (host, found.verdict) == (host, expected)


@pytest.mark.shared
def test_two_dated_sources_that_disagree_are_both_named(
    public_tags: ServiceTags, list_of_2019: CommunityList, case_filter: RouteFilter
) -> None:
    found = coverage(
        "gbl.his.arc.azure.com",
        "20.187.194.204",
        carrier=Carrier.ARC,
        tags=public_tags,
        communities=list_of_2019,
        route_filter=case_filter,
    )
    assert (found.community, found.candidates) == ("12076:51010", ("12076:51010", "12076:51006"))
    assert len(found.conflicts) == 1
    for part in ("2025-10-28", "12076:51010", "2019-05-30", "12076:51006", "the service tags are newer"):
        assert part in found.conflicts[0]
