from collections.abc import Sequence
from datetime import date
from itertools import chain, combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arcferry import catalog
from arcferry.errors import InputError, UnknownNameError
from arcferry.routing.azure_json import CommunityList, ServiceTags, read_community_list, read_service_tags
from arcferry.routing.circuit import Circuit, Tier
from arcferry.routing.plan import plan, smallest
from arcferry.routing.planned import KnownAnswer, PrefixCounts, RoutePlan, Steered
from arcferry.routing.route_filter import RouteFilter

PUBLIC = catalog.cloud("AzureCloud")
AGENT_SERVICE = "agentserviceapi.guestconfiguration.azure.com"
ARM = "management.azure.com"
GLOBAL = "gbl.his.arc.azure.com"


def planned(
    location: str = "eastasia",
    steered: str = "geography",
    *,
    features: Sequence[str] = (),
    counts: PrefixCounts | None = None,
    route_filter: RouteFilter | None = None,
    circuit: Circuit | None = None,
    answers: Sequence[KnownAnswer] = (),
) -> RoutePlan:
    region = catalog.region(location)
    return plan(
        catalog.cloud(region.cloud),
        region,
        steered=Steered(steered),
        features=features,
        counts=counts,
        route_filter=route_filter,
        circuit=circuit,
        answers=answers,
        today=date(2026, 11, 28),
    )


def seen(host: str, region: str, day: str = "2026-11-28", *, on_peering: bool = True) -> KnownAnswer:
    return KnownAnswer(host, region, "192.0.2.1", day, "check.json", on_peering=on_peering)


def allowing(*values: str, denied: Sequence[str] = ()) -> RouteFilter:
    return RouteFilter("rf-msp", frozenset(values), frozenset(denied), "Succeeded")


def listing(*entries: tuple[str, str, Sequence[str]]) -> CommunityList:
    rows = [
        {
            "communityName": name,
            "communityValue": value,
            "communityPrefixes": prefixes,
            "serviceGroup": "Azure",
        }
        for name, value, prefixes in entries
    ]
    return read_community_list(rows, "communities-2026-11-01.json")


def tagging(**prefixes: Sequence[str]) -> ServiceTags:
    rows = [
        {"name": f"AzureCloud.{region}", "properties": {"region": region, "addressPrefixes": listed}}
        for region, listed in prefixes.items()
    ]
    document = {"changeNumber": 7, "cloud": "Public", "values": rows}
    return read_service_tags(document, "ServiceTags_Public_20261101.json")


@pytest.mark.parametrize(
    ("location", "steered", "comfortable", "smallest"),
    [
        # The machines' region is enough for Resource Manager too, where it answers nowhere else.
        ("eastasia", "region", ["12076:51010", "12076:5060", "12076:5070"], ["12076:51010", "12076:5060"]),
        (
            "eastasia",
            "geography",
            ["12076:51010", "12076:5060", "12076:5070", "12076:51011"],
            ["12076:51010", "12076:5060", "12076:51011"],
        ),
        # No community of its own is documented: Resource Manager rests on its service's alone.
        ("swedencentral", "region", ["12076:5060", "12076:5070"], ["12076:5060", "12076:5070"]),
        # The Government cloud has a community for Entra ID and none for Resource Manager.
        ("usgovvirginia", "region", ["12076:51105", "12076:5160"], ["12076:51105", "12076:5160"]),
        # China has none for either.
        ("chinaeast2", "region", ["12076:51303"], ["12076:51303"]),
    ],
)
def test_what_a_location_needs(
    location: str, steered: str, comfortable: list[str], smallest: list[str]
) -> None:
    found = planned(location, steered)
    assert list(found.values) == comfortable
    assert list(found.smallest) == smallest


def test_every_region_is_provided_for_with_all() -> None:
    found = planned(steered="all")
    documented = {known.value for known in catalog.communities(PUBLIC) if known.kind == "region"}
    assert set(found.values) == {*documented, "12076:5060", "12076:5070"}
    # An answer of Resource Manager in a region without a community needs the service's own.
    assert "12076:5070" in found.smallest


def test_names_stand_beside_the_communities_that_carry_them() -> None:
    by_value = {one.value: one for one in planned().communities}
    home, elsewhere = by_value["12076:51010"].hosts, by_value["12076:51011"].hosts
    assert {AGENT_SERVICE, "eastasia-gas.guestconfiguration.azure.com", "*.his.arc.azure.com"} < set(home)
    assert AGENT_SERVICE in elsewhere
    assert "eastasia-gas.guestconfiguration.azure.com" not in elsewhere
    assert by_value["12076:5070"].hosts == (ARM,)
    assert "login.microsoftonline.com" in by_value["12076:5060"].hosts
    assert "login.microsoftonline.com" not in home
    assert all(one.required for one in by_value.values())


def test_what_the_smaller_set_loses_is_said() -> None:
    (loses,) = planned().loses
    assert "12076:5070" in loses
    assert ARM in loses
    assert planned("usgovvirginia").loses == ()


def test_a_region_without_a_community_is_said_and_not_guessed() -> None:
    found = planned("swedencentral")
    home = found.without[0]
    assert (home.region, home.home) == ("swedencentral", True)
    assert "swedencentral-gas.guestconfiguration.azure.com" in home.hosts
    assert "*.his.arc.azure.com" in home.private_link
    assert ARM not in home.hosts
    others = {one.region for one in found.without[1:]}
    assert {"italynorth", "polandcentral"} <= others
    assert not any(one.home for one in found.without[1:])
    assert planned("eastasia", "region").without == ()


def test_a_list_at_hand_names_what_no_document_does() -> None:
    counts = PrefixCounts(
        None, listing(("Azure Sweden Central", "12076:51046", ["20.1.0.0/16", "20.2.0.0/16"]))
    )
    found = planned("swedencentral", "region", counts=counts)
    first = found.communities[0]
    assert (first.value, first.region) == ("12076:51046", "swedencentral")
    assert first.prefixes is not None
    assert (first.prefixes.ipv4, first.prefixes.listed) == (2, True)
    assert found.without == ()


def test_early_access_regions_use_the_community_beside_them() -> None:
    without = {one.region for one in planned("eastus", "all").without}
    assert not {"eastus2euap", "centraluseuap"} & without


def test_prefixes_come_from_the_list_before_the_tags_and_unknown_is_unknown() -> None:
    listed = listing(
        ("Azure East Asia", "12076:51010", ["20.0.0.0/16", "20.1.0.0/16"]),
        ("Azure East Asia IPv6", "12076:51010", ["2603:1040::/48", "20.0.0.0/16"]),
    )
    tags = tagging(eastasia=["20.0.0.0/16"], southeastasia=["20.9.0.0/16", "2603:1041::/48"])
    found = {one.value: one.prefixes for one in planned(counts=PrefixCounts(tags, listed)).communities}
    home, elsewhere = found["12076:51010"], found["12076:51011"]
    assert home is not None
    assert (home.ipv4, home.ipv6, home.listed) == (2, 1, True)
    assert "2026-11-01" in home.source
    assert elsewhere is not None
    assert (elsewhere.ipv4, elsewhere.ipv6, elsewhere.listed) == (1, 1, False)
    assert found["12076:5070"] is None
    assert all(one.prefixes is None for one in planned().communities)


def test_a_filter_is_compared() -> None:
    found = planned(route_filter=allowing("12076:51010", "12076:5060", "12076:5070", "12076:52010"))
    assert found.missing == ("12076:51011",)
    assert found.unneeded == (("12076:52010", "storage in East Asia"),)
    states = {one.value: one.in_filter for one in found.communities}
    assert states["12076:51010"] is True
    assert states["12076:51011"] is False
    assert all(one.in_filter is None for one in planned().communities)
    assert planned().missing == planned().values


def test_a_rule_that_denies_is_in_the_way() -> None:
    found = planned(route_filter=allowing("12076:51010", denied=["12076:51010"]))
    assert "12076:51010" in found.missing
    assert "denies 12076:51010" in found.notes[0]


@pytest.mark.parametrize(
    ("tier", "reach"), [(Tier.STANDARD, {"12076:51010": True}), (Tier.LOCAL, {"12076:51011": False})]
)
def test_what_the_circuits_sku_does_not_get(tier: Tier, reach: dict[str, bool]) -> None:
    found = planned(circuit=Circuit("er", tier, "Hong Kong"))
    states = {one.value: one.in_reach for one in found.communities}
    assert {value: states[value] for value in reach} == reach
    assert states["12076:5060"] is None
    assert any("er: " in source for source in found.sources)


def test_front_door_cdn_and_revocation_lists_are_never_carried() -> None:
    found = {
        (one.endpoint.host, one.endpoint.port): one for one in planned(features=["esu", "gateway"]).never
    }
    assert found["download.microsoft.com", 443].way == "bundle"
    assert found["packages.microsoft.com", 443].way == "bundle"
    assert found["aka.ms", 443].way == "nothing"
    assert found["oneocsp.microsoft.com", 80].way == "proxy"
    assert {"www.microsoft.com", "*.gw.arc.azure.com"} <= {host for host, _ in found}
    carried = {host for one in planned(features=["esu", "gateway"]).communities for host in one.hosts}
    assert not carried & {host for host, _ in found}


def test_features_add_their_names() -> None:
    hosts = {host for one in planned(features=["monitor", "extensions"]).communities for host in one.hosts}
    assert {"*.blob.core.windows.net", "eastasia.handler.control.monitor.azure.com"} <= hosts
    assert "*.blob.core.windows.net" not in {host for one in planned().communities for host in one.hosts}
    assert any(note.startswith("ssh: ") for note in planned("usgovvirginia", features=["ssh"]).notes)


def test_an_unknown_feature_offers_the_nearest() -> None:
    with pytest.raises(UnknownNameError, match="unknown feature 'monitr'") as caught:
        planned(features=["monitr"])
    assert caught.value.near == ("monitor",)


def test_a_region_of_another_cloud_is_refused() -> None:
    with pytest.raises(InputError, match="belongs to AzureChinaCloud"):
        plan(PUBLIC, catalog.region("chinaeast2"))


def test_where_no_document_gives_the_area_the_region_stands_alone_and_it_is_said() -> None:
    region = next(one for one in catalog.regions(PUBLIC) if not catalog.geography_of(one.name))
    found = planned(region.name)
    assert found.scope.regions == (region.name,)
    assert any(f"area of {region.name}" in note for note in found.notes)


def test_the_regions_in_which_names_answered_are_provided_for_beside_those_that_may_be() -> None:
    found = planned(answers=[seen(AGENT_SERVICE, "japaneast"), seen(ARM, "eastus"), seen(GLOBAL, "eastasia")])
    assert found.values == ("12076:51010", "12076:5060", "12076:5070", "12076:51012", "12076:51011")
    japan = next(one for one in found.communities if one.value == "12076:51012")
    assert (japan.hosts, japan.why) == ((AGENT_SERVICE,), "names answered here 2026-11-28")
    assert "12076:51012" in found.smallest
    # Resource Manager's own community carries it anywhere.
    assert "12076:5070" in found.smallest
    assert "12076:51012" in planned(steered="region", answers=[seen(AGENT_SERVICE, "japaneast")]).values


def test_a_regional_name_that_failed_over_to_another_region_counts_too() -> None:
    answers = [
        seen("eastasia-gas.guestconfiguration.azure.com", "koreacentral"),
        seen("ea.his.arc.azure.com", "uksouth"),
    ]
    found = {one.value: one.hosts for one in planned(answers=answers).communities}
    assert found["12076:51029"] == ("eastasia-gas.guestconfiguration.azure.com",)
    assert found["12076:51024"] == ("ea.his.arc.azure.com",)


@pytest.mark.parametrize(
    "host",
    [
        "westeurope-gas.guestconfiguration.azure.com",  # of another location
        "global.handler.control.monitor.azure.com",  # of a feature that nobody asked for
        "packages.microsoft.com",  # never over peering
        "www.example.com",
    ],
)
def test_an_answer_of_a_name_that_the_plan_leaves_aside_changes_nothing(host: str) -> None:
    assert planned(answers=[seen(host, "japaneast")]) == planned()


def test_published_answers_are_named_and_what_the_set_leaves_out_is_told() -> None:
    found = planned()
    regions = {one.region for one in found.left_out if one.host == AGENT_SERVICE}
    assert regions == {"japaneast", "australiaeast", "australiasoutheast"}
    assert {one.community for one in found.left_out} == {"12076:51012", "12076:51015", "12076:51016"}
    assert all(one.published and one.origin and one.day for one in found.answers)
    # Resource Manager answered in other regions too, and its own community is in the set.
    assert not [one for one in found.left_out if one.host == ARM]
    assert not planned(steered="all").left_out
    # What was seen here stands in place of what others saw elsewhere.
    assert not [
        one
        for one in planned(answers=[seen(AGENT_SERVICE, "eastasia")]).answers
        if one.host == AGENT_SERVICE and one.published
    ]


def test_a_set_is_called_comfortable_only_where_the_answers_are_known_and_in_it() -> None:
    both = [seen(AGENT_SERVICE, "japaneast"), seen(GLOBAL, "eastasia")]
    assert planned(answers=both).is_comfortable
    assert planned().unseen == (GLOBAL,)
    assert not planned().is_comfortable
    assert not planned(answers=both[:1]).is_comfortable
    assert not planned("usgovvirginia").is_comfortable
    assert not planned(answers=[*both, seen(GLOBAL, "swedencentral")]).is_comfortable
    assert not planned(answers=[*both, seen(GLOBAL, "", on_peering=False)]).is_comfortable
    assert any(GLOBAL in note for note in planned().notes)


def test_an_answer_whose_region_nothing_tells_is_said_and_not_guessed() -> None:
    found = planned(answers=[seen(AGENT_SERVICE, "")])
    assert found.values == planned().values
    assert any("nothing at hand tells the region" in note for note in found.notes)


def test_what_begins_or_ends_soon_is_told_ahead() -> None:
    assert [one.day for one in planned().ahead] == [date(2027, 2, 1)]


REGIONAL, SERVICE, ENTRA = [f"510{number}" for number in range(5)], "5070", "5060"
NEEDS = st.lists(
    st.one_of(
        st.sampled_from(REGIONAL).map(lambda value: (value,)),
        st.sampled_from(REGIONAL).map(lambda value: (SERVICE, value)),
        st.sampled_from([(SERVICE,), (ENTRA,)]),
    ),
    max_size=10,
)


@given(NEEDS)
def test_the_smallest_set_is_as_small_as_trying_every_set_finds(needs: list[tuple[str, ...]]) -> None:
    values = [*REGIONAL, SERVICE, ENTRA]
    sets = chain.from_iterable(combinations(values, size) for size in range(len(values) + 1))
    meeting = (one for one in sets if all({*need} & {*one} for need in needs))
    found = smallest(needs)
    assert all({*need} & found for need in needs)
    assert len(found) == len(next(meeting))


def test_sources_are_named_with_their_dates() -> None:
    found = planned(counts=PrefixCounts(tagging(eastasia=["20.0.0.0/16"])))
    assert any("ServiceTags_Public_20261101.json (2026-11-01)" in source for source in found.sources)
    assert any("expressroute-routing.md, 2026-03-12" in source for source in found.sources)


@pytest.mark.shared
def test_the_incidents_filter_lacks_where_the_answer_moved(
    public_tags: ServiceTags, list_of_2019: CommunityList, case_filter: RouteFilter
) -> None:
    counts = PrefixCounts(public_tags, list_of_2019)
    narrow = planned(steered="geography", counts=counts, route_filter=case_filter)
    assert narrow.missing == ("12076:51011",)
    wide = planned(steered="all", counts=counts, route_filter=case_filter)
    assert "12076:51012" in wide.missing
    counted = {one.value: one.prefixes for one in wide.communities}
    japan, switzerland = counted["12076:51012"], counted["12076:51038"]
    assert japan is not None
    assert (japan.ipv4, japan.listed) == (52, True)
    assert switzerland is not None
    assert not switzerland.listed
    assert switzerland.ipv6 > 0


@pytest.mark.shared
def test_no_sign_in_prefix_lies_in_a_region_of_the_list(
    public_tags: ServiceTags, list_of_2019: CommunityList
) -> None:
    # Why a region's community is no alternative for Entra ID.
    sign_in = [
        prefix
        for prefix, (tag, _) in public_tags.prefixes.items()
        if tag == "AzureActiveDirectory.ServiceEndpoint" and prefix.startswith(("20.190.", "40.126."))
    ]
    assert len(sign_in) > 500
    values = {
        entry.value for prefix in sign_in for entry in list_of_2019.containing(prefix.partition("/")[0])
    }
    assert "12076:5060" in values
    assert not [value for value in values if value.startswith("12076:510") and value != "12076:5100"]


def test_a_service_s_own_community_carries_its_answer_in_a_region_that_nothing_tells() -> None:
    """As an audit of the same answer says."""
    plan = planned(answers=[seen(ARM, ""), seen(GLOBAL, "")])
    by_host = {one.host: one for one in plan.answers}
    assert (by_host[ARM].carried, by_host[ARM].community) == (
        True,
        "12076:5070",
    )
    assert not by_host[GLOBAL].carried
    (note,) = [one for one in plan.notes if "nothing at hand tells the region" in one]
    assert GLOBAL in note
    assert ARM not in note
