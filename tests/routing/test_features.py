"""Which features the path carries: each kind of name, judged by the plan that `routes plan` makes."""

from collections.abc import Sequence

import pytest

from arcferry import catalog
from arcferry.routing import features
from arcferry.routing.azure_json import ServiceTags, read_service_tags
from arcferry.routing.circuit import Circuit, read_circuit
from arcferry.routing.features import FeatureRow, Standing
from arcferry.routing.plan import plan
from arcferry.routing.planned import KnownAnswer, PrefixCounts
from arcferry.routing.route_filter import RouteFilter, read_route_filter

PUBLIC = catalog.cloud("AzureCloud")
METRICS, VAULT = "global.prod.microsoftmetrics.com", "*.vault.azure.net"


def tags(*regions: str) -> ServiceTags:
    """Of Defender for Endpoint and Windows Admin Center, with one prefix in each of these regions."""
    prefixes = {region: f"20.{place}.0.0/24" for place, region in enumerate(regions)}
    rows = [(f"AzureCloud.{region}", region, [prefix]) for region, prefix in prefixes.items()]
    rows += [
        (name, "", list(prefixes.values())) for name in ("MicrosoftDefenderForEndpoint", "WindowsAdminCenter")
    ]
    values = [
        {"name": name, "properties": {"region": region, "addressPrefixes": held}}
        for name, region, held in rows
    ]
    document = {"changeNumber": 1, "cloud": "Public", "values": values}
    return read_service_tags(document, "ServiceTags_Public_20261101.json")


def rows(
    location: str = "eastasia",
    cloud: str = "AzureCloud",
    *,
    service_tags: ServiceTags | None = None,
    route_filter: RouteFilter | None = None,
    circuit: Circuit | None = None,
    answers: Sequence[KnownAnswer] = (),
) -> tuple[dict[str, FeatureRow], tuple[str, ...]]:
    chosen, counts = catalog.cloud(cloud), PrefixCounts(service_tags)
    found = plan(
        chosen,
        catalog.region(location),
        features=catalog.chosen_features(chosen, ["all"]),
        counts=counts,
        route_filter=route_filter,
        circuit=circuit,
        answers=answers,
    )
    table = features.table(found, counts)
    return {row.feature.name: row for row in table.rows}, table.lacking


def standing(row: FeatureRow, host: str) -> tuple[Standing, str]:
    return next((one.standing, one.says) for one in row.names if one.host == host)


def test_names_of_a_region_are_carried_by_the_communities_of_where_they_may_answer() -> None:
    found, _ = rows()
    assert found["ssh"].standing is Standing.CARRIED
    assert found["ssh"].communities == ("12076:51010", "12076:51011")
    assert {one.says for one in found["ssh"].names} == {"by where it answers"}


def test_an_account_in_another_area_has_its_own_community() -> None:
    found, _ = rows()
    assert found["machine-configuration"].communities == ("12076:51010", "12076:51011", "12076:51027")


def test_what_front_door_and_cdns_serve_needs_another_path_and_all_of_it_never_comes() -> None:
    found, _ = rows()
    assert found["esu"].standing is Standing.ANOTHER_PATH
    assert standing(found["esu"], "www.microsoft.com")[0] is Standing.ANOTHER_PATH
    assert found["esu"].says.startswith("for 2 of ")
    assert found["auto-upgrade"].standing is Standing.NEVER
    assert found["auto-upgrade"].feature.instead.startswith("upgrade by a bundle")


def test_a_place_that_no_document_tells_is_unknown_until_an_answer_is_at_hand() -> None:
    found, lacking = rows()
    assert standing(found["monitor"], METRICS)[0] is Standing.UNKNOWN
    assert found["monitor"].standing is Standing.UNKNOWN
    assert any("Azure Monitor agent" in one and "arcferry check --all" in one for one in lacking)
    here = KnownAnswer(METRICS, "eastasia", "20.0.0.1", "2026-11-28", "check.json")
    assert standing(rows(answers=[here])[0]["monitor"], METRICS)[0] is Standing.CARRIED
    outside = KnownAnswer(METRICS, "", "13.107.6.1", "2026-11-28", "check.json", on_peering=False)
    found, _ = rows(answers=[outside])
    assert standing(found["monitor"], METRICS)[0] is Standing.ANOTHER_PATH
    assert found["monitor"].standing is Standing.ANOTHER_PATH


def test_an_answer_of_a_name_that_a_pattern_stands_for_is_the_patterns() -> None:
    vault = KnownAnswer("kv-corp.vault.azure.net", "westeurope", "20.0.0.1", "2026-11-28", "nslookup.txt")
    edge = KnownAnswer("x.eastasia-1.ingest.monitor.azure.com", "", "13.107.6.1", "", "n", on_peering=False)
    found, _ = rows(answers=[vault, edge])
    (name,) = found["key-vault"].names
    assert (name.standing, name.communities) == (Standing.CARRIED, ("12076:51002",))
    assert "kv-corp" not in name.host
    assert found["key-vault"].communities == ("12076:51002",)
    assert standing(found["monitor"], "*.ingest.monitor.azure.com")[0] is Standing.ANOTHER_PATH


@pytest.mark.parametrize(
    ("service_tags", "expected", "says"),
    [
        (None, Standing.UNKNOWN, "service tags would tell"),
        (tags("westeurope", "japaneast"), Standing.UNKNOWN, "no prefix in Asia, but in 2 other regions"),
        (tags("westeurope", "southeastasia"), Standing.CARRIED, "Southeast Asia"),
    ],
    ids=["without", "elsewhere", "here"],
)
def test_a_place_that_service_tags_tell(
    service_tags: ServiceTags | None, expected: Standing, says: str
) -> None:
    found, lacking = rows(service_tags=service_tags)
    judged = standing(found["defender-endpoint"], "*.endpoint.security.microsoft.com")
    assert judged[0] is expected
    assert says in judged[1]
    assert any(one.startswith("service tags, for Defender") for one in lacking) is (service_tags is None)


def test_its_own_names_do_not_suffice_where_its_package_may_not_come() -> None:
    found, _ = rows()
    assert found["key-vault"].standing is Standing.UNKNOWN
    assert found["key-vault"].says == "its own names are carried; see extension packages"
    assert standing(found["key-vault"], VAULT)[0] is Standing.CARRIED
    assert found["defender"].standing is Standing.ANOTHER_PATH
    assert found["defender"].names == tuple(
        one
        for used in ("defender-endpoint", "machine-configuration", "extensions")
        for one in found[used].names
    )


def test_a_filter_says_which_communities_it_lacks() -> None:
    document = {
        "name": "rf-arc",
        "rules": [
            {
                "name": "arc",
                "access": "Allow",
                "routeFilterRuleType": "Community",
                "communities": ["12076:51010"],
            }
        ],
    }
    found, lacking = rows(route_filter=read_route_filter(document, "rf.json"))
    assert found["ssh"].missing == ("12076:51011",)
    assert not any("your route filter" in one for one in lacking)


def test_a_region_without_a_documented_community_is_unknown_and_says_how_to_learn_it() -> None:
    found, lacking = rows("taiwannorth")
    assert (found["ssh"].standing, found["extensions"].standing) == (Standing.UNKNOWN, Standing.UNKNOWN)
    says = standing(found["extensions"], "*.blob.core.windows.net")[1]
    assert says.endswith("an Azure Arc private link scope serves it")
    assert any("list-service-communities" in one for one in lacking)


def test_what_a_cloud_does_not_offer_is_never_there_and_what_no_document_names_is_unknown() -> None:
    found, _ = rows("chinaeast2", "AzureChinaCloud")
    assert (found["wac"].standing, found["wac"].says) == (Standing.NEVER, "not offered in AzureChinaCloud")
    assert found["defender"].standing is Standing.UNKNOWN
    assert found["defender"].says == "no document at hand names an endpoint of it in AzureChinaCloud"


def test_a_standard_circuit_does_not_get_the_account_of_another_area() -> None:
    circuit = read_circuit(
        {
            "name": "er-hk",
            "id": "/subscriptions/0/resourceGroups/rg/providers/Microsoft.Network/expressRouteCircuits/er-hk",
            "sku": {"name": "Standard_MeteredData", "tier": "Standard", "family": "MeteredData"},
            "serviceProviderProperties": {"peeringLocation": "Hong Kong SAR"},
            "peerings": [],
        },
        "circuit.json",
    )
    found, _ = rows(circuit=circuit)
    judged = standing(found["machine-configuration"], "oaasguestconfigwcuss1.blob.core.windows.net")
    assert judged == (Standing.ANOTHER_PATH, "the circuit's SKU does not get West Central US")


@pytest.mark.shared
def test_by_the_whole_public_file(public_tags: ServiceTags) -> None:
    found, _ = rows(service_tags=public_tags)
    assert standing(found["wac"], "*.waconazure.com")[0] is Standing.CARRIED
    assert standing(found["defender-endpoint"], "*.endpoint.security.microsoft.com")[0] is Standing.CARRIED
